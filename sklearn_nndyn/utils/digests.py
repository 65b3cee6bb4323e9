"""A digest of values, equal in every process for equal values: of parameters, objects, code, arrays and networks."""

import hashlib
import inspect
import json
from functools import lru_cache, partial
from types import BuiltinFunctionType, CodeType, FunctionType, MethodType, ModuleType

import numpy as np
import torch
from sklearn.base import BaseEstimator

from sklearn_nndyn.utils.rows.arrays import chunks_of

SIZE = 16
NAMED = (type, BuiltinFunctionType, ModuleType, np.ufunc)


def digest_of(value, name):
    """A digest of plain data, arrays, tensors, functions, classes, modules, estimators, and objects made of those.

    ValueError, with the ``name`` of the value, where an object cannot be told from others of its class.
    """
    return hashlib.blake2b(_Describer(name)(value), digest_size=SIZE).hexdigest()


def digest_of_rows(X):
    """A digest of rows: a tensor, or what stands for one, read a chunk at a time; of several arrays by name."""
    if hasattr(X, "fields"):
        return digest_of({name: digest_of_rows(own) for name, own in X.fields.items()}, "X")
    # twice as fast as BLAKE2 on processors that have instructions for it
    digest = hashlib.sha256(f"{tuple(X.shape)} {X.dtype}".encode())
    for chunk in chunks_of(X):
        values = chunk.cpu().resolve_conj().contiguous()
        digest.update(values.reshape(-1).view(torch.uint8).numpy())
    return digest.hexdigest()[: 2 * SIZE]


class _Describer:
    """Bytes for a value; objects inside of which it lies are not entered again."""

    def __init__(self, name):
        self.name, self.inside = name, []

    def __call__(self, value):
        kind = type(value)
        if value is None or kind in (bool, int, float, str, complex):
            return json.dumps([kind.__name__, repr(value)]).encode()
        if any(value is outer for outer in self.inside):
            return b"itself"
        self.inside.append(value)
        try:
            return self._digest(kind.__qualname__, *self._parts(value))
        finally:
            self.inside.pop()

    @staticmethod
    def _digest(*parts):
        digest = hashlib.blake2b(digest_size=SIZE)
        for part in parts:
            part = part.encode() if isinstance(part, str) else part
            digest.update(f"{len(part)}:".encode() + part)
        return digest.digest()

    def _parts(self, value):
        if isinstance(value, NAMED):
            return [_name_of(value)]
        if isinstance(value, np.generic):
            return [self(value.item())] if not isinstance(value.item(), np.generic) else [repr(value)]
        if isinstance(value, np.ndarray):
            return self._parts_of_array(value)
        if isinstance(value, dict):
            return sorted(self._digest(self(key), self(item)) for key, item in value.items())
        if isinstance(value, (set, frozenset)):
            return sorted(map(self, value))
        if isinstance(value, (list, tuple, range)):
            return list(map(self, value))
        if isinstance(value, bytes):
            return [value]
        if isinstance(value, CodeType):
            return [value.co_code, *map(self, (value.co_consts, value.co_names, value.co_varnames))]
        if isinstance(value, FunctionType):
            inner = [cell.cell_contents for cell in value.__closure__ or ()]
            return [
                _name_of(value),
                *map(self, (value.__code__, value.__defaults__, value.__kwdefaults__, inner)),
            ]
        if isinstance(value, MethodType):
            return [self(value.__self__), self(value.__func__)]
        if isinstance(value, partial):
            return [self(value.func), self(value.args), self(value.keywords)]
        return self._parts_of_object(value)

    def _parts_of_array(self, value):
        if value.dtype.hasobject:
            return [str(value.shape), self(value.tolist())]
        return [
            value.dtype.str,
            str(value.shape),
            np.ascontiguousarray(value).reshape(-1).view(np.uint8).data,
        ]

    def _parts_of_object(self, value):
        name = _name_of(type(value))
        if hasattr(value, "detach") and hasattr(value, "numpy"):
            return [name, str(value.dtype), digest_of_rows(value.detach().reshape(-1))]
        if hasattr(value, "named_modules"):
            return [name, repr(value), self(dict(value.state_dict())), self(_attributes_of_parts(value))]
        if isinstance(value, BaseEstimator):
            return [name, self(value.get_params(deep=False))]
        if hasattr(value, "get_params"):  # a skorch callback, whose other attributes change in training
            return [name, self({own: getattr(value, own, None) for own in parameters_of(type(value))})]
        if hasattr(value, "get_state"):
            return [name, self(value.get_state())]
        if hasattr(value, "__dict__"):
            return [name, self(vars(value))]
        if hex(id(value)) in repr(value).lower() or " at 0x" in repr(value):
            raise ValueError(
                f"checkpoint: {self.name} holds {value!r}, which cannot be told from others of its class in another "
                "process: give it attributes, or leave checkpoint out."
            )
        return [name, repr(value)]


@lru_cache(maxsize=64)
def parameters_of(kind):
    """Names of the parameters that objects of a class are made with."""
    return tuple(inspect.signature(kind).parameters)


def _attributes_of_parts(module):
    """The attributes of a module's parts beside tensors and parts, so that its settings count, and its mode."""
    return [
        {name: value for name, value in vars(part).items() if not name.startswith("_")}
        for _, part in module.named_modules()
    ]


def _name_of(value):
    return f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', repr(value))}"
