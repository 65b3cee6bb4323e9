"""scikit-learn neural classifiers that remember how they learned every sample."""

from sklearn_nndyn.utils.lazy import lazy_names

__version__ = "0.1.0"

__all__ = [
    "BatchedGridSearchCV",
    "Checkpoint",
    "Dynamics",
    "DynamicsClassifier",
    "DynamicsLog",
    "EntanglementAnalyzer",
    "LearningPhaseAnalyzer",
    "LossTailAnalyzer",
    "RefinementAnalyzer",
    "SampleScoreAnalyzer",
    "compare_losses",
    "fit_together",
    "load_dynamics",
    "report",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "BatchedGridSearchCV": "sklearn_nndyn.model_selection",
        "Checkpoint": "sklearn_nndyn.classifiers",
        "Dynamics": "sklearn_nndyn.dynamics",
        "DynamicsClassifier": "sklearn_nndyn.classifiers",
        "DynamicsLog": "sklearn_nndyn.dynamics",
        "EntanglementAnalyzer": "sklearn_nndyn.analyzers",
        "LearningPhaseAnalyzer": "sklearn_nndyn.analyzers",
        "LossTailAnalyzer": "sklearn_nndyn.analyzers",
        "RefinementAnalyzer": "sklearn_nndyn.analyzers",
        "SampleScoreAnalyzer": "sklearn_nndyn.analyzers",
        "compare_losses": "sklearn_nndyn.model_selection",
        "fit_together": "sklearn_nndyn.classifiers",
        "load_dynamics": "sklearn_nndyn.dynamics",
        "report": "sklearn_nndyn.reports",
    },
)
