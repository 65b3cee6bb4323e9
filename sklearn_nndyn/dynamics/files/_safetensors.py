"""Safetensors files: written whole or not at all, and read by one opening, or mapped."""

import json
import struct
from contextlib import contextmanager

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from sklearn_nndyn.utils.files import check_regular, replaced_file, user_path

TYPES = {
    **{f"F{8 * size}": f"<f{size}" for size in (2, 4, 8)},
    **{f"I{8 * size}": f"<i{size}" for size in (1, 2, 4, 8)},
    **{f"U{8 * size}": f"<u{size}" for size in (1, 2, 4, 8)},
    "BOOL": "?",
}
TRIES = 10  # of opening a file that others replace
AGAIN = "Save the record again, or fetch the whole file."
TOO_LARGE = "header too large"  # what the library says of text, zip files, pickles and the like
OTHER_KIND = (
    "It is a file of another kind, or a pointer to one: give what Dynamics.save or DynamicsLog.save wrote."
)


def write_safetensors(path, tensors, metadata):
    """Write arrays {str: array} and texts {str: str}; ``path`` holds the old content or the new, never part of one."""
    try:
        with replaced_file(path) as place:
            save_file(tensors, place, metadata=metadata)
    except SafetensorError as error:
        raise OSError(f"{path} could not be written: {error}") from error


def read_safetensors(path):
    """The texts {str: str} and arrays {str: array} of a safetensors file.

    The library checks lengths, names and types against the size of the file. What it leaves to NumPy, such as
    types that NumPy lacks, comes as whatever NumPy raises.
    """
    path = user_path(path)
    check_regular(path)
    with _in_words(path), safe_open(path, "np") as file:
        return file.metadata() or {}, {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118


def map_safetensors(path):
    """The same with arrays that stay in the file: read-only views of a memory map."""
    path = user_path(path)
    check_regular(path)
    with _in_words(path):
        for _ in range(TRIES):
            found = _mapped(path)
            if found is not None:
                return found
        raise ValueError("its header says two things, or it is written all the time")


def _mapped(path):
    """Texts and arrays, None where the file was replaced between the two openings."""
    with safe_open(path, "np") as file:  # checks all but what is in the arrays
        metadata = file.metadata() or {}
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        entries = json.loads(file.read(length))
        mapped = np.memmap(file, np.uint8, mode="r")
    if (entries.pop("__metadata__", None) or {}) != metadata:
        return None
    return metadata, {name: _view(mapped[8 + length :], entry) for name, entry in entries.items()}


def _view(data, entry):
    start, stop = entry["data_offsets"]
    return data[start:stop].view(TYPES[entry["dtype"]]).reshape(entry["shape"])


@contextmanager
def _in_words(path):
    try:
        yield
    except (SafetensorError, ValueError, TypeError, AttributeError, LookupError) as error:
        advice = OTHER_KIND if TOO_LARGE in str(error) else AGAIN
        raise ValueError(f"{path} cannot be read as safetensors: {error}. {advice}") from error
