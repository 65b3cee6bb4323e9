"""The losses by name, in NumPy: for records of arrays, where there need be no torch.

Values and facts are those of `sklearn_nndyn.losses` with default parameters; the formulas are written again, and the
tests compare the two. Losses on probabilities are given log p (K, n), all others the scores (K, n): with the classes
first, sums over few classes run across many samples, eight times faster than the other way round.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from sklearn_nndyn.utils.losses.names import understand


class ArrayLoss(NamedTuple):
    """A loss of arrays, with what a record tells of it.

    Parameters
    ----------
    name : str
        The name used in records.
    formula : callable
        ``formula(log_p, y_encoded)`` or, without a link, ``formula(scores, y_encoded)``, both (K, n): the losses (n,).
    lower_bound, unit, proper, link
        As in `LossFacts`.
    """

    name: str
    formula: Callable[[np.ndarray, np.ndarray], np.ndarray]
    lower_bound: float | None = None
    unit: str | None = None
    proper: bool | None = None
    link: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether its name says what it is; else it is a user's function."""
        return self.name in LOSSES

    def header(self) -> dict[str, Any]:
        """Entries about the loss in the header of a record."""
        facts = {fact: getattr(self, fact) for fact in ("lower_bound", "unit", "proper", "link")}
        return {"loss": self.name, "loss_facts": facts}


def array_loss(loss) -> ArrayLoss:
    """The loss that a user means.

    Parameters
    ----------
    loss : str or callable
        A name that ``get_loss`` knows; or a function of scores (n, K) and positions of the true classes (n,), both
        arrays, that gives the losses (n,).

    Returns
    -------
    loss : ArrayLoss
        The loss as a function of arrays, with its facts.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If there is no loss of this name.

    Examples
    --------
    >>> from sklearn_nndyn.utils.losses.arrays import array_loss
    >>> array_loss("log").unit
    'nats'
    """
    if isinstance(loss, str):
        return LOSSES[understand(loss, LOSSES)]
    if hasattr(loss, "state_dict"):
        raise TypeError(
            f"loss is a torch module, {type(loss).__name__}, but arrays are measured without torch: give its name, or "
            "a function of scores and positions of the true classes, both arrays."
        )
    if not callable(loss) or isinstance(loss, type):
        raise TypeError(
            "loss must be a name, or a function of scores and positions of the true classes, both arrays; "
            f"got {loss!r} of type {type(loss).__name__}."
        )
    return ArrayLoss(name_of_function(loss), _OwnFormula(loss))


def name_of_function(loss) -> str:
    """Name of a user's loss, or of its class; never the name of one of ours."""
    name = getattr(loss, "__name__", type(loss).__name__)
    return f"own_{name}" if name in LOSSES else name


class _OwnFormula:
    """A user's function as a formula: it is given samples first, and must give a number for each."""

    def __init__(self, function):
        self.function = function

    def __call__(self, scores, y_encoded):
        values = np.asarray(self.function(scores.T, y_encoded))
        if values.shape != y_encoded.shape or values.dtype.kind not in "fiu":
            raise ValueError(
                f"loss must give a number for each sample, shape {y_encoded.shape}; got {values.dtype} of shape "
                f"{values.shape}."
            )
        return values


def log_softmax(scores: np.ndarray) -> np.ndarray:
    """log p of scores, (n_classes, n_samples), finite or nan, classes first."""
    below = scores - scores.max(axis=0)
    return below - np.log(np.exp(below).sum(axis=0))


def true_class_values(values, y_encoded):
    """Values of the true class, (n,)."""
    return values[y_encoded, np.arange(len(y_encoded))]


def _one_hot(values, y_encoded):
    y = np.zeros_like(values)
    y[y_encoded, np.arange(len(y_encoded))] = 1
    return y


def _error(log_p, y_encoded):
    """1 - p_c, without the cancellation."""
    return -np.expm1(true_class_values(log_p, y_encoded))


def _log(log_p, y_encoded):
    """- log p_c"""
    return -true_class_values(log_p, y_encoded)


def _squared_log(log_p, y_encoded):
    """(log p_c)^2"""
    return np.square(true_class_values(log_p, y_encoded))


def _expectation(log_p, y_encoded):
    """sum_j |y_j - p_j| = 2 (1 - p_c)"""
    return 2 * _error(log_p, y_encoded)


def _regularized_expectation(log_p, y_encoded):
    """sum_j (y_j - p_j)^2"""
    return np.square(_one_hot(log_p, y_encoded) - np.exp(log_p)).sum(axis=0)


def _tanimoto(log_p, y_encoded):
    """- p_c / (p.p + 1 - p_c)"""
    return -np.exp(true_class_values(log_p, y_encoded)) / (
        np.exp(2 * log_p).sum(axis=0) + _error(log_p, y_encoded)
    )


def _cauchy_schwarz(log_p, y_encoded):
    """- log p_c + (1/2) log p.p, from log(p_j^2 / p.p)"""
    return -true_class_values(log_softmax(2 * log_p), y_encoded) / 2


def _generalized_cross_entropy(log_p, y_encoded, q=0.7):
    """(1 - p_c^q) / q"""
    return -np.expm1(q * true_class_values(log_p, y_encoded)) / q


def _symmetric_cross_entropy(log_p, y_encoded, alpha=0.1, beta=1.0, log_zero=-4.0):
    """- alpha log p_c - beta A (1 - p_c)"""
    return -alpha * true_class_values(log_p, y_encoded) - beta * log_zero * _error(log_p, y_encoded)


def _focal(log_p, y_encoded, gamma=2.0):
    """- (1 - p_c)^gamma log p_c"""
    return -(_error(log_p, y_encoded) ** gamma) * true_class_values(log_p, y_encoded)


def _label_smoothing(log_p, y_encoded, smoothing=0.1):
    """- (1 - s) log p_c - (s / K) sum_j log p_j"""
    return -(1 - smoothing) * true_class_values(log_p, y_encoded) - smoothing * log_p.mean(axis=0)


def _poly1(log_p, y_encoded, epsilon=1.0):
    """- log p_c + epsilon (1 - p_c)"""
    return -true_class_values(log_p, y_encoded) + epsilon * _error(log_p, y_encoded)


def _power(scores, y_encoded, power):
    """sum_j |y_j - o_j|^q"""
    return (np.abs(scores - _one_hot(scores, y_encoded)) ** power).sum(axis=0)


def _hinge(scores, y_encoded, power):
    """sum_j max(0, 1/2 - yhat_j o_j)^q"""
    side = 2 * _one_hot(scores, y_encoded) - 1
    return (np.maximum(0.5 - side * scores, 0) ** power).sum(axis=0)


_ALL = [
    ArrayLoss("log", _log, 0.0, "nats", True, "softmax"),
    ArrayLoss("squared_log", _squared_log, 0.0, "nats²", False, "softmax"),
    ArrayLoss("l1", partial(_power, power=1), 0.0, None, False),
    ArrayLoss("l2", partial(_power, power=2), 0.0, None, False),
    ArrayLoss("expectation", _expectation, 0.0, None, False, "softmax"),
    ArrayLoss("regularized_expectation", _regularized_expectation, 0.0, None, True, "softmax"),
    ArrayLoss("chebyshev", _error, 0.0, None, False, "softmax"),
    ArrayLoss("hinge", partial(_hinge, power=1), 0.0, None, False),
    ArrayLoss("squared_hinge", partial(_hinge, power=2), 0.0, None, False),
    ArrayLoss("cubed_hinge", partial(_hinge, power=3), 0.0, None, False),
    ArrayLoss("tanimoto", _tanimoto, -1.0, None, False, "softmax"),
    ArrayLoss("cauchy_schwarz", _cauchy_schwarz, 0.0, "nats", False, "softmax"),
    ArrayLoss("generalized_cross_entropy", _generalized_cross_entropy, 0.0, None, False, "softmax"),
    ArrayLoss("symmetric_cross_entropy", _symmetric_cross_entropy, 0.0, None, False, "softmax"),
    ArrayLoss("focal", _focal, 0.0, "nats", False, "softmax"),
    ArrayLoss("label_smoothing", _label_smoothing, 0.0, "nats", False, "softmax"),
    ArrayLoss("poly1", _poly1, 0.0, None, False, "softmax"),
]
LOSSES = {loss.name: loss for loss in _ALL}
