"""Pre-training stops where a layer gives its input back best."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import MLP

X, Y = load_digits(return_X_y=True)
X = (X / 16).astype(np.float32)
SETTINGS = {
    "module": MLP((16, 8)),
    "record": ("samples", "reconstruction"),
    "record_iterations": None,
    "lr": 0.02,
    "max_epochs": 30,
    "random_state": 0,
    "early_stopping": True,
    "monitor": "reconstruction",
    "n_iter_no_change": 4,
}


def fit(**changes):
    return DynamicsClassifier(**(SETTINGS | changes)).fit(
        X[:500], Y[:500], X_val=X[500:800], y_val=Y[500:800]
    )


@pytest.mark.parametrize("record_iterations", [None, 2])
def test_it_goes_back_to_the_look_of_least_reconstruction(record_iterations):
    clf = fit(record_iterations=record_iterations)
    record = clf.validation_dynamics_
    (errors,) = record.reconstruction.values()
    best = errors.mean(axis=0, dtype=np.float64).argmin()
    assert 0 < best < record.n_epochs - 1
    assert clf.best_epoch_ == record.epochs[best]
    for name, value in clf.module_.state_dict().items():
        assert torch.equal(value, clf.at_epoch(clf.best_epoch_).module_.state_dict()[name])
    assert clf.n_iter_ < 30
    assert clf.n_iter_ >= clf.best_epoch_ + 4 > clf.n_iter_ - 1


def test_epochs_after_the_last_look_do_not_count():
    clf = fit(record_epochs=[0, 1, 20, 21, 22, 23, 24], max_epochs=22)
    (errors,) = clf.validation_dynamics_.reconstruction.values()
    assert clf.n_iter_ > 20
    assert clf.best_epoch_ == clf.validation_dynamics_.epochs[errors.mean(axis=0).argmin()]


def test_without_validation_samples_it_watches_the_training_samples():
    clf = DynamicsClassifier(**SETTINGS).fit(X[:500], Y[:500])
    (errors,) = clf.dynamics_.reconstruction.values()
    assert clf.best_epoch_ == clf.dynamics_.epochs[errors.mean(axis=0, dtype=np.float64).argmin()]


def test_where_it_only_rises_training_goes_on_and_says_so():
    with pytest.warns(
        UserWarning, match=r"never gave its input back better than before training.*record_iterations"
    ):
        clf = fit(module=MLP((64,)), lr=3.0, max_epochs=6, n_iter_no_change=2)
    (errors,) = clf.validation_dynamics_.reconstruction.values()
    assert errors.mean(axis=0).argmin() == 0
    assert clf.n_iter_ == 6
    assert not hasattr(clf, "best_epoch_")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"record": ("samples",)},
            r'monitor="reconstruction" needs the reconstruction to be recorded: set record=',
        ),
        (
            {"snapshots": False},
            r'monitor="reconstruction" needs the weights of each record: set snapshots=True',
        ),
        (
            {"early_stopping": "probe"},
            r"early_stopping must be True or False, got \'probe\'",
        ),
    ],
)
def test_what_it_needs_is_said(changes, message):
    with pytest.raises(ValueError, match=message):
        fit(**changes)
