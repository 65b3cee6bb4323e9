"""Scores of a sample from its margins or probabilities, averaged over epochs."""

import numpy as np
from numpy.typing import ArrayLike


def area_under_margin(margin: ArrayLike) -> np.ndarray:
    """Mean margin of each sample over the epochs: the lower, the more suspect its label.

    Parameters
    ----------
    margin : array of shape (n_samples, n_epochs)
        Score of the true class less the greatest of the others.

    Returns
    -------
    area : array of shape (n_samples,)
        In the units of the scores, float64.

    References
    ----------
    Pleiss, Zhang, Elenberg, Weinberger (2020). Identifying mislabeled data using the area under the margin ranking.
    arXiv 2001.10528.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.sample_scores import area_under_margin
    >>> area_under_margin([[0.0, 2.0, 4.0], [0.0, -3.0, -3.0]])
    array([ 2., -2.])
    """
    return np.asarray(margin).mean(axis=1, dtype=np.float64)


def el2n(probabilities: ArrayLike, target: ArrayLike) -> np.ndarray:
    """EL2N of each sample, ||p - y||_2: p the probabilities of the classes, y the one-hot label.

    Parameters
    ----------
    probabilities : array of shape (n_samples, n_classes) or (n_samples, n_epochs, n_classes)
        Probabilities of the classes, early in training.
    target : array of int of shape (n_samples,)
        Positions of the true classes.

    Returns
    -------
    norm : array of shape (n_samples,) or (n_samples, n_epochs)
        0 to sqrt(2), float64. Average it over epochs, and over networks.

    References
    ----------
    Paul, Ganguli, Dziugaite (2021). Deep learning on a data diet. arXiv 2107.07075.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.sample_scores import el2n
    >>> el2n([[1.0, 0.0, 0.0], [0.6, 0.2, 0.2]], [0, 0]).round(3)
    array([0.  , 0.49])
    """
    wrong = np.array(probabilities, dtype=np.float64)
    wrong[np.arange(len(wrong)), ..., np.asarray(target)] -= 1
    return np.linalg.norm(wrong, axis=-1)
