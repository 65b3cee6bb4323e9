"""What a record means: one phenomenon an analyzer, each a scikit-learn transformer of a record; and two tests."""

from sklearn_nndyn.analyzers._feature_growth import FeatureGrowth, feature_growth
from sklearn_nndyn.analyzers._loss_tails import LossTailAnalyzer
from sklearn_nndyn.analyzers._scale_test import ScaleTest, scale_test

__all__ = ["FeatureGrowth", "LossTailAnalyzer", "ScaleTest", "feature_growth", "scale_test"]
