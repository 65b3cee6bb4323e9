"""How hard, how often forgotten, how believable: scores of each sample, and which labels are wrong."""

from sklearn_nndyn.analyzers.sample_scores._analyzer import SampleScoreAnalyzer
from sklearn_nndyn.analyzers.sample_scores._label_count import label_error_interval
from sklearn_nndyn.analyzers.sample_scores._label_errors import LabelErrors, find_label_errors, most_predicted
from sklearn_nndyn.analyzers.sample_scores._learning_times import (
    epoch_learned,
    forgetting_events,
    times_forgotten,
)
from sklearn_nndyn.analyzers.sample_scores._scores import area_under_margin, el2n
from sklearn_nndyn.analyzers.sample_scores._threshold import label_error_threshold

__all__ = [
    "LabelErrors",
    "SampleScoreAnalyzer",
    "area_under_margin",
    "el2n",
    "epoch_learned",
    "find_label_errors",
    "forgetting_events",
    "label_error_interval",
    "label_error_threshold",
    "most_predicted",
    "times_forgotten",
]
