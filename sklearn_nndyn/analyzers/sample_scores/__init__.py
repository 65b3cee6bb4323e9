"""How hard, how often forgotten, how believable: scores of each sample, and which labels are wrong."""

from sklearn_nndyn.analyzers.sample_scores._analyzer import SampleScoreAnalyzer
from sklearn_nndyn.analyzers.sample_scores._label_count import (
    held_out_interval,
    label_error_interval,
    looks_wrong_by_chance,
)
from sklearn_nndyn.analyzers.sample_scores._label_errors import LabelErrors, find_label_errors, most_predicted
from sklearn_nndyn.analyzers.sample_scores._label_runs import LabelRuns, bounded_margin, label_scores
from sklearn_nndyn.analyzers.sample_scores._learning_times import (
    epoch_learned,
    forgetting_events,
    times_forgotten,
)
from sklearn_nndyn.analyzers.sample_scores._memorised import memorised_nats
from sklearn_nndyn.analyzers.sample_scores._scores import area_under_margin, el2n
from sklearn_nndyn.analyzers.sample_scores._threshold import label_error_threshold

__all__ = [
    "LabelErrors",
    "LabelRuns",
    "SampleScoreAnalyzer",
    "area_under_margin",
    "bounded_margin",
    "el2n",
    "epoch_learned",
    "find_label_errors",
    "forgetting_events",
    "held_out_interval",
    "label_error_interval",
    "label_error_threshold",
    "label_scores",
    "looks_wrong_by_chance",
    "memorised_nats",
    "most_predicted",
    "times_forgotten",
]
