"""One file a record: safetensors for the arrays, JSON for the rest, a digest over both, no pickle.

Labels are stored as positions in the classes, the classes as a JSON list. An array is stored in the order in
which it lies in memory, so a record written epoch by epoch is not copied on the way out or in.
"""

import hashlib
from pathlib import Path

import numpy as np

from sklearn_nndyn.dynamics._dynamics import Dynamics
from sklearn_nndyn.dynamics._fields import named_arrays
from sklearn_nndyn.dynamics._frozen import plain
from sklearn_nndyn.dynamics._json import from_json, to_json
from sklearn_nndyn.dynamics._layout import inverse_order, memory_order
from sklearn_nndyn.dynamics._safefile import read_metadata, read_tensors, write_safetensors
from sklearn_nndyn.dynamics._validation import LABEL_KINDS

FORMAT = "sklearn_nndyn.Dynamics"
VERSION = 1


def save_dynamics(record, path):
    """See ``Dynamics.save``."""
    arrays = {_tensor_name(field, layer): array for field, layer, array in named_arrays(record)}
    del arrays["classes"]
    arrays["y"] = record.target.astype(np.min_scalar_type(-record.n_classes))
    axes = {name: memory_order(array) for name, array in arrays.items()}
    tensors = {name: _contiguous(array.transpose(axes[name])) for name, array in arrays.items()}
    text = to_json(
        {
            "classes": plain(record.classes),
            "label_types": {"y": record.y.dtype.str, "classes": record.classes.dtype.str},
            "axes": axes,
            "header": record.header,
        }
    )
    metadata = {"format": FORMAT, "version": str(VERSION), "record": text, "digest": _digest(text, tensors)}
    write_safetensors(path, tensors, metadata)


def load_dynamics(path):
    """The record in a file written by ``Dynamics.save``.

    Parameters
    ----------
    path : str or os.PathLike
        The file.

    Returns
    -------
    record : Dynamics
        Equal to the one that was saved: same values, types and memory layout, same header.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is damaged, was changed, is of a newer version, or holds something else than a record.

    See Also
    --------
    Dynamics.save : Write the file; its example reads it back.

    Notes
    -----
    Nothing in the file is executed. The digest finds damage and careless changes; it is no signature, so it
    does not say who wrote the file.
    """
    path = Path(path)
    metadata = read_metadata(path)
    _check_format(path, metadata)
    tensors = read_tensors(path)
    try:
        return _record(metadata, tensors)
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} does not hold the record that was saved: {error}") from error


def _check_format(path, metadata):
    if metadata.get("format") != FORMAT or not {"version", "record", "digest"} <= set(metadata):
        raise ValueError(
            f"{path} is a safetensors file, but not of a record: those are written by Dynamics.save."
        )
    version = str(metadata["version"])
    if not version.isdecimal():
        raise ValueError(f"{path} has the format version {version!r}, which is no number.")
    if int(version) > VERSION:
        raise ValueError(
            f"{path} has format version {version}, newer than {VERSION}, the newest known here: "
            "load it with a newer sklearn_nndyn."
        )


def _record(metadata, tensors):
    content = from_json(metadata["record"])
    missing = [name for name in content["axes"] if name not in tensors]
    if missing:
        raise ValueError(f"these arrays are missing: {', '.join(missing)}.")
    if metadata["digest"] != _digest(metadata["record"], tensors):
        raise ValueError("its digest differs, so it was changed or damaged after it was saved.")
    values = _nested(
        {name: tensors[name].transpose(inverse_order(axes)) for name, axes in content["axes"].items()}
    )
    types = {name: _label_type(text) for name, text in content["label_types"].items()}
    classes = np.array(content["classes"], dtype=types["classes"])
    labels = classes[values.pop("y")].astype(types["y"])
    return Dynamics(y=labels, classes=classes, header=content["header"], **values)


def _nested(arrays):
    values = {}
    for name, array in arrays.items():
        field, of_layer, layer = name.partition("/")
        if of_layer:
            values.setdefault(field, {})[layer] = array
        else:
            values[field] = array
    return values


def _tensor_name(field, layer):
    return field if layer is None else f"{field}/{layer}"


def _label_type(text):
    label_type = np.dtype(text)
    if label_type.kind not in LABEL_KINDS:
        raise ValueError(f"{text!r} is no type of labels.")
    return label_type


def _contiguous(array):
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _digest(text, tensors):
    digest = hashlib.blake2b(text.encode(), digest_size=32)
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8))
    return digest.hexdigest()
