"""Probabilities and decisions of a user's own loss are checked before training, and whenever they are asked for."""

import random
import threading
import time

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.losses import ClassificationLoss
from sklearn_nndyn.modules import MLP
from tests.problems import PROBLEMS

X, y = PROBLEMS[0].data(30)


class Own(ClassificationLoss):
    """A cross-entropy whose probabilities, or decisions, are what is given."""

    def __init__(self, predict_proba=None, decide=None):
        super().__init__()
        self.own_proba = predict_proba or (lambda scores: scores.softmax(-1))
        self.own_decide = decide or (lambda scores: scores.argmax(-1))

    def per_sample(self, scores, target):
        return nn.functional.cross_entropy(scores.flatten(0, -2), target.flatten(), reduction="none").view(
            target.shape
        )

    def predict_proba(self, scores):
        return self.own_proba(scores)

    def decide(self, scores):
        return self.own_decide(scores)


class OwnTorch(nn.Module):
    """The same as a torch loss."""

    def __init__(self, predict_proba=None, decide=None):
        super().__init__()
        self.reduction = "mean"
        self.own = Own(predict_proba, decide)
        self.predict_proba, self.decide = self.own.predict_proba, self.own.decide

    def forward(self, scores, target):
        values = nn.functional.cross_entropy(scores, target, reduction="none")
        return values if self.reduction == "none" else values.mean()


def one_is(value):
    def predict_proba(scores):
        p = scores.softmax(-1)
        p[1, 0] = value
        return p

    return predict_proba


def fails(scores):
    raise KeyError("oops")


PROBABILITIES = {
    "sum": (lambda s: s.softmax(-1) * 0.5, "with rows that sum to one, but gives a row that sums to 0.5"),
    "sigmoids": (lambda s: (0 * s).sigmoid(), "but gives a row that sums to 1.5"),
    "negative": (one_is(-0.5), "0 or greater and with rows that sum to one, but gives -0.5"),
    "nan": (one_is(torch.nan), "but gives nan"),
    "infinite": (one_is(torch.inf), "but gives inf"),
    "one column": (lambda s: s.softmax(-1)[:, 1], "of each class, shape (2, 3) for 2 samples, 0 or greater"),
    "too many columns": (lambda s: torch.cat([s, s], -1).softmax(-1), "but gives shape (2, 6)"),
    "transposed": (lambda s: s.softmax(-1).T, "but gives shape (3, 2)"),
    "array": (lambda s: s.softmax(-1).numpy(), "but gives a ndarray in place of a torch tensor"),
    "nothing": (lambda s: None, "but gives a NoneType in place of a torch tensor"),
    "whole numbers": (lambda s: s.softmax(-1).round().long(), "but gives torch.int64"),
    "error": (fails, "predict_proba cannot be computed from scores of shape (2, 3): KeyError: 'oops'"),
}
DECISIONS = {
    "no class": (lambda s: s.argmax(-1) + 3, "but gives"),
    "negative": (lambda s: s.argmax(-1) - 5, "of 3 classes"),
    "floats": (
        lambda s: s.argmax(-1).float(),
        "whole numbers of shape (2,) for 2 samples, but gives torch.float32",
    ),
    "two axes": (lambda s: s.argmax(-1, keepdim=True), "but gives shape (2, 1)"),
    "array": (lambda s: s.argmax(-1).numpy(), "but gives a ndarray in place of a torch tensor"),
    "error": (fails, "decide cannot be computed from scores of shape (2, 3): KeyError: 'oops'"),
}


def classifier(loss, **changes):
    return DynamicsClassifier(
        **{"module": MLP((5,)), "loss": loss, "max_epochs": 2, "random_state": 0, **changes}
    )


@pytest.mark.parametrize("kind", [Own, OwnTorch])
@pytest.mark.parametrize(("predict_proba", "message"), PROBABILITIES.values(), ids=PROBABILITIES)
def test_what_are_no_probabilities_is_told_before_training(kind, predict_proba, message):
    with pytest.raises(ValueError, match=f"^loss {kind.__name__}: predict_proba ") as caught:
        classifier(kind(predict_proba)).fit(X, y)
    assert message in str(caught.value)


@pytest.mark.parametrize("kind", [Own, OwnTorch])
@pytest.mark.parametrize(("decide", "message"), DECISIONS.values(), ids=DECISIONS)
def test_what_is_no_decision_is_told_before_training(kind, decide, message):
    with pytest.raises(ValueError, match=f"^loss {kind.__name__}: decide ") as caught:
        classifier(kind(decide=decide)).fit(X, y)
    assert message in str(caught.value)


def test_together_too():
    with pytest.raises(
        ValueError, match=r"loss Own: predict_proba must give .* but gives a row that sums to 0.5"
    ):
        fit_together([classifier("log"), classifier(Own(PROBABILITIES["sum"][0]))], X, y)


@pytest.mark.parametrize("kind", [Own, OwnTorch])
@pytest.mark.parametrize("ask", ["predict_proba", "predict_log_proba", "staged_predict_proba"])
def test_so_it_is_where_only_some_samples_have_none(kind, ask):
    """An overflow that the first samples do not show."""

    def overflows(scores):
        return scores.exp() / scores.exp().sum(-1, keepdim=True)

    clf = classifier(kind(overflows)).fit(X, y)
    np.testing.assert_allclose(clf.predict_proba(X).sum(1), 1, rtol=1e-5)
    with pytest.raises(ValueError, match=f"loss {kind.__name__}: predict_proba must give .* but gives nan"):
        list(getattr(clf, ask)(1e6 * X))


@pytest.mark.parametrize("kind", [Own, OwnTorch])
def test_what_is_right_is_taken(kind):
    clf = classifier(kind()).fit(X, y)
    np.testing.assert_allclose(clf.predict_proba(X), classifier("log").fit(X, y).predict_proba(X), rtol=1e-3)


# Python's random


class Noisy(OwnTorch):
    def forward(self, scores, target):
        return super().forward(scores + random.random() * torch.arange(3), target)


class NoisyOwn(Own):
    def per_sample(self, scores, target):
        return super().per_sample(scores + random.random(), target)


class Skips(nn.Sequential):
    def __init__(self):
        super().__init__(nn.Linear(16, 3))

    def forward(self, x):
        return super().forward(x) * (2.0 if self.training and random.random() < 0.5 else 1.0)


def random_width(shape, n_classes):
    width = random.choice([4, 8])
    return nn.Sequential(nn.Linear(*shape, width), nn.ReLU(), nn.Linear(width, n_classes))


@pytest.mark.parametrize(
    ("changes", "what"),
    [
        ({"loss": Noisy()}, "loss"),
        ({"module": Skips}, "module or loss"),
        ({"module": random_width}, "The making of module"),
        ({"loss": NoisyOwn()}, "module or loss"),
    ],
    ids=["loss", "module", "making", "loss-of-our-contract"],
)
def test_what_draws_from_pythons_random_is_refused_and_its_state_stays(changes, what):
    random.seed(3)
    expected = random.random()
    random.seed(3)
    with pytest.raises(
        ValueError, match=f"^{what} draws from Python's random, which random_state does not fix"
    ):
        classifier(**{"loss": "log", **changes}).fit(X, y)
    assert random.random() == expected


def test_pythons_random_is_left_alone():
    random.seed(3)
    before = random.getstate()
    classifier("log").fit(X, y).replay(X, y)
    assert random.getstate() == before


@pytest.fixture
def another_thread_draws():
    """As that of a cluster's worker does."""
    ended = threading.Event()

    def draw():
        while not ended.wait(1e-4):
            random.random()

    thread = threading.Thread(target=draw)
    thread.start()
    yield
    ended.set()
    thread.join()


@pytest.mark.usefixtures("another_thread_draws")
def test_what_another_thread_draws_is_its_own():
    for _ in range(3):
        classifier("log", module=Waits).fit(X, y)


class Waits(nn.Sequential):
    """Takes so long to be made that another thread draws meanwhile."""

    def __init__(self):
        super().__init__(nn.Linear(16, 3))
        time.sleep(0.02)


@pytest.mark.usefixtures("another_thread_draws")
@pytest.mark.parametrize("changes", [{"loss": Noisy()}, {"module": Skips}, {"module": random_width}])
def test_beside_another_thread_ones_own_draws_are_refused(changes):
    with pytest.raises(ValueError, match="draws from Python's random"):
        classifier(**{"loss": "log", **changes}).fit(X, y)
