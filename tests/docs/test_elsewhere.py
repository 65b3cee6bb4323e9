"""What the page for those who come from elsewhere says of differences is so."""

import numpy as np
import pytest
import torch
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import HalvingGridSearchCV

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier
from tests.problems import PROBLEMS

X, y = PROBLEMS[0].data()


def small(**changes):
    return DynamicsClassifier(**{"max_epochs": 2, "random_state": 0, **changes})


def test_lbfgs_goes_on_too():
    clf = small(optimizer="lbfgs", lr=0.1, optimizer_params={"max_iter": 3, "max_eval": 2})
    assert clf.partial_fit(X, y).partial_fit(X, y).n_iter_ == 2
    assert isinstance(clf.net_.optimizer_, torch.optim.LBFGS)


def test_warm_starts_count_all_epochs_and_may_lack_a_class():
    clf = small(warm_start=True).fit(X, y)
    assert clf.fit(X[y != "eel"], y[y != "eel"]).n_iter_ == 4
    assert clf.classes_.tolist() == ["cat", "dog", "eel"]
    with pytest.raises(ValueError, match=r"y holds labels unseen at fit: \['fox'\]"):
        clf.fit(X, np.where(y == "eel", "fox", y))


def test_early_stopping_alone_holds_nothing_out():
    clf = small(early_stopping=True).fit(X, y)
    assert clf.dynamics_.n_samples == len(X)
    assert not hasattr(clf, "validation_scores_")
    assert hasattr(clf, "best_epoch_")


def test_dtype_is_a_parameter():
    for given in ("float32", "float64"):
        assert next(small().fit(X.astype(given), y).module_.parameters()).dtype is torch.float32


class OwnFit(DynamicsClassifier):
    def fit(self, X, y):
        return super().fit(X, y)


def test_a_subclass_with_a_fit_of_its_own_is_not_searched_over():
    with pytest.raises(TypeError, match="OwnFit, which has a fit of its own"):
        BatchedGridSearchCV(OwnFit(), {"lr": [0.1]}).fit(X, y)


def test_successive_halving_takes_the_classifier():
    search = HalvingGridSearchCV(small(), {"lr": [0.1, 0.01]}, min_resources=30, cv=2, random_state=0).fit(
        X, y
    )
    assert search.n_resources_ == [30]
    assert search.predict(X).shape == y.shape
