"""Ranks against the best, and curves that end early."""

import numpy as np

from sklearn_nndyn.utils.statistics import holm, interval, paired_p


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


def hold(curves):
    """The last value stays where nan follows; shape (..., n_epochs)."""
    known = np.where(np.isnan(curves), 0, np.arange(np.shape(curves)[-1]))
    return np.take_along_axis(np.asarray(curves), np.maximum.accumulate(known, axis=-1), axis=-1)
