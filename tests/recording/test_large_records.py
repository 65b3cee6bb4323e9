"""A record that is too large for memory lies in temporary files, and is the same record."""

import errno
import gc
import pickle
import tempfile

import numpy as np
import pytest
from sklearn.datasets import load_iris

from sklearn_nndyn import DynamicsClassifier, fit_together, load_dynamics
from sklearn_nndyn.dynamics._fields import named_arrays
from sklearn_nndyn.recording import _buffers
from sklearn_nndyn.recording.storage import _disk_rows
from sklearn_nndyn.utils.rows.memory_maps import blocks_of, memory_map_of

X, Y = load_iris(return_X_y=True)
EVERYTHING = ("samples", "geometry", "scores", "gradients")


def classifier(**settings):
    return DynamicsClassifier(**{"max_epochs": 4, "record": EVERYTHING, "random_state": 0} | settings)


@pytest.fixture
def on_disk(monkeypatch):
    """Records are too large from the first byte on."""

    def begin():
        monkeypatch.setattr(_buffers, "MEMORY_LIMIT", 0)

    return begin


def assert_same(record, other):
    assert record.fields == other.fields
    for (name, layer, array), (_, _, expected) in zip(named_arrays(record), named_arrays(other), strict=True):
        np.testing.assert_array_equal(array, expected, err_msg=f"{name} {layer}")


WAYS = {
    "fit": lambda: classifier().fit(X, Y),
    "held out": lambda: classifier(validation_fraction=0.2, early_stopping=True).fit(X, Y),
    "updates": lambda: classifier(record_iterations="all", batch_size=50).fit(X, Y),
    "epoch by epoch": lambda: [
        clf := classifier(max_epochs=1, warm_start=True),
        *(clf.fit(X, Y) for _ in range(3)),
    ][-1],
    "together": lambda: fit_together(
        [classifier(random_state=i, record=EVERYTHING[:2]) for i in range(3)], X, Y
    )[-1],
}


@pytest.mark.parametrize("way", WAYS)
def test_it_is_the_record_in_memory(way, on_disk):
    expected = WAYS[way]()
    on_disk()
    found = WAYS[way]()
    for name in ("dynamics_", "validation_dynamics_"):
        if hasattr(expected, name):
            assert_same(getattr(found, name), getattr(expected, name))


def test_its_arrays_lie_in_files(on_disk):
    on_disk()
    record = classifier().fit(X, Y).dynamics_
    measured = [
        array
        for name, _, array in named_arrays(record)
        if name not in ("y", "classes", "epochs", "iterations")
    ]
    assert len(measured) > 8
    assert all(memory_map_of(array) is not None and not array.flags.writeable for array in measured)


def test_a_replay_of_more_epochs_than_there_was_room_for(on_disk):
    clf = classifier().fit(X, Y)
    on_disk()
    assert_same(clf.replay(X[::2], Y[::2]).until(2), clf.replay(X[::2], Y[::2], epochs=[0, 1, 2]))


def test_growing_keeps_what_was_written(on_disk):
    on_disk()
    rows = _disk_rows.DiskRows(1, (3,), np.int16)
    rows.reserve(1)
    rows.array[0] = [1, 2, 3]
    grown = rows.grow(5)
    rows.reserve(5)
    np.testing.assert_array_equal(grown, [[1, 2, 3], *[[0, 0, 0]] * 4])


def test_copies_and_files_hold_the_same(on_disk, tmp_path):
    on_disk()
    clf = classifier().fit(X, Y)
    clf.dynamics_.save(tmp_path / "record")
    for again in (pickle.loads(pickle.dumps(clf)).dynamics_, load_dynamics(tmp_path / "record")):
        assert_same(again, clf.dynamics_)
        assert memory_map_of(again.loss) is None


def test_the_files_have_no_names_and_are_closed(on_disk, monkeypatch):
    """So nothing is left when the last view is gone, or the process is killed."""
    on_disk()
    files = []

    def remember(*args, original=tempfile.TemporaryFile, **kwargs):
        files.append(original(*args, **kwargs))
        return files[-1]

    monkeypatch.setattr(_disk_rows.tempfile, "TemporaryFile", remember)
    record = classifier(record=("samples",), snapshots=False).fit(X, Y).dynamics_
    gc.collect()
    assert [type(file.name) for file in files] == [int] * 4
    assert all(file.closed for file in files)
    assert np.isfinite(record.loss).all()


def test_a_full_disk_ends_training_at_the_last_whole_epoch(on_disk, monkeypatch):
    on_disk()
    whole = classifier(max_epochs=2).fit(X, Y)
    reserve = _disk_rows.DiskRows.reserve

    def full(self, n_rows):
        if n_rows > 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        reserve(self, n_rows)

    monkeypatch.setattr(_disk_rows.DiskRows, "reserve", full)
    clf = classifier()
    with pytest.raises(OSError, match="No space left") as caught:
        clf.fit(X, Y)
    assert "as it was after epoch 2" in caught.value.__notes__[0]
    assert_same(clf.dynamics_, whole.dynamics_)
    np.testing.assert_array_equal(clf.decision_function(X), whole.decision_function(X))


@pytest.mark.parametrize("order", ["C", "F"])
def test_blocks_are_the_array(order, monkeypatch):
    monkeypatch.setattr("sklearn_nndyn.utils.rows.memory_maps.BLOCK_BYTES", 100)
    array = np.asarray(np.arange(600.0).reshape(20, 30), order=order)
    blocks = list(blocks_of(array))
    assert max(block.nbytes for block in blocks) <= 240
    joined = np.concatenate(blocks)
    np.testing.assert_array_equal(joined if order == "C" else joined.T, array)
