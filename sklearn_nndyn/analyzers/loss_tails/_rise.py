"""From when the mean loss rises, which samples rise, and how few carry the rise.

The turning epoch is chosen for its low mean: measured on the samples it was chosen on, the rise after it looks too
large. So it is chosen on one half of the samples and used on the other, and the other way round. These
definitions are our own.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

THRESHOLDS = (0.0, 0.01, 0.1, 1.0)


def halves(loss: ArrayLike) -> np.ndarray:
    """Two halves of the samples, by a rule that has no chance in it and does not depend on their order.

    Samples are taken in the order of their loss at the first epoch (where these are equal, at the last; where
    these are equal too, as they stand), and go to the two halves in turn.

    Parameters
    ----------
    loss : array of shape (n_samples, n_epochs)
        Finite.

    Returns
    -------
    second : array of bool of shape (n_samples,)
        Whether a sample is in the second half, which is no larger than the first.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import halves
    >>> halves([[4.0, 0.0], [3.0, 0.0], [2.0, 0.0], [1.0, 0.0]])
    array([ True, False,  True, False])
    """
    loss = np.asarray(loss)
    second = np.zeros(len(loss), dtype=bool)
    second[np.lexsort((loss[:, -1], loss[:, 0]))[1::2]] = True
    return second


def crossfitted_turns(loss: ArrayLike) -> np.ndarray:
    """The turning epoch of each sample, chosen on the half of the samples that it is not in.

    Parameters
    ----------
    loss : array of shape (n_samples, n_epochs)
        Finite.

    Returns
    -------
    turn : array of int of shape (n_samples,)
        Position of the epoch at which the mean loss of the other half is least, the first of equal ones. A
        single sample has no other half, and its own turning epoch.

    See Also
    --------
    halves : Which samples are in which half.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import crossfitted_turns
    >>> crossfitted_turns([[0.9, 0.1, 0.5], [1.0, 0.6, 0.2], [1.1, 0.1, 0.6], [1.2, 0.6, 0.1]])
    array([2, 1, 2, 1])
    """
    loss = np.asarray(loss)
    second = halves(loss)
    if len(loss) == 1:
        return loss.argmin(axis=1)
    return np.where(second, _least_mean(loss, ~second), _least_mean(loss, second))


def _least_mean(loss, chosen):
    """Position of the epoch of least mean loss over the ``chosen`` samples (n_samples,) of bool."""
    weights = chosen.astype(np.float64)
    return int(np.argmin([weights @ loss[:, epoch].astype(np.float64) for epoch in range(loss.shape[1])]))


def at_turn(values, turn):
    """``values`` (n_samples, n_epochs) of each sample at its own turning epoch (n_samples,)."""
    return values[np.arange(len(values)), turn]


def rise_since(loss: ArrayLike, turn: ArrayLike) -> np.ndarray:
    """How much the loss of each sample rose since the turning epoch, d_i = l_i(end) - l_i(turn).

    Parameters
    ----------
    loss : array of shape (n_samples, n_epochs)
        Losses l_i(t).
    turn : int or array of int of shape (n_samples,)
        Position of the turning epoch, of all samples or of each.

    Returns
    -------
    rise : array of shape (n_samples,)
        In the units of the loss, float64; negative where a loss fell.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import rise_since
    >>> rise_since([[1.0, 0.5, 0.25], [1.0, 0.5, 3.0]], turn=1)
    array([-0.25,  2.5 ])
    """
    loss = np.asarray(loss)
    return loss[:, -1].astype(np.float64) - at_turn(loss, np.broadcast_to(turn, len(loss)))


def rising_fractions(rise: ArrayLike, thresholds: Sequence[float] = THRESHOLDS) -> dict[float, float]:
    """Fraction of the samples whose loss rose by more than each threshold.

    Parameters
    ----------
    rise : array of shape (n_samples,)
        Rises d_i, in the units of the loss.
    thresholds : sequence of float, default=(0.0, 0.01, 0.1, 1.0)
        In the same units.

    Returns
    -------
    fractions : dict of float to float
        {threshold: fraction}, each 0 to 1.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import rising_fractions
    >>> rising_fractions([-0.25, 0.05, 2.5, 0.0])
    {0.0: 0.5, 0.01: 0.5, 0.1: 0.25, 1.0: 0.25}
    """
    rise = np.asarray(rise)
    return {threshold: float(np.mean(rise > threshold)) for threshold in thresholds}


def carriers(rise: ArrayLike) -> np.ndarray:
    """The fewest samples whose rises sum to the whole rise of all.

    Parameters
    ----------
    rise : array of shape (n_samples,)
        Rises d_i; those that fell are negative.

    Returns
    -------
    indices : array of int of shape (k,)
        The k samples of greatest rise, greatest first, where k is the least number with d_(1) + ... + d_(k) >=
        sum_i d_i; none where that sum is not positive.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import carriers
    >>> carriers([-1.0, 3.0, -1.0, 2.0])
    array([1])
    """
    rise = np.asarray(rise)
    order = np.argsort(-rise, kind="stable")
    reached = np.cumsum(rise[order])
    return order[: np.argmax(reached >= reached[-1]) + 1] if reached[-1] > 0 else order[:0]


def loss_columns(record, onset, threshold):
    """Columns (n_samples,) of what the losses of each sample tell, since the epoch at position ``onset``."""
    final, least = record.loss[:, -1].astype(np.float64), record.loss.argmin(axis=1)
    return (
        record.loss[:, 0],
        at_turn(record.loss, least),
        final,
        final - record.loss[:, onset],
        record.epochs[least],
        final >= threshold,
    )
