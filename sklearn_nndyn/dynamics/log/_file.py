"""A log as a file."""

import numpy as np

from sklearn_nndyn.dynamics.files._described import FileKind, read_described, write_described
from sklearn_nndyn.dynamics.files._labels import pack_labels, unpack_labels
from sklearn_nndyn.utils.losses.arrays import name_of_function

LOG = FileKind("log", "sklearn_nndyn.DynamicsLog", 1, "DynamicsLog.save")


def save_log(log, path):
    """See ``DynamicsLog.save``."""
    samples, epochs = log._samples, log.epochs
    described, arrays = pack_labels(samples.y, samples.target, samples.classes, samples.sample_ids)
    for position, epoch in enumerate(epochs):
        arrays |= {f"{position}/{name}": values for name, values in _tensors(log._cells[epoch]).items()}
    settings = {
        "loss": log._loss.name,
        "loss_is_known": log._loss.is_known,
        "epochs": epochs,
        "declared": log._declared,
        "widths": dict(log._widths),
    }
    write_described(path, LOG, {**described, **settings}, arrays)


def _tensors(cells):
    tensors = {f"rows/{name}": values for name, values in cells.rows.items()}
    if cells.activated is not None:
        tensors["activated"] = cells.activated
        tensors |= {f"sums/{layer}": sums for layer, sums in cells.sums.items()}
    return tensors


def read_log(cls, path, loss, memory_limit):
    """See ``DynamicsLog.load``."""

    def build(described, arrays):
        log = cls(
            **unpack_labels(described, arrays),
            loss=_loss_of(described, loss),
            epochs=described["declared"],
            memory_limit=memory_limit,
        )
        log._widths = {layer: int(width) for layer, width in described["widths"].items()}
        if len(set(described["epochs"])) < len(described["epochs"]):
            raise ValueError("it has an epoch twice.")
        for position, epoch in enumerate(described["epochs"]):
            cells = log._cells_of(log._check_epoch(epoch))
            _fill(cells, position, arrays, log._widths)
        return log

    return read_described(path, LOG, build)


def _loss_of(described, loss):
    name = described["loss"]
    if described["loss_is_known"]:
        if loss is not None:
            raise ValueError(f"its loss is {name!r}, which needs no function: leave loss out.")
        return name
    if loss is None or name_of_function(loss) != name:
        raise ValueError(
            f"its loss is a function called {name!r}: give it, DynamicsLog.load(path, loss={name})."
        )
    return loss


def _fill(cells, position, arrays, widths):
    for name, values in cells.rows.items():
        values[...] = _checked(arrays, f"{position}/rows/{name}", values.shape, values.dtype)
    if f"{position}/activated" in arrays:
        n_samples = cells.seen.shape
        activated = _checked(arrays, f"{position}/activated", n_samples, np.dtype(bool))
        sums = {
            layer: _checked(arrays, f"{position}/sums/{layer}", (cells.n_classes, width), np.dtype(float))
            for layer, width in widths.items()
        }
        cells.add_sums(sums, activated)


def _checked(arrays, name, shape, dtype):
    array = arrays[name]
    if array.shape != shape or array.dtype != dtype:
        raise ValueError(
            f"{name} is {array.dtype} of shape {array.shape}, expected {dtype} of shape {shape}."
        )
    return array
