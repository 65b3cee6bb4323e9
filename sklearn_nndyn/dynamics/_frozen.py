"""Read-only arrays and dictionaries."""

from collections.abc import Mapping

import numpy as np

from sklearn_nndyn.dynamics._fields import PER_LAYER


class ReadOnlyDict(dict):
    """A dictionary that refuses to be changed; ``dict(it)`` is a copy that can be."""

    def _refuse(self, *args, **kwargs):
        raise TypeError("a record is read-only; change a copy: dict(...)")

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _refuse

    def __reduce__(self):
        return ReadOnlyDict, (dict(self),)


def read_only(values):
    """A view of ``values`` that cannot be written to; arrays are not copied."""
    view = np.asarray(values).view()
    view.flags.writeable = False
    return view


def plain(value):
    """Read-only data that JSON can tell: None, numbers, text, tuples, dictionaries; else a value's repr.

    NumPy scalars become Python's, arrays and lists tuples. What a header holds is thus the same before and
    after it was saved, and nothing in it can be changed.
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return ReadOnlyDict({plain(key): plain(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(plain(item) for item in value)
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return None if value is None else repr(value)


def frozen_field(name, value):
    """The value of a field of a record, made read-only; what is of the wrong type stays as it is."""
    if name == "header" or name in PER_LAYER:
        freeze = plain if name == "header" else _read_only_layers
        value = {} if value is None else value
        return freeze(value) if isinstance(value, Mapping) else value
    if value is None and name not in ("y", "classes", "epochs"):
        return None
    array = np.asarray(value)
    if name in ("epochs", "iterations") and _is_whole(array):
        array = array.astype(np.int64, copy=False)
    return read_only(array)


def _is_whole(array):
    return array.dtype.kind in "iu" or (
        array.dtype.kind == "f" and bool((np.isfinite(array) & (array % 1 == 0)).all())
    )


def _read_only_layers(arrays):
    return ReadOnlyDict({layer: read_only(array) for layer, array in arrays.items()})
