"""The ridge decoder is scikit-learn's, from sums; and it obeys the theorems of linear decoding."""

import numpy as np
import pytest
import torch
from sklearn.linear_model import Ridge

from sklearn_nndyn.recording.decoders._base import draw_folds
from sklearn_nndyn.recording.decoders._ridge import ALPHAS, fit_ridge

N, WIDTH, N_FEATURES = 60, 7, 11


@pytest.fixture
def draw():
    """Correlated activations and inputs with means far from zero."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(N, N_FEATURES)) @ rng.normal(size=(N_FEATURES, N_FEATURES)) + 5
    h = np.maximum(x @ rng.normal(size=(N_FEATURES, WIDTH)) / 4 + rng.normal(size=(N, WIDTH)), 0) - 3
    return torch.from_numpy(h), torch.from_numpy(x), draw_folds(N, 5, "cpu")


def chunks_of(h, size=N):
    return [(slice(i, i + size), h[i : i + size]) for i in range(0, len(h), size)]


def decode(h, x, folds=None, size=N, **options):
    """(inputs decoded by a decoder of all samples, decoders of the folds)."""
    folds = torch.arange(len(h)) % 5 if folds is None else folds
    of_fold, of_all = fit_ridge(chunks_of(h, size), x, folds, fit_on_all=True, **options)
    return of_all(h), of_fold


def error(given_back, x):
    """Sum over features, mean over samples."""
    return float((given_back - x).square().sum(1).mean())


@pytest.mark.parametrize("alpha", [1e-3, 1.0, 1e3])
def test_it_is_scikit_learns_ridge(draw, alpha):
    h, x, folds = draw
    given_back, of_fold = decode(h, x, folds, alpha=alpha)
    np.testing.assert_allclose(given_back, Ridge(alpha).fit(h, x).predict(h), rtol=1e-9)
    for fold, decoder in enumerate(of_fold):
        others = Ridge(alpha).fit(h[folds != fold], x[folds != fold])
        np.testing.assert_allclose(decoder(h), others.predict(h), rtol=1e-9)


@pytest.mark.parametrize("size", [1, 7, 59])
def test_streaming_equals_one_shot(draw, size):
    h, x, folds = draw
    once, of_fold = decode(h, x, folds)
    streamed, of_fold_streamed = decode(h, x, folds, size)
    np.testing.assert_allclose(streamed, once, rtol=1e-9)
    for one, other in zip(of_fold, of_fold_streamed, strict=True):
        np.testing.assert_allclose(one(h), other(h), rtol=1e-9)


def test_the_penalty_is_the_one_that_decodes_held_out_folds_best(draw):
    h, x, folds = draw
    centred = (h - h.mean(0)).numpy()
    alphas = np.array(ALPHAS) * np.linalg.eigvalsh(centred.T @ centred).mean()
    errors = [
        sum(
            (
                (Ridge(a).fit(h[folds != k], x[folds != k]).predict(h[folds == k]) - x[folds == k].numpy())
                ** 2
            ).sum()
            for k in range(5)
        )
        for a in alphas
    ]
    best = int(np.argmin(errors))
    assert 0 < best < len(ALPHAS) - 1
    given_back, _ = decode(h, x, folds)
    np.testing.assert_allclose(given_back, Ridge(alphas[best]).fit(h, x).predict(h), rtol=1e-9)


def test_a_linear_layer_loses_what_the_closed_form_says(draw):
    _, x, _ = draw
    W = torch.from_numpy(np.random.default_rng(1).normal(size=(4, N_FEATURES)))
    S = torch.cov(x.T, correction=0)
    lost = torch.trace(S) - torch.trace(S @ W.T @ torch.linalg.inv(W @ S @ W.T) @ W @ S)
    given_back, _ = decode(x @ W.T, x, alpha=0.0)
    assert error(given_back, x) == pytest.approx(float(lost), rel=1e-10)


def test_an_invertible_layer_loses_nothing(draw):
    _, x, folds = draw
    turn = torch.linalg.qr(torch.from_numpy(np.random.default_rng(2).normal(size=(N_FEATURES,) * 2)))[0]
    given_back, of_fold = decode(x @ turn + 1, x, folds)
    assert error(given_back, x) < 1e-12 * error(x.mean(0), x)
    assert error(of_fold[0](x @ turn + 1), x) < 1e-12 * error(x.mean(0), x)


def test_a_constant_layer_loses_the_variance(draw):
    _, x, _ = draw
    given_back, _ = decode(torch.full((N, 3), 2.5, dtype=torch.float64), x)
    assert error(given_back, x) == pytest.approx(float(x.var(0, correction=0).sum()), rel=1e-12)


def test_a_feature_that_is_constant_is_given_back(draw):
    h, x, folds = draw
    x = torch.cat([x, torch.full((N, 2), 7.0)], 1)
    given_back, _ = decode(h, x, folds)
    np.testing.assert_allclose(given_back[:, -2:], 7.0, rtol=1e-12)


@pytest.mark.parametrize("alpha", [0.0, 1e-3, "auto"])
def test_more_features_than_samples_are_no_trouble(draw, alpha):
    _, x, folds = draw
    h = torch.from_numpy(np.random.default_rng(3).normal(size=(N, 3 * N)))
    given_back, of_fold = decode(h, x, folds, alpha=alpha)
    assert torch.isfinite(given_back).all()
    assert all(error(decoder(h), x) < 2 * error(x.mean(0), x) for decoder in of_fold)


@pytest.mark.parametrize("seed", range(5))
def test_noise_on_the_activations_never_helps(draw, seed):
    h, x, folds = draw
    noise = torch.from_numpy(np.random.default_rng(seed).normal(size=h.shape))

    def held_out(h):
        _, decoders = decode(h, x, folds)
        return sum(error(d(h[folds == k]), x[folds == k]) for k, d in enumerate(decoders))

    levels = [held_out(h + scale * noise) for scale in (0, 0.5, 2, 8)]
    assert levels == sorted(levels)


def test_where_activations_and_inputs_lie_changes_nothing(draw):
    h, x, folds = draw
    given_back, _ = decode(h, x, folds)
    moved, _ = decode(h + 100, x - 30, folds)
    np.testing.assert_allclose(moved + 30, given_back, rtol=1e-7)


def test_turning_the_activations_changes_nothing(draw):
    h, x, folds = draw
    turn = torch.linalg.qr(torch.from_numpy(np.random.default_rng(4).normal(size=(WIDTH, WIDTH))))[0]
    np.testing.assert_allclose(decode(h @ turn, x, folds)[0], decode(h, x, folds)[0], rtol=1e-9)


def test_single_precision_is_precise_far_from_zero(draw):
    h, x, folds = draw
    exact, _ = decode(h, x, folds, alpha=1.0)
    single, _ = decode((h + 100).float(), x.float(), folds, alpha=1.0)
    np.testing.assert_allclose(single, exact, rtol=1e-3, atol=1e-3)


def test_folds_are_of_equal_size_and_hold_every_class_of_rows_in_a_pattern():
    folds = draw_folds(1000, 5, "cpu").numpy()
    assert np.bincount(folds).tolist() == [200] * 5
    labels = np.arange(1000) % 5
    assert all(np.bincount(labels[folds == k], minlength=5).min() > 20 for k in range(5))
    np.testing.assert_array_equal(folds, draw_folds(1000, 5, "cpu").numpy())
    assert draw_folds(3, 5, "cpu").sort().values.tolist() == [0, 1, 2]
