"""Two logs of the same samples as one."""

import numpy as np

from sklearn_nndyn.utils.text import counted, listed

RTOL, ATOL = 1e-4, 1e-5  # float32 scores computed in batches of other sizes


def merge_logs(log, other, overlap):
    """See ``DynamicsLog.merge``: the cells of ``other`` into ``log``."""
    problems = list(_differences(log, other))
    if not problems and overlap == "raise":
        problems = list(_contradictions(log, other))
    if problems:
        raise ValueError("These logs cannot be merged:" + "".join(f"\n- {problem}" for problem in problems))
    log._widths = log._widths or dict(other._widths)
    for epoch, cells in other._cells.items():
        _merge_cells(log._cells_of(epoch), cells, overlap, log._target)


def _differences(log, other):
    ours, theirs = log._samples, other._samples
    if not np.array_equal(ours.classes, theirs.classes):
        yield "their classes differ"
    if ours.n_samples != theirs.n_samples:
        yield f"one is of {ours.n_samples} samples, the other of {theirs.n_samples}"
    else:
        if not np.array_equal(ours.y, theirs.y):
            yield f"the labels of {counted(int((ours.y != theirs.y).sum()), 'sample')} differ"
        if not _same_ids(ours.sample_ids, theirs.sample_ids):
            yield "their sample_ids differ, or one of them has none"
    if log._loss.name != other._loss.name:
        yield f"one measures the loss {log._loss.name!r}, the other {other._loss.name!r}"
    if log._widths and other._widths and log._widths != other._widths:
        yield f"the layers are {_layers(log)} in one, {_layers(other)} in the other"
    unknown = [epoch for epoch in other.epochs if log._declared is not None and epoch not in log._declared]
    if unknown:
        yield f"the other holds epochs that are not to be logged: {listed(unknown)}"
    yield from _activation_problems(log, other)


def _same_ids(one, other):
    return one is other is None or (one is not None and other is not None and np.array_equal(one, other))


def _layers(log):
    return ", ".join(f"{layer} ({width})" for layer, width in log._widths.items())


def _activation_problems(log, other):
    """Sums over classes cannot be told apart again: the activations of a sample belong in one log."""
    if log._samples.n_samples != other._samples.n_samples:
        return
    for epoch in set(log._cells) & set(other._cells):
        one, two = log._cells[epoch].activated, other._cells[epoch].activated
        if one is not None and two is not None and (one & two).any():
            both = counted(int((one & two).sum()), "sample")
            yield f"both hold activations of {both} at epoch {epoch}: log those of each sample in one of them"


def _contradictions(log, other):
    for epoch in sorted(set(log._cells) & set(other._cells)):
        ours, theirs = log._cells[epoch], other._cells[epoch]
        both = np.flatnonzero(ours.seen & theirs.seen)
        differ = np.zeros(len(both), bool)
        for name in ("loss", "margin"):
            one, two = ours.rows[name][both], theirs.rows[name][both]
            differ |= ~np.isclose(one, two, rtol=RTOL, atol=ATOL)
        if differ.any():
            first, n = log._name_of(both[differ][0]), int(differ.sum())
            yield (
                f"{counted(n, 'cell')} at epoch {epoch} differ{'s' if n == 1 else ''}, the first of sample {first!r}: "
                'choose overlap="first" or "last"'
            )


def _merge_cells(cells, other, overlap, y_encoded):
    new = other.seen if overlap == "last" else other.seen & ~cells.seen
    places = np.flatnonzero(new)
    cells.put(places, {name: values[places] for name, values in other.rows.items()})
    if other.activated is not None:
        cells.add_sums(other.sums, other.activated)
