"""Base of reconstructions and probes: a model learns from a layer's activations and scores held-out samples."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

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
from sklearn_nndyn.utils.rows.arrays import whole
from sklearn_nndyn.utils.validation import is_count

MODES = ("evaluation", "training")


class LayerRecording(BaseEstimator):
    """Base of the recordings that fit models to the activations of layers.

    A subclass sets ``field``, the name of its field in the record, and defines ``check()`` of its own parameters,
    ``check_data(layers, X)``, ``learn`` and ``score``.
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

    def check_data(self, layers: dict[str, torch.Tensor], X: torch.Tensor) -> None:
        """Raise ValueError for layers from which the input cannot be decoded.

        Parameters
        ----------
        layers : dict of tensors of shape (n_rows, ...)
            Activations of some rows, by layer.
        X : tensor of shape (n_samples, ...)
            The input.
        """

    def learn(
        self,
        chunks: Callable,
        X: torch.Tensor,
        y: torch.Tensor,
        folds: torch.Tensor,
        shape: tuple,
        *,
        cross_fit: bool,
        fit_on_all: bool,
    ) -> tuple[list, Any]:
        """Fit models to the activations of a layer.

        Parameters
        ----------
        chunks : callable
            ``chunks()`` yields (slice of the samples, their activations of shape (n_rows, ...)) of a layer.
        X : tensor of shape (n_samples, n_features)
            The inputs.
        y : tensor of shape (n_samples,)
            Class positions.
        folds : tensor of shape (n_samples,)
            The fold of each sample.
        shape : tuple of int
            Shape of one input.
        cross_fit, fit_on_all : bool
            Whether to fit a model for each fold, on the samples outside it; whether to fit one on all samples.

        Returns
        -------
        of_fold : list
            A model for each fold; empty unless ``cross_fit``.
        of_all : object or None
            The model fitted on all samples, where ``fit_on_all``.
        """
        raise NotImplementedError

    def score(
        self, learned: list, chunks: Iterable, X: torch.Tensor, y: torch.Tensor, folds: torch.Tensor
    ) -> Any:
        """Score samples, each by the model of its fold.

        Parameters
        ----------
        learned : list
            A model for each fold, fitted without its samples.
        chunks : iterable of (slice, tensor of shape (n_rows, ...))
            Samples, and a layer's activations of them.
        X : tensor of shape (n_samples, n_features)
            The inputs.
        y : tensor of shape (n_samples,)
            Class positions.
        folds : tensor of shape (n_samples,)
            The fold of each sample.

        Returns
        -------
        scores : float or ndarray of shape (n_samples,)
            The values of one recorded epoch.
        """
        raise NotImplementedError


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


def draw_folds(n_samples, cv, device):
    """The fold of each sample, shape (n_samples,): of nearly equal sizes, and the same at every recorded epoch.

    Drawn at random with a fixed seed, so that rows sorted by class do not make folds of one class each.
    """
    order = np.random.default_rng(0).permutation(n_samples)
    folds = np.empty(n_samples, np.int64)
    folds[order] = np.arange(n_samples) % min(cv, n_samples)
    return torch.from_numpy(folds).to(device)


def check_cv(cv, called):
    """Raise ValueError for fewer than two folds."""
    if not is_count(cv, 2):
        raise ValueError(f"{called}: cv must be an integer, 2 or greater, got {cv!r}.")


def check_enough_samples(n_samples, what):
    """Raise ValueError for fewer than the two samples that cross-fitting needs."""
    if n_samples < 2:
        raise ValueError(
            f"{what} needs at least 2 samples, one to learn from and one to score, got {n_samples}."
        )
