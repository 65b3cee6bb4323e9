"""How far the classes lie apart in a hidden layer, from the class centroids alone.

With u = h/||h|| of each sample and m_c the mean of u over class c (Ciceri et al. 2024, Methods): all of it follows
from m_c, and means add up over batches and machines.
"""

import numpy as np
from numpy.typing import ArrayLike

NEAR = 1e-4  # of the squared lengths of both
ROUNDING = 1e-6  # of a squared length of one


def radii(centroids: ArrayLike) -> np.ndarray:
    """How far the samples of each class are spread, R_c = sqrt(mean of ||u - m_c||^2 over c) = sqrt(1 - ||m_c||^2).

    Parameters
    ----------
    centroids : array of shape (n_epochs, n_classes, width)
        Centroids m_c: for each class the mean of u = h/||h|| over its samples, of activations h.

    Returns
    -------
    radii : array of shape (n_epochs, n_classes)
        0 (all of one direction) to 1 (none in common); nan for a class without samples. A zero activation counts as
        one of a direction of its own. Below 1e-3 a radius is rounding of the recorded float32, and 0.

    References
    ----------
    Ciceri et al. (2024). Nature Machine Intelligence 6, 40-47. arXiv 2303.05161.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.entanglement import radii
    >>> radii([[[1.0, 0.0], [0.0, 0.6]]])
    array([[0. , 0.8]])
    """
    m = np.asarray(centroids, dtype=np.float64)
    left = 1 - np.einsum("ecw,ecw->ec", m, m)
    return np.sqrt(np.where(left < ROUNDING, 0 * left, left))


def distances(centroids: ArrayLike) -> np.ndarray:
    """How far apart the centroids of each pair of classes are, D_ab = ||m_a - m_b||.

    Parameters
    ----------
    centroids : array of shape (n_epochs, n_classes, width)
        Centroids m_c, see ``radii``.

    Returns
    -------
    distances : array of shape (n_epochs, n_classes, n_classes)
        0 to 2, symmetric; nan for a class without samples.

    References
    ----------
    Ciceri et al. (2024). Nature Machine Intelligence 6, 40-47. arXiv 2303.05161.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.entanglement import distances
    >>> distances([[[0.3, 0.0], [0.0, 0.4]]])
    array([[[0. , 0.5],
            [0.5, 0. ]]])
    """
    m = np.asarray(centroids, dtype=np.float64)
    found = np.empty((len(m), m.shape[1], m.shape[1]))
    for own, into in zip(m, found, strict=True):
        _write_distances(own, into)
    return found


def _write_distances(m, into):
    """Distances (n_classes, n_classes) of centroids (n_classes, width), by one matrix product."""
    products = np.matmul(m, m.T, out=into)
    sizes = np.diag(products).copy()
    squares = np.subtract(np.add.outer(sizes, sizes), np.multiply(products, 2, out=into), out=into)
    near = squares < 2 * NEAR * np.fmax.reduce(sizes, initial=0)
    np.fill_diagonal(near, False)
    np.sqrt(np.maximum(squares, 0, out=into), out=into)
    # Of near ones the difference of large numbers leaves little: these few are measured by themselves.
    for a in np.flatnonzero(near.any(axis=1)):
        others = np.flatnonzero(near[a])
        into[a, others] = into[others, a] = np.linalg.norm(m[a] - m[others], axis=1)
    np.fill_diagonal(into, 0 * sizes)


def mean_distance(distances: ArrayLike) -> np.ndarray:
    """Mean distance between centroids over the pairs of classes that have samples.

    Parameters
    ----------
    distances : array of shape (n_epochs, n_classes, n_classes)
        Distances between the class centres, as given by ``distances``.

    Returns
    -------
    mean : array of shape (n_epochs,)
        nan for fewer than two classes with samples.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.entanglement import mean_distance
    >>> mean_distance([[[0.0, 0.5, np.nan], [0.5, 0.0, np.nan], [np.nan] * 3]])
    array([0.5])
    """
    d = np.asarray(distances, dtype=np.float64)
    known = ~np.isnan(np.diagonal(d[0]))
    n_pairs = known.sum() * (known.sum() - 1)  # each counted twice, as in the sum
    if not n_pairs:
        return np.full(len(d), np.nan)
    return (d if known.all() else d[:, known][:, :, known]).sum(axis=(1, 2)) / n_pairs


def mean_radius(radii: ArrayLike) -> np.ndarray:
    """Mean radius over the classes that have samples.

    Parameters
    ----------
    radii : array of shape (n_epochs, n_classes)
        Radii of the classes, as given by ``radii``.

    Returns
    -------
    mean : array of shape (n_epochs,)
        nan where no class has samples.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.entanglement import mean_radius
    >>> mean_radius([[0.5, 1.0, np.nan]])
    array([0.75])
    """
    r = np.asarray(radii, dtype=np.float64)
    known = ~np.isnan(r[0])
    return r[:, known].mean(axis=1) if known.any() else np.full(len(r), np.nan)


def similarities(
    activations: ArrayLike, target: ArrayLike, centroids: ArrayLike
) -> tuple[np.ndarray, np.ndarray]:
    """Cosine of each sample's activation with the centroid of its own class, and with the nearest other.

    Parameters
    ----------
    activations : array of shape (n_samples, width)
        Activations h of a hidden layer.
    target : array of int of shape (n_samples,)
        Position of the true class.
    centroids : array of shape (n_classes, width)
        Centroids m_c of one epoch, see ``radii``.

    Returns
    -------
    own, other : array of shape (n_samples,)
        -1 to 1; 0 where an activation or a centroid is zero, nan for a class without samples and where there is no
        other class.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.entanglement import similarities
    >>> own, other = similarities([[2.0, 0.0], [3.0, 4.0]], [0, 1], [[0.5, 0.0], [0.0, 0.5]])
    >>> own, other
    (array([1. , 0.8]), array([0. , 0.6]))
    """
    target = np.asarray(target)
    cosines = _unit(activations) @ _unit(centroids).T
    rows = np.arange(len(target))
    own = cosines[rows, target]
    cosines[rows, target] = np.nan
    other = np.where(np.isnan(cosines), -np.inf, cosines).max(axis=1)
    return own, np.where(np.isinf(other), np.nan, other)


def _unit(rows):
    rows = np.asarray(rows, dtype=np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms != 0)
