"""Snapshots measured together or one by one: the same bits are seen."""

import signal

import numpy as np
import pytest
import torch

from sklearn_nndyn.losses import get_loss
from sklearn_nndyn.recording import Recorder, Snapshots, _replay
from sklearn_nndyn.recording._replay import replay, staged_scores
from tests.problems import IDS, PROBLEMS
from tests.recording.test_recorder import EVERYTHING, recorder_of, seen


class ManyPaths(torch.nn.Module):
    """Looks at its numbers to decide what to do."""

    def __init__(self):
        super().__init__()
        self.inner, self.outer = torch.nn.Linear(16, 5), torch.nn.Linear(5, 3)

    def forward(self, x):
        h = self.inner(x)
        h = h.relu() if self.inner.weight.sum().item() > 0 else h.tanh()
        return self.outer(h)


class Noisy(torch.nn.Module):
    """Random in evaluation too."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(16, 3)

    def forward(self, x):
        return self.linear(x + 0.1 * torch.rand_like(x))


@pytest.fixture
def together(monkeypatch):
    """How many epochs each group of those recorded together had."""
    sizes = []

    def watched(recorder, module, epochs, load, original=Recorder._record_together):
        sizes.append(len(epochs))
        original(recorder, module, epochs, load)

    monkeypatch.setattr(Recorder, "_record_together", watched)
    return sizes


def one_by_one(module, snapshots, X, y, record):
    recorder = recorder_of(X, y, record=record, capacity=len(snapshots.epochs))
    for epoch in snapshots.epochs:
        module.load_state_dict(snapshots.state_dict(epoch))
        recorder.record(module, epoch)
    return recorder


def history(module, epochs=(0, 1, 2, 3, 4)):
    """Snapshots of a network that changes."""
    snapshots = Snapshots(module, len(epochs))
    generator = torch.Generator().manual_seed(0)
    for epoch in epochs:
        for p in module.parameters():
            p.data.copy_(0.3 * torch.randn(p.shape, generator=generator))
        snapshots.store(module, epoch)
    return snapshots


def assert_same(a, b):
    assert a.epochs == b.epochs
    for name, values in seen(b).items():
        np.testing.assert_array_equal(seen(a)[name], values, err_msg=name)


def chain():
    return torch.nn.Sequential(torch.nn.Linear(16, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))


@pytest.mark.parametrize("record", [EVERYTHING, ("samples",), ("geometry",)], ids=str)
@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_together_as_one_by_one(problem, record, together):
    X, y = problem.data()
    clf = problem.classifier().fit(X, y)
    X, y = torch.as_tensor(X), torch.as_tensor(np.searchsorted(clf.classes_, y))
    recorder = recorder_of(X, y, record=record, capacity=5)
    replay(recorder, clf.module_, clf._state.snapshots, clf._state.snapshots.epochs)
    assert together == [4 if problem.name == "own-module" else 5]
    expected = one_by_one(clf.at_epoch(0).module_, clf._state.snapshots, X, y, record)
    assert_same(recorder, expected)


@pytest.mark.parametrize(("module", "expected"), [(ManyPaths(), [4]), (Noisy(), [])], ids=["paths", "random"])
def test_own_modules(module, expected, together):
    """Of one that is not made of torch's parts alone, the first record shows whether it draws random numbers."""
    X, y = (torch.as_tensor(data) for data in (PROBLEMS[0].data()[0], np.arange(61) % 3))
    snapshots = history(module)
    if isinstance(module, ManyPaths):
        signs = snapshots.stacked(snapshots.epochs)["inner.weight"].sum((1, 2)).sign()
        assert len(signs.unique()) == 2  # both paths are taken
    recorder = recorder_of(X, y, capacity=5)
    replay(recorder, module, snapshots, snapshots.epochs)
    assert together == expected
    assert_same(recorder, one_by_one(module, snapshots, X, y, EVERYTHING))


@pytest.mark.parametrize(("most", "groups"), [(2, [2, 2]), (3, [3, 2]), (4, [4]), (64, [5])])
def test_groups_of_networks(most, groups, together, monkeypatch):
    """Five epochs in groups; a group of one is recorded alone."""
    monkeypatch.setattr(_replay, "MOST_NETWORKS", most)
    X, y = torch.randn(20, 16), torch.arange(20) % 3
    module = chain()
    snapshots = history(module)
    recorder = recorder_of(X, y, capacity=5)
    replay(recorder, module, snapshots, snapshots.epochs)
    assert together == groups
    assert_same(recorder, one_by_one(module, snapshots, X, y, EVERYTHING))


@pytest.mark.parametrize("what", ["many rows", "no classes", "large weights"])
def test_what_is_recorded_alone(what, together, monkeypatch):
    """Where it takes no less time: rows in several chunks, large networks; and where a first network must tell more."""
    X, y, module = torch.randn(20, 16), torch.arange(20) % 3, chain()
    if what == "many rows":
        X, y = torch.randn(5000, 16), torch.arange(5000) % 3
    if what == "large weights":
        monkeypatch.setattr(_replay, "STACK_BYTES", 1000)
    snapshots = history(module)
    recorder = recorder_of(X, y, n_classes=None if what == "no classes" else 3)
    replay(recorder, module, snapshots, snapshots.epochs)
    assert together == ([4] if what == "no classes" else [])
    assert_same(recorder, one_by_one(module, snapshots, X, y, EVERYTHING))


class ByColumns(torch.nn.Linear):
    """Its scores lie class by class."""

    def forward(self, x):
        return (self.weight @ x.T + self.bias[:, None]).T


@pytest.mark.parametrize("loss", ["log", "l2", "hinge", "tanimoto"])
@pytest.mark.parametrize("n_classes", [2, 3, 17, 100])
@pytest.mark.parametrize("kind", [ByColumns, torch.nn.Linear])
def test_scores_however_they_lie(kind, n_classes, loss, together):
    X, y = torch.randn(37, 16), torch.arange(37) % n_classes
    module = torch.nn.Sequential(torch.nn.Linear(16, 7), torch.nn.Tanh(), kind(7, n_classes))
    snapshots = history(module)
    options = {"loss": loss, "capacity": 5, "n_classes": n_classes}
    found, expected = recorder_of(X, y, **options), recorder_of(X, y, **options)
    replay(found, module, snapshots, snapshots.epochs)
    assert together
    for epoch in snapshots.epochs:
        module.load_state_dict(snapshots.state_dict(epoch))
        expected.record(module, epoch)
    assert_same(found, expected)


def test_hooks_that_run_as_weights_are_loaded(together):
    """They run for each epoch, as ever."""
    X, y, module = torch.randn(20, 16), torch.arange(20) % 3, chain()
    snapshots, doubled = history(module), []

    def double(state, prefix, *_):
        doubled.append(prefix)
        state[f"{prefix}weight"] = 2 * state[f"{prefix}weight"]

    module[0].register_load_state_dict_pre_hook(lambda _, *args: double(*args))
    recorder = recorder_of(X, y, capacity=5)
    replay(recorder, module, snapshots, snapshots.epochs)
    assert together == [5]
    assert len(doubled) == 5
    assert_same(recorder, one_by_one(module, snapshots, X, y, EVERYTHING))


def test_chosen_epochs_alone():
    X, y = torch.randn(20, 16), torch.arange(20) % 3
    module = chain()
    snapshots = history(module, (0, 1, 2, 4, 8))
    whole, some = recorder_of(X, y, capacity=5), recorder_of(X, y, capacity=3)
    replay(whole, module, snapshots, snapshots.epochs)
    replay(some, module, snapshots, [0, 4, 8])
    assert some.epochs == [0, 4, 8]
    for name, values in seen(some).items():
        chosen = seen(whole)[name]
        chosen = chosen[:, [0, 3, 4]] if len(chosen) == 20 else chosen[[0, 3, 4]]
        np.testing.assert_array_equal(values, chosen, err_msg=name)


@pytest.mark.parametrize("module", [PROBLEMS[4].module.build((16,), 3), ManyPaths()], ids=["chain", "own"])
def test_the_network_is_left_as_it_is(module):
    X, y = torch.randn(20, 16), torch.arange(20) % 3
    snapshots = history(module)
    module.train()
    for p in module.parameters():  # no longer what it was at any of the epochs
        p.data.mul_(2)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    replay(recorder_of(X, y, capacity=5), module, snapshots, snapshots.epochs)
    assert list(map(len, staged_scores(module, snapshots, snapshots.epochs, X))) == [20] * 5
    assert torch.equal(torch.rand(3), expected)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert all(part.training for part in module.modules())


def test_a_true_fault_shows_itself():
    module = chain()
    snapshots = history(module)
    recorder = Recorder(
        torch.randn(20, 15), torch.arange(20) % 3, get_loss("log"), n_classes=3, record=EVERYTHING, capacity=5
    )
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        replay(recorder, module, snapshots, snapshots.epochs)


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_stages_are_the_networks_of_each_epoch(problem):
    X, y = problem.data()
    clf = problem.classifier().fit(X, y)
    stages = list(staged_scores(clf.module_, clf._state.snapshots, [0, 2, 4], torch.as_tensor(X)))
    for epoch, scores in zip([0, 2, 4], stages, strict=True):
        np.testing.assert_array_equal(scores, clf.at_epoch(epoch).decision_function(X))


class Rings(torch.nn.Module):
    """A signal comes when it first runs."""

    def __init__(self):
        super().__init__()
        self.linear, self.ran = torch.nn.Linear(16, 3), False

    def forward(self, x):
        if not self.ran:
            self.ran = True
            signal.raise_signal(signal.SIGALRM)
        return self.linear(x)


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="signals of POSIX")
@pytest.mark.parametrize("kind", [Exception, ValueError, RuntimeError, TimeoutError, BaseException])
def test_what_a_handler_raises_is_no_answer_of_the_network(kind):
    """It ends the replay."""

    def ring(*_):
        raise kind("time is up")

    X, y = torch.randn(20, 16), torch.arange(20) % 3
    module = Rings()
    snapshots = history(module)
    before = signal.signal(signal.SIGALRM, ring)
    try:
        with pytest.raises(kind, match="time is up"):
            replay(recorder_of(X, y, capacity=5), module, snapshots, snapshots.epochs)
        assert signal.getsignal(signal.SIGALRM) is ring
    finally:
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="signals of POSIX")
def test_a_handler_that_returns_changes_nothing():
    X, y = torch.randn(20, 16), torch.arange(20) % 3
    module = Rings()
    snapshots, heard = history(module), []
    before = signal.signal(signal.SIGALRM, lambda *_: heard.append(None))
    recorder = recorder_of(X, y, capacity=5)
    try:
        replay(recorder, module, snapshots, snapshots.epochs)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert recorder.epochs == snapshots.epochs
    assert len(heard) == 5  # each record leaves the network as it was before it ran
