"""Several runs of one experiment, read as one."""

from collections.abc import Mapping

import numpy as np

from sklearn_nndyn.dynamics import find_record
from sklearn_nndyn.utils.text import SOURCES, epoch_words, shown

# By what runs are told apart, the first that both recorded, and how it is called.
MEASURED = {"loss": "loss", "margin": "margin", "scores": "scores", "reconstruction": "reconstruction error"}


def find_runs(X, needs, prefers):
    """The record of each run in ``X``, which is one or a list or tuple of them, and in words where they were found.

    The records have the same epochs and classes; ``needs`` and ``prefers`` are those of ``find_record``.
    """
    several = isinstance(X, (list, tuple))
    if several and not X:
        raise ValueError("The list of runs is empty: give at least one record or fitted model.")
    found = [find_record(run, needs, prefers) for run in (X if several else [X])]
    records, sources = [record for record, _ in found], [source for _, source in found]
    for i in range(1, len(records)):
        _check_same(records, sources, i)
    refuse_repeats(records)
    return records, f"{len(found)} runs, each {sources[0]}" if len(found) > 1 else sources[0]


def refuse_repeats(records):
    """Refuse a run that comes twice, or again as a longer one: it would count as evidence of its own.

    Two seeds never measure the same of every sample, so runs are the same if they agree, to the last bit, at the last
    epoch that both recorded; or, of records without losses and the like, in what they recorded of predictions and
    classes at every common epoch.
    """
    for i, record in enumerate(records):
        for j, other in enumerate(records[:i]):
            same = _what_repeats(record, other)
            if same:
                raise ValueError(
                    f"runs[{i}] is runs[{j}] once more: {same}. Give each run once, with a seed (random_state) of its "
                    "own."
                )


def _what_repeats(record, other):
    """In words, what shows that one run is the other; empty where it is another run."""
    common = np.intersect1d(record.epochs, other.epochs)
    if len(record) != len(other) or not len(common) or not common[-1]:  # runs may start from one network
        return ""
    last = [run.select_epochs(common[-1]) for run in (record, other)]
    for field, words in MEASURED.items():
        pairs = list(_pairs(*(getattr(run, field) for run in last)))
        if pairs:
            same = all(np.ptp(one) > 0 and np.array_equal(one, two) for one, two in pairs)
            return f"at epoch {epoch_words(common[-1])} every sample has the same {words}" if same else ""
    return _same_at_all(*(run.select_epochs(common) for run in (record, other)))


def _pairs(one, two):
    """What both runs measured, of each layer where there are layers."""
    if isinstance(one, Mapping):
        return [(one[layer], two[layer]) for layer in one if layer in two]
    return [] if one is None or two is None else [(one, two)]


def _same_at_all(one, two):
    """The same of predictions and centroids, which two runs may share at a single epoch."""
    pairs = [*_pairs(one.prediction, two.prediction), *_pairs(one.centroids, two.centroids)]
    same = one.centroids and pairs and all(np.array_equal(*pair, equal_nan=True) for pair in pairs)
    return "predictions and centroids are the same at every epoch" if same else ""


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
