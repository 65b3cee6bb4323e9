"""What every loss does alike, and what its errors say."""

import copy
import pickle

import pytest
import torch
from numpy.testing import assert_allclose

import sklearn_nndyn.losses as package
from sklearn_nndyn.losses import ClassificationLoss, HingeLoss, L1Loss, LogLoss, get_loss, loss_names
from tests import reference
from tests.losses.cases import ALL, ON_PROBABILITIES, SIGMOID, SOFTMAX, draw
from tests.pairwise import for_each


@for_each("case", ALL)
def test_reductions(case):
    scores, target = draw(2, 7, 3)
    loss = case.make()
    values = loss.per_sample(scores, target)
    assert loss.reduction == "mean"
    assert_allclose(loss(scores, target), values.mean())
    loss.reduction = "sum"
    assert_allclose(loss(scores, target), values.sum())
    loss.reduction = "none"
    assert torch.equal(loss(scores, target), values)


@for_each("case", ALL)
def test_one_sample_keeps_its_axis(case):
    scores, target = draw(1, 2)
    values, gradient = case.make().value_and_gradient(scores, target)
    assert case.make().per_sample(scores, target).shape == values.shape == (1,)
    assert gradient.shape == (1, 2)
    assert case.make()(scores, target).shape == ()
    assert case.make().decide(scores).shape == (1,)


@for_each("case", SOFTMAX + SIGMOID)
def test_predict_proba_is_p_divided_by_its_sum(case):
    scores, _ = draw(2, 7, 3)
    p = reference.LINKS[case.link](scores[1, 4].numpy())
    assert_allclose(case.make().predict_proba(scores)[1, 4], p / p.sum(), rtol=1e-12)


def test_only_losses_on_probabilities_predict_them():
    assert [name for name in loss_names() if hasattr(get_loss(name), "predict_proba")] == ON_PROBABILITIES


@for_each("case", ALL)
def test_decides_for_the_greatest_score(case):
    scores = torch.tensor([[[0.0, -1.0, 3.0], [-5.0, -4.0, -6.0]]])
    assert case.make().decide(scores).tolist() == [[2, 1]]


@pytest.mark.parametrize("again", [copy.deepcopy, lambda loss: pickle.loads(pickle.dumps(loss))])
@for_each("case", ALL)
def test_copies_are_the_same_loss(case, again):
    scores, target = draw(5, 3)
    loss = case.make()
    loss.reduction = "sum"
    copied = again(loss)
    assert copied is not loss
    assert repr(copied) == repr(loss)
    assert torch.equal(copied(scores, target), loss(scores, target))


def test_repr_is_the_call_that_made_it():
    assert repr(LogLoss(link="sigmoid", reduction="sum")) == "LogLoss(link='sigmoid', reduction='sum')"
    assert repr(HingeLoss(power=2)) == "HingeLoss(power=2, reduction='mean')"
    assert repr(L1Loss()) == "L1Loss(reduction='mean')"


def test_public_names_are_all_there():
    made_here = {
        name
        for name, thing in vars(package).items()
        if isinstance(thing, type) and issubclass(thing, ClassificationLoss)
    }
    assert set(package.__all__) == made_here | {"get_loss", "loss_names"}
    assert all(callable(getattr(package, name)) for name in package.__all__)


def test_bad_reduction_is_named():
    with pytest.raises(ValueError, match=r"reduction must be one of 'mean', 'sum', 'none'; got 'avg'\."):
        L1Loss(reduction="avg")


def test_bad_link_is_named():
    with pytest.raises(ValueError, match=r"link must be one of 'softmax', 'sigmoid'; got 'probit'\."):
        LogLoss(link="probit")


def test_bad_power_is_named():
    with pytest.raises(ValueError, match=r"power must be one of 1, 2, 3; got 4\."):
        HingeLoss(power=4)


@pytest.mark.parametrize("target_shape", [(4,), (5, 1), (5, 3)])
def test_shapes_that_do_not_fit_are_named(target_shape):
    """torch alone would take four targets for five samples, and say nothing."""
    with pytest.raises(ValueError, match=r"target \(\.\.\., n_samples\); got \(5, 3\) and \(") as raised:
        LogLoss()(torch.zeros(5, 3), torch.zeros(target_shape, dtype=torch.int64))
    assert str(target_shape) in str(raised.value)


def test_a_loss_without_per_sample_is_none():
    with pytest.raises(TypeError, match=r"abstract method '?per_sample"):
        ClassificationLoss()
