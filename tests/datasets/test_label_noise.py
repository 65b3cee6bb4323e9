"""Wrong labels: how many, which ones, and nothing else."""

import re
from itertools import combinations, permutations

import numpy as np
import pandas as pd
import pytest

from sklearn_nndyn.datasets import corrupt_labels
from tests.pairwise import pairwise

KINDS = ("uniform", "permutation", "pair")
RATES = (0.0, 0.01, 0.1, 0.25, 0.4, 0.5, 0.9, 1.0)
over_kinds = pytest.mark.parametrize("kind", KINDS)


def unbalanced(n, n_classes, seed=0):
    """n labels, of which class c has about (c + 1) parts; every class occurs."""
    weights = np.arange(1.0, n_classes + 1)
    drawn = np.random.default_rng(seed).choice(n_classes, n - n_classes, p=weights / weights.sum())
    return np.concatenate([np.arange(n_classes), drawn])


def documented_share(kind, y, rate):
    """The expectation, as the docstring has it."""
    n, m = len(y), round(rate * len(y))
    counts = np.unique(y, return_counts=True)[1]
    if kind == "uniform":
        return m / n * (len(counts) - 1) / len(counts)
    if kind == "permutation":
        return (m - 1) / (n - 1) * (1 - ((counts / n) ** 2).sum()) if m else 0.0
    return m / n


# --------------------------------------------------------------------------------- how many change


def test_the_documented_expectation_of_a_permutation_is_that_over_all_choices_and_orders():
    for y in ([0, 0, 1, 1, 1], [0, 1, 2, 2, 2], [0, 1, 1, 1, 1]):
        y = np.array(y)
        for m in range(1, 6):
            shares = [
                (y[list(order)] != y[list(chosen)]).sum() / 5
                for chosen in combinations(range(5), m)
                for order in permutations(chosen)
            ]
            np.testing.assert_allclose(np.mean(shares), documented_share("permutation", y, m / 5), atol=1e-15)


@pairwise(
    n_classes={str(n): n for n in (2, 3, 10, 50)},
    rate={str(rate): rate for rate in RATES},
    kind={kind: kind for kind in KINDS},
)
def test_the_share_of_changed_labels_is_that_documented_within_four_standard_errors(kind, rate, n_classes):
    y = unbalanced(211, n_classes)
    shares = [corrupt_labels(y, rate, kind=kind, random_state=seed)[1].mean() for seed in range(100)]
    error = np.std(shares, ddof=1) / np.sqrt(len(shares))
    assert abs(np.mean(shares) - documented_share(kind, y, rate)) <= 4 * error + 1e-12
    if kind == "pair":
        assert error < 1e-15


def test_in_one_large_set_the_share_is_that_of_binomial_draws():
    y = np.arange(50_000) % 10
    _, changed = corrupt_labels(y, 0.4, random_state=0)
    assert abs(changed.sum() - 20_000 * 0.9) < 4 * np.sqrt(20_000 * 0.9 * 0.1)


@over_kinds
def test_at_rate_zero_nothing_changes_and_one_chosen_sample_is_permuted_with_itself(kind):
    y = unbalanced(40, 4)
    y_noisy, changed = corrupt_labels(y, 0, kind=kind, random_state=0)
    np.testing.assert_array_equal(y_noisy, y)
    assert not changed.any()
    assert y_noisy is not y
    for seed in range(20):
        assert not corrupt_labels(y, 1 / 40, kind="permutation", random_state=seed)[1].any()


def test_every_sample_is_chosen_as_often_as_any_other():
    y, runs = np.arange(30) % 3, 2000
    times = sum(corrupt_labels(y, 0.3, kind="pair", random_state=seed)[1].astype(int) for seed in range(runs))
    assert (abs(times - 0.3 * runs) < 4 * np.sqrt(runs * 0.3 * 0.7)).all()


@over_kinds
def test_the_mask_is_where_the_labels_differ(kind):
    y = unbalanced(300, 5)
    y_noisy, changed = corrupt_labels(y, 0.6, kind=kind, random_state=1)
    assert changed.dtype == bool
    np.testing.assert_array_equal(changed, y_noisy != y)
    assert changed.any()


# ----------------------------------------------------------------------------------- which labels


@pytest.mark.parametrize("rate", [0.3, 1.0])
def test_uniform_noise_draws_the_classes_towards_equal_size(rate):
    y, n = unbalanced(600, 4), 600
    shares = np.bincount(y) / n
    found = [
        np.bincount(corrupt_labels(y, rate, random_state=seed)[0], minlength=4) / n for seed in range(300)
    ]
    error = np.std(found, axis=0, ddof=1) / np.sqrt(len(found))
    assert (abs(np.mean(found, axis=0) - ((1 - rate) * shares + rate / 4)) < 4 * error).all()


def test_uniform_noise_takes_the_wrong_label_from_every_other_class_alike():
    y = np.arange(60_000) % 6
    y_noisy, changed = corrupt_labels(y, 0.5, random_state=2)
    steps = np.bincount((y_noisy[changed] - y[changed]) % 6, minlength=6)
    assert steps[0] == 0
    expected = changed.sum() / 5
    assert (abs(steps[1:] - expected) < 4 * np.sqrt(expected * 0.8)).all()


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
def test_a_permutation_keeps_the_size_of_every_class(rate):
    y = unbalanced(500, 7)
    y_noisy, changed = corrupt_labels(y, rate, kind="permutation", random_state=3)
    np.testing.assert_array_equal(np.bincount(y_noisy), np.bincount(y))
    assert changed.any()


@pytest.mark.parametrize("rate", [0.1, 0.5, 1.0])
def test_pairs_flip_only_to_the_next_class_and_the_last_to_the_first(rate):
    y = unbalanced(500, 7)
    y_noisy, changed = corrupt_labels(y, rate, kind="pair", random_state=4)
    np.testing.assert_array_equal(y_noisy[changed], (y[changed] + 1) % 7)
    left = np.bincount(y[changed], minlength=7)
    np.testing.assert_array_equal(np.bincount(y_noisy), np.bincount(y) - left + np.roll(left, 1))


def test_two_classes_flipped_altogether_are_exchanged():
    y = unbalanced(50, 2)
    np.testing.assert_array_equal(corrupt_labels(y, 1.0, kind="pair")[0], 1 - y)


# ----------------------------------------------------------------------------------------- names


NAMES = {
    "strings of several lengths": np.array(["ant", "b", "centipede", "dog"]),
    "objects": np.array(["ant", "b", "centipede", "dog"], dtype=object),
    "gaps and negative numbers": np.array([-7, 0, 3, 1000]),
    "small integers": np.array([0, 1, 2, 255], dtype=np.uint8),
    "floats": np.array([-1.5, 0.0, 2.0, 9.0], dtype=np.float32),
}


@over_kinds
@pytest.mark.parametrize("names", NAMES.values(), ids=NAMES)
def test_labels_are_names(names, kind):
    y = unbalanced(120, 4)
    expected, expected_changed = corrupt_labels(y, 0.5, kind=kind, random_state=5)
    for given in (names[y], names[y].tolist(), pd.Series(names[y], index=np.arange(120)[::-1])):
        y_noisy, changed = corrupt_labels(given, 0.5, kind=kind, random_state=5)
        np.testing.assert_array_equal(y_noisy, names[expected])
        np.testing.assert_array_equal(changed, expected_changed)
    assert corrupt_labels(names[y], 0.5, kind=kind)[0].dtype == names.dtype


@over_kinds
def test_booleans_stay_booleans(kind):
    y = unbalanced(120, 2)
    y_noisy, _ = corrupt_labels(y == 1, 0.5, kind=kind, random_state=6)
    assert y_noisy.dtype == bool
    np.testing.assert_array_equal(y_noisy, corrupt_labels(y, 0.5, kind=kind, random_state=6)[0] == 1)


# ------------------------------------------------------------------------------- seeds and inputs


@over_kinds
def test_one_seed_gives_one_result_and_the_input_stays_as_it_was(kind):
    y = unbalanced(200, 5)
    y.flags.writeable = False
    before = y.copy()
    first, second, other = (corrupt_labels(y, 0.4, kind=kind, random_state=seed) for seed in (7, 7, 8))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert (first[0] != other[0]).any()
    np.testing.assert_array_equal(y, before)
    assert first[0].flags.writeable
    assert not np.shares_memory(first[0], y)


def test_a_random_state_goes_on_and_leaves_the_global_generator_alone():
    y = unbalanced(200, 5)
    rng = np.random.RandomState(7)
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    first, second = corrupt_labels(y, 0.4, random_state=rng), corrupt_labels(y, 0.4, random_state=rng)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002
    np.testing.assert_array_equal(first[0], corrupt_labels(y, 0.4, random_state=7)[0])
    assert (first[0] != second[0]).any()


@over_kinds
def test_those_chosen_at_a_lower_rate_are_among_those_chosen_at_a_higher(kind):
    y = np.arange(100)  # each label its own class: who was chosen shows
    few, many = (corrupt_labels(y, rate, kind=kind, random_state=9)[1] for rate in (0.2, 0.7))
    chosen = corrupt_labels(y, 0.7, kind="pair", random_state=9)[1]
    assert (chosen[few]).all()
    assert (chosen[many]).all()
    assert chosen.sum() == 70


# --------------------------------------------------------------------------------------- refused


def refused(error, message, y=(0, 1, 1), rate=0.5, **parameters):
    with pytest.raises(error, match=message):
        corrupt_labels(y, rate, **parameters)


def test_rates_that_mean_nothing_are_refused():
    for wrong in (-0.1, 1.1, 40, np.nan, np.inf):
        refused(ValueError, f"^rate must be between 0 and 1, got {wrong!r}.$", rate=wrong)
    for wrong in ("0.4", None, True, 1j):
        refused(TypeError, f"^rate must be a number between 0 and 1, got {wrong!r}.$", rate=wrong)
    for right in (np.float32(0.5), np.float64(0.5), 0, 1, np.int64(1)):
        corrupt_labels([0, 1, 1], right)


def test_unknown_kinds_are_refused_with_those_that_are_there():
    for wrong in ("symmetric", "", None, 3, ["pair"]):
        message = f"^kind must be one of 'uniform', 'permutation', 'pair'; got {re.escape(repr(wrong))}.$"
        refused(ValueError, message, kind=wrong)


def test_labels_that_are_none_are_refused():
    shape = r"^y must hold one label a sample, shape \(n_samples,\), got shape "
    refused(ValueError, shape + r"\(3, 2\).$", np.zeros((3, 2)))
    refused(ValueError, shape + r"\(3, 1\).$", np.zeros((3, 1)))
    refused(ValueError, shape + r"\(\).$", 1)
    refused(ValueError, "^y must hold two classes or more, got only 'cat'.$", ["cat", "cat"])
    refused(ValueError, "^y must hold two classes or more, got only 3.$", [3])
    refused(ValueError, "^y must hold two classes or more, got none.$", [])
    refused(ValueError, "^y must not hold nan: every sample needs a label.$", [0.0, 1.0, np.nan])
    refused(ValueError, "^y must not hold nan: every sample needs a label.$", np.array([0.0, np.nan], object))
    for missing in (None, 1, np.nan, pd.NA):
        refused(ValueError, "^y must hold labels that can be sorted: .+", np.array(["a", missing], object))


def test_a_seed_that_is_none_is_refused():
    refused(ValueError, "cannot be used to seed", random_state="seven")
