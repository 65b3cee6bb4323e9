"""What becomes of a phenomenon when its supposed cause is changed: networks are changed or trained again."""

from sklearn_nndyn.interventions._feature_growth import FeatureGrowth, feature_growth
from sklearn_nndyn.interventions._removal import RemovalExperiment, remove_and_refit
from sklearn_nndyn.interventions._scale_test import ScaleTest, scale_test

__all__ = [
    "FeatureGrowth",
    "RemovalExperiment",
    "ScaleTest",
    "feature_growth",
    "remove_and_refit",
    "scale_test",
]
