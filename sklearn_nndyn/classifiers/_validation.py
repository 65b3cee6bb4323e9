"""Everything a user can get wrong, found before training starts."""

import copy
from collections.abc import Mapping
from contextlib import contextmanager
from math import isfinite
from numbers import Integral, Real

import numpy as np
import torch
from sklearn.model_selection import train_test_split
from sklearn.utils import assert_all_finite, check_random_state, compute_sample_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, validate_data
from skorch.callbacks import Callback

from sklearn_nndyn.classifiers._data import as_tensor
from sklearn_nndyn.classifiers._optimizers import check_optimizer_params, find_optimizer
from sklearn_nndyn.losses import get_loss
from sklearn_nndyn.modules._build import check_kind
from sklearn_nndyn.recording import make_schedule
from sklearn_nndyn.recording._layers import evaluation_mode, first_output
from sklearn_nndyn.recording._random import untouched_generators
from sklearn_nndyn.recording._recorder import check_record


def check_parameters(estimator):
    """Check every parameter of the classifier.

    Raises
    ------
    ValueError, TypeError
        Names every mistake at once. A TypeError where there is just one, and it is one of type.
    """
    mistakes = [mistake for check in CHECKS for mistake in _run(check, estimator)]
    if len(mistakes) == 1:
        raise mistakes[0]
    if mistakes:
        listed = "\n".join(f"- {mistake}" for mistake in mistakes)
        raise ValueError(f"{len(mistakes)} parameters cannot be used:\n{listed}")


def _run(check, estimator):
    try:
        check(estimator)
    except (ValueError, TypeError) as error:
        return [error]
    return []


def _require(name, text, accept):
    """A check of one parameter: ``accept(value)`` or a ValueError that says what it ``must be``."""

    def check(estimator):
        value = getattr(estimator, name)
        if not accept(value):
            raise ValueError(f"{name} must be {text}, got {value!r}.")

    return check


def _is_int(value, least):
    return isinstance(value, Integral) and not isinstance(value, bool) and value >= least


def _is_real(value, accept):
    return (
        isinstance(value, Real) and not isinstance(value, bool) and bool(np.isfinite(value)) and accept(value)
    )


def _is_bool(value):
    return isinstance(value, (bool, np.bool_))


def _is_class_weight(value):
    if isinstance(value, str):
        return value == "balanced"
    return value is None or (
        isinstance(value, Mapping) and all(_is_real(w, lambda w: w >= 0) for w in value.values())
    )


def _check_callbacks(estimator):
    callbacks = estimator.callbacks
    if callbacks is None or callbacks == "disable":
        return
    if not isinstance(callbacks, (list, tuple)):
        raise TypeError(f"callbacks must be a list of skorch callbacks, got {type(callbacks).__name__}.")
    for item in callbacks:
        callback = item[1] if isinstance(item, tuple) and len(item) == 2 else item
        kind = callback if isinstance(callback, type) else type(callback)
        if callback is not None and not issubclass(kind, Callback):
            raise TypeError(
                f"callbacks takes skorch callbacks, got {kind.__name__}. scikit-learn's own go through "
                "set_callbacks(...)."
            )


def _check_random_state(estimator):
    try:
        check_random_state(estimator.random_state)
    except ValueError as error:
        raise ValueError(
            "random_state must be None, an integer from 0 to 2**32 - 1 or a numpy.random.RandomState, got "
            f"{estimator.random_state!r}."
        ) from error


def _check_optimizer(estimator):
    optimizer, params = find_optimizer(estimator.optimizer), estimator.optimizer_params
    if params is None or isinstance(params, Mapping):
        check_optimizer_params(optimizer, params or {}, estimator.weight_decay)


def _check_record_epochs(estimator):
    schedule = make_schedule(estimator.record_epochs)
    with _told("record_epochs cannot be called with an epoch"):
        schedule(0)


CHECKS = [
    lambda estimator: check_kind(estimator.module),
    lambda estimator: get_loss(estimator.loss),
    _check_optimizer,
    _require("optimizer_params", "None or a dict", lambda v: v is None or isinstance(v, Mapping)),
    _require("lr", "a finite number greater than 0", lambda v: _is_real(v, lambda v: v > 0)),
    _require("weight_decay", "a finite number, 0 or greater", lambda v: _is_real(v, lambda v: v >= 0)),
    _require(
        "batch_size",
        '"auto", "full" or an integer, 1 or greater',
        lambda v: (isinstance(v, str) and v in ("auto", "full")) or _is_int(v, 1),
    ),
    _require("max_epochs", "an integer, 1 or greater", lambda v: _is_int(v, 1)),
    _require("shuffle", "True or False", _is_bool),
    lambda estimator: check_record(estimator.record),
    _check_record_epochs,
    _require("snapshots", "True or False", _is_bool),
    _require(
        "validation_fraction",
        "None or a number between 0 and 1, both excluded",
        lambda v: v is None or _is_real(v, lambda v: 0 < v < 1),
    ),
    _require("early_stopping", "True or False", _is_bool),
    _require("n_iter_no_change", "an integer, 1 or greater", lambda v: _is_int(v, 1)),
    _require("tol", "a finite number, 0 or greater", lambda v: _is_real(v, lambda v: v >= 0)),
    _require("class_weight", 'None, "balanced" or a dict {class: weight >= 0}', _is_class_weight),
    _check_callbacks,
    lambda estimator: find_device(estimator.device),
    _require("dtype", '"float32" or "float64"', lambda v: v in ("float32", "float64")),
    _require("warm_start", "True or False", _is_bool),
    _check_random_state,
    _require("verbose", "an integer, 0 or greater", lambda v: _is_bool(v) or _is_int(v, 0)),
]


@contextmanager
def _told(what):
    """Whatever goes wrong inside is a ValueError that says ``what`` does not work."""
    try:
        yield
    except Exception as error:
        raise ValueError(f"{what}: {type(error).__name__}: {error}") from error


def find_device(device):
    """The torch device of this name; ``"auto"`` is an accelerator where there is one."""
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not isinstance(device, (str, torch.device)):
        raise ValueError(
            f'device must be "auto", a name such as "cpu" or "cuda", or a torch.device, got {device!r}.'
        )
    try:
        found = torch.device(device)
        torch.zeros(1, device=found).item()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].split(". ")[0].rstrip(".")
        raise ValueError(f'device {device!r} cannot be used: {reason}. Use "cpu", or "auto".') from error
    return found


def check_X(estimator, X):
    """Rows to look at: as in fit, of the shape and dtype seen there."""
    _check_shape(estimator, X)
    X = _validated(estimator, X, reset=False, dtype=estimator._fitted_dtype)
    _check_shape(estimator, X)
    return X


def check_X_y(estimator, X, y, *, reset):
    """Rows and labels; with ``reset`` they set ``n_features_in_``, ``feature_names_in_`` and ``input_shape_``.

    The rows become one contiguous array of the estimator's dtype, with any number of axes.
    """
    if not reset:
        _check_shape(estimator, X)
    dtype = estimator.dtype if reset else estimator._fitted_dtype
    X, y = _validated(estimator, X, y, reset=reset, dtype=dtype)
    _check_labels(y)
    if reset and 0 in X.shape:
        raise ValueError(f"X has samples of shape {X.shape[1:]}: there is nothing in them.")
    if reset:
        estimator.input_shape_, estimator._fitted_dtype = X.shape[1:], dtype
    else:
        _check_shape(estimator, X)
    return X, y


def _validated(estimator, *data, reset, dtype):
    try:
        with np.errstate(over="ignore"):  # float64 beyond float32 becomes infinite, and is told as such
            checked = validate_data(
                estimator,
                *data,
                reset=reset,
                dtype=np.dtype(dtype),
                order="C",
                allow_nd=True,
                ensure_all_finite=False,
            )
    except ValueError as error:
        if "could not convert" in str(error):
            raise ValueError(
                f"X must hold numbers: {error}. Encode text first, for instance with "
                "sklearn.preprocessing.OneHotEncoder."
            ) from error
        raise
    _check_finite(estimator, checked[0] if len(data) == 2 else checked)
    return checked


def _check_finite(estimator, X):
    """scikit-learn's check, after a sum on all cores that mostly makes it needless."""
    if not isfinite(float(as_tensor(X, "cpu").sum())):
        assert_all_finite(X, estimator_name=type(estimator).__name__, input_name="X")


def _check_shape(estimator, X):
    """Where samples have several axes, scikit-learn would speak of features."""
    shape, expected = getattr(X, "shape", ())[1:], estimator.input_shape_
    if shape and shape != expected and (len(shape) > 1 or len(expected) > 1):
        raise ValueError(
            f"X has samples of shape {shape}, but {type(estimator).__name__} was fitted with samples of shape "
            f"{expected}."
        )


def _check_labels(y):
    if y.dtype.kind == "O" and all(isinstance(label, str) for label in y):
        return
    if y.dtype.kind not in "biufU":
        kinds = ", ".join(sorted({type(label).__name__ for label in y.tolist()}))
        raise ValueError(
            f"Unknown label type: y must hold strings, numbers or booleans, of one kind; got {kinds} "
            f"(dtype {y.dtype})."
        )
    check_classification_targets(y)


def encode(y, classes, name="y"):
    """Positions of the labels ``y`` in the sorted ``classes``.

    Raises
    ------
    ValueError
        If a label is not among them.
    """
    comparable = (y.dtype.kind in "UO") == (classes.dtype.kind in "UO")
    unseen = np.setdiff1d(y, classes) if comparable else np.unique(y)
    if len(unseen):
        raise ValueError(
            f"{name} holds labels unseen at fit: {_some(unseen)}; the classes are {_some(classes)}."
        )
    return np.searchsorted(classes, y)


def check_two_classes(classes, what="y", hint=""):
    """There is nothing to tell apart with one class."""
    if len(classes) < 2:
        raise ValueError(
            f"Classification needs at least 2 classes, but {what} holds one class only: {_some(classes)}.{hint}"
        )


def check_sample_weight(sample_weight, X):
    """Weights (n_samples,) in float64, ones for None."""
    try:
        return _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    except ValueError as error:
        if "could not convert" in str(error):
            raise ValueError(f"sample_weight must hold numbers: {error}.") from error
        raise


def combine_weights(sample_weight, class_weight, positions, classes, one_class_will_do=False):
    """Weights of the samples, float64 and with a mean of one over the positive ones; None for equal ones.

    Raises
    ------
    ValueError
        For no positive weight, positive ones in one class only, or a ``class_weight`` of other classes.
    """
    weight = sample_weight * _weights_of_classes(class_weight, positions, classes)
    used = weight > 0
    if not used.any():
        raise ValueError("Every sample has weight zero: there is nothing to learn from.")
    if not one_class_will_do:
        check_two_classes(classes[np.unique(positions[used])], "y, where weights are greater than zero,")
    return None if np.ptp(weight) == 0 else weight / weight[used].mean()


def _weights_of_classes(class_weight, positions, classes):
    if not isinstance(class_weight, Mapping):
        return compute_sample_weight(class_weight, positions)
    labels = classes.tolist()
    unknown = [label for label in class_weight if label not in labels]
    if unknown and len(class_weight) - len(unknown) < len(labels):
        raise ValueError(f"class_weight names {_some(unknown)}, but the classes are {_some(classes)}.")
    return np.array([float(class_weight.get(label, 1)) for label in labels])[positions]


def split_off(positions, fraction, seed):
    """Rows to train on and rows to validate with, in order and stratified.

    Raises
    ------
    ValueError
        If a class would have no sample to train on.
    """
    rows = np.arange(len(positions))
    try:
        train, validation = train_test_split(rows, test_size=fraction, stratify=positions, random_state=seed)
    except ValueError:
        train = rows[:0]
    if not np.isin(positions, positions[train]).all():
        raise ValueError(
            f"validation_fraction={fraction} cannot be held out of {len(rows)} samples, of which the smallest class "
            f"has {np.unique(positions, return_counts=True)[1].min()}: every class needs samples on either side. Take "
            "another fraction, or give X_val and y_val."
        )
    return np.sort(train), np.sort(validation)


def check_validation_pair(X_val, y_val):
    """Validation data come in pairs."""
    if (X_val is None) != (y_val is None):
        given, missing = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
        raise ValueError(f"{given} was given without {missing}: validation needs both.")


def check_module(module, loss, data, n_classes):
    """Try the module on two rows: it must give a score for each class, from which the loss can be learned.

    Raises
    ------
    ValueError
        If it fails, or gives anything else.
    """
    rows, target = data.X[:2].clone(), data.y[:2]
    with untouched_generators(rows.device):
        with torch.no_grad(), evaluation_mode(module):
            _try(module, rows, n_classes)
        trial = copy.deepcopy(module).train()
        _try_to_learn(trial, loss, rows, target, n_classes)


def _try_to_learn(trial, loss, rows, target, n_classes):
    with torch.enable_grad():
        scores = _try(trial, rows, n_classes)
        with _told(
            f"loss cannot be computed from scores of shape {tuple(scores.shape)} and their class positions"
        ):
            values = loss.per_sample(scores, target)
        if values.shape != target.shape:
            raise ValueError(
                f"loss must give one value for each of {len(rows)} samples, gives {tuple(values.shape)}."
            )
        if not values.requires_grad:
            raise ValueError(
                "The loss does not depend on the parameters of module in a way that torch can differentiate: look for "
                "detach, no_grad or argmax in the module and in the loss."
            )


def _try(module, rows, n_classes):
    with _told(f"module cannot process a batch of shape {tuple(rows.shape)}"):
        scores = first_output(module(rows))
    shape = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
    if shape != (len(rows), n_classes):
        raise ValueError(
            f"module must give a score for each of the {n_classes} classes, shape ({len(rows)}, {n_classes}) for "
            f"{len(rows)} samples, but gives {shape}."
        )
    if rows._version:
        raise ValueError("module writes into its input: begin it with an operation that is not in place.")
    return scores


def _some(values, most=10):
    shown = ", ".join(repr(v.item() if isinstance(v, np.generic) else v) for v in values[:most])
    return f"[{shown}{', ...' if len(values) > most else ''}]"
