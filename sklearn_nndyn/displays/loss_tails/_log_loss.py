"""Losses on a logarithmic scale: what is computed of them for a map."""

import numpy as np

from sklearn_nndyn.analyzers import LossTailAnalyzer
from sklearn_nndyn.displays._style import loss_label
from sklearn_nndyn.dynamics import find_record


def positive_losses(record, floor):
    """Losses (n_samples, n_epochs) above the least there is, float64 and at least ``floor``, and their label."""
    least = record.loss_facts.least
    above = record.loss.astype(np.float64) - least
    if above.min() < -1e-6 * max(1.0, above.max()):
        raise ValueError(f"A logarithm needs losses that are not negative, but the least is {above.min():g}.")
    label = loss_label(record.loss_facts)
    return np.maximum(above, floor), f"{label} + {-least:g}" if least else label


def read(dynamics, onset):
    """The record in what was given, the epoch that its rise is measured from, and what that is called."""
    record, _ = find_record(dynamics, ["loss"])
    tails = LossTailAnalyzer(onset=onset).fit(record)
    return record, tails.onset_epoch_, tails.onset_name_
