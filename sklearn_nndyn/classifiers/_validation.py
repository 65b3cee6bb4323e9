"""Everything a user can get wrong in the data, found before training starts."""

from collections.abc import Mapping
from math import isfinite

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils import assert_all_finite, compute_sample_weight
from sklearn.utils import check_X_y as check_lengths_and_labels
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, validate_data

from sklearn_nndyn.training import as_tensor

SEEN_IN_X = ("n_features_in_", "feature_names_in_")


def check_X(estimator, X):
    """Rows to predict: as in fit, of the shape and dtype seen there."""
    _check_shape(estimator, X)
    X = _validated(estimator, X, reset=False, dtype=estimator._state.dtype)
    _check_shape(estimator, X)
    return X


def check_X_y(estimator, X, y):
    """Labelled rows to record: as in fit, of the shape and dtype seen there."""
    return check_rows_and_labels(estimator, X, y, dtype=estimator._state.dtype, reset=False, shared={})


def check_rows_and_labels(scratch, X, y, *, dtype, reset, shared):
    """Rows and labels; the rows become one contiguous array of ``dtype``, with any number of axes.

    Parameters
    ----------
    scratch : DynamicsClassifier
        With ``reset`` it is given ``n_features_in_`` and ``feature_names_in_``; without, its ``input_shape_`` is to be
        met.
    X, y : array-like
    dtype : str
    reset : bool
    shared : dict
        Kept between calls: the same ``X`` is checked once.
    """
    key = "X", id(X), dtype, reset
    if key not in shared:
        if not reset:
            _check_shape(scratch, X)
        checked, y = _validated(scratch, X, y, reset=reset, dtype=dtype)
        if reset and 0 in checked.shape:
            raise ValueError(f"X has samples of shape {checked.shape[1:]}: there is nothing in them.")
        if not reset:
            _check_shape(scratch, checked)
        _check_labels(y)
        shared[key] = X, checked, {name: getattr(scratch, name, None) for name in SEEN_IN_X}
        return checked, y
    _, checked, seen = shared[key]
    _, y = check_lengths_and_labels(checked, y, dtype=None, allow_nd=True, ensure_all_finite=False)
    _check_labels(y)
    for name, value in seen.items() if reset else ():
        if value is not None:
            setattr(scratch, name, value)
        elif hasattr(scratch, name):
            delattr(scratch, name)
    return checked, y


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


def combine_weights(sample_weight, class_weight, y_encoded, classes, one_class_will_do=False):
    """Weights of the samples, float64 and with a mean of one over the positive ones; None for equal ones.

    Raises
    ------
    ValueError
        For no positive weight, positive ones in one class only, or a ``class_weight`` of other classes.
    """
    weight = sample_weight * _weights_of_classes(class_weight, y_encoded, classes)
    used = weight > 0
    if not used.any():
        raise ValueError("Every sample has weight zero: there is nothing to learn from.")
    if not one_class_will_do:
        check_two_classes(classes[np.unique(y_encoded[used])], "y, where weights are greater than zero,")
    return None if np.ptp(weight) == 0 else weight / weight[used].mean()


def _weights_of_classes(class_weight, y_encoded, classes):
    if not isinstance(class_weight, Mapping):
        return compute_sample_weight(class_weight, y_encoded)
    labels = classes.tolist()
    unknown = [label for label in class_weight if label not in labels]
    if unknown and len(class_weight) - len(unknown) < len(labels):
        raise ValueError(f"class_weight names {_some(unknown)}, but the classes are {_some(classes)}.")
    return np.array([float(class_weight.get(label, 1)) for label in labels])[y_encoded]


def split_off(y_encoded, fraction, seed):
    """Rows to train on and rows to validate with, in order and stratified.

    Raises
    ------
    ValueError
        If a class would have no sample to train on.
    """
    rows = np.arange(len(y_encoded))
    try:
        train, validation = train_test_split(rows, test_size=fraction, stratify=y_encoded, random_state=seed)
    except ValueError:
        train = rows[:0]
    if not np.isin(y_encoded, y_encoded[train]).all():
        raise ValueError(
            f"validation_fraction={fraction} cannot be held out of {len(rows)} samples, of which the smallest class "
            f"has {np.unique(y_encoded, return_counts=True)[1].min()}: every class needs samples on either side. Take "
            "another fraction, or give X_val and y_val."
        )
    return np.sort(train), np.sort(validation)


def check_validation_pair(X_val, y_val):
    """Validation data come in pairs."""
    if (X_val is None) != (y_val is None):
        given, missing = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
        raise ValueError(f"{given} was given without {missing}: validation needs both.")


def _some(values, most=10):
    shown = ", ".join(repr(v.item() if isinstance(v, np.generic) else v) for v in values[:most])
    return f"[{shown}{', ...' if len(values) > most else ''}]"
