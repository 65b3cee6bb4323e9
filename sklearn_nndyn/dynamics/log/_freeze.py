"""A record of what was logged."""

from dataclasses import replace

import numpy as np

from sklearn_nndyn.dynamics._seen import NOT_SEEN
from sklearn_nndyn.dynamics.arrays._measure import empty_rows
from sklearn_nndyn.dynamics.log._memory import BoundedMemory
from sklearn_nndyn.utils.versions import versions


def freeze(log, *, carry_on):
    """See ``DynamicsLog.dynamics``."""
    epochs, samples = log.epochs, log._samples
    shape = len(epochs), samples.n_samples
    rows = empty_rows(log._loss, shape, samples.n_classes, BoundedMemory(log._memory.limit).empty)
    for position, epoch in enumerate(epochs):
        for name, values in log._cells[epoch].rows.items():
            rows[name][position] = values
    header = {**log._loss.header(), "versions": versions()}
    if carry_on:
        header["cells_carried_on"] = _carry_on(rows)
    fields = {name: values.T for name, values in rows.items()}
    return replace(samples, epochs=epochs, centroids=_centroids(log, epochs), header=header, **fields)


def _carry_on(rows):
    """Fill each missing cell with the one before it, where that is seen; how many were filled."""
    filled = 0
    seen = rows["prediction"] != NOT_SEEN
    for position in range(1, len(seen)):
        gaps = ~seen[position] & seen[position - 1]
        for values in rows.values():
            values[position, gaps] = values[position - 1, gaps]
        seen[position] |= gaps
        filled += int(np.count_nonzero(gaps))
    return filled


def _centroids(log, epochs):
    """{layer: (n_epochs, n_classes, width)}, nan where nothing was logged of a class."""
    centroids = {}
    for layer, width in log._widths.items():
        means = np.full((len(epochs), log._samples.n_classes, width), np.nan, np.float32)
        for position, epoch in enumerate(epochs):
            mean = log._cells[epoch].centroid(layer, log._target)
            if mean is not None:
                means[position] = mean
        centroids[layer] = means
    return centroids
