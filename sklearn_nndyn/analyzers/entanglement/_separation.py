"""How far the classes lie apart in a hidden layer, from the class centroids alone.

With u = h/||h|| of each sample and m_c the mean of u over class c (Ciceri et al. 2024, Methods): all of it follows
from m_c, and means add up over batches and machines.
"""

import numpy as np

ROUNDING = 1e-6  # of a squared length of one


def radii(centroids):
    """R_c = sqrt(mean of ||u - m_c||^2 over class c) = sqrt(1 - ||m_c||^2).

    Parameters
    ----------
    centroids : array of shape (n_epochs, n_classes, width)

    Returns
    -------
    radii : array of shape (n_epochs, n_classes)
        0 (all of one direction) to 1 (none in common); nan for a class without samples. A zero activation counts as
        one of a direction of its own. Below 1e-3 a radius is rounding of the recorded float32, and 0.
    """
    left = 1 - np.einsum("ecw,ecw->ec", *2 * [centroids.astype(np.float64)])
    return np.sqrt(np.where(left < ROUNDING, 0 * left, left))


def distances(centroids):
    """D_ab = ||m_a - m_b||.

    Parameters
    ----------
    centroids : array of shape (n_epochs, n_classes, width)

    Returns
    -------
    distances : array of shape (n_epochs, n_classes, n_classes)
        0 to 2, symmetric; nan for a class without samples.
    """
    centroids = centroids.astype(np.float64)
    found = np.zeros((*centroids.shape[:2], centroids.shape[1]))
    for a in range(centroids.shape[1]):
        for b in range(a):
            apart = np.linalg.norm(centroids[:, a] - centroids[:, b], axis=-1)
            found[:, a, b] = found[:, b, a] = apart
    found[:, np.arange(len(found[0])), np.arange(len(found[0]))] = 0 * centroids.sum(axis=-1)
    return found


def mean_distance(distances):
    """Mean of D_ab over the pairs of classes that have samples, shape (n_epochs,); nan for fewer than two."""
    pairs = distances[:, *np.tril_indices(distances.shape[1], -1)]
    known = ~np.isnan(pairs[0])
    return pairs[:, known].mean(axis=1) if known.any() else np.full(len(pairs), np.nan)


def mean_radius(radii):
    """Mean of R_c over the classes that have samples, shape (n_epochs,)."""
    known = ~np.isnan(radii[0])
    return radii[:, known].mean(axis=1) if known.any() else np.full(len(radii), np.nan)


def similarities(activations, target, centroids):
    """Cosine of each sample's activation with the centroid of its own class, and with the nearest other.

    Parameters
    ----------
    activations : array of shape (n_samples, width)
    target : array of int of shape (n_samples,)
        Position of the true class.
    centroids : array of shape (n_classes, width)

    Returns
    -------
    own, other : array of shape (n_samples,)
        -1 to 1; 0 where an activation or a centroid is zero, nan for a class without samples and where there is no
        other class.
    """
    cosines = _unit(activations) @ _unit(centroids).T
    rows = np.arange(len(target))
    own = cosines[rows, target]
    cosines[rows, target] = np.nan
    other = np.where(np.isnan(cosines), -np.inf, cosines).max(axis=1)
    return own, np.where(np.isinf(other), np.nan, other)


def _unit(rows):
    rows = rows.astype(np.float64)
    norms = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.divide(rows, norms, out=np.zeros_like(rows), where=norms != 0)
