"""scikit-learn neural classifiers that remember how they learned every sample."""

from sklearn_nndyn.analyzers import (
    EntanglementAnalyzer,
    LearningPhaseAnalyzer,
    LossTailAnalyzer,
    SampleScoreAnalyzer,
)
from sklearn_nndyn.classifiers import DynamicsClassifier, fit_together
from sklearn_nndyn.dynamics import Dynamics, load_dynamics
from sklearn_nndyn.model_selection import BatchedGridSearchCV, compare_losses

__all__ = [
    "BatchedGridSearchCV",
    "Dynamics",
    "DynamicsClassifier",
    "EntanglementAnalyzer",
    "LearningPhaseAnalyzer",
    "LossTailAnalyzer",
    "SampleScoreAnalyzer",
    "compare_losses",
    "fit_together",
    "load_dynamics",
]
