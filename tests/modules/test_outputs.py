"""Whatever a module returns, its scores are found in it, everywhere."""

from collections import OrderedDict, namedtuple
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from skorch.callbacks import Callback
from torch import nn

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.dynamics._fields import named_arrays
from sklearn_nndyn.losses import LogLoss
from sklearn_nndyn.recording import Gradients
from tests.pairwise import pairwise

X, y = load_iris(return_X_y=True)
X2, y2 = X[:100], y[:100]
Pair = namedtuple("Pair", ["loss", "logits"])


class Net(nn.Module):
    """Gives its scores packed in some way."""

    def __init__(self, pack, n_outputs):
        super().__init__()
        self.pack = pack
        self.hidden, self.out = nn.Linear(4, 8), nn.Linear(8, n_outputs)

    def forward(self, x):
        h = torch.tanh(self.hidden(x))
        return self.pack(self.out(h), h)


class ModelOutput(OrderedDict):
    """As published networks give it: a dict that is also an object."""

    def __getattr__(self, name):
        return self[name]


PACKED = {
    "tuple": lambda z, h: (z, h),
    "list": lambda z, h: [z, h],
    "dict": lambda z, h: {"hidden": h, "logits": z},
    "object": lambda z, h: SimpleNamespace(hidden=h, logits=z),
    "named": lambda z, h: Pair(h.sum(), z),
    "model-output": lambda z, h: ModelOutput(loss=h.sum(), logits=z),
}
ONE_COLUMN = {
    "column": lambda z, h: z,
    "flat": lambda z, h: z.squeeze(1),
    "bare": lambda z, h: z.squeeze(),
    "dict": lambda z, h: {"logits": z},
}
EVERYTHING = ("samples", "geometry", "scores", Gradients("all"))


class WatchesBatches(Callback):
    """Makes skorch's own loop run."""

    def on_batch_end(self, net, **kwargs):
        pass


def classifier(pack, n_outputs, **changes):
    settings = {"max_epochs": 4, "lr": 0.05, "batch_size": 20, "random_state": 0, **changes}
    return DynamicsClassifier(lambda shape, k: Net(pack, n_outputs), **settings)


def plain(z, h):
    return z


def with_zeros(z, h):
    """Two columns, of which the first one is zero."""
    return torch.cat([torch.zeros_like(z), z], 1)


def assert_same_fit(clf, wanted, X, y, rtol=0):
    for (_, name, a), (_, _, b) in zip(
        named_arrays(clf.dynamics_), named_arrays(wanted.dynamics_), strict=True
    ):
        if a.dtype.kind == "f":
            np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol, err_msg=name)
        else:
            assert np.array_equal(a, b), name
    ways = {
        "predict_proba": lambda c: c.predict_proba(X),
        "one row": lambda c: c.predict_proba(X[:1]),
        "decision_function": lambda c: c.decision_function(X),
        "predict": lambda c: c.predict(X) == "no",
        "staged": lambda c: np.array(list(c.staged_predict_proba(X))),
        "replay": lambda c: c.replay(X, y).loss,
        "at_epoch": lambda c: c.at_epoch(2).predict_proba(X),
        "activations": lambda c: c.activations(X),
        "skorch": lambda c: c.net_.predict_proba(X.astype("float32")),
    }
    for name, way in ways.items():
        np.testing.assert_allclose(way(clf), way(wanted), rtol=rtol, atol=rtol, err_msg=name)


@pytest.mark.parametrize("callbacks", [None, [WatchesBatches()]], ids=["ours", "skorch"])
@pytest.mark.parametrize("pack", PACKED.values(), ids=PACKED)
def test_scores_are_found_in_what_a_module_returns(pack, callbacks):
    fits = [
        classifier(how, 3, record=EVERYTHING, callbacks=callbacks, validation_fraction=0.2).fit(X, y)
        for how in (pack, plain)
    ]
    assert_same_fit(*fits, X, y)


@pairwise(
    pack=ONE_COLUMN,
    loss={str(loss): loss for loss in ("log", "focal", "l2", "hinge", nn.CrossEntropyLoss())},
    callbacks={"ours": None, "skorch": [WatchesBatches()]},
)
def test_one_column_is_two_with_a_zero(pack, loss, callbacks):
    settings = {"record": EVERYTHING[:3], "callbacks": callbacks, "loss": loss}
    fits = [classifier(how, 1, **settings).fit(X2, y2) for how in (pack, with_zeros)]
    if not hasattr(fits[0], "predict_proba"):
        assert np.array_equal(fits[0].decision_function(X2), fits[1].decision_function(X2))
        return
    assert_same_fit(*fits, X2, y2, rtol=1e-6)


def test_one_column_of_a_chain_is_its_log_odds():
    """The default architecture's way is for one column each class; here it must not be taken."""
    torch.manual_seed(0)
    chain = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 1))
    clf = DynamicsClassifier(chain, max_epochs=30, lr=0.01, record=EVERYTHING, random_state=0)
    clf.fit(X2, np.array(["a", "b"])[y2])
    z = clf.module_(torch.tensor(X2, dtype=torch.float32)).detach().numpy()[:, 0]
    np.testing.assert_allclose(clf.decision_function(X2), z, rtol=1e-5)
    np.testing.assert_allclose(clf.predict_proba(X2)[:, 1], 1 / (1 + np.exp(-z)), rtol=1e-5)
    assert clf.score(X2, np.array(["a", "b"])[y2]) == 1
    exact = clf.replay(X2, np.array(["a", "b"])[y2], record=(Gradients("all"),)).gradient_norm
    assert exact.shape == clf.dynamics_.gradient_norm.shape


def test_gradient_norms_of_one_column_are_those_of_its_layer():
    net = nn.Sequential(nn.Linear(4, 1))
    closed, exact = (
        DynamicsClassifier(net, max_epochs=2, record=[Gradients(which)], random_state=0).fit(X2, y2).dynamics_
        for which in ("last", "all")
    )
    np.testing.assert_allclose(closed.gradient_norm, exact.gradient_norm, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(
    ("pack", "n_outputs"), [*((p, 2) for p in PACKED.values()), *((p, 1) for p in ONE_COLUMN.values())]
)
def test_together_as_alone(pack, n_outputs):
    alone, *fits = [classifier(pack, n_outputs, random_state=seed) for seed in (0, 0, 1, 2)]
    fit_together(fits, X2, y2)
    np.testing.assert_allclose(fits[0].loss_curve_, alone.fit(X2, y2).loss_curve_, rtol=1e-4)
    np.testing.assert_allclose(fits[0].dynamics_.loss, alone.dynamics_.loss, rtol=1e-3, atol=1e-5)


REFUSED = {
    "three classes": (
        ONE_COLUMN["column"],
        1,
        {},
        "one column of scores, which is for two classes, but there are 3",
    ),
    "flat": (ONE_COLUMN["flat"], 1, {}, "one column of scores, which is for two classes, but there are 3"),
    "no logits": (
        lambda z, h: {"scores": z, "hidden": h},
        3,
        {},
        "module gives a dict of 'scores', 'hidden': its scores are read from \"logits\"",
    ),
    "wrong logits": (lambda z, h: {"logits": h}, 3, {}, "a score for each of the 3 classes"),
}


@pytest.mark.parametrize(("pack", "n_outputs", "changes", "message"), REFUSED.values(), ids=REFUSED)
def test_what_holds_no_scores_is_refused(pack, n_outputs, changes, message):
    with pytest.raises(ValueError, match=message):
        classifier(pack, n_outputs, **changes).fit(X, y)


def test_sigmoids_need_a_column_for_each_class():
    with pytest.raises(ValueError, match='link="sigmoid" needs one for each class'):
        classifier(plain, 1, loss=LogLoss(link="sigmoid")).fit(X2, y2)


@pytest.mark.parametrize("loss", ["log", "focal", "expectation"])
def test_a_softmax_before_a_loss_that_takes_it_is_told(loss):
    X, y = load_iris(return_X_y=True)
    network = nn.Sequential(nn.Linear(4, 3), nn.Softmax(1))
    clf = DynamicsClassifier(network, loss=loss, max_epochs=1)
    with pytest.warns(
        UserWarning, match=f"gives probabilities, of which the loss '{loss}' takes the softmax again"
    ):
        clf.fit(X, y)
    DynamicsClassifier(nn.Sequential(nn.Linear(4, 3), nn.LogSoftmax(1)), loss=loss, max_epochs=1).fit(X, y)


@pytest.mark.parametrize("n_outputs", [1, 2])
@pytest.mark.parametrize("flat", [False, True])
def test_a_sigmoid_before_a_loss_that_takes_probabilities_is_told(n_outputs, flat):
    layers = [nn.Linear(4, n_outputs), nn.Sigmoid()] + [nn.Flatten(0)] * (flat and n_outputs == 1)
    with pytest.warns(UserWarning, match="the loss 'log' takes the softmax again.* end without a sigmoid"):
        DynamicsClassifier(nn.Sequential(*layers), max_epochs=1).fit(X2, y2)


def test_two_sigmoids_are_told():
    network = nn.Sequential(nn.Linear(4, 2), nn.Sigmoid())
    with pytest.warns(UserWarning, match="'log' takes the sigmoid again.* end without a sigmoid"):
        DynamicsClassifier(network, loss=LogLoss(link="sigmoid"), max_epochs=1).fit(X2, y2)


@pytest.mark.parametrize(
    ("layers", "loss"),
    [
        ([nn.Linear(4, 1)], "log"),
        ([nn.Linear(4, 3), nn.Sigmoid(), nn.Linear(3, 1)], "log"),
        ([nn.Linear(4, 2), nn.Sigmoid()], "l2"),
        ([nn.Linear(4, 2), nn.LogSigmoid()], "log"),
    ],
    ids=["logit", "hidden sigmoid", "loss of scores", "logarithms"],
)
def test_what_is_no_probability_is_let_alone(layers, loss):
    DynamicsClassifier(nn.Sequential(*layers), loss=loss, max_epochs=1).fit(X2, y2)
