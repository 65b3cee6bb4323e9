"""What chance gives: plateaus that wander are no rise, scattered rises have no few carriers, planted ones are found."""

import numpy as np
import pytest

from sklearn_nndyn import LossTailAnalyzer
from sklearn_nndyn.analyzers.entanglement import wander_correlation
from sklearn_nndyn.analyzers.loss_tails import (
    carrier_null,
    carriers,
    gross_rise_share,
    rise_beyond_wander,
)
from tests import reference


def plateau(n_epochs, wander, seed, rise=0.0):
    """A mean loss that falls, and then stays or rises, and wanders."""
    quarter = n_epochs // 4
    curve = np.r_[np.linspace(2, 1, quarter), np.linspace(1, 1 + rise, n_epochs - quarter)]
    return curve + wander * np.random.default_rng(seed).normal(size=n_epochs)


def rises(curve, **given):
    rise, chance = rise_beyond_wander(curve, **given)
    return rise > chance


@pytest.mark.parametrize("wander", [0.02, 0.05])
@pytest.mark.parametrize("n_epochs", [30, 60, 150])
def test_a_plateau_that_wanders_is_no_rise_and_three_times_the_wander_is_one(n_epochs, wander):
    seeds = range(200)
    assert np.mean([rises(plateau(n_epochs, wander, seed)) for seed in seeds]) <= 0.1
    assert np.mean([rises(plateau(n_epochs, wander, seed), onset=n_epochs // 2) for seed in seeds]) <= 0.1
    power = np.mean([rises(plateau(n_epochs, wander, seed, 3 * wander)) for seed in seeds])
    assert power >= (
        0.9 if n_epochs >= 60 else 0.3
    )  # of 30 epochs, how much of the wander lasts is hardly known


@pytest.mark.parametrize("n_epochs", [60, 150])
def test_a_plateau_that_wanders_for_long_is_seldom_a_rise(n_epochs):
    """A wander that lasts looks smooth, and goes far: against independent noise two of three plateaus would rise."""

    def curve(seed):
        noise = np.random.default_rng(seed).normal(size=n_epochs)
        for at in range(1, n_epochs):
            noise[at] = 0.9 * noise[at - 1] + np.sqrt(1 - 0.9**2) * noise[at]
        return plateau(n_epochs, 0.0, seed) + 0.02 * noise

    curves = [curve(seed) for seed in range(400)]
    assert np.mean([rises(own) for own in curves]) <= 0.1
    assert np.mean([wander_correlation(own) for own in curves]) > 0.5
    white = [plateau(n_epochs, 0.02, seed) for seed in range(200)]
    assert np.mean([wander_correlation(own) for own in white]) < 0.15
    assert wander_correlation(white[0][:8]) == wander_correlation(np.linspace(2, 1, 60)) == 0


SUDDEN = {  # rises by one that come at once, or within some epochs, at position 0, and then stay
    "jump": lambda since: 1.0 * (since >= 0),
    "soon level": lambda since: 1 - np.exp(-np.clip(since, 0, None) / 3),
    "ramp": lambda since: np.clip(since / 8, 0, 1),
}


@pytest.mark.parametrize("shape", SUDDEN)
@pytest.mark.parametrize("onset", [None, 25])
def test_a_rise_that_comes_at_once_and_stays_is_told_where_it_is_far_beyond_the_noise(shape, onset):
    """By thirty times the noise of an epoch; a plateau or an oscillation is no such rise, however smooth it is."""
    since = np.arange(60) - 25
    rng = np.random.default_rng(0)
    curves = [plateau(60, 0.005, seed) for seed in range(100)]
    risen = [np.maximum(curve, 1 - 0.02 * since) + 0.15 * SUDDEN[shape](since) for curve in curves]
    assert np.mean([rises(curve, onset=onset) for curve in risen]) >= 0.95
    assert np.mean([rises(curve, onset=onset) for curve in curves]) <= 0.1
    waves = [curve + 0.1 * np.sin(since / 2 + rng.uniform(0, 7)) for curve in curves]
    assert np.mean([rises(wave, onset=onset) for wave in waves]) <= 0.05


@pytest.mark.parametrize("n_epochs", [9, 14, 40, 61])
def test_the_correlation_equals_its_slow_definition(n_epochs):
    for curve in (
        plateau(n_epochs, 0.05, seed=n_epochs, rise=0.1),
        plateau(n_epochs, 0.05, seed=1, rise=-2.0),
    ):
        assert wander_correlation(curve) == pytest.approx(reference.wander_correlation(curve.tolist()))


def test_a_steady_rise_is_no_wander_that_lasts():
    noise = 0.02 * np.random.default_rng(0).normal(size=60)
    fall = np.maximum(np.linspace(1, -4, 60), 0)
    steep, flat = (np.abs(fall + np.linspace(0, rise, 60)) + noise for rise in (0.3, 0.0))
    assert abs(wander_correlation(steep)) < 0.3
    assert abs(wander_correlation(flat)) < 0.3


@pytest.mark.parametrize("turn", [2, 4, 5, 6])
def test_of_nine_epochs_a_turn_without_noise_is_told(turn):
    """However late it comes: the fall before it is no wander."""
    assert rises(np.sqrt(1 - (0.9 - 0.05 * np.abs(np.arange(9) - turn)) ** 2))


def test_neither_unit_nor_origin_of_the_loss_changes_the_test():
    curve = plateau(60, 0.02, 0)
    np.testing.assert_allclose(rise_beyond_wander(8 * curve - 3), 8 * np.array(rise_beyond_wander(curve)))


def test_without_wander_every_rise_counts_and_few_epochs_tell_nothing_of_it():
    assert rise_beyond_wander(np.abs(np.linspace(-1, 1, 9) ** 2))[1] < 1e-12
    assert rise_beyond_wander([1.0, 0.0, 0.5]) == (0.5, 0.0)
    assert rise_beyond_wander([1.0, 0.0, 0.5], onset=0) == (-0.5, 0.0)
    assert rise_beyond_wander(np.linspace(1, 0, 30))[0] == 0


@pytest.mark.parametrize("seed", range(5))
def test_the_gross_share_equals_its_slow_definition(seed):
    rise = np.random.default_rng(seed).normal(0.1, 1, 80)
    for fraction in (0.05, 0.1, 0.5):
        assert gross_rise_share(rise, fraction) == pytest.approx(
            reference.gross_rise_share(rise.tolist(), fraction)
        )
    assert gross_rise_share(4 * rise) == pytest.approx(gross_rise_share(rise))
    assert gross_rise_share(rise, 1.0) == pytest.approx(1)


def test_of_what_fell_there_is_no_gross_share():
    assert np.isnan(gross_rise_share(-np.ones(5)))
    assert gross_rise_share(np.ones(100)) == pytest.approx(0.05)


def test_the_null_mirrors_each_deviation_from_the_mean():
    rise = np.random.default_rng(0).normal(0.1, 1, 60)
    signs = np.random.default_rng(7).choice((-1.0, 1.0), 60)
    mirrored = [rise.mean() + s * (d - rise.mean()) for s, d in zip(signs, rise, strict=True)]
    assert carrier_null(rise, n_draws=1, random_state=7) == [reference.n_carriers(mirrored) / 60]
    np.testing.assert_array_equal(carrier_null(rise), carrier_null(rise))
    assert carrier_null(np.ones(7)).tolist() == [1.0] * 200
    assert not carrier_null(-np.ones(7)).any()


@pytest.mark.parametrize("seed", range(20))
def test_scattered_rises_have_as_many_carriers_as_chance_gives(seed):
    rise = 0.02 + 0.4 * np.random.default_rng(seed).normal(size=2000)
    null = carrier_null(rise)
    assert null.min() - 0.01 <= len(carriers(rise)) / 2000 <= null.max() + 0.01


@pytest.mark.parametrize("share", [0.01, 0.02, 0.05])
def test_a_minority_that_carries_all_has_all_of_the_gross_rise(share):
    rng = np.random.default_rng(0)
    rise = -0.1 + 0.02 * rng.normal(size=2000)
    rise[: int(share * 2000)] += 20
    assert len(carriers(rise)) / 2000 <= share < np.median(carrier_null(rise)) + 0.01
    assert gross_rise_share(rise) > 0.99


def test_the_analyzer_holds_what_the_formulas_give():
    loss = plateau(40, 0.01, 0, 0.5) + 0.2 * np.random.default_rng(1).normal(size=(300, 40))
    tails = LossTailAnalyzer().fit(loss)
    assert tails.rise_verdict_ == "yes"
    assert tails.gross_rise_share_ == gross_rise_share(tails.rise_)
    np.testing.assert_array_equal(
        tails.carrier_null_, np.quantile(carrier_null(tails.rise_), [0.5, 0.025, 0.975])
    )
    assert LossTailAnalyzer().fit(loss[:, :10]).rise_verdict_ == "no"
    assert LossTailAnalyzer(onset=0).fit(loss).rise_verdict_ == "no"
