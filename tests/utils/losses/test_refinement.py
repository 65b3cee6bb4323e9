"""The least log loss over temperatures, with weights and in extreme cases."""

import numpy as np
import pytest

from sklearn_nndyn.utils.losses import refinement
from sklearn_nndyn.utils.losses.refinement import (
    STRIDE,
    inverse_temperatures,
    refined_loss,
    score_distances,
    tempered_losses,
)


def drawn(seed, n=None):
    """Scores (n, 1, K) of any size and spread, often with outliers, and classes."""
    rng = np.random.default_rng(seed)
    n, n_classes = n or rng.integers(2, 40), rng.integers(2, 5)
    scores = rng.normal(size=(n, 1, n_classes)) * 10 ** rng.uniform(-6, 6)
    scores *= rng.choice([1, 1, 1000.0], size=(n, 1, 1))
    y = rng.integers(0, n_classes, n)
    scores[np.arange(n), 0, y] += rng.uniform(0, 3) * np.abs(scores).mean()
    return scores, y


@pytest.mark.parametrize("prior", [0.0, 1.0])
@pytest.mark.parametrize("start", [0, *(pytest.param(start, marks=pytest.mark.slow) for start in (40, 80))])
def test_no_temperature_of_a_grid_is_better(start, prior):
    for seed in range(start, start + 40):
        distances = score_distances(*drawn(seed))
        scale = -distances.below.mean()
        pull = prior / (distances.true.size + prior) * (distances.below.mean() - distances.true.mean())

        def loss(b, distances=distances, pull=pull):
            return tempered_losses(distances, b).mean() - b * pull

        grid = np.geomspace(1e-4, 1e3, 701) / scale
        least = min(*map(loss, grid), loss(0.0))
        found = loss(inverse_temperatures(distances, prior=prior)[0])
        assert found <= least + 1e-9 * abs(least) + 1e-12, seed


def test_weights_are_numbers_of_repetitions_and_their_scale_does_not_matter():
    rng = np.random.default_rng(0)
    scores, y = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    scores[np.arange(60), y] += 1.5
    weight = np.arange(60) % 3
    repeated = refined_loss(scores.repeat(weight, axis=0), y.repeat(weight))
    assert refined_loss(scores, y, weight) == pytest.approx(repeated, rel=1e-9)
    assert refined_loss(scores, y, 1e-3 * weight) == pytest.approx(repeated, rel=1e-9)
    assert refined_loss(scores, y, np.ones(60)) == refined_loss(scores, y)


def test_samples_that_are_all_right_have_next_to_no_refined_loss():
    assert refined_loss([[2.0, 1.0], [0.0, 3.0]], [0, 1]) < 1e-100
    wrong_without_weight = refined_loss([[2.0, 1.0], [0.0, 3.0], [9.0, 0.0]], [0, 1, 1], [1, 1, 0])
    assert wrong_without_weight < 1e-100


@pytest.mark.parametrize(
    "scores", [[[1.0, 1.0], [1.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]], ids=["equal", "wrong"]
)
def test_scores_that_say_nothing_have_the_loss_of_equal_probabilities(scores):
    assert refined_loss(scores, [0, 1]) == pytest.approx(np.log(2))


def test_huge_scores_overflow_nothing():
    with np.errstate(all="raise", under="ignore"):
        assert 0 < refined_loss([[1e8, 0.0], [0.0, 1e8], [1e7, 0.0]], [0, 1, 1]) < 1


@pytest.mark.parametrize("prior", [0.0, 1.0])
def test_the_first_guess_of_many_samples_changes_nothing(prior, monkeypatch):
    """Whether it is that of a share of the samples, or of none, as where all of the share weigh nothing."""
    unseen = np.ones(300)
    unseen[::STRIDE] = 0
    for seed in range(20):
        distances = score_distances(*drawn(seed, n=300))
        for weight in (None, unseen):
            few = inverse_temperatures(distances, weight, prior)
            with monkeypatch.context() as patch:
                patch.setattr(refinement, "MANY", 100)
                many = inverse_temperatures(distances, weight, prior)
            np.testing.assert_allclose(many, few, rtol=1e-6)


@pytest.mark.parametrize("factor", [1e-3, 0.9, 30.0])
def test_a_guess_from_elsewhere_changes_nothing(factor):
    for seed in range(20):
        distances = score_distances(*drawn(seed))
        plain = inverse_temperatures(distances, prior=1.0)
        guessed = inverse_temperatures(distances, prior=1.0, first=factor * plain)
        np.testing.assert_allclose(guessed, plain, rtol=1e-9)
