"""Whether two classifiers are the same to the bit, and fits that end in the middle."""

import os

import numpy as np
import torch

from sklearn_nndyn import Checkpoint
from sklearn_nndyn.recording import Recorder
from sklearn_nndyn.training.checkpoint import CheckpointWriter
from tests.classifiers.test_laws import assert_same_weights


def every_epoch(folder):
    return Checkpoint(folder, every_seconds=0)


def lines(clf):
    """The history, without what a clock says."""
    return [{name: value for name, value in line.items() if name != "dur"} for line in clf.net_.history]


def record_arrays(record):
    """{field: array} of all that was recorded."""
    names = ("loss", "margin", "prediction", "probability", "scores", "gradient_norm", "epochs", "iterations")
    found = {name: getattr(record, name) for name in names}
    for group in ("centroids", "weight_norms", "reconstruction", "probe_accuracy"):
        found |= {f"{group} {layer}": values for layer, values in (getattr(record, group) or {}).items()}
    return {name: values for name, values in found.items() if values is not None}


def assert_same_fit(clf, whole, X):
    """In everything that can be seen, but for times."""
    assert_same_weights(clf, whole)
    assert lines(clf) == lines(whole)
    for name in ("n_iter_", "loss_curve_", "validation_scores_", "best_epoch_"):
        assert getattr(clf, name, None) == getattr(whole, name, None), name
    for name in ("dynamics_", "validation_dynamics_"):
        record, expected = getattr(clf, name, None), getattr(whole, name, None)
        assert (record is None) == (expected is None)
        if record is not None:
            found, wanted = record_arrays(record), record_arrays(expected)
            assert found.keys() == wanted.keys()
            for field, values in wanted.items():
                np.testing.assert_array_equal(found[field], values, field)
            assert len(record.header["seconds_per_epoch"]) == record.n_epochs
    np.testing.assert_array_equal(clf.predict(X), whole.predict(X))
    np.testing.assert_array_equal(clf.decision_function(X), whole.decision_function(X))
    assert_same_snapshots(clf, whole)


def assert_same_snapshots(clf, whole):
    kept, expected = clf._state.snapshots, whole._state.snapshots
    assert (kept is None) == (expected is None)
    if kept is not None:
        assert kept.epochs == expected.epochs
        for epoch in kept.epochs:
            pairs = zip(kept.state_dict(epoch).values(), expected.state_dict(epoch).values(), strict=True)
            assert all(torch.equal(a, b) for a, b in pairs)


class Killed(BaseException):
    """Ends a fit at once, as a kill does as far as the disk can tell."""


def killed_after(monkeypatch, n_saves):
    """End the process, as it were, after so many states were written."""
    original, written = CheckpointWriter.save, []

    def save(self, *args, **kwargs):
        original(self, *args, **kwargs)
        written.append(None)
        if len(written) == n_saves:
            raise Killed

    monkeypatch.setattr(CheckpointWriter, "save", save)


def count_records(monkeypatch):
    """A list that grows by the epoch of every record that is made."""
    original, epochs = Recorder._record, []

    def record(self, module, epoch, *args):
        epochs.append(epoch)
        return original(self, module, epoch, *args)

    monkeypatch.setattr(Recorder, "_record", record)
    return epochs


def in_a_child(work):
    """Exit status of a copy of this process that does the work."""
    number = os.fork()
    if number == 0:
        try:
            work()
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
