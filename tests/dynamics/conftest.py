"""Records to test with, and when two of them are the same."""

import dataclasses

import numpy as np
import pytest

from sklearn_nndyn.dynamics import Dynamics

PER_LAYER = ("centroids", "reconstruction", "probe_accuracy", "weight_norms")


@pytest.fixture
def make_record():
    """``make_record(n_samples, n_epochs, classes, epoch_major, **changes)``: a record with every field."""
    return _make_record


@pytest.fixture
def record(make_record):
    return make_record()


@pytest.fixture
def arrays_of():
    """``arrays_of(record)``: {name: array}, those of the layers included."""
    return _arrays_of


@pytest.fixture
def assert_same():
    """``assert_same(one, other)``: the same fields, values, types, layers in the same order, and header."""
    return _assert_same


def _make_record(n_samples=7, n_epochs=4, classes=("ant", "bee", "cow"), epoch_major=True, **changes):
    rng = np.random.default_rng(0)
    classes = np.asarray(classes)

    def measured(*shape, dtype=np.float32):
        values = rng.normal(size=shape).astype(dtype)
        return np.asfortranarray(values) if epoch_major and len(shape) == 2 else values

    scores = rng.normal(size=(n_epochs, n_samples, len(classes))).astype(np.float32)
    prediction = rng.integers(0, len(classes), (n_samples, n_epochs)).astype(np.int8)
    fields = {
        "y": classes[np.arange(n_samples) % len(classes)],
        "classes": classes,
        "epochs": np.arange(n_epochs),
        "loss": measured(n_samples, n_epochs),
        "margin": measured(n_samples, n_epochs),
        "prediction": np.asfortranarray(prediction) if epoch_major else prediction,
        "probability": np.abs(np.tanh(measured(n_samples, n_epochs))),
        "scores": scores.swapaxes(0, 1) if epoch_major else np.ascontiguousarray(scores.swapaxes(0, 1)),
        "centroids": {
            name: measured(n_epochs, len(classes), width) for name, width in (("z", 5), ("a.0", 2))
        },
        "reconstruction": {"z": measured(n_samples, n_epochs)},
        "probe_accuracy": {"z": rng.random(n_epochs), "a.0": rng.random(n_epochs)},
        "weight_norms": {"z": measured(n_epochs), "out/put": measured(n_epochs)},
        "header": {
            "loss": "log",
            "loss_facts": {"link": "softmax"},
            "parameters": {"lr": 0.1, "hidden": [20, 20]},
            "seed": None,
        },
    }
    return Dynamics(**(fields | changes))


def _arrays_of(record):
    arrays = {}
    for one in dataclasses.fields(record):
        value = getattr(record, one.name)
        if one.name in PER_LAYER:
            arrays |= {f"{one.name}[{layer}]": array for layer, array in value.items()}
        elif one.name != "header" and value is not None:
            arrays[one.name] = value
    return arrays


def _assert_same(one, other):
    ours, theirs = _arrays_of(one), _arrays_of(other)
    assert list(ours) == list(theirs)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)
        assert array.dtype == theirs[name].dtype, name
    assert one.header == other.header
