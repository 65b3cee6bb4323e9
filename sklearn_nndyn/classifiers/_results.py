"""What a fit leaves behind: the attributes born in it, and a record that goes on where an earlier one ended."""

from dataclasses import replace

import numpy as np
import torch

from sklearn_nndyn.dynamics import concatenate_epochs
from sklearn_nndyn.dynamics._fields import named_arrays
from sklearn_nndyn.utils.versions import versions


def keep_results(estimator, task, recording):
    """Set the attributes of a fit that has ended, in whatever way."""
    history = estimator.net_.history
    estimator.module_.eval()
    estimator.n_iter_ = len(history)
    estimator.loss_curve_ = [line["train_loss"] for line in history]
    if "validation" in task.watched:
        estimator.validation_scores_ = [line["valid_acc"] for line in history if "valid_acc" in line]
    stopper = estimator.__dict__.pop("_stopper", None)
    if stopper is not None and stopper.best_epoch is not None:
        estimator.best_epoch_ = stopper.best_epoch
    for name, attribute in (("train", "dynamics_"), ("validation", "validation_dynamics_")):
        recorder = recording.recorders.get(name)
        if recorder is not None and recorder.epochs:
            header = make_header(estimator, recording.seconds)
            record = recorder.dynamics(task.labels[name], estimator.classes_, header, estimator._iterations)
            seen = _fingerprint(recorder.X)
            if estimator._fingerprints.get(name) == seen:
                record = _continued(getattr(estimator, attribute), record)
            setattr(estimator, attribute, record)
            estimator._fingerprints = {**estimator._fingerprints, name: seen}


def make_header(estimator, seconds):
    """What a record tells of its run."""
    return {
        "estimator": type(estimator).__name__,
        "parameters": {name: _plain(value) for name, value in estimator.get_params(deep=False).items()},
        "seed": int(estimator._seed),
        "versions": versions(),
        "seconds_per_epoch": list(seconds),
    }


def _fingerprint(X):
    """A number that tells data sets, and orders of their rows, apart."""
    X = X.flatten(1)
    of_columns = torch.arange(1, X.shape[1] + 1, dtype=X.dtype, device=X.device)
    of_rows = torch.arange(1, len(X) + 1, dtype=torch.float64, device=X.device)
    return tuple(X.shape), float((X @ of_columns).double() @ of_rows)


def _continued(earlier, record):
    """The two as one record, or the later one alone where it does not begin as the earlier one ends."""
    if earlier.fields != record.fields or not np.array_equal(earlier.y, record.y):
        return record
    if earlier.epochs[-1] < record.epochs[0]:
        return concatenate_epochs(earlier, record)
    last, first = earlier.select_epochs(earlier.epochs[-1:]), record.select_epochs(record.epochs[:1])
    pairs = zip(named_arrays(last), named_arrays(first), strict=True)
    if not all(
        _same_look(a, b) for (field, _, a), (_, _, b) in pairs if field not in ("y", "classes", "prediction")
    ):
        return record
    if record.n_epochs == 1:
        return earlier
    header = {**record.header, "seconds_per_epoch": record.header["seconds_per_epoch"][1:]}
    return concatenate_epochs(earlier, replace(record.select_epochs(record.epochs[1:]), header=header))


def _same_look(a, b):
    """Up to rounding: the last bits of networks that were looked at together differ from those of one alone."""
    scale = np.nanmax(np.abs(a), initial=0)
    return np.allclose(a, b, rtol=1e-5, atol=1e-5 * scale, equal_nan=True)


def _plain(value):
    """A parameter as JSON can hold it."""
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)
