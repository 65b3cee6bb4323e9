"""What several networks say of each label: those that never saw it, and those that were trained on it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sklearn_nndyn.utils.results import ShortRepr

WEIGHTS = (1.0, 1.0, 0.5)  # held out, along the training, trained on


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LabelRuns(ShortRepr):
    """Predictions of several networks for each sample, of those that were trained on it and of those that were not.

    ``sklearn_nndyn.interventions.train_label_runs`` makes it, and ``find_label_errors`` reads it. It is made of arrays,
    so whoever trains elsewhere can fill it in.

    Parameters
    ----------
    y : array of shape (n_samples,)
        Labels as they were given.
    classes : array of shape (n_classes,)
        The labels, sorted.
    held_out : array of shape (n_samples, n_classes)
        Mean probabilities from the networks that did not see the sample.
    trained_on : array of shape (n_samples, n_classes)
        Mean probabilities from the networks that were trained on the sample.
    margin : array of shape (n_samples, n_epochs)
        Margin of each sample after each epoch of one network that was trained on all samples.
    n_runs : int
        Number of networks, without the one trained on all.
    n_fits : float
        Cost of all of them, in fits on all samples.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers import LabelRuns, find_label_errors
    >>> sure, rather = [0.9, 0.1], [0.7, 0.3]
    >>> runs = LabelRuns(
    ...     y=np.array(["a"] * 40 + ["b"]),
    ...     classes=np.array(["a", "b"]),
    ...     held_out=np.array([sure] * 41),
    ...     trained_on=np.array([sure] * 40 + [rather]),
    ...     margin=np.array([[1.0, 2.0]] * 40 + [[-2.0, -1.0]]),
    ...     n_runs=5,
    ...     n_fits=5.0,
    ... )
    >>> found = find_label_errors(runs)
    >>> found.indices, found.suggestions[found.indices]
    (array([40]), array(['a'], dtype='<U1'))
    """

    y: np.ndarray
    classes: np.ndarray
    held_out: np.ndarray
    trained_on: np.ndarray
    margin: np.ndarray
    n_runs: int
    n_fits: float


def bounded_margin(probabilities: ArrayLike, target: ArrayLike) -> np.ndarray:
    """Probability of the true class less the greatest of the others.

    Parameters
    ----------
    probabilities : array of shape (n_samples, n_classes)
        Probabilities of the classes.
    target : array of int of shape (n_samples,)
        Positions of the true classes.

    Returns
    -------
    margin : array of shape (n_samples,)
        -1 to 1, float64; below 0 where another class is the more probable.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.sample_scores import bounded_margin
    >>> bounded_margin([[0.75, 0.25, 0.0], [0.5, 0.25, 0.25]], [0, 2])
    array([ 0.5 , -0.25])
    """
    others = np.array(probabilities, dtype=np.float64)
    rows = np.arange(len(others)), np.asarray(target)
    own = others[rows]
    others[rows] = -np.inf
    return own - others.max(axis=1)


def label_scores(runs: LabelRuns) -> np.ndarray:
    """How far each label is to be believed: three bounded margins, of which each fails in a way of its own.

    Held out, wrong labels cannot be learned by heart, but hard samples look like them. Along the training, hard samples
    are learned before wrong labels. At the end of training, what all that saw the label still contradict is wrong.

    Parameters
    ----------
    runs : LabelRuns
        Several networks.

    Returns
    -------
    scores : array of shape (n_samples,)
        -1 to 1, float64: the lower, the more suspect.

    Notes
    -----
    (h + a + t / 2) / 2.5, with h the margin of the mean probabilities of the networks that did not see the sample, t
    that of those that did, and a the mean over the epochs of tanh(m / 2), m the margin in scores: for two classes this
    is a difference of probabilities as well.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers import LabelRuns
    >>> from sklearn_nndyn.analyzers.sample_scores import label_scores
    >>> p = np.array([[0.75, 0.25], [0.5, 0.5]])
    >>> names = {"y": np.array([0, 1]), "classes": np.array([0, 1]), "n_runs": 2, "n_fits": 2.0}
    >>> label_scores(LabelRuns(held_out=p, trained_on=p, margin=np.array([[9.0, 9], [0, 0]]), **names)).round(2)
    array([0.7, 0. ])
    """
    target = np.searchsorted(runs.classes, runs.y)
    along = np.tanh(np.asarray(runs.margin, dtype=np.float64) / 2).mean(axis=1)
    margins = bounded_margin(runs.held_out, target), along, bounded_margin(runs.trained_on, target)
    return np.average(margins, axis=0, weights=WEIGHTS)
