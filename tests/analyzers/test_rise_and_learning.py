"""Whether the samples whose reconstruction gets worse are those learned last: LearningPhaseAnalyzer's correlation."""

import numpy as np
import pytest
from scipy.stats import t as student

from sklearn_nndyn import LearningPhaseAnalyzer
from sklearn_nndyn.utils.statistics import mean_interval, rank_interval
from tests import reference
from tests.analyzers.planted_phases import CURVE, EPOCHS, NEVER, phase_record


def fitted(values, learned):
    return LearningPhaseAnalyzer().fit(phase_record(values, learned))


def worse_by(rises):
    """Samples that all fall alike, and rise by these since then."""
    values = np.tile(CURVE, (len(rises), 1))
    values[:, -1] = 4 + np.asarray(rises)
    return values


def test_samples_that_get_worse_and_are_learned_last_are_found():
    learned = np.arange(12)
    for values, expected in ((worse_by(learned + 1.0), 1), (worse_by(12.0 - learned), -1)):
        found = fitted(values, learned)
        assert found.rise_learning_correlation_ == pytest.approx(expected)
        np.testing.assert_allclose(found.rise_learning_interval_, [expected, expected])
    noisy = worse_by(np.arange(60) // 5 + np.random.default_rng(0).normal(scale=0.5, size=60))
    found = fitted(noisy, np.arange(60) // 5)
    assert found.rise_learning_correlation_ > 0.95
    low, high = found.rise_learning_interval_
    assert 0.9 < low < found.rise_learning_correlation_ < high < 1


def test_samples_never_learned_rank_last():
    learned = np.array([0, 3, NEVER, 5, NEVER, 2, 11, 3])
    rises = np.array([1.0, 7, 8, 3, 6, 2, 5, 4])
    expected = reference.rank_correlation(rises.tolist(), EPOCHS[learned.clip(max=11)].tolist())
    found = fitted(worse_by(rises), learned)
    assert found.rise_learning_correlation_ != pytest.approx(expected)  # never comes after the last look
    apart = [EPOCHS[position] if position < 12 else 1e9 for position in learned]
    assert found.rise_learning_correlation_ == pytest.approx(
        reference.rank_correlation(rises.tolist(), apart)
    )


def test_what_cannot_be_ranked_has_no_correlation():
    for values, learned in ((worse_by([2.0] * 6), np.arange(6)), (worse_by(np.arange(6.0)), [3] * 6)):
        found = fitted(values, learned)
        assert np.isnan(found.rise_learning_correlation_)
        assert np.isnan(found.rise_learning_interval_).all()


def test_over_runs_the_correlations_are_averaged():
    rng = np.random.default_rng(0)
    runs = [phase_record(worse_by(rng.permutation(12) + 1.0), np.arange(12)) for _ in range(3)]
    found = LearningPhaseAnalyzer().fit(runs)
    own = [LearningPhaseAnalyzer().fit(run).rise_learning_correlation_ for run in runs]
    np.testing.assert_allclose(found.run_correlations_, own)
    assert found.rise_learning_correlation_ == pytest.approx(reference.mean(own))
    half = student.ppf(0.975, 2) * reference.standard_error(own)
    low, high = reference.mean(own) - half, reference.mean(own) + half
    np.testing.assert_allclose(found.rise_learning_interval_, [max(low, -1), min(high, 1)])
    alike = [phase_record(worse_by(np.arange(12) + 1.0), np.arange(12))] * 2
    np.testing.assert_allclose(LearningPhaseAnalyzer().fit(alike).rise_learning_interval_, [1, 1])


@pytest.mark.parametrize("values", [[0.1, 0.2], [0.3, 0.25, 0.1, 0.15], [0.9, 0.2, 0.7], [-0.9, 0.1]])
def test_the_interval_over_runs_is_that_of_student(values):
    half = student.ppf(0.975, len(values) - 1) * reference.standard_error(values)
    expected = [max(reference.mean(values) - half, -1), min(reference.mean(values) + half, 1)]
    np.testing.assert_allclose(mean_interval(np.array(values)), expected)
    assert np.isnan(mean_interval(np.array(values[:1]))).all()


@pytest.mark.parametrize(("r", "n"), [(0.0, 4), (0.5, 10), (-0.9, 40), (0.99, 7)])
def test_the_interval_equals_its_slow_definition(r, n):
    np.testing.assert_allclose(rank_interval(r, n), reference.rank_interval(r, n), atol=1e-7)


def test_the_interval_covers_what_it_should():
    """Of samples from two correlated normals with Spearman's correlation 6/pi arcsin(r/2), r = 0.6."""
    rng, truth, inside = np.random.default_rng(0), 6 / np.pi * np.arcsin(0.3), 0
    for _ in range(400):
        one, noise = rng.normal(size=(2, 40))
        ranks = [own.argsort().argsort() for own in (one, 0.6 * one + 0.8 * noise)]
        low, high = rank_interval(np.corrcoef(ranks)[0, 1], 40)
        inside += low < truth < high
    assert 0.92 < inside / 400 < 0.98
    assert np.isnan(rank_interval(0.5, 3)).all()
    assert np.isfinite(rank_interval(0.5, 4)).all()
