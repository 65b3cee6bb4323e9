"""The results of a fit: its attributes, and a record that goes on where an earlier one ended."""

from dataclasses import replace

import numpy as np
import torch

from sklearn_nndyn.dynamics import concatenate_epochs
from sklearn_nndyn.dynamics._fields import named_arrays
from sklearn_nndyn.utils.networks.devices import sum_dtype
from sklearn_nndyn.utils.rows.arrays import chunks_of, joined
from sklearn_nndyn.utils.rows.named import NamedRows
from sklearn_nndyn.utils.versions import versions

BORN_IN_FIT = (
    "n_features_in_",
    "feature_names_in_",
    "input_shape_",
    "classes_",
    "train_indices_",
    "validation_indices_",
    "loss_",
    "net_",
    "n_iter_",
    "loss_curve_",
    "validation_scores_",
    "best_epoch_",
    "dynamics_",
    "validation_dynamics_",
    "_state",
)
RECORDS = {"train": "dynamics_", "validation": "validation_dynamics_"}


def predicting_attributes(inputs, net, state):
    """The attributes that an estimator needs to predict."""
    return {
        **inputs.seen,
        "input_shape_": inputs.input_shape,
        "classes_": inputs.classes,
        "loss_": net.criterion_,
        "net_": net,
        "_state": state,
    }


def fitted_attributes(prepared, records=True):
    """All attributes, by name, of an estimator after a fit that has ended, in whatever way; others are deleted."""
    inputs, fit, state = prepared.inputs, prepared.fit, prepared.state
    net, history = fit.net, fit.net.history
    attributes = predicting_attributes(inputs, net, state)
    attributes |= {"n_iter_": len(history), "loss_curve_": [line["train_loss"] for line in history]}
    attributes |= {f"{name}_indices_": rows for name, rows in inputs.rows.items()}
    if "validation" in inputs.watched:
        attributes["validation_scores_"] = [line["valid_acc"] for line in history if "valid_acc" in line]
    if fit.best_epoch is not None:
        attributes["best_epoch_"] = fit.best_epoch
    return attributes | (_records(prepared) if records else {})


def _records(prepared):
    """{attribute: Dynamics}, each gone on with where the same rows were recorded before."""
    found, state = {}, prepared.state
    recording = prepared.fit.recording
    header = make_header(prepared.estimator, state) if recording.recorders else {}
    for name, data in prepared.inputs.watched.items():
        rows = fingerprint(data.X)
        earlier = getattr(prepared.estimator, RECORDS[name], None) if prepared.again else None
        record = _record(prepared, recording.recorders.get(name), name, header)
        if record is None:
            record = earlier
        elif earlier is not None and state.fingerprints.get(name) == rows:
            record = _continued(earlier, record)
        if record is not None:
            found[RECORDS[name]] = record
            state.fingerprints[name] = rows
    return found


def _record(prepared, recorder, name, header):
    """The record of some rows by this fit, or None."""
    inputs = prepared.inputs
    times, epochs = prepared.fit.recording.times, [] if recorder is None else recorder.epochs
    if not epochs:
        return None
    own = {"split": name, "seconds_per_epoch": [times[epoch] for epoch in epochs if epoch in times]}
    return recorder.dynamics(
        inputs.labels[name],
        inputs.classes,
        {**header, **own},
        prepared.state.iterations,
        inputs.sample_ids.get(name),
    )


def make_header(estimator, state):
    """The header of a record: facts about its run, which its ``seed`` repeats as ``random_state``."""
    return {
        "estimator": type(estimator).__name__,
        "parameters": {name: _plain(value) for name, value in estimator.get_params(deep=False).items()},
        "seed": state.random_state,
        "torch_seed": int(state.seed),
        "versions": versions(),
        "seconds_per_epoch": [],
    }


def fingerprint(X):
    """A number that tells data sets, and orders of their rows, apart."""
    if isinstance(X, NamedRows):
        return tuple((name, fingerprint(values)) for name, values in X.fields.items())
    X = X.flatten(1) if X.ndim > 1 else X[:][:, None]
    X = X if X.is_floating_point() else X.to(sum_dtype(X.device))
    of_columns = torch.arange(1, X.shape[1] + 1, dtype=X.dtype, device=X.device)
    of_rows = torch.arange(1, len(X) + 1, dtype=torch.float64, device="cpu")
    sums = joined((chunk @ of_columns for chunk in chunks_of(X)), len(X))
    return tuple(X.shape), float(sums.cpu().double() @ of_rows)


def _continued(earlier, record):
    """The two as one record, or the later one alone where it does not begin as the earlier one ends."""
    if earlier.fields != record.fields or not np.array_equal(earlier.y, record.y):
        return record
    if earlier.epochs[-1] < record.epochs[0]:
        return concatenate_epochs(earlier, record)
    last, first = earlier.select_epochs(earlier.epochs[-1:]), record.select_epochs(record.epochs[:1])
    pairs = zip(named_arrays(last), named_arrays(first), strict=True)
    if not all(
        _nearly_equal(a, b)
        for (field, _, a), (_, _, b) in pairs
        if field not in ("y", "classes", "prediction")
    ):
        return record
    if record.n_epochs == 1:
        return earlier
    header = {**record.header, "seconds_per_epoch": record.header["seconds_per_epoch"][1:]}
    return concatenate_epochs(earlier, replace(record.select_epochs(record.epochs[1:]), header=header))


def _nearly_equal(a, b):
    """Up to rounding: networks that were recorded together differ in the last bits from one alone."""
    scale = np.nanmax(np.abs(a), initial=0)
    return np.allclose(a, b, rtol=1e-5, atol=1e-5 * scale, equal_nan=True)


def _plain(value):
    """A parameter as JSON can hold it."""
    return value if value is None or isinstance(value, (bool, int, float, str)) else repr(value)
