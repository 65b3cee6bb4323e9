"""Averaged weights: what is recorded is what predicts, and it is the average by its slow definition."""

import copy

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback
from torch import nn

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.modules import AveragedWeights
from tests.classifiers.inputs.kinds import assert_same_fit, assert_same_weights
from tests.problems import PROBLEMS

X, Y = PROBLEMS[0].data()
N_CLASSES = len(np.unique(Y))


def network(shape=None, n_classes=N_CLASSES):
    return nn.Sequential(
        nn.Linear(X.shape[1], 6), nn.LayerNorm(6), nn.Tanh(), nn.Dropout(0.2), nn.Linear(6, n_classes)
    )


def classifier(decay=0.9, begin=0, of=network, **changes):
    def module(shape, n_classes):
        return AveragedWeights(of(shape, n_classes), decay, begin)

    settings = {"max_epochs": 4, "lr": 0.05, "batch_size": 20, "random_state": 0, **changes}
    return DynamicsClassifier(module if of is not None else network, **settings)


class KeepsWeights(Callback):
    """The weights before each update."""

    def on_train_begin(self, net, **kwargs):
        self.weights_ = []

    def on_batch_begin(self, net, training=True, **kwargs):
        if training:
            self.weights_.append(copy.deepcopy(net.module_.module.state_dict()))


def mean_of(weights, decay):
    mean = copy.deepcopy(weights[0])
    for count, now in enumerate(weights[1:], start=2):
        share = 1 / count if decay is None else 1 - decay
        mean = {name: (1 - share) * mean[name] + share * now[name] for name in mean}
    return mean


@pytest.mark.parametrize(("decay", "begin"), [(0.9, 0), (0.5, 3), (None, 0), (None, 7)])
def test_it_predicts_with_the_mean_of_the_weights(decay, begin):
    keeps = KeepsWeights()
    clf = classifier(decay, begin, callbacks=[keeps]).fit(X, Y)
    slow = network()
    slow.load_state_dict(mean_of(clf.callbacks[0].weights_[begin:], decay))
    scores = slow.eval()(torch.from_numpy(X).float()).detach().numpy()
    np.testing.assert_allclose(np.log(clf.predict_proba(X)), torch.tensor(scores).log_softmax(1), atol=1e-4)


def test_it_trains_as_the_network_alone_does():
    averaged, alone = classifier().fit(X, Y), classifier(of=None).fit(X, Y)
    for a, b in zip(averaged.module_.module.parameters(), alone.module_.parameters(), strict=True):
        assert torch.equal(a, b)
    np.testing.assert_array_equal(averaged.loss_curve_, alone.loss_curve_)
    assert (averaged.dynamics_.loss[:, -1] != alone.dynamics_.loss[:, -1]).any()


@pytest.mark.parametrize("snapshots", [True, "trainable"])
def test_it_is_recorded_as_it_predicts(snapshots):
    clf = classifier(snapshots=snapshots).fit(X, Y, X_val=X[:9], y_val=Y[:9])
    assert_same_weights(clf, classifier(record=(), snapshots=False).fit(X, Y))
    for epoch in (0, 2, 4):
        short = classifier(max_epochs=max(1, epoch)).fit(X, Y)
        np.testing.assert_array_equal(
            clf.dynamics_.loss[:, : epoch + 1], short.dynamics_.loss[:, : epoch + 1]
        )
        np.testing.assert_array_equal(
            clf.at_epoch(epoch).predict(X), clf.classes_[clf.dynamics_.prediction[:, epoch]]
        )
    np.testing.assert_allclose(clf.replay(X, Y).loss, clf.dynamics_.loss, rtol=1e-5, atol=1e-6)
    assert list(clf.dynamics_.centroids) == ["module.0"]


def test_going_on():
    by_epoch = classifier()
    for _ in range(4):
        by_epoch.partial_fit(X, Y)
    assert_same_fit(by_epoch, classifier().fit(X, Y))


def test_each_goes_alone_among_others():
    alone = classifier().fit(X, Y)
    (own, _) = fit_together([classifier(), classifier(random_state=1)], X, Y)
    assert_same_fit(own, alone)


def test_weights_drawn_anew_have_no_old_average():
    given = AveragedWeights(network())
    fits = []
    for decay in (0.9, 0.9):
        given.decay = decay
        fits.append(DynamicsClassifier(given, reinitialize=True, random_state=0, max_epochs=2).fit(X, Y))
        given(torch.from_numpy(X).float())
    assert_same_fit(*fits)


@pytest.mark.parametrize("decay", [1, -0.1, "much", np.nan])
def test_decays_that_are_none(decay):
    with pytest.raises(ValueError, match="decay must be None or a number from 0 to 1"):
        AveragedWeights(network(), decay)


def test_weights_without_a_shape():
    with pytest.raises(ValueError, match="call it with some rows first"):
        AveragedWeights(nn.LazyLinear(3))
