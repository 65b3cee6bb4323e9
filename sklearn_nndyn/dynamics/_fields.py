"""The fields of a record: what their axes mean, which recording makes them, and their values made read-only."""

from collections.abc import Mapping

import numpy as np

AXES = {
    "y": ("sample",),
    "classes": ("class",),
    "sample_ids": ("sample",),
    "epochs": ("epoch",),
    "iterations": ("epoch",),
    "loss": ("sample", "epoch"),
    "margin": ("sample", "epoch"),
    "prediction": ("sample", "epoch"),
    "probability": ("sample", "epoch"),
    "scores": ("sample", "epoch", "class"),
    "gradient_norm": ("sample", "epoch"),
    "centroids": ("epoch", "class", "width"),
    "reconstruction": ("sample", "epoch"),
    "probe_accuracy": ("epoch",),
    "weight_norms": ("epoch",),
}
PER_LAYER = ("centroids", "reconstruction", "probe_accuracy", "weight_norms")
RECORDED_BY = {
    "loss": "samples",
    "margin": "samples",
    "prediction": "samples",
    "probability": "samples",
    "scores": "scores",
    "gradient_norm": "gradients",
    "centroids": "geometry",
    "reconstruction": "reconstruction",
    "probe_accuracy": "probe",
    "weight_norms": "geometry",
}


class ReadOnlyDict(dict):
    """A dictionary that refuses to be changed; ``dict(it)`` is a copy that can be."""

    def _refuse(self, *args, **kwargs):
        raise TypeError("a record is read-only; change a copy: dict(...)")

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _refuse

    def __reduce__(self):
        return ReadOnlyDict, (dict(self),)


def read_only(values):
    """A view of ``values`` that cannot be written to; arrays are not copied."""
    view = np.asarray(values).view()
    view.flags.writeable = False
    return view


def plain(value):
    """Read-only data that JSON can tell: None, numbers, text, tuples, dictionaries; else a value's repr.

    NumPy scalars become Python's, arrays and lists tuples. What a header holds is thus the same before and
    after it was saved, and nothing in it can be changed.
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return ReadOnlyDict({plain(key): plain(item) for key, item in value.items()})
    if isinstance(value, list | tuple):
        return tuple(plain(item) for item in value)
    for kind in (bool, int, float, str):
        if isinstance(value, kind):
            return kind(value)
    return None if value is None else repr(value)


def frozen_field(name, value):
    """The value of a field of a record, made read-only; what is of the wrong type stays as it is."""
    if name == "header" or name in PER_LAYER:
        freeze = plain if name == "header" else _read_only_layers
        value = {} if value is None else value
        return freeze(value) if isinstance(value, Mapping) else value
    if value is None and name not in ("y", "classes", "epochs"):
        return None
    array = np.asarray(value)
    if name in ("epochs", "iterations") and _is_whole(array):
        array = array.astype(np.int64, copy=False)
    return read_only(array)


def _is_whole(array):
    return array.dtype.kind in "iu" or (
        array.dtype.kind == "f" and bool((np.isfinite(array) & (array % 1 == 0)).all())
    )


def _read_only_layers(arrays):
    return ReadOnlyDict({layer: read_only(array) for layer, array in arrays.items()})


def recorded_fields(record):
    """Names of the fields that hold something, in the order of ``AXES``."""
    values = {name: getattr(record, name) for name in RECORDED_BY}
    return tuple(
        name for name, value in values.items() if (bool(value) if name in PER_LAYER else value is not None)
    )


def named_arrays(record):
    """(field, layer, array) for every array; the layer is None where the field has none."""
    arrays = []
    for field in AXES:
        value = getattr(record, field)
        if field in PER_LAYER:
            arrays += [(field, layer, array) for layer, array in value.items()]
        elif value is not None:
            arrays.append((field, None, value))
    return arrays


def map_axis(axis, change, *records):
    """Apply ``change(position, *arrays)`` to each field with this axis; {field: new value}."""
    changed = {}
    for field in (name for name, axes in AXES.items() if axis in axes):
        position = AXES[field].index(axis)
        values = [getattr(record, field) for record in records]
        if field in PER_LAYER:
            changed[field] = {
                layer: change(position, *(value[layer] for value in values)) for layer in values[0]
            }
        elif values[0] is not None:
            changed[field] = change(position, *values)
    return changed


def require_fields(record, needs):
    """Raise ValueError naming the fields that are missing and the call that records them."""
    has = recorded_fields(record)
    missing = [name for name in needs if name not in has]
    if missing:
        raise ValueError(
            f"This record has no {_listed(missing)}: it holds {_listed(has) or 'no measurement'}. "
            f"Fit again with DynamicsClassifier(record={_recording((*has, *missing))!r}){_elsewhere(missing)}."
        )


def _elsewhere(missing):
    """What makes the fields where the training is not that of our classifier."""
    if set(missing) <= {"loss", "margin", "prediction", "probability"}:
        return "; in another loop, log the scores of each batch by DynamicsLog.add"
    if set(missing) <= {"loss", "margin", "prediction", "probability", "scores"}:
        return "; of another loop, give all scores to Dynamics.from_scores"
    if "centroids" in missing and not {"scores", "gradient_norm", "reconstruction", "probe_accuracy"} & set(
        missing
    ):
        return "; in another loop, give DynamicsLog.add the activations too"
    return f"; in another loop, use Recorder(record={_recording(missing)!r})"


def _recording(fields):
    groups = dict.fromkeys(RECORDED_BY.values())
    wanted = {RECORDED_BY[name] for name in fields}
    return tuple(group for group in groups if group in wanted)


def _listed(names):
    *first, last = names or [""]
    return f"{', '.join(first)} and {last}" if first else last
