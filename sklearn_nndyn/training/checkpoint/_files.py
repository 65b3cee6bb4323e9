"""The two files of a place: a state, replaced as a whole, and a journal, which only grows.

Each state says how much of the journal belongs to it. What a killed process wrote beyond that is not read.
"""

import hashlib
import json
import os
import struct

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save, save_file

from sklearn_nndyn.training.checkpoint._encoding import decode, encode
from sklearn_nndyn.utils.files import replaced_file_of_one_writer

FORMAT, VERSION = "sklearn_nndyn.checkpoint", 2
MOST_JOINED = 2**22  # bytes of arrays that are copied for it
PIECE_BYTES = 2**20
LENGTH = struct.Struct("<Q")
UNSOUND = (
    SafetensorError,
    OSError,
    LookupError,
    TypeError,
    AttributeError,
    ValueError,
    ArithmeticError,
    RuntimeError,
)


def write_state(path, tree, epoch, finished):
    """Write a tree of plain data; the file holds the old one or the new, never part of one.

    ``epoch`` and ``finished`` can be read without the rest.
    """
    text, arrays = _joined(*encode(tree))
    about = {
        "epoch": str(epoch),
        "finished": str(finished),
        "format": FORMAT,
        "version": str(VERSION),
        "tree": text,
        "digest": _digest(text, arrays),
    }
    try:
        with replaced_file_of_one_writer(path) as place:
            save_file(arrays, place, metadata=about)
    except SafetensorError as error:
        raise OSError(f"{path} could not be written: {error}") from error


def _joined(text, arrays):
    """Small arrays as one, with their sizes before the text: one by one they take longer than their bytes do."""
    sizes = [values.nbytes for values in arrays.values()]
    if len(sizes) > 1 and sum(sizes) <= MOST_JOINED:
        return f"{json.dumps(sizes)}\n{text}", {"joined": np.concatenate(list(arrays.values()))}
    return f"null\n{text}", arrays


def _parted(text, arrays):
    """Text and arrays before `_joined`."""
    sizes, _, text = text.partition("\n")
    sizes = json.loads(sizes)
    if sizes is None:
        return text, arrays
    parts = np.split(arrays["joined"], np.cumsum(sizes)[:-1])
    if [part.nbytes for part in parts] != sizes:
        raise ValueError("its arrays have other sizes than it says")
    return text, {str(i): part for i, part in enumerate(parts)}


def read_facts(path):
    """(epoch, finished) of `write_state`; a ValueError where the file does not hold a state."""
    try:
        with safe_open(path, "np") as file:
            about = _checked(file)
        return int(about["epoch"]), about["finished"] == "True"
    except UNSOUND as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error


def read_state(path):
    """The tree in a file; a ValueError where it is damaged."""
    try:
        with safe_open(path, "np") as file:
            about = _checked(file)
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if any(values.dtype != np.uint8 for values in arrays.values()):  # reading bools changes their bytes
            raise ValueError("it holds other things than bytes, so it was changed or damaged")
        if about["digest"] != _digest(about["tree"], arrays):
            raise ValueError("its digest differs, so it was changed or damaged")
        return _of_right_form(decode(*_parted(about["tree"], arrays)))
    except UNSOUND as error:
        raise ValueError(f"{path.name} cannot be read: {error}") from error


def _of_right_form(state):
    """A state that says what a place needs to know of it, whoever wrote it."""
    length, digest = state["journal"]
    numbers = (state["number"], state["epoch"], length)
    if not all(type(number) is int and number >= 0 for number in numbers) or type(digest) is not str:
        raise ValueError("its numbers are none")
    if not isinstance(state["tree"]["members"], list):
        raise ValueError("it holds no fits")
    return state


def _checked(file):
    about = file.metadata() or {}
    if about.get("format") != FORMAT or about.get("version") != str(VERSION):
        raise ValueError(f"it holds no state of version {VERSION}")
    return about


def _digest(text, arrays):
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        digest.update(f"\n{name} {arrays[name].shape}\n".encode())
        digest.update(arrays[name])
    return digest.hexdigest()


class Journal:
    """A file to which trees of plain data are appended.

    Parameters
    ----------
    path : pathlib.Path

    Attributes
    ----------
    mark : (int, str)
        Bytes that belong to the journal, and their digest.
    """

    def __init__(self, path):
        self.path = path
        self._length, self._digest = 0, hashlib.sha256()

    @property
    def mark(self):
        """What a state says of its journal."""
        return self._length, self._digest.hexdigest()

    def append(self, tree):
        """Write one more tree, and bring it to the disk; where that fails the journal is as before."""
        text, arrays = _joined(*encode(tree))
        data = save({**arrays, "tree": np.frombuffer(text.encode(), np.uint8)})
        data = LENGTH.pack(len(data)) + data
        with open(self.path, "r+b" if self.path.exists() else "x+b") as file:
            file.seek(self._length)
            file.write(data)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())
        self._digest.update(data)
        self._length += len(data)

    def read(self, mark):
        """Yield the trees up to a mark, after all of it was found sound; the journal goes on from there.

        Raises
        ------
        ValueError
            Where the file is not what it was.
        """
        length, expected = mark
        self._length, self._digest = length, hashlib.sha256()
        try:
            with open(self.path, "rb") as file:
                for data in _pieces(file, length):
                    self._digest.update(data)
                found = file.tell()
        except FileNotFoundError:
            found = 0
        if found != length or self._digest.hexdigest() != expected:
            raise ValueError(f"{self.path.name} was changed or damaged")
        return self._trees(length)

    def _trees(self, length):
        if not length:
            return
        with open(self.path, "rb") as file:
            while file.tell() < length:
                (size,) = LENGTH.unpack(file.read(LENGTH.size))
                arrays = load(file.read(size))
                yield decode(*_parted(arrays.pop("tree").tobytes().decode(), arrays))


def _pieces(file, length):
    while length:
        data = file.read(min(PIECE_BYTES, length))
        if not data:
            return
        yield data
        length -= len(data)
