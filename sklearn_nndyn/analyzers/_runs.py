"""Several runs of one experiment, read as one."""

import numpy as np

from sklearn_nndyn.dynamics import find_record
from sklearn_nndyn.utils.text import SOURCES, epoch_words, shown


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

    Two seeds never give every sample the same loss, so runs are the same if they agree, to the last bit, at the
    last epoch that both recorded.
    """
    for i, record in enumerate(records):
        for j, other in enumerate(records[:i]):
            if _repeats(record, other):
                raise ValueError(
                    f"runs[{i}] is runs[{j}] once more: at epoch {epoch_words(_last_common(record, other))} every "
                    "sample has the same loss. Give each run once, with a seed (random_state) of its own."
                )


def _repeats(record, other):
    epoch = _last_common(record, other)
    if not epoch or len(record) != len(other):  # at epoch 0, runs may start from one network
        return False
    one, two = (run.select_epochs(epoch).loss for run in (record, other))
    return one is not None and two is not None and np.ptp(one) > 0 and np.array_equal(one, two)


def _last_common(record, other):
    common = np.intersect1d(record.epochs, other.epochs)
    return common[-1].item() if len(common) else None


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
