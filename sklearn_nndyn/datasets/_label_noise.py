"""Wrong labels."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state

from sklearn_nndyn.utils.validation import check_choice, check_share


def corrupt_labels(
    y: ArrayLike,
    rate: float,
    *,
    kind: str = "uniform",
    random_state: int | np.random.RandomState | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Give a share of the samples another label.

    Parameters
    ----------
    y : array-like of shape (n_samples,)
        Labels: numbers, strings or booleans of two classes or more. It is not written into.
    rate : float
        Share of the samples that are chosen, 0 to 1: round(rate * n_samples) of them, without replacement.
    kind : {"uniform", "permutation", "pair"}, default="uniform"
        What happens to the chosen. ``"uniform"``: each gets a label drawn from all classes alike, its own among
        them. ``"permutation"``: their labels are permuted among them, so that every class keeps its size.
        ``"pair"``: each goes to the next class in sorted order, the last class to the first.
    random_state : int, RandomState instance or None, default=None
        Fixes the choice and the labels. With one seed, those chosen at a lower rate are among those chosen at a higher.

    Returns
    -------
    y_noisy : ndarray of shape (n_samples,)
        The labels, in the dtype of ``y``.
    changed : ndarray of bool of shape (n_samples,)
        Whether each label differs from ``y``.

    Raises
    ------
    TypeError
        If ``rate`` is no number.
    ValueError
        If ``rate`` is not between 0 and 1, if ``kind`` is unknown, or if ``y`` is not one-dimensional, holds fewer
        than two classes, nan, or labels that cannot be sorted.

    See Also
    --------
    corrupt_inputs : Noise in the inputs.

    Notes
    -----
    Not every one of the m = round(rate * n) chosen changes. With K classes, of which class c has the share p_c of the
    n samples, the expected share of changed labels is

    * ``"uniform"``: (m / n) (K - 1) / K, about rate (K - 1) / K; for a share s of wrong labels ask for s K / (K - 1),
    * ``"permutation"``: (m - 1) / (n - 1) (1 - sum_c p_c^2),
    * ``"pair"``: m / n, and always so.

    Classes are those that occur in ``y``.

    References
    ----------
    Label noise as a test of losses: Janocha and Czarnecki (2017), arXiv 1702.05659. Permuted labels: Zhang et al.
    (2017), arXiv 1611.03530. Pair flipping: Han et al. (2018), arXiv 1804.06872.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.datasets import corrupt_labels
    >>> y = np.repeat(["cat", "dog", "eel"], 100)
    >>> y_noisy, changed = corrupt_labels(y, 0.3, kind="pair", random_state=0)
    >>> int(changed.sum())
    90
    >>> sorted({(str(a), str(b)) for a, b in zip(y[changed], y_noisy[changed])})
    [('cat', 'dog'), ('dog', 'eel'), ('eel', 'cat')]
    """
    check_share("rate", rate)
    check_choice("kind", kind, KINDS)
    labels, classes, position = _labels(y)
    rng = check_random_state(random_state)
    chosen = rng.permutation(len(labels))[: round(rate * len(labels))]
    noisy = position.copy()
    noisy[chosen] = KINDS[kind](position[chosen], len(classes), rng)
    changed = noisy != position
    y_noisy = labels.copy()
    y_noisy[changed] = classes[noisy[changed]]
    return y_noisy, changed


# From positions of classes (m,) to positions (m,).
def _uniform(positions, n_classes, rng):
    return rng.randint(n_classes, size=len(positions))


def _permutation(positions, n_classes, rng):
    return rng.permutation(positions)


def _pair(positions, n_classes, rng):
    return (positions + 1) % n_classes


KINDS = {"uniform": _uniform, "permutation": _permutation, "pair": _pair}


def _labels(y):
    """y as an array, its classes in sorted order, the position of each label among them."""
    y = np.asarray(y)
    if y.ndim != 1:
        raise ValueError(f"y must hold one label a sample, shape (n_samples,), got shape {y.shape}.")
    try:
        missing = bool((y != y).any())
        classes, position = np.unique(y, return_inverse=True)
    except TypeError as error:
        raise ValueError(f"y must hold labels that can be sorted: {error}.") from error
    if missing:
        raise ValueError("y must not hold nan: every sample needs a label.")
    if len(classes) < 2:
        found = f"only {classes.tolist()[0]!r}" if len(classes) else "none"
        raise ValueError(f"y must hold two classes or more, got {found}.")
    return y, classes, position
