"""What becomes of a phenomenon when its supposed cause is changed: networks are changed or trained again."""

from sklearn_nndyn.interventions._epoch_ensemble import (
    EpochEnsemble,
    average_over_epochs,
    epoch_ensemble,
    forgotten_curve,
)
from sklearn_nndyn.interventions._feature_growth import FeatureGrowth, feature_growth
from sklearn_nndyn.interventions._label_runs import train_label_runs
from sklearn_nndyn.interventions._outgoing import outgoing_norms, restore_norms, share_on_correct
from sklearn_nndyn.interventions._removal import RemovalExperiment, remove_and_refit
from sklearn_nndyn.interventions._scale_test import ScaleTest, scale_test
from sklearn_nndyn.interventions._scores import rescale_scores, score_scale

__all__ = [
    "EpochEnsemble",
    "FeatureGrowth",
    "RemovalExperiment",
    "ScaleTest",
    "average_over_epochs",
    "epoch_ensemble",
    "feature_growth",
    "forgotten_curve",
    "outgoing_norms",
    "remove_and_refit",
    "rescale_scores",
    "restore_norms",
    "scale_test",
    "score_scale",
    "share_on_correct",
    "train_label_runs",
]
