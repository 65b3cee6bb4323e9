"""Memorised nats: against the slow definition, scipy's interval, and memory that was planted."""

import numpy as np
import pytest
from scipy.stats import ttest_ind

from sklearn_nndyn.analyzers.sample_scores import memorised_nats
from tests import reference


def losses(memory, n_samples, seed, n_epochs=6):
    """Losses that fall by learning, and by ``memory`` nats more until the end."""
    rng = np.random.default_rng(seed)
    fall = np.linspace(0, 1, n_epochs)
    return 2 + 0.3 * rng.normal(size=(n_samples, n_epochs)) - (1 + memory) * fall


@pytest.mark.parametrize("seed", range(3))
def test_it_is_the_slow_definition_with_the_interval_of_scipy(seed):
    train, held_out = losses(0.4, 13, seed), losses(0.0, 29, seed + 10)
    memorised, interval = memorised_nats(train, held_out)
    for epoch in range(6):
        slow = reference.difference_in_differences(train.tolist(), held_out.tolist(), epoch)
        np.testing.assert_allclose(memorised[epoch], slow, atol=1e-12)
    falls = [own[:, 0] - own[:, 4] for own in (train, held_out)]
    known = ttest_ind(*falls, equal_var=False).confidence_interval(0.95)
    np.testing.assert_allclose(interval[4], [known.low, known.high])
    assert (interval[0] == 0).all()


def test_planted_memory_is_found_and_none_is_not():
    assert memorised_nats(losses(0.7, 400, 0), losses(0, 400, 1))[0][-1] == pytest.approx(0.7, abs=0.1)
    covered = 0
    for seed in range(200):
        low, high = memorised_nats(losses(0, 30, 2 * seed), losses(0, 60, 2 * seed + 1))[1][-1]
        covered += low <= 0 <= high
    assert 181 <= covered <= 198  # 190 of 200, and its chance


def test_exchanging_the_groups_changes_the_sign():
    train, held_out = losses(0.4, 13, 0), losses(0, 29, 1)
    forward, back = memorised_nats(train, held_out), memorised_nats(held_out, train)
    np.testing.assert_allclose(forward[0], -back[0])
    np.testing.assert_allclose(forward[1], -back[1][:, ::-1])


def test_of_one_sample_there_is_no_interval():
    memorised, interval = memorised_nats([[2.0, 1.0]], [[2.0, 1.5], [2.0, 1.5]])
    assert memorised[1] == 0.5
    assert np.isnan(interval).all()


@pytest.mark.parametrize(
    ("train", "held_out", "message"),
    [
        (np.ones((2, 3)), np.ones((2, 4)), "loss has 3 epochs, but held_out_loss has 4"),
        (np.ones((0, 3)), np.ones((2, 3)), r"loss must be \(n_samples, n_epochs\), of one sample at least"),
        (np.ones((2, 3)), np.ones(3), r"held_out_loss must be .* got shape \(3,\)"),
        (np.ones((2, 3)), np.full((2, 3), np.nan), "held_out_loss holds values that are not finite"),
    ],
    ids=["epochs", "empty", "flat", "nan"],
)
def test_what_cannot_be_compared_is_refused(train, held_out, message):
    with pytest.raises(ValueError, match=message):
        memorised_nats(train, held_out)
