"""Neural collapse from centroids: against the samples themselves, and in its limits."""

import numpy as np
import pytest

from sklearn_nndyn.analyzers.entanglement import simplex_distance, within_class_share
from tests import reference


def drawn(seed, n_classes=5, width=7, spread=0.5):
    """Activations of length 1 about one direction for each class, and their classes."""
    rng = np.random.default_rng(seed)
    target = rng.permutation(np.repeat(np.arange(n_classes), rng.integers(2, 30, n_classes)))
    h = rng.normal(size=(n_classes, width))[target] + spread * rng.normal(size=(len(target), width))
    return h / np.linalg.norm(h, axis=1, keepdims=True), target


def centroids_of(u, target):
    return np.array([u[target == c].mean(axis=0) for c in np.unique(target)])[None]


@pytest.mark.parametrize("seed", range(4))
def test_centroids_say_what_the_samples_say(seed):
    u, target = drawn(seed)
    m, counts = centroids_of(u, target), np.bincount(target)
    np.testing.assert_allclose(within_class_share(m, counts)[0], reference.traces_ratio(u, target))
    lengths, angles = simplex_distance(m, counts)
    np.testing.assert_allclose((lengths[0], angles[0]), reference.simplex_deviations(m[0]))


def test_collapse_is_found_where_it_was_planted():
    """Ever tighter about the corners of a simplex: NC1 and both parts of NC2 fall to 0."""
    corners, target = np.eye(6), np.repeat(np.arange(6), 50)
    noise = np.random.default_rng(0).normal(size=(300, 6))
    m = []
    for spread in (1.0, 0.3, 0.1, 0.0):
        h = corners[target] + spread * noise
        m.append(centroids_of(h / np.linalg.norm(h, axis=1, keepdims=True), target)[0])
    measured = within_class_share(m, [50] * 6), *simplex_distance(m, [50] * 6)
    for curve in measured:
        assert (np.diff(curve) < 0).all()
        assert curve[-1] == pytest.approx(0, abs=1e-12)


def test_a_rotation_and_a_renaming_change_nothing():
    u, target = drawn(0)
    m, counts = centroids_of(u, target), np.bincount(target)
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(7, 7)))
    order = [3, 0, 4, 1, 2]
    for measure in (lambda m, n: [within_class_share(m, n)], simplex_distance):
        plain = np.array(measure(m, counts))
        np.testing.assert_allclose(measure(m @ turn, counts), plain)
        np.testing.assert_allclose(measure(m[:, order], counts[order]), plain)


def test_classes_without_samples_are_left_out():
    u, target = drawn(0)
    m, counts = centroids_of(u, target), np.bincount(target)
    wide, more = np.insert(m, 2, np.nan, axis=1), np.insert(counts, 2, 0)
    np.testing.assert_allclose(within_class_share(wide, more), within_class_share(m, counts))
    np.testing.assert_allclose(simplex_distance(wide, more), simplex_distance(m, counts))


def test_where_it_says_nothing_it_gives_nan_or_nothing_but_zero():
    same = np.full((1, 3, 2), 0.5)
    assert np.isinf(within_class_share(same, [1, 1, 1]))[0]
    assert np.isnan(simplex_distance(same, [1, 1, 1])).all()
    assert np.isnan(simplex_distance(same, [1, 0, 0])).all()
    assert np.isnan(within_class_share(same, [0, 0, 0])).all()
    two = np.random.default_rng(0).normal(size=(5, 2, 4))
    np.testing.assert_allclose(simplex_distance(two, [3, 9]), 0, atol=1e-12)


@pytest.mark.parametrize("shapes", [((3, 2), (3,)), ((1, 3, 2), (2,))], ids=["flat", "counts"])
def test_shapes_that_do_not_fit_are_refused(shapes):
    for measure in (within_class_share, simplex_distance):
        with pytest.raises(
            ValueError, match=r"centroids must be \(n_epochs, n_classes, width\), with a count for"
        ):
            measure(*map(np.ones, shapes))
