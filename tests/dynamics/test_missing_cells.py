"""A sample that was not seen at an epoch is missing there: never right, never wrong, never the first class."""

import numpy as np
import pytest

from sklearn_nndyn.dynamics import Dynamics, load_dynamics


@pytest.fixture
def seen():
    """Which of 60 samples were seen at 5 epochs: some at each, none at the last."""
    seen = np.random.default_rng(1).random((60, 5)) > 0.3
    seen[:, -1] = False
    return seen


@pytest.fixture
def make_gappy(make_record, seen):
    """``make_gappy(*names, prediction=None)``: a record in which what is named is missing where it was not seen."""

    def make(*names, **changes):
        whole = make_record(*seen.shape)
        fields = {name: np.where(_as(seen, name), getattr(whole, name), np.nan) for name in names}
        return make_record(*seen.shape, **(fields | changes))

    return make


def _as(seen, name):
    return seen[:, :, None] if name == "scores" else seen


@pytest.mark.parametrize("name", ["loss", "margin", "scores"])
def test_where_a_measurement_is_nan_the_cell_was_not_seen(make_gappy, seen, name):
    """The prediction that argmax makes of nan, the first class, does not count."""
    record = make_gappy(name, prediction=np.zeros(seen.shape, np.int8))
    np.testing.assert_array_equal(record.seen, seen)
    np.testing.assert_array_equal(record.prediction, np.where(seen, 0, -1))


def test_one_missing_score_is_enough(make_record):
    scores = np.zeros((7, 4, 3), np.float32)
    scores[2, 1, 0] = np.nan
    np.testing.assert_array_equal(np.argwhere(~make_record(scores=scores).seen), [[2, 1]])


def test_a_loss_without_end_was_seen(make_record):
    loss = np.full((7, 4), np.inf, np.float32)
    assert make_record(loss=loss).seen.all()


def test_accuracy_and_error_are_those_of_the_cells_seen(make_gappy, seen):
    record = make_gappy("loss", "margin", "scores")
    for t in range(4):
        of_seen = record[seen[:, t]].select_epochs(t)
        assert record.accuracy[t] == pytest.approx(np.mean(of_seen.prediction[:, 0] == of_seen.target))
        assert record.error[t] == pytest.approx(1 - record.accuracy[t])
    assert np.isnan([record.accuracy[-1], record.error[-1]]).all(), "none was seen at the last epoch"


def test_a_missing_cell_is_not_correct(make_gappy, seen):
    assert not make_gappy("loss").correct[~seen].any()
    prediction = np.where(seen, 0, -1).astype(np.int8)
    assert not make_gappy(prediction=prediction).correct[~seen].any()


def test_predictions_alone_say_what_was_seen(make_gappy, seen):
    record = make_gappy(prediction=np.where(seen, 1, -1).astype(np.int8))
    np.testing.assert_array_equal(record.seen, seen)
    assert np.isnan(record.accuracy).tolist() == [False] * 4 + [True]


@pytest.mark.parametrize("kind", [np.uint8, np.uint64, np.int8, np.int64])
def test_predictions_of_every_type_can_be_missing(make_gappy, seen, kind):
    given = np.zeros(seen.shape, kind)
    record = make_gappy("loss", prediction=given)
    assert record.prediction.min() == -1
    assert (given == 0).all(), "what was handed in stays as it is"


def test_without_a_gap_predictions_are_not_copied(make_record):
    prediction = np.zeros((7, 4), np.uint8)
    record = make_record(prediction=prediction)
    assert np.shares_memory(record.prediction, prediction)
    assert record.seen.all()


def test_predictions_with_gaps_keep_their_memory_layout(make_gappy, seen):
    prediction = np.asfortranarray(np.zeros(seen.shape, np.int8))
    assert make_gappy("loss", prediction=prediction).prediction.flags.f_contiguous


def test_the_record_says_how_many_are_missing(make_gappy, make_record, seen):
    line = f"never seen: {(~seen).sum()} of 300 cells (a sample at an epoch)"
    record = make_gappy("loss")
    assert line in repr(record)
    assert "never seen" in record._repr_html_()
    assert "never seen" not in repr(make_record())


def test_nothing_recorded_is_nothing_missing():
    record = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0, 1])
    assert record.seen.all()
    assert record.seen.shape == (2, 2)


def test_seen_cannot_be_written(record):
    assert not record.seen.flags.writeable


def test_a_table_has_rows_for_what_was_seen(make_gappy, seen):
    frame = make_gappy("loss", "margin").to_frame()
    np.testing.assert_array_equal(frame[["sample", "epoch"]], np.argwhere(seen))
    assert not frame.isna().any(axis=None)
    assert frame.index.tolist() == list(range(seen.sum()))


def test_a_dataset_says_what_was_seen(make_gappy, make_record, seen):
    np.testing.assert_array_equal(make_gappy("loss").to_xarray()["seen"], seen)
    assert "seen" not in make_record().to_xarray()


def test_gaps_survive_a_file_and_a_selection(make_gappy, seen, assert_same, tmp_path):
    record = make_gappy("loss", "margin", "scores")
    record.save(tmp_path / "record")
    assert_same(load_dynamics(tmp_path / "record"), record)
    np.testing.assert_array_equal(record[::2].select_epochs([1, 3]).seen, seen[::2][:, [1, 3]])
