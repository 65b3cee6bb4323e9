"""Refinement and calibration of scores: against the slow definition, other minimisers, and by what changes nothing."""

import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.special import softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression

from sklearn_nndyn.analyzers.loss_tails import sample_log_loss
from sklearn_nndyn.analyzers.refinement import decompose_loss, temperatures
from tests import reference
from tests.analyzers.refinement.planted_scores import SURE, planted_scores

SCORES, Y = planted_scores(n_samples=2000)
FEW, FEW_Y = SCORES[:40, [0, 5, 9, 11]] / 4, Y[:40]


def test_temperatures_are_those_of_the_slow_definition():
    slow = [reference.best_temperature(FEW[:, epoch], FEW_Y) for epoch in range(1, 4)]
    np.testing.assert_allclose(temperatures(FEW, FEW_Y)[1:], slow, rtol=1e-6)


def slope_of_laplace_loss(inverse, scores, target):
    """Derivative in b = 1 / T of the loss of the samples and of one more, times their number."""
    expected = (softmax(inverse * scores, axis=1) * scores).sum(axis=1)
    true = np.take_along_axis(scores, target[:, None], axis=1)[:, 0]
    return (expected - true).sum() + (expected - scores.mean(axis=1)).mean()


@pytest.mark.parametrize("n_samples", [40, 700, 5000])
@pytest.mark.parametrize("n_classes", [2, 3, 7])
def test_temperatures_are_where_scipy_finds_the_slope_to_be_none(n_samples, n_classes):
    """To ten figures, for few samples, and for so many that a share of them is asked first, and parts are summed."""
    scores, y = planted_scores(n_samples=n_samples, n_classes=n_classes)
    found = temperatures(scores[:, 4:], y)
    halves = decompose_loss(scores[:, 4:], y)
    np.testing.assert_allclose(halves.temperature, found, rtol=1e-10)
    for epoch in (0, 7, 19):
        z = scores[:, 4 + epoch]
        root = brentq(slope_of_laplace_loss, 1e-3, 1e2, args=(z, y), xtol=1e-15, rtol=1e-15)
        assert found[epoch] * root == pytest.approx(1, abs=1e-10)
        for own in (halves.second, ~halves.second):
            root = brentq(slope_of_laplace_loss, 1e-3, 1e2, args=(z[own], y[own]), xtol=1e-15, rtol=1e-15)
            loss = sample_log_loss(z[~own] * root, y[~own])
            np.testing.assert_allclose(halves.refined[~own, epoch], loss, rtol=1e-8, atol=1e-15)


def test_losses_are_those_of_the_slow_definition():
    found = decompose_loss(FEW[:, 1:], FEW_Y)
    assert found.second.sum() == 20
    for at in range(3):
        np.testing.assert_allclose(
            found.loss[:, at], reference.log_loss_at(FEW[:, 1 + at], FEW_Y, 1), rtol=1e-9, atol=1e-14
        )
    slow = reference.refined_losses(FEW[:, 1:], FEW_Y, found.second)
    np.testing.assert_allclose(found.refined, slow, rtol=1e-5, atol=1e-9)
    for half, curve in zip((~found.second, found.second), found.half_curves, strict=True):
        best = reference.best_temperature(FEW[half, 3], FEW_Y[half])
        np.testing.assert_allclose(
            curve[2], reference.log_loss_at(FEW[half, 3], FEW_Y[half], best).mean(), rtol=1e-6
        )


@pytest.mark.parametrize("epoch", [1, 6, 12, 23])
def test_many_samples_have_the_least_loss_that_a_minimiser_of_scipy_finds(epoch):
    def mean_loss(log_t):
        return sample_log_loss(SCORES[:, epoch] / np.exp(log_t), Y).mean()

    least = minimize_scalar(mean_loss, bounds=(-5, 5), method="bounded", options={"xatol": 1e-9})
    found = np.log(temperatures(SCORES[:, [epoch]], Y)[0])
    assert abs(mean_loss(found) - least.fun) < 1e-5  # Laplace's rule moves it by one sample of 2,000


def test_refined_probabilities_are_those_of_scikit_learns_temperature():
    clf = LogisticRegression(C=1e4).fit(SCORES[:500, 4], Y[:500])
    z = clf.decision_function(SCORES[500:, 4])
    calibrated = CalibratedClassifierCV(FrozenEstimator(clf), method="temperature", ensemble=False)
    calibrated.fit(SCORES[500:, 4], Y[500:])
    (T,) = temperatures(z[:, None], Y[500:])
    p = calibrated.predict_proba(SCORES[500:, 4])[np.arange(1500), Y[500:]]
    assert abs(-np.log(p).mean() - sample_log_loss(z / T, Y[500:]).mean()) < 1e-5


def test_the_planted_temperature_is_found():
    np.testing.assert_allclose(temperatures(SCORES, Y)[3:], SURE[3:], rtol=0.12)


@pytest.mark.parametrize("factor", [1e-6, 0.25, 1e4])
def test_a_factor_changes_the_temperature_and_not_the_refinement(factor):
    plain, scaled = decompose_loss(SCORES, Y), decompose_loss(factor * SCORES, Y)
    np.testing.assert_allclose(scaled.temperature, factor * plain.temperature, rtol=1e-6)
    np.testing.assert_allclose(scaled.refined, plain.refined, rtol=1e-6, atol=1e-9)


def test_a_constant_added_to_the_scores_of_a_sample_changes_nothing():
    shift = np.linspace(-30, 30, len(Y))[:, None, None]
    plain, shifted = decompose_loss(SCORES, Y), decompose_loss(SCORES + shift, Y)
    np.testing.assert_allclose(shifted.refined, plain.refined, rtol=1e-9, atol=1e-12)


def test_the_order_of_the_samples_changes_nothing():
    order = np.random.default_rng(1).permutation(len(Y))
    plain, mixed = decompose_loss(SCORES, Y), decompose_loss(SCORES[order], Y[order])
    np.testing.assert_allclose(mixed.refined, plain.refined[order], rtol=1e-9)


def test_epochs_by_themselves_are_as_among_others():
    whole = temperatures(SCORES, Y)
    for at in (0, 9, 23):
        np.testing.assert_allclose(temperatures(SCORES[:, [at]], Y), whole[[at]], rtol=1e-6)


def test_scores_in_single_precision_are_measured_in_double():
    single = decompose_loss(SCORES.astype(np.float32), Y)
    assert single.refined.dtype == np.float64
    np.testing.assert_allclose(single.refined, decompose_loss(SCORES, Y).refined, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("n_classes", [2, 5])
def test_samples_that_are_all_right_have_a_temperature(n_classes):
    scores, y = planted_scores(
        n_samples=60, n_classes=n_classes, apart=np.array([1.0, 30.0]), sure=np.ones(2)
    )
    found = decompose_loss(scores, y)
    assert 0 < found.temperature[1] < np.inf
    assert (found.refined[:, 1] < 0.2).all()


def test_scores_that_are_worse_than_none_have_an_infinite_temperature_and_the_loss_of_equal_probabilities():
    found = decompose_loss(-SCORES, Y)
    assert np.isinf(found.temperature[3:]).all()
    np.testing.assert_allclose(found.refined[:, 3:], np.log(3))
    assert np.isinf(temperatures(np.zeros((6, 1, 4)), np.arange(6) % 4)).all()


def test_a_temperature_chosen_on_one_half_is_no_better_by_chance_on_the_other():
    """Scores whose temperature is 1: what one half gains is not there on the other, but in the mean a little worse."""
    gains = []
    for seed in range(40):
        found = decompose_loss(*planted_scores(np.array([1.0, 1.5]), np.ones(2), n_samples=100, seed=seed))
        gains.append((found.loss - found.refined).mean())
    assert -0.01 < np.mean(gains) <= 0
