"""A safetensors file of samples, whose arrays a JSON text describes, with a digest over both."""

import hashlib
from typing import NamedTuple

import numpy as np

from sklearn_nndyn.dynamics.files._json import from_json, to_json
from sklearn_nndyn.dynamics.files._labels import check_label_bytes
from sklearn_nndyn.dynamics.files._safetensors import map_safetensors, read_safetensors, write_safetensors

UNSOUND = (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError)


class FileKind(NamedTuple):
    """What a file holds.

    Parameters
    ----------
    noun : str
        What it is called: ``"record"``.
    format, version : str, int
        Format name and version in the file; a file of a newer version is refused.
    written_by : str
        The method that writes such files.
    """

    noun: str
    format: str
    version: int
    written_by: str

    def not_as_saved(self, path, error) -> str:
        """What is said of a file whose content makes no such thing."""
        return f"{path} does not hold the {self.noun} that was saved: {error}"


def write_described(path, kind, description, tensors):
    """Write arrays {str: array} and their description, plain data; each array in the order of its memory."""
    text = to_json(description)
    check_label_bytes(description, tensors, len(text) + _bytes_of(tensors))
    tensors = {name: np.ascontiguousarray(a, dtype=a.dtype.newbyteorder("=")) for name, a in tensors.items()}
    metadata = {"format": kind.format, "version": str(kind.version)}
    write_safetensors(path, tensors, {**metadata, kind.noun: text, "digest": digest(text, tensors)})


def read_described(path, kind, build, lazy=False):
    """``build(description, arrays)`` of a file; what goes wrong in it is a ValueError that names the file.

    With ``lazy`` the arrays stay in the file, and are not compared with the digest, for which all would be read.
    """
    metadata, tensors = (map_safetensors if lazy else read_safetensors)(path)
    _check_format(path, metadata, kind)
    try:
        text = metadata[kind.noun]
        if not lazy and metadata["digest"] != digest(text, tensors):
            raise ValueError("its digest differs, so it was changed or damaged after it was saved.")
        description = from_json(text)
        check_label_bytes(description, tensors, len(text) + _bytes_of(tensors))
        return build(description, tensors)
    except UNSOUND as error:
        raise ValueError(kind.not_as_saved(path, error)) from error


def _check_format(path, metadata, kind):
    if metadata.get("format") != kind.format or not {"version", kind.noun, "digest"} <= set(metadata):
        raise ValueError(
            f"{path} is a safetensors file, but not of a {kind.noun}: those are written by {kind.written_by}."
        )
    version = str(metadata["version"])
    if not version.isdecimal():
        raise ValueError(f"{path} has the format version {version!r}, which is no number.")
    if int(version) > kind.version:
        raise ValueError(
            f"{path} has format version {version}, newer than {kind.version}, the newest known here: "
            "load it with a newer sklearn_nndyn."
        )


def _bytes_of(tensors):
    return sum(array.nbytes for array in tensors.values())


def digest(text, tensors):
    """A digest of the description and of all arrays with their names, types and shapes."""
    digest = hashlib.blake2b(text.encode(), digest_size=32)
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8))
    return digest.hexdigest()
