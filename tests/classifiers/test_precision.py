"""precision="bf16": forward passes of training by autocast, and nothing else."""

import warnings

import numpy as np
import pytest
import torch
from skorch.callbacks import LRScheduler

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.recording import Samples
from sklearn_nndyn.utils.networks.devices import has_bf16
from tests.classifiers.test_laws import assert_same_record, assert_same_weights
from tests.problems import CHIEF, PROBLEMS

CLOSURE = {"optimizer": "lbfgs", "lr": 0.1, "max_epochs": 2}
BY_BATCH = {"callbacks": [("rate", LRScheduler("StepLR", step_every="batch", step_size=3))]}
WAYS = pytest.mark.parametrize(
    "settings", [{}, {"optimizer": "sgd"}, CLOSURE, BY_BATCH], ids=["adam", "sgd", "closure", "by-batch"]
)


class Spy(torch.nn.Module):
    """A linear layer that notes the dtype of what it gives, by mode."""

    def __init__(self):
        super().__init__()
        self.layer, self.given = torch.nn.LazyLinear(3), set()

    def forward(self, x):
        scores = self.layer(x)
        self.given.add((self.training, scores.dtype))
        return scores


class Told(torch.nn.Module):
    """Cross-entropy that takes float32 scores alone, outside of autocast."""

    def forward(self, scores, target):
        assert scores.dtype == torch.float32
        assert not torch.is_autocast_enabled("cpu")
        return torch.nn.functional.cross_entropy(scores, target, reduction="none")


def flat(clf):
    return torch.cat([p.detach().flatten() for p in clf.module_.parameters()])


@pytest.mark.parametrize(
    "problem",
    [
        pytest.param(problem, id=problem.name, marks=() if problem.name in CHIEF else pytest.mark.slow)
        for problem in PROBLEMS
        if problem.dtype == "float32"
    ],
)
def test_laws_hold_with_it(problem):
    X, y = problem.data()
    long = problem.classifier(precision="bf16").fit(X, y)
    assert_same_weights(long, problem.classifier(precision="bf16", record=(), snapshots=False).fit(X, y))
    short = problem.classifier(precision="bf16", max_epochs=2).fit(X, y)
    assert_same_record(short.dynamics_, long.dynamics_, slice(0, 3))
    replayed = long.replay(X, y)
    np.testing.assert_allclose(replayed.loss, long.dynamics_.loss, rtol=1e-4, atol=1e-5)


@WAYS
def test_training_alone_computes_in_it(settings):
    """Weights, scores that are recorded or predicted, and the loss stay in float32."""
    X, y = PROBLEMS[0].data()
    settings = {"max_epochs": 3, "module": Spy, "loss": Told(), "random_state": 0, **settings}
    clf = DynamicsClassifier(precision="bf16", **settings).fit(X, y, X_val=X, y_val=y)
    clf.predict(X)
    assert clf.module_.given == {(True, torch.bfloat16), (False, torch.float32)}
    assert all(p.dtype == torch.float32 for p in clf.module_.parameters())
    usual = DynamicsClassifier(**settings).fit(X, y, X_val=X, y_val=y)
    assert usual.module_.given == {(True, torch.float32), (False, torch.float32)}


@WAYS
def test_weights_differ_a_little_and_accuracy_does_not(settings):
    X, y = PROBLEMS[0].data()
    settings = {"max_epochs": 20, "lr": 0.01, "random_state": 0, **settings}
    rounded, again, exact = (
        DynamicsClassifier(precision=precision, **settings).fit(X, y) for precision in ("bf16", "bf16", None)
    )
    assert_same_weights(rounded, again)
    assert not torch.equal(flat(rounded), flat(exact))
    assert abs(rounded.score(X, y) - exact.score(X, y)) <= 0.05
    np.testing.assert_allclose(rounded.loss_curve_, exact.loss_curve_, rtol=0.1, atol=0.05)


def test_the_record_is_of_full_precision():
    """Its last losses are those of the fitted network, computed again by hand in float32."""
    X, y = PROBLEMS[0].data()
    clf = DynamicsClassifier(precision="bf16", max_epochs=5, random_state=0).fit(X, y)
    with torch.no_grad():
        scores = clf.module_(torch.as_tensor(X))
    target = torch.as_tensor(np.searchsorted(clf.classes_, y))
    expected = torch.nn.functional.cross_entropy(scores, target, reduction="none").numpy()
    np.testing.assert_allclose(clf.dynamics_.loss[:, -1], expected, rtol=1e-5, atol=1e-6)


def test_what_training_records_on_its_way_is_of_its_own_passes():
    X, y = PROBLEMS[0].data()
    settings = {"max_epochs": 1, "batch_size": "full", "record": (Samples(when="training"),)}
    rounded, exact = (
        DynamicsClassifier(precision=precision, random_state=0, **settings).fit(X, y).dynamics_.margin
        for precision in ("bf16", None)
    )
    assert not np.array_equal(rounded, exact)
    np.testing.assert_allclose(rounded, exact, atol=0.05)


def test_fits_together_are_those_alone():
    X, y = PROBLEMS[0].data()
    kinds = ("bf16", None, "bf16", None)
    together = [
        DynamicsClassifier(precision=kind, max_epochs=3, random_state=i) for i, kind in enumerate(kinds)
    ]
    fit_together(together, X, y)
    for i, kind in enumerate(kinds):
        alone = DynamicsClassifier(precision=kind, max_epochs=3, random_state=i).fit(X, y)
        if kind is not None:
            assert_same_weights(together[i], alone)
        np.testing.assert_allclose(flat(together[i]), flat(alone), atol=1e-5)


def test_it_can_change_where_training_goes_on():
    X, y = PROBLEMS[0].data()
    clf = DynamicsClassifier(max_epochs=2, warm_start=True, random_state=0).fit(X, y)
    exact = DynamicsClassifier(max_epochs=2, warm_start=True, random_state=0).fit(X, y).fit(X, y)
    clf.set_params(precision="bf16").fit(X, y)
    assert clf.n_iter_ == exact.n_iter_ == 4
    assert not torch.equal(flat(clf), flat(exact))


class InFloat32Alone(torch.nn.Module):
    """Multiplies by a matrix that is made outside of autocast's sight, so that the dtypes disagree."""

    def __init__(self):
        super().__init__()
        self.layer = torch.nn.LazyLinear(3)

    def forward(self, x):
        hidden = self.layer(x)
        return torch.empty_like(hidden, dtype=torch.float32).index_copy_(0, torch.arange(len(x)), hidden)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"precision": "fp16"}, r"precision must be None or \"bf16\", got 'fp16'"),
        (
            {"precision": "bf16", "dtype": "float64"},
            r"precision=\"bf16\" is for float32 .* dtype=\"float64\"",
        ),
        (
            {"precision": "bf16", "module": InFloat32Alone},
            r"batch of shape \(2, \d+\) by autocast \(precision=",
        ),
    ],
    ids=["word", "dtype", "module"],
)
def test_what_cannot_be_is_refused_before_training(settings, message):
    X, y = PROBLEMS[0].data()
    with pytest.raises(ValueError, match=message):
        DynamicsClassifier(**settings).fit(X, y)


@pytest.mark.parametrize("way", ["unknown", "error", "warning", "ignored"])
def test_it_is_refused_where_the_device_has_none(way, monkeypatch):
    """torch does not know autocast for a kind of device, raises, or warns and goes on without."""

    class Without(torch.autocast):
        def __init__(self, *args, **kwargs):
            if way == "error":
                raise RuntimeError("does not support bfloat16")
            if way == "warning":
                warnings.warn("not supported: autocast is off", UserWarning, stacklevel=2)
            super().__init__("cpu", enabled=False)

    if way == "unknown":
        monkeypatch.setattr(torch.amp, "is_autocast_available", lambda kind: False)
    else:
        monkeypatch.setattr(torch, "autocast", Without)
    has_bf16.cache_clear()
    X, y = PROBLEMS[0].data()
    try:
        with pytest.raises(ValueError, match=r"precision=\"bf16\" cannot be had on device='cpu'"):
            DynamicsClassifier(precision="bf16").fit(X, y)
    finally:
        has_bf16.cache_clear()
