"""What chance alone would give of how few samples carry a rise."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from sklearn_nndyn.utils.statistics import ratio_interval, worst_count

N_DRAWS = 200
LEAST_EPOCHS = 9  # that the wander of a curve is estimated from
FRACTION = 0.05  # what counts as a small minority of the samples


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


def gross_share_interval(rise):
    """95 % interval of ``gross_rise_share``, two floats, by the influence of each sample on it; None where undefined.

    The share is sum(max(d - q, 0) + f q) / sum(max(d, 0)) at the threshold q of the greatest rises, a fraction f of the
    samples, and does not change with q to first order.
    """
    rose, count = np.maximum(rise, 0.0), worst_count(FRACTION, len(rise))
    threshold = np.sort(rose)[::-1][count - 1]
    return ratio_interval(np.maximum(rose - threshold, 0.0) + count / len(rise) * threshold, rose)


def scattered_share(rise):
    """``gross_rise_share`` of rises that are normal with the mean and deviation of these; nan where nothing rose."""
    deviation, fraction = rise.std(), worst_count(FRACTION, len(rise)) / len(rise)
    if not deviation > 0:
        return fraction if rise.mean() > 0 else np.nan
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
