"""What will be large is told before training, with where it goes and how to have less."""

import tempfile
import warnings

import numpy as np
import pytest
import torch

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Geometry, LargeRecordWarning, Samples
from sklearn_nndyn.recording.storage import _sizes

X, Y = np.random.default_rng(0).normal(size=(60, 4)), np.arange(60) % 3


def told(limit, monkeypatch, X=X, **settings):
    """The warning of a fit where so many bytes are large, or None."""
    monkeypatch.setattr(_sizes, "LARGE", limit)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", LargeRecordWarning)
        clf = DynamicsClassifier(**{"module": MLP((7,)), "max_epochs": 9, "random_state": 0} | settings).fit(
            X, Y
        )
    texts = [str(one.message) for one in caught if one.category is LargeRecordWarning]
    assert len(texts) <= 1
    assert not texts or caught[0].filename == __file__, "the user's own line"
    return clf, texts[0] if texts else None


SIZES = {
    "samples": ({"record": ("samples",), "snapshots": False}, 10 * 60 * 13, "Samples(indices=...)"),
    "fewer samples": ({"record": (Samples(range(20)),), "snapshots": False}, 10 * 20 * 13, "record_epochs"),
    "scores": ({"record": ("scores",), "snapshots": False}, 10 * 60 * 3 * 4, "record_epochs"),
    "some epochs": (
        {"record": ("samples",), "record_epochs": [0, 9], "snapshots": False},
        2 * 60 * 13,
        "samples",
    ),
    "centroids": ({"record": ("geometry",), "snapshots": False}, 10 * 3 * 7 * 4, "Geometry(layers=...)"),
    "centroids of the scores": (
        {"record": (Geometry("scores"),), "snapshots": False},
        10 * 3 * 3 * 4,
        "centroids",
    ),
}


@pytest.mark.parametrize("name", SIZES)
def test_the_limit_is_exact(name, monkeypatch):
    settings, size, words = SIZES[name]
    _, text = told(size, monkeypatch, **settings)
    assert words in text
    assert f"to temporary files in {tempfile.gettempdir()}. To have less: " in text
    assert "\n" not in text
    assert told(size + 1, monkeypatch, **settings)[1] is None


@pytest.mark.parametrize(("kind", "kept"), [(True, 10), (3, 4), ("trainable", 10)], ids=str)
def test_snapshots(kind, kept, monkeypatch):
    clf, _ = told(2**40, monkeypatch, snapshots=kind, record=())
    size = kept * clf._state.snapshots.row_size
    assert clf._state.snapshots.nbytes == size
    _, text = told(size, monkeypatch, snapshots=kind, record=())
    assert 'To have less: snapshots=10 (every tenth), "trainable" or False.' in text
    assert told(size + 1, monkeypatch, snapshots=kind, record=())[1] is None


def test_a_folder_is_named(monkeypatch, tmp_path):
    _, text = told(100, monkeypatch, snapshots=tmp_path, record=())
    assert f"snapshots 0.0 GiB to {tmp_path}. " in text


def test_all_that_is_large_is_told_at_once(monkeypatch):
    _, text = told(100, monkeypatch)
    assert all(f"{name} 0.0 GiB" in text for name in ("samples", "centroids", "snapshots"))


def test_flat_maps_are_as_large_as_they_are(monkeypatch):
    def network(input_shape, n_classes):
        return torch.nn.Sequential(
            torch.nn.Conv2d(1, 2, 1),
            torch.nn.Conv2d(2, 2, 1),
            torch.nn.Flatten(),
            torch.nn.Linear(32, n_classes),
        )

    settings = {"X": X.repeat(4, axis=1).reshape(60, 1, 4, 4), "module": network, "snapshots": False}
    for pool, width in {"mean": 2 + 32, "flat": 32 + 32}.items():
        size = 10 * 3 * 4 * width
        assert told(size, monkeypatch, record=(Geometry(pool=pool),), **settings)[1] is not None
        assert told(size + 1, monkeypatch, record=(Geometry(pool=pool),), **settings)[1] is None


def test_usual_fits_say_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        DynamicsClassifier(max_epochs=2).fit(X, Y)
        fit_together([DynamicsClassifier(max_epochs=2) for _ in range(2)], X, Y)


def test_the_limit_is_a_gibibyte():
    assert _sizes.LARGE == 2**30
    assert issubclass(LargeRecordWarning, UserWarning)
