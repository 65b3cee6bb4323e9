"""The norm of each sample's gradient, in closed form and exactly, is that of autograd, sample by sample."""

import numpy as np
import pytest
import torch

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.losses import get_loss
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Gradients, Recorder, _gradients
from tests.problems import PROBLEMS, ThreeKinds, chief_problems, convolution_net


def record(module, X, y, parameters, loss="log"):
    recorder = Recorder(X, y, get_loss(loss), n_classes=3, record=[Gradients(parameters)], capacity=1)
    recorder.record(module, 0)
    return recorder.dynamics(y.numpy(), np.arange(3), {}).gradient_norm[:, 0]


def norms_by_autograd(module, X, y, parameters, loss="log"):
    """One backward pass a sample."""
    module.eval()
    last = [part for part in module.modules() if isinstance(part, torch.nn.Linear)][-1]
    of = list(last.parameters() if parameters == "last" else module.parameters())
    norms = []
    for x, c in zip(X, y, strict=True):
        value = get_loss(loss)(module(x[None]), c[None])
        gradients = torch.autograd.grad(value, of)
        norms.append(sum(float(g.double().square().sum()) for g in gradients) ** 0.5)
    return norms


@pytest.mark.parametrize("parameters", ["last", "all"])
@chief_problems
def test_they_are_those_of_autograd(problem, parameters):
    X, y = problem.data()
    clf = problem.classifier(max_epochs=2).fit(X, y)
    X, y = torch.as_tensor(X), torch.as_tensor(np.searchsorted(clf.classes_, y))
    found = record(clf.module_, X, y, parameters)
    np.testing.assert_allclose(found, norms_by_autograd(clf.module_, X, y, parameters), rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("loss", ["l2", "squared_hinge", "expectation", "cauchy_schwarz"])
def test_they_are_those_of_the_trained_loss(loss):
    X, y = torch.randn(20, 4, generator=torch.Generator().manual_seed(0)), torch.arange(20) % 3
    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3, bias=False))
    found = record(module, X, y, "last", loss)
    np.testing.assert_allclose(found, norms_by_autograd(module, X, y, "last", loss), rtol=1e-4)


def test_a_chunk_at_a_time_is_the_same(monkeypatch):
    X, y = torch.randn(30, 1, 4, 4, generator=torch.Generator().manual_seed(0)), torch.arange(30) % 3
    module = convolution_net((1, 4, 4), 3)
    at_once = record(module, X, y, "all")
    monkeypatch.setattr(_gradients, "CHUNK_BYTES", 1)
    np.testing.assert_allclose(record(module, X, y, "all"), at_once, rtol=1e-5)


def test_frozen_parameters_have_no_part():
    X, y = torch.randn(10, 4, generator=torch.Generator().manual_seed(0)), torch.arange(10) % 3
    module = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    module[0].requires_grad_(False)
    np.testing.assert_allclose(record(module, X, y, "all"), record(module, X, y, "last"), rtol=1e-5)


def test_recorded_live_and_replayed_and_watching_changes_nothing():
    X, y = PROBLEMS[0].data()
    watched = PROBLEMS[0].classifier(record=("samples", "gradients"), max_epochs=3).fit(X, y)
    unwatched = PROBLEMS[0].classifier(max_epochs=3).fit(X, y)
    np.testing.assert_allclose(watched.replay(X, y).gradient_norm, watched.dynamics_.gradient_norm, rtol=1e-5)
    assert watched.dynamics_.gradient_norm.shape == (61, 4)
    for name, value in watched.module_.state_dict().items():
        assert torch.equal(value, unwatched.module_.state_dict()[name])


class Squashed(ThreeKinds):
    """Scores are not those of the last linear layer."""

    def forward(self, x):
        return torch.tanh(super().forward(x))


def test_a_network_without_a_closed_form_is_refused_before_training():
    X, y = PROBLEMS[0].data()
    with pytest.raises(
        ValueError, match=r'are not made by its last linear layer, .* use Gradients\(parameters="all"\)'
    ):
        DynamicsClassifier(Squashed, record=("gradients",)).fit(X, y)
    record = [Gradients("all")]
    assert (
        DynamicsClassifier(Squashed, record=record, max_epochs=1).fit(X, y).dynamics_.gradient_norm.min() > 0
    )


def test_unknown_parameters_are_refused():
    with pytest.raises(ValueError, match=r'Gradients: parameters must be "last" or "all", got \'first\''):
        DynamicsClassifier(MLP(), record=[Gradients("first")]).fit([[0.0], [1.0]], [0, 1])
