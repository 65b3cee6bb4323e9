"""A fit that was killed goes on, and ends as the one that was not."""

import pytest
import torch
from skorch.callbacks import Callback, EarlyStopping, EpochScoring, Freezer, LRScheduler

from sklearn_nndyn import Checkpoint
from sklearn_nndyn.recording import Reconstruction, Samples, _snapshots
from tests.classifiers.checkpoint.comparing import (
    Killed,
    assert_same_fit,
    count_records,
    every_epoch,
    killed_after,
)
from tests.problems import PROBLEMS, Problem, chief_problems, convolution_net
from tests.utils.test_interrupted_random import users_generators

EVERYTHING = ("samples", "geometry", "scores")
CONVOLUTION = Problem("conv", convolution_net, images=True)
PLAIN = PROBLEMS[0]


class Counts(Callback):
    """Keeps plain data, tensors and random numbers of its own, and draws from the fit's."""

    def __init__(self):
        self.seen, self.kept, self.generator = {}, None, torch.Generator().manual_seed(3)

    def on_epoch_end(self, net, **kwargs):
        self.seen[len(net.history)] = float(torch.rand((), generator=self.generator)) + float(torch.rand(()))
        self.kept = torch.rand(2)
        net.history.record("drawn", sum(self.seen.values()) + float(self.kept.sum()))


# Callbacks are made anew for each fit, as another process would.
SETTINGS = {
    "adam": {},
    "momentum": {"optimizer": "sgd", "optimizer_params": {"momentum": 0.9}},
    "lbfgs": {"optimizer": "lbfgs", "batch_size": "full", "lr": 0.1},
    "rmsprop-groups": {
        "optimizer": "rmsprop",
        "optimizer_params": {"param_groups": [("*bias", {"lr": 0.1})]},
    },
    "no-record": {"record": (), "snapshots": False},
    "early-stopping": {"early_stopping": True, "n_iter_no_change": 2, "lr": 0.1},
    "scored": {"early_stopping": True, "monitor": "neg_log_loss", "n_iter_no_change": 2},
    "as-batches-pass": {"record": (Samples(when="training"),)},
    "some-samples": {"record": (Samples(indices=[3, 1, 5]),)},
    "by-iteration": {"record_iterations": "log"},
    "weighted": {"class_weight": "balanced", "record": ("samples", "gradients")},
    "scheduled": {"callbacks": lambda: [LRScheduler("ExponentialLR", gamma=0.7)]},
    "plateau": {"callbacks": lambda: [LRScheduler("ReduceLROnPlateau", monitor="valid_loss", patience=0)]},
    "every-batch": {
        "callbacks": lambda: [LRScheduler("CyclicLR", step_every="batch", max_lr=0.1, base_lr=0.01)]
    },
    "skorch-stops": {"callbacks": lambda: [EarlyStopping("valid_loss", patience=2, load_best=True)]},
    "skorch-scores": {"callbacks": lambda: [EpochScoring("accuracy", lower_is_better=False, name="own")]},
    "freezing": {"callbacks": lambda: [Freezer("*bias", at=3)]},
    "counting": {"callbacks": lambda: [Counts()]},
}


def check(problem, folder, monkeypatch, n_saves, **settings):
    """Killed after so many states, and then gone on with; a third fit trains nothing."""
    callbacks = settings.pop("callbacks", lambda: None)
    X, y = problem.data()
    validation = dict(zip(("X_val", "y_val"), problem.data(20, seed=1), strict=True))
    settings = {"record": EVERYTHING, "max_epochs": 6, **settings}
    whole = problem.classifier(callbacks=callbacks(), **settings).fit(X, y, **validation)
    settings["checkpoint"] = every_epoch(folder)
    with monkeypatch.context() as patch:
        killed_after(patch, n_saves)
        with pytest.raises(Killed):
            problem.classifier(callbacks=callbacks(), **settings).fit(X, y, **validation)
    recorded = count_records(monkeypatch)
    for again in (False, True):
        recorded.clear()
        clf = problem.classifier(callbacks=callbacks(), **settings).fit(X, y, **validation)
        assert_same_fit(clf, whole, X)
        assert not any(epoch <= (whole.n_iter_ if again else n_saves) for epoch in recorded)
    return clf


@chief_problems
def test_networks(problem, tmp_path, monkeypatch):
    check(problem, tmp_path, monkeypatch, 3)


@pytest.mark.parametrize("name", SETTINGS)
def test_settings(name, tmp_path, monkeypatch):
    check(
        CONVOLUTION if name in ("freezing", "counting") else PLAIN, tmp_path, monkeypatch, 2, **SETTINGS[name]
    )


@pytest.mark.parametrize("n_saves", [1, 6])
def test_killed_early_and_late(n_saves, tmp_path, monkeypatch):
    check(CONVOLUTION, tmp_path, monkeypatch, n_saves)


def test_decoders(tmp_path, monkeypatch):
    record = ("samples", Reconstruction(layers=0))
    check(PLAIN, tmp_path, monkeypatch, 2, record=record, record_epochs="all")


def test_snapshots_that_spill(tmp_path, monkeypatch):
    monkeypatch.setattr(_snapshots, "MEMORY_LIMIT", 0)
    assert check(PLAIN, tmp_path, monkeypatch, 3)._state.snapshots.spilled


class Counting(torch.nn.Module):
    """Keeps numbers, tensors and a generator outside of its state."""

    def __init__(self):
        super().__init__()
        self.linear, self.calls, self.trace = torch.nn.Linear(16, 3), 0, [torch.zeros(2)]
        self.register_buffer("level", torch.zeros(()), persistent=False)

    def forward(self, x):
        if self.training:
            self.calls += 1
            self.level += 0.01
            self.trace = [self.trace[0] + 0.001 * self.calls]
        return self.linear(x) + self.level + self.trace[0][0] + 0.01 * (self.calls % 3)


class Moving(torch.nn.Module):
    """A loss that keeps a mean, as a buffer and as a plain tensor."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.ones(()))
        self.reduction, self.other = "mean", torch.ones(())

    def forward(self, scores, target):
        values = torch.nn.functional.cross_entropy(scores * self.mean * self.other, target, reduction="none")
        if self.training and scores.requires_grad:
            self.mean = self.mean * 0.99
            self.other = self.other * 0.99
        return values if self.reduction == "none" else values.mean()


def test_modules_and_losses_with_a_memory(tmp_path, monkeypatch):
    problem = Problem("counting", Counting())
    check(problem, tmp_path, monkeypatch, 3, loss=Moving(), record=("samples",))


def test_an_interrupted_fit_is_gone_on_with(tmp_path):
    X, y = PLAIN.data()

    class Stops(Callback):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) == 3 and Stops.on:
                raise KeyboardInterrupt

    Stops.on = False
    whole = PLAIN.classifier(callbacks=[Stops()]).fit(X, y)
    Stops.on = True
    with pytest.warns(UserWarning, match="interrupted in epoch 3"):
        PLAIN.classifier(callbacks=[Stops()], checkpoint=Checkpoint(tmp_path, 1000)).fit(X, y)
    (place,) = Checkpoint(tmp_path).places()
    assert (place.epoch, place.finished) == (2, False)
    Stops.on = False
    clf = PLAIN.classifier(callbacks=[Stops()], checkpoint=tmp_path).fit(X, y)
    assert_same_fit(clf, whole, X)


def test_a_divergence_is_told_again(tmp_path):
    X, y = PLAIN.data()
    settings = {"lr": 1e6, "loss": "l2", "optimizer": "sgd"}
    for _ in range(2):
        with pytest.warns(match="Training diverged in epoch 1"):
            clf = PLAIN.classifier(**settings, checkpoint=tmp_path).fit(X, y)
        assert clf.n_iter_ == 0
    (place,) = Checkpoint(tmp_path).places()
    assert place.finished


def test_watched_by_nothing_it_is_the_fit_without(tmp_path):
    X, y = CONVOLUTION.data()
    before = users_generators()
    clf = CONVOLUTION.classifier(checkpoint=tmp_path).fit(X, y)
    assert users_generators() == before
    assert_same_fit(clf, CONVOLUTION.classifier().fit(X, y), X)
