"""Losses with settings of their own, inside the classifier and its searches."""

from functools import partial

import numpy as np
import pytest
import torch.nn.functional as F
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from torch import nn

from sklearn_nndyn import BatchedGridSearchCV
from sklearn_nndyn.losses import (
    ChebyshevLoss,
    ExpectationLoss,
    FocalLoss,
    GeneralizedCrossEntropyLoss,
    Poly1Loss,
    SymmetricCrossEntropyLoss,
    loss_names,
)
from tests.classifiers.together.comparing import assert_as_its_own_fit, fit_both, small
from tests.losses.cases import OTHER_SETTINGS, Case
from tests.problems import Problem


@pytest.mark.parametrize(
    ("link", "dtype", "optimizer"), [("softmax", "float32", "sgd"), ("sigmoid", "float64", "adam")]
)
def test_trained_together_each_is_what_its_own_fit_makes(link, dtype, optimizer):
    """All by name, with other settings, twice one of them, and the log loss among them."""
    X, y = Problem("vectors").data()
    later = [name for name in loss_names() if name not in loss_names("paper")]
    losses = [*later, *[Case(name, link, settings).make() for name, settings in OTHER_SETTINGS]]
    losses += [FocalLoss(gamma=0.5, link=link), "log"]

    def make():
        return [small(loss=loss, dtype=dtype, optimizer=optimizer) for loss in losses]

    together, alone = fit_both(make, X, y)
    for clf, own in zip(together, alone, strict=True):
        assert_as_its_own_fit(clf, own, X, y)
    first, *others = (clf.dynamics_.loss[:, 0].mean() for clf in alone)
    assert first not in others


def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300] / 16, y[:300]


def test_a_setting_is_searched_over_by_giving_the_losses():
    """Every candidate is trained with its own, one by one and all at once."""
    losses = [FocalLoss(gamma=gamma) for gamma in (2, 0, 5)]
    gammas = {"gamma": lambda clf, X, y: clf.loss_.gamma, "accuracy": "accuracy"}
    one_by_one, at_once = (
        search(small(lr=0.01), {"loss": losses}, cv=2, scoring=gammas, refit="gamma").fit(*digits())
        for search in (GridSearchCV, BatchedGridSearchCV)
    )
    for search in (one_by_one, at_once):
        assert search.cv_results_["mean_test_gamma"].tolist() == [2, 0, 5]
        assert search.best_params_["loss"] is losses[2]
        assert repr(search.best_estimator_.loss_) == repr(losses[2])
    accuracies, others = (search.cv_results_["mean_test_accuracy"] for search in (one_by_one, at_once))
    assert accuracies == pytest.approx(others, abs=0.02)
    assert len(set(accuracies)) > 1


@pytest.mark.parametrize(
    "loss",
    [
        FocalLoss(gamma=1, link="sigmoid"),
        GeneralizedCrossEntropyLoss(q=0.3),
        Poly1Loss(epsilon=-1),
        SymmetricCrossEntropyLoss(log_zero=-1),
    ],
)
def test_a_clone_has_the_settings(loss):
    clf = clone(small(loss=loss))
    assert clf.loss is not loss
    assert repr(clf.loss) == repr(loss)
    X, y = Problem("vectors").data()
    clf.fit(X, y)
    assert clf.dynamics_.header["parameters"]["loss"] == repr(loss)


ADAM = {"optimizer": "adam", "optimizer_params": {"eps": 1e-40}}  # which it adds to what it divides by


def expectation_and_chebyshev(link, **settings):
    """The records of both, trained on the digits."""
    for kind in (ExpectationLoss, ChebyshevLoss):
        clf = small(loss=kind(link=link), dtype="float64", max_epochs=10, lr=0.01, **settings)
        yield clf.fit(*digits()).dynamics_


def test_expectation_and_chebyshev_take_the_same_path_under_adam_with_softmax():
    """One is twice the other, and Adam divides by the size of the gradient."""
    one, other = expectation_and_chebyshev("softmax", **ADAM)
    np.testing.assert_array_equal(one.accuracy, other.accuracy)
    np.testing.assert_array_equal(one.prediction, other.prediction)
    np.testing.assert_allclose(one.margin, other.margin, rtol=1e-4, atol=1e-5)
    assert one.accuracy[-1] > one.accuracy[0] + 0.3


@pytest.mark.parametrize(("link", "optimizer"), [("sigmoid", ADAM), ("softmax", {"optimizer": "sgd"})])
def test_they_do_not_with_sigmoids_nor_under_plain_gradient_descent(link, optimizer):
    one, other = expectation_and_chebyshev(link, **optimizer)
    np.testing.assert_array_equal(one.margin[:, 0], other.margin[:, 0])
    assert abs(one.margin[:, -1] - other.margin[:, -1]).max() > 0.01
    assert (one.prediction != other.prediction).any()


BINARY = "write 'log', which for two classes is the binary cross-entropy .* a module may end with one output"
SQUARES = "write 'regularized_expectation', .* or 'l2'"
ELSE = 'but a classifier has a score for each class and one label: write loss="log", or a loss of your own'
OTHER_LOSSES = {
    "BCEWithLogitsLoss": (nn.BCEWithLogitsLoss(), BINARY),
    "BCELoss": (nn.BCELoss, BINARY),
    "SoftMarginLoss": (nn.SoftMarginLoss(), BINARY),
    "binary_cross_entropy_with_logits": (F.binary_cross_entropy_with_logits, BINARY),
    "MSELoss": (nn.MSELoss(), SQUARES),
    "mse_loss": (F.mse_loss, SQUARES),
    "L1Loss": (nn.L1Loss(), "write 'expectation', .* or 'l1'"),
    "HuberLoss": (nn.HuberLoss(), "write 'expectation', .* or 'l1'"),
    "KLDivLoss": (nn.KLDivLoss, "write 'log', which is the Kullback-Leibler divergence"),
    "HingeEmbeddingLoss": (nn.HingeEmbeddingLoss(), "write 'hinge'"),
    "CTCLoss": (nn.CTCLoss(), "takes sequences of labels, " + ELSE),
    "TripletMarginLoss": (nn.TripletMarginLoss(), "takes triples of samples, " + ELSE),
    "CosineEmbeddingLoss": (nn.CosineEmbeddingLoss(), "takes pairs of samples, " + ELSE),
    "MultiLabelMarginLoss": (nn.MultiLabelMarginLoss(), "takes several labels for each sample, " + ELSE),
    "multilabel_soft_margin_loss": (
        F.multilabel_soft_margin_loss,
        "takes several labels for each sample, " + ELSE,
    ),
    "PoissonNLLLoss": (nn.PoissonNLLLoss(), "takes counts, " + ELSE),
}


@pytest.mark.parametrize("name", OTHER_LOSSES)
def test_a_torch_loss_of_something_else_is_answered_with_what_to_write(name):
    loss, words = OTHER_LOSSES[name]
    X, y = digits()
    with pytest.raises(ValueError, match=f"^loss {name} .*{words}"):
        small(loss=loss).fit(X, y)


class OneHot(nn.MSELoss):
    """A user's own loss made of one of those."""

    def forward(self, scores, target):
        return super().forward(scores, F.one_hot(target, scores.shape[1]).to(scores)).mean(1)


@pytest.mark.parametrize("loss", [OneHot(), nn.MultiMarginLoss(), partial(F.cross_entropy, reduction="none")])
def test_those_of_scores_and_labels_are_trained_with(loss):
    X, y = digits()
    curve = small(loss=loss, max_epochs=2).fit(X, y).loss_curve_
    assert curve[1] < curve[0]


class Lazy(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.LazyLinear(10)

    def forward(self, scores, target):
        return F.cross_entropy(self.layer(scores), target, reduction="none")


@pytest.mark.parametrize("loss", [Lazy, Lazy()])
def test_a_loss_whose_parameters_have_no_shape_yet_is_refused(loss):
    X, y = digits()
    with pytest.raises(ValueError, match=r"^loss: 'loss\.layer\.weight' has no shape yet \(a lazy layer\)"):
        small(loss=loss).fit(X, y)
