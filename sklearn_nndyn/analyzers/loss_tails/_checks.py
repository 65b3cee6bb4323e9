"""Validate the parameters of a LossTailAnalyzer, and the losses it reads."""

import numpy as np

from sklearn_nndyn.dynamics import refuse_unpredicted, refuse_unseen
from sklearn_nndyn.utils.text import epoch_words, shown
from sklearn_nndyn.utils.validation import check_share, is_finite


def check_tail(tail):
    """A share of the samples, between 0 and 1."""
    check_share("tail", tail, of="the samples", zero=False, one=False)


def onset_position(onset, epochs, *, last=False):
    """Position among the recorded epochs of the one asked for, the ``last`` only if allowed; None for "auto"."""
    if isinstance(onset, str) and onset == "auto":
        return None
    if not is_finite(onset):
        raise TypeError(f"onset must be 'auto' or a recorded epoch, got {onset!r}.")
    found = np.flatnonzero(epochs == onset)
    if not len(found):
        raise ValueError(f"onset={onset} is not among the recorded epochs: {shown(epochs, 20)}.")
    if found[0] == len(epochs) - 1 and not last:
        raise ValueError(f"onset={onset} is the last recorded epoch: a rise needs one after it.")
    return int(found[0])


def check_losses(record):
    """Check for at least one sample, two epochs, and nothing that is not finite or not predicted."""
    check_finite_losses(record.loss, record.epochs, record)
    refuse_unpredicted(record)


def check_finite_losses(loss, epochs, record=None):
    """The same of an array (n_samples, n_epochs), that of a record or not."""
    if not len(loss):
        raise ValueError("The record has no samples, so there is nothing to analyse.")
    if len(epochs) < 2:
        raise ValueError(
            f"Losses at one epoch only (n_features = 1), epoch {epoch_words(epochs[0])}: a rise needs two. Fit "
            "again with "
            'DynamicsClassifier(record_epochs="all"), or give the losses of more epochs.'
        )
    bad = ~np.isfinite(loss)
    if bad.any():
        if record is not None:
            refuse_unseen(record)
        raise ValueError(_not_finite(loss, epochs, bad))


def _not_finite(loss, epochs, bad):
    epoch = bad.any(axis=0).argmax()
    sample = bad[:, epoch].argmax()
    value = str(loss[sample, epoch]).replace("nan", "NaN")
    text = (
        f"The loss of sample {sample} is {value} at epoch {epoch_words(epochs[epoch])}, the first epoch with a "
        f"loss that is not finite; there {'is' if bad.sum() == 1 else 'are'} {bad.sum():,} of {bad.size:,}."
    )
    return f"{text} Give the epochs before it: record.until({epochs[epoch - 1]})." if epoch > 1 else text
