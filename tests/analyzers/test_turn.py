"""The turn of a curve that falls and rises for good: planted turns are found, and no others."""

import numpy as np
import pytest

from sklearn_nndyn.analyzers.entanglement import (
    curve_noise,
    first_rise,
    lasting_turn,
    rise_beyond_wander,
    smoothed_curve,
    turning_point,
)
from tests import reference
from tests.pairwise import for_each, pairwise

T = np.linspace(0, 1, 101)
SLOPES = {"falling": 1 - T, "rising": T}
FLAT = {"falling ever slower": np.exp(-5 * T), "falling, then flat": np.maximum(0, 1 - 4 * T)}
V, U = np.abs(T - 0.5), (T - 0.5) ** 2


def bent(*values, each=20):
    """Straight lines between values, and the positions of these."""
    return np.interp(np.arange(each * (len(values) - 1) + 1) / each, np.arange(len(values)), values)


CURVES = {
    "V": (V, 50),
    "U": (U, 50),
    "V far from the middle": (np.abs(T - 0.9), 90),
    "falling": (1 - T, None),
    "rising": (T, None),
    "constant": (0 * T, None),
    "falling, then flat": (FLAT["falling, then flat"], None),
    "falling, flat, rising": (bent(1, 0, 0, 1), 20),
    "rising, falling, rising": (bent(0.2, 1, 0.5, 0.8), 40),
    "falling, rising, falling below": (bent(1, 0.5, 0.8, 0.3), None),
    "falling, rising, falling not so far": (bent(1, 0.5, 0.8, 0.6), 20),
    "a dip that is made up for": (bent(1, 0.5, 0.8, 0.3, 0.6), 60),
    "two equal turns": (bent(1, 0.5, 0.8, 0.5, 0.8), 20),
    "two turns, the later one higher": (bent(1, 0.3, 0.8, 0.5, 0.8), 20),
    "a rise from the start that comes back": (bent(0.5, 1, 0.5), None),
}


def noisy(curve, deviation, seed):
    return curve + deviation * np.random.default_rng(seed).normal(size=len(curve))


# --------------------------------------------------------------------------------- without noise


@pytest.mark.parametrize("name", CURVES)
def test_the_planted_turn_is_found(name):
    curve, turn = CURVES[name]
    assert lasting_turn(curve) == turn
    assert reference.lasting_turn(curve.tolist(), 0.01 * np.ptp(curve)) == turn


@pytest.mark.parametrize(
    ("curve", "turn"),
    [([1], None), ([1, 2], None), ([2, 1], None), ([1, 1], None), ([2, 1, 2], 1), ([2, 1, 1], None),
     ([1, 2, 3], None), ([1, 2, 1], None), ([3, 1, 1, 2], 1)],
    ids=str,
)  # fmt: skip
def test_short_curves(curve, turn):
    assert lasting_turn(curve) == turn


@for_each("seed", range(20))
@pytest.mark.parametrize("tolerance", [0, 0.05, 0.5])
def test_short_curves_are_taken_by_the_definition(seed, tolerance):
    curve = np.random.default_rng(seed).random(8)
    expected = reference.lasting_turn(curve.tolist(), tolerance * np.ptp(curve))
    assert lasting_turn(curve, tolerance) == expected


def test_it_has_to_fall_and_to_rise_by_more_than_the_tolerance():
    curve = np.array([1.0, 0.0, 0.25])
    assert [lasting_turn(curve, share) for share in (0, 0.24, 0.25, 0.5)] == [1, 1, None, None]
    assert [lasting_turn(curve[::-1], share) for share in (0, 0.24, 0.25)] == [1, 1, None]


def test_by_itself_the_tolerance_is_a_hundredth():
    assert [lasting_turn([1.0, 0.0, end]) for end in (0.0099, 0.0101)] == [None, 1]


@for_each(
    "curve",
    {f"of noise {s}, seed {seed}": noisy(V, s, seed) for s in (0, 0.05) for seed in range(5)},
)
@pytest.mark.parametrize(("scale", "shift"), [(4.0, 0.0), (1e-3, 7.0), (300.0, -40.0)])
def test_scale_and_place_of_the_curve_do_not_count(curve, scale, shift):
    turn = lasting_turn(curve)
    assert turn is not None
    assert lasting_turn(scale * curve + shift) == turn


# ------------------------------------------------------------------------------------ with noise


@pytest.mark.parametrize("deviation", [0.01, 0.02, 0.05, 0.1])
@pytest.mark.parametrize(("curve", "within"), [(V * 2, 6), (U * 4, 13)], ids=["V", "U"])
def test_a_turn_is_found_under_noise(curve, within, deviation):
    """With a range of 1: in each of 50 seeds; a sharp turn within 6, a round one within 13 of 101 epochs."""
    found = [lasting_turn(noisy(curve, deviation, seed)) for seed in range(50)]
    assert None not in found
    assert np.abs(np.array(found) - 50).max() <= within
    assert abs(np.mean(found) - 50) < 2


@pairwise(
    curves={"slopes": (SLOPES, 0.01), "flat": (FLAT, 0.05), "constant": ({"constant": 0 * T}, 0.02)},
    n={str(n): n for n in (60, 101, 301)},
    deviation={str(deviation): deviation for deviation in (0.001, 0.01, 0.05, 0.1, 0.3)},
)
def test_noise_makes_no_turn(curves, n, deviation):
    """In no more than 1 % of 200 seeds for a slope, 2 % of a constant, and 5 % where a curve has come to rest."""
    curves, most = curves
    for name, curve in curves.items():
        curve = np.interp(np.linspace(0, 1, n), T, curve)
        found = [lasting_turn(noisy(curve, deviation, seed)) for seed in range(200)]
        assert sum(turn is not None for turn in found) <= most * 200, name


def test_a_turn_by_three_times_the_noise_is_found_in_nine_of_ten():
    """In 300 seeds, of 60 epochs; as finding EN1 asks, it also has to rise by more than its wander gives."""
    epochs = np.arange(60)
    curve = 0.5 + 0.4 * np.exp(-epochs / 5) + 0.06 * np.clip(epochs - 20, 0, None) / 39
    curves = [noisy(curve, 0.02, seed) for seed in range(300)]
    beyond = [np.subtract(*rise_beyond_wander(own)) > 0 for own in curves]
    found = [lasting_turn(own) is not None for own in curves]
    assert np.mean(found) >= 0.92
    assert np.mean(np.logical_and(found, beyond)) >= 0.9


@pytest.mark.parametrize("deviation", [0.5, 0.003])
@pytest.mark.parametrize("curve", [SLOPES["falling"], U, V])
def test_noise_is_measured_whatever_the_curve(curve, deviation):
    curve = np.interp(np.linspace(0, 1, 3000), T, curve)
    assert curve_noise(noisy(curve, deviation, 0)) == pytest.approx(deviation, rel=0.1)


def test_noise_is_not_measured_on_fewer_than_nine_values():
    curve = np.random.default_rng(0).normal(size=9)
    assert curve_noise(curve) > 0
    assert curve_noise(curve[:8]) == curve_noise(curve[:2]) == 0


def test_a_curve_without_noise_is_not_smoothed_curve():
    for curve in (V, SLOPES["falling"], 0 * T, V[:5]):
        same, noise = smoothed_curve(curve)
        np.testing.assert_array_equal(same, curve)
        assert noise == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("deviation", [0.005, 0.015, 0.03, 0.04])
def test_noise_is_averaged_down_to_a_hundredth_of_the_range(deviation):
    curve = noisy(2 * V, deviation, 0)
    assert curve_noise(curve) < 0.044 * np.ptp(curve)  # what a fifth of the values can bring down
    assert smoothed_curve(curve)[1] <= 0.01 * np.sqrt(2) * np.ptp(curve)
    if deviation < 0.01:
        np.testing.assert_array_equal(smoothed_curve(curve)[0], curve)


def test_the_average_is_over_a_fifth_of_the_values_at_most_and_stays_in_its_place():
    curve = noisy(V, 1.0, 0)
    smooth, noise = smoothed_curve(curve)
    assert (curve_noise(curve) / noise) ** 2 == pytest.approx(19)
    np.testing.assert_allclose(smooth[30:70], [curve[t - 9 : t + 10].mean() for t in range(30, 70)])
    np.testing.assert_allclose(smoothed_curve(curve[::-1])[0], smooth[::-1])


def test_what_noise_is_left_is_so_at_the_ends_too():
    """Up to a factor of sqrt(2): half as many values are seen there."""
    ends = [smoothed_curve(noisy(0 * T, 1.0, seed))[0][[0, 50, -1]] for seed in range(400)]
    np.testing.assert_array_less(np.std(ends, axis=0) * np.sqrt(19), [1.7, 1.2, 1.7])


# -------------------------------------------------------------------------------- the other rule


def test_the_first_rise_is_the_first_value_that_is_not_undercut_at_once():
    assert first_rise(np.array([3.0, 2.0, 1.0, 2.0])) == 2
    assert first_rise(np.array([3.0, 2.0, 2.0, 1.0])) == 1
    assert first_rise(np.array([1.0, 2.0])) == 0
    assert first_rise(np.array([2.0, 1.0])) is first_rise(np.array([1.0])) is None


@pytest.mark.parametrize("burn_in", [0, 1, 20, 21, 60, 199])
def test_the_first_rise_is_that_of_the_authors_code(burn_in):
    epochs = np.arange(0, 202, 2)
    for seed in range(10):
        curve = noisy(V, 0.01, seed)
        start = next(i for i, epoch in enumerate(epochs) if epoch >= burn_in)
        assert turning_point(curve, epochs, rule="first_rise", burn_in=burn_in) == reference.first_rise(
            curve.tolist(), start
        )


# ------------------------------------------------------------------------------- the burning-in


def test_no_turn_is_before_the_burning_in():
    epochs = np.arange(len(T)) ** 2
    dip = bent(1, 0.2, 0.8, 0.5, 0.8)[: len(T)]
    epochs = epochs[: len(dip)]
    assert turning_point(dip, epochs, rule="extremum") == 20
    assert turning_point(dip, epochs, rule="extremum", burn_in=400) is not None
    assert turning_point(dip, epochs, rule="extremum", burn_in=19**2) == 20
    assert (
        turning_point(dip, epochs, rule="extremum", burn_in=20**2) == 60
    )  # at 20 the curve had fallen to nothing yet
    assert turning_point(dip, epochs, rule="extremum", burn_in=60**2 + 1) is None
    with pytest.raises(ValueError, match="burn_in must be 0 or more and before the last recorded epoch"):
        turning_point(dip, epochs, burn_in=epochs[-1])


def test_the_tolerance_is_handed_on():
    curve = bent(1, 0.5, 0.6)
    epochs = np.arange(len(curve))
    assert turning_point(curve, epochs, rule="extremum", burn_in=0, tolerance=0.1) == 20
    assert turning_point(curve, epochs, rule="extremum", burn_in=0, tolerance=0.3) is None


@pytest.mark.parametrize("rule", ["extremum", "first_rise"])
def test_a_curve_with_a_nan_has_no_turn(rule):
    epochs = np.arange(len(V))
    holed = V.copy()
    holed[70] = np.nan
    assert turning_point(holed, epochs, rule=rule) is None
    holed[70], holed[3] = V[70], np.nan
    assert turning_point(holed, epochs, rule=rule) is None
    assert turning_point(holed, epochs, rule=rule, burn_in=4) == 50
