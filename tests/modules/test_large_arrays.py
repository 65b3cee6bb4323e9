"""Bytes, and arrays that lie in a file, are converted a batch at a time: to the same bits as when all is in memory."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import cross_val_predict
from skorch.callbacks import Callback
from torch import nn

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier, fit_together
from sklearn_nndyn.classifiers import _validation
from sklearn_nndyn.dynamics._fields import named_arrays
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Gradients
from sklearn_nndyn.utils.rows import arrays as rows_module

VALUES, Y = make_classification(101, 16, n_informative=8, n_classes=3, random_state=0)
BYTES = np.clip(128 + 40 * VALUES, 0, 255).astype("uint8")
WEIGHTS = np.random.default_rng(0).uniform(0, 2, 101) * (np.arange(101) % 5 > 0)


KINDS = ("uint8", "bool", "mapped uint8", "mapped float32", "mapped float64", "mapped int16", "copy on write")


@pytest.fixture(autouse=True)
def nothing_is_small(monkeypatch):
    """Every array counts as large, and a chunk holds few rows."""
    monkeypatch.setattr(_validation, "LARGE_BYTES", 0)
    monkeypatch.setattr(rows_module, "CHUNK_BYTES", 700)


@pytest.fixture(params=KINDS)
def stored(request, tmp_path):
    """Data as they are stored, and the floats that they stand for."""
    kind = request.param.split()[-1] if request.param != "copy on write" else "float32"
    values = BYTES > 128 if kind == "bool" else (BYTES if kind in ("uint8", "int16") else VALUES).astype(kind)
    floats = values.astype("float32")
    if " " not in request.param:
        return values, floats
    path = tmp_path / "values"
    values.tofile(path)
    return np.memmap(path, kind, "r" if "mapped" in request.param else "c", shape=values.shape), floats


class WatchesBatches(Callback):
    """Makes skorch's own loop run."""

    def on_batch_end(self, net, **kwargs):
        pass


def images(shape, k):
    return nn.Sequential(
        nn.Unflatten(1, (1, 4, 4)), nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2),
        nn.Linear(12, k),
    )  # fmt: skip


NETWORKS = {"mlp": MLP((9,), dropout=0.3), "convolution": images}


def classifier(module=NETWORKS["mlp"], **changes):
    settings = {"max_epochs": 3, "lr": 0.01, "batch_size": 16, "random_state": 0, **changes}
    return DynamicsClassifier(module, **settings)


def assert_same_fit(a, b):
    for u, v in zip(a.module_.state_dict().values(), b.module_.state_dict().values(), strict=True):
        assert torch.equal(u, v)
    for name in ("dynamics_", "validation_dynamics_"):
        assert hasattr(a, name) == hasattr(b, name)
        if hasattr(a, name):
            assert_same_record(getattr(a, name), getattr(b, name))


def assert_same_record(a, b):
    for (_, name, u), (_, _, v) in zip(named_arrays(a), named_arrays(b), strict=True):
        assert np.array_equal(u, v, equal_nan=u.dtype.kind == "f"), name


WAYS = {
    "plain": {},
    "held-out": {"validation_fraction": 0.3, "early_stopping": True, "n_iter_no_change": 2},
    "in-order": {"shuffle": False},
    "full": {"batch_size": "full"},
    "balanced": {"class_weight": "balanced"},
    "skorch": {"callbacks": [WatchesBatches()]},
    "everything": {"record": ("samples", "geometry", "scores", Gradients("all"))},
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("module", NETWORKS.values(), ids=NETWORKS)
def test_the_same_bits_as_in_memory(stored, module, way):
    X, floats = stored
    weights = None if way is WAYS["plain"] else WEIGHTS
    validation = {} if "validation_fraction" in way else {"y_val": Y[:30]}
    fits = [
        classifier(module, **way).fit(
            data, Y, weights, **({"X_val": data[:30], **validation} if validation else {})
        )
        for data in (X, floats)
    ]
    assert_same_fit(*fits)
    unrecorded = classifier(module, **way).set_params(record=(), snapshots=False)
    if "early_stopping" not in way:
        unrecorded.fit(X, Y, weights)
        for u, v in zip(unrecorded.module_.parameters(), fits[0].module_.parameters(), strict=True):
            assert torch.equal(u, v)


def test_all_that_is_asked_afterwards(stored):
    X, floats = stored
    clf = classifier(record=("samples", "geometry")).fit(X, Y)
    ways = {
        "predict": lambda data: clf.predict(data),
        "decision_function": lambda data: clf.decision_function(data),
        "one row": lambda data: clf.predict_proba(data[:1]),
        "staged": lambda data: np.array(list(clf.staged_decision_function(data))),
        "activations": lambda data: clf.activations(data, 0, epoch=1),
        "replay": lambda data: clf.replay(data, Y).loss,
        "reconstruct": lambda data: clf.reconstruct(data[:9], X_train=data),
        "probe": lambda data: next(iter(clf.replay(data, Y, record=("probe",)).probe_accuracy.values())),
    }
    for name, way in ways.items():
        assert np.array_equal(way(X), way(floats)), name
    np.testing.assert_allclose(clf.replay(X, Y).loss, clf.dynamics_.loss, rtol=1e-5, atol=1e-6)


def test_going_on_with_the_same_rows(stored):
    X, floats = stored
    fits = []
    for data in (X, floats):
        clf = classifier(warm_start=True).fit(data, Y)
        fits.append(clf.fit(data, Y))
    assert fits[0].dynamics_.n_epochs == 7
    assert_same_fit(*fits)


@pytest.mark.parametrize("module", [*NETWORKS.values(), lambda shape, k: nn.Sequential(nn.Linear(16, k))])
@pytest.mark.parametrize("batch_size", [16, "full"])
def test_together(stored, module, batch_size):
    X, floats = stored
    together = []
    for data in (X, floats):
        fits = [
            classifier(module, random_state=s, batch_size=batch_size, validation_fraction=0.2)
            for s in (0, 1, 1)
        ]
        fits[2].set_params(validation_fraction=None)
        together.append(fit_together(fits, data, Y, sample_weight=WEIGHTS + 1))
    for a, b in zip(*together, strict=True):
        np.testing.assert_allclose(a.dynamics_.loss, b.dynamics_.loss, rtol=1e-4, atol=1e-6)


def test_folds_and_candidates(stored):
    X, floats = stored
    grid = {"lr": [0.01, 0.1]}
    assert np.array_equal(
        cross_val_predict(classifier(), X, Y, cv=3), cross_val_predict(classifier(), floats, Y, cv=3)
    )
    found = [BatchedGridSearchCV(classifier(), grid, cv=2).fit(data, Y).cv_results_ for data in (X, floats)]
    assert np.array_equal(found[0]["mean_test_score"], found[1]["mean_test_score"])


def test_what_is_stored_is_not_changed(stored):
    X, floats = stored
    classifier().fit(X, Y).predict(X)
    assert np.array_equal(X.astype("float32"), floats)


def test_what_was_written_into_a_private_map_stays(tmp_path):
    VALUES.astype("float32").tofile(tmp_path / "values")
    X = np.memmap(tmp_path / "values", "float32", "c", shape=VALUES.shape)
    X[3] = 7
    classifier().fit(X, Y)
    assert (X[3] == 7).all()


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e300])
def test_numbers_that_are_none_are_refused(tmp_path, value):
    VALUES.tofile(tmp_path / "values")
    X = np.memmap(tmp_path / "values", "float64", "r+", shape=VALUES.shape)
    X[77, 3] = value
    with pytest.raises(ValueError, match="Input X contains"):
        classifier().fit(X, Y)


def test_a_file_is_never_read_whole(stored, monkeypatch):
    X, _ = stored
    read = []
    original = rows_module.ArrayRows._read

    def watched(self, places):
        found = original(self, places)
        read.append(len(found))
        return found

    monkeypatch.setattr(rows_module.ArrayRows, "_read", watched)
    monkeypatch.setattr("sklearn_nndyn.utils.modules.rows_per_chunk", lambda shape: 20)
    monkeypatch.setattr("sklearn_nndyn.recording._recorder.rows_per_chunk", lambda shape: 20)
    monkeypatch.setattr("sklearn_nndyn.training.batches._cutting.CHUNK_BYTES", 700)
    monkeypatch.setattr("sklearn_nndyn.training._hooks.ROWS_OF_REFERENCE", 20)
    clf = classifier(validation_fraction=0.2).fit(X, Y, WEIGHTS)
    clf.predict(X)
    assert 0 < max(read) <= 21
