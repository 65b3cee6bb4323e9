"""A signal at any moment leaves every estimator as it was before, or usable; never something in between."""

import itertools
import os
import random
import signal
import time
import warnings
from contextlib import suppress

import numpy as np
import pytest
from sklearn.datasets import load_iris

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier, compare_losses, fit_together
from sklearn_nndyn.classifiers import _preparation
from tests.utils.test_interrupted_random import users_generators
from tests.utils.test_signals import handlers

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="needs signals of POSIX"),
    # Python itself ignores what a handler raises while objects are deleted, and says so.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
X, y = load_iris(return_X_y=True)
X, y = X[::5].astype("float32"), y[::5]
GRID = {"lr": [0.1, 0.01]}


def small(**settings):
    return DynamicsClassifier(**{"max_epochs": 3, "random_state": 0, **settings})


class One:
    """fit, of a new estimator or of one that has a model."""

    def __init__(self, fitted=False, **settings):
        self.made = [small(**settings)]
        if fitted:
            self.made[0].fit(X[::2], y[::2])

    def work(self):
        self.made[0].fit(X, y)


class Together(One):
    def __init__(self, fitted=False):
        self.made = [small(random_state=seed, early_stopping=True) for seed in range(3)]
        self.made.append(small(max_epochs=2))
        if fitted:
            fit_together(self.made, X[::2], y[::2])

    def work(self):
        fit_together(self.made, X, y)
        assert all(hasattr(clf, "net_") for clf in self.made), "it returned"


class Search(One):
    def __init__(self, fitted=False):
        self.search = BatchedGridSearchCV(small(), GRID, cv=2, return_dynamics=True)
        if fitted:
            self.search.fit(X[::2], y[::2])

    def work(self):
        self.search.fit(X, y)

    @property
    def made(self):
        attributes = {name for name in vars(self.search) if name.endswith("_")}
        if not attributes:
            return []
        assert {
            "cv_results_",
            "best_estimator_",
            "best_params_",
            "scorer_",
            "candidate_dynamics_",
        } <= attributes
        assert len(self.search.candidate_dynamics_[0][0]) in (len(X) // 2, len(X) // 4, len(X) // 4 + 1)
        return [self.search.best_estimator_]


class Comparison(One):
    def __init__(self, fitted=False):
        self.made = []

    def work(self):
        settings = {"losses": ["log", "l2"], "seeds": 2, "tuning_runs": 1, "X_test": X, "y_test": y}
        found = compare_losses(small(), X, y, lr_factors=(1, 3), **settings)
        assert len(found.runs["loss"]) == 4


def check_whole(clf):
    """What is there belongs together: network, history, record, snapshots, and data."""
    born = {name for name in vars(clf) if name.endswith("_") or name == "_state"}
    if not born:
        return
    assert {"net_", "dynamics_", "n_iter_", "loss_curve_", "classes_", "_state", "loss_"} <= born
    assert clf.n_iter_ == len(clf.net_.history) == len(clf.loss_curve_)
    record, kept = clf.dynamics_, clf._state.snapshots
    assert record.epochs[-1] == clf.n_iter_
    assert kept.epochs == record.epochs.tolist()
    rows = X if len(record) == len(X) else X[::2]
    assert len(record) == len(rows)
    epoch = getattr(clf, "best_epoch_", clf.n_iter_)
    predicted = clf.classes_[record.prediction[:, record.epochs.tolist().index(epoch)]]
    np.testing.assert_array_equal(predicted, clf.predict(rows))
    assert np.isfinite(clf.decision_function(rows)).all()


CASES = {
    "fit": One,
    "refit": lambda: One(fitted=True),
    "stopping": lambda: One(early_stopping=True, n_iter_no_change=1, max_epochs=6),
    "together": Together,
    "together again": lambda: Together(fitted=True),
    "search": Search,
    "search again": lambda: Search(fitted=True),
    "comparison": Comparison,
}


SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)


@pytest.mark.parametrize(("name", "number"), zip(CASES, itertools.cycle(SIGNALS), strict=False))
def test_whole_or_as_before_at_some_moments(name, number):
    check_whole_or_as_before(name, number, 2)


@pytest.mark.slow
@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("name", CASES)
def test_whole_or_as_before_at_a_thousand_moments(name, number):
    check_whole_or_as_before(name, number, 42)


def check_whole_or_as_before(name, number, n_signals):
    before = {own: signal.signal(own, control_c) for own in (signal.SIGINT, signal.SIGALRM, signal.SIGTERM)}
    try:
        moments = random.Random(f"{name} {number}")
        begun = time.perf_counter()
        CASES[name]().work()
        took = time.perf_counter() - begun
        for _ in range(n_signals):
            check_once(CASES[name](), number, moments.uniform(1e-5, took))
    finally:
        for own, handler in before.items():
            signal.signal(own, handler)


@pytest.mark.parametrize("how", ["fit", "refit", "warm start", "partial fit"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_two_at_once_while_the_results_are_made(how, when, monkeypatch):
    """The second acts at once; a network that was trained on stays with the history and the record of it."""
    before = signal.signal(signal.SIGINT, control_c)
    clf = small(warm_start=how == "warm start")
    if how != "fit":
        clf.fit(X, y)
    fit = clf.partial_fit if how == "partial fit" else clf.fit
    original, calls = _preparation.fitted_attributes, []

    def interrupted(prepared):
        calls.append(None)
        made = original(prepared) if when == "after" else None
        if len(calls) == 1:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return made or original(prepared)

    monkeypatch.setattr(_preparation, "fitted_attributes", interrupted)
    try:
        with pytest.raises(KeyboardInterrupt):
            fit(X, y)
        check_whole(clf)
    finally:
        signal.signal(signal.SIGINT, before)


def control_c(number, frame):
    raise KeyboardInterrupt


def check_once(case, number, seconds):
    others, generators = handlers(), users_generators()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Train")
        warnings.filterwarnings("ignore", message=".*interrupt")
        with suppress(KeyboardInterrupt):
            signalled(case.work, number, seconds)
    assert handlers() == others
    assert users_generators() == generators
    for clf in case.made:
        check_whole(clf)


def signalled(work, number, seconds):
    """Do the work, and have a child signal in so many seconds."""
    process, child = os.getpid(), os.fork()
    if child == 0:
        time.sleep(seconds)
        os.kill(process, number)
        os._exit(0)
    try:
        work()
    finally:
        os.waitpid(child, 0)
