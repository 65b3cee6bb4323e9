"""What chance alone would give: of a rise of the mean, and of how few samples carry it."""

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from sklearn_nndyn.analyzers.entanglement import curve_noise
from sklearn_nndyn.utils.statistics import ratio_interval, worst_count

LEVEL = 0.95
N_DRAWS = 200
N_CURVES = 1000
LEAST_EPOCHS = 9  # that the wander of a curve is estimated from
WINDOW = 0.1  # of the epochs, averaged before a rise is looked for
FRACTION = 0.05  # what counts as a small minority of the samples


def rise_beyond_wander(mean_curve: ArrayLike, onset: int | None = None) -> tuple[float, float]:
    """How far a curve ends above its least value, and how far it would by its wander from epoch to epoch alone.

    The curve is averaged over a tenth of its epochs. Its wander is estimated by ``curve_noise``, and chance is the 95 %
    quantile of the same rise in curves of independent normal noise, as long and with the noise estimated likewise. A
    turning epoch that is given was not chosen, and chance is less. Noise that is related from one epoch to the next is
    not known to it.

    Parameters
    ----------
    mean_curve : array of shape (n_epochs,)
        A curve without nan, such as the mean loss.
    onset : int, default=None
        Position of the turning epoch; None is the least value.

    Returns
    -------
    rise : float
        Mean over the last tenth of the epochs less that around the turning epoch, in the units of the curve.
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
    chance = noise * _chance_in_noise(len(curve), onset) if noise else 0.0
    return float(_rises(curve[None], onset)[0]), chance


def _rises(curves, onset):
    """Last less least of the running means of each curve (n_curves, n_epochs), or less that around the onset."""
    width = max(1, int(WINDOW * curves.shape[1]))
    sums = np.cumsum(np.pad(curves, ((0, 0), (1, 0))), axis=1)
    means = (sums[:, width:] - sums[:, :-width]) / width
    at = None if onset is None else min(max(onset - width // 2, 0), means.shape[1] - 1)
    return means[:, -1] - (means.min(axis=1) if at is None else means[:, at])


@lru_cache
def _chance_in_noise(n_epochs, onset):
    """95 % quantile of the rise of plain noise, in units of its noise as estimated."""
    curves = np.random.default_rng(0).normal(size=(N_CURVES, n_epochs))
    noise = np.array([curve_noise(curve) for curve in curves])
    return float(np.quantile(_rises(curves, onset) / noise, LEVEL))


def gross_rise_share(rise: ArrayLike, fraction: float = FRACTION) -> float:
    """Share of the gross rise that the samples of greatest rise carry.

    The gross rise is the sum of what rose, sum_i max(d_i, 0). Beside the net rise, which is small where rises and falls
    cancel, it does not call a few samples "the whole rise" where all have risen and fallen by chance.

    Parameters
    ----------
    rise : array of shape (n_samples,)
        Rises d_i, in the units of the loss.
    fraction : float, default=0.05
        Fraction of the samples, those of greatest rise.

    Returns
    -------
    share : float
        0 to 1; nan where nothing rose.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import gross_rise_share
    >>> gross_rise_share([3.0, 1.0, -1.0, -2.0], fraction=0.25)
    0.75
    """
    rose = np.sort(np.maximum(rise, 0.0))[::-1]
    total = rose.sum()
    return float(rose[: worst_count(fraction, len(rose))].sum() / total) if total > 0 else np.nan


def gross_share_interval(rise, fraction=FRACTION):
    """95 % interval of ``gross_rise_share``, two floats, by the influence of each sample on it; None where undefined.

    The share is sum(max(d - q, 0) + fraction q) / sum(max(d, 0)) at the threshold q of the greatest rises, and does not
    change with q to first order.
    """
    rose = np.maximum(rise, 0.0)
    threshold = np.sort(rose)[::-1][worst_count(fraction, len(rose)) - 1]
    return ratio_interval(np.maximum(rose - threshold, 0.0) + fraction * threshold, rose)


def scattered_share(rise, fraction=FRACTION):
    """``gross_rise_share`` of rises that are normal with the mean and deviation of these; nan without deviation."""
    deviation = rise.std()
    if not deviation > 0:
        return np.nan
    mean = rise.mean() / deviation
    above = fraction * mean + norm.pdf(norm.isf(fraction))
    return float(min(1.0, above / (mean * norm.cdf(mean) + norm.pdf(mean))))


def carrier_null(rise: ArrayLike, n_draws: int = N_DRAWS, random_state: int = 0) -> np.ndarray:
    """Fraction of the samples that would carry the whole rise if each differed from the mean rise by chance alone.

    The mirrored null: centre the rises on their mean, give each deviation a random sign, add the mean again, and count
    ``carriers``.

    Parameters
    ----------
    rise : array of shape (n_samples,)
        Rises d_i, in the units of the loss.
    n_draws : int, default=200
        Number of draws of the signs.
    random_state : int, default=0
        Seeds the draws.

    Returns
    -------
    fractions : array of shape (n_draws,)
        k / n_samples of each draw; 0 where the mean does not rise.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.loss_tails import carrier_null, carriers
    >>> rise = 0.02 + 0.3 * np.random.default_rng(0).normal(size=2000)  # an equal rise, and noise
    >>> len(carriers(rise)) / 2000, float(np.median(carrier_null(rise)))
    (0.016, 0.015)
    """
    rise = np.asarray(rise, dtype=np.float64)
    mean, rng = rise.mean(), np.random.default_rng(random_state)
    signs = (rng.choice((-1.0, 1.0), len(rise)) for _ in range(n_draws))
    return np.array([_n_carriers(mean + sign * (rise - mean)) / len(rise) for sign in signs])


def _n_carriers(rise):
    """Number of ``carriers``."""
    reached = np.cumsum(np.sort(rise)[::-1])
    return np.argmax(reached >= reached[-1]) + 1 if reached[-1] > 0 else 0
