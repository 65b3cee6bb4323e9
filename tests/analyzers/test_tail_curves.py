"""The figures of each epoch: slow definitions, theorems, limit cases."""

import numpy as np
import pytest

from sklearn_nndyn.analyzers.loss_tails import concentration_curve, gini_coefficient, tail_curves, tail_shares
from sklearn_nndyn.utils.statistics import worst_count
from tests import reference

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
FRACTIONS = (0.001, 0.01, 0.05, 0.1)


@pytest.fixture(params=[1, 2, 3, 57, 1000])
def loss(request):
    rng = np.random.default_rng(request.param)
    return rng.lognormal(sigma=2, size=(request.param, 3)).astype(np.float32)


def test_every_curve_equals_its_slow_definition(loss):
    curves = tail_curves(loss)
    for t, epoch in enumerate(loss.T.astype(float).tolist()):
        assert curves.mean[t] == pytest.approx(reference.mean(epoch), rel=1e-12)
        assert curves.trimmed[t] == pytest.approx(reference.trimmed_mean(epoch), rel=1e-12)
        assert curves.median[t] == pytest.approx(reference.quantile(epoch, 0.5), rel=1e-12)
        expected = [reference.quantile(epoch, q) for q in QUANTILES]
        np.testing.assert_allclose(curves.quantiles[t], expected, rtol=1e-12)
        np.testing.assert_allclose(curves.shares[t], [reference.share_of_worst(epoch, w) for w in FRACTIONS])
        np.testing.assert_allclose(curves.gini[t], reference.gini(epoch), atol=1e-12)


def test_quantiles_are_those_of_numpy(loss):
    expected = np.quantile(loss.astype(float), QUANTILES, axis=0).T
    np.testing.assert_allclose(tail_curves(loss).quantiles, expected, rtol=1e-12)


def test_curves_hold_the_coefficient_and_the_shares_of_each_epoch(loss):
    curves = tail_curves(loss, fractions=(0.2, 1.0), lower_bound=-1)
    for epoch, gini, shares in zip(loss.T, curves.gini, curves.shares, strict=True):
        assert gini_coefficient(epoch, lower_bound=-1) == gini
        np.testing.assert_array_equal(tail_shares(epoch, (0.2, 1.0), lower_bound=-1), shares)
        np.testing.assert_allclose(shares[-1], 1)


def test_the_order_of_the_samples_changes_nothing_and_the_losses_are_not_touched(loss):
    before = loss.copy()
    loss.flags.writeable = False
    one, other = tail_curves(loss), tail_curves(loss[np.random.default_rng(0).permutation(len(loss))])
    for name, values in vars(one).items():
        np.testing.assert_array_equal(values, vars(other)[name], err_msg=name)
    np.testing.assert_array_equal(loss, before)


@pytest.mark.parametrize("n", [2, 5, 1000])
def test_equal_losses_have_no_concentration_curve(n):
    curves = tail_curves(np.full((n, 2), 0.3))
    np.testing.assert_allclose(curves.gini, 0, atol=1e-12)
    np.testing.assert_allclose(curves.shares[0], [worst_count(w, n) / n for w in FRACTIONS])
    np.testing.assert_allclose(curves.quantiles, 0.3)


@pytest.mark.parametrize("n", [2, 5, 1000])
def test_one_sample_that_carries_all(n):
    loss = np.zeros((n, 2))
    loss[n // 2, 1] = 7
    curves = tail_curves(loss)
    assert curves.gini[1] == pytest.approx((n - 1) / n)
    np.testing.assert_array_equal(curves.shares[1], 1)
    np.testing.assert_array_equal(concentration_curve(loss[:, 1]), 1)


def test_losses_of_zero_are_equal_losses():
    curves = tail_curves(np.zeros((20, 1)))
    assert curves.gini == [0]
    np.testing.assert_allclose(curves.shares[0], [1 / 20, 1 / 20, 1 / 20, 2 / 20])
    np.testing.assert_allclose(concentration_curve(np.zeros(4)), [0.25, 0.5, 0.75, 1])


def test_shares_do_not_depend_on_the_unit(loss):
    one, other = tail_curves(loss), tail_curves(8 * loss)
    np.testing.assert_allclose(other.gini, one.gini)
    np.testing.assert_allclose(other.shares, one.shares)
    np.testing.assert_allclose(other.mean, 8 * one.mean)


def test_a_loss_that_starts_below_zero_is_measured_above_its_least():
    rng = np.random.default_rng(0)
    loss = rng.random((50, 2))
    one, other = tail_curves(loss), tail_curves(loss - 1, lower_bound=-1)
    np.testing.assert_allclose(other.shares, one.shares)
    np.testing.assert_allclose(other.gini, one.gini)
    np.testing.assert_allclose(other.mean, one.mean - 1)
    np.testing.assert_allclose(
        concentration_curve(loss[:, 0] - 1, lower_bound=-1), concentration_curve(loss[:, 0])
    )


def test_shares_of_negative_losses_are_not_a_number():
    loss = np.array([0.5, -1.0, 3.0])
    assert np.isnan(gini_coefficient(loss))
    assert np.isnan(tail_shares(loss, [0.3, 0.6])).all()
    assert np.isnan(concentration_curve(loss)).all()
    assert gini_coefficient([-1e-8, 0.5, 3.0]) > 0, "what float32 rounds below zero is zero"


def test_concentration_holds_all_shares(loss):
    curve = concentration_curve(loss[:, 0])
    expected = [reference.share_of_worst(loss[:, 0].astype(float).tolist(), w) for w in FRACTIONS]
    np.testing.assert_allclose(curve[[worst_count(w, len(loss)) - 1 for w in FRACTIONS]], expected)
    assert curve[-1] == 1
    assert (np.diff(curve) >= 0).all()


@pytest.mark.parametrize(
    ("share", "n", "count"), [(0.01, 10, 1), (0.01, 149, 1), (0.01, 150, 2), (0.07, 100, 7)]
)
def test_the_worst_are_a_whole_number_and_at_least_one(share, n, count):
    assert worst_count(share, n) == count


def test_the_trimmed_mean_leaves_out_both_ends():
    assert tail_curves(np.array([[-1000.0, *[1.0] * 4, *[2.0] * 4, 1e6]]).T).trimmed == 1.5
    assert tail_curves(np.arange(9.0)[:, None]).trimmed == 4, "fewer than ten samples: none is left out"
