"""Intervals, paired tests and ranks, against scipy and against slow definitions."""

import numpy as np
import pytest
from scipy import stats

from sklearn_nndyn.model_selection.comparison._statistics import compare_with_best
from sklearn_nndyn.utils.statistics import holm, interval, paired_p
from tests.model_selection.compared import comparison

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_intervals_are_those_of_scipy(n):
    values = RNG.normal(size=n)
    mean, half = interval(values)
    low, high = stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values))
    assert type(mean) is type(half) is float
    np.testing.assert_allclose([mean - half, mean + half], [low, high])


def test_the_interval_of_curves_is_that_of_each_epoch():
    curves = RNG.normal(size=(4, 5))
    curves[1, 2] = curves[:3, 3] = curves[:, 4] = np.nan
    mean, half = interval(curves)
    each = np.array([interval(column) for column in curves.T])
    np.testing.assert_array_equal(mean, each[:, 0])
    np.testing.assert_array_equal(half, each[:, 1])
    np.testing.assert_allclose((mean[2], half[2]), interval(np.delete(curves[:, 2], 1)))
    assert mean[3] == curves[3, 3]
    assert np.isnan([half[3], mean[4], half[4]]).all()


def test_one_seed_has_no_interval_and_none_has_no_mean():
    np.testing.assert_array_equal(interval([0.3]), [0.3, np.nan])
    np.testing.assert_array_equal(interval([np.nan, 0.3]), [0.3, np.nan])
    assert np.isnan(interval([])).all()
    np.testing.assert_array_equal(interval([0.5, 0.5]), [0.5, 0])
    np.testing.assert_array_equal(interval([0.5, 0.6], least=3), [0.55, np.nan])
    assert interval([0.5, 0.6, 0.7], least=3) == interval([0.5, 0.6, 0.7])


def test_the_paired_test_is_that_of_scipy():
    for n in (2, 5, 9):
        one, other = RNG.normal(size=(2, n))
        assert paired_p(one, other) == pytest.approx(stats.ttest_rel(one, other).pvalue)
        assert paired_p(one, other) == paired_p(other, one)
    one, other = RNG.normal(size=(2, 6))
    expected = stats.ttest_rel(np.delete(one, [1, 4]), np.delete(other, [1, 4])).pvalue
    one[1], other[4] = np.nan, np.nan
    assert paired_p(one, other) == pytest.approx(expected)


def test_without_spread_the_signs_decide():
    assert paired_p([0.1, 0.2], [0.1, 0.2]) == 1
    for n in (2, 5):
        one = RNG.normal(size=n)
        assert paired_p(one, one + 0.1) == 0.5 ** (n - 1)  # all of one sign, either way
    assert np.isnan(paired_p([0.1], [0.2]))
    assert np.isnan(paired_p([0.1, np.nan], [np.nan, 0.2]))


def slow_holm(p_values):
    """Each of m is multiplied by the number of those not less than it, and is no less than that of any lesser one."""
    m = len(p_values)
    order = sorted(range(m), key=lambda i: p_values[i])
    return [min(1.0, max((m - j) * p_values[order[j]] for j in range(order.index(i) + 1))) for i in range(m)]


@pytest.mark.parametrize("seed", range(5))
def test_holm_is_its_definition(seed):
    rng = np.random.default_rng(seed)
    p_values = rng.random(7) ** 4
    p_values[2] = p_values[5]
    np.testing.assert_allclose(holm(p_values), slow_holm(p_values.tolist()))
    assert sorted(holm(p_values)) != sorted(p_values)


def test_holm_by_hand_and_without_what_is_unknown():
    np.testing.assert_allclose(holm([0.01, 0.04, 0.03]), [0.03, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.01, np.nan, 0.04, 0.03]), [0.03, np.nan, 0.06, 0.06])
    np.testing.assert_allclose(holm([0.6, 0.7]), [1, 1])
    assert holm([]) == []


def test_losses_are_compared_with_the_best():
    values = {name: RNG.normal(mean, 0.1, size=6) for name, mean in {"a": 0.5, "b": 1, "c": 0.1}.items()}
    rows = compare_with_best(values)
    assert [row[:2] for row in rows] == [("b", 1), ("a", 2), ("c", 3)]
    assert [type(rank) for _, rank, _, _ in rows] == [int] * 3
    raw = [stats.ttest_rel(values["b"], values[name]).pvalue for name in "ac"]
    np.testing.assert_allclose([p for *_, p in rows], [np.nan, *slow_holm(raw)])
    expected = [values[name].mean() - values["b"].mean() for name in "bac"]
    np.testing.assert_allclose([difference for _, _, difference, _ in rows], expected, atol=1e-15)


def test_equal_means_have_the_same_rank():
    rows = compare_with_best({"a": [1, 2], "b": [3, 4], "c": [3, 4], "d": [0, 1]})
    assert [row[:3] for row in rows] == [("b", 1, 0), ("c", 1, 0), ("a", 3, -2), ("d", 4, -3)]
    assert rows[1][3] == 1


def test_losses_without_a_value_come_last_and_pairs_are_those_in_common():
    none = [np.nan] * 3
    rows = compare_with_best({"x": none, "a": [0.5, 0.6, 0.9], "y": none, "b": [0.1, np.nan, 0.4]})
    assert [row[:2] for row in rows] == [("a", 1), ("b", 2), ("x", 3), ("y", 3)]
    assert rows[1][2] == pytest.approx((0.1 + 0.4 - 0.5 - 0.9) / 2)
    np.testing.assert_array_equal([row[2:] for row in rows[2:]], np.full((2, 2), np.nan))
    np.testing.assert_array_equal(compare_with_best({"x": none})[0][2:], [np.nan, np.nan])


def test_the_best_of_equals_is_seldom_taken_for_another():
    """What the p values promise: that the first loss, as good as any, is told not to be the best."""
    rng, wrong = np.random.default_rng(0), 0
    for _ in range(300):
        rows = compare_with_best(dict(enumerate(rng.normal(size=(6, 4)))))
        wrong += next(p < 0.05 for loss, _, _, p in rows if loss == 0)
    assert wrong <= 0.05 * 300


def test_a_run_that_diverged_stays_where_it_was():
    """In the mean of three, of which one has no accuracy at the end."""
    ended = {("log", 0.0, 0.0, 1): "diverged"}
    (mean,), _ = comparison({"log": [0.9, 0.9, 0.9]}, ended=ended).learning_curves()
    np.testing.assert_allclose(mean[:4], np.linspace(0.1, 0.9, 5)[:4])
    np.testing.assert_allclose(mean[4], (0.9 + 0.7 + 0.9) / 3)
