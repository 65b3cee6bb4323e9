"""Files: written whole or not at all, and read with a clear word for each kind of damage."""

import json
import operator
import os
from pathlib import Path
from uuid import uuid4

from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

AGAIN = "Save the record again, or fetch the whole file."


def write_safetensors(path, tensors, metadata):
    """Write a safetensors file, so that ``path`` holds the old content or the new, never part of one."""
    path = Path(os.path.realpath(Path(path)))
    if path.is_dir():
        raise IsADirectoryError(
            f"{path} is a folder: name a file in it, such as {path / 'record.safetensors'}."
        )
    if not path.parent.is_dir():
        raise FileNotFoundError(f"{path.parent} is not a folder: make it before saving {path.name} there.")
    temporary = path.with_name(f".{uuid4().hex}.tmp")
    try:
        _write_synced(temporary, tensors, metadata)
        os.replace(temporary, path)
    except SafetensorError as error:
        raise OSError(f"{path} could not be written: {error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _write_synced(path, tensors, metadata):
    with open(path, "xb") as file:
        mode = os.fstat(file.fileno()).st_mode
    save_file(tensors, path, metadata=metadata)
    os.chmod(path, mode)  # safetensors keeps its files to their owner; the user's umask decides here
    with open(path, "r+b") as file:
        os.fsync(file.fileno())


def read_metadata(path):
    """The metadata {str: str} of a whole safetensors file; ValueError for one that is not."""
    size = os.stat(path).st_size
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if size < 8 or length > size - 8:
            raise ValueError(
                f"{path} is truncated, or no safetensors file: "
                f"its header claims {length} bytes, but the whole file has {size}. {AGAIN}"
            )
        header = _parsed(path, file.read(length))
    _check_size(path, size, 8 + length + _data_size(path, header))
    return header.get("__metadata__", {})


def _parsed(path, text):
    try:
        header = json.loads(text.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"{path} is no safetensors file: its header is not JSON in UTF-8 ({error})."
        ) from error
    if not isinstance(header, dict) or not isinstance(header.get("__metadata__", {}), dict):
        raise ValueError(f"{path} is no safetensors file: its header is not a JSON object.")
    return header


def _data_size(path, header):
    try:
        arrays = [entry for name, entry in header.items() if name != "__metadata__"]
        return max((operator.index(entry["data_offsets"][1]) for entry in arrays), default=0)
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(
            f"{path} is no safetensors file: its header does not say where its arrays are."
        ) from error


def _check_size(path, size, wanted):
    if size < wanted:
        raise ValueError(f"{path} is truncated: {size} of its {wanted} bytes are there. {AGAIN}")
    if size > wanted:
        raise ValueError(f"{path} is oversized: {size - wanted} bytes follow its last array. {AGAIN}")


def read_tensors(path):
    """The arrays {str: array} of a safetensors file."""
    try:
        return load_file(path)
    except (SafetensorError, KeyError) as error:
        raise ValueError(f"{path} cannot be read as safetensors: {error}. {AGAIN}") from error
