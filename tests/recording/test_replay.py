"""All snapshots in one batched program, or one by one: the same is seen."""

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
    """Looks at its numbers to decide what to do: that cannot be batched over networks."""

    def __init__(self):
        super().__init__()
        self.inner, self.outer = torch.nn.Linear(16, 5), torch.nn.Linear(5, 3)

    def forward(self, x):
        h = self.inner(x)
        h = h.relu() if self.inner.weight.sum().item() > 0 else h.tanh()
        return self.outer(h)


class Noisy(torch.nn.Module):
    """Random in evaluation too: vmap must be told what to do with that."""

    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(16, 3)

    def forward(self, x):
        return self.linear(x + 0 * torch.rand_like(x))


@pytest.fixture
def how(monkeypatch):
    """Whether each group of epochs was recorded together."""
    outcomes = []

    def watched(*args, original=_replay._record_stack):
        outcomes.append(original(*args))
        return outcomes[-1]

    monkeypatch.setattr(_replay, "_record_stack", watched)
    return outcomes


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


def assert_same(a, b, tolerance):
    assert a.epochs == b.epochs
    for name, values in seen(b).items():
        if values is not None:
            np.testing.assert_allclose(seen(a)[name], values, rtol=tolerance, atol=tolerance, err_msg=name)


@pytest.mark.parametrize("record", [EVERYTHING, ("samples",), ("geometry",)], ids=str)
@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_together_as_one_by_one(problem, record, how):
    X, y = problem.data()
    clf = problem.classifier().fit(X, y)
    X, y = torch.as_tensor(X), torch.as_tensor(np.searchsorted(clf.classes_, y))
    recorder = recorder_of(X, y, record=record, capacity=5)
    replay(recorder, clf.module_, clf._state.snapshots, clf._state.snapshots.epochs)
    assert how == [True]
    expected = one_by_one(clf.at_epoch(0).module_, clf._state.snapshots, X, y, record)
    assert_same(recorder, expected, 1e-4 if problem.dtype == "float32" else 1e-6)


@pytest.mark.parametrize("module", [ManyPaths(), Noisy()], ids=["data-dependent", "random"])
def test_what_cannot_be_batched_is_run_one_by_one(module, how):
    X, y = (torch.as_tensor(data) for data in (PROBLEMS[0].data()[0], np.arange(61) % 3))
    snapshots = history(module)
    if isinstance(module, ManyPaths):
        signs = snapshots.stacked(snapshots.epochs)["inner.weight"].sum((1, 2)).sign()
        assert len(signs.unique()) == 2  # both paths are taken
    recorder = recorder_of(X, y, capacity=5)
    replay(recorder, module, snapshots, snapshots.epochs)
    assert how == [False]
    assert_same(recorder, one_by_one(module, snapshots, X, y, EVERYTHING), 0)


@pytest.mark.parametrize(
    ("most", "groups"), [(2, [True, True]), (3, [True, True]), (4, [True]), (64, [True])]
)
def test_groups_of_networks(most, groups, how, monkeypatch):
    """Five epochs in groups; a group of one needs no batching."""
    monkeypatch.setattr(_replay, "MOST_NETWORKS", most)
    X, y = torch.randn(20, 16), torch.arange(20) % 3
    module = torch.nn.Sequential(torch.nn.Linear(16, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
    snapshots = history(module)
    recorder = recorder_of(X, y, capacity=5)
    replay(recorder, module, snapshots, snapshots.epochs)
    assert how == groups
    assert_same(recorder, one_by_one(module, snapshots, X, y, EVERYTHING), 1e-5)


def test_chosen_epochs_alone(how):
    X, y = torch.randn(20, 16), torch.arange(20) % 3
    module = torch.nn.Sequential(torch.nn.Linear(16, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
    snapshots = history(module, (0, 1, 2, 4, 8))
    whole, some = recorder_of(X, y, capacity=5), recorder_of(X, y, capacity=3)
    replay(whole, module, snapshots, snapshots.epochs)
    replay(some, module, snapshots, [0, 4, 8])
    assert some.epochs == [0, 4, 8]
    for name, values in seen(some).items():
        chosen = seen(whole)[name]
        chosen = chosen[:, [0, 3, 4]] if len(chosen) == 20 else chosen[[0, 3, 4]]
        np.testing.assert_allclose(values, chosen, rtol=1e-5, atol=1e-6, err_msg=name)


@pytest.mark.parametrize(
    "module", [PROBLEMS[4].module.build((16,), 3), ManyPaths()], ids=["together", "one-by-one"]
)
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
    module = torch.nn.Sequential(torch.nn.Linear(16, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
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
    """It ends the replay: nothing goes on as if the network could not be batched."""

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
def test_a_handler_that_returns_changes_nothing(how):
    X, y = torch.randn(20, 16), torch.arange(20) % 3
    module = Rings()
    snapshots, heard = history(module), []
    before = signal.signal(signal.SIGALRM, lambda *_: heard.append(None))
    try:
        replay(recorder_of(X, y, capacity=5), module, snapshots, snapshots.epochs)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert how == [True]
    assert len(heard) == 1
