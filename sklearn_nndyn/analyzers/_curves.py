"""The noise of a curve, and how far it rises by its wander from epoch to epoch alone."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

LEVEL = 0.965
WINDOW = 0.2  # of the epochs, averaged before a rise is looked for
NARROW = 0.05  # of the epochs, averaged at the turn where a rise comes at once
SURE = 13.0  # times the noise of an epoch: a rise that a wander seldom gives, however long it lasts
LEAST_STRETCH = 6  # epochs that wander is estimated from
# Half of the curves of chance have independent epochs, half a wander that lasts.
CORRELATIONS = (*np.zeros(10), *np.linspace(0.5, 0.95, 10))
N_CURVES = 1000  # of each correlation
N_ALIKE = 1500  # of all, those whose wander is estimated to last as that of the curve
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

    The curve is averaged over a fifth of its epochs. How much of its wander lasts is estimated by
    ``wander_correlation``, which is too low for short curves, and uncertain. So chance is the 96.5 % quantile of the
    same rise in those curves of noise, independent or lasting, for which the estimate comes out the same, each in units
    of its innovations: what is left of a value when its share of the one before is taken away. A turning epoch that is
    given was not chosen, and chance is less.

    A rise that comes at once, and then stays, looks like a wander that lasts, for no straight line fits it. Where the
    first chance is not exceeded, chance is 13 times the noise of an epoch, which the differences between neighbouring
    epochs tell: their median does not notice the jump. The least value is then averaged over a twentieth of the epochs.

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
        What it exceeds in less than one of twenty plateaus of independent noise, and one of ten whose wander lasts; 0
        for fewer than nine epochs, which cannot tell.

    Notes
    -----
    Of 3,000 curves of noise each, of 9 to 300 epochs, the rise exceeds 13 times the noise in no more than 1 % where the
    correlation from epoch to epoch is 0.9, 3 % where it is 0.95, and never where epochs are independent.

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
    rise = float(_rises(curve[None], onset)[0])
    if not curve_noise(curve):
        return rise, 0.0
    (correlation,), (innovation,) = _wanders(curve[None], onset)
    chance = float(innovation) * _chance_in_noise(len(curve), onset, correlation)
    sudden, sure = _sudden_rise(curve, onset)
    return (sudden, sure) if rise <= chance and sudden > sure else (rise, chance)


def _sudden_rise(curve, onset):
    """Last fifth of a curve (n_epochs,) less a twentieth at its turn, and what wanders seldom give that last."""
    n_epochs = len(curve)
    last, narrow = _means(curve[None])[0, -1], _means(curve[None], NARROW)[0]
    turn = int(narrow.argmin()) if onset is None else _window_around(onset, n_epochs, len(narrow))
    steps = np.abs(np.diff(curve[min(turn, _last_third(n_epochs) - 1) :]))
    noise = max(curve_noise(curve), float(np.median(steps)) / (0.6745 * np.sqrt(2)))
    return float(last - narrow[turn]), SURE * noise


def wander_correlation(curve: ArrayLike) -> float:
    """How much of the wander of a curve lasts: the correlation of one value with the next, as estimated.

    From the least running mean on (or in the last third), what a straight line leaves is set against itself an epoch
    later: a steady rise does not count. Where the last third holds the least running mean, the line bends there.

    Parameters
    ----------
    curve : array of shape (n_epochs,)
        Without nan.

    Returns
    -------
    correlation : float
        -1 to 1; 0 for a curve without noise, and for fewer than nine epochs, which cannot tell.

    Notes
    -----
    The estimate is too low for short curves, as estimates of an autocorrelation are (Kendall 1954): where each of 60
    values is 0.9 of the one before, and noise, it is 0.55 on average.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.entanglement import wander_correlation
    >>> noise = np.random.default_rng(0).normal(size=400)
    >>> wander_correlation(noise) < 0.2 < 0.8 < wander_correlation(np.cumsum(noise))
    True
    """
    curve = np.asarray(curve, dtype=np.float64)
    return float(_wanders(curve[None], None)[0, 0]) if curve_noise(curve) else 0.0


def _wanders(curves, onset):
    """Of each curve (n_curves, n_epochs): correlation from epoch to epoch, and deviation of the innovations.

    About a line after the turn, or one that is bent there.
    """
    found = np.empty((2, len(curves)))
    turns = _means(curves).argmin(axis=1) if onset is None else np.full(len(curves), onset)
    for turn in np.unique(turns):
        chosen = turns == turn
        found[:, chosen] = _wander_about_lines(curves[chosen], int(turn))
    return found


def _wander_about_lines(curves, turn):
    """The same of curves that all turn at one position."""
    n_epochs = curves.shape[1]
    start = max(0, min(turn, _last_third(n_epochs)))
    lines, solve = _lines(n_epochs - start, turn - start)
    after = curves[:, start:]
    left = after - (after @ solve) @ lines
    size = (left**2).sum(axis=1)
    together = (left[:, 1:] * left[:, :-1]).sum(axis=1)
    correlations = np.divide(together, size, out=np.zeros(len(curves)), where=size > 0)
    return correlations, (left[:, 1:] - correlations[:, None] * left[:, :-1]).std(axis=1)


@lru_cache
def _lines(n_epochs, turn):
    """Lines (3, n_epochs), one of them bent at the turn, and what gives the best share of each in a curve."""
    time = np.arange(n_epochs)
    lines = np.stack([np.ones(n_epochs), time, np.maximum(turn - time, 0)])
    return lines, np.linalg.pinv(lines)


def _last_third(n_epochs):
    """Position that the last third begins with, of six epochs at least."""
    return n_epochs - max(n_epochs // 3, LEAST_STRETCH)


def _means(curves, share=WINDOW):
    """Running means of curves (n_curves, n_epochs) over a share of the epochs, a fifth by default."""
    width = max(1, int(share * curves.shape[1]))
    sums = np.cumsum(np.pad(curves, ((0, 0), (1, 0))), axis=1)
    return (sums[:, width:] - sums[:, :-width]) / width


def _rises(curves, onset):
    """Last less least of the running means of each curve (n_curves, n_epochs), or less that around the onset."""
    means = _means(curves)
    if onset is None:
        return means[:, -1] - means.min(axis=1)
    return means[:, -1] - means[:, _window_around(onset, curves.shape[1], means.shape[1])]


def _window_around(onset, n_epochs, n_means):
    """Position of the running mean around an onset."""
    return min(max(onset - (n_epochs - n_means + 1) // 2, 0), n_means - 1)


def _chance_in_noise(n_epochs, onset, correlation):
    """96.5 % quantile of the rise of those curves of noise whose correlation is estimated to be near this one."""
    estimates, rises = _rises_of_noise(n_epochs, onset)
    start = np.searchsorted(estimates, correlation) - N_ALIKE // 2
    start = min(max(start, 0), len(rises) - N_ALIKE)
    return float(np.quantile(rises[start : start + N_ALIKE], LEVEL))


@lru_cache(maxsize=32)
def _rises_of_noise(n_epochs, onset):
    """Of curves of noise, by increasing estimates of their correlation: these, and their rises in innovations."""
    rng = np.random.default_rng(0)
    noise = (wandering(rng.normal(size=(N_CURVES, n_epochs)), correlation) for correlation in CORRELATIONS)
    estimates, rises = np.concatenate([_in_innovations(curves, onset) for curves in noise], axis=1)
    order = np.argsort(estimates)
    return estimates[order], rises[order]


def _in_innovations(curves, onset):
    """Estimated correlation of each curve (n_curves, n_epochs), and its rise in units of its innovations."""
    correlations, innovations = _wanders(curves, onset)
    return correlations, _rises(curves, onset) / innovations


def wandering(curves, correlation):
    """Normal noise (n_curves, n_epochs) made to correlate from epoch to epoch, in place."""
    for at in range(1, curves.shape[1]):
        curves[:, at] = correlation * curves[:, at - 1] + np.sqrt(1 - correlation**2) * curves[:, at]
    return curves
