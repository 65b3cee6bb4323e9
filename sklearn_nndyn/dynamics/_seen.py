"""Cells of a record that were never seen: nan where a number is missing, -1 where a prediction is."""

import numpy as np

from sklearn_nndyn.utils.rows.memory_maps import has_nan, span_of
from sklearn_nndyn.utils.text import counted

NOT_SEEN = -1
BLOCK_CELLS = 2**22
MEASURED = ("loss", "margin", "probability", "scores")


def seen_cells(record):
    """Whether each cell was seen, (n_samples, n_epochs): none of what was measured of the sample is missing."""
    seen = np.ones(record.shape, dtype=bool)
    for values in _with_nan(record):
        seen &= ~_is_missing(values)
    return seen if record.prediction is None else seen & (record.prediction != NOT_SEEN)


def prediction_where_seen(record):
    """The predictions, -1 where another measurement of the cell is nan; the array itself where there is no such cell.

    The largest of scores that are nan is the first class to ``argmax``, which must not count as a prediction.
    """
    prediction = record.prediction
    for values in _with_nan(record):
        wrong = _is_missing(values) & (prediction != NOT_SEEN)
        if wrong.any():
            signed = (
                prediction.dtype if prediction.dtype.kind == "i" else np.min_scalar_type(-record.n_classes)
            )
            prediction = prediction.astype(signed)  # a copy of the same layout
            prediction[wrong] = NOT_SEEN
    return prediction


def accuracy_and_error(prediction, target):
    """Shares of the seen samples that are right, and that are wrong, (n_epochs,); nan where none was seen."""
    target, step = target.astype(prediction.dtype)[:, None], max(1, BLOCK_CELLS // max(1, len(prediction)))
    right, seen = np.zeros((2, prediction.shape[1]), int)
    for start in range(0, len(right), step):
        at = slice(start, start + step)
        right[at] = np.count_nonzero(prediction[:, at] == target, axis=0)
        seen[at] = np.count_nonzero(prediction[:, at] != NOT_SEEN, axis=0)
    with np.errstate(invalid="ignore"):
        return right / seen, (seen - right) / seen


def count_unseen(record):
    """How many cells were never seen."""
    return record.seen.size - int(np.count_nonzero(record.seen))


def refuse_unseen(record):
    """Raise where some cells hold nothing at all, for what needs every cell.

    A nan beside measurements that are there is another matter: a loss that is not finite, say. Of a record with one
    measurement alone the two cannot be told apart, and nothing is raised.

    Raises
    ------
    ValueError
        Says how many cells were never seen, and what to do.
    """
    measured = [getattr(record, name) for name in MEASURED if getattr(record, name) is not None]
    if len(measured) < 2 or record.seen.all():
        return
    unseen = np.logical_and.reduce([_holds_nothing(values) for values in measured])
    if unseen.any():
        sample, at = np.argwhere(unseen)[0]
        whole = int(np.count_nonzero(~unseen.any(axis=1)))
        raise ValueError(
            f"{counted(int(np.count_nonzero(unseen)), 'cell')} of {unseen.size:,} (a sample at an epoch) were never "
            f"seen, the first of sample {sample} at epoch {record.epochs[at]:.3g}. Take the samples that were seen at "
            f"every epoch, record[record.seen.all(axis=1)], {whole:,} of {len(unseen):,}; or of a log what was seen "
            'last, log.dynamics("last").'
        )


def refuse_unpredicted(record):
    """Raise where cells have no prediction though nothing else of them is missing: they are neither right nor wrong.

    Raises
    ------
    ValueError
        Says how many, and what to do.
    """
    prediction = record.prediction
    if prediction is None or not prediction.size or span_of(prediction)[0] > NOT_SEEN:
        return
    unpredicted = prediction == NOT_SEEN
    for values in _with_nan(record):
        unpredicted &= ~_is_missing(values)
    if unpredicted.any():
        sample, at = np.argwhere(unpredicted)[0]
        raise ValueError(
            f"{counted(int(np.count_nonzero(unpredicted)), 'cell')} of {unpredicted.size:,} (a sample at an epoch) "
            f"have no prediction ({NOT_SEEN}), the first of sample {sample} at epoch {record.epochs[at]:.3g}. Take the "
            f"samples that have one at every epoch, record[(record.prediction >= 0).all(axis=1)]; or leave the "
            "predictions out, dataclasses.replace(record, prediction=None)."
        )


def _holds_nothing(values):
    missing = np.isnan(values)
    return missing.all(axis=2) if values.ndim == 3 else missing


def _with_nan(record):
    """The measurements that hold a nan."""
    measured = [getattr(record, name) for name in MEASURED]
    return list(filter(has_nan, [values for values in measured if values is not None]))


def _is_missing(values):
    missing = np.isnan(values)
    return missing.any(axis=2) if values.ndim == 3 else missing
