"""A signal at any moment leaves a model as it was before, or one that can be used, and nothing else is raised."""

import random
import time

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier, compare_losses, fit_together
from tests.classifiers.test_random_signals import Alarm, X, interrupt, pytestmark, users_generators, y

__all__ = ["interrupt", "pytestmark"]
LR = {"lr": [0.01, 0.1]}


def small(seed=0):
    return DynamicsClassifier(max_epochs=3, random_state=seed)


def is_fitted(model):
    try:
        check_is_fitted(model)
    except NotFittedError:
        return False
    return True


class Refit:
    """A fitted classifier that is fitted once more."""

    def __init__(self):
        self.models = [small().fit(X, y)]

    def __call__(self):
        self.models[0].fit(X, y)


class Together:
    """Fitted classifiers that are fitted once more."""

    def __init__(self):
        self.models = fit_together([small(0), small(1)], X, y)

    def __call__(self):
        fit_together(self.models, X, y)


class Search:
    """A fitted search that is fitted once more; scikit-learn takes what is raised in scoring for a score else."""

    def __init__(self):
        self.models = [BatchedGridSearchCV(small(), LR, cv=2, error_score="raise").fit(X, y)]

    def __call__(self):
        self.models[0].fit(X, y)


class Comparison:
    """A comparison from a classifier that is fitted."""

    def __init__(self):
        self.models = [small().fit(X, y)]

    def __call__(self):
        compare_losses(
            self.models[0], X, y, losses=["log", "l2"], lr_factors=(1,), seeds=1, X_test=X, y_test=y
        )


def check_can_be_used(model):
    assert is_fitted(model), "it was fitted before"
    best = getattr(model, "best_estimator_", model)
    proba = model.predict_proba(X)
    np.testing.assert_array_equal(model.classes_[proba.argmax(axis=1)], model.predict(X))
    assert best.dynamics_.epochs[-1] == best.n_iter_
    as_far = clone(best).set_params(max_epochs=best.n_iter_).fit(X, y) if best.n_iter_ else None
    if as_far is not None:
        np.testing.assert_array_equal(as_far.predict_proba(X), best.predict_proba(X))


@pytest.mark.parametrize("n_signals", [4, pytest.param(250, marks=pytest.mark.slow)], ids=["some", "many"])
@pytest.mark.parametrize("work", [Refit, Together, Search, Comparison])
@pytest.mark.filterwarnings(
    "ignore:Train", "ignore:Search", "ignore:[0-9]+ runs? ", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_models_can_be_used(work, n_signals, interrupt):
    work, moments = work(), random.Random(1)
    begun = time.perf_counter()
    work()
    took, before = time.perf_counter() - begun, users_generators()
    for _ in range(n_signals):
        try:
            interrupt(moments.uniform(1e-5, took))
            work()
            interrupt(0)
        except (KeyboardInterrupt, Alarm):
            pass
        assert users_generators() == before
        for model in work.models:
            check_can_be_used(model)
