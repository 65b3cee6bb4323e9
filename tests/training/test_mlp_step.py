"""The written-out step of a chain of linear layers trains as autograd does, whatever callbacks change."""

from types import MethodType

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.recording import Samples

rng = np.random.default_rng(0)
X = rng.normal(size=(53, 2, 3)).astype(np.float32)  # the last batch is shorter
y = (X[:, 0, 0] > 0) + (X[:, 1, 1] > 0).astype(int)

CHAINS = {
    "relu": lambda: [nn.Flatten(), nn.Linear(6, 9), nn.ReLU(), nn.Linear(9, 3)],
    "tanh, sigmoid": lambda: [
        nn.Flatten(),
        nn.Linear(6, 9),
        nn.Tanh(),
        nn.Sequential(nn.Linear(9, 8), nn.Sigmoid(), nn.Identity()),
        nn.Linear(8, 3),
    ],
    "without bias": lambda: [
        nn.Flatten(),
        nn.Linear(6, 9, bias=False),
        nn.ReLU(),
        nn.Linear(9, 3, bias=False),
    ],
    "dropout": lambda: [
        nn.Dropout(0.2),
        nn.Flatten(),
        nn.Linear(6, 9),
        nn.ReLU(),
        nn.Dropout(0.5),
        nn.Linear(9, 3),
    ],
    "dropout of all": lambda: [
        nn.Flatten(),
        nn.Linear(6, 9),
        nn.ReLU(),
        nn.Dropout(1.0),
        nn.Linear(9, 3),
    ],
    "linear": lambda: [nn.Flatten(), nn.Linear(6, 3)],
}


class Hidden(nn.Module):
    """The chain in a module that the written-out step does not know."""

    def __init__(self, chain):
        super().__init__()
        self.chain = chain

    def forward(self, x):
        return self.chain(x)


class OtherMemory(Callback):
    """Gives every parameter other memory, with other numbers."""

    def on_epoch_end(self, net, **kwargs):
        for parameter in net.module_.parameters():
            parameter.data = 0.5 * parameter.data


class OtherRate(Callback):
    """Changes the rate of dropout."""

    def on_epoch_end(self, net, **kwargs):
        for part in net.module_.modules():
            if isinstance(part, nn.Dropout):
                part.p = 0.7


class OtherLayer(Callback):
    """Puts another last layer into the network, and gives it to the optimizer."""

    def on_epoch_end(self, net, **kwargs):
        chain = getattr(net.module_, "chain", net.module_)
        chain[-1] = nn.Linear(chain[-1].in_features, 3)
        net.optimizer_.add_param_group({"params": list(chain[-1].parameters())})


class Doubled(Callback):
    """Gives the network a ``forward`` of its own, from the second epoch on."""

    def on_epoch_end(self, net, **kwargs):
        kind = type(net.module_)
        net.module_.forward = MethodType(lambda module, x: kind.forward(module, 2 * x), net.module_)


def fitted(chain, hidden, **settings):
    def build(shape, k):
        network = nn.Sequential(*CHAINS[chain]())
        return Hidden(network) if hidden else network

    return DynamicsClassifier(build, batch_size=20, max_epochs=3, lr=0.01, random_state=0, **settings).fit(
        X, y
    )


def assert_same_training(chain, **settings):
    by_hand, by_autograd = (fitted(chain, hidden, **settings) for hidden in (False, True))
    for own, other in zip(by_hand.module_.parameters(), by_autograd.module_.parameters(), strict=True):
        torch.testing.assert_close(own, other, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(by_hand.loss_curve_, by_autograd.loss_curve_, rtol=1e-5)


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("settings", [{}, {"class_weight": "balanced"}, {"dtype": "float64"}], ids=str)
def test_it_trains_as_autograd_does(chain, settings):
    assert_same_training(chain, **settings)


@pytest.mark.parametrize("callback", [OtherMemory, OtherRate, OtherLayer, Doubled])
def test_what_a_callback_changes_is_trained_with(callback):
    assert_same_training("dropout", callbacks=[callback()])


def test_side_by_side_too_what_is_dropped_whole_is_zero():
    def build(shape, k):
        return nn.Sequential(*CHAINS["dropout of all"]())

    alone, *together = (
        DynamicsClassifier(build, batch_size=20, max_epochs=3, lr=0.01, random_state=0) for _ in range(3)
    )
    alone.fit(X, y)
    for clf in fit_together(together, X, y):
        np.testing.assert_allclose(clf.loss_curve_, alone.loss_curve_, rtol=1e-5)
    assert np.isfinite(alone.loss_curve_).all()


def test_the_loss_of_an_epoch_is_the_mean_of_the_losses_that_its_batches_gave():
    clf = fitted("dropout", hidden=False, record=["samples"])
    passing = fitted("dropout", hidden=False, record=[Samples(when="training")])
    np.testing.assert_allclose(clf.loss_curve_, passing.dynamics_.loss.mean(0), rtol=1e-6)
