"""A training to log: labels, scores and activations of every sample at every epoch."""

from types import SimpleNamespace

import numpy as np
import pytest

from sklearn_nndyn.dynamics import DynamicsLog


@pytest.fixture
def training():
    """60 samples of 3 classes at 4 epochs, with activations of two layers."""
    rng = np.random.default_rng(0)
    return SimpleNamespace(
        y=np.array(["ant", "bee", "cow"])[np.arange(60) % 3],
        scores=rng.normal(size=(60, 4, 3)).astype(np.float32),
        layers={"z": rng.normal(size=(60, 4, 5)), "conv": rng.normal(size=(60, 4, 2, 3))},
    )


@pytest.fixture
def log_all():
    """``log_all(log, training, rows, epochs, batch, activations)``: log some samples, in random order by batches."""
    return _log_all


def _log_all(log, training, rows=None, epochs=range(4), batch=7, activations=False, names=None, seed=0):
    rng = np.random.default_rng(seed)
    rows = np.arange(len(training.y)) if rows is None else np.asarray(rows)
    for epoch in epochs:
        order = rng.permutation(rows)
        for start in range(0, len(order), batch):
            some = order[start : start + batch]
            layers = {name: values[some, epoch] for name, values in training.layers.items()}
            ids = some if names is None else names[some]
            log.add(epoch, ids, training.scores[some, epoch], activations=layers if activations else None)
    return log


@pytest.fixture
def full_log(training, log_all):
    return log_all(DynamicsLog(training.y), training, activations=True)
