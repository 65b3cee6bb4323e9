"""What people hand in as arrays, made ready for scikit-learn's checks.

Refused is what those checks let pass with a meaning that nobody has in mind (masked entries, dates as numbers), or
refuse in words that are not about what was handed in.
"""

from collections.abc import Mapping, Sized

import numpy as np
import torch
from scipy.sparse import issparse

MIXED = "y must hold strings, numbers or booleans, of one kind; got"


def as_numbers(values, name):
    """Something like an array of numbers, tensors as arrays; ``name`` is the argument, for messages."""
    if type(values) is np.ndarray and values.dtype.kind in "fiub":
        return values
    values = _array_of(values, name)
    _check_kinds(values, name)
    if isinstance(values, (list, tuple)):
        return _of_list(values, name)
    return values


def as_rows(values, name):
    """Something like an array of numbers with a row for each sample, as an array or a CSR matrix.

    Parameters
    ----------
    values : array-like, DataFrame, tensor or sparse matrix
    name : str
        The argument, for messages.

    Returns
    -------
    rows : ndarray or sparse matrix
        Nullable types as the plain ones.

    Raises
    ------
    TypeError, ValueError
    """
    values = as_numbers(values, name)
    if issparse(values):
        return values.tocsr()
    dtypes = [getattr(dtype, "numpy_dtype", None) for dtype in _dtypes_of(values)]
    if all(isinstance(dtype, np.dtype) and dtype.kind in "biuf" for dtype in dtypes):
        if bool(np.any(np.asarray(values.isna()))):
            raise ValueError(f"Input {name} contains NaN: some values are missing.")
        return values.to_numpy(dtype=np.result_type(*dtypes))
    array = np.asarray(values)
    if array.ndim == 0:
        raise ValueError(f"{name} must hold a row for each sample; got an array of shape ().")
    return array


def as_labels(y, name="y"):
    """Something like an array of labels: nullable types as the plain ones, where nothing is missing.

    Parameters
    ----------
    y : array-like
    name : str, default="y"

    Returns
    -------
    y : object

    Raises
    ------
    TypeError, ValueError
    """
    if y is None or issparse(y):
        return y  # scikit-learn says what is wrong
    y = _plain(_array_of(y, name), name)
    if isinstance(y, (list, tuple)):
        _of_list(y, name)
        _check_one_kind(y, name)
    shape = getattr(y, "shape", ())
    if len(shape) > 2 or (len(shape) == 2 and shape[1] > 1):
        raise ValueError(
            f"{name} should be a 1d array, got an array of shape {shape}: it must hold one label for each sample. Of "
            "one-hot rows take y.argmax(axis=1); several labels for a sample cannot be learned."
        )
    return y


def _array_of(values, name):
    """Tensors as arrays; what is no array of any kind is refused."""
    if isinstance(values, torch.Tensor):
        return _of_tensor(values, name)
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.is_masked(values):
            raise ValueError(
                f"{name} is a masked array with {np.ma.count_masked(values)} masked entries, whose values would be "
                f"used: fill them, {name}.filled(...), or leave those rows out."
            )
        return values.data
    if not _is_array_like(values):
        is_text = isinstance(values, (str, bytes, Mapping))
        hint = f": give list({name})" if hasattr(values, "__iter__") and not is_text else ""
        raise TypeError(f"{name} must be an array, a table or a list, got {_shown(values)}{hint}.")
    return values


def _is_array_like(values):
    if isinstance(values, (str, bytes, set, frozenset, Mapping)):
        return issparse(values)  # one by keys is a dict
    has_shape = isinstance(getattr(values, "shape", None), tuple)
    has_items = isinstance(values, Sized) and hasattr(
        type(values), "__getitem__"
    )  # a view of a dict has none
    return has_items or has_shape or hasattr(type(values), "__array__")


def _shown(values):
    """A short value as it is, else its type."""
    plain = isinstance(values, (str, bytes, int, float, type(None)))
    return repr(values) if plain and len(repr(values)) < 60 else f"a {type(values).__name__}"


def _of_tensor(values, name):
    if values.is_meta:
        raise ValueError(f"{name} is a tensor on the meta device, which holds no values.")
    if values.layout is not torch.strided:
        raise TypeError(f"{name} is a sparse tensor: give {name}.to_dense(), or a matrix of scipy.sparse.")
    values = values.detach().cpu().resolve_conj()
    return (values.float() if _is_narrow(values.dtype) else values).numpy()


def _is_narrow(dtype):
    """Whether this is a kind of floats that NumPy lacks: bfloat16, and those of eight bits."""
    return dtype.is_floating_point and dtype not in (torch.float16, torch.float32, torch.float64)


def _check_kinds(values, name):
    """Refuse dates, fields, complex numbers, and columns of one name."""
    columns = getattr(values, "columns", None)
    if hasattr(columns, "is_unique") and not columns.is_unique:
        repeated = ", ".join(map(repr, columns[columns.duplicated()].unique()))
        raise ValueError(
            f"{name} has several columns of the name {repeated}: rename them, or give {name}.to_numpy()."
        )
    for dtype in _dtypes_of(values):
        kind = getattr(dtype, "kind", "")
        if kind in ("M", "m") or str(dtype).lower().startswith(("date", "time", "duration")):
            raise ValueError(
                f"{name} must hold numbers, but holds dates or times ({dtype}): make numbers of them that mean "
                "something, for instance days since the first."
            )
        if kind == "c":
            raise ValueError(
                f"{name}: Complex data not supported (dtype {dtype}): give the real part, the absolute value, or both "
                "parts as columns."
            )
        if getattr(dtype, "names", None):
            raise ValueError(
                f"{name} must hold numbers, but is a structured array with fields {', '.join(dtype.names)}: give "
                f"numpy.lib.recfunctions.structured_to_unstructured({name})."
            )


def _dtypes_of(values):
    """The dtype of each column of a table, or of an array."""
    dtypes = getattr(values, "dtypes", None)
    if dtypes is None or not hasattr(values, "columns"):
        return [getattr(values, "dtype", None)]
    return list(dtypes)


def _of_list(values, name):
    """Nested lists of numbers as an array, which has a dtype; refused where rows are not of one length."""
    if (
        values
        and type(values[0]) is tuple
        and any(getattr(part, "ndim", 0) or isinstance(part, Mapping) for part in values[0])
    ):
        raise TypeError(
            f"{name} is a list of tuples with arrays, which is what splitters cut a Dataset into: give them "
            "skorch.helper.SliceDataset(dataset), and the labels beside it."
        )
    if any(map(issparse, values)):
        raise TypeError(f"{name} is a list of sparse matrices: give one, scipy.sparse.vstack({name}).")
    if any(isinstance(value, Mapping) for value in values):
        raise TypeError(
            f"{name} is a list of dicts: give one dict of arrays, each with a row for each sample, or a torch Dataset "
            "that gives the dicts."
        )
    if any(isinstance(value, torch.Tensor) for value in values):
        values = [_of_tensor(value, name) if isinstance(value, torch.Tensor) else value for value in values]
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(
            f"{name} must have rows of one length, but is a list of an inhomogeneous shape: {error}"
        ) from error
    except TypeError:
        return values  # of what scikit-learn converts, or refuses
    return array if array.dtype.kind in "biuf" else values


def _plain(y, name):
    """Labels in a dtype of NumPy, refused where some are missing."""
    if hasattr(y, "isna") and bool(np.any(np.asarray(y.isna()))):
        raise ValueError(
            f"Input {name} contains NaN: every sample needs a label, and some of {name} are missing."
        )
    numpy_dtype = getattr(getattr(y, "dtype", None), "numpy_dtype", None)
    if hasattr(y, "to_numpy") and numpy_dtype is not None and np.dtype(numpy_dtype).kind in "biuf":
        return y.to_numpy(dtype=numpy_dtype)
    if getattr(y, "dtype", None) == np.longdouble:
        return np.asarray(y).astype(np.float64)
    dtype = getattr(y, "dtype", None)
    if isinstance(dtype, np.dtype) and dtype.kind == "O" and hasattr(y, "to_numpy"):
        y = y.to_numpy()
    if isinstance(y, np.ndarray) and y.dtype.kind == "T":  # NumPy's strings of any length
        y = y.astype(object)
    if isinstance(y, np.ndarray) and y.dtype == object and y.ndim == 1:
        return _of_objects(y, name)
    return y


def _of_objects(y, name):
    """Whole numbers and booleans in a dtype of their own; strings as they are."""
    kinds = {bool if isinstance(label, (bool, np.bool_)) else type(label) for label in y}
    if (
        kinds
        and all(issubclass(kind, (int, np.integer)) for kind in kinds)
        and len({k is bool for k in kinds}) == 1
    ):
        return np.array(y.tolist())
    _check_one_kind(y, name)
    return y


def _check_one_kind(y, name):
    kinds = sorted({type(label).__name__ for label in y})
    if any(isinstance(label, str) for label in y) and not all(isinstance(label, str) for label in y):
        raise ValueError(
            f"Unknown label type: {MIXED.replace('y', name, 1)} {', '.join(kinds)} (dtype object)."
        )
