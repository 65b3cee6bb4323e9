"""Bytes, and arrays that lie in a file, are converted a batch at a time: to the same bits as when all is in memory."""

import numpy as np
import pytest
from sklearn.datasets import make_classification
from sklearn.model_selection import cross_val_predict
from torch import nn

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier, fit_together
from sklearn_nndyn.classifiers import _validation
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.utils.rows import arrays as rows_module
from tests.pairwise import pairwise

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


def images(shape, k):
    return nn.Sequential(
        nn.Unflatten(1, (1, 4, 4)), nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(), nn.Dropout(0.2),
        nn.Linear(12, k),
    )  # fmt: skip


NETWORKS = {"mlp": MLP((9,), dropout=0.3), "convolution": images}


def classifier(module=NETWORKS["mlp"], **changes):
    settings = {"max_epochs": 3, "lr": 0.01, "batch_size": 16, "random_state": 0, **changes}
    return DynamicsClassifier(module, **settings)


@pairwise(
    stored={kind: kind for kind in KINDS},
    module={**NETWORKS, "linear": lambda shape, k: nn.Sequential(nn.Linear(16, k))},
    batch_size={"batches": 16, "full": "full"},
    indirect=["stored"],
)
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


@pytest.mark.parametrize("stored", ["uint8", "mapped float64", "copy on write"], indirect=True)
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
