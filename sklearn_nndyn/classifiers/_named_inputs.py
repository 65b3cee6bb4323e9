"""A dict of arrays as X: each checked by itself, and all together."""

from collections.abc import Mapping

import numpy as np
import torch
from scipy.sparse import issparse
from sklearn.utils import assert_all_finite

from sklearn_nndyn.utils.rows.arrays import (
    ArrayRows,
    Rows,
    SparseRows,
    chunks_of,
    fits_torch,
    tensor_of,
    whole,
)
from sklearn_nndyn.utils.rows.given import as_rows
from sklearn_nndyn.utils.rows.memory_maps import memory_map_of
from sklearn_nndyn.utils.rows.named import NamedRows, check_names


def named_rows(X, dtype, expected=None):
    """The arrays of a dict as rows: floats in ``dtype``, everything else in its own; or in what each was in fit.

    Parameters
    ----------
    X : Mapping of array-likes
    dtype : str, or tuple of pairs
        That of floats; or (name, dtype) of each array in fit.
    expected : dict of tuples, optional
        {name: shape of one sample} seen in fit.

    Returns
    -------
    rows : NamedRows

    Raises
    ------
    ValueError
        For other names or shapes than expected, numbers that the dtype in fit does not hold, arrays of different
        lengths, and what is no array of numbers.
    """
    check_names(X)
    if expected is not None and set(X) != set(expected):
        raise ValueError(f"X has {_listed(X)}, but was fitted with {_listed(expected)}.")
    if isinstance(dtype, str):
        fields = {name: _field(name, X[name], dtype) for name in expected or X}
    else:
        fields = {name: _field_as_in_fit(name, X[name], own) for name, own in dtype}
    lengths = {name: len(values) for name, values in fields.items()}
    if len(set(lengths.values())) > 1:
        given = ", ".join(f"{name} {n}" for name, n in lengths.items())
        raise ValueError(f"The arrays of X must have one row for each sample each, got {given}.")
    rows = NamedRows(fields)
    for name, shape in rows.input_shape.items():
        if expected is not None and shape != tuple(expected[name]):
            raise ValueError(
                f"X[{name!r}] has samples of shape {shape}, but was fitted with samples of shape {expected[name]}."
            )
    return rows


def check_is_named(X, expected):
    """A dict where one was fitted, and nothing else there.

    Raises
    ------
    ValueError
        Says what was fitted.
    """
    if isinstance(expected, Mapping) and (issparse(X) or not isinstance(X, (Mapping, NamedRows))):
        raise ValueError(f"X must be a dict of {_listed(expected)}, as in fit; got {type(X).__name__}.")
    if isinstance(X, Mapping) and not isinstance(expected, Mapping):
        raise ValueError(f"X must be one array, as in fit; got a dict of {_listed(X)}.")


def _field_as_in_fit(name, values, dtype):
    wanted = getattr(torch, dtype)
    field = _field(name, values, dtype if wanted.is_floating_point else "float64")
    if field.dtype == wanted:
        return field
    if wanted.is_floating_point:
        return field.to(wanted)
    given = whole(field)
    found = given.to(wanted)
    lost = given[found.to(given.dtype) != given]
    if len(lost):
        raise ValueError(
            f"X[{name!r}] was fitted in {dtype}, and this one holds {lost[0].item()}, which is no such number."
        )
    return found


def _field(name, values, dtype):
    what = f"X[{name!r}]"
    if isinstance(values, Rows):
        return _large_field(values, dtype, what)
    array = as_rows(values, what)
    if issparse(array):
        assert_all_finite(_in_floats(array.data, dtype), input_name=what)
        return SparseRows(array if fits_torch(array.dtype) else array.astype(dtype), getattr(torch, dtype))
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{what} must hold numbers, a row for each sample; got dtype {array.dtype}.")
    if not len(array):
        raise ValueError(f"{what} must hold a row for each sample; got an array of shape {array.shape}.")
    if array.dtype.kind != "f":
        return tensor_of(np.ascontiguousarray(array, _integer_dtype(array)))
    if memory_map_of(array) is not None and fits_torch(array.dtype):
        return _finite(ArrayRows(array, getattr(torch, dtype)), what)
    array = np.ascontiguousarray(_in_floats(array, dtype))
    assert_all_finite(array, input_name=what)
    return tensor_of(array)


def _in_floats(array, dtype):
    with np.errstate(over="ignore"):  # beyond the dtype lies infinity, and that is refused
        return array.astype(dtype, copy=False)


def _large_field(rows, dtype, what):
    if not rows.is_floating_point():
        return rows
    return _finite(rows.to(getattr(torch, dtype)), what)


def _finite(rows, what):
    for chunk in chunks_of(rows):
        assert_all_finite(chunk.numpy(), input_name=what)
    return rows


def _integer_dtype(array):
    """Its own; torch does little with unsigned numbers wider than a byte."""
    return np.int64 if array.dtype.kind == "u" and array.dtype.itemsize > 1 else array.dtype.newbyteorder("=")


def _listed(names):
    return ", ".join(map(repr, names))
