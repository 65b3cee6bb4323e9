"""The noise of a curve, and how far it rises by its wander from epoch to epoch alone."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

LEVEL = 0.95
N_CURVES = 1000
WINDOW = 0.2  # of the epochs, averaged before a rise is looked for
LAG = 12  # a twelfth of the epochs: over which a wander that lasts is seen
GRID = np.linspace(0, 0.95, 20)  # of correlations
ROUNDING = 1e-14  # of the greatest value: of the differences of numbers in float64
LASTING = 6  # values that a third difference is estimated from, at least


def curve_noise(curve: ArrayLike) -> float:
    """Standard deviation of what varies from one value of a curve to the next.

    Third differences of a smooth curve are next to nothing; those of independent noise of deviation s have deviation
    sqrt(20) s. Of them the median absolute value is taken, which a few sharp bends do not move.

    Parameters
    ----------
    curve : array of shape (n_epochs,)
        Without nan.

    Returns
    -------
    noise : float
        In the units of the curve; 0 for fewer than nine values, which cannot tell.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.entanglement import curve_noise
    >>> curve = np.linspace(0, 9, 400) ** 2
    >>> noise = np.random.default_rng(0).normal(size=400)
    >>> round(curve_noise(curve), 3), round(curve_noise(curve + noise), 1)
    (0.0, 1.0)
    """
    return float(noise_of_curves(np.asarray(curve, dtype=np.float64)[None])[0])


def noise_of_curves(curves):
    """The same of each curve (n_curves, n_epochs)."""
    bends = np.diff(curves, 3)
    if bends.shape[1] < LASTING:
        return np.zeros(len(curves))
    noise = _medians(np.abs(bends, out=bends)) / (0.6745 * np.sqrt(20))
    greatest = np.maximum(curves.max(axis=1), -curves.min(axis=1))
    return np.where(noise > ROUNDING * greatest, noise, 0.0)


def _medians(rows):
    """``np.median(rows, axis=1)`` of numbers without nan, for which it would search as well."""
    middle, odd = divmod(rows.shape[1], 2)
    chosen = [middle] if odd else [middle - 1, middle]
    return np.partition(rows, chosen, axis=1)[:, chosen].mean(axis=1)


def rise_beyond_wander(mean_curve: ArrayLike, onset: int | None = None) -> tuple[float, float]:
    """How far a curve ends above its least value, and how far it would by its wander from epoch to epoch alone.

    The curve is averaged over a fifth of its epochs. Its wander is estimated by ``curve_noise``, and how much of it
    lasts by ``wander_correlation``. Chance is the 95 % quantile of the same rise in curves of normal noise of that
    correlation, as long and with the noise estimated likewise. A turning epoch that is given was not chosen, and
    chance is less.

    Parameters
    ----------
    mean_curve : array of shape (n_epochs,)
        A curve without nan, such as the mean loss.
    onset : int, default=None
        Position of the turning epoch; None is the least value.

    Returns
    -------
    rise : float
        Mean over the last fifth of the epochs less that around the turning epoch, in the units of the curve.
    chance : float
        What it exceeds in one of twenty plateaus of such a wander; 0 for fewer than nine epochs, which cannot tell.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.loss_tails import rise_beyond_wander
    >>> plateau = 1 + 0.05 * np.random.default_rng(0).normal(size=60)
    >>> rise, chance = rise_beyond_wander(plateau)
    >>> rise < chance
    True
    >>> rise, chance = rise_beyond_wander(plateau + np.abs(np.linspace(-0.5, 0.5, 60)))
    >>> rise > chance
    True
    """
    curve = np.asarray(mean_curve, dtype=np.float64)
    noise = curve_noise(curve)
    rise = float(_rises(curve[None], onset)[0])
    if not noise:
        return rise, 0.0
    correlation = GRID[np.abs(GRID - wander_correlation(curve)).argmin()]
    return rise, noise * _chance_in_noise(len(curve), onset, float(correlation))


def wander_correlation(curve: ArrayLike) -> float:
    """How much of the wander of a curve lasts: the correlation of one value with the next, 0 to 0.95.

    Differences over a twelfth of the epochs, from the least value on (or in the last third), are set against the noise
    that third differences show. In noise that does not last both are alike; where each value is r times the one before,
    and noise, the first are larger. A steady rise does not count.

    Parameters
    ----------
    curve : array of shape (n_epochs,)
        Without nan.

    Returns
    -------
    correlation : float
        0 for a curve without noise, and for fewer than 24 epochs, which cannot tell.

    Notes
    -----
    The estimate is rough for few epochs: of 60, it is 0.1 on average where there is none, and 0.75 for 0.9.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.entanglement import wander_correlation
    >>> noise = np.random.default_rng(0).normal(size=400)
    >>> wander_correlation(noise) < 0.2 < 0.8 < wander_correlation(np.cumsum(noise))
    True
    """
    curve = np.asarray(curve, dtype=np.float64)
    noise = curve_noise(curve)
    if not noise or len(curve) < 2 * LAG:
        return 0.0
    lag = len(curve) // LAG
    start = min(int(_means(curve[None]).argmin()), 2 * len(curve) // 3)
    after = curve[start:]
    ratio = (after[lag:] - after[:-lag]).var(ddof=1) / noise**2
    return float(np.interp(ratio, _ratio(GRID, lag), GRID))


def _ratio(correlation, lag):
    """Variance of differences over a lag, in units of the noise that third differences show."""
    third = (20 - 30 * correlation + 12 * correlation**2 - 2 * correlation**3) / 20
    return 2 * (1 - correlation**lag) / third


def _means(curves):
    """Running means of curves (n_curves, n_epochs) over a fifth of the epochs."""
    width = max(1, int(WINDOW * curves.shape[1]))
    sums = np.cumsum(np.pad(curves, ((0, 0), (1, 0))), axis=1)
    return (sums[:, width:] - sums[:, :-width]) / width


def _rises(curves, onset):
    """Last less least of the running means of each curve (n_curves, n_epochs), or less that around the onset."""
    means = _means(curves)
    before = curves.shape[1] - means.shape[1]
    at = None if onset is None else min(max(onset - (before + 1) // 2, 0), means.shape[1] - 1)
    return means[:, -1] - (means.min(axis=1) if at is None else means[:, at])


@lru_cache
def _chance_in_noise(n_epochs, onset, correlation):
    """95 % quantile of the rise of plain noise, in units of its noise as estimated."""
    curves = wandering(np.random.default_rng(0).normal(size=(N_CURVES, n_epochs)), correlation)
    return float(np.quantile(_rises(curves, onset) / noise_of_curves(curves), LEVEL))


def wandering(curves, correlation):
    """Normal noise (n_curves, n_epochs) made to correlate from epoch to epoch, in place."""
    for at in range(1, curves.shape[1]):
        curves[:, at] = correlation * curves[:, at - 1] + np.sqrt(1 - correlation**2) * curves[:, at]
    return curves
