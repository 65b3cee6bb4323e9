"""One file a record: safetensors for the arrays, JSON for the rest, a digest over both, no pickle.

Labels are stored as positions in the classes, the classes as a JSON list. An array is stored in the order in
which it lies in memory, so a record written epoch by epoch is not copied on the way out or in.
"""

from sklearn_nndyn.dynamics._fields import named_arrays
from sklearn_nndyn.dynamics._layout import inverse_order, memory_order
from sklearn_nndyn.dynamics.files._described import FileKind, read_described, write_described
from sklearn_nndyn.dynamics.files._labels import pack_labels, unpack_labels

RECORD = FileKind("record", "sklearn_nndyn.Dynamics", 2, "Dynamics.save")  # 1 had no probability, no ids


def save_record(record, path):
    """See ``Dynamics.save``."""
    described, labels = pack_labels(record.y, record.target, record.classes, record.sample_ids)
    measured = {
        _tensor_name(field, layer): array
        for field, layer, array in named_arrays(record)
        if field not in ("y", "classes", "sample_ids")
    }
    arrays = {**labels, **measured}
    axes = {name: memory_order(array) for name, array in arrays.items()}
    tensors = {name: array.transpose(axes[name]) for name, array in arrays.items()}
    write_described(path, RECORD, {**described, "axes": axes, "header": record.header}, tensors)


def read_record(path, make, lazy=False):
    """``make(**fields)`` of the fields in a file; every ValueError names the file."""
    return read_described(
        path, RECORD, lambda description, tensors: make(**_fields(description, tensors)), lazy
    )


def _fields(description, tensors):
    missing = [name for name in description["axes"] if name not in tensors]
    if missing:
        raise ValueError(f"these arrays are missing: {', '.join(missing)}.")
    arrays = {name: _in_order(name, tensors[name], axes) for name, axes in description["axes"].items()}
    labels = unpack_labels(description, arrays)
    measured = {name: array for name, array in arrays.items() if name not in labels}
    return {**_nested(measured), **labels, "header": description["header"]}


def _in_order(name, array, axes):
    if sorted(axes) != list(range(array.ndim)):
        raise ValueError(f"{list(axes)} is no order of the {array.ndim} axes of {name}.")
    return array.transpose(inverse_order(axes))


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
