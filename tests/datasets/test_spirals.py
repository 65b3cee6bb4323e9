"""Spirals: arms that rotate into each other."""

import numpy as np
import pytest

from sklearn_nndyn.datasets import make_spirals

over_arms = pytest.mark.parametrize("n_arms", [2, 3, 4, 7])


def arms(n_samples=800, **parameters):
    """The points of each arm, from the centre outwards."""
    X, y = make_spirals(n_samples, **{"noise": 0, "random_state": 0, **parameters})
    found = [X[y == k] for k in range(y.max() + 1)]
    return [arm[np.hypot(*arm.T).argsort()] for arm in found]


@over_arms
@pytest.mark.parametrize("turns", [1.0, 0.5, 2.75, -1.25, 0])
def test_arm_k_is_arm_0_rotated(n_arms, turns):
    found = arms(60 * n_arms, n_arms=n_arms, turns=turns)
    assert len(found) == n_arms
    for k, arm in enumerate(found):
        angle = 2 * np.pi * k / n_arms
        rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        np.testing.assert_allclose(arm, found[0] @ rotation.T, atol=1e-12)


@pytest.mark.parametrize("turns", [1, 0.5, 2.75, -1.25])
def test_an_arm_goes_outwards_evenly_and_round_as_often_as_asked(turns):
    arm = arms(2000, turns=turns)[0]
    radius, angle = np.hypot(*arm.T), np.unwrap(np.arctan2(arm[:, 1], arm[:, 0]))
    np.testing.assert_allclose(radius, np.linspace(0.1, 1, 500))
    np.testing.assert_allclose(angle, 2 * np.pi * turns * np.linspace(0, 1, 500), atol=1e-9)


def test_along_a_radius_the_arms_lie_as_far_apart_as_documented():
    found = arms(40_000, n_arms=4, turns=2.0)
    radii = np.hypot(*found[0].T)
    angles = [np.unwrap(np.arctan2(arm[:, 1], arm[:, 0])) for arm in found]
    assert angles[1][0] > angles[0][0]
    where = np.linspace(angles[1][0], angles[0][-1], 50)
    apart = np.interp(where, angles[0], radii) - np.interp(where, angles[1], radii)
    np.testing.assert_allclose(apart, 0.9 / (4 * 2.0), atol=1e-9)


@pytest.mark.parametrize("n_samples", [4, 5, 7, 802])
def test_arms_share_the_points_evenly_and_the_first_get_what_is_left(n_samples):
    y = make_spirals(n_samples)[1]
    sizes = np.bincount(y)
    assert sizes.sum() == n_samples
    assert sizes.tolist() == [n_samples // 4 + (k < n_samples % 4) for k in range(4)]


def test_an_arm_of_any_size_goes_from_its_beginning_to_its_end():
    for arm in arms(11):
        np.testing.assert_allclose(np.hypot(*arm[[0, -1]].T), [0.1, 1])


def test_the_usual_one_has_800_points_in_four_arms():
    X, y = make_spirals()
    assert X.shape == (800, 2)
    assert X.dtype == np.float64
    assert y.dtype.kind == "i"
    assert np.bincount(y).tolist() == [200] * 4


def test_noise_moves_the_points_by_its_deviation():
    X, y = make_spirals(5000, noise=0, random_state=1)
    for noise in (0.02, 0.5):
        X_noisy, y_noisy = make_spirals(5000, noise=noise, random_state=1)
        moved = X_noisy - X
        np.testing.assert_array_equal(y_noisy, y)
        assert abs(moved.mean()) < 4 * noise / np.sqrt(10_000)
        assert abs(moved.var() / noise**2 - 1) < 4 * np.sqrt(2 / 10_000)


def test_the_order_is_random():
    _, y = make_spirals(6400, random_state=2)
    assert abs(np.mean(y[1:] == y[:-1]) - 0.25) < 4 * np.sqrt(0.25 * 0.75 / 6399)


def test_one_seed_gives_one_result():
    first, second, other = (make_spirals(random_state=seed) for seed in (3, 3, 4))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (first[0] != other[0]).any()


def refused(error, message, **parameters):
    with pytest.raises(error, match=message):
        make_spirals(**parameters)


def test_parameters_that_mean_nothing_are_refused():
    for name in ("n_samples", "n_arms"):
        for wrong in (8.0, "8", None, True):
            refused(TypeError, f"^{name} must be a whole number, got {wrong!r}.$", **{name: wrong})
    refused(ValueError, "^n_arms must be 2 or more, got 1.$", n_arms=1)
    refused(ValueError, "^n_samples must be 4 or more, got 3.$", n_samples=3)
    refused(ValueError, "^n_samples must be 9 or more, got 8.$", n_samples=8, n_arms=9)
    for name in ("noise", "turns"):
        for wrong in ("0.1", None, True):
            refused(TypeError, f"^{name} must be a number, got {wrong!r}.$", **{name: wrong})
    for wrong in (-0.1, np.nan, np.inf):
        refused(ValueError, f"^noise must be finite and 0 or more, got {wrong!r}.$", noise=wrong)
    for wrong in (np.nan, np.inf, -np.inf):
        refused(ValueError, f"^turns must be finite, got {wrong!r}.$", turns=wrong)
