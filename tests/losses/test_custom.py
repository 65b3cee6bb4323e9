"""A loss the user brings."""

import copy
import pickle
from functools import partial

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.nn import functional

from sklearn_nndyn.losses import CustomLoss, get_loss
from tests.losses.cases import draw

cross_entropy = partial(functional.cross_entropy, reduction="none")


def logistic(scores, target):
    return functional.softplus(-scores.gather(-1, target.unsqueeze(-1)).squeeze(-1))


class Averaged(torch.nn.Module):
    """A loss that has probabilities, a decision, and no reduction to turn off."""

    def forward(self, scores, target):
        return logistic(scores, target)

    def predict_proba(self, scores):
        assert scores.ndim == 2
        return scores.square() / scores.square().sum(-1, keepdim=True)

    def decide(self, scores):
        assert scores.ndim == 2
        return scores.argmin(-1)


def _reports(shape):
    return lambda scores, target: scores.sum() + torch.zeros(shape)


@pytest.mark.parametrize(
    "loss",
    [
        torch.nn.CrossEntropyLoss(label_smoothing=0.1),
        torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0])),
        torch.nn.MultiMarginLoss(),
    ],
    ids=["smoothed", "weighted", "margin"],
)
def test_a_torch_loss_sample_by_sample(loss):
    scores, target = draw(4, 3, dtype=torch.float32)
    one_by_one = copy.deepcopy(loss)
    one_by_one.reduction = "sum"
    expected = [one_by_one(scores[i : i + 1], target[i : i + 1]) for i in range(4)]
    assert_allclose(CustomLoss(loss).per_sample(scores, target), expected, rtol=1e-6)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_the_call_is_that_of_the_torch_loss(reduction):
    scores, target = draw(5, 3)
    loss = torch.nn.CrossEntropyLoss(label_smoothing=0.1, reduction=reduction)
    assert_allclose(CustomLoss(loss)(scores, target), loss(scores, target))
    assert loss.reduction == reduction


def test_a_reduction_asked_for_wins():
    scores, target = draw(5, 3)
    loss = CustomLoss(torch.nn.CrossEntropyLoss(), reduction="sum")
    assert_allclose(loss(scores, target), functional.cross_entropy(scores, target, reduction="sum"))


@pytest.mark.parametrize("loss", [torch.nn.CrossEntropyLoss(), cross_entropy], ids=["module", "callable"])
def test_networks_are_stacked_along_leading_axes(loss):
    """torch's own losses would take the second axis for the classes."""
    scores, target = draw(2, 3, 5, 3)
    values, gradient = CustomLoss(loss).value_and_gradient(scores, target)
    expected_values, expected_gradient = get_loss("log").value_and_gradient(scores, target)
    assert_allclose(values, expected_values)
    assert_allclose(gradient, expected_gradient, atol=1e-14)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_gradient_where_torch_records_nothing(mode):
    scores, target = draw(5, 3)
    with mode():
        _, gradient = CustomLoss(torch.nn.CrossEntropyLoss()).value_and_gradient(scores * 1, target * 1)
        assert_allclose(gradient, get_loss("log").value_and_gradient(scores, target)[1], atol=1e-14)


def test_probabilities_are_there_only_where_they_are_known():
    assert hasattr(CustomLoss(torch.nn.CrossEntropyLoss()), "predict_proba")
    assert hasattr(CustomLoss(Averaged()), "predict_proba")
    assert not hasattr(CustomLoss(torch.nn.MultiMarginLoss()), "predict_proba")
    assert not hasattr(CustomLoss(cross_entropy), "predict_proba")


def test_cross_entropy_predicts_by_softmax_and_decides_by_score():
    scores, _ = draw(2, 5, 3)
    loss = CustomLoss(torch.nn.CrossEntropyLoss())
    assert_allclose(loss.predict_proba(scores), scores.softmax(-1))
    assert torch.equal(loss.decide(scores), scores.argmax(-1))


def test_the_users_probabilities_and_decision_are_used():
    scores, _ = draw(2, 5, 3)
    loss = CustomLoss(Averaged())
    assert_allclose(loss.predict_proba(scores), scores.square() / scores.square().sum(-1, keepdim=True))
    assert torch.equal(loss.decide(scores), scores.argmin(-1))


@pytest.mark.parametrize("again", [copy.deepcopy, lambda loss: pickle.loads(pickle.dumps(loss))])
@pytest.mark.parametrize(
    "loss",
    [torch.nn.CrossEntropyLoss(label_smoothing=0.2), Averaged(), logistic, cross_entropy],
    ids=["torch", "module", "function", "partial"],
)
def test_copies_are_the_same_loss(loss, again):
    scores, target = draw(5, 3)
    custom = CustomLoss(loss, reduction="sum")
    copied = again(custom)
    assert copied is not custom
    assert copied.reduction == "sum"
    assert torch.equal(copied(scores, target), custom(scores, target))
    assert hasattr(copied, "predict_proba") == hasattr(custom, "predict_proba")


def test_weights_of_a_torch_loss_move_with_it():
    loss = CustomLoss(torch.nn.CrossEntropyLoss(weight=torch.ones(3)))
    assert loss.double().loss.weight.dtype == torch.float64


def test_repr_shows_what_was_brought():
    assert "MultiMarginLoss()" in repr(CustomLoss(torch.nn.MultiMarginLoss()))
    assert "function logistic" in repr(CustomLoss(logistic, reduction="sum"))
    assert "reduction='sum'" in repr(CustomLoss(logistic, reduction="sum"))


@pytest.mark.parametrize("shape", [(), (1,), (4, 1), (4, 3)])
def test_values_of_a_wrong_shape_are_named(shape):
    scores, target = draw(4, 3)
    with pytest.raises(ValueError, match=r"expected \(4,\): one value per sample, not averaged") as raised:
        CustomLoss(_reports(shape)).value_and_gradient(scores, target)
    assert f"The loss gave values of shape {shape} for 4 samples" in str(raised.value)


def test_values_that_are_no_tensor_are_named():
    scores, target = draw(4, 3)
    loss = CustomLoss(lambda scores, target: np.zeros(4))
    with pytest.raises(TypeError, match=r"must give a torch tensor of one value per sample, got ndarray\."):
        loss(scores, target)


def test_a_reduction_torch_alone_knows_is_refused():
    with pytest.raises(ValueError, match="reduction must be one of 'mean', 'sum', 'none'; got 'batchmean'"):
        CustomLoss(torch.nn.KLDivLoss(reduction="batchmean"))
