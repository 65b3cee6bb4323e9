"""Standard errors, intervals, rank correlations, paired tests, and how sure they are."""

import numpy as np
from scipy.stats import binomtest, norm, spearmanr, t

LEVEL = 0.95
EQUAL = 1e-9  # differences that differ by less than this share of themselves are the same


def correlation_over_runs(ones, others):
    """Spearman's correlation over the samples of each run, its mean over the runs, and a 95 % interval.

    The interval is one over the samples of a single run, over the runs where there are several; a correlation is nan
    where all samples share a value.
    """
    own = np.array([rank_correlation(one, other)[0] for one, other in zip(ones, others, strict=True)])
    interval = rank_interval(own[0], len(ones[0])) if len(own) == 1 else mean_interval(own)
    return own, float(own.mean()), interval


def rank_interval(correlation, n_samples):
    """95 % interval of a Spearman correlation over samples: tanh(artanh r +- 1.96 sqrt((1 + r^2/2) / (n - 3))).

    Bonett and Wright (2000). Psychometrika 65, 23-28. nan for fewer than four samples.
    """
    if n_samples < 4:
        return np.full(2, np.nan)
    half = norm.isf((1 - LEVEL) / 2) * np.sqrt((1 + correlation**2 / 2) / (n_samples - 3))
    with np.errstate(divide="ignore"):  # a perfect correlation is infinitely far out
        return np.tanh(np.arctanh(correlation) + np.array([-half, half]))


def mean_interval(values):
    """95 % interval of the mean of (n_runs,) correlations, by Student's t, shape (2,); nan for a single one."""
    mean, half = interval(values)
    return np.clip(mean + np.array([-half, half]), -1, 1)


def rank_correlation(one, other):
    """Spearman's rank correlation over the units where neither is nan, and its p value; nan where undefined."""
    known = ~(np.isnan(one) | np.isnan(other))
    one, other = one[known], other[known]
    if len(one) < 3 or (one == one[0]).all() or (other == other[0]).all():
        return np.nan, np.nan
    correlation, p_value = spearmanr(one, other)
    return float(correlation), float(p_value)


def standard_error(values):
    """Standard error of the mean of ``values`` (n_samples,); nan for a single one."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan


def interval(values, least=2):
    """Mean and half width of the 95 % interval over the seeds, Student's t.

    Parameters
    ----------
    values : array of shape (n_seeds, ...)
    least : int, default=2
        The least number of seeds to give an interval for. Of two it is ninety times as wide as of many.

    Returns
    -------
    mean, half : float, or arrays of shape (...)
        The mean over the seeds without nan values, nan where there are no others; the half width is nan for fewer than
        ``least`` of them, or than two.
    """
    values = np.asarray(values, dtype=np.float64)
    counts = np.isfinite(values).sum(axis=0)
    mean = _mean(values, counts)
    variance = _mean((values - mean) ** 2, counts - 1)
    width = t.isf((1 - LEVEL) / 2, np.maximum(counts - 1, 1)) * np.sqrt(variance / np.maximum(counts, 1))
    width = np.where(counts < least, np.nan, width)
    return (mean, width) if values.ndim > 1 else (float(mean), float(width))


def between(values, least=2):
    """95 % interval of the mean of (n,) values as two floats, Student's t; None for fewer than ``least`` of them."""
    mean, half = interval(values, least)
    return None if np.isnan(half) else (mean - half, mean + half)


def count_interval(count, total):
    """Wilson's 95 % interval of the share ``count / total``; None for a total of 0."""
    if not total:
        return None
    found = binomtest(int(count), int(total)).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


def ratio_interval(parts, wholes, *, bounded=True):
    """95 % interval of sum(parts) / sum(wholes), two floats, by the influence of each of (n,) pairs; cut at 0 and 1.

    None for fewer than two pairs, and where the wholes do not sum to more than 0. Not cut unless ``bounded``.
    """
    total = wholes.sum()
    if len(wholes) < 2 or not total > 0:
        return None
    share = parts.sum() / total
    error = np.sqrt(len(wholes)) * (parts - share * wholes).std(ddof=1) / total
    half = t.isf((1 - LEVEL) / 2, len(wholes) - 1) * error
    low, high = float(share - half), float(share + half)
    return (max(low, 0.0), min(high, 1.0)) if bounded else (low, high)


def _mean(values, counts):
    """The sum of what is not nan, divided by ``counts``; nan where that is less than one."""
    total = np.where(np.isfinite(values), values, 0).sum(axis=0)
    return np.divide(total, counts, out=np.full(np.shape(total), np.nan), where=counts > 0)


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
    return float(2 * t.sf(abs(mean) / deviation * np.sqrt(n), n - 1))


def holm(p_values):
    """p values adjusted for being several (Holm 1979); nan values stay, and do not count."""
    adjusted = np.array(p_values, dtype=np.float64)
    known = np.flatnonzero(np.isfinite(adjusted))
    order = known[np.argsort(adjusted[known], kind="stable")]
    stepped = adjusted[order] * (len(order) - np.arange(len(order)))
    adjusted[order] = np.minimum(np.maximum.accumulate(stepped), 1)
    return adjusted.tolist()


def worst_count(fraction, n_samples):
    """Number of samples in the worst ``fraction``: the nearest whole number, and at least one."""
    return max(1, int(fraction * n_samples + 0.5))
