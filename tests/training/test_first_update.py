"""What a first update would fail at is found before training starts: gradients, and the optimizer that takes them."""

from functools import partial

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from sklearn_nndyn import DynamicsClassifier, fit_together

rng = np.random.default_rng(0)
X = rng.normal(size=(60, 4)).astype("float32")
IDS = rng.integers(0, 20, size=(60, 5))
y = np.arange(60) % 3


class Words(torch.nn.Module):
    """The mean of the vectors of some words, and a layer."""

    def __init__(self, bag, sparse):
        super().__init__()
        torch.manual_seed(0)
        self.table = (torch.nn.EmbeddingBag if bag else torch.nn.Embedding)(20, 6, sparse=sparse)
        self.out, self.bag = torch.nn.Linear(6, 3), bag

    def forward(self, ids):
        vectors = self.table(ids)
        return self.out(vectors if self.bag else vectors.mean(1))


class Net(torch.nn.Module):
    """A module whose scores a function changes."""

    def __init__(self, change=None):
        super().__init__()
        self.layers = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
        self.change = change

    def forward(self, x):
        scores = self.layers(x)
        return scores if self.change is None else self.change(scores)


class FailsInBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, scores):
        return scores.clone()

    @staticmethod
    def backward(ctx, gradient):
        raise RuntimeError("no derivative")


class ClosureSGD(torch.optim.SGD):
    """Computes the loss in each step, as optimizers that look around do."""

    def step(self, closure):
        closure()
        super().step()


def classifier(module, **changes):
    return DynamicsClassifier(
        module, **{"max_epochs": 3, "batch_size": 20, "lr": 0.1, "random_state": 0, **changes}
    )


SPARSE = {"sgd": {}, "momentum": {"optimizer_params": {"momentum": 0.9}}, "adagrad": {"optimizer": "adagrad"}}


@pytest.mark.filterwarnings("ignore:Sparse invariant checks|There is a performance drop")
@pytest.mark.parametrize("bag", [True, False])
@pytest.mark.parametrize("name", SPARSE)
def test_sparse_gradients_train_as_dense_ones(name, bag):
    settings = {"optimizer": "sgd", **SPARSE[name]}
    sparse, dense = (classifier(Words(bag, kind), **settings).fit(IDS, y) for kind in (True, False))
    together = fit_together([classifier(Words(bag, True), **settings) for _ in range(2)], IDS, y)
    for clf in (dense, *together):
        np.testing.assert_allclose(clf.decision_function(IDS), sparse.decision_function(IDS), atol=1e-6)
    assert not np.allclose(
        sparse.at_epoch(0).decision_function(IDS), sparse.decision_function(IDS), atol=1e-3
    )


UNABLE = {
    "adam": ({}, "Adam"),
    "rmsprop": ({"optimizer": "rmsprop"}, "RMSprop"),
    "decay": ({"optimizer": "sgd", "weight_decay": 0.1}, "SGD"),
    "kernel": ({"optimizer": "sgd", "optimizer_params": {"fused": True}}, "SGD"),
    "dense ones beside": ({"optimizer": torch.optim.SparseAdam}, "SparseAdam"),
}


@pytest.mark.parametrize("name", UNABLE)
def test_an_optimizer_that_takes_no_sparse_gradients_is_refused_with_what_takes_them(name):
    settings, optimizer = UNABLE[name]
    clf = classifier(Words(True, True), **settings)
    words = (
        rf"optimizer {optimizer} cannot update the parameters of module \(the gradient of table.weight is sparse: set "
        r'sparse=False in the embedding, or take optimizer="sgd" or "adagrad" with weight_decay=0\): RuntimeError'
    )
    with pytest.raises(ValueError, match=words):
        clf.fit(IDS, y)
    assert not hasattr(clf, "net_")


@pytest.mark.parametrize("optimizer", ["rmsprop", "nadam"])
def test_a_setting_that_the_first_step_refuses_is_refused(optimizer):
    clf = classifier(Net, optimizer=optimizer, optimizer_params={"capturable": True})
    with pytest.raises(
        ValueError, match="cannot update the parameters of module: AssertionError: If capturable=True"
    ):
        clf.fit(X, y)
    assert not hasattr(clf, "net_")


def test_an_optimizer_is_given_the_closure_that_its_step_needs():
    by_closure, plain = (classifier(Net, optimizer=kind).fit(X, y) for kind in (ClosureSGD, "sgd"))
    np.testing.assert_allclose(by_closure.decision_function(X), plain.decision_function(X), atol=1e-5)
    np.testing.assert_allclose(by_closure.loss_curve_, plain.loss_curve_, atol=1e-6)


GROUPS = {
    "rate": ({"lr": -1}, "Invalid learning rate: -1"),
    "betas": ({"betas": (2.0, 0.9)}, "Invalid beta parameter at index 0: 2.0"),
}


@pytest.mark.parametrize("name", GROUPS)
def test_a_setting_of_a_group_that_torch_would_not_check_is_refused(name):
    settings, words = GROUPS[name]
    clf = classifier(Net, optimizer_params={"param_groups": [("layers.0.*", settings)]})
    with pytest.raises(ValueError, match=r"the settings of param_groups for 'layers.0.\*', .*" + words):
        clf.fit(X, y)


def test_a_group_of_no_parameter_is_refused_where_training_goes_on_too():
    clf = classifier(Net, warm_start=True).fit(X, y)
    clf.set_params(optimizer_params={"param_groups": [("nothing.*", {"lr": 1.0})]})
    for go_on in (clf.fit, clf.partial_fit):
        with pytest.raises(
            ValueError, match=r"param_groups names 'nothing.\*', but no parameter of the module"
        ):
            go_on(X, y)
    assert clf.n_iter_ == 3


NAMES = {
    "torch.optim.Adam": 'Did you mean "adam"?',
    "SparseAdam": "give the class, torch.optim.SparseAdam",
    "muon": "give the class, torch.optim.Muon",
}


@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_optimizer_is_answered_with_what_to_write(name):
    with pytest.raises(ValueError, match=r"optimizer .* is unknown") as caught:
        classifier(Net, optimizer=name).fit(X, y)
    assert NAMES[name] in str(caught.value)


@pytest.mark.parametrize("name", ["made", "partial"])
def test_an_optimizer_that_is_no_class_is_answered_with_where_its_parameters_go(name):
    given = {
        "made": torch.optim.SGD(Net().parameters(), lr=0.1),
        "partial": partial(torch.optim.SGD, momentum=0.9),
    }[name]
    with pytest.raises(TypeError, match=r"Its further parameters go into optimizer_params, such") as caught:
        classifier(Net, optimizer=given).fit(X, y)
    assert "\n" not in str(caught.value)


# Gradients


def fails(scores):
    return FailsInBackward.apply(scores)


def nan_behind(scores):
    """The scores, and the root of zero, whose derivative is infinite."""
    return scores + (0 * scores).square().sum(1, keepdim=True).sqrt()


def test_gradients_that_cannot_be_computed_are_found_before_training():
    clf = classifier(Net(fails))
    with pytest.raises(
        ValueError, match="the gradient of the loss cannot be computed: RuntimeError: no derivative"
    ):
        clf.fit(X, y)
    assert not hasattr(clf, "net_")


def test_a_gradient_of_nan_is_named_before_training():
    words = (
        r"the gradient of layers.0.weight is nan for the first samples, .* sqrt, norm, log and divisions at 0"
    )
    with pytest.raises(ValueError, match=words):
        classifier(Net(nan_behind)).fit(X, y)


class Mend(Callback):
    def on_grad_computed(self, net, named_parameters, **kwargs):
        for _, parameter in named_parameters:
            parameter.grad.nan_to_num_()


def test_a_callback_may_mend_it():
    assert classifier(Net(nan_behind), callbacks=[Mend()]).fit(X, y).n_iter_ == 3


# State


class Counts(torch.nn.Module):
    """Counts its batches of training, in a number or in a buffer; the count matters or not."""

    def __init__(self, in_buffer, matters=True):
        super().__init__()
        self.out, self.matters = torch.nn.Linear(4, 3), matters
        if in_buffer:
            self.register_buffer("count", torch.zeros(()))
        else:
            self.count = 0

    def forward(self, x):
        if self.training:
            self.count += 1
        return self.out(x) * (1 + 0.1 * self.count * self.matters)


class Noisy(torch.nn.Module):
    """Random in evaluation too."""

    def __init__(self):
        super().__init__()
        self.out = torch.nn.Linear(4, 3)

    def forward(self, x):
        return self.out(x + torch.randn_like(x))


def test_no_epoch_is_gone_back_to_where_the_state_of_a_module_is_not_all_of_it():
    module = Counts(in_buffer=False)
    clf = classifier(module).fit(X, y)
    assert clf.score(X, y) == clf.dynamics_.accuracy[-1]
    told = r"{} would go back to the network of an epoch, but .* self\.register_buffer\(name, tensor\)"
    for way in (lambda: clf.replay(X, y), lambda: clf.at_epoch(1), lambda: list(clf.staged_predict(X))):
        with pytest.raises(ValueError, match=told.format("(replay|at_epoch|the staged_ methods)")):
            way()
    with pytest.raises(ValueError, match=told.format("early_stopping")):
        classifier(module, early_stopping=True, monitor="train_loss").fit(X, y)
    together = fit_together([classifier(module), classifier(module, random_state=1)], X, y)
    with pytest.raises(ValueError, match=told.format("at_epoch")):
        together[1].at_epoch(1)


def test_what_is_in_a_buffer_is_gone_back_to():
    clf = classifier(Counts(in_buffer=True)).fit(X, y)
    np.testing.assert_array_equal(clf.replay(X, y).loss, clf.dynamics_.loss)
    assert int(clf.module_.count) == 9
    assert int(clf.at_epoch(1).module_.count) == 3


@pytest.mark.parametrize("module", [Counts(in_buffer=False, matters=False), Noisy()], ids=["counts", "noise"])
def test_what_scores_do_not_depend_on_is_left_alone(module):
    assert classifier(module).fit(X, y).n_iter_ == 3
