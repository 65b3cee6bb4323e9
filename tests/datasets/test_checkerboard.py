"""The checkerboard: cells, labels, and how the points lie on them."""

import numpy as np
import pytest

from sklearn_nndyn.datasets import make_checkerboard

BOARDS = [(8, 4), (8, 2), (5, 3), (3, 4), (2, 4), (7, 5), (10, 6)]
over_boards = pytest.mark.parametrize(("n_cells", "n_classes"), BOARDS)


def cells(X, n_cells):
    """Column and row of each point."""
    return np.floor((X + 1) / 2 * n_cells).astype(int).T


def board(n_cells, n_classes):
    """The labels of all cells (columns, rows), read off many points."""
    X, y = make_checkerboard(20 * n_cells**2, n_cells=n_cells, n_classes=n_classes, random_state=0)
    column, row = cells(X, n_cells)
    found = np.full((n_cells, n_cells), -1)
    found[column, row] = y
    assert (found[column, row] == y).all()  # one label a cell
    return found


@over_boards
def test_labels_follow_the_rule_of_the_cells(n_cells, n_classes):
    for (i, j), label in np.ndenumerate(board(n_cells, n_classes)):
        assert label == (i + (n_classes // 2) * j) % n_classes


@over_boards
def test_neighbours_have_different_labels_and_every_label_occurs(n_cells, n_classes):
    found = board(n_cells, n_classes)
    assert set(found.ravel()) == set(range(n_classes))
    assert (found[1:] != found[:-1]).all()
    assert (found[:, 1:] != found[:, :-1]).all()
    if n_classes >= 4:
        assert (found[1:, 1:] != found[:-1, :-1]).all()
        assert (found[1:, :-1] != found[:-1, 1:]).all()


def test_two_classes_make_a_chessboard():
    np.testing.assert_array_equal(board(8, 2), np.indices((8, 8)).sum(axis=0) % 2)


def test_the_usual_one_has_800_points_64_cells_and_four_labels():
    X, y = make_checkerboard()
    assert X.shape == (800, 2)
    assert y.shape == (800,)
    assert X.dtype == np.float64
    assert y.dtype.kind == "i"
    assert set(y) == {0, 1, 2, 3}
    assert len({tuple(cell) for cell in cells(X, 8).T}) == 64


@pytest.mark.parametrize("n_samples", [1, 3, 63, 64, 100, 800])
def test_points_are_spread_evenly_over_the_cells(n_samples):
    X, _ = make_checkerboard(n_samples, random_state=1)
    counts = np.bincount(np.ravel_multi_index(cells(X, 8), (8, 8)), minlength=64)
    assert counts.sum() == n_samples
    assert counts.max() - counts.min() <= 1


def test_points_left_over_go_to_any_cell():
    first = [tuple(cells(make_checkerboard(1, n_cells=3, random_state=s)[0], 3)[:, 0]) for s in range(300)]
    _, counts = np.unique(first, axis=0, return_counts=True)
    assert len(counts) == 9
    assert (abs(counts - 300 / 9) < 4 * np.sqrt(300 / 9)).all()


def test_within_the_cells_points_are_uniform():
    X, _ = make_checkerboard(20_000, random_state=2)
    assert abs(X).max() <= 1
    place = (X + 1) / 2 * 8 % 1
    for values in place.T:
        share = np.histogram(values, 10, (0, 1))[0] / len(values)
        assert (abs(share - 0.1) < 4 * np.sqrt(0.09 / len(values))).all()
    assert abs(np.corrcoef(place.T)[0, 1]) < 4 / np.sqrt(20_000)


def test_the_order_is_random():
    _, y = make_checkerboard(6400, random_state=3)
    assert abs(np.mean(y[1:] == y[:-1]) - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 6399)
    where = cells(make_checkerboard(6400, random_state=3)[0], 8)[0]
    assert abs(np.corrcoef(where[:-64], where[64:])[0, 1]) < 4 / np.sqrt(6336)


def test_noise_moves_the_points_by_its_deviation_and_leaves_the_labels():
    X, y = make_checkerboard(5000, random_state=4)
    for noise in (0.01, 0.5):
        X_noisy, y_noisy = make_checkerboard(5000, noise=noise, random_state=4)
        moved = X_noisy - X
        np.testing.assert_array_equal(y_noisy, y)
        assert abs(moved.mean()) < 4 * noise / np.sqrt(10_000)
        assert abs(moved.var() / noise**2 - 1) < 4 * np.sqrt(2 / 10_000)


def test_one_seed_gives_one_result():
    first, second, other = (make_checkerboard(noise=0.1, random_state=seed) for seed in (5, 5, 6))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (first[0] != other[0]).all()


def refused(error, message, **parameters):
    with pytest.raises(error, match=message):
        make_checkerboard(**parameters)


def test_parameters_that_mean_nothing_are_refused():
    for name, least in (("n_samples", 1), ("n_cells", 1), ("n_classes", 2)):
        for wrong in (8.0, "8", None, True):
            refused(TypeError, f"^{name} must be a whole number, got {wrong!r}.$", **{name: wrong})
        for wrong in (least - 1, -3):
            refused(ValueError, f"^{name} must be {least} or more, got {wrong}.$", **{name: wrong})
    for wrong in ("0.1", None, True):
        refused(TypeError, f"^noise must be a number, got {wrong!r}.$", noise=wrong)
    for wrong in (-0.1, np.nan, np.inf):
        refused(ValueError, f"^noise must be finite and 0 or more, got {wrong!r}.$", noise=wrong)
    make_checkerboard(np.int64(10), n_cells=np.int32(2), n_classes=np.uint8(2), noise=np.float32(0.1))


def test_a_board_too_small_for_its_classes_is_refused():
    message = "^n_classes must be fewer for {0} x {0} cells, got {1}: not every label has a cell.$"
    for n_cells, n_classes in ((1, 2), (2, 5), (3, 9), (8, 65)):
        refused(ValueError, message.format(n_cells, n_classes), n_cells=n_cells, n_classes=n_classes)
