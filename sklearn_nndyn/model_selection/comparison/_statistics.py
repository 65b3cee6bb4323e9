"""Intervals over seeds, paired tests against the best, and curves that end early."""

import numpy as np
from scipy import stats

LEVEL = 0.95
EQUAL = 1e-9  # differences that differ by less than this share of themselves are the same


def interval(values):
    """Mean and half width of the 95 % interval over the seeds, Student's t.

    Parameters
    ----------
    values : array of shape (n_seeds, ...)

    Returns
    -------
    mean, half : float, or arrays of shape (...)
        The mean over the seeds without nan values, nan where there are no others; the half width is nan for fewer than
        two.
    """
    values = np.asarray(values, dtype=np.float64)
    counts = np.isfinite(values).sum(axis=0)
    mean = _mean(values, counts)
    variance = _mean((values - mean) ** 2, counts - 1)
    width = stats.t.ppf((1 + LEVEL) / 2, np.maximum(counts - 1, 1)) * np.sqrt(
        variance / np.maximum(counts, 1)
    )
    return (mean, width) if values.ndim > 1 else (float(mean), float(width))


def _mean(values, counts):
    """The sum of what is not nan, divided by ``counts``; nan where that is less than one."""
    total = np.where(np.isfinite(values), values, 0).sum(axis=0)
    return np.divide(total, counts, out=np.full(np.shape(total), np.nan), where=counts > 0)


def compare_with_best(values):
    """Rank losses by their means, and test each against the best over the same seeds.

    Parameters
    ----------
    values : dict of str to array of shape (n_seeds,)

    Returns
    -------
    rows : list of tuple (loss, rank, difference, p_value)
        Best first, those without a value last; equal means have the same rank. The difference is the mean over the
        seeds in common. p values are two-sided, of a paired t test, adjusted by Holm for all losses but the best; nan
        for the best, and where there are fewer than two seeds in common.

    Notes
    -----
    The best was chosen by the same values. So p < 0.05 says that a loss is not the best of all, which is wrong of the
    true best in no more than one comparison of twenty; it does not say as surely that two losses differ: among twelve
    equal ones with five seeds at least one is told apart in one comparison of eight.
    """
    values = {loss: np.asarray(own, dtype=np.float64) for loss, own in values.items()}
    means = {loss: interval(own)[0] for loss, own in values.items()}
    best, *others = sorted(values, key=lambda loss: -np.nan_to_num(means[loss], nan=-np.inf))
    p_values = holm([paired_p(values[best], values[loss]) for loss in others])
    rows = []
    for loss, p_value in zip((best, *others), (np.nan, *p_values), strict=True):
        rank = 1 + sum(_is_better(other, means[loss]) for other in means.values())
        rows.append((loss, rank, interval(values[loss] - values[best])[0], p_value))
    return rows


def _is_better(mean, other):
    return bool(mean > other or (np.isnan(other) and not np.isnan(mean)))


def paired_p(one, other):
    """Two-sided p value of a paired t test; nan for fewer than two pairs.

    Where all differences are the same, the t test has nothing to measure them by: the p value is 1 if they are zero,
    and otherwise that of a sign test, which two seeds can not bring below one half.
    """
    difference = np.asarray(one, dtype=np.float64) - np.asarray(other, dtype=np.float64)
    difference = difference[np.isfinite(difference)]
    n = len(difference)
    if n < 2:
        return np.nan
    mean, deviation = difference.mean(), difference.std(ddof=1)
    if not difference.any():
        return 1.0
    if deviation <= EQUAL * abs(mean):
        return 2.0 ** (1 - n)
    return float(2 * stats.t.sf(abs(mean) / deviation * np.sqrt(n), n - 1))


def holm(p_values):
    """p values adjusted for being several (Holm 1979); nan values stay, and do not count."""
    adjusted = np.array(p_values, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(adjusted))
    order = known[np.argsort(adjusted[known], kind="stable")]
    stepped = adjusted[order] * (len(order) - np.arange(len(order)))
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted.tolist()


def hold(curves):
    """The last value stays where nan follows; shape (..., n_epochs)."""
    known = np.where(np.isnan(curves), 0, np.arange(np.shape(curves)[-1]))
    return np.take_along_axis(np.asarray(curves), np.maximum.accumulate(known, axis=-1), axis=-1)
