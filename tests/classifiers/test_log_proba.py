"""``predict_log_proba``: there where ``predict_proba`` is, and its logarithm, without the loss of small ones."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_predict

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.losses import LogLoss, ProbabilityLoss, loss_names

X, y = load_iris(return_X_y=True)


class Squared(ProbabilityLoss):
    """A user's loss whose probabilities are not the softmax."""

    def formula(self, log_p, p, y):
        return (p - y).square().sum(-1)

    def predict_proba(self, scores):
        squared = scores.square() + 1
        return squared / squared.sum(-1, keepdim=True)


def fitted(loss, **changes):
    return DynamicsClassifier(loss=loss, max_epochs=3, lr=0.02, random_state=0, **changes).fit(X, y)


LOSSES = {
    **{name: name for name in loss_names()},
    "sigmoid": LogLoss(link="sigmoid"),
    "cross-entropy": torch.nn.CrossEntropyLoss(label_smoothing=0.1),
    "multi-margin": torch.nn.MultiMarginLoss(),
    "own": Squared(),
}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
def test_it_is_the_logarithm_of_predict_proba_where_that_is(loss):
    clf = fitted(loss)
    assert hasattr(clf, "predict_log_proba") == hasattr(clf, "predict_proba")
    if hasattr(clf, "predict_proba"):
        np.testing.assert_allclose(
            clf.predict_log_proba(X), np.log(clf.predict_proba(X)), rtol=1e-4, atol=1e-5
        )


def test_without_probabilities_it_says_why():
    with pytest.raises(AttributeError, match="predict_log_proba"):
        fitted("hinge").predict_log_proba(X)


@pytest.mark.parametrize("loss", ["log", "cross-entropy"])
def test_it_is_finite_where_the_probability_vanishes(loss):
    clf = fitted(LOSSES[loss])
    far = 1e5 * X
    assert (clf.predict_proba(far) == 0).any()
    logs = clf.predict_log_proba(far)
    assert np.isfinite(logs).all()
    assert logs.min() < -200
    scores = clf.decision_function(far).astype(float)
    exact = scores - scores.max(1, keepdims=True)
    exact -= np.log(np.exp(exact).sum(1, keepdims=True))
    np.testing.assert_allclose(logs, exact, rtol=1e-5, atol=1e-5)


def test_scikit_learn_finds_it():
    clf = DynamicsClassifier(max_epochs=3, random_state=0)
    logs = cross_val_predict(clf, X, y, cv=3, method="predict_log_proba")
    proba = cross_val_predict(clone(clf), X, y, cv=3, method="predict_proba")
    np.testing.assert_allclose(np.exp(logs), proba, rtol=1e-5)
