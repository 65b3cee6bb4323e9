"""Validate the parameters of a LearningPhaseAnalyzer, and the records it reads."""

import numpy as np

from sklearn_nndyn.analyzers._base import find_recorded_layer
from sklearn_nndyn.dynamics import refuse_unpredicted, refuse_unseen
from sklearn_nndyn.utils.text import epoch_words, listed, shown
from sklearn_nndyn.utils.validation import check_share

LEAST_EPOCHS = 3
SCORES = "scores"  # what stands for the raw outputs among the layers; it has a name only


def check_tolerance(tolerance):
    """A share of the fall, between 0 and 1."""
    check_share("tolerance", tolerance, of="the fall", zero=False, one=False)


def find_layer_of_runs(layer, records):
    """The name of the layer, the same in every run."""
    layers = tuple(records[0].reconstruction)
    hidden = tuple(name for name in layers if name != SCORES) or layers
    name = find_recorded_layer(layer, layers if isinstance(layer, str) else hidden)
    for i, record in enumerate(records[1:], 1):
        if tuple(record.reconstruction) != tuple(records[0].reconstruction):
            raise ValueError(
                f"runs[{i}] has reconstructions from other layers than runs[0]: {listed(record.reconstruction)} "
                f"in place of {listed(records[0].reconstruction)}."
            )
    return name


def reconstruction_of(record, layer):
    """R of each sample, float64 of shape (n_samples, n_epochs), of a layer that is there; finite."""
    if layer not in record.reconstruction:
        raise ValueError(
            f"This record has no reconstruction from layer {layer!r}, but from {listed(record.reconstruction)}."
        )
    values = record.reconstruction[layer].astype(np.float64)
    check_finite(values, record.epochs, f"The reconstruction from layer {layer}")
    return values


def check_epochs(record):
    """Check for at least one sample, and three epochs: a start, a least value and an end."""
    if not len(record):
        raise ValueError("The record has no samples, so there is nothing to analyse.")
    refuse_unseen(record)
    refuse_unpredicted(record)
    if record.n_epochs < LEAST_EPOCHS:
        raise ValueError(
            f"Phases need at least {LEAST_EPOCHS} recorded epochs, but the record has {record.n_epochs}: "
            f"{shown(record.epochs)}. Fit again and record more often, as with "
            'DynamicsClassifier(record_epochs="all"); in another loop, record after each epoch.'
        )


def check_finite(values, epochs, name):
    """Values (n_samples, n_epochs) without nan and inf."""
    bad = ~np.isfinite(values)
    if bad.any():
        at = bad.any(axis=0).argmax()
        raise ValueError(
            f"{name} of sample {bad[:, at].argmax()} is not finite at epoch {epoch_words(epochs[at])}, the first of "
            f"{np.count_nonzero(bad.any(axis=0))} such epochs. Give the epochs before it, by record.until."
        )
