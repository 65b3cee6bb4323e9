"""Records are put together by the ids of their samples."""

import numpy as np
import pytest

from sklearn_nndyn.dynamics import Dynamics, align, concatenate_epochs, concatenate_samples, load_dynamics

IDS = {
    "text": np.array(["g", "a", "ccc", "b", "é", "", "z"]),
    "objects": np.array(["g", "a", "ccc", "b", "é", "", "z"], dtype=object),
    "int": np.array([7, -3, 10**12, 0, 5, 6, 1]),
    "uint64": np.array([7, 3, 2**64 - 1, 0, 5, 6, 1], np.uint64),
    "int8": np.array([7, -3, 100, 0, 5, 6, 1], np.int8),
}


@pytest.fixture(params=IDS)
def named(request, make_record):
    return make_record(sample_ids=IDS[request.param])


def test_ids_survive_files_and_selections(named, assert_same, tmp_path):
    named.save(tmp_path / "record")
    assert_same(load_dynamics(tmp_path / "record"), named)
    np.testing.assert_array_equal(named[[4, 2]].sample_ids, named.sample_ids[[4, 2]])
    np.testing.assert_array_equal(named.until(1).sample_ids, named.sample_ids)
    assert not named.sample_ids.flags.writeable
    assert "sample_ids" not in named.fields


def test_ids_are_in_tables(named):
    frame = named.to_frame()
    assert frame.columns[:2].tolist() == ["sample", "sample_id"]
    np.testing.assert_array_equal(frame["sample_id"], np.repeat(named.sample_ids, 4))
    np.testing.assert_array_equal(named.to_xarray().coords["sample_id"], named.sample_ids)


def test_aligned_records_have_the_common_samples_in_the_order_of_the_first(named, assert_same):
    one, other = named[[0, 1, 2, 3, 5]], named[[6, 5, 3, 2, 4]]
    first, second = align([one, other])
    np.testing.assert_array_equal(first.sample_ids, named.sample_ids[[2, 3, 5]])
    for found in (first, second):
        assert_same(found, named[[2, 3, 5]])


def test_alignment_of_one_or_of_equal_records_changes_nothing(named, assert_same):
    for found in align([named]) + align([named, named]):
        assert_same(found, named)


def test_records_of_other_epochs_and_fields_can_be_aligned(named, make_record):
    other = make_record(n_epochs=2, margin=None, sample_ids=named.sample_ids)[::-1]
    first, second = align([named, other])
    np.testing.assert_array_equal(second.sample_ids, first.sample_ids)
    np.testing.assert_array_equal(second.loss, other.loss[::-1])
    assert (first.n_epochs, second.n_epochs) == (4, 2)


def test_what_cannot_be_aligned_is_refused(make_record):
    record = make_record(sample_ids=np.arange(7))
    with pytest.raises(ValueError, match=r"align goes by sample_ids, but records \[1\] have none"):
        align([record, make_record()])
    with pytest.raises(ValueError, match="No sample is in all of these records"):
        align([record, make_record(sample_ids=np.arange(7, 14))])
    with pytest.raises(
        ValueError, match=r"2 samples of record 1 have other labels .* the ids are the same: 0, 1"
    ):
        align([record, make_record(sample_ids=[1, 0, 2, 3, 4, 5, 6])])
    with pytest.raises(ValueError, match="align takes at least one record"):
        align([])
    with pytest.raises(
        ValueError, match="The sample_ids of record 1 are strings, those of the first integers"
    ):
        align([record, make_record(sample_ids=list("0123456"))])
    for join in (align, concatenate_samples):
        with pytest.raises(TypeError, match=f"{join.__name__} takes a list of records, got one Dynamics"):
            join(record)
    with pytest.raises(TypeError, match="align takes a sequence of Dynamics, one of which is a int"):
        align([record, 3])


def test_parts_joined_are_the_whole(named, assert_same):
    joined = concatenate_samples([named[:2], named[2:3], named[3:]])
    assert_same(joined, named)


def test_ids_may_be_longer_in_another_part(make_record):
    one = make_record(sample_ids=list("abcdefg"))
    other = make_record(sample_ids=[f"long {i}" for i in range(7)])
    assert concatenate_samples([one, other]).sample_ids.tolist() == [
        *"abcdefg",
        *(f"long {i}" for i in range(7)),
    ]


def test_what_differs_between_networks_and_headers_is_left_out(make_record):
    one = make_record(header={"loss": "log", "split": "train"})
    other = make_record(
        centroids={"z": one.centroids["z"] + 1, "a.0": one.centroids["a.0"]},
        header={"loss": "log", "split": "validation"},
    )
    joined = concatenate_samples([one, other])
    assert list(joined.centroids) == ["a.0"]
    assert list(joined.weight_norms) == ["z", "out/put"]
    assert joined.header == {"loss": "log"}
    assert joined.n_samples == 14


UNLIKE = {
    "classes": (
        lambda make: make(classes=("ant", "bee", "yak")),
        "record 1: its classes are 'ant', 'bee', 'yak', those",
    ),
    "epochs": (
        lambda make: make(epochs=[0, 1, 2, 4]),
        "record 1: its epochs are 0, 1, 2, 4, those of the first 0, 1, 2, 3",
    ),
    "fields": (lambda make: make(margin=None), "record 1: it has no margin, the first margin"),
    "layers": (
        lambda make: make(reconstruction={}),
        "record 1: it has no reconstruction, the first reconstruction of the layers z",
    ),
    "ids": (
        lambda make: make(sample_ids=np.arange(7)),
        "record 1: it has sample_ids, the first no sample_ids",
    ),
}


@pytest.mark.parametrize("kind", UNLIKE)
def test_what_does_not_belong_together_is_refused(make_record, kind):
    make, message = UNLIKE[kind]
    with pytest.raises(ValueError, match=rf"These records cannot be joined:(\n.*)*\n- {message}"):
        concatenate_samples([make_record(), make(make_record)])


def test_names_of_two_kinds_are_not_joined(make_record):
    """1 would become '1', and so another name."""
    numbers, texts = make_record(sample_ids=np.arange(7)), make_record(sample_ids=list("abcdefg"))
    with pytest.raises(ValueError, match="record 1: its sample_ids are strings, those of the first integers"):
        concatenate_samples([numbers, texts])


def test_a_sample_cannot_be_joined_twice(named):
    with pytest.raises(ValueError, match="sample_ids must name each sample once"):
        concatenate_samples([named[:4], named[3:]])


def test_only_records_are_joined():
    with pytest.raises(ValueError, match="concatenate_samples takes at least one record"):
        concatenate_samples([])
    with pytest.raises(
        TypeError, match="concatenate_samples takes a sequence of Dynamics, one of which is a str"
    ):
        concatenate_samples("ab")


def test_epochs_are_joined_of_the_same_samples_only(make_record):
    first = make_record(sample_ids=np.arange(7))
    later = make_record(sample_ids=np.arange(7), epochs=[4, 5, 6, 7])
    assert concatenate_epochs(first, later).sample_ids.tolist() == list(range(7))
    for other in (
        make_record(epochs=[4, 5, 6, 7]),
        make_record(epochs=[4, 5, 6, 7], sample_ids=np.arange(7)[::-1]),
    ):
        with pytest.raises(ValueError, match="their sample_ids differ, or one of them has none"):
            concatenate_epochs(first, other)


WRONG_IDS = {
    "twice": (
        [1, 2, 3, 3, 4, 5, 1],
        ValueError,
        "sample_ids must name each sample once, but has several of 1, 3",
    ),
    "floats": (np.arange(7.0), TypeError, "sample_ids must hold integers or strings, got float64"),
    "bytes": ([b"a"] * 7, TypeError, r"sample_ids must hold integers or strings, got \|S1"),
    "objects": ([None] * 7, TypeError, "sample_ids must hold integers or strings, got object"),
    "few": ([1, 2], ValueError, r"sample_ids has shape \(2,\), expected \(7 samples\)"),
    "axes": (np.arange(7)[:, None], ValueError, "sample_ids must be one-dimensional"),
}


@pytest.mark.parametrize("kind", WRONG_IDS)
def test_ids_are_checked(make_record, kind):
    ids, error, message = WRONG_IDS[kind]
    with pytest.raises(error, match=message):
        make_record(sample_ids=ids)


def test_long_ids_that_would_fill_the_memory_are_refused(tmp_path):
    ids = ["a" * 10_000, *map(str, range(3000))]
    record = Dynamics(y=np.zeros(3001, int), classes=[0], epochs=[0], sample_ids=ids)
    with pytest.raises(ValueError, match=r"the labels take \d+ bytes of memory"):
        record.save(tmp_path / "record")
