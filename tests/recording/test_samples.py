"""Loss, margin, prediction and probability of each sample are their definitions, ties included."""

from itertools import product

import numpy as np
import pytest
import torch

from sklearn_nndyn.losses import ClassificationLoss, get_loss, loss_names
from sklearn_nndyn.recording._samples import measure_samples
from tests import reference


def by_definition(scores, target):
    margins = [[reference.margin(o, c) for o, c in zip(one, target, strict=True)] for one in scores]
    predictions = [[reference.prediction(o) for o in one] for one in scores]
    return np.array(margins), np.array(predictions)


@pytest.mark.parametrize("n_classes", [2, 3, 4])
def test_on_every_kind_of_tie(n_classes):
    """All orders of scores of 0, 1 and 2, for each true class."""
    cases = [(o, c) for o in product((0.0, 1.0, 2.0), repeat=n_classes) for c in range(n_classes)]
    scores, target = np.array([o for o, _ in cases])[None], np.array([c for _, c in cases])
    _, margin, prediction, _ = measure_samples(torch.tensor(scores), torch.tensor(target), get_loss("log"))
    margins, predictions = by_definition(scores, target)
    np.testing.assert_array_equal(margin, margins)
    np.testing.assert_array_equal(prediction, predictions)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n_networks", [1, 5])
@pytest.mark.parametrize("name", loss_names())
def test_on_random_scores_of_a_stack_of_networks(name, n_networks, dtype):
    rng = np.random.default_rng(0)
    scores, target = torch.tensor(rng.normal(size=(n_networks, 30, 4)), dtype=dtype), rng.integers(0, 4, 30)
    loss, margin, prediction, p = measure_samples(scores, torch.tensor(target), get_loss(name))
    margins, predictions = by_definition(scores.numpy(), target)
    expected = [reference.losses(name, one, target) for one in scores.numpy()]
    np.testing.assert_allclose(loss, expected, rtol=1e-4 if dtype == torch.float32 else 1e-10, atol=1e-6)
    np.testing.assert_array_equal(margin, margins)
    np.testing.assert_array_equal(prediction, predictions)
    assert loss.shape == margin.shape == prediction.shape == (n_networks, 30)
    if hasattr(get_loss(name), "predict_proba"):
        expected = [
            [reference.softmax(o)[c] for o, c in zip(one, target, strict=True)] for one in scores.numpy()
        ]
        np.testing.assert_allclose(p, expected, atol=1e-6 if dtype == torch.float32 else 1e-12)
    else:
        assert p is None


@pytest.mark.parametrize("by_class", [False, True])
@pytest.mark.parametrize("n_classes", [4, 20])
def test_margins_however_the_scores_lie(n_classes, by_class):
    """And the scores stay as they are."""
    rng = np.random.default_rng(0)
    values, target = rng.normal(size=(2, 30, n_classes)), rng.integers(0, n_classes, 30)
    scores = torch.tensor(values)
    scores = scores.mT.contiguous().mT if by_class else scores
    margin = measure_samples(scores, torch.tensor(target), get_loss("log")).margin
    np.testing.assert_array_equal(margin, by_definition(values, target)[0])
    np.testing.assert_array_equal(scores, values)


def test_the_sign_of_the_margin_is_whether_it_is_right():
    rng = np.random.default_rng(0)
    scores, target = torch.tensor(rng.normal(size=(2, 50, 3))), torch.tensor(rng.integers(0, 3, 50))
    _, margin, prediction, _ = measure_samples(scores, target, get_loss("log"))
    assert torch.equal(margin > 0, prediction == target)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_the_prediction_is_the_decision_of_the_loss_whatever_the_scores(odd):
    rows = list(product((odd, 0.0, 1.0), repeat=3))
    scores, loss = torch.tensor(rows)[None], get_loss("log")
    for c in range(3):
        measured = measure_samples(scores, torch.full((len(rows),), c), loss)
        assert torch.equal(measured.prediction, loss.decide(scores))


class TakesTheLast(ClassificationLoss):
    """A loss with a decision of its own."""

    def per_sample(self, scores, target):
        return scores.sum(-1)

    def decide(self, scores):
        return torch.full(scores.shape[:-1], scores.shape[-1] - 1)


def test_a_loss_may_decide_for_itself():
    scores, target = (
        torch.randn(2, 7, 3, generator=torch.Generator().manual_seed(0)),
        torch.zeros(7, dtype=torch.long),
    )
    loss, margin, prediction, p = measure_samples(scores, target, TakesTheLast())
    assert p is None
    assert (prediction == 2).all()
    assert torch.equal(loss, scores.sum(-1))
    np.testing.assert_array_equal(margin, by_definition(scores.numpy(), target.numpy())[0])
