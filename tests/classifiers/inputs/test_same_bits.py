"""However the rows are stored: weights and record are those of one array of floats in memory, to the bit."""

import functools
import itertools

import numpy as np
import pytest

from sklearn_nndyn.classifiers import _validation
from sklearn_nndyn.recording import Gradients
from sklearn_nndyn.utils.rows import arrays, datasets
from tests.classifiers.inputs.kinds import (
    FLOATS,
    KINDS,
    NETWORKS,
    WEIGHTS,
    WatchesBatches,
    Y,
    assert_same_fit,
    assert_same_record,
    assert_same_weights,
    classifier,
    is_named,
)
from tests.pairwise import some_of, thinned

PAIRS = [(kind, network) for kind in KINDS for network in NETWORKS if network != "mlp" or not is_named(kind)]
CHIEF = ("dict", "sparse", "Dataset", "uint8", "mapped float64")


@pytest.fixture(autouse=True)
def nothing_is_small(monkeypatch):
    """Everything counts as large, and a chunk holds few rows."""
    monkeypatch.setattr(_validation, "LARGE_BYTES", 0)
    monkeypatch.setattr(datasets, "LARGE_BYTES", 0)
    monkeypatch.setattr(arrays, "CHUNK_BYTES", 700)


@pytest.fixture
def stored(tmp_path):
    """Rows as they are stored in some way."""
    return lambda kind, rows=slice(None): KINDS[kind](FLOATS[rows], tmp_path)


# name: parameters, weights, whether validation samples are given
WAYS = {
    "plain": ({}, None, False),
    "validation": ({}, WEIGHTS, True),
    "held-out": (
        {"validation_fraction": 0.3, "early_stopping": True, "n_iter_no_change": 2},
        WEIGHTS,
        False,
    ),
    "everything": ({"record": ("samples", "geometry", "scores", Gradients("all"))}, WEIGHTS, True),
}
FURTHER_WAYS = {
    "in-order": ({"shuffle": False}, WEIGHTS, True),
    "full": ({"batch_size": "full"}, WEIGHTS, False),
    "balanced": ({"class_weight": "balanced", "dtype": "float64"}, None, True),
    "skorch": ({"callbacks": [WatchesBatches()]}, WEIGHTS, True),
}
CASES = thinned([(kind, network, way) for kind, network in PAIRS for way in WAYS])
CASES += some_of(
    [(kind, "normed", way) for way in FURTHER_WAYS for kind in CHIEF],
    [
        *((kind, "normed", way) for kind, way in zip(CHIEF, itertools.cycle(FURTHER_WAYS), strict=False)),
        *((kind, "normed", way) for kind, way in zip(CHIEF[::-1], FURTHER_WAYS, strict=False)),
    ],
)
ONE_EACH = [("mapped uint8", "mlp"), *zip(KINDS, itertools.cycle(("normed", "convolution")), strict=False)]
OTHERS = [pytest.param(*pair, marks=pytest.mark.slow) for pair in PAIRS if pair not in ONE_EACH]


def fit(network, way, rows_of, **changes):
    parameters, weights, validates = (WAYS | FURTHER_WAYS)[way]
    validation = {"X_val": rows_of(slice(0, 30)), "y_val": Y[:30]} if validates else {}
    clf = classifier(NETWORKS[network], **{**parameters, **changes})
    return clf.fit(rows_of(slice(None)), Y, weights, **validation)


@functools.cache
def from_floats(network, way):
    """The fit that all others are compared with; it is only read."""
    return fit(network, way, lambda rows: FLOATS[rows])


@pytest.mark.parametrize(("kind", "network", "way"), CASES)
def test_the_same_bits_as_from_floats_in_memory(stored, kind, network, way):
    own = fit(network, way, lambda rows: stored(kind, rows))
    assert_same_fit(own, from_floats(network, way))
    if way in ("everything", *FURTHER_WAYS):
        rows_of = functools.partial(stored, kind)
        assert_same_record(own.replay(rows_of(), Y), own.dynamics_)
        assert_same_weights(own, fit(network, way, rows_of, record=(), snapshots=False))


@pytest.mark.parametrize(("kind", "network"), ONE_EACH + OTHERS)
def test_all_that_is_asked_afterwards(stored, kind, network):
    X = stored(kind)
    clf, dense = classifier(NETWORKS[network]).fit(X, Y), from_floats(network, "plain")
    ways = {
        "predict": lambda own, data: own.predict(data),
        "predict_log_proba": lambda own, data: own.predict_log_proba(data),
        "staged": lambda own, data: np.array(list(own.staged_decision_function(data))),
        "activations": lambda own, data: own.activations(data, 0, epoch=1),
        "score": lambda own, data: own.score(data, Y),
        "probe": lambda own, data: (
            own.replay(data, Y, record=("probe",)).probe_accuracy["layers.0"] if network == "normed" else 0
        ),
    }
    for name, way in ways.items():
        np.testing.assert_array_equal(way(clf, X), way(dense, FLOATS), err_msg=name)
    few = clf.predict_proba(stored(kind, slice(7, 8))), dense.predict_proba(FLOATS[7:8])
    np.testing.assert_array_equal(*few)
    replayed = clf.replay(X, Y)
    assert_same_record(replayed, dense.replay(FLOATS, Y))
    assert_same_record(replayed, clf.dynamics_)


@pytest.mark.parametrize("kind", CHIEF)
def test_going_on(stored, kind):
    X, network = stored(kind), NETWORKS["normed"]
    by_epoch, whole = classifier(network), classifier(network, warm_start=True).fit(X, Y)
    for _ in range(3):
        by_epoch.partial_fit(X, Y)
    assert_same_fit(whole, by_epoch)
    assert_same_fit(whole.fit(X, Y), classifier(network, warm_start=True).fit(FLOATS, Y).fit(FLOATS, Y))
    assert whole.dynamics_.n_epochs == 7


@pytest.mark.parametrize(
    ("kind", "num_workers"),
    some_of(
        [*itertools.product(("Dataset", "Dataset of dicts"), (1, 2))],
        [("Dataset", 2), ("Dataset of dicts", 1)],
    ),
)
def test_samples_that_workers_read(stored, kind, num_workers):
    changes = {"record_iterations": [0, 3, 7, 20], "validation_fraction": 0.2}  # also within an epoch
    alone, helped = (
        classifier(NETWORKS["normed"], num_workers=n, **changes).fit(stored(kind), Y)
        for n in (0, num_workers)
    )
    assert_same_fit(helped, alone)
    assert_same_record(helped.replay(stored(kind), Y), alone.replay(stored(kind), Y))
