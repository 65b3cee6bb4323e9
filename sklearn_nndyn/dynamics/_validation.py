"""What must hold among the fields of a record."""

from collections.abc import Mapping

import numpy as np

from sklearn_nndyn.dynamics._fields import AXES, PER_LAYER, named_arrays
from sklearn_nndyn.dynamics._seen import NOT_SEEN
from sklearn_nndyn.utils.rows.memory_maps import span_of
from sklearn_nndyn.utils.text import shown

LABEL_KINDS = "biufUO"
FLAT = ("y", "classes", "sample_ids", "epochs", "iterations")
PLURAL = {"sample": "samples", "epoch": "epochs", "class": "classes"}


def check_fields(record, values=True):
    """Raise TypeError or ValueError with everything that does not fit together in ``record``.

    The values of labels and measurements are read as well, unless they are known to be right.
    """
    no_mapping = [name for name in PER_LAYER if not isinstance(getattr(record, name), Mapping)]
    arrays = [] if no_mapping else named_arrays(record)
    _refuse(TypeError, _type_problems(record, no_mapping, arrays))
    _refuse(ValueError, _value_problems(record, arrays, values))


def _refuse(error, problems):
    listed = "".join(f"\n- {problem}" for problem in problems)
    if listed:
        raise error(f"These fields do not make a record:{listed}")


def positions(labels, classes):
    """Position of each label in the sorted ``classes``, and whether it is there."""
    found = np.searchsorted(classes, labels).clip(max=len(classes) - 1)
    return found, classes[found] == labels


def _type_problems(record, no_mapping, arrays):
    if not isinstance(record.header, Mapping):
        yield f"header must be a dictionary, got {type(record.header).__name__}"
    for name in no_mapping:
        kind = type(getattr(record, name)).__name__
        yield f"{name} must be a dictionary from layer name to array, got {kind}"
    if not no_mapping:
        yield from _layer_name_problems(record)
        yield from _dtype_problems(record, arrays)


def _layer_name_problems(record):
    for name in PER_LAYER:
        for layer in getattr(record, name):
            if not isinstance(layer, str):
                yield f"{name} has the layer {layer!r}, but layer names are strings"


def _dtype_problems(record, arrays):
    for field, layer, array in arrays:
        if field in ("y", "classes"):
            good, wanted = _is_label(array), "numbers, booleans or strings"
        elif field == "sample_ids":
            good, wanted = (
                array.dtype.kind in "iu" or (_is_text(array) and _is_label(array)),
                "integers or strings",
            )
        elif field == "epochs":
            good, wanted = array.dtype.kind in "iuf" and np.isfinite(array).all(), "finite numbers"
        elif field in ("iterations", "prediction"):
            good, wanted = array.dtype.kind in "iu", "integers"
        else:
            good, wanted = array.dtype.kind == "f" and array.itemsize <= 8, "floats of at most 64 bits"
        if not good:
            yield f"{_called(field, layer)} must hold {wanted}, got {array.dtype}"
    if _is_text(record.y) != _is_text(record.classes):
        yield f"y holds {record.y.dtype}, but classes {record.classes.dtype}: labels of one kind are needed"


def _is_label(array):
    if array.dtype.kind == "O":
        return all(isinstance(label, str) for label in array.flat)
    return array.dtype.kind in LABEL_KINDS and not (array.dtype.kind == "f" and array.itemsize > 8)


def _is_text(array):
    return array.dtype.kind in "UO"


def _value_problems(record, arrays, values):
    flat = [name for name in FLAT if getattr(record, name) is not None]
    bent = [name for name in flat if getattr(record, name).ndim != 1]
    for name in bent:
        yield f"{name} must be one-dimensional, got shape {getattr(record, name).shape}"
    if not bent:
        yield from _epoch_problems("epochs", record.epochs)
        if record.iterations is not None:
            yield from _epoch_problems("iterations", record.iterations)
        yield from _label_problems(record.y, record.classes, values)
        yield from _id_problems(record.sample_ids)
        yield from _shape_problems(record, arrays)
        if values:
            yield from _prediction_problems(record)
            yield from _probability_problems(record)


def _epoch_problems(name, numbers):
    if len(numbers) == 0:
        yield f"{name} is empty, but a record has at least one epoch"
    elif numbers[0] < 0 or (numbers[:-1] >= numbers[1:]).any():
        yield f"{name} must increase from 0 or later, got {shown(numbers)}"


def _label_problems(y, classes, values):
    if len(classes) == 0:
        yield "classes is empty, but there is at least one class"
    elif not (classes[:-1] < classes[1:]).all():
        yield f"classes must be sorted and without repeats, as numpy.unique gives them, got {shown(classes)}"
    elif values:
        _, known = positions(y, classes)
        if not known.all():
            unknown = shown(np.unique(y[~known]))
            yield f"y has labels that are not among the classes {shown(classes)}: {unknown}"


def _id_problems(sample_ids):
    if sample_ids is not None and not (sample_ids[1:] > sample_ids[:-1]).all():
        ids, counts = np.unique(sample_ids, return_counts=True)
        if len(ids) < len(sample_ids):
            yield (
                f"sample_ids must name each sample once, but has several of {shown(ids[counts > 1])}; for samples "
                "that are drawn more than once leave them out, dataclasses.replace(record, sample_ids=None)"
            )


def _shape_problems(record, arrays):
    sizes = {"sample": len(record.y), "epoch": len(record.epochs), "class": len(record.classes)}
    for field, layer, array in arrays:
        axes = AXES[field]
        if array.ndim != len(axes) or any(
            sizes.get(axis, n) != n for axis, n in zip(axes, array.shape, strict=True)
        ):
            wanted = ", ".join(f"{sizes[axis]} {PLURAL[axis]}" if axis in sizes else axis for axis in axes)
            yield f"{_called(field, layer)} has shape {array.shape}, expected ({wanted})"


def _prediction_problems(record):
    prediction, n_classes = record.prediction, len(record.classes)
    if prediction is None or not prediction.size:
        return
    least, most = span_of(prediction)
    if not NOT_SEEN <= least <= most < n_classes:
        yield (
            f"prediction must hold positions in classes, 0 to {n_classes - 1}, or {NOT_SEEN} where there is none; "
            f"got {least} to {most}"
        )


def _probability_problems(record):
    p = record.probability
    if p is None or not p.size:
        return
    least, most = span_of(p)
    if least < 0 or most > 1:
        yield f"probability must hold numbers from 0 to 1, got {least:g} to {most:g}"


def _called(field, layer):
    return field if layer is None else f"{field}[{layer!r}]"
