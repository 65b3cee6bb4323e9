"""Selecting from a record is selecting from its arrays."""

import numpy as np
import pytest

from sklearn_nndyn.dynamics import concatenate_epochs

BY_SAMPLE = ("y", "loss", "margin", "prediction", "scores", "target", "correct")
KEYS = {
    "slice": slice(1, 5),
    "steps": slice(None, None, 3),
    "backwards": slice(None, None, -1),
    "nothing": slice(0, 0),
    "list": [3, 0, 0, -1],
    "array": np.array([6, 2]),
    "small type": np.array([6, 2], np.uint8),
    "mask": np.array([True, False, False, True, True, False, False]),
    "mask as a list": [False] * 6 + [True],
    "empty list": [],
    "no one": np.zeros(7, bool),
}


@pytest.mark.parametrize("epoch_major", [True, False])
@pytest.mark.parametrize("key", KEYS)
def test_samples_of_a_record_are_samples_of_its_arrays(make_record, key, epoch_major):
    record, key = make_record(epoch_major=epoch_major), KEYS[key]
    selected = record[key]
    for name in BY_SAMPLE:
        np.testing.assert_array_equal(getattr(selected, name), getattr(record, name)[key], err_msg=name)
    np.testing.assert_array_equal(selected.reconstruction["z"], record.reconstruction["z"][key])
    assert len(selected) == len(record.y[key])


@pytest.mark.parametrize("key", KEYS)
def test_what_belongs_to_layers_as_a_whole_stays(record, key):
    selected = record[KEYS[key]]
    for name in ("centroids", "probe_accuracy", "weight_norms"):
        for layer, array in getattr(record, name).items():
            assert np.shares_memory(getattr(selected, name)[layer], array)
    np.testing.assert_array_equal(selected.epochs, record.epochs)
    assert selected.classes.tolist() == record.classes.tolist()
    assert selected.header == record.header


@pytest.mark.parametrize("i", [0, 6, -1, -7, np.int64(3), np.array(2)])
def test_one_sample_is_a_record_of_one(record, i):
    selected = record[i]
    assert selected.shape == (1, 4)
    np.testing.assert_array_equal(selected.loss[0], record.loss[i])


def test_a_selection_of_a_selection(record):
    np.testing.assert_array_equal(record[::2][[1, 2]].loss, record.loss[::2][[1, 2]])


def test_an_iteration_gives_every_sample_once(record):
    samples = list(record)
    assert [len(one) for one in samples] == [1] * 7
    assert [one.y[0] for one in samples] == record.y.tolist()


@pytest.mark.parametrize("key", [slice(1, 5), slice(None, None, 2), 3])
def test_slices_are_views(record, key):
    for name in ("y", "loss", "margin", "prediction", "scores"):
        assert np.shares_memory(getattr(record[key], name), getattr(record, name)), name


@pytest.mark.parametrize("axes", ["samples", "epochs"])
def test_copies_keep_the_memory_layout(record, axes):
    selected = record[[0, 3, 5]] if axes == "samples" else record.select_epochs([0, 1, 3])
    for name in ("loss", "margin", "prediction"):
        assert getattr(selected, name).flags.f_contiguous, name
        assert not np.shares_memory(getattr(selected, name), getattr(record, name))
    assert selected.scores.swapaxes(0, 1).flags.c_contiguous


@pytest.mark.parametrize(
    ("key", "error", "message"),
    [
        ((0, 1), TypeError, r"indexed by samples only, record\[samples\]; for epochs use select_epochs"),
        ((slice(None), 2), TypeError, "for epochs use select_epochs"),
        ((slice(None), slice(None), ...), TypeError, "for epochs use select_epochs"),
        (1.0, TypeError, r"got float64 of shape \(\)"),
        (True, TypeError, r"got bool of shape \(\)"),
        ("loss", TypeError, r"Samples are chosen by a slice, an int, or .* got <U4 of shape \(\)"),
        (["a", "b"], TypeError, r"For names use a mask: np\.isin\(record\.sample_ids, names\)"),
        (None, TypeError, r"got object of shape \(\)"),
        ([[0, 1]], TypeError, r"got int64 of shape \(1, 2\)"),
        ([0.5], TypeError, r"got float64 of shape \(1,\)"),
        (7, IndexError, "There is no sample 7: there are 7, numbered from 0"),
        (-8, IndexError, "There is no sample -8"),
        ([0, 9], IndexError, "There is no sample 9"),
        ([True, False], IndexError, "The mask has 2 entries for 7 samples"),
    ],
)
def test_what_selects_no_samples_is_said(record, key, error, message):
    with pytest.raises(error, match=message):
        record[key]


def test_the_ellipsis_of_scikit_learn_is_understood(record):
    np.testing.assert_array_equal(record[[2, 1], ...].loss, record.loss[[2, 1]])


# --------------------------------------------------------------------------------------- epochs


@pytest.fixture
def long_record(make_record):
    return make_record(n_epochs=6, epochs=[0, 1, 2, 4, 8, 16])


@pytest.mark.parametrize(
    ("epochs", "where"),
    [([0, 2], [0, 2]), (8, [4]), ([16, 0, 0], [0, 5]), ([0, 1, 4], [0, 1, 3]), (np.array([1, 2]), [1, 2])],
)
def test_epochs_of_a_record_are_columns_of_its_arrays(long_record, epochs, where):
    selected = long_record.select_epochs(epochs)
    assert selected.epochs.tolist() == long_record.epochs[where].tolist()
    for name in ("loss", "margin", "prediction", "scores", "correct"):
        np.testing.assert_array_equal(
            getattr(selected, name), getattr(long_record, name)[:, where], err_msg=name
        )
    for name in ("centroids", "probe_accuracy", "weight_norms"):
        for layer, array in getattr(long_record, name).items():
            np.testing.assert_array_equal(getattr(selected, name)[layer], array[where], err_msg=name)
    np.testing.assert_array_equal(selected.reconstruction["z"], long_record.reconstruction["z"][:, where])
    assert selected.y.tolist() == long_record.y.tolist()


@pytest.mark.parametrize("epochs", [4, [1, 2, 4], [0, 2, 8], [0, 16]])
def test_evenly_spaced_epochs_are_views(long_record, epochs):
    assert np.shares_memory(long_record.select_epochs(epochs).loss, long_record.loss)


@pytest.mark.parametrize("epoch", [0, 4, 16])
def test_until_is_the_record_of_a_shorter_fit(long_record, epoch, assert_same):
    shorter = long_record.until(epoch)
    assert_same(shorter, long_record.select_epochs(long_record.epochs[long_record.epochs <= epoch]))
    assert shorter.epochs[-1] == epoch
    assert np.shares_memory(shorter.loss, long_record.loss)


@pytest.mark.parametrize("method", ["select_epochs", "until"])
def test_an_epoch_that_was_not_recorded_is_named(long_record, method):
    message = r"Not among the recorded epochs: 3. Recorded are 0, 1, 2, 4, 8, 16\."
    with pytest.raises(ValueError, match=message):
        getattr(long_record, method)(3)


@pytest.mark.parametrize(
    ("epochs", "error", "message"),
    [
        ([], ValueError, "none was given"),
        ([0, 5, 7], ValueError, "Not among the recorded epochs: 5, 7"),
        (-1, ValueError, "Not among the recorded epochs: -1"),
        ([True] * 6, TypeError, r"not by a mask: use record.epochs\[mask\]"),
    ],
)
def test_what_selects_no_epochs_is_said(long_record, epochs, error, message):
    with pytest.raises(error, match=message):
        long_record.select_epochs(epochs)


def test_until_takes_one_epoch(long_record):
    with pytest.raises(TypeError, match=r"An epoch is a number, got \[1, 2\]"):
        long_record.until([1, 2])


# --------------------------------------------------------------------------------- concatenation


@pytest.mark.parametrize("epoch", [0, 2, 8])
def test_what_was_cut_is_joined_again(long_record, epoch, assert_same):
    rest = long_record.select_epochs(long_record.epochs[long_record.epochs > epoch])
    joined = concatenate_epochs(long_record.until(epoch), rest)
    assert_same(joined, long_record)
    assert not joined.loss.flags.writeable


def test_a_joined_record_keeps_the_memory_layout(long_record):
    joined = concatenate_epochs(long_record.until(4), long_record.select_epochs([8, 16]))
    assert joined.loss.flags.f_contiguous
    assert joined.scores.swapaxes(0, 1).flags.c_contiguous


def test_the_header_of_the_second_wins_and_seconds_are_joined(make_record):
    first = make_record(header={"loss": "log", "seed": 0, "seconds_per_epoch": [1.0, 2.0]})
    second = make_record(epochs=[4, 5, 6, 7], header={"seed": 1, "seconds_per_epoch": [3.0]})
    assert concatenate_epochs(first, second).header == {
        "loss": "log",
        "seed": 1,
        "seconds_per_epoch": (1.0, 2.0, 3.0),
    }


LATER = {"epochs": [4, 5, 6, 7]}
STRANGERS = {
    "epochs": ({"epochs": [3, 4, 5, 6]}, "first ends at epoch 3, but the second starts at epoch 3"),
    "fewer": (LATER | {"n_samples": 6}, "the first has 7 samples, the second 6"),
    "labels": (LATER | {"y": ["ant"] * 7}, "their labels y differ"),
    "classes": (LATER | {"classes": ("ant", "bee", "yak")}, "their classes differ"),
    "fields": (
        LATER | {"scores": None},
        "the first has the fields loss, .*, scores, .* the second loss, margin",
    ),
    "layers": (
        LATER | {"probe_accuracy": {"a.0": np.zeros(4), "z": np.zeros(4)}},
        "the layers of probe_accuracy are z, a.0 in the first, a.0, z in the second",
    ),
    "width": (
        LATER | {"centroids": {"z": np.zeros((4, 3, 6)), "a.0": np.zeros((4, 3, 2))}},
        "the layers of centroids differ in width",
    ),
}


@pytest.mark.parametrize("name", STRANGERS)
def test_records_that_do_not_follow_one_another_are_not_joined(record, make_record, name):
    changes, message = STRANGERS[name]
    with pytest.raises(ValueError, match=message):
        concatenate_epochs(record, make_record(**changes))


def test_all_differences_are_told_at_once(record, make_record):
    with pytest.raises(ValueError, match="does not continue the first") as caught:
        concatenate_epochs(record, make_record(n_samples=6, scores=None))
    assert str(caught.value).count("\n- ") == 3


def test_only_records_are_joined(record):
    with pytest.raises(TypeError, match="concatenate_epochs joins two Dynamics, got dict"):
        concatenate_epochs(record, {})
