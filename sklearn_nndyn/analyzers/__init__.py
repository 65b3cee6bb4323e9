"""What a record means: one phenomenon an analyzer, each a scikit-learn transformer of a record; and tests."""

from sklearn_nndyn.analyzers._entanglement import EntanglementAnalyzer
from sklearn_nndyn.analyzers._feature_growth import FeatureGrowth, feature_growth
from sklearn_nndyn.analyzers._label_errors import LabelErrors, find_label_errors
from sklearn_nndyn.analyzers._learning_phases import LearningPhaseAnalyzer
from sklearn_nndyn.analyzers._loss_tails import LossTailAnalyzer
from sklearn_nndyn.analyzers._phases import LearningPhases
from sklearn_nndyn.analyzers._sample_scores import SampleScoreAnalyzer
from sklearn_nndyn.analyzers._scale_test import ScaleTest, scale_test
from sklearn_nndyn.analyzers._stability import StragglerStability, straggler_stability
from sklearn_nndyn.analyzers._worst_shares import worst_shares

__all__ = [
    "EntanglementAnalyzer",
    "FeatureGrowth",
    "LabelErrors",
    "LearningPhaseAnalyzer",
    "LearningPhases",
    "LossTailAnalyzer",
    "SampleScoreAnalyzer",
    "ScaleTest",
    "StragglerStability",
    "feature_growth",
    "find_label_errors",
    "scale_test",
    "straggler_stability",
    "worst_shares",
]
