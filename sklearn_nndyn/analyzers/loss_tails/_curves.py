"""How the losses of the samples are spread, epoch by epoch: centre, quantiles, and how few carry the sum.

One sort of an epoch gives all of it, and no more than one epoch is copied at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sklearn_nndyn.analyzers._shares import gini_of_ordered, shares_of_worst
from sklearn_nndyn.analyzers.loss_tails._concentration import FRACTIONS
from sklearn_nndyn.utils.results import ShortRepr
from sklearn_nndyn.utils.statistics import worst_count

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
TRIM = 0.1


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class TailCurves(ShortRepr):
    """Centre, quantiles and concentration of the losses, epoch by epoch.

    Parameters
    ----------
    mean, median, trimmed : array of shape (n_epochs,)
        Over the samples, in the units of the loss; ``trimmed`` is the mean without the lowest and the highest 10 %.
    quantiles : array of shape (n_epochs, 8)
        At 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999, interpolated linearly between the ordered losses.
    shares : array of shape (n_epochs, n_fractions)
        Share of the total loss that the worst samples carry, see ``tail_shares``.
    gini : array of shape (n_epochs,)
        See ``gini_coefficient``.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import tail_curves
    >>> curves = tail_curves([[1.0, 0.0], [1.0, 0.0], [1.0, 3.0]])
    >>> curves.mean, curves.median
    (array([1., 1.]), array([1., 0.]))
    """

    mean: np.ndarray
    median: np.ndarray
    trimmed: np.ndarray
    quantiles: np.ndarray
    shares: np.ndarray
    gini: np.ndarray


def tail_curves(
    loss: ArrayLike, fractions: Sequence[float] = FRACTIONS, lower_bound: float = 0.0
) -> TailCurves:
    """Centre, quantiles and concentration of each epoch.

    Parameters
    ----------
    loss : array of shape (n_samples, n_epochs)
        Finite.
    fractions : sequence of n_fractions float, default=(0.001, 0.01, 0.05, 0.1)
        For which fractions of the samples to tell what the worst of them carry.
    lower_bound : float, default=0.0
        The least value that the loss can have; shares and Gini coefficient are those of what lies above, and nan in
        epochs that go below.

    Returns
    -------
    curves : TailCurves
        An entry for each epoch.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import tail_curves
    >>> curves = tail_curves([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 3.0]], fractions=(0.25,))
    >>> curves.gini, curves.shares.ravel()
    (array([0.  , 0.75]), array([0.25, 1.  ]))
    """
    loss = np.asarray(loss)
    counts = np.array([worst_count(fraction, len(loss)) for fraction in fractions])
    rows = []
    for epoch in range(loss.shape[1]):
        ordered = np.sort(loss[:, epoch]).astype(np.float64)
        above = ordered - lower_bound
        centre = ordered.mean(), trimmed_mean(ordered)
        rows.append((*centre, quantiles(ordered), shares_of_worst(above, counts), gini_of_ordered(above)))
    mean, trimmed, quantile, shares, gini = (np.array(column) for column in zip(*rows, strict=True))
    median = quantile[:, QUANTILES.index(0.5)]
    return TailCurves(mean=mean, median=median, trimmed=trimmed, quantiles=quantile, shares=shares, gini=gini)


def trimmed_mean(ordered):
    """Mean of ordered values (n_samples,) without the lowest and the highest 10 % (rounded down)."""
    cut = int(TRIM * len(ordered))
    return ordered[cut : len(ordered) - cut].mean()


def quantiles(ordered):
    """The ``QUANTILES`` of ordered values (n_samples,), as ``numpy.quantile`` gives them by default."""
    position = np.array(QUANTILES) * (len(ordered) - 1)
    below = position.astype(int)
    above = np.minimum(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])
