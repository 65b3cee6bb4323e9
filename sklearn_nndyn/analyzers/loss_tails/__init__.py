"""Why the mean loss rises while accuracy holds: the samples that make it rise, and the formulas to tell them by."""

from sklearn_nndyn.analyzers._curves import rise_beyond_wander
from sklearn_nndyn.analyzers.loss_tails._analyzer import LossTailAnalyzer
from sklearn_nndyn.analyzers.loss_tails._chance import carrier_null, gross_rise_share
from sklearn_nndyn.analyzers.loss_tails._concentration import (
    concentration_curve,
    gini_coefficient,
    tail_shares,
)
from sklearn_nndyn.analyzers.loss_tails._curves import TailCurves, tail_curves
from sklearn_nndyn.analyzers.loss_tails._log_loss import sample_log_loss
from sklearn_nndyn.analyzers.loss_tails._rise import (
    carriers,
    crossfitted_turns,
    halves,
    rise_since,
    rising_fractions,
)
from sklearn_nndyn.analyzers.loss_tails._transitions import borderline_test, transition_table, transitions
from sklearn_nndyn.analyzers.loss_tails._turning import turning_position

__all__ = [
    "LossTailAnalyzer",
    "TailCurves",
    "borderline_test",
    "carrier_null",
    "carriers",
    "concentration_curve",
    "crossfitted_turns",
    "gini_coefficient",
    "gross_rise_share",
    "halves",
    "rise_beyond_wander",
    "rise_since",
    "rising_fractions",
    "sample_log_loss",
    "tail_curves",
    "tail_shares",
    "transition_table",
    "transitions",
    "turning_position",
]
