"""A network that is given is copied for every fit, and stays as it was."""

import copy
import pickle
import threading
from itertools import combinations

import numpy as np
import pytest
import torch
import torch.nn.utils.prune
from sklearn import config_context
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from torch import nn
from torch.nn.parameter import is_lazy

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier, fit_together

X, y = load_iris(return_X_y=True)


class Tied(nn.Module):
    """A weight used twice, a buffer that training moves, and a tensor kept of the last forward pass."""

    def __init__(self):
        super().__init__()
        self.into, self.first, self.second = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 6)
        self.second.weight = self.first.weight
        self.out = nn.Linear(6, 3)
        self.register_buffer("seen", torch.zeros(()))
        self.kept = []

    def forward(self, x):
        if self.training:
            self.seen += len(x)
        self.kept = [torch.relu(self.into(x))]
        return self.out(torch.relu(self.second(torch.relu(self.first(self.kept[0])))))


def frozen():
    """A body that is not to be trained."""
    body = nn.Sequential(nn.Linear(4, 8), nn.ReLU())
    body.requires_grad_(False)
    return nn.Sequential(body, nn.Linear(8, 3))


def normalised():
    norm = nn.utils.parametrizations
    return nn.Sequential(
        norm.weight_norm(nn.Linear(4, 8)), nn.ReLU(), norm.spectral_norm(nn.Linear(8, 8)), nn.Linear(8, 3)
    )


def pruned():
    """Layers whose weights a mask makes anew in each pass; the last weight is a result, no parameter."""
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
    nn.utils.prune.l1_unstructured(net[0], "weight", 0.5)
    return net


def old_weight_norm():
    net = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.utils.weight_norm(nn.Linear(8, 3)))
    net(torch.ones(2, 4)).sum().backward()
    net.zero_grad()
    return net


NETWORKS = {
    "chain": lambda: nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3)),
    "tied": Tied,
    "frozen": frozen,
    "parametrized": normalised,
    "old-weight-norm": old_weight_norm,
    "pruned": pruned,
    "batch-norm": lambda: nn.Sequential(nn.Linear(4, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3)),
}
WAYS = {"instance": lambda net: net, "function": lambda net: lambda shape, k: net}

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")


@pytest.fixture(params=NETWORKS)
def given(request):
    torch.manual_seed(0)
    return NETWORKS[request.param]()


def classifier(module, **changes):
    settings = {"max_epochs": 3, "lr": 0.01, "batch_size": 50, "random_state": 0, **changes}
    return DynamicsClassifier(module, **settings)


def state(net):
    return {name: value.detach().clone() for name, value in net.state_dict().items()}


def assert_states_equal(a, b):
    assert a.keys() == b.keys()
    assert all(torch.equal(value, b[name]) for name, value in a.items())


def memory(net):
    return {value.data_ptr() for value in net.state_dict().values()}


@pytest.mark.parametrize("way", WAYS)
def test_each_fit_begins_with_the_weights_given_and_leaves_them(given, way):
    before = state(given)
    clf = classifier(WAYS[way](given)).fit(X, y)
    first = clf.loss_curve_
    assert_states_equal(state(clf.at_epoch(0).module_), before)
    assert clf.fit(X, y).loss_curve_ == first
    assert_states_equal(state(given), before)


def test_a_clone_holds_a_copy_and_fits_as_the_original(given):
    with config_context(enable_metadata_routing=True):
        clf = classifier(given).set_fit_request(sample_weight=True)
    twin = clone(clf.fit(X, y))
    assert twin.module is not given
    assert memory(twin.module).isdisjoint(memory(given))
    assert not hasattr(twin, "net_")
    assert twin.get_params().keys() == clf.get_params().keys()
    assert twin.get_metadata_routing().fit.requests == {"sample_weight": True} | dict.fromkeys(
        ("X_val", "sample_weight_val", "y_val")
    )
    assert twin.fit(X, y).loss_curve_ == clf.loss_curve_


def test_lazy_layers_are_made_in_each_copy():
    given = nn.Sequential(nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(3))
    made = nn.Sequential(nn.LazyLinear(8), nn.LazyBatchNorm1d(), nn.ReLU(), nn.LazyLinear(3))
    clf, twin, by_function = classifier(given), clone(classifier(given)), classifier(lambda shape, k: made)
    assert clf.fit(X, y).loss_curve_ == twin.fit(X, y).loss_curve_ == by_function.fit(X, y).loss_curve_
    assert all(is_lazy(parameter) for parameter in given.parameters())


@pytest.mark.parametrize("way", WAYS)
def test_no_two_fits_share_a_tensor(given, way):
    clf = classifier(WAYS[way](given))
    together = [classifier(WAYS[way](given), random_state=seed) for seed in range(3)]
    fits = [clf.fit(X, y), *fit_together(together, X, y)]
    nets = [given, clf.at_epoch(1).module_, *(fit.module_ for fit in fits)]
    assert all(memory(a).isdisjoint(memory(b)) for a, b in combinations(nets, 2))
    np.testing.assert_allclose(together[0].loss_curve_, clf.loss_curve_, rtol=1e-5)


def test_looking_back_changes_nothing(given):
    clf = classifier(lambda shape, k: given).fit(X, y)
    before, proba = state(clf.module_), clf.predict_proba(X)
    clf.at_epoch(0), clf.activations(X, epoch=1), list(clf.staged_predict(X)), clf.replay(X, y)
    assert_states_equal(state(clf.module_), before)
    assert np.array_equal(clf.predict_proba(X), proba)


def test_looking_back_does_not_build_again():
    made = []

    def once(shape, k):
        made.append(k)
        return nn.Linear(4, k)

    clf = classifier(once).fit(X, y)
    clf.at_epoch(1).predict(X)
    assert made == [3]
    assert clf.at_epoch(1).net_.module is clf.net_.module


def test_what_is_frozen_stays_and_the_rest_learns():
    net = frozen()
    clf = classifier(net, weight_decay=0.1).fit(X, y)
    assert_states_equal(state(clf.module_[0]), state(net[0]))
    assert not torch.equal(clf.module_[1].weight, net[1].weight)


def test_ties_and_buffers_survive():
    clf = classifier(Tied()).fit(X, y)
    assert clf.module_.first.weight is clf.module_.second.weight
    assert clf.module_.seen == 3 * len(X)
    assert clf.at_epoch(2).module_.first.weight is not clf.module_.first.weight


@pytest.mark.parametrize("together", [False, True], ids=["alone", "together"])
def test_a_frozen_network_beside_one_that_learns(together):
    """They look alike, and must not be trained alike."""
    nets = [NETWORKS["chain"](), NETWORKS["chain"]()]
    nets[1][0].requires_grad_(False)
    for order in (nets, nets[::-1]):
        fits = [classifier(net) for net in order]
        if together:
            fit_together(fits, X, y)
        else:
            [fit.fit(X, y) for fit in fits]
        moved = [
            not torch.equal(fit.module_[0].weight, net[0].weight)
            for fit, net in zip(fits, order, strict=True)
        ]
        assert moved == [net[0].weight.requires_grad for net in order]


def test_folds_and_candidates_know_nothing_of_each_other():
    """Labels at random stay at random, however often the same network is handed out."""
    rng = np.random.default_rng(0)
    noise, labels = rng.normal(size=(120, 20)), rng.integers(0, 2, 120)
    net = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 2))
    clf = classifier(lambda shape, k: net, max_epochs=60, batch_size="full")
    assert cross_val_score(clf, noise, labels, cv=4).mean() < 0.65
    search = BatchedGridSearchCV(clf, {"lr": [0.01, 0.011]}, cv=4, refit=False).fit(noise, labels)
    assert max(search.cv_results_["mean_test_score"]) < 0.65


def test_reinitialize_draws_from_random_state():
    net = NETWORKS["chain"]()
    kept, drawn, again, other = (
        classifier(net, reinitialize=r, random_state=s).fit(X, y).at_epoch(0).module_
        for r, s in ((False, 0), (True, 0), (True, 0), (True, 1))
    )
    assert torch.equal(kept[0].weight, net[0].weight)
    assert torch.equal(drawn[0].weight, again[0].weight)
    assert not torch.equal(drawn[0].weight, other[0].weight)
    assert not torch.equal(drawn[0].weight, net[0].weight)


def test_reinitialize_is_used_or_refused():
    with pytest.raises(ValueError, match="reinitialize must be True or False, got"):
        classifier(nn.Linear(4, 3), reinitialize="yes").fit(X, y)
    with pytest.raises(ValueError, match="draws the weights of an instance anew"):
        classifier(None, reinitialize=True).fit(X, y)


class Locked(nn.Linear):
    def __init__(self):
        super().__init__(4, 3)
        self.lock = threading.Lock()


def test_what_cannot_be_copied_is_refused():
    with pytest.raises(ValueError, match="module: each fit trains a copy, and Locked cannot be copied"):
        classifier(lambda shape, k: Locked()).fit(X, y)


def test_all_frozen_is_refused():
    net = nn.Linear(4, 3)
    net.requires_grad_(False)
    with pytest.raises(ValueError, match="module Linear: every parameter is frozen"):
        classifier(net).fit(X, y)


def test_a_fitted_classifier_is_pickled_and_copied_with_what_it_was_given():
    clf = classifier(NETWORKS["batch-norm"]()).fit(X, y)
    for again in (pickle.loads(pickle.dumps(clf)), copy.deepcopy(clf)):
        assert np.array_equal(again.at_epoch(1).predict_proba(X), clf.at_epoch(1).predict_proba(X))


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
@pytest.mark.parametrize("way", ["instance", "function", "part"])
def test_a_scripted_module_is_refused(way):
    """A copy by torch has weights that cannot be learned."""
    scripted = torch.jit.script(torch.nn.Linear(4, 3))
    module = {
        "instance": scripted,
        "function": lambda shape, k: scripted,
        "part": torch.nn.Sequential(scripted),
    }[way]
    with pytest.raises(TypeError, match=r"holds, a ScriptModule .* give the module that it was made of"):
        DynamicsClassifier(module).fit(X, y)
