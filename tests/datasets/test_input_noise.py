"""Noise in the inputs: how much, where, and nothing else."""

import numpy as np
import pandas as pd
import pytest

from sklearn_nndyn.datasets import corrupt_inputs
from tests.pairwise import for_each

KINDS = ("gaussian", "salt_and_pepper", "occlusion")
SHAPES = ((50, 12), (50, 6, 6), (50, 6, 9), (50, 3, 6, 6), (50, 1, 1, 7))
over_kinds = pytest.mark.parametrize("kind", KINDS)
over_shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)


def samples(shape, dtype="float64", seed=0):
    """Values between 10 and 20; integers where the dtype is one."""
    drawn = np.random.default_rng(seed).uniform(10, 20, shape)
    return drawn.astype(dtype)


# ------------------------------------------------------------------------------------- Gaussian


@over_shapes
def test_gaussian_noise_has_the_deviation_asked_for_and_no_mean(shape):
    X = np.repeat(samples(shape), 40, axis=0)
    for scale in (0.05, 1.0, 30.0):
        noise = corrupt_inputs(X, scale, random_state=0) - X
        assert abs(noise.mean()) < 4 * scale / np.sqrt(noise.size)
        assert abs(noise.var() / scale**2 - 1) < 4 * np.sqrt(2 / noise.size)


def test_gaussian_noise_is_that_of_the_seed_in_units_of_x():
    X = samples((40, 5))
    one, three = (corrupt_inputs(X, scale, random_state=1) - X for scale in (1, 3))
    np.testing.assert_allclose(three, 3 * one, atol=1e-13)


def test_gaussian_noise_is_drawn_for_each_value_by_itself():
    noise = corrupt_inputs(np.zeros((4000, 6)), 1.0, random_state=2)
    correlation = np.corrcoef(noise.T)[np.triu_indices(6, 1)]
    assert (abs(correlation) < 4 / np.sqrt(4000)).all()
    assert abs(np.corrcoef(noise[:-1, 0], noise[1:, 0])[0, 1]) < 4 / np.sqrt(4000)


def test_gaussian_noise_on_integers_is_rounded_to_the_nearest_and_clipped_to_the_dtype():
    for dtype in (np.uint8, np.int8, np.int16, np.uint16, np.int32, np.int64):
        X, limits = samples((60, 30), dtype), np.iinfo(dtype)
        expected = X + corrupt_inputs(np.zeros(X.shape), 150.0, random_state=3)
        if dtype in (np.uint8, np.int8):
            assert (expected < limits.min).any()
            assert (expected > limits.max).any()
        nearest = np.clip(np.round(expected), limits.min, limits.max)
        np.testing.assert_array_equal(corrupt_inputs(X, 150.0, random_state=3), nearest)


def test_integers_of_64_bits_are_clipped_too():
    for dtype in (np.int64, np.uint64):
        limits = np.iinfo(dtype)
        found = corrupt_inputs(np.zeros((100, 3), dtype), 1e30, random_state=4)
        assert found.dtype == dtype
        assert set(np.unique(found).tolist()) <= {limits.min, *range(limits.max - 2048, limits.max + 1)}
        assert found.max() > 0.99 * limits.max


def test_floats_are_not_clipped():
    X = np.full((50, 20), 0.5)
    found = corrupt_inputs(X, 1.0, random_state=5)
    assert found.min() < 0
    assert found.max() > 1


# ------------------------------------------------------------------------------- salt and pepper


@over_shapes
@pytest.mark.parametrize("share", [0.0, 0.05, 0.3, 0.5, 1.0])
def test_a_share_of_the_values_becomes_the_least_or_the_greatest(shape, share):
    values = np.repeat(samples(shape), 10, axis=0)
    low, high = values.min(), values.max()
    found = corrupt_inputs(values, share, kind="salt_and_pepper", random_state=0)
    replaced = found != values
    assert set(np.unique(found[replaced])) <= {low, high}
    for level in (low, high):
        other = values != level
        expected = share / 2 * other.sum()
        assert abs((found[other] == level).sum() - expected) <= 4 * np.sqrt(expected * (1 - share / 2))
    if share == 1:
        assert (replaced | np.isin(values, (low, high))).all()


def test_the_values_of_a_sample_are_replaced_one_by_one():
    X = np.tile([0.0, 1.0, 2.0], (6000, 4))
    replaced = corrupt_inputs(X, 0.4, kind="salt_and_pepper", random_state=1)[:, 1::3] != 1
    together = np.corrcoef(replaced.T)[np.triu_indices(4, 1)]
    assert (abs(together) < 4 / np.sqrt(6000)).all()


# ------------------------------------------------------------------------------------- occlusion


def patch_of(hidden):
    """First and last row and column of what is hidden in one image."""
    rows, columns = np.flatnonzero(hidden.any(axis=1)), np.flatnonzero(hidden.any(axis=0))
    return rows[0], rows[-1], columns[0], columns[-1]


@pytest.mark.parametrize("shape", SHAPES[1:], ids=str)
@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.9])
def test_in_an_image_one_rectangle_is_hidden_in_all_channels(shape, share):
    X, (height, width) = samples(shape), shape[-2:]
    tall, wide = round(np.sqrt(share) * height), round(np.sqrt(share) * width)
    hidden = corrupt_inputs(X, share, kind="occlusion", random_state=0) != X
    hidden = hidden.reshape(len(X), -1, height, width)
    assert (hidden == hidden[:, :1]).all()
    for image in hidden[:, 0]:
        assert image.sum() == tall * wide
        if tall * wide:
            top, bottom, left, right = patch_of(image)
            assert (bottom - top + 1, right - left + 1) == (tall, wide)


@pytest.mark.parametrize("share", [0.1, 0.25, 0.5, 0.9, 1.0])
def test_in_a_row_one_run_is_hidden(share):
    X = samples((80, 12))
    hidden = corrupt_inputs(X, share, kind="occlusion", random_state=0) != X
    for row in hidden:
        where = np.flatnonzero(row)
        assert len(where) == round(share * 12)
        assert (np.diff(where) == 1).all()


def test_an_area_is_the_share_asked_for_up_to_whole_pixels():
    X = samples((3, 28, 28))
    for share in np.linspace(0.02, 1, 50):
        side = np.sqrt((corrupt_inputs(X, share, kind="occlusion") != X)[0].sum())
        assert abs(side - np.sqrt(share) * 28) <= 0.5 + 1e-9


@pytest.mark.parametrize("shape", [(3000, 6), (3000, 4, 5)], ids=str)
def test_every_place_is_as_likely_as_any_other(shape):
    X = samples(shape)
    hidden = corrupt_inputs(X, 0.25, kind="occlusion", random_state=1) != X
    patterns, counts = np.unique(hidden.reshape(len(X), -1), axis=0, return_counts=True)
    places = 6 - 2 + 1 if len(shape) == 2 else (4 - 2 + 1) * (5 - 2 + 1)
    assert len(patterns) == places
    expected = 3000 / places
    assert (abs(counts - expected) < 4 * np.sqrt(expected * (1 - 1 / places))).all()


def test_what_is_hidden_is_the_mean_of_its_feature_or_of_its_channel():
    rows = np.arange(5) * 100 + samples((40, 5))
    found = corrupt_inputs(rows, 1.0, kind="occlusion")
    np.testing.assert_allclose(found, np.tile(rows.mean(axis=0), (40, 1)))
    images = np.arange(3)[:, None, None] * 100 + samples((40, 3, 4, 6))
    found = corrupt_inputs(images, 1.0, kind="occlusion")
    for channel in range(3):
        np.testing.assert_allclose(found[:, channel], images[:, channel].mean())
    grey = samples((40, 4, 6))
    np.testing.assert_allclose(corrupt_inputs(grey, 1.0, kind="occlusion"), grey.mean())


def test_means_of_integers_are_rounded_to_the_nearest():
    X = np.array(
        [[0, 1, 3, 255], [0, 0, 4, 255], [1, 1, 4, 255]], dtype=np.uint8
    )  # means 1/3, 2/3, 11/3, 255
    expected = np.tile([0, 1, 4, 255], (3, 1))
    np.testing.assert_array_equal(corrupt_inputs(X, 1.0, kind="occlusion"), expected)


def test_means_are_not_lost_in_long_sums():
    X = np.full((30_000, 2), 0.1, dtype=np.float32)
    assert (X.mean(axis=0) != X[0]).any()  # as a sum of float32, row after row
    np.testing.assert_array_equal(corrupt_inputs(X, 1.0, kind="occlusion"), X)
    X = np.full((5000, 3), 1000, dtype=np.float16)  # their sum is beyond float16
    np.testing.assert_array_equal(corrupt_inputs(X, 1.0, kind="occlusion"), X)


# ------------------------------------------------------------------------------------- all kinds


@over_kinds
@over_shapes
@for_each("dtype", ["float16", "float32", "float64", ">f4", "uint8", "int16", "int64"])
def test_shape_and_dtype_stay_and_the_input_is_not_touched(kind, shape, dtype):
    X = samples(shape, dtype)
    X.flags.writeable = False
    before = X.copy()
    found = corrupt_inputs(X, 0.5, kind=kind, random_state=0)
    assert found.shape == X.shape
    assert found.dtype == X.dtype
    assert found.flags.writeable
    assert not np.shares_memory(found, X)
    np.testing.assert_array_equal(X, before)
    assert (found != X).any()


@over_kinds
@over_shapes
def test_a_scale_of_zero_changes_nothing(kind, shape):
    for dtype in ("float32", "uint8"):
        X = samples(shape, dtype)
        found = corrupt_inputs(X, 0, kind=kind)
        np.testing.assert_array_equal(found, X)
        assert not np.shares_memory(found, X)


@over_kinds
def test_one_seed_gives_one_result(kind):
    X = samples((60, 5, 5))
    first, second, other = (corrupt_inputs(X, 0.3, kind=kind, random_state=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert (first != other).any()


@over_kinds
@over_shapes
def test_in_a_large_set_every_sample_is_treated_as_by_itself(kind, shape):
    # Samples are taken in blocks: where one ends must not show. The first two hold the least, greatest and mean.
    X = np.tile(samples((2, *shape[1:])), (1300, *[1] * (len(shape) - 1)))
    whole, part = (corrupt_inputs(part, 0.3, kind=kind, random_state=3) for part in (X, X[:1100]))
    np.testing.assert_allclose(whole[:1100], part, rtol=1e-12)
    changed = (whole != X).reshape(len(X), -1).any(axis=1)
    assert changed[-300:].any()
    assert (whole[1024:2048] != whole[:1024]).any()


def test_least_greatest_and_mean_are_those_of_all_samples():
    X = np.ones((3000, 2))
    X[-1], X[-2] = -5, 9
    found = corrupt_inputs(X, 1.0, kind="salt_and_pepper", random_state=0)
    assert set(np.unique(found[:1000])) == set(np.unique(found[-1000:])) == {-5, 9}
    np.testing.assert_allclose(corrupt_inputs(X, 1.0, kind="occlusion"), X.mean())


@over_kinds
def test_lists_and_frames_are_taken(kind):
    X = samples((20, 4))
    expected = corrupt_inputs(X, 0.5, kind=kind, random_state=4)
    for given in (X.tolist(), pd.DataFrame(X), np.asfortranarray(X)):
        np.testing.assert_array_equal(corrupt_inputs(given, 0.5, kind=kind, random_state=4), expected)


# --------------------------------------------------------------------------------------- refused


def refused(error, message, X=((0.0, 1.0), (2.0, 3.0)), scale=0.5, **parameters):
    with pytest.raises(error, match=message):
        corrupt_inputs(X, scale, **parameters)


def test_scales_that_mean_nothing_are_refused():
    for wrong in (-0.1, np.nan, np.inf):
        refused(ValueError, f"^scale must be finite and 0 or more, got {wrong!r}.$", scale=wrong)
    for kind in KINDS[1:]:
        for wrong in (-0.1, 1.1, np.nan):
            refused(ValueError, f"^scale must be between 0 and 1, got {wrong!r}.$", scale=wrong, kind=kind)
    for kind in KINDS:
        where = "" if kind == "gaussian" else " between 0 and 1"
        for wrong in ("1", None, True, 1j):
            refused(TypeError, f"^scale must be a number{where}, got {wrong!r}.$", scale=wrong, kind=kind)
    corrupt_inputs([[0.0, 1.0]], 7.5)


def test_unknown_kinds_are_refused_with_those_that_are_there():
    refused(
        ValueError,
        "^kind must be one of 'gaussian', 'salt_and_pepper', 'occlusion'; got 'blur'.$",
        kind="blur",
    )


def test_inputs_that_are_no_samples_are_refused():
    shapes = (
        r"\(n_samples, n_features\), \(n_samples, height, width\) or \(n_samples, channels, height, width\)"
    )
    refused(ValueError, rf"^X must have shape {shapes}, got \(3,\).$", np.zeros(3))
    refused(ValueError, rf"^X must have shape {shapes}, got \(1, 1, 1, 1, 1\).$", np.zeros((1, 1, 1, 1, 1)))
    refused(ValueError, r"^X has shape \(0, 4\): there is nothing in it.$", np.zeros((0, 4)))
    refused(ValueError, r"^X has shape \(4, 0\): there is nothing in it.$", np.zeros((4, 0)))
    for wrong, dtype in (([["a"]], "<U1"), ([[None]], "object"), ([[True]], "bool"), ([[1j]], "complex128")):
        refused(ValueError, f"^X must hold floats or integers, got dtype {dtype}.$", wrong)
    for wrong in (np.nan, np.inf, -np.inf):
        refused(ValueError, "^X must be finite: it holds nan or infinity.$", [[0.0, wrong]])
