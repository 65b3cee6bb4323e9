"""The score up to which a label is more likely wrong than right."""

import warnings

import numpy as np
from numpy.typing import ArrayLike
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture

MANY = 1000  # scores in each group, from which on neighbours are pooled at first
POOLED = 16


def label_error_threshold(scores: ArrayLike) -> float:
    """The negative score up to which the lower of two normal distributions is the more likely.

    A mixture of two is fitted to the scores, beginning with the negative ones and the others.

    Parameters
    ----------
    scores : array of shape (n_samples,)
        Area under the margin of each sample.

    Returns
    -------
    threshold : float
        One of the scores, or -inf where no label looks wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.sample_scores import label_error_threshold
    >>> scores = np.r_[np.linspace(-3, -2, 10), np.linspace(1, 9, 90)]
    >>> label_error_threshold(scores)
    -2.0
    """
    scores = np.asarray(scores, dtype=np.float64)
    low, scale = scores < 0, np.abs(scores).max()
    if low.all() or not low.any():
        return -np.inf
    mixture = _two_normals(scores / scale, low)
    lower, higher = np.argsort(mixture.means_.ravel())
    likely = mixture.predict((scores / scale)[:, None]) == lower
    # The tail of a wide distribution is on both sides: what counts lies below the upper mean, and all below it as well.
    wrong = low & likely & (scores / scale < mixture.means_[higher, 0])
    return float(scores[wrong].max()) if wrong.any() else -np.inf


def _two_normals(scores, low):
    """A mixture of two normal distributions, begun with two groups of the scores (a mask and the rest).

    Most steps of many scores are taken with means of neighbours in their order, which are distributed alike.
    """
    groups = [scores[low], scores[~low]]
    variances = np.array([group.var() for group in groups]) + 1e-6
    shares, means = [len(group) / len(scores) for group in groups], [[group.mean()] for group in groups]
    start = shares, means, 1 / variances[:, None, None]
    if min(map(len, groups)) >= MANY:
        mixture = _fitted(_pooled(scores), *start)
        start = mixture.weights_, mixture.means_, mixture.precisions_
    return _fitted(scores, *start)


def _pooled(scores):
    """Means of so many neighbours each, without the few that are left over."""
    return np.sort(scores)[: len(scores) // POOLED * POOLED].reshape(-1, POOLED).mean(axis=1)


def _fitted(scores, shares, means, precisions):
    """The mixture that is found from these values on."""
    mixture = GaussianMixture(
        2,
        weights_init=shares,
        means_init=means,
        precisions_init=precisions,
        max_iter=1000,
        tol=1e-7,
        random_state=0,
    )
    with warnings.catch_warnings():
        # What is not settled by then is a few samples at the edge.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(scores[:, None])
