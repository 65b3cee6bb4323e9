"""How the losses of the samples are spread, epoch by epoch: centre, quantiles, and how few carry the sum.

One sort of an epoch gives all of it, and no more than one epoch is copied at a time.
"""

from dataclasses import dataclass

import numpy as np

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
WORST = (0.001, 0.01, 0.05, 0.1)
TRIM = 0.1
# What these losses can least be: shares of a total are taken of what lies above it.
LEAST = {"tanimoto": -1.0}


@dataclass(frozen=True, kw_only=True, eq=False)
class TailCurves:
    """Figures of each epoch over its samples.

    Parameters
    ----------
    mean, median, trimmed : array of shape (n_epochs,)
        ``trimmed`` is the mean without the lowest and the highest 10 %.
    quantiles : array of shape (n_epochs, 8)
        At ``QUANTILES``, interpolated linearly between the ordered losses.
    shares : array of shape (n_epochs, n_shares)
        Share of the total loss that the worst samples carry.
    gini : array of shape (n_epochs,)
        Gini coefficient: 0 where all losses are equal, (n - 1) / n where one sample carries all.
    """

    mean: np.ndarray
    median: np.ndarray
    trimmed: np.ndarray
    quantiles: np.ndarray
    shares: np.ndarray
    gini: np.ndarray


def tail_curves(loss, worst=WORST, least=0.0):
    """Centre, quantiles and concentration of each epoch.

    Parameters
    ----------
    loss : array of shape (n_samples, n_epochs)
        Finite.
    worst : sequence of float
        For which shares of the samples to tell what the worst of them carry.
    least : float
        What the loss can least be; shares and Gini are taken above it, and are nan in epochs that go below.

    Returns
    -------
    curves : TailCurves
    """
    counts = np.array([worst_count(share, len(loss)) for share in worst])
    rows = []
    for epoch in range(loss.shape[1]):
        ordered = np.sort(loss[:, epoch]).astype(np.float64)
        mean, trimmed = ordered.mean(), trimmed_mean(ordered)
        above = ordered - least
        rows.append((mean, trimmed, quantiles(ordered), shares_of_worst(above, counts), gini(above)))
    mean, trimmed, quantile, shares, gini_curve = (np.array(column) for column in zip(*rows, strict=True))
    median = quantile[:, QUANTILES.index(0.5)]
    return TailCurves(
        mean=mean, median=median, trimmed=trimmed, quantiles=quantile, shares=shares, gini=gini_curve
    )


def worst_count(share, n_samples):
    """How many samples the worst ``share`` are: the nearest whole number, and at least one."""
    return max(1, int(share * n_samples + 0.5))


def trimmed_mean(ordered):
    """Mean of ordered values (n_samples,) without the lowest and the highest 10 % (rounded down)."""
    cut = int(TRIM * len(ordered))
    return ordered[cut : len(ordered) - cut].mean()


def quantiles(ordered, at=QUANTILES):
    """Quantiles (len(at),) of ordered values (n_samples,), as ``numpy.quantile`` gives them by default."""
    position = np.asarray(at) * (len(ordered) - 1)
    below = position.astype(int)
    above = np.minimum(below + 1, len(ordered) - 1)
    return ordered[below] + (position - below) * (ordered[above] - ordered[below])


def shares_of_worst(ordered, counts):
    """Share of the total that the worst ``counts`` carry, of increasing losses (n_samples,) that are not negative.

    Where the total is 0, k samples of n carry k / n; where a loss is negative, shares are nan.
    """
    n_samples, total = len(ordered), ordered.sum()
    if _negative(ordered):
        return np.full(len(counts), np.nan)
    if total <= 0:
        return np.asarray(counts) / n_samples
    return np.array([ordered[n_samples - k :].sum() for k in counts]) / total


def concentration(loss, least=0.0):
    """The concentration curve: share of the total that the worst 1, 2, ..., n_samples carry.

    Parameters
    ----------
    loss : array of shape (n_samples,)
        Of one epoch.
    least : float
        What the loss can least be.

    Returns
    -------
    shares : array of shape (n_samples,)
        Increasing to 1; see ``shares_of_worst`` for losses that are all zero, or negative.
    """
    ordered = np.sort(loss).astype(np.float64) - least
    if _negative(ordered) or ordered.sum() <= 0:
        return shares_of_worst(ordered, np.arange(1, len(ordered) + 1))
    carried = np.cumsum(ordered[::-1])
    return carried / carried[-1]


def gini(ordered):
    """Gini coefficient of increasing losses x_1 to x_n >= 0: sum_i (2 i - n - 1) x_i / (n sum_i x_i)."""
    n_samples, total = len(ordered), ordered.sum()
    if _negative(ordered):
        return np.nan
    return np.arange(1 - n_samples, n_samples, 2) @ ordered / (n_samples * total) if total > 0 else 0.0


def _negative(ordered):
    """Whether a loss is negative, by more than the rounding of float32."""
    return ordered[0] < -1e-6 * max(1.0, ordered[-1])
