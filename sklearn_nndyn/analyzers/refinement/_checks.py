"""Validate the scores that a RefinementAnalyzer reads."""

import numpy as np

from sklearn_nndyn.dynamics import refuse_unseen
from sklearn_nndyn.utils.text import epoch_words, shown


def check_scores(record):
    """Two samples and two epochs at least, finite scores, and a link that has a temperature."""
    check_link(record.loss_facts)
    if len(record) < 2:
        raise ValueError(
            f"The record has {'one sample' if len(record) else 'no samples'}, but a temperature is chosen on one half "
            "of the samples and used on the other: give a record of two samples at least, better of hundreds."
        )
    if record.n_epochs < 2:
        raise ValueError(
            f"The record has one epoch only, {shown(record.epochs)}: which epoch is best needs two. Fit again with "
            'DynamicsClassifier(record_epochs="all"); in another loop, record after each epoch.'
        )
    finite = np.isfinite(record.scores)
    if not finite.all():
        refuse_unseen(record)
        raise ValueError(_not_finite(finite.all(axis=2), record.epochs))


def check_link(loss):
    """Scores whose softmax are the probabilities, for all that is known.

    Parameters
    ----------
    loss : LossFacts
    """
    if loss.link == "softmax" or loss.is_log_of_softmax or not (loss.name or loss.link):
        return
    how = "by their sigmoids" if loss.link == "sigmoid" else "in no way that is known"
    raise ValueError(
        f"A temperature divides scores whose softmax are probabilities, but the network was trained with "
        f"{loss.in_words}, where scores become probabilities {how}. Train with a loss whose link is the softmax, such "
        f"as "
        'loss="log"; or, where softmax is right, say so: Dynamics.from_scores(record.scores, record.y, '
        "epochs=record.epochs)."
    )


def _not_finite(finite, epochs):
    at = int((~finite).any(axis=0).argmax())
    sample = int((~finite[:, at]).argmax())
    count = np.count_nonzero(~finite)
    return (
        f"The scores of sample {sample} at epoch {epoch_words(epochs[at])} are not finite; "
        f"there are {count:,} such cells of {finite.size:,}. Give epochs and samples without: record.until(...), "
        f"record[...]."
    )
