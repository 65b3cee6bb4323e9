"""Validate the parameters of a LearningPhaseAnalyzer, and the records it reads."""

import numpy as np

from sklearn_nndyn.analyzers.entanglement._checks import find_recorded_layer
from sklearn_nndyn.dynamics import find_record
from sklearn_nndyn.utils.text import SOURCES, listed, shown
from sklearn_nndyn.utils.validation import check_share

LEAST_EPOCHS = 3
SCORES = "scores"  # what stands for the raw outputs among the layers; it has a name only


def check_tolerance(tolerance):
    """A share of the fall, between 0 and 1."""
    check_share("tolerance", tolerance, of="the fall", zero=False, one=False)


def find_runs(X, needs, prefers):
    """The record of each run in ``X``, which is one or a list or tuple of them, and where they were found.

    Parameters
    ----------
    X : Dynamics, fitted estimator, or list or tuple of them
    needs, prefers
        See ``find_record``.

    Returns
    -------
    records : list of Dynamics
        Records with the same epochs and classes.
    source : str
        In words.
    """
    several = isinstance(X, (list, tuple))
    if several and not X:
        raise ValueError("The list of runs is empty: give at least one record or fitted model.")
    found = [find_record(run, needs, prefers) for run in (X if several else [X])]
    records, sources = [record for record, _ in found], [source for _, source in found]
    for i in range(1, len(records)):
        _check_same(records, sources, i)
    return records, f"{len(found)} runs, each {sources[0]}" if len(found) > 1 else sources[0]


def _check_same(records, sources, i):
    first, other = records[0], records[i]
    if {sources[0], sources[i]} == {SOURCES["validation"], SOURCES["train"]}:
        raise ValueError(
            f"Of runs[0] {_held(sources[0])} was read, but of runs[{i}] {_held(sources[i])}: give records of one kind."
        )
    if not np.array_equal(first.epochs, other.epochs):
        raise ValueError(
            f"runs[{i}] was recorded at other epochs than runs[0]: {shown(other.epochs)} in place of "
            f"{shown(first.epochs)}. Use record.select_epochs."
        )
    if not (
        first.iterations is None
        or other.iterations is None
        or np.array_equal(first.iterations, other.iterations)
    ):
        raise ValueError(
            f"runs[{i}] was recorded at other iterations than runs[0]: {shown(other.iterations)} in place of "
            f"{shown(first.iterations)}. Runs of one experiment have batches of one size."
        )
    if not np.array_equal(first.classes, other.classes):
        raise ValueError(
            f"runs[{i}] has the classes {shown(other.classes)}, but runs[0] has {shown(first.classes)}."
        )


def _held(source):
    return source.removesuffix(" of the model")


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
    """At least one sample, and three epochs: a start, a least value and an end."""
    if not len(record):
        raise ValueError("The record has no samples, so there is nothing to analyse.")
    if record.n_epochs < LEAST_EPOCHS:
        raise ValueError(
            f"Phases need at least {LEAST_EPOCHS} recorded epochs, but the record has {record.n_epochs}: "
            f'{shown(record.epochs)}. Fit again and record more often, as with DynamicsClassifier(record_epochs="all").'
        )


def check_finite(values, epochs, name):
    """Values (n_samples, n_epochs) without nan and inf."""
    bad = ~np.isfinite(values)
    if bad.any():
        at = bad.any(axis=0).argmax()
        raise ValueError(
            f"{name} of sample {bad[:, at].argmax()} is not finite at epoch {epochs[at]:g}, the first of "
            f"{np.count_nonzero(bad.any(axis=0))} such epochs. Give the epochs before it, by record.until."
        )
