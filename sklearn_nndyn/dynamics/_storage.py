"""One file a record: safetensors for the arrays, JSON for the rest, a digest over both, no pickle.

Labels are stored as positions in the classes, the classes as a JSON list. An array is stored in the order in
which it lies in memory, so a record written epoch by epoch is not copied on the way out or in.
"""

import hashlib
import re

import numpy as np

from sklearn_nndyn.dynamics._fields import named_arrays
from sklearn_nndyn.dynamics._frozen import plain
from sklearn_nndyn.dynamics._json import from_json, to_json
from sklearn_nndyn.dynamics._layout import inverse_order, memory_order
from sklearn_nndyn.dynamics._safetensors import read_safetensors, write_safetensors
from sklearn_nndyn.dynamics._validation import LABEL_KINDS

FORMAT = "sklearn_nndyn.Dynamics"
VERSION = 2  # 1 had no probability
MOST_LABEL_BYTES = 64  # of memory for each byte of the file: labels come out of it longer than they lie in it


def save_record(record, path):
    """See ``Dynamics.save``."""
    arrays = {_tensor_name(field, layer): array for field, layer, array in named_arrays(record)}
    del arrays["classes"]
    arrays["y"] = record.target.astype(np.min_scalar_type(-record.n_classes))
    axes = {name: memory_order(array) for name, array in arrays.items()}
    tensors = {name: _contiguous(array.transpose(axes[name])) for name, array in arrays.items()}
    types = {"y": record.y.dtype, "classes": record.classes.dtype}
    text = to_json(
        {
            "classes": plain(record.classes),
            "label_types": {name: dtype.str for name, dtype in types.items()},
            "axes": axes,
            "header": record.header,
        }
    )
    _check_label_bytes(types, record.n_samples, record.n_classes, text, tensors)
    metadata = {"format": FORMAT, "version": str(VERSION), "record": text, "digest": _digest(text, tensors)}
    write_safetensors(path, tensors, metadata)


def read_record(path):
    """The fields {name: value} of the record in a file; every ValueError names the file."""
    metadata, tensors = read_safetensors(path)
    _check_format(path, metadata)
    try:
        return _fields(metadata, tensors)
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError) as error:
        raise ValueError(no_record(path, error)) from error


def no_record(path, error):
    """What is said of a file whose content makes no record."""
    return f"{path} does not hold the record that was saved: {error}"


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


def _fields(metadata, tensors):
    text = metadata["record"]
    if metadata["digest"] != _digest(text, tensors):
        raise ValueError("its digest differs, so it was changed or damaged after it was saved.")
    content = from_json(text)
    missing = [name for name in content["axes"] if name not in tensors]
    if missing:
        raise ValueError(f"these arrays are missing: {', '.join(missing)}.")
    values = _nested({name: _in_order(name, tensors[name], axes) for name, axes in content["axes"].items()})
    types = {name: _label_type(text) for name, text in content["label_types"].items()}
    y_encoded = values.pop("y")
    _check_label_bytes(types, y_encoded.size, len(content["classes"]), text, tensors)
    classes = np.array(content["classes"], dtype=types["classes"])
    labels = _decoded_labels(classes, y_encoded).astype(types["y"])
    return {**values, "y": labels, "classes": classes, "header": content["header"]}


def _in_order(name, array, axes):
    if sorted(axes) != list(range(array.ndim)):
        raise ValueError(f"{list(axes)} is no order of the {array.ndim} axes of {name}.")
    return array.transpose(inverse_order(axes))


def _decoded_labels(classes, y_encoded):
    if y_encoded.dtype.kind != "i" or (y_encoded.size and y_encoded.min() < 0):
        raise ValueError("its labels are not positions in the classes.")
    return classes[y_encoded]


def _check_label_bytes(types, n_samples, n_classes, text, tensors):
    """Refuse labels that would take far more memory than the file: a short file must not fill it."""
    wanted = n_samples * types["y"].itemsize + n_classes * types["classes"].itemsize
    stored = len(text) + sum(array.nbytes for array in tensors.values())
    if wanted > MOST_LABEL_BYTES * stored:
        raise ValueError(
            f"the labels take {wanted} bytes of memory, over {MOST_LABEL_BYTES} times the {stored} bytes that are "
            "stored: give shorter labels, or integers."
        )


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
    if not re.fullmatch(rf"[<>|=][{LABEL_KINDS}]\d{{0,9}}", text):
        raise ValueError(f"{text!r} is no type of labels.")
    return np.dtype(text)


def _contiguous(array):
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def _digest(text, tensors):
    digest = hashlib.blake2b(text.encode(), digest_size=32)
    for name in sorted(tensors):
        array = tensors[name]
        digest.update(f"\n{name} {array.dtype.str} {array.shape}\n".encode())
        digest.update(array.reshape(-1).view(np.uint8))
    return digest.hexdigest()
