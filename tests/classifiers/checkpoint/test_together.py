"""Fits that are trained together and were killed go on together, each to the bits it would have had."""

import pytest
from sklearn.base import clone

from sklearn_nndyn import Checkpoint, fit_together
from sklearn_nndyn.model_selection import compare_losses
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.training.stacked._epoch_runner import StackedEpochRunner
from tests.classifiers.checkpoint.comparing import Killed, assert_same_fit, every_epoch, killed_after
from tests.problems import PROBLEMS

PLAIN = PROBLEMS[0]
X, y = PLAIN.data()
VALIDATION = dict(zip(("X_val", "y_val"), PLAIN.data(20, seed=1), strict=True))
GROUPS = {
    "seeds": [{"random_state": seed} for seed in range(10)],
    "rates": [{"lr": lr, "random_state": seed} for lr in (0.1, 0.01) for seed in range(2)],
    "dropout": [{"module": MLP((6,), dropout=0.3), "random_state": seed} for seed in range(3)],
    "momentum": [
        {"optimizer": "sgd", "optimizer_params": {"momentum": 0.9}, "loss": loss} for loss in ("log", "l2")
    ],
    "stopping at times of their own": [
        {"early_stopping": True, "n_iter_no_change": n, "random_state": n, "lr": 0.1} for n in (1, 2, 3, 9)
    ],
    "diverging": [{"lr": lr, "optimizer": "sgd", "loss": "l2"} for lr in (1e4, 0.001, 0.01)],
    "not together": [{"module": MLP((4,)), "random_state": 1}, {"module": MLP((5,)), "random_state": 1}],
}


@pytest.fixture
def epochs_trained(monkeypatch):
    original, trained = StackedEpochRunner.run_epoch, []

    def run_epoch(self):
        trained.append(len(self.members))
        return original(self)

    monkeypatch.setattr(StackedEpochRunner, "run_epoch", run_epoch)
    return trained


@pytest.mark.filterwarnings("ignore:Training diverged")
@pytest.mark.parametrize("n_saves", [2, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 5))])
@pytest.mark.parametrize("name", GROUPS)
def test_a_group(name, n_saves, tmp_path, monkeypatch, epochs_trained):
    def fitted(checkpoint=None):
        base = PLAIN.classifier(max_epochs=6, checkpoint=checkpoint)
        return fit_together([clone(base).set_params(**own) for own in GROUPS[name]], X, y, **VALIDATION)

    whole = fitted()
    with monkeypatch.context() as patch:
        killed_after(patch, n_saves)
        with pytest.raises(Killed):
            fitted(every_epoch(tmp_path))
    epochs_trained.clear()
    for clf, expected in zip(fitted(every_epoch(tmp_path)), whole, strict=True):
        assert_same_fit(clf, expected, X)
    if name != "not together":
        assert len(epochs_trained) == max(clf.n_iter_ for clf in whole) - n_saves
    epochs_trained.clear()
    for clf, expected in zip(fitted(tmp_path), whole, strict=True):
        assert_same_fit(clf, expected, X)
    assert epochs_trained == []


def test_the_place_of_a_group_says_how_many(tmp_path):
    fit_together([PLAIN.classifier(checkpoint=tmp_path, random_state=seed) for seed in range(3)], X, y)
    (place,) = Checkpoint(tmp_path).places()
    assert (place.n_fits, place.epoch, place.finished) == (3, 4, True)
    assert "3 fits together" in Checkpoint(tmp_path).summary()


def test_losses_that_were_compared_are_not_trained_again(tmp_path, epochs_trained):
    def compared():
        clf = PLAIN.classifier(checkpoint=tmp_path)
        settings = {"losses": ["log", "l2"], "seeds": 2, "tuning_runs": 1, "X_test": X[:20], "y_test": y[:20]}
        return compare_losses(clf, X, y, **settings)

    first = compared()
    assert epochs_trained
    epochs_trained.clear()
    assert compared().summary() == first.summary()
    assert epochs_trained == []
