"""Networks and layers that are put into the net by callbacks or by hand, and of which the optimizer knows nothing."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback, Freezer

from sklearn_nndyn import DynamicsClassifier, fit_together

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
y = (X[:, 0] > 0).astype(int)


class Replace(Callback):
    def on_train_begin(self, net, **kwargs):
        net.module_ = torch.nn.Linear(4, 2)


def classifier(batch_size, seed=0):
    return DynamicsClassifier(
        lambda shape, k: torch.nn.Linear(4, k),
        callbacks=[Replace()],
        batch_size=batch_size,
        max_epochs=2,
        random_state=seed,
    )


@pytest.mark.parametrize("batch_size", [20, "full"])
def test_a_network_that_the_optimizer_does_not_hold_is_refused(batch_size):
    with pytest.raises(ValueError, match="the optimizer holds no parameter of net"):
        classifier(batch_size).fit(X, y)


def test_it_is_refused_among_networks_trained_together():
    with pytest.raises(ValueError, match="the optimizer holds no parameter of net"):
        fit_together([classifier(20, seed) for seed in (0, 1)], X, y)


class PutIn(Callback):
    """Puts a layer into the network, at some event, and makes the optimizer anew or not."""

    def __init__(self, event, with_optimizer=False):
        self.event, self.with_optimizer = event, with_optimizer

    def put(self, net):
        net.module_[1] = torch.nn.Linear(3, 2)
        if self.with_optimizer:
            net.initialize_optimizer()

    def on_train_begin(self, net, **kwargs):
        if self.event == "on_train_begin":
            self.put(net)

    def on_epoch_begin(self, net, **kwargs):
        if self.event == "on_epoch_begin":
            self.put(net)


def chain(shape, k):
    return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, k))


def chains(*callbacks, **settings):
    settings = {"max_epochs": 2, "random_state": 0, **settings}
    return DynamicsClassifier(chain, callbacks=list(callbacks), **settings)


@pytest.mark.parametrize("event", ["on_train_begin", "on_epoch_begin"])
def test_a_layer_that_a_callback_puts_in_is_refused_unless_the_optimizer_is_made_anew(event):
    with pytest.raises(
        ValueError, match=rf"the parameters 1.weight, 1.bias were put into .* \(seen after {event}\)"
    ):
        chains(PutIn(event)).fit(X, y)
    assert chains(PutIn(event, with_optimizer=True)).fit(X, y).n_iter_ == 2


def test_a_network_put_in_between_epochs_is_refused():
    class Replaces(Callback):
        def on_epoch_end(self, net, **kwargs):
            net.module_ = chain(None, 2)

    clf = chains(Replaces())
    with pytest.raises(
        ValueError, match=r"after on_epoch_begin the optimizer holds no parameter of net\.module_"
    ):
        clf.fit(X, y)
    assert clf.n_iter_ == 1


def test_a_layer_put_in_by_hand_is_refused_where_training_goes_on():
    clf = chains(warm_start=True).fit(X, y)
    clf.module_[1] = torch.nn.Linear(3, 2)
    with pytest.raises(ValueError, match=r"make the optimizer anew, net_.initialize_optimizer\(\)"):
        clf.fit(X, y)
    before = clf.module_[1].weight.clone()
    clf.net_.initialize_optimizer()
    assert not torch.equal(clf.fit(X, y).module_[1].weight, before)


def test_an_optimizer_of_a_part_of_the_network_is_let_be():
    class Part(Callback):
        def on_train_begin(self, net, **kwargs):
            net.optimizer_ = torch.optim.SGD(net.module_[1].parameters(), lr=0.1)

    clf = chains(Part()).fit(X, y)
    first = clf.at_epoch(0).module_
    assert torch.equal(first[0].weight, clf.module_[0].weight)
    assert not torch.equal(first[1].weight, clf.module_[1].weight)


def test_a_network_that_was_frozen_whole_is_refused_in_words():
    words = r"every parameter of the network is frozen \(requires_grad=False\) after {}: there is nothing to train"
    with pytest.raises(ValueError, match=words.format("on_epoch_begin")):
        chains(Freezer("*")).fit(X, y)
    clf = chains(warm_start=True).fit(X, y)
    clf.module_.requires_grad_(False)
    with pytest.raises(ValueError, match=words.format("on_train_begin")):
        clf.fit(X, y)
    assert clf.n_iter_ == 2


def test_a_layer_more_than_the_snapshots_hold_is_told():
    clf = chains(warm_start=True).fit(X, y)
    clf.module_.append(torch.nn.Linear(2, 2))
    with pytest.raises(
        ValueError, match="the network has no longer the layout of the first of its snapshots"
    ):
        clf.fit(X, y)
