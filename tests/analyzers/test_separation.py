"""Radii, distances and similarities: by their definitions from raw activations, and by what must follow."""

import numpy as np
import pytest

from sklearn_nndyn.analyzers.entanglement import (
    distances,
    mean_distance,
    mean_radius,
    radii,
    similarities,
)
from tests import reference

RNG = np.random.default_rng(0)
Y = np.arange(30) % 3
H = RNG.normal(size=(30, 5)) + 2 * RNG.normal(size=(3, 5))[Y]
H_MORE = np.stack([H, H + RNG.normal(size=H.shape), RNG.normal(size=H.shape)])  # three epochs
PAIRS = [(a, b) for a in range(3) for b in range(3)]


def centroids(*activations, y=Y, n_classes=3):
    """Shape (n_epochs, n_classes, width)."""
    return np.array([reference.centroids(h, y, n_classes) for h in activations])


# ----------------------------------------------------------------------------------- definitions


def test_radii_and_distances_are_their_definitions():
    """R_c = sqrt(mean ||u - m_c||^2), sample by sample, follows from the length of m_c alone."""
    found, apart = radii(centroids(*H_MORE)), distances(centroids(*H_MORE))
    assert found.shape == (3, 3)
    for t, h in enumerate(H_MORE.tolist()):
        np.testing.assert_allclose(found[t], [reference.radius(h, Y, c) for c in range(3)], rtol=1e-12)
        expected = [reference.distance(h, Y, a, b) for a, b in PAIRS]
        np.testing.assert_allclose(apart[t].ravel(), expected, rtol=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_the_identity_holds_to_rounding_in_single_precision(seed):
    """As records keep centroids: R_c^2 is off by the rounding of |m_c|^2."""
    h = np.random.default_rng(seed).normal(size=(30, 5)).astype(np.float32) + seed
    rounded = centroids(h).astype(np.float32)
    expected = [reference.radius(h.tolist(), Y, c) ** 2 for c in range(3)]
    np.testing.assert_allclose(radii(rounded)[0] ** 2, expected, atol=5e-7)
    for measure in (radii, distances):  # which adds no rounding of its own
        np.testing.assert_array_equal(measure(rounded), measure(rounded.astype(np.float64)))
    assert abs(distances(rounded)[0, 1, 0] - reference.distance(h.tolist(), Y, 1, 0)) < 5e-7


def test_zero_activations_count_as_directions_of_their_own():
    h = H.copy()
    h[[0, 3, 4]] = 0
    found = radii(centroids(h))[0]
    np.testing.assert_allclose(found, [reference.radius(h.tolist(), Y, c) for c in range(3)], rtol=1e-12)
    assert (found[:2] > radii(centroids(H))[0, :2]).all()
    assert found[2] == radii(centroids(H))[0, 2]


# -------------------------------------------------------------------------------------- theorems


def test_a_rotation_changes_nothing():
    rotation, _ = np.linalg.qr(RNG.normal(size=(5, 5)))
    turned, still = centroids(*(H_MORE @ rotation)), centroids(*H_MORE)
    np.testing.assert_allclose(radii(turned), radii(still), rtol=1e-12)
    np.testing.assert_allclose(distances(turned), distances(still), rtol=1e-12, atol=1e-15)


def test_the_length_of_an_activation_does_not_count():
    lengths = np.exp(5 * RNG.normal(size=(30, 1)))
    np.testing.assert_allclose(radii(centroids(lengths * H)), radii(centroids(H)), rtol=1e-12)
    np.testing.assert_allclose(distances(centroids(lengths * H)), distances(centroids(H)), rtol=1e-12)


@pytest.mark.parametrize("spread", [0.0, 0.1, 1.0, 100.0])
def test_radii_are_from_0_to_1_and_distances_from_0_to_2(spread):
    for seed in range(20):
        rng = np.random.default_rng(seed)
        h = rng.normal(size=(3, 4))[Y] + spread * rng.normal(size=(30, 4))
        found, apart = radii(centroids(h)), distances(centroids(h))
        assert ((found >= 0) & (found <= 1)).all()
        assert ((apart >= 0) & (apart <= 2 + 1e-12)).all()
        np.testing.assert_array_equal(apart, apart.swapaxes(1, 2))
        np.testing.assert_array_equal(np.diagonal(apart, axis1=1, axis2=2), 0)
        assert (apart[0, 0, 2] <= apart[0, 0, 1] + apart[0, 1, 2]).all()


def test_the_limits_are_reached():
    """All of one direction; opposite classes; a dead layer."""
    one_way = np.array([[3.0, 4.0]]) * np.linspace(0.1, 9, 30)[:, None]
    np.testing.assert_allclose(radii(centroids(one_way)), 0, atol=1e-7)
    opposite = np.where(Y == 1, -1, 1)[:, None] * one_way
    np.testing.assert_allclose(radii(centroids(opposite)), 0, atol=1e-7)
    np.testing.assert_allclose(
        distances(centroids(opposite))[0], [[0, 2, 0], [2, 0, 2], [0, 2, 0]], atol=1e-12
    )
    dead = centroids(np.zeros((30, 4)))
    assert (radii(dead) == 1).all()
    assert (distances(dead) == 0).all()
    cancelling = centroids(np.array([[1.0, 0.0], [-1.0, 0.0]]), y=[0, 0], n_classes=1)
    assert (radii(cancelling) == 1).all()


def test_a_centroid_longer_than_1_by_rounding_has_radius_0():
    assert (radii(np.full((1, 1, 4), 0.5000001, dtype=np.float32)) == 0).all()


def test_centroids_of_two_halves_add_up_to_those_of_the_whole():
    first = np.arange(30) < 13
    parts = [centroids(H[half], y=Y[half])[0] for half in (first, ~first)]
    weights = [np.bincount(Y[half], minlength=3)[:, None] for half in (first, ~first)]
    whole = (weights[0] * parts[0] + weights[1] * parts[1]) / (weights[0] + weights[1])
    np.testing.assert_allclose(whole, centroids(H)[0], rtol=1e-12)
    np.testing.assert_allclose(radii(whole[None]), radii(centroids(H)), rtol=1e-12)
    np.testing.assert_allclose(distances(whole[None]), distances(centroids(H)), rtol=1e-12, atol=1e-15)


# ------------------------------------------------------------------------- classes without samples


def test_a_class_without_samples_is_nan_and_no_part_of_a_mean():
    three, two = centroids(*H_MORE), centroids(*H_MORE)
    two[:, 1] = np.nan
    found, apart = radii(two), distances(two)
    assert np.isnan(found[:, 1]).all()
    np.testing.assert_array_equal(found[:, [0, 2]], radii(three)[:, [0, 2]])
    assert np.isnan(apart[:, 1]).all()
    assert np.isnan(apart[:, :, 1]).all()
    np.testing.assert_array_equal(apart[:, ::2, ::2], distances(three)[:, ::2, ::2])
    np.testing.assert_allclose(mean_radius(found), [reference.mean(row[[0, 2]]) for row in found])
    np.testing.assert_array_equal(mean_distance(apart), apart[:, 0, 2])


def test_means_are_over_the_classes_and_over_the_pairs_of_two():
    found, apart = radii(centroids(*H_MORE)), distances(centroids(*H_MORE))
    np.testing.assert_allclose(mean_radius(found), [reference.mean(row) for row in found.tolist()])
    expected = [reference.mean([d[0][1], d[0][2], d[1][2]]) for d in apart.tolist()]
    np.testing.assert_allclose(mean_distance(apart), expected)


def test_means_of_nothing_are_nan():
    lone = centroids(H, H, y=np.zeros(30, int), n_classes=2)
    assert np.isnan(mean_distance(distances(lone))).tolist() == [True, True]
    assert np.isnan(mean_distance(distances(lone[:, :1]))).tolist() == [True, True]
    assert np.isnan(mean_radius(radii(lone[:, 1:]))).tolist() == [True, True]


# ---------------------------------------------------------------------------------- similarities


def expected_similarities(h, y, m):
    return np.transpose([reference.own_and_other_similarity(h_i, c, m) for h_i, c in zip(h, y, strict=True)])


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_similarities_are_their_definition(dtype):
    m = centroids(H)[0]
    h = H.astype(dtype)
    found = similarities(h, Y, m)
    np.testing.assert_allclose(found, expected_similarities(h.tolist(), Y, m), atol=1e-12)
    assert (found[0] > found[1]).any()
    assert (found[0] < found[1]).any()


def test_similarities_of_zeros_are_zero():
    h, m = H.copy(), centroids(H)[0]
    h[4], m[0] = 0, 0
    own, other = similarities(h, Y, m)
    assert own[4] == other[4] == 0
    assert (own[Y == 0] == 0).all()
    np.testing.assert_allclose((own, other), expected_similarities(h, Y, m), atol=1e-12)


def test_similarities_leave_out_classes_without_samples():
    m = centroids(H)[0]
    m[1] = np.nan
    own, other = similarities(H, Y, m)
    assert np.isnan(own[Y == 1]).all()
    np.testing.assert_allclose((own, other), expected_similarities(H, Y, m), atol=1e-12)
    assert not np.isnan(other).any()
    m[2] = np.nan
    np.testing.assert_array_equal(np.isnan(similarities(H, Y, m)[1]), Y == 0)


def test_similarities_are_cosines():
    """The samples' own direction gives 1, the opposite one -1."""
    own, other = similarities(
        np.array([[0.0, 3.0], [-5.0, 0.0]]), np.array([0, 1]), np.array([[0.0, 0.1], [2, 0.0]])
    )
    np.testing.assert_array_equal(own, [1, -1])
    np.testing.assert_array_equal(other, [0, 0])


def test_distances_of_many_classes_are_those_of_each_pair_near_ones_too():
    rng = np.random.default_rng(0)
    m = rng.normal(size=(2, 60, 9)) / 3
    m[:, 1] = m[:, 0] + 1e-7 * rng.normal(size=9)
    m[:, 3] = m[:, 2]
    found = distances(m)
    pairs = [[[np.linalg.norm(a - b) for b in epoch] for a in epoch] for epoch in m]
    np.testing.assert_allclose(found, pairs, rtol=1e-11)
    assert (found[:, 2, 3] == 0).all()
    np.testing.assert_array_equal(found, np.swapaxes(found, 1, 2))
