"""Which losses one call may do for."""

import copy
from functools import partial

import pytest
import torch

from sklearn_nndyn.losses import CustomLoss, LogLoss
from sklearn_nndyn.losses._stacked import LossStack
from tests.losses.cases import draw
from tests.losses.users_own import Counting, Doubled, Perceptron, cross_entropy, smoothed


def test_the_very_same_function_is_called_once():
    function = Counting()
    losses = [CustomLoss(function), LogLoss(), CustomLoss(function, reduction="sum"), CustomLoss(Counting())]
    scores, target = draw(4, 5, 3)
    LossStack(losses).value_and_gradient(scores, target)
    assert (function.calls, losses[3].loss.calls) == (1, 1)


def calls_of(losses, monkeypatch):
    """How often a stack of losses of one class asks that class."""
    calls = []
    kind = type(losses[0])
    original = kind.value_and_probability
    monkeypatch.setattr(kind, "value_and_probability", lambda *args: calls.append(1) or original(*args))
    scores, target = draw(len(losses), 5, 3)
    LossStack(losses).value_and_probability(scores, target)
    return len(calls)


WEIGHT = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)


@pytest.mark.parametrize(
    ("losses", "n_calls"),
    [
        ([smoothed(0.1), smoothed(0.1)], 1),
        ([smoothed(0.1), smoothed(0.2)], 2),
        ([CustomLoss(torch.nn.CrossEntropyLoss(WEIGHT)), CustomLoss(torch.nn.CrossEntropyLoss(+WEIGHT))], 1),
        (
            [
                CustomLoss(torch.nn.CrossEntropyLoss(WEIGHT)),
                CustomLoss(torch.nn.CrossEntropyLoss(2 * WEIGHT)),
            ],
            2,
        ),
        ([CustomLoss(torch.nn.CrossEntropyLoss()), CustomLoss(torch.nn.MultiMarginLoss())], 2),
        ([CustomLoss(partial(cross_entropy)), CustomLoss(partial(cross_entropy))], 1),
        ([CustomLoss(cross_entropy), CustomLoss(lambda *args: cross_entropy(*args))], 2),
        ([CustomLoss(Counting()), CustomLoss(Counting())], 2),
        ([Perceptron(), Perceptron(), Perceptron(margin=1.0)], 2),
        ([Doubled(), Doubled(link="sigmoid"), Doubled()], 2),
        ([LogLoss(), LogLoss(reduction="sum"), copy.deepcopy(LogLoss())], 1),
    ],
)
def test_the_same_loss_is_asked_once_and_another_by_itself(losses, n_calls, monkeypatch):
    assert calls_of(losses, monkeypatch) == n_calls
