"""Curves without a trend have no phases, whether their noise wanders or not; planted falls and rises are found."""

import numpy as np
import pytest

from sklearn_nndyn import LearningPhaseAnalyzer
from sklearn_nndyn.analyzers.learning_phases import find_phases
from tests.analyzers.planted_phases import equal_slices

N_EPOCHS, N_DRAWS = 17, 200
TREND = np.interp(np.arange(N_EPOCHS), [0, 3, 9, 16], [0, 0, -1, 0])
FALLS, RISES = 1, 2


def noise(rng, n_runs, wander):
    """Normal noise of deviation one, (n_runs, n_epochs), related from epoch to epoch."""
    curves = rng.normal(size=(n_runs, N_EPOCHS))
    for at in range(1, N_EPOCHS):
        curves[:, at] = wander * curves[:, at - 1] + np.sqrt(1 - wander**2) * curves[:, at]
    return curves


def drawn(n_runs, wander, size=0.0):
    """Which phases there are in each draw, (n_draws, 3)."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(N_DRAWS):
        rows = 5 + size * TREND + noise(rng, n_runs, wander)
        rows = np.repeat(rows, 4, axis=0) if n_runs == 1 else rows
        found.append(find_phases(rows, one_run=n_runs == 1)[1])
    return np.array(found)


@pytest.mark.parametrize("n_runs", [1, 3, 10])
def test_pure_noise_has_no_phases(n_runs):
    found = drawn(n_runs, wander=0.0)
    assert found[:, FALLS].mean() <= 0.06
    assert found[:, RISES].mean() <= 0.06
    assert found[:, [FALLS, RISES]].all(axis=1).mean() <= 0.02


@pytest.mark.parametrize("n_runs", [1, 3, 10])
def test_noise_that_wanders_neither_falls_nor_rises(n_runs):
    found = drawn(n_runs, wander=0.9)
    assert found[:, FALLS].mean() <= 0.1
    assert found[:, RISES].mean() <= 0.1
    assert found[:, [FALLS, RISES]].all(axis=1).mean() <= 0.1
    assert n_runs == 1 or found[:, [FALLS, RISES]].mean(axis=0).max() <= 0.06


@pytest.mark.parametrize(("n_runs", "size"), [(3, 4), (10, 3), (1, 20)])
def test_planted_falls_and_rises_are_found(n_runs, size):
    assert drawn(n_runs, 0.0, size)[:, [FALLS, RISES]].all(axis=1).mean() >= 0.9


def test_the_unit_and_the_level_of_the_curves_change_nothing():
    rows = TREND + 0.1 * noise(np.random.default_rng(0), 3, 0.5)
    one, other = find_phases(rows), find_phases(64 * rows + 1024)
    for own, same in zip(one, other, strict=True):
        np.testing.assert_array_equal(own, same)


def test_levels_of_runs_cancel():
    """What differs from run to run by a constant is no noise of a fall."""
    rows = TREND + 0.01 * noise(np.random.default_rng(0), 4, 0.0)
    assert find_phases(rows + np.array([[0], [1], [2], [3]]))[1].all()


@pytest.mark.parametrize(
    "curve", [[0.35, 0.40, 0.45, 0.40, 0.36, 0.30, 0.45], [8, 9, 10, 9, 7.9, 6, 4, 4, 4.1]]
)
def test_a_curve_that_rises_first_is_not_near_constant(curve):
    rng = np.random.default_rng(0)
    runs = equal_slices(np.array(curve) + 0.001 * rng.normal(size=(3, len(curve))))
    found = LearningPhaseAnalyzer().fit(runs)
    assert found.phases_.exist[:2].tolist() == [False, True]
    assert found.first_rise_epoch_ == found.epochs_[2]
    assert (
        LearningPhaseAnalyzer()
        .fit(equal_slices(np.minimum(curve, curve[0]) * np.ones((3, 1))))
        .first_rise_epoch_
        is None
    )
