"""One line that stands for all that a record holds."""

import hashlib
from dataclasses import fields

import numpy as np

from sklearn_nndyn.dynamics import Dynamics


def digest_of(record: Dynamics) -> str:
    """Digest of the arrays and the header of a record, 32 hexadecimal digits; the same wherever it is kept."""
    digest = hashlib.blake2b(digest_size=16)
    for field in fields(record):
        value = getattr(record, field.name)
        for name, array in _named(field.name, value):
            digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            digest.update(_bytes(array))
    digest.update(repr(sorted(record.header.items())).encode())
    return digest.hexdigest()


def _named(name, value):
    if isinstance(value, np.ndarray):
        yield name, value
    elif hasattr(value, "items") and name != "header":
        yield from ((f"{name}/{layer}", array) for layer, array in value.items())


def _bytes(array):
    if array.dtype.kind in "OU":
        return "\n".join(map(str, array.ravel().tolist())).encode()
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)
