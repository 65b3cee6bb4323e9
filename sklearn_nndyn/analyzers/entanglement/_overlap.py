"""Overlap of sets of samples, and its null distribution."""

import numpy as np
from numpy.typing import ArrayLike


def overlap(masks: ArrayLike) -> np.ndarray:
    """Number of samples in both of two sets, for each pair of sets.

    Parameters
    ----------
    masks : array of bool of shape (n_sets, n_samples)
        Which samples each set holds, such as the stragglers of each run.

    Returns
    -------
    common : array of int of shape (n_sets, n_sets)
        On the diagonal the sizes of the sets.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.entanglement import overlap
    >>> overlap([[True, True, False], [False, True, True]])
    array([[2, 1],
           [1, 2]])
    """
    given = np.asarray(masks, dtype=bool)
    # Counts up to 2**24 are exact in float32, whose product is many times faster than that of integers.
    exact: np.ndarray = given.astype(np.float32 if given.shape[1] < 2**24 else np.float64)
    return (exact @ exact.T).astype(np.int64)


def jaccard(common: ArrayLike) -> np.ndarray:
    """Share of the samples in either of two sets that are in both, |A and B| / |A or B|.

    Parameters
    ----------
    common : array of int of shape (n_sets, n_sets)
        Numbers of common samples, as given by ``overlap``.

    Returns
    -------
    share : array of shape (n_sets, n_sets)
        0 to 1; nan for two empty sets.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.entanglement import jaccard
    >>> jaccard([[2, 1], [1, 2]]).round(3)
    array([[1.   , 0.333],
           [0.333, 1.   ]])
    """
    common = np.asarray(common)
    sizes = np.diag(common)
    either = sizes[:, None] + sizes - common
    return np.divide(common, either, out=np.full(common.shape, np.nan), where=either > 0)


def chance_overlap(sizes: ArrayLike, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of what two random sets have in common: the hypergeometric null, as it is.

    Mean |A||B|/P; variance |A||B|(P - |A|)(P - |B|) / (P^2 (P - 1)), for sets A and B of P samples.

    Parameters
    ----------
    sizes : array of int of shape (n_sets,)
        Number of samples in each set.
    n_samples : int
        P, how many there are.

    Returns
    -------
    mean, deviation : array of shape (n_sets, n_sets)
        Mean and standard deviation of the number of samples in both sets of each pair.

    References
    ----------
    Ciceri et al. (2024). Nature Machine Intelligence 6, 40-47. arXiv 2303.05161.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.entanglement import chance_overlap
    >>> mean, deviation = chance_overlap([10, 20], 100)
    >>> print(mean[0, 1], deviation[0, 1].round(3))
    2.0 1.206
    """
    sizes = np.asarray(sizes, dtype=np.float64)
    a, b, n = sizes[:, None], sizes[None, :], float(n_samples)
    variance = a * b * (n - a) * (n - b) / (n**2 * max(n - 1, 1))
    return a * b / n, np.sqrt(variance)


def pairs_of(matrix):
    """The entries of a symmetric matrix (n_sets, n_sets) below the diagonal, shape (n_sets * (n_sets - 1) / 2,)."""
    return matrix[np.tril_indices(len(matrix), -1)]


def overlap_z(common: ArrayLike, expected: ArrayLike) -> float:
    """By how much sets overlap more than by chance, z = (mean k - mean of the null) / deviation of the observed k.

    k is the number of samples in both sets of a pair; mean and deviation are over the pairs (Ciceri et al. 2024,
    Methods).

    Parameters
    ----------
    common : array of int of shape (n_sets, n_sets)
        Numbers of common samples, as given by ``overlap``.
    expected : array of shape (n_sets, n_sets)
        Numbers expected by chance, as given by ``chance_overlap``.

    Returns
    -------
    z : float
        nan for fewer than two pairs, and where all pairs have the same number in common.

    References
    ----------
    Ciceri et al. (2024). Nature Machine Intelligence 6, 40-47. arXiv 2303.05161.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.entanglement import overlap_z
    >>> common = np.array([[9, 4, 5], [4, 9, 6], [5, 6, 9]])
    >>> overlap_z(common, np.ones((3, 3)))
    4.0
    """
    k = pairs_of(np.asarray(common))
    deviation = k.std(ddof=1) if len(k) > 1 else 0.0
    return float((k.mean() - pairs_of(np.asarray(expected)).mean()) / deviation) if deviation > 0 else np.nan
