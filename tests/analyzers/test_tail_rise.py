"""Turns, rises and their carriers."""

import numpy as np
import pytest

from sklearn_nndyn.analyzers.loss_tails import (
    carriers,
    crossfitted_turns,
    halves,
    rise_since,
    rising_fractions,
    turning_position,
)
from sklearn_nndyn.utils.statistics import standard_error
from tests import reference
from tests.analyzers.planted import CARRIERS, planted_losses, tailed_record


@pytest.mark.parametrize("n", [1, 2, 3, 40, 41])
def test_turns_and_rises_equal_their_slow_definitions(n):
    loss = tailed_record(n).loss
    turns = crossfitted_turns(loss)
    rows = loss.tolist()
    if n > 1:
        np.testing.assert_array_equal(turns, reference.crossfitted_turns(rows))
    np.testing.assert_array_equal(rise_since(loss, turns), reference.rises(rows, turns))


@pytest.mark.parametrize("n", [1, 2, 7, 100])
def test_halves_have_the_same_size_and_one_more(n):
    assert halves(np.random.default_rng(0).random((n, 3))).sum() == n // 2


def test_halves_belong_to_the_samples_not_to_their_places():
    rng = np.random.default_rng(0)
    loss, order = rng.random((41, 3)), rng.permutation(41)
    np.testing.assert_array_equal(halves(loss[order]), halves(loss)[order])
    np.testing.assert_array_equal(crossfitted_turns(loss[order]), crossfitted_turns(loss)[order])


def test_equal_first_losses_are_told_apart_by_the_last():
    loss = np.array([[1.0, 4.0], [1.0, 3.0], [1.0, 2.0], [1.0, 1.0]])
    assert halves(loss).tolist() == [True, False, True, False]
    assert halves(np.ones((4, 2))).tolist() == [False, True, False, True]


def test_a_half_has_no_say_in_its_own_turn():
    """Change the losses of one half between the ends, and only the turns of the other half may change."""
    loss = np.random.default_rng(0).random((60, 5))
    second, turns = halves(loss), crossfitted_turns(loss)
    changed = loss.copy()
    changed[second, 3] = -100
    assert (crossfitted_turns(changed)[second] == turns[second]).all()
    assert (crossfitted_turns(changed)[~second] == 3).all()


def test_without_a_turn_crossfitting_finds_no_rise():
    """Noise around a constant mean: a turn chosen on all samples rises by selection alone."""
    rng = np.random.default_rng(0)
    chosen, crossfitted = [], []
    for _ in range(200):
        loss = rng.normal(size=(30, 20)) + 5
        chosen.append(rise_since(loss, turning_position(loss)).mean())
        crossfitted.append(rise_since(loss, crossfitted_turns(loss)).mean())
    assert np.mean(chosen) > 5 * standard_error(np.array(chosen))
    assert abs(np.mean(crossfitted)) < 3 * standard_error(np.array(crossfitted))


def test_the_first_of_equal_means_is_the_turn():
    loss = np.array([[2.0, 1.0, 1.0]] * 4)
    assert turning_position(loss) == 1
    assert crossfitted_turns(loss).tolist() == [1] * 4


def test_each_rise_is_from_the_turn_of_its_own_sample():
    loss = np.array([[1.0, 2.0, 9.0], [3.0, 4.0, 9.0]])
    assert rise_since(loss, [1, 0]).tolist() == [7, 6]
    np.testing.assert_array_equal(rise_since(loss, 1), rise_since(loss, [1, 1]))


def test_the_turning_position_is_that_of_the_epoch_asked_for():
    loss = np.array([[3.0, 1.0, 2.0]])
    assert turning_position(loss, epochs=[0, 5, 10], onset=0) == 0
    assert turning_position(loss.astype(np.float32), epochs=[0, 5, 10]) == 1
    with pytest.raises(ValueError, match="onset=3 is not among the recorded epochs: 0, 5, 10"):
        turning_position(loss, epochs=[0, 5, 10], onset=3)
    with pytest.raises(
        ValueError, match="sample 0 is NaN at epoch 5, the first epoch with a loss that is not finite"
    ):
        turning_position([[3.0, np.nan, 2.0]], epochs=[0, 5, 10])


def test_planted_carriers_are_found():
    rise = rise_since(planted_losses(), np.full(200, 2))
    assert rise.sum() == 84.5
    np.testing.assert_array_equal(carriers(rise), CARRIERS)
    assert rising_fractions(rise) == {0.0: 0.05, 0.01: 0.05, 0.1: 0.05, 1.0: 0.01}


@pytest.mark.parametrize("seed", range(5))
def test_carriers_are_the_fewest(seed):
    rise = np.random.default_rng(seed).normal(0.1, 1, 80)
    found = carriers(rise)
    assert len(found) == reference.n_carriers(rise.tolist())
    assert rise[found].sum() >= rise.sum() > rise[found[:-1]].sum()
    assert (np.diff(rise[found]) <= 0).all()


@pytest.mark.parametrize(
    ("rise", "expected"), [([1, 1, 1], [0, 1, 2]), ([0, 0], []), ([-1, 0.5], []), ([2], [0])]
)
def test_carriers_in_the_limit(rise, expected):
    assert carriers(np.array(rise, dtype=float)).tolist() == expected


@pytest.mark.parametrize("n", [3, 1000, 5000])
def test_equal_rises_are_carried_by_all_samples(n):
    """The last one too: what is a thousandth short of the whole rise is not the whole."""
    assert len(carriers(np.ones(n))) == n
    assert carriers([1000.0, *[1.0] * n, -0.5]).tolist() == list(range(n + 1))


def test_carriers_do_not_depend_on_the_unit_or_the_order():
    rng = np.random.default_rng(0)
    rise, order = rng.normal(0.1, 1, 80), rng.permutation(80)
    np.testing.assert_array_equal(carriers(4 * rise), carriers(rise))
    np.testing.assert_array_equal(order[carriers(rise[order])], carriers(rise))


def test_a_rise_of_just_the_threshold_is_none():
    assert list(rising_fractions(np.array([0.0, 0.01, 0.1, 1.0])).values()) == [0.75, 0.5, 0.25, 0.0]
    assert list(rising_fractions(np.zeros(1))) == [0.0, 0.01, 0.1, 1.0]


def test_standard_error():
    values = np.random.default_rng(0).normal(size=9)
    assert standard_error(values) == pytest.approx(reference.standard_error(values.tolist()))
    assert np.isnan(standard_error(values[:1]))
