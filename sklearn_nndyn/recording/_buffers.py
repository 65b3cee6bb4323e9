"""The record so far, in arrays that grow."""

import numpy as np
import torch

from sklearn_nndyn.recording._geometry import Centroids

FIELDS = ("loss", "margin", "prediction", "probability")


class RecordBuffers:
    """One array for each field and layer, epoch by epoch: an epoch is written where memory is contiguous.

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
        Epochs to make room for; more than that move what was recorded to a larger place.
    """

    def __init__(self, y, n_classes, entries, probability, capacity):
        self.y, self.n_classes, self.entries = y, n_classes, entries
        self.epochs, self._capacity = [], capacity
        self.fields = self._allocate(probability)
        self.centroids, self.weight_norms = {}, {}

    def _allocate(self, probability):
        shape = self._capacity, len(self.y)
        fields = {}
        if "samples" in self.entries:
            position = np.min_scalar_type(-max(self.n_classes, 2))
            fields = {
                "loss": np.empty(shape, np.float32),
                "margin": np.empty(shape, np.float32),
                "prediction": np.empty(shape, position),
            }
            if probability:
                fields["probability"] = np.empty(shape, np.float32)
        if "scores" in self.entries:
            fields["scores"] = np.empty((*shape, self.n_classes), np.float32)
        if "gradients" in self.entries:
            fields["gradient_norm"] = np.empty(shape, np.float32)
        return fields

    def new_rows(self, n_epochs):
        """The next rows of the arrays, a slice; there is room for them afterwards."""
        new = slice(len(self.epochs), len(self.epochs) + n_epochs)
        if new.stop > self._capacity:
            self._grow(max(new.stop, 2 * self._capacity))
        return new

    def _grow(self, capacity):
        for group in (self.fields, self.centroids, self.weight_norms):
            for name, array in group.items():
                group[name] = np.empty((capacity, *array.shape[1:]), array.dtype)
                group[name][: len(self.epochs)] = array[: len(self.epochs)]
        self._capacity = capacity

    def new_centroids(self):
        """The accumulator of the centroids of an epoch; None where geometry is not recorded."""
        if "geometry" not in self.entries:
            return None
        return Centroids(torch.bincount(self.y, minlength=self.n_classes))

    def store_samples(self, rows, samples, scores, measured):
        """Write what was measured of some samples.

        Parameters
        ----------
        rows, samples : slice
            Slices of the first and second axes of the arrays.
        scores : tensor of shape (n_networks, n_samples, n_classes)
            Raw outputs.
        measured : dict of str to tensors or arrays of shape (n_networks, n_samples)
            Measures by field; empty where samples are not recorded.
        """
        for name in FIELDS if measured else ():
            if name in self.fields:
                copy_into(self.fields[name][rows, samples], measured[name])
        if "scores" in self.entries:
            copy_into(self.fields["scores"][rows, samples], scores)

    def store_geometry(self, rows, means, norms):
        """Write the centroids and weight norms of an epoch.

        Parameters
        ----------
        rows : slice
            Slice of the first axis of the arrays.
        means : dict of tensors of shape (n_networks, n_classes, width)
            Centroids by layer.
        norms : list of dict
            The weight norms of each network, by layer.
        """
        for name, values in means.items():
            copy_into(self.array_of_layer(self.centroids, name, values.shape[1:])[rows], values)
        for position, of_one in zip(range(rows.start, rows.stop), norms, strict=True):
            for name, value in of_one.items():
                self.array_of_layer(self.weight_norms, name, ())[position] = value

    def array_of_layer(self, group, name, shape):
        """The array of a layer in ``centroids`` or ``weight_norms``, made where it is not there yet."""
        if name not in group:
            group[name] = np.empty((self._capacity, *shape), np.float32)
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


def copy_into(array, values):
    """Write a tensor or an array into an array."""
    if isinstance(values, np.ndarray):
        array[...] = values
    else:
        torch.from_numpy(array).copy_(values)
