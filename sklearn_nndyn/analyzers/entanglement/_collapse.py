"""Neural collapse, as far as the class centroids tell it.

Papyan, Han and Donoho (2020, arXiv 2008.08186) find that late in training the activations of a class shrink to its
centroid (NC1), and that the centroids, seen from their mean, are of equal length and as far apart as they can be (NC2).
"""

import numpy as np
from numpy.typing import ArrayLike


def within_class_share(centroids: ArrayLike, counts: ArrayLike) -> np.ndarray:
    """NC1 by traces: spread of the samples about their centroids, in units of the spread of the centroids.

    tr S_W / tr S_B, with p_c the share of class c, m = sum_c p_c m_c, tr S_W = sum_c p_c (1 - ||m_c||^2) and
    tr S_B = sum_c p_c ||m_c - m||^2: of activations of length 1, all of it follows from the centroids.

    Parameters
    ----------
    centroids : array of shape (n_epochs, n_classes, width)
        Centroids m_c: for each class the mean of u = h/||h|| over its samples, of activations h.
    counts : array of shape (n_classes,)
        Number of samples of each class; classes without samples are left out.

    Returns
    -------
    nc1 : array of shape (n_epochs,)
        0 where each class has shrunk to a point; inf where all centroids are the same, nan where no class has samples.

    Notes
    -----
    The paper's NC1 is tr(S_W S_B^+) / K, which needs the covariances; this is the ratio of the traces, which is the
    same where S_W is the same in all directions of the centroids, and it does not see the length of activations. Of a
    narrow layer (fewer units than classes) it says little of NC2, and of an untrained network nothing: compare epochs.

    References
    ----------
    Papyan, Han, Donoho (2020). PNAS 117, 24652-24663. arXiv 2008.08186.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.entanglement import within_class_share
    >>> within_class_share([[[0.6, 0.0], [0.0, 0.6]], [[1.0, 0.0], [0.0, 1.0]]], counts=[5, 5]).round(3)
    array([3.556, 0.   ])
    """
    m, n = _with_samples(centroids, counts)
    if not len(n):
        return np.full(len(m), np.nan)
    p = n / n.sum()
    within = np.maximum(1 - np.einsum("ecw,ecw->ec", m, m), 0) @ p
    apart = m - np.einsum("c,ecw->ew", p, m)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        return within / (np.einsum("ecw,ecw->ec", apart, apart) @ p)


def simplex_distance(centroids: ArrayLike, counts: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """NC2: how far the centroids are from being of equal length and as far apart as they can be.

    With w_c the centroid of class c minus the mean of all K centroids: the coefficient of variation of their lengths,
    and the mean over the pairs of |cos(w_a, w_b) + 1/(K - 1)|. Both are 0 for the corners of a simplex.

    Parameters
    ----------
    centroids : array of shape (n_epochs, n_classes, width)
        Centroids m_c, see ``within_class_share``.
    counts : array of shape (n_classes,)
        Number of samples of each class; classes without samples are left out.

    Returns
    -------
    lengths, angles : array of shape (n_epochs,)
        nan for fewer than two classes with samples, and where all centroids are the same. Two classes are always a
        simplex, which then says nothing; so do K classes in fewer than K - 1 dimensions, where angles cannot be 0.

    References
    ----------
    Papyan, Han, Donoho (2020). PNAS 117, 24652-24663. arXiv 2008.08186.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.entanglement import simplex_distance
    >>> lengths, angles = simplex_distance([np.eye(4) / 2], counts=[5, 5, 5, 5])
    >>> lengths.round(6), angles.round(6)
    (array([0.]), array([0.]))
    """
    m, n = _with_samples(centroids, counts)
    n_classes = len(n)
    if n_classes < 2:
        return np.full(len(m), np.nan), np.full(len(m), np.nan)
    w = m - m.mean(axis=1, keepdims=True)
    lengths = np.linalg.norm(w, axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        unit = w / lengths[:, :, None]
        variation = lengths.std(axis=1) / lengths.mean(axis=1)
    cosines = np.einsum("eaw,ebw->eab", unit, unit)
    one, other = np.triu_indices(n_classes, 1)
    return variation, np.abs(cosines[:, one, other] + 1 / (n_classes - 1)).mean(axis=1)


def _with_samples(centroids, counts):
    """Centroids and counts of the classes that have samples, float64."""
    m, counts = np.asarray(centroids, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    if m.ndim != 3 or counts.shape != m.shape[1:2]:
        raise ValueError(
            f"centroids must be (n_epochs, n_classes, width), with a count for each class; got shapes {m.shape} and "
            f"{counts.shape}."
        )
    return m[:, counts > 0], counts[counts > 0]
