"""The record so far, in arrays that grow: in memory, or in temporary files where they are large."""

from math import prod

import numpy as np

from sklearn_nndyn.recording.storage._disk_rows import DiskRows

MEMORY_LIMIT = 512 * 2**20
FIELDS = ("loss", "margin", "prediction", "probability")


class RecordBuffers:
    """One array for each field and layer, epoch by epoch: an epoch is written where memory is contiguous.

    Fields that would take more than 512 MiB together, and centroids of a layer that would, lie in temporary files.

    Parameters
    ----------
    y : tensor of shape (n_samples,)
        Class positions.
    n_classes : int
        Number of classes.
    entries : collection of str
        Names of what is recorded.
    probability : bool
        Whether the loss has probabilities.
    capacity : int
        Epochs to allocate; more than that move what was recorded to a larger place.
    """

    def __init__(self, y, n_classes, entries, probability, capacity):
        self.y, self.n_classes, self.entries = y, n_classes, entries
        self.epochs, self._capacity = [], capacity
        self.centroids, self.weight_norms, self._on_disk = {}, {}, {}
        fields = fields_of_samples(entries, len(y), n_classes, probability)
        self.row_bytes = row_bytes(fields)
        self.fields = self._allocate(fields)

    def _allocate(self, fields):
        large = self._capacity * self.row_bytes > MEMORY_LIMIT
        return {name: self._make_array(name, shape, dtype, large) for name, (shape, dtype) in fields.items()}

    def _make_array(self, name, shape, dtype, large):
        if not large:
            return np.empty((self._capacity, *shape), dtype)
        self._on_disk[name] = DiskRows(self._capacity, shape, dtype)
        return self._on_disk[name].array

    def new_rows(self, n_epochs):
        """The next rows of the arrays, a slice; they are allocated afterwards. OSError if the disk is full."""
        new = slice(len(self.epochs), len(self.epochs) + n_epochs)
        if new.stop > self._capacity:
            self._grow(max(new.stop, 2 * self._capacity))
        for rows in self._on_disk.values():
            rows.reserve(new.stop)
        return new

    def _grow(self, capacity):
        self._capacity = capacity
        for group in (self.fields, self.centroids, self.weight_norms):
            for name, array in group.items():
                group[name] = self._grown(name, array)

    def _grown(self, name, array):
        if name in self._on_disk:
            return self._on_disk[name].grow(self._capacity)
        grown = np.empty((self._capacity, *array.shape[1:]), array.dtype)
        grown[: len(self.epochs)] = array[: len(self.epochs)]
        return grown

    def store_samples(self, write, rows, samples, scores, measured):
        """Write what was ``measured`` of some samples, and their scores, by ``write(array, values)``.

        ``rows`` and ``samples`` are slices of the first and second axes of the arrays; the values have the first axes
        (n_networks, n_samples).
        """
        for name in FIELDS if measured else ():
            if name in self.fields:
                write(self.fields[name][rows, samples], measured[name])
        if "scores" in self.entries:
            write(self.fields["scores"][rows, samples], scores)

    def store_geometry(self, write, rows, means, norms):
        """Write centroids {layer: (n_networks, n_classes, width)}, and weight norms of each network, in some rows."""
        for position, of_one in zip(range(rows.start, rows.stop), norms, strict=True):
            for name, value in of_one.items():
                self.array_of_layer(self.weight_norms, name, ())[position] = value
        for name, values in means.items():
            write(self.array_of_layer(self.centroids, name, values.shape[1:])[rows], values)

    def array_of_layer(self, group, name, shape):
        """The array of a layer in ``centroids`` or ``weight_norms``, made where it is not there yet."""
        if name not in group:
            large = 4 * self._capacity * prod(shape) > MEMORY_LIMIT
            group[name] = self._make_array(name, shape, np.float32, large)
            if large:
                self._on_disk[name].reserve(len(self.epochs) + 1)
        return group[name]

    def recorded(self):
        """The fields of a record, by name: views, sample axis first."""
        n = len(self.epochs)
        return {
            "epochs": np.array(self.epochs),
            "centroids": {name: array[:n] for name, array in self.centroids.items()},
            "weight_norms": {name: array[:n] for name, array in self.weight_norms.items()},
            **{name: array[:n].swapaxes(0, 1) for name, array in self.fields.items()},
        }


def fields_of_samples(entries, n_samples, n_classes, probability):
    """{name: (shape of a row, dtype)} of what is recorded of the samples."""
    one = (n_samples,), np.float32
    fields = {}
    if "samples" in entries:
        position = np.min_scalar_type(-max(n_classes, 2))
        fields = {"loss": one, "margin": one, "prediction": ((n_samples,), position)}
        fields |= {"probability": one} if probability else {}
    if "scores" in entries:
        fields["scores"] = (n_samples, n_classes), np.float32
    if "gradients" in entries:
        fields["gradient_norm"] = one
    return fields


def row_bytes(fields):
    """Bytes of an epoch of fields {name: (shape of a row, dtype)}."""
    return sum(prod(shape) * np.dtype(dtype).itemsize for shape, dtype in fields.values())
