"""What sets have in common, against Python's sets and SciPy's hypergeometric distribution."""

import numpy as np
import pytest
from scipy.stats import hypergeom

from sklearn_nndyn.analyzers.entanglement import chance_overlap, jaccard, overlap, overlap_z
from tests import reference


def pairs(matrix):
    """Below the diagonal."""
    return np.array([matrix[i, j] for i in range(len(matrix)) for j in range(i)])


def masks_of(n_samples, sizes, seed=0):
    rng = np.random.default_rng(seed)
    masks = np.zeros((len(sizes), n_samples), dtype=bool)
    for mask, size in zip(masks, sizes, strict=True):
        mask[rng.choice(n_samples, size, replace=False)] = True
    return masks


def null(n, a, b):
    """Mean and standard deviation of what sets of a and b of n samples have in common, as SciPy has them."""
    with np.errstate(
        all="ignore"
    ):  # SciPy works out a kurtosis as well, which sets of no or all samples lack
        return hypergeom.mean(n, a, b), hypergeom.std(n, a, b)


@pytest.mark.parametrize("n", [1, 2, 7, 100, 1500])
def test_common_and_jaccard_are_those_of_sets(n):
    masks = masks_of(n, [0, 0, 1, n // 2, (n + 1) // 2, n - 1, n])
    sets = [set(np.flatnonzero(mask)) for mask in masks]
    shared = overlap(masks)
    assert shared.dtype.kind == "i"
    np.testing.assert_array_equal(shared, [[len(one & other) for other in sets] for one in sets])
    expected = [[len(a & b) / len(a | b) if a | b else np.nan for b in sets] for a in sets]
    np.testing.assert_array_equal(jaccard(shared), expected)


def test_common_is_exact_where_single_precision_is_not():
    """2**24 + 1 ones add up to 2**24 in float32."""
    masks = np.ones((1, 2**24 + 1), dtype=bool)
    assert overlap(masks).tolist() == [[2**24 + 1]]


@pytest.mark.parametrize("n", [2, 3, 8, 41, 1000, 100_000])
def test_chance_is_the_hypergeometric_distribution_for_sets_of_any_size(n):
    """From no sample to all of them; nothing is cut off."""
    sizes = np.unique([0, 1, n // 3, n // 2, n - 1, n])
    mean, deviation = chance_overlap(sizes, n)
    for i, a in enumerate(sizes):
        for j, b in enumerate(sizes):
            assert (mean[i, j], deviation[i, j]) == pytest.approx(null(n, a, b))


def test_chance_leaves_nothing_open_for_no_sample_and_for_all():
    mean, deviation = chance_overlap(np.array([0, 5, 5]), 5)
    np.testing.assert_array_equal(deviation, 0)
    np.testing.assert_array_equal(mean, [[0, 0, 0], [0, 5, 5], [0, 5, 5]])
    mean, deviation = chance_overlap(np.array([0, 1]), 1)
    assert (mean[1, 1], deviation[1, 1]) == (1, 0)


def test_large_sets_do_not_overflow():
    mean, deviation = chance_overlap(np.array([2_000_000, 3_000_000]), 10_000_000)
    assert (mean[0, 1], deviation[0, 1]) == pytest.approx(null(10_000_000, 2_000_000, 3_000_000))
    assert mean[0, 1] == 600_000


def test_random_sets_have_in_common_what_chance_gives():
    sizes = [300] * 200
    shared = pairs(overlap(masks_of(1000, sizes)))
    mean, deviation = chance_overlap(np.array(sizes), 1000)
    assert shared.mean() == pytest.approx(mean[0, 0], rel=0.01)
    assert shared.std() == pytest.approx(deviation[0, 0], rel=0.05)


def test_only_pairs_of_two_sets_count():
    """What stands on the diagonal, the sizes of the sets, changes nothing."""
    shared, null = np.array([[9, 4, 5], [4, 9, 6], [5, 6, 9]]), np.ones((3, 3))
    assert overlap_z(shared + 7 * np.eye(3, dtype=int), null) == overlap_z(shared, null) == 4
    assert np.isnan(overlap_z(shared[:1, :1], null[:1, :1]))


def test_z_by_hand():
    """Pairs 1, 2, 3 against 0.5, 0.5, 0.5: (2 - 0.5) / 1; the diagonal counts for nothing."""
    k = np.array([[9, 1, 2], [1, 8, 3], [2, 3, 7]])
    assert overlap_z(k, np.where(np.eye(3), 77, 0.5)) == 1.5


@pytest.mark.parametrize("seed", range(5))
def test_z_is_its_definition(seed):
    masks = masks_of(50, [10, 20, 25, 30], seed)
    shared, (expected, _) = overlap(masks), chance_overlap(masks.sum(axis=1), 50)
    k, null = pairs(shared).tolist(), pairs(expected).tolist()
    z = (reference.mean(k) - reference.mean(null)) / reference.deviation(k)
    assert overlap_z(shared, expected) == pytest.approx(z)


def test_z_needs_two_pairs_that_differ():
    assert np.isnan(overlap_z(np.array([[3, 2], [2, 3]]), np.ones((2, 2))))
    assert np.isnan(overlap_z(np.full((3, 3), 2), np.ones((3, 3))))
