"""A record made within epochs: fractions for epochs, and a count of the updates."""

import numpy as np
import pytest

from sklearn_nndyn.dynamics import concatenate_epochs, load_dynamics

EPOCHS, ITERATIONS = [0, 0.25, 0.5, 1], [0, 1, 2, 4]


@pytest.fixture
def within(make_record):
    norms = np.random.default_rng(1).random((7, 4), np.float32)
    return make_record(epochs=EPOCHS, iterations=ITERATIONS, gradient_norm=norms)


def test_they_are_chosen_by_their_numbers(within):
    assert within.select_epochs([0.25, 1.0]).iterations.tolist() == [1, 4]
    assert within.until(0.5).iterations.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(within.until(0.5).loss, within.loss[:, :3])
    with pytest.raises(
        ValueError, match=r"Not among the recorded epochs: 0\.3. Recorded are 0\.0, 0\.25, 0\.5, 1\.0"
    ):
        within.select_epochs(0.3)
    with pytest.raises(TypeError, match=r"An epoch is a number, got 'last'"):
        within.until("last")


def test_whole_numbers_stay_whole(make_record, within):
    assert make_record(epochs=[0.0, 1.0, 2.0, 3.0]).epochs.dtype == np.int64
    assert within.epochs.dtype == np.float64
    assert "epochs: 0.0, 0.25, 0.5, 1.0" in repr(within)
    assert "epochs: 0.0, 0.0126582, 1.0, 2.0" in repr(make_record(epochs=[0, 1 / 79, 1, 2]))


def test_they_are_saved(within, tmp_path, assert_same):
    within.save(tmp_path / "record.safetensors")
    assert_same(load_dynamics(tmp_path / "record.safetensors"), within)


def test_what_was_cut_is_joined_again(within, assert_same):
    assert_same(concatenate_epochs(within.until(0.25), within.select_epochs([0.5, 1])), within)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"iterations": None}, "one of them counts iterations, the other does not"),
        ({"iterations": [3, 5, 6, 7]}, "the first ends at iteration 4, but the second starts at iteration 3"),
    ],
)
def test_counts_that_do_not_follow_one_another_are_not_joined(within, make_record, changes, message):
    with pytest.raises(ValueError, match=message):
        concatenate_epochs(
            within, make_record(**({"epochs": [2, 3, 4, 5], "gradient_norm": within.gradient_norm} | changes))
        )


def test_xarray_knows_the_updates(within, make_record):
    pytest.importorskip("xarray")
    data = within.to_xarray()
    assert data.iteration.dims == ("epoch",)
    by_update = data.swap_dims(epoch="iteration")
    np.testing.assert_array_equal(by_update.loss.sel(iteration=2), within.loss[:, 2])
    assert "iteration" not in make_record().to_xarray().coords


def test_the_frame_has_the_gradients(within):
    pytest.importorskip("pandas")
    frame = within.to_frame()
    np.testing.assert_array_equal(frame.gradient_norm, within.gradient_norm.ravel())
    np.testing.assert_array_equal(frame.epoch[:4], EPOCHS)


def test_selecting_samples_selects_their_gradients(within):
    np.testing.assert_array_equal(within[2:4].gradient_norm, within.gradient_norm[2:4])
    assert "gradient_norm" in within.fields
