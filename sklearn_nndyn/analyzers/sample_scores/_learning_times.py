"""When a sample is learned, and how often it is forgotten."""

import numpy as np
from numpy.typing import ArrayLike


def epoch_learned(correct: ArrayLike, epochs: ArrayLike) -> np.ndarray:
    """First recorded epoch from which a sample stays correct.

    Parameters
    ----------
    correct : array of bool of shape (n_samples, n_epochs)
        Whether a sample is classified correctly.
    epochs : array of shape (n_epochs,)
        Recorded epochs.

    Returns
    -------
    learned : array of shape (n_samples,)
        An epoch, float64; nan for a sample that is wrong at the end.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.sample_scores import epoch_learned
    >>> epoch_learned([[False, True, True], [True, True, False]], [0, 5, 10])
    array([ 5., nan])
    """
    correct = np.asarray(correct, dtype=bool)
    from_here = np.logical_and.accumulate(correct[:, ::-1], axis=1)[:, ::-1]
    return np.where(correct[:, -1], np.asarray(epochs)[from_here.argmax(axis=1)], np.nan)


def times_forgotten(correct: ArrayLike) -> np.ndarray:
    """Number of times a sample is wrong at a recorded epoch after it was correct at the one before.

    Parameters
    ----------
    correct : array of bool of shape (n_samples, n_epochs)
        Whether a sample is classified correctly.

    Returns
    -------
    times : array of int of shape (n_samples,)
        0 to n_epochs / 2.

    See Also
    --------
    forgetting_events : The score of Toneva et al., which tells samples that were never correct.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.sample_scores import times_forgotten
    >>> times_forgotten([[True, False, True, False], [False, False, False, True]])
    array([2, 0])
    """
    correct = np.asarray(correct, dtype=bool)
    return np.count_nonzero(correct[:, :-1] & ~correct[:, 1:], axis=1)


def forgetting_events(correct: ArrayLike) -> np.ndarray:
    """Number of times a sample was forgotten; for one that was never correct the number of epochs.

    Parameters
    ----------
    correct : array of bool of shape (n_samples, n_epochs)
        Whether a sample is classified correctly.

    Returns
    -------
    events : array of int of shape (n_samples,)
        0 to n_epochs.

    References
    ----------
    Toneva, Sordoni, Tachet des Combes, Trischler, Bengio, Gordon (2019). An empirical study of example forgetting
    during deep neural network learning. arXiv 1812.05159.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.sample_scores import forgetting_events
    >>> forgetting_events([[True, False, True], [False, False, False], [False, True, True]])
    array([1, 3, 0])
    """
    correct = np.asarray(correct, dtype=bool)
    return np.where(correct.any(axis=1), times_forgotten(correct), correct.shape[1])
