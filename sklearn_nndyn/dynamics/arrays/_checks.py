"""Arrays of any library as NumPy's, and what is checked of scores, labels and ids."""

from typing import Any

import numpy as np

from sklearn_nndyn.utils.text import counted, shown

LEAST_ROWS, SUM_ERROR = 8, 1e-3  # that tell probabilities, of float16 too


def as_numpy(name: str, value: Any) -> np.ndarray:
    """An array of any library as NumPy's: whatever has ``__array__`` or ``__dlpack__``, on a device or not, or lists.

    Parameters
    ----------
    name : str
        What to call it in an error.
    value : array of NumPy, torch, JAX, TensorFlow, CuPy or the like, or sequence
        Values that a gradient hangs on are detached, those on a device are copied from it.

    Returns
    -------
    array : numpy.ndarray
        Shares memory with ``value`` where that is possible.

    Raises
    ------
    TypeError
        If it cannot be read as an array.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.dynamics.arrays._checks import as_numpy
    >>> as_numpy("scores", torch.ones(2, requires_grad=True))
    array([1., 1.], dtype=float32)
    """
    try:
        array = _read(value)
    except Exception as error:  # each library has errors of its own
        raise TypeError(f"{name} cannot be read as an array: {type(error).__name__}: {error}") from error
    if array.dtype == object and not all(isinstance(one, str) for one in array.flat):
        raise TypeError(f"{name} must be an array of numbers or of strings, got {type(value).__name__}.")
    return array


def _read(value):
    value = _on_the_host(value)
    if hasattr(value, "__array__") or not hasattr(value, "__dlpack__"):
        return np.asarray(value)
    return np.from_dlpack(value)


def _on_the_host(value):
    """The values without gradients and devices, which torch, CuPy and others take off by methods of these names."""
    if isinstance(value, np.ndarray | list | tuple):
        return value
    for method in ("detach", "cpu", "get"):
        if callable(getattr(value, method, None)) and hasattr(value, "__dlpack__"):
            value = getattr(value, method)()
    return value.float() if str(getattr(value, "dtype", "")) == "torch.bfloat16" else value


def check_scores(scores: Any, shape: tuple[int, ...], n_classes: int, loss) -> np.ndarray:
    """Scores with one column for each class.

    Parameters
    ----------
    scores : array of shape (*shape, n_classes); for two classes also (*shape, 1) or shape
        The scores, as given by the user. One column is the score of the second class against the first, as
        ``decision_function`` gives it.
    shape : tuple of int
        Samples, or samples and epochs.
    n_classes : int
        The number of classes.
    loss : ArrayLoss
        What is measured.

    Returns
    -------
    scores : array of shape (*shape, n_classes)
        Float, without infinite values; nan in all columns where missing.

    Raises
    ------
    TypeError
        If they are no numbers.
    ValueError
        If their shape is another, or a row is not finite.
    """
    scores = as_numpy("scores", scores)
    if scores.dtype.kind not in "fiub":
        raise TypeError(f"scores must be numbers, got {scores.dtype}.")
    if n_classes == 2 and scores.shape in (shape, (*shape, 1)):
        scores = _two_columns(scores.reshape(shape), loss)
    if scores.shape != (*shape, n_classes):
        raise ValueError(
            f"scores has shape {scores.shape}, expected {(*shape, n_classes)}: a score for each of the "
            f"{counted(n_classes, 'class', 'es')}."
        )
    scores = scores if scores.dtype.kind == "f" else scores.astype(np.float64)
    _check_rows(scores)
    refuse_probabilities(scores.reshape(-1, n_classes), loss)
    return scores


def refuse_probabilities(rows, loss):
    """Raise a ValueError for probabilities (n, n_classes) in place of scores, where there are rows enough to tell."""
    if loss.link == "softmax" and _are_probabilities(rows):
        raise ValueError(
            "scores are probabilities, it seems: in every row they lie between 0 and 1 and sum to 1. Give their "
            "logarithms, np.log(np.clip(scores, 1e-12, 1)), or the outputs before the softmax."
        )


def _are_probabilities(rows):
    """Whether all rows (n, n_classes) are shares of one; few may be so by chance, and rows of 0 and 1 are votes."""
    first = rows[np.isnan(rows[:, 0]).argmin()] if len(rows) else rows
    if not abs(first.sum() - 1) < SUM_ERROR:  # most scores are told by their first row
        return False
    seen = rows[~np.isnan(rows[:, 0])]
    if len(seen) < LEAST_ROWS:
        return False
    shares = seen.min() >= 0 and bool((np.abs(seen.sum(axis=1, dtype=np.float64) - 1) < SUM_ERROR).all())
    return shares and bool(((seen > 0) & (seen < 1)).any())


def _two_columns(scores, loss):
    if loss.link is None:
        raise ValueError(
            f"scores has one column, which says how much the second class is preferred to the first; the loss "
            f"{loss.name!r} needs the score of each class."
        )
    if scores.ndim == 2 and scores.size >= LEAST_ROWS and _lie_between_0_and_1(scores):
        raise ValueError(
            "scores are probabilities of the second class, it seems: all lie between 0 and 1, where a score is below 0 "
            "if the first class is preferred. Give their log odds, np.log(p / (1 - p)) of p = np.clip(scores, 1e-12, 1 "
            "- 1e-12), or the outputs before the sigmoid."
        )
    return np.stack([np.zeros_like(scores), scores], axis=-1)


def _lie_between_0_and_1(scores):
    """Whether those that are not missing do, and are no votes; of one batch, scores may do so by chance."""
    seen = scores[~np.isnan(scores)]
    return bool(len(seen) and seen.min() >= 0 and seen.max() <= 1 and ((seen > 0) & (seen < 1)).any())


def _check_rows(scores):
    """Refuse rows with an infinite score, or with some that are missing and some that are not."""
    if np.isfinite(scores).all():
        return
    missing = np.isnan(scores)
    bad = np.isinf(scores).any(axis=-1) | (missing.any(axis=-1) & ~missing.all(axis=-1))
    if bad.any():
        first = tuple(int(i) for i in np.argwhere(bad)[0])
        rows = f"{counted(int(bad.sum()), 'row')}; the first is {list(first)}: {shown(scores[first])}"
        raise ValueError(
            f"scores are infinite, or nan for some classes only, in {rows}. Give finite scores (of probabilities that "
            "are 0 clip the logarithms), or nan for all classes of what was not seen."
        )


def check_labels(y: Any, classes: Any) -> tuple[np.ndarray, np.ndarray]:
    """Labels (n_samples,) and sorted classes (n_classes,), those in ``y`` where they are None, as NumPy's."""
    y = as_numpy("y", y)
    if y.ndim != 1 or not len(y):
        raise ValueError(f"y must hold a label for each sample, shape (n_samples,); got shape {y.shape}.")
    return y, np.unique(y) if classes is None else as_numpy("classes", classes)
