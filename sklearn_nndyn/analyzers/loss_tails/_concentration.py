"""How few samples carry the sum of the losses."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from sklearn_nndyn.analyzers._shares import gini_of_ordered, is_below_bound, shares_of_worst
from sklearn_nndyn.utils.statistics import worst_count

FRACTIONS = (0.001, 0.01, 0.05, 0.1)


def gini_coefficient(loss: ArrayLike, lower_bound: float = 0.0) -> float:
    """Gini coefficient of the losses of one epoch: 0 where all are equal, (n - 1) / n where one carries all.

    G = sum_i (2 i - n - 1) x_(i) / (n sum_i x_i), where x_(1) <= ... <= x_(n) are the losses above their bound.

    Parameters
    ----------
    loss : array of shape (n_samples,)
        Finite.
    lower_bound : float, default=0.0
        The least value that the loss can have; the coefficient is that of what lies above.

    Returns
    -------
    gini : float
        0 to (n - 1) / n; 0 where all losses are at the bound, nan where one is below it.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import gini_coefficient
    >>> gini_coefficient([2.0, 2.0, 2.0, 2.0]), gini_coefficient([0.0, 0.0, 0.0, 5.0])
    (0.0, 0.75)
    """
    return float(gini_of_ordered(_above(loss, lower_bound)))


def tail_shares(
    loss: ArrayLike, fractions: Sequence[float] = FRACTIONS, lower_bound: float = 0.0
) -> np.ndarray:
    """Share of the total loss that the worst samples of one epoch carry.

    (x_(1) + ... + x_(k)) / (x_(1) + ... + x_(n)), with x_(1) >= x_(2) >= ... the losses above their bound, and k the
    whole number nearest to fraction * n, at least one.

    Parameters
    ----------
    loss : array of shape (n_samples,)
        Finite.
    fractions : sequence of n_fractions float, default=(0.001, 0.01, 0.05, 0.1)
        Fractions of the samples that count as the worst.
    lower_bound : float, default=0.0
        The least value that the loss can have.

    Returns
    -------
    shares : array of shape (n_fractions,)
        0 to 1. Where all losses are at the bound k samples carry k / n; nan where a loss is below it.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import tail_shares
    >>> tail_shares([1.0, 1.0, 2.0, 6.0], fractions=(0.25, 0.5))
    array([0.6, 0.8])
    """
    ordered = _above(loss, lower_bound)
    return shares_of_worst(ordered, [worst_count(fraction, len(ordered)) for fraction in fractions])


def concentration_curve(loss: ArrayLike, lower_bound: float = 0.0) -> np.ndarray:
    """Share of the total loss that the worst 1, 2, ..., n_samples carry: the Lorenz curve, from its upper end.

    Parameters
    ----------
    loss : array of shape (n_samples,)
        Losses of one epoch, finite.
    lower_bound : float, default=0.0
        The least value that the loss can have.

    Returns
    -------
    shares : array of shape (n_samples,)
        Increasing to 1; see ``tail_shares`` for losses that are all at the bound, or below it.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import concentration_curve
    >>> concentration_curve([1.0, 1.0, 2.0, 6.0])
    array([0.6, 0.8, 0.9, 1. ])
    """
    ordered = _above(loss, lower_bound)
    if is_below_bound(ordered) or ordered.sum() <= 0:
        return shares_of_worst(ordered, np.arange(1, len(ordered) + 1))
    carried = np.cumsum(ordered[::-1])
    return carried / carried[-1]


def _above(loss, lower_bound):
    return np.sort(np.asarray(loss)).astype(np.float64) - lower_bound
