"""Modules that are others after an evaluation: each look finds them as training left them."""

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_nndyn import DynamicsClassifier, fit_together
from tests.pairwise import for_each
from tests.problems import Problem

X, Y = Problem("vectors").data()


class Remembering(nn.Module):
    """Adds what it remembers of earlier batches."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.out = nn.Linear(input_shape[0], n_classes)
        self.keep("memory", torch.zeros(n_classes))

    def keep(self, name, value):
        self.register_buffer(name, value)

    def forward(self, x):
        scores = self.out(x) + self.memory
        if not self.training:
            self.change(scores.detach().mean(0))
        return scores

    def change(self, value):
        self.memory = 0.5 * self.memory + value


class InPlace(Remembering):
    """The same in place."""

    def change(self, value):
        self.memory.add_(value)


class Attribute(Remembering):
    """The same in what is no buffer."""

    def keep(self, name, value):
        setattr(self, name, value)


class CountsAll(Remembering):
    """Counts every batch, of training too, in what is no buffer."""

    def keep(self, name, value):
        self.count = 0

    def forward(self, x):
        self.count += 1
        return self.out(x) + self.count * torch.eye(self.out.out_features)[0]


KINDS = {kind.__name__: kind for kind in (Remembering, InPlace, Attribute, CountsAll)}


def fitted(module):
    return classifier(module).fit(X, Y)


def classifier(module):
    return DynamicsClassifier(module, max_epochs=3, lr=0.01, batch_size=16, random_state=0)


def right(scores):
    return np.unique(Y)[scores.argmax(1)] == Y


@for_each("module", KINDS)
def test_every_call_gives_the_same_and_it_is_what_was_recorded(module):
    clf = fitted(module)
    scores = clf.decision_function(X)
    np.testing.assert_array_equal(clf.decision_function(X), scores)
    np.testing.assert_array_equal(clf.activations(X, "scores"), scores)
    np.testing.assert_array_equal(clf.activations(X, "scores"), scores)
    np.testing.assert_array_equal(right(scores), clf.dynamics_.correct[:, -1])
    target = np.unique(Y, return_inverse=True)[1]
    losses = nn.functional.cross_entropy(torch.tensor(scores), torch.tensor(target), reduction="none")
    np.testing.assert_allclose(clf.dynamics_.loss[:, -1], losses, rtol=1e-5, atol=1e-6)


@for_each("module", {name: KINDS[name] for name in ("Remembering", "InPlace", "Attribute")})
def test_going_back_to_an_epoch(module):
    clf = fitted(module)
    np.testing.assert_array_equal(clf.replay(X, Y).loss, clf.dynamics_.loss)
    *_, last = clf.staged_decision_function(X)
    np.testing.assert_array_equal(last, clf.decision_function(X))


def test_what_training_changes_beside_the_state_is_not_gone_back_to():
    clf = fitted(CountsAll)
    with pytest.raises(ValueError, match="the module keeps something from one batch of training to the next"):
        clf.replay(X, Y)


@for_each("module", KINDS)
def test_trying_it_before_training_leaves_no_trace(module):
    """Of several alike only the first is tried."""
    alone = fitted(module)
    for clf in fit_together([classifier(module), classifier(module)], X, Y):
        np.testing.assert_array_equal(clf.dynamics_.loss, alone.dynamics_.loss)
