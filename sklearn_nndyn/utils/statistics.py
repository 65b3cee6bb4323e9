"""Standard errors, rank correlations, and how sure they are."""

import numpy as np
from scipy.stats import norm, spearmanr, t

LEVEL = 0.95


def correlation_over_runs(ones, others):
    """Spearman's correlation over the samples of each run, its mean over the runs, and a 95 % interval.

    Parameters
    ----------
    ones, others : list of n_runs arrays of shape (n_samples,)
        What is to be ranked, without nan.

    Returns
    -------
    correlations : array of shape (n_runs,)
        nan where all samples share a value.
    mean : float
    interval : array of shape (2,)
        Over the samples of a single run; over the runs where there are several.
    """
    own = np.array([rank_correlation(one, other)[0] for one, other in zip(ones, others, strict=True)])
    interval = rank_interval(own[0], len(ones[0])) if len(own) == 1 else mean_interval(own)
    return own, float(own.mean()), interval


def rank_interval(correlation, n_samples):
    """95 % interval of a Spearman correlation over samples: tanh(artanh r +- 1.96 sqrt((1 + r^2/2) / (n - 3))).

    Bonett and Wright (2000). Psychometrika 65, 23-28.

    Parameters
    ----------
    correlation : float
        r, -1 to 1, or nan.
    n_samples : int
        n.

    Returns
    -------
    interval : array of shape (2,)
        nan for fewer than four samples.
    """
    if n_samples < 4:
        return np.full(2, np.nan)
    half = norm.isf((1 - LEVEL) / 2) * np.sqrt((1 + correlation**2 / 2) / (n_samples - 3))
    with np.errstate(divide="ignore"):  # a perfect correlation is infinitely far out
        return np.tanh(np.arctanh(correlation) + np.array([-half, half]))


def mean_interval(values):
    """95 % interval of the mean of (n_runs,) correlations, by Student's t, shape (2,); nan for a single one."""
    n_runs = len(values)
    if n_runs < 2:
        return np.full(2, np.nan)
    half = t.isf((1 - LEVEL) / 2, n_runs - 1) * values.std(ddof=1) / np.sqrt(n_runs)
    return np.clip(values.mean() + np.array([-half, half]), -1, 1)


def rank_correlation(one, other):
    """Spearman's rank correlation over the units where neither is nan, and its p value; nan where undefined."""
    known = ~(np.isnan(one) | np.isnan(other))
    one, other = one[known], other[known]
    if len(one) < 3 or (one == one[0]).all() or (other == other[0]).all():
        return np.nan, np.nan
    correlation, p_value = spearmanr(one, other)
    return float(correlation), float(p_value)


def standard_error(values):
    """Of the mean of ``values`` (n_samples,); nan for a single one."""
    return float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else np.nan
