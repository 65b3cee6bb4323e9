"""Base of reconstructions and probes: a model learns from a layer's activations and scores held-out samples."""

from functools import partial

import numpy as np
import torch
from sklearn.base import BaseEstimator

from sklearn_nndyn.recording._activations import (
    BATCH_SIZE,
    Activations,
    batch_norm_in_training,
    check_layers,
    choose_layers,
)
from sklearn_nndyn.recording.decoders._folds import check_cv, check_enough_samples, draw_folds
from sklearn_nndyn.utils.rows.arrays import whole

MODES = ("evaluation", "training")


class LayerRecording(BaseEstimator):
    """Base of the recordings that fit models to the activations of layers.

    A subclass sets ``field``, the name of its field in the record, and defines ``check()`` of its own parameters,
    ``check_data(layers, X)``, ``learn(chunks, X, y, folds, shape, cross_fit, fit_on_all)``, which returns the models
    fitted without each fold and the one fitted on all samples, and ``score(learned, chunks, X, y, folds)``.
    """

    def check(self):
        """Raise for parameters that cannot be used."""
        called = type(self).__name__
        check_layers(self.layers, called)
        check_cv(self.cv, called)
        if self.batch_norm not in MODES:
            raise ValueError(
                f'{called}: batch_norm must be "evaluation" or "training", got {self.batch_norm!r}.'
            )
        if not isinstance(self.train, bool):
            raise ValueError(f"{called}: train must be True or False, got {self.train!r}.")

    def check_data(self, layers, X):
        """Raise for layers {name: activations of some rows} from which the input ``X`` cannot be decoded."""


class LayerReader:
    """Applies a `LayerRecording` to one set of samples, at one recorded epoch after the other.

    Parameters
    ----------
    recording : LayerRecording
    X : tensor of shape (n_samples, ...)
    y : tensor of shape (n_samples,)
        Class positions.
    reference : LayerReader, optional
        The reader of the samples to learn from. Without one, each sample is scored by a model fitted on the other
        folds.
    score : bool, default=True
        Whether the samples are scored.

    Attributes
    ----------
    field : str
        Name of the field in the record.
    layers : list of str
        Names of the layers that are read.
    learned : dict
        {layer: model fitted on all samples} at the last recorded epoch, where this reader is a reference.
    values : dict
        {layer: list of values, one for each epoch}.
    """

    def __init__(self, recording, X, y, reference=None, score=True):
        self.recording, self.reference = recording, reference
        self.score = score and (recording.train or reference is not None)
        X = whole(X)
        self.X, self.y, self.shape = _flat(X), y, tuple(X.shape[1:])
        self.field, self.uses_cache = recording.field, recording.batch_norm == "evaluation"
        self.layers, self.values, self.learned, self.is_reference = None, {}, {}, False
        if reference is None:
            check_enough_samples(len(X), type(recording).__name__)
            self.folds = draw_folds(len(X), recording.cv, X.device)
        else:
            reference.is_reference = True
            self.folds = torch.zeros(len(X), dtype=torch.long, device=X.device)

    def place(self, X, y):
        """Take the same samples on another device, or in another dtype."""
        self.X, self.y, self.folds = _flat(whole(X)), y, self.folds.to(y.device)

    def choose(self, names):
        """Choose the layers to read among the hidden ones."""
        if self.layers is None:
            self.layers = choose_layers(self.recording.layers, names)

    def activations(self, activations, module):
        """The activations to read: the cached ones, or those of a pass with batch norm in training mode."""
        if self.uses_cache:
            return activations
        return Activations(
            activations.X, activations.forward, BATCH_SIZE, partial(batch_norm_in_training, module)
        )

    def read(self, activations, position):
        """Read the layers for the recorded epoch at this position, counted from 0."""
        for name in self.layers:
            chunks = partial(activations.of_layer, name)
            learned = self._learn(name, chunks) if self.reference is None else [self.reference.learned[name]]
            if learned:
                values = self.values.setdefault(name, [])
                values[position:] = [self.recording.score(learned, chunks(), self.X, self.y, self.folds)]

    def _learn(self, name, chunks):
        of_folds, self.learned[name] = self.recording.learn(
            chunks, self.X, self.y, self.folds, self.shape, cross_fit=self.score, fit_on_all=self.is_reference
        )
        return of_folds

    def recorded(self, n_epochs):
        """{layer: array} of the first ``n_epochs``, for the record."""
        return {name: np.stack(values[:n_epochs], axis=-1) for name, values in self.values.items()}


def _flat(X):
    """Samples as a matrix (n_samples, n_features); a dict of arrays is returned unchanged, for it is not used."""
    if isinstance(X, dict):
        return X
    return (X if X.is_floating_point() else X.float()).flatten(1)
