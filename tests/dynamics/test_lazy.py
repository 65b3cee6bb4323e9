"""A record that stays in its file is the same record, and nobody reads it until it is asked for."""

import struct
import tracemalloc

import numpy as np
import pytest

from sklearn_nndyn.analyzers import EntanglementAnalyzer, LossTailAnalyzer, SampleScoreAnalyzer
from sklearn_nndyn.dynamics import load_dynamics
from sklearn_nndyn.utils.rows.memory_maps import memory_map_of
from tests.dynamics.test_storage import DAMAGED

OF_THE_DIGEST = [name for name, (_, message) in DAMAGED.items() if "its digest differs" in message]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "record.safetensors"


@pytest.mark.parametrize("epoch_major", [True, False])
@pytest.mark.parametrize("classes", [("ant", "bee"), (-1, 7, 300), (0.5, 2.0)], ids=str)
def test_it_is_the_record_that_was_saved(make_record, assert_same, path, classes, epoch_major):
    record = make_record(classes=classes, epoch_major=epoch_major, sample_ids=np.arange(7)[::-1])
    record.save(path)
    lazy = load_dynamics(path, lazy=True)
    assert_same(lazy, record)
    assert lazy.loss.strides == load_dynamics(path).loss.strides


def test_arrays_stay_in_the_file(make_record, arrays_of, path):
    make_record().save(path)
    arrays = arrays_of(load_dynamics(path, lazy=True))
    in_memory = {name for name, array in arrays.items() if memory_map_of(array) is None}
    assert in_memory == {"y", "classes"}
    assert not any(array.flags.writeable for array in arrays.values())


def test_opening_takes_the_memory_of_the_labels(make_record, path):
    record = make_record(20_000, 30)
    record.save(path)
    tracemalloc.start()
    lazy = load_dynamics(path, lazy=True).until(20)[5000:]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < record.loss.nbytes / 2
    np.testing.assert_array_equal(lazy.loss, record.loss[5000:, :21])


SELECTIONS = {
    "epochs": lambda record: record.select_epochs([0, 2]),
    "until": lambda record: record.until(1),
    "rows": lambda record: record[2:5],
    "backwards": lambda record: record[::-1],
}


@pytest.mark.parametrize("selection", SELECTIONS)
def test_selections_stay_in_the_file(record, path, assert_same, selection):
    record.save(path)
    selected = SELECTIONS[selection](load_dynamics(path, lazy=True))
    assert memory_map_of(selected.loss) is not None
    assert_same(selected, SELECTIONS[selection](record))


def test_rows_that_would_have_one_name_twice_are_refused(make_record, path):
    make_record(sample_ids=np.arange(7)).save(path)
    with pytest.raises(ValueError, match="sample_ids must name each sample once, but has several of 3"):
        load_dynamics(path, lazy=True)[[3, 3]]


@pytest.mark.parametrize(
    "analyzer",
    [LossTailAnalyzer(), SampleScoreAnalyzer(), EntanglementAnalyzer()],
    ids=lambda a: type(a).__name__,
)
def test_analyzers_find_the_same(make_record, path, analyzer):
    record = make_record(40, 12, loss=np.abs(np.random.default_rng(1).normal(size=(40, 12))))
    record.save(path)
    lazy = load_dynamics(path, lazy=True)
    expected = analyzer.fit(record).summary(), analyzer.transform(record)
    assert analyzer.fit(lazy).summary() == expected[0]
    np.testing.assert_array_equal(analyzer.transform(lazy), expected[1])


@pytest.mark.parametrize("name", [name for name in DAMAGED if name not in OF_THE_DIGEST])
def test_a_damaged_file_is_refused_in_words(record, path, name):
    damage, message = DAMAGED[name]
    record.save(path)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(ValueError, match=message) as caught:
        load_dynamics(path, lazy=True)
    assert str(caught.value).startswith(str(path))


def test_it_outlives_its_name(record, make_record, path, assert_same):
    record.save(path)
    lazy = load_dynamics(path, lazy=True)
    make_record(3).save(path)
    path.unlink()
    assert_same(lazy, record)


def test_lazy_is_true_or_false(record, path):
    record.save(path)
    with pytest.raises(TypeError, match=r"lazy must be True or False, got 'yes'\."):
        load_dynamics(path, lazy="yes")


def test_error_and_accuracy_are_counted_in_blocks_of_epochs(make_record, monkeypatch):
    record = make_record(9, 7, prediction=np.random.default_rng(0).integers(-1, 3, (9, 7)))
    whole = record.error, record.accuracy
    monkeypatch.setattr("sklearn_nndyn.dynamics._seen.BLOCK_CELLS", 20)
    np.testing.assert_array_equal(record.error, whole[0])
    np.testing.assert_array_equal(record.accuracy, whole[1])
    seen = record.prediction >= 0
    np.testing.assert_allclose(record.error, (seen & ~record.correct).sum(0) / seen.sum(0))


@pytest.mark.parametrize(
    "metadata",
    [b'"__metadata__":null', b'"__metadata__":{"a":"b"}, "__metadata__":{"a":"c"}'],
    ids=["null", "two"],
)
@pytest.mark.parametrize("lazy", [False, True])
def test_a_header_that_is_read_in_two_ways(metadata, lazy, tmp_path):
    header = b"{" + metadata + b"}"
    (tmp_path / "record").write_bytes(struct.pack("<Q", len(header)) + header)
    with pytest.raises(ValueError, match=str(tmp_path / "record")):
        load_dynamics(tmp_path / "record", lazy=lazy)
