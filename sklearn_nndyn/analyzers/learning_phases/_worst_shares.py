"""From the majority to a few: which share of the loss, or of the gradient, the worst samples carry."""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_nndyn.analyzers._shares import shares_of_worst
from sklearn_nndyn.analyzers.learning_phases._checks import check_finite
from sklearn_nndyn.dynamics import Dynamics, find_record, refuse_unseen
from sklearn_nndyn.utils.validation import check_choice, is_number

OF = ("loss", "gradient_norm")
ROUNDING = 1e-9  # 0.1 * 30 is a little more than 3


def worst_shares(
    record_or_model: Dynamics | BaseEstimator,
    *,
    of: Literal["loss", "gradient_norm"] = "loss",
    fractions: Sequence[float] = (0.01, 0.05, 0.1),
) -> np.ndarray:
    """Share of the total that the worst samples carry, epoch by epoch.

    As training goes on, a few samples come to carry most of the loss and of the gradient: the majority is done, and
    what the network still learns it learns for them. At each epoch samples are ranked anew.

    Parameters
    ----------
    record_or_model : Dynamics or fitted estimator
        The record, or a fitted model, whose training record is read.
    of : {"loss", "gradient_norm"}, default="loss"
        Loss of each sample, or norm of its gradient.
    fractions : sequence of float, default=(0.01, 0.05, 0.1)
        Fractions of the samples, above 0 and up to 1: the worst ``fraction * n_samples``, rounded up.

    Returns
    -------
    carried : array of shape (n_epochs, n_fractions)
        Share of the total, 0 to 1. nan in epochs with a loss below the least that it can be.

    Raises
    ------
    TypeError
        If the argument can hold no record.
    ValueError
        If the record has no such field, or no samples; if a value is not finite; or for another ``of`` or
        ``fractions``.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    See Also
    --------
    LossTailAnalyzer : Who they are, and whether they make the mean loss rise.
    LearningPhaseAnalyzer : When a layer stops keeping its input.
    sklearn_nndyn.displays.LossShareDisplay : A picture of the shares of the loss.

    Notes
    -----
    With values v_(1) >= v_(2) >= ... of the n samples at an epoch: (v_(1) + ... + v_(k)) / (v_(1) + ... + v_(n)) with
    k = ceil(fraction n). Where all are zero, k samples carry k / n. Shares of a total are taken above the least value
    of the loss, as in ``LossTailAnalyzer``. There k is the nearest whole number, so with
    few samples figures may differ.

    Norms of gradients do not add up to the norm of the whole gradient: in the sum gradients of many samples may cancel.

    References
    ----------
    Schneider (2022). arXiv 2202.08299.

    Examples
    --------
    >>> from sklearn_nndyn import Dynamics
    >>> from sklearn_nndyn.analyzers import worst_shares
    >>> record = Dynamics(y=[0, 1, 1, 0], classes=[0, 1], epochs=[0, 1], loss=[[1.0, 0.0], [1, 0], [1, 3], [1, 1]])
    >>> worst_shares(record, fractions=(0.25, 0.5))
    array([[0.25, 0.5 ],
           [0.75, 1.  ]])
    """
    check_choice("of", of, OF)
    checked = _checked(fractions)
    record, _ = find_record(record_or_model, (of,), "train")
    return _worst_shares(record, of, checked)


def _worst_shares(record, of, fractions):
    if not len(record):
        raise ValueError("The record has no samples, so there is nothing to share.")
    refuse_unseen(record)
    values = getattr(record, of)
    check_finite(values, record.epochs, f"The {of.replace('_', ' ')}")
    counts = np.ceil(fractions * len(record) - ROUNDING).astype(int).clip(min=1)
    least = record.loss_facts.least if of == "loss" else 0.0
    ordered = np.sort(values, axis=0).astype(np.float64) - least
    return np.array([shares_of_worst(epoch, counts) for epoch in ordered.T])


def _checked(fractions):
    """Numbers above 0 and up to 1, at least one, as an array."""
    given = [fractions] if np.ndim(fractions) == 0 else list(fractions)
    good = [is_number(fraction) and 0 < fraction <= 1 for fraction in given]
    if not (np.ndim(fractions) == 1 and good and all(good)):
        raise ValueError(f"fractions must be a sequence of numbers above 0 and up to 1, got {fractions!r}.")
    return np.array(given, dtype=np.float64)
