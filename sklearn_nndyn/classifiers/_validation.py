"""Everything a user can get wrong in the data, found before training starts.

Longer than 300 lines: many short checks, each with its message, in the order in which they are made.
"""

from collections.abc import Mapping
from math import isfinite

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite
from sklearn.utils import check_X_y as check_lengths_and_labels
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from sklearn_nndyn.classifiers._named_inputs import check_is_named, named_rows
from sklearn_nndyn.training import check_ids, takes_ids
from sklearn_nndyn.utils.networks.devices import refuse_autocast
from sklearn_nndyn.utils.rows.arrays import (
    ArrayRows,
    Rows,
    SparseRows,
    chunks_of,
    fits_torch,
    samples_on,
    tensor_of,
)
from sklearn_nndyn.utils.rows.datasets import DatasetRows, open_dataset, open_labelled
from sklearn_nndyn.utils.rows.given import as_labels, as_numbers
from sklearn_nndyn.utils.rows.memory_maps import memory_map_of
from sklearn_nndyn.utils.rows.named import NamedRows

LARGE_BYTES = 32 * 2**20  # in float32: less is converted at once, which is faster
IDS = "int64"
INTEGERS = ["int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"]
SEEN_IN_X = ("n_features_in_", "feature_names_in_")


def check_X(estimator, X):
    """Rows to predict: as in fit, of the shape and dtype seen there."""
    refuse_autocast()
    X, _ = open_dataset(X, num_workers=estimator.num_workers)
    _check_shape(estimator, X)
    X = _validated(estimator, X, reset=False, dtype=estimator._state.dtype)
    _check_shape(estimator, X)
    if estimator._state.dtype == IDS or isinstance(X, NamedRows):
        check_ids(estimator.module_, samples_on(X, estimator._device))
    return X


def check_X_y(estimator, X, y):
    """Labelled rows to record: as in fit, of the shape and dtype seen there."""
    refuse_autocast()
    X, y = open_labelled(X, y, num_workers=estimator.num_workers)
    return check_rows_and_labels(estimator, X, y, dtype=estimator._state.dtype, reset=False, shared={})


def check_rows_and_labels(scratch, X, y, *, dtype, reset, shared):
    """Rows and labels; the rows become one contiguous array of ``dtype``, with any number of axes.

    With ``reset`` whole numbers stay what they are, until `settle_dtype`.

    Parameters
    ----------
    scratch : DynamicsClassifier
        With ``reset`` it is given ``n_features_in_`` and ``feature_names_in_``; without, its ``input_shape_`` is to be
        met.
    X, y : array-like
    dtype : str
    reset : bool
    shared : dict
        Kept between calls: the same ``X`` is checked once, and the same ``y`` of it.
    """
    key = "X", id(X), dtype, reset
    if key not in shared:
        if not reset:
            _check_shape(scratch, X)
        given = y
        checked, y = _validated(scratch, X, y, reset=reset, dtype=[dtype, *INTEGERS] if reset else dtype)
        if reset and 0 in checked.shape:
            raise ValueError(f"X has samples of shape {checked.shape[1:]}: there is nothing in them.")
        if not reset:
            _check_shape(scratch, checked)
        _check_labels(y)
        shared[key] = X, checked, {name: getattr(scratch, name, None) for name in SEEN_IN_X}
        shared["y", id(checked), id(given)] = given, y
        return checked, y
    _, checked, seen = shared[key]
    y = _labels_once(checked, y, shared)
    for name, value in seen.items() if reset else ():
        if value is not None:
            setattr(scratch, name, value)
        elif hasattr(scratch, name):
            delattr(scratch, name)
    return checked, y


def _labels_once(X, y, shared):
    """Labels of rows that were checked before; the same ``y`` is checked once."""
    key = "y", id(X), id(y)
    if key not in shared:
        checked = _labels_for(X, y)
        _check_labels(checked)
        shared[key] = y, checked
    return shared[key][1]


def settle_dtype(estimator, X, n_classes, shared):
    """Whole numbers as ids, where the module takes them as such, or else in the estimator's dtype.

    Returns
    -------
    X : ndarray or Rows
    dtype : str, or tuple of pairs
        Its dtype, that of all further rows; (name, dtype) of each array of a dict.
    """
    dtype = estimator.dtype
    if isinstance(X, NamedRows):
        return X, X.dtypes
    if isinstance(X, Rows) or X.dtype.kind not in "iu":
        return X, dtype
    countable = X.dtype != np.uint64 or X.max() <= np.iinfo(IDS).max
    if countable and takes_ids(estimator.module, X, n_classes, dtype):
        dtype = IDS
    key = "settled", id(X), dtype
    if key not in shared:
        shared[key] = X, _in_dtype(X, dtype)
    return shared[key][1], dtype


def _in_dtype(X, dtype):
    """The array in this dtype: a copy, or `Rows` where that is not to be made."""
    if X.dtype != dtype and is_kept(X):
        return ArrayRows(X, getattr(torch, str(np.dtype(dtype))))
    return X.astype(dtype, copy=False)


def is_kept(X):
    """Whether X stays as it is, and is converted a batch at a time: large bytes, and large arrays in a file."""
    if not isinstance(X, np.ndarray) or not fits_torch(X.dtype) or 4 * X.size < LARGE_BYTES:
        return False
    return (
        X.dtype.kind == "b" or X.dtype == np.uint8 or (X.dtype.kind in "fiu" and memory_map_of(X) is not None)
    )


def _validated(estimator, *data, reset, dtype, keep=True):
    """X in ``dtype`` (or, of several, the first one, unless it has one of them), and y where it is given."""
    if _is_dict(data[0]):
        return _validated_dict(estimator, *data, reset=reset, dtype=dtype)
    if dtype == IDS:
        return _validated_ids(estimator, *data, reset=reset)
    if isinstance(data[0], DatasetRows):
        return _validated_dataset(estimator, *data, reset=reset, dtype=dtype)
    X, y = as_numbers(data[0], "X"), list(map(as_labels, data[1:]))
    kept = keep and is_kept(X)
    dtypes = [dtype] if isinstance(dtype, str) else dtype
    if issparse(X):
        dtypes = dtypes[:1]
    found = _validated_by_sklearn(
        estimator,
        X,
        *y,
        reset=reset,
        dtype=[*dtypes, X.dtype] if kept else dtypes,
        order=None if kept else "C",
    )
    X, *y = found if y else [found]
    if issparse(X):
        X = SparseRows(X, getattr(torch, dtypes[0]))
    elif kept and X.dtype not in dtypes[1:]:
        X = ArrayRows(X, getattr(torch, dtypes[0]))
    _check_finite(estimator, X)
    return (X, *y) if y else X


def _is_dict(X):
    """Whether X holds arrays by name; a sparse matrix by keys is a Mapping too."""
    return isinstance(X, Mapping) and not issparse(X)


def _validated_dict(estimator, X, *y, reset, dtype):
    dtype = dtype[0] if isinstance(dtype, list) else dtype
    rows = named_rows(X, dtype, None if reset else estimator.input_shape_)
    return (rows, _labels_for(rows, *y)) if y else rows


def _validated_dataset(estimator, X, *y, reset, dtype):
    zeros = np.broadcast_to(np.float32(0), X.shape)  # takes no memory
    validate_data(estimator, zeros, reset=reset, dtype=None, allow_nd=True, ensure_all_finite=False)
    X = X.to(getattr(torch, dtype if isinstance(dtype, str) else dtype[0]))
    _check_finite(estimator, X)
    return (X, _labels_for(X, *y)) if y else X


def _labels_for(X, y):
    """scikit-learn's check of labels, and of their number."""
    rows = np.broadcast_to(np.float32(0), (len(X), 1))
    return check_lengths_and_labels(rows, as_labels(y), dtype=None, ensure_all_finite=False)[1]


def _validated_by_sklearn(estimator, *data, **options):
    try:
        with np.errstate(over="ignore"):  # float64 beyond float32 becomes infinite, and is refused as such
            return validate_data(
                estimator, *data, accept_sparse="csr", allow_nd=True, ensure_all_finite=False, **options
            )
    except ValueError as error:
        if "could not convert" in str(error):
            raise ValueError(
                f"X must hold numbers: {error}. Encode text first, for instance with "
                "sklearn.preprocessing.OneHotEncoder."
            ) from error
        if "setting an array element with a sequence" in str(error):
            raise ValueError(
                "X must hold a number in each cell, but holds lists or arrays: give one array, such as "
                "numpy.stack(list(X)) where all are of one length."
            ) from error
        raise
    except TypeError as error:
        if "argument must be a string or a real number" in str(error):
            raise TypeError(f"X must hold numbers: {error}.") from error
        raise


def _validated_ids(estimator, *data, reset):
    data = _dense(data[0]), *data[1:]
    checked = _validated(estimator, *data, reset=reset, dtype=["float64", *INTEGERS], keep=False)
    X, *y = checked if len(data) == 2 else [checked]
    if X.dtype.kind == "f" and (np.floor(X) != X).any():
        raise ValueError(
            f"{type(estimator).__name__} was fitted with X of whole numbers (ids), and this X holds "
            f"{X[np.floor(X) != X][0]}."
        )
    X = X.astype(IDS, copy=False)
    return (X, *y) if y else X


def _dense(X):
    if isinstance(X, DatasetRows):
        return X[:].numpy()
    return X.toarray() if issparse(X) else X


def _check_finite(estimator, X):
    """scikit-learn's check, after a sum on all cores that mostly makes it needless."""
    for chunk in _floats_of(X):
        if not isfinite(float(chunk.sum())):
            assert_all_finite(chunk.numpy(), estimator_name=type(estimator).__name__, input_name="X")


def _floats_of(X):
    """Tensors of all numbers of X that may be infinite."""
    if isinstance(X, SparseRows):
        return [tensor_of(X.matrix.data)]
    if isinstance(X, ArrayRows):
        return chunks_of(X) if X.array.dtype.kind == "f" else []
    if isinstance(X, DatasetRows):
        return chunks_of(X) if X.first_dtype.is_floating_point else []
    return [tensor_of(X)] if X.dtype.kind == "f" else []


def _check_shape(estimator, X):
    """Refuse other shapes of samples in our words: scikit-learn would speak of features."""
    expected = estimator.input_shape_
    if _is_dict(X) or isinstance(expected, Mapping):
        check_is_named(X, expected)
        return
    shape = getattr(X, "shape", ())[1:]
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


def labels_to_compare(y):
    """Labels that predictions are compared with, of the same kinds as in fit; some may be unseen there."""
    y = as_labels(y)
    if hasattr(y, "columns"):  # a table of one column
        y = np.asarray(y).ravel()
    if y is not None and not issparse(y) and not _are_plain(np.asarray(y)):
        _check_labels(np.asarray(y))
    return y


def _are_plain(y):
    """Whether these are a column of whole numbers, booleans or strings, which are classes whatever they are."""
    return y.ndim == 1 and y.dtype.kind in "biuU"


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
            f"{name} holds labels unseen at fit: {some(unseen)}; the classes are {some(classes)}."
        )
    return np.searchsorted(classes, y)


def check_two_classes(classes, what="y", hint=""):
    """There is nothing to tell apart with one class."""
    if len(classes) < 2:
        raise ValueError(
            f"Classification needs at least 2 classes, but {what} holds one class only: {some(classes)}.{hint}"
        )


def some(values, most=10):
    """Some values for a message, the first of many."""
    shown = ", ".join(repr(v.item() if isinstance(v, np.generic) else v) for v in values[:most])
    return f"[{shown}{', ...' if len(values) > most else ''}]"
