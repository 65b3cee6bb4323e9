"""The stragglers beside other sets of the same size and class: the hardest samples of an epoch."""

from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student


@dataclass(frozen=True)
class LikeWithLike:
    """What two runs have in common, of stragglers and of others, with intervals over the runs."""

    stragglers: float
    hardest: dict
    gain: tuple
    beyond_chance: tuple


def against_hardest(records, stability, epochs):
    """Stragglers beside as many hardest samples of some epochs; nan where fewer than three runs invert."""
    runs = [i for i, mask in enumerate(stability.masks) if mask.any()]
    if len(runs) < 3:
        return LikeWithLike(np.nan, dict.fromkeys(epochs, np.nan), (np.nan, None), (np.nan, None))
    masks, y = stability.masks[runs], np.asarray(records[0].target)
    own = pairwise(masks, jaccard)
    others = {
        epoch: pairwise(
            [hardest(records[run], epoch, mask) for run, mask in zip(runs, masks, strict=True)], jaccard
        )
        for epoch in epochs
    }
    beyond = pairwise(masks, lambda a, b: (a & b).sum() - by_class(a, b, y))
    return LikeWithLike(
        mean_of_pairs(own),
        {epoch: mean_of_pairs(found) for epoch, found in others.items()},
        jackknife(
            lambda kept: mean_of_pairs(own[kept]) - max(mean_of_pairs(o[kept]) for o in others.values()),
            len(runs),
        ),
        jackknife(lambda kept: mean_of_pairs(beyond[kept]), len(runs)),
    )


def hardest(record, epoch, mask):
    """As many samples of each class as a mask has, those of least margin at an epoch."""
    margin = record.margin[:, np.flatnonzero(record.epochs == epoch)[0]]
    chosen = np.zeros(len(mask), bool)
    for label in np.unique(record.target):
        own = np.flatnonzero(record.target == label)
        chosen[own[np.argsort(margin[own], kind="stable")[: mask[own].sum()]]] = True
    return chosen


def jaccard(a, b):
    """Of two masks."""
    return (a & b).sum() / (a | b).sum()


def by_class(a, b, y):
    """What random sets of these sizes in each class have in common on average."""
    return sum(a[y == c].sum() * b[y == c].sum() / (y == c).sum() for c in np.unique(y))


def pairwise(masks, measure):
    """A symmetric matrix."""
    return np.array([[measure(a, b) for b in masks] for a in masks], dtype=float)


def mean_of_pairs(matrix):
    """Mean below the diagonal."""
    return float(matrix[np.tril_indices(len(matrix), -1)].mean())


def jackknife(statistic, n_runs):
    """Value and 95 % interval of a statistic of the runs that are kept, given as an index of both axes."""
    every = np.arange(n_runs)
    value = statistic(np.ix_(every, every))
    without = [np.delete(every, run) for run in every]
    parts = np.array([statistic(np.ix_(kept, kept)) for kept in without])
    error = np.sqrt((n_runs - 1) / n_runs * ((parts - parts.mean()) ** 2).sum())
    half = student.isf(0.025, n_runs - 1) * error
    return float(value), (float(value - half), float(value + half))
