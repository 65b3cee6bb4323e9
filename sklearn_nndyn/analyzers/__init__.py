"""What a record means: one phenomenon an analyzer, each a scikit-learn transformer of a record."""

from sklearn_nndyn.analyzers._findings import Finding
from sklearn_nndyn.analyzers.entanglement import (
    EntanglementAnalyzer,
    StragglerStability,
    straggler_stability,
)
from sklearn_nndyn.analyzers.learning_phases import LearningPhaseAnalyzer, LearningPhases, worst_shares
from sklearn_nndyn.analyzers.loss_tails import LossTailAnalyzer
from sklearn_nndyn.analyzers.refinement import RefinementAnalyzer
from sklearn_nndyn.analyzers.sample_scores import (
    LabelErrors,
    LabelRuns,
    SampleScoreAnalyzer,
    find_label_errors,
)
from sklearn_nndyn.utils.lazy import lazy_names

__all__ = [
    "EntanglementAnalyzer",
    "FeatureGrowth",
    "Finding",
    "LabelErrors",
    "LabelRuns",
    "LearningPhaseAnalyzer",
    "LearningPhases",
    "LossTailAnalyzer",
    "RefinementAnalyzer",
    "SampleScoreAnalyzer",
    "ScaleTest",
    "StragglerStability",
    "feature_growth",
    "find_label_errors",
    "scale_test",
    "straggler_stability",
    "worst_shares",
]

# They change the network, and so live with the interventions, which come after the analyzers.
__getattr__, __dir__ = lazy_names(
    __name__,
    dict.fromkeys(
        ("FeatureGrowth", "ScaleTest", "feature_growth", "scale_test"), "sklearn_nndyn.interventions"
    ),
)
