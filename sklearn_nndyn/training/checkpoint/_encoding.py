"""Plain data and arrays as JSON and bytes, and back without loss; nothing is pickled.

What JSON lacks is an object whose only key begins with a dollar; arrays and tensors stand as bytes beside the text.
"""

import json
import math
from collections import Counter, OrderedDict
from functools import cache

import numpy as np
import torch

DICTS = {"dict": dict, "OrderedDict": OrderedDict, "Counter": Counter}
PLAIN = frozenset((bool, int, float, str))
KINDS = "biufcmMSU"  # of arrays that are nothing but their bytes


class CannotSave(TypeError):
    """Something that is no plain data; the message names it."""


def encode(tree, where=""):
    """Text, and arrays of bytes by name, for a tree of plain data.

    That is None, booleans, numbers, strings, NumPy's arrays and numbers, tensors, and lists, tuples, sets and
    dictionaries of those; for anything else CannotSave says what and ``where``.
    """
    encoder = _Encoder()
    try:
        return json.dumps(encoder(tree, where)), encoder.arrays
    except RecursionError:
        raise CannotSave(f"{where} lies within itself, or too deep") from None


class _Encoder:
    """Called for each part of a tree; ``where`` is the way to it, put in words only where it is refused."""

    def __init__(self):
        self.arrays = {}

    def __call__(self, value, *where):
        if value is None or type(value) in PLAIN:
            return value
        if torch.is_tensor(value):
            values = value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy()
            return {"$tensor": [self._keep(values), _name_of(value.dtype), list(value.shape)]}
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype.kind in KINDS:
            kind = "$array" if isinstance(value, np.ndarray) else "$number"
            values = np.ascontiguousarray(value).reshape(-1).view(np.uint8)
            return {kind: [self._keep(values), value.dtype.str, list(value.shape)]}
        return self._collection(value, where)

    def _keep(self, values):
        name = str(len(self.arrays))
        self.arrays[name] = values
        return name

    def _collection(self, value, where):
        kind = type(value)
        if kind in (list, tuple, set):
            items = [self(item, *where, i) for i, item in enumerate(value)]
            return items if kind is list else {f"${kind.__name__}": items}
        if kind is dict and all(type(key) is str and key[:1] != "$" for key in value):
            return {key: self(item, *where, key) for key, item in value.items()}
        if kind in DICTS.values():
            pairs = [[self(key, *where), self(item, *where, key)] for key, item in value.items()]
            return {f"${kind.__name__}": pairs}
        whole = where[0] + "".join(f"[{key!r}]" for key in where[1:])
        raise CannotSave(f"{whole} is of {kind.__qualname__}, which is no plain data")


@cache
def _name_of(dtype):
    return str(dtype).removeprefix("torch.")


def decode(text, arrays):
    """The tree that `encode` made into text and arrays; tensors are on the CPU."""
    return _decoded(json.loads(text), arrays)


def _decoded(value, arrays):
    if isinstance(value, list):
        return [_decoded(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    (key, inner), *more = value.items() or [("", None)]
    if more or not key.startswith("$"):
        return {key: _decoded(item, arrays) for key, item in value.items()}
    if key == "$tensor":
        name, dtype, shape = inner
        return _tensor(arrays[name], getattr(torch, dtype), shape)
    if key in ("$array", "$number"):
        name, dtype, shape = inner
        found = arrays[name].view(dtype).reshape(shape)
        return found.copy() if key == "$array" else found[()]
    items = _decoded(inner, arrays)
    if key[1:] in DICTS:
        return DICTS[key[1:]]({_hashable(name): item for name, item in items})
    return {"$tuple": tuple, "$set": set}[key](items)


def _tensor(values, dtype, shape):
    if values.nbytes != math.prod(shape) * dtype.itemsize:
        raise ValueError(f"{values.nbytes} bytes are no tensor of shape {shape}")
    empty = torch.empty(shape, dtype=dtype)
    empty.reshape(-1).view(torch.uint8).copy_(torch.from_numpy(values.copy()))
    return empty


def _hashable(key):
    return tuple(map(_hashable, key)) if isinstance(key, list) else key
