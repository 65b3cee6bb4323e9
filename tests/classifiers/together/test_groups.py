"""Fits that joblib shares out among workers are what they are in one program; errors and warnings come back."""

import warnings

import joblib
import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning

from sklearn_nndyn import compare_losses, fit_together
from sklearn_nndyn.classifiers.together import _groups, _programs
from sklearn_nndyn.interventions import remove_and_refit
from sklearn_nndyn.modules import MLP
from tests.classifiers.together.comparing import EVERYTHING, Refuses, assert_as_its_own_fit, small
from tests.problems import Problem

X, Y = Problem("vectors").data()
X_VAL, Y_VAL = Problem("vectors").data(20, seed=1)


@pytest.fixture(params=["threading", pytest.param("loky", marks=pytest.mark.slow)], autouse=True)
def backend(request):
    """Two workers: threads, or processes that take seconds to start."""
    with joblib.parallel_config(backend=request.param):
        yield request.param


def mixed():
    """Four that differ: in seed, loss and layers; one stops early."""
    return [
        small(record=EVERYTHING),
        small(loss="l2", record=EVERYTHING, random_state=5),
        small(module=MLP((4, 4)), early_stopping=True, n_iter_no_change=2),
        small(max_epochs=2),
    ]


def test_groups_are_as_one_program(backend, monkeypatch):
    alone = fit_together(mixed(), X, Y, X_val=X_VAL, y_val=Y_VAL)
    trained = []
    run = _programs._run
    monkeypatch.setattr(_programs, "_run", lambda *given: trained.append(given) or run(*given))
    made = mixed()
    assert fit_together(made, X, Y, X_val=X_VAL, y_val=Y_VAL, n_jobs=2) is made
    assert bool(trained) == (backend == "threading")  # in other processes nothing is trained here
    for clf, own in zip(made, alone, strict=True):
        assert_as_its_own_fit(clf, own, X, Y)


def test_rows_labels_and_weights_of_each_go_with_it():
    rows, weights = [np.arange(30), np.arange(10, 40), np.arange(5, 35)], np.linspace(0.5, 2, len(Y))
    given = {"sample_weight": weights, "indices": rows}
    alone = fit_together([small(random_state=s) for s in range(3)], X, Y, **given)
    made = fit_together([small(random_state=s) for s in range(3)], X, Y, **given, n_jobs=2)
    for clf, own, chosen in zip(made, alone, rows, strict=True):
        assert_as_its_own_fit(clf, own, X[chosen], Y[chosen])


def test_one_generator_for_all_is_drawn_from_here():
    alone = fit_together([small(random_state=rng) for rng in [np.random.RandomState(0)] * 4], X, Y)
    made = fit_together([small(random_state=rng) for rng in [np.random.RandomState(0)] * 4], X, Y, n_jobs=2)
    for clf, own in zip(made, alone, strict=True):
        np.testing.assert_allclose(clf.dynamics_.loss, own.dynamics_.loss, rtol=1e-4)
    assert len({clf.dynamics_.loss[0, 0] for clf in made}) == 4


def test_parameters_stay_the_estimators_own_and_training_goes_on():
    modules = [torch.nn.Linear(X.shape[1], len(set(Y))) for _ in range(2)]
    before = [[values.clone() for values in module.parameters()] for module in modules]
    made = [small(module=module, warm_start=True) for module in modules]
    fit_together(made, X, Y, n_jobs=2)
    alone = fit_together([small(module=module, warm_start=True) for module in modules], X, Y)
    for clf, own, module, values in zip(made, alone, modules, before, strict=True):
        assert clf.module is module
        assert all(map(torch.equal, module.parameters(), values))
        assert_as_its_own_fit(clf, own, X, Y)
    for clf, own in zip(fit_together(made, X, Y, n_jobs=2), fit_together(alone, X, Y), strict=True):
        assert clf.n_iter_ == 8
        assert_as_its_own_fit(clf, own, X, Y)


def test_an_error_comes_back_with_its_number():
    losses = ["log", "l2", Refuses(4.2), "log"]
    made = [small(loss=loss, max_epochs=12, lr=0.03, dtype="float64") for loss in losses]
    with (
        pytest.warns(RuntimeWarning, match=r"each is now trained by itself\.$"),
        pytest.raises(OverflowError, match=r"a score beyond 4\.2") as caught,
    ):
        fit_together(made, X, Y, n_jobs=2)
    assert caught.value.__notes__ == [
        "In the training of estimators[2], now as after their last whole epoch; those without an error are fitted."
    ]
    assert 0 < made.pop(2).n_iter_ < 12
    assert [clf.n_iter_ for clf in made] == [12, 12, 12]


def test_a_warning_comes_back():
    made = [small(), small(lr=1e30, optimizer="sgd", loss="l2")]
    with pytest.warns(ConvergenceWarning, match="diverged"):
        fit_together(made, X, Y, n_jobs=2)
    assert made[1].n_iter_ < 4


def test_how_many_workers_there_are_may_be_said_outside(monkeypatch):
    shares, run = [], _groups._train_group
    monkeypatch.setattr(_groups, "_train_group", lambda *given: shares.append(len(given[0])) or run(*given))
    made = [small(random_state=s) for s in range(5)]
    with joblib.parallel_config(backend="threading", n_jobs=2):
        fit_together(made, X, Y)
    assert sorted(shares) == [2, 3]


def test_an_interrupt_leaves_usable_estimators(monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(_groups, "_train_group", interrupted)
    made = [small(random_state=s) for s in range(2)]
    with (
        joblib.parallel_config(backend="threading"),
        pytest.warns(UserWarning, match="Training was interrupted"),
    ):
        fit_together(made, X, Y, n_jobs=2)
    for clf in made:
        assert clf.n_iter_ == 0
        assert clf.predict(X).shape == Y.shape


def test_mistakes_are_reported_before_anything_is_sent(monkeypatch):
    monkeypatch.setattr(_groups, "_train_elsewhere", None)
    made = [small(), small(lr=-1)]
    with pytest.raises(ValueError, match=r"estimators\[1\]: lr must be"):
        fit_together(made, X, Y, n_jobs=2)
    assert not hasattr(made[0], "net_")


@pytest.mark.parametrize(
    ("n_jobs", "error", "message"),
    [
        (0, ValueError, "n_jobs must be a number of workers, or -1 .*; got 0"),
        ("two", TypeError, "n_jobs must be None or a whole number, got 'two'"),
        (1.5, TypeError, "n_jobs must be None or a whole number, got 1.5"),
    ],
)
def test_n_jobs_is_a_number_of_workers(n_jobs, error, message):
    with pytest.raises(error, match=message):
        fit_together([small()], X, Y, n_jobs=n_jobs)
    with pytest.raises(error, match=message):
        remove_and_refit(small(), X, Y, remove=[0], seeds=[0], n_jobs=n_jobs)
    with pytest.raises(error, match=message):
        compare_losses(small(), X, Y, X_test=X, y_test=Y, n_jobs=n_jobs)


# ------------------------------------------------------------------- what is made of many fits


def test_losses_are_compared_alike():
    given = {
        "losses": ["log", "l2"],
        "seeds": 2,
        "lr_factors": (0.1, 1),
        "tuning_runs": 2,
        "label_noise": (0, 0.2),
    }
    clf = small(dtype="float64")
    alone = compare_losses(clf, X, Y, X_test=X_VAL, y_test=Y_VAL, **given)
    shared = compare_losses(clf, X, Y, X_test=X_VAL, y_test=Y_VAL, n_jobs=2, **given)
    assert list(shared.runs) == list(alone.runs)
    np.testing.assert_array_equal(shared.runs["lr"], alone.runs["lr"])
    np.testing.assert_allclose(shared.test_accuracy, alone.test_accuracy)
    for name in ("learning_speed", "tail_share", "inversion_error"):
        np.testing.assert_allclose(shared.runs[name], alone.runs[name], rtol=1e-6)


def test_divergence_is_told_once_with_its_loss():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        given = {"learning_rates": {"log": 0.01, "l2": 1e30}, "losses": ["log", "l2"], "seeds": 2}
        compare_losses(small(optimizer="sgd"), X, Y, X_test=X_VAL, y_test=Y_VAL, n_jobs=2, **given)
    told = [warning for warning in caught if warning.category is ConvergenceWarning]
    assert len(told) == 1
    assert "l2" in str(told[0].message)


def test_what_was_removed_is_refitted_alike():
    given = {"remove": [0, 3, 7], "seeds": (0, 1, 2), "X_val": X_VAL, "y_val": Y_VAL}
    clf = small(max_epochs=6)
    alone, shared = remove_and_refit(clf, X, Y, **given), remove_and_refit(clf, X, Y, n_jobs=2, **given)
    for name, runs in alone.classifiers.items():
        for run, other in zip(runs, shared.classifiers[name], strict=True):
            np.testing.assert_allclose(other.dynamics_.loss, run.dynamics_.loss, rtol=1e-4, atol=1e-6)
    assert shared.summary() == alone.summary()
