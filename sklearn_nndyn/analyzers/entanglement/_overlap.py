"""What sets of the same samples have in common, and what chance would give."""

import numpy as np


def common(masks):
    """Samples in both of two sets, for each pair.

    Parameters
    ----------
    masks : array of bool of shape (n_sets, n_samples)

    Returns
    -------
    common : array of int of shape (n_sets, n_sets)
        On the diagonal the sizes of the sets.
    """
    # Counts up to 2**24 are exact in float32, whose product is many times faster than that of integers.
    exact = np.float32 if masks.shape[1] < 2**24 else np.float64
    masks = masks.astype(exact)
    return (masks @ masks.T).astype(np.int64)


def jaccard(common):
    """Share of the samples in either of two sets that are in both, 0 to 1; nan for two empty sets."""
    sizes = np.diag(common)
    either = sizes[:, None] + sizes - common
    return np.divide(common, either, out=np.full(common.shape, np.nan), where=either > 0)


def chance(sizes, n_samples):
    """Mean and standard deviation of what two random sets have in common: the hypergeometric null, as it is.

    Parameters
    ----------
    sizes : array of int of shape (n_sets,)
    n_samples : int

    Returns
    -------
    mean, deviation : array of shape (n_sets, n_sets)
        |A||B|/P, and the root of |A||B|(P - |A|)(P - |B|)/(P^2 (P - 1)).
    """
    a, b, n = sizes[:, None].astype(np.float64), sizes[None, :].astype(np.float64), n_samples
    variance = a * b * (n - a) * (n - b) / (n**2 * max(n - 1, 1))
    return a * b / n, np.sqrt(variance)


def pairs_of(matrix):
    """The entries of a symmetric matrix (n_sets, n_sets) below the diagonal, shape (n_sets * (n_sets - 1) / 2,)."""
    return matrix[np.tril_indices(len(matrix), -1)]


def z_of(common, expected):
    """z = (mean k - mean of the null) / deviation of the observed k, over the pairs (Ciceri et al. 2024, Methods).

    Parameters
    ----------
    common, expected : array of shape (n_sets, n_sets)

    Returns
    -------
    z : float
        nan for fewer than two pairs, and where all pairs have the same number in common.
    """
    k = pairs_of(common)
    deviation = k.std(ddof=1) if len(k) > 1 else 0.0
    return float((k.mean() - pairs_of(expected).mean()) / deviation) if deviation > 0 else np.nan
