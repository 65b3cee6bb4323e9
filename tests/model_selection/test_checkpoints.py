"""A search that was killed goes on: what was scored is not trained again, and the results are the same."""

from contextlib import suppress

import numpy as np
import pytest
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import BatchedGridSearchCV, Checkpoint, DynamicsClassifier
from sklearn_nndyn.classifiers.checkpoint import SavedResults
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.training._epoch_loop import EpochLoop
from sklearn_nndyn.training.stacked._epoch_runner import StackedEpochRunner
from tests.classifiers.checkpoint.comparing import Killed, every_epoch, killed_after
from tests.pairwise import some_of

X, y = load_iris(return_X_y=True)
GRID = {"lr": [0.1, 0.01], "loss": ["log", "l2"]}


def search(folder=None, grid=GRID, **settings):
    clf = DynamicsClassifier(MLP((5,)), max_epochs=3, random_state=0)
    return BatchedGridSearchCV(clf, grid, cv=3, checkpoint=folder, **settings)


@pytest.fixture
def trained(monkeypatch):
    """A list that grows by the number of networks of each epoch that is trained."""
    counts, together, alone = [], StackedEpochRunner.run_epoch, EpochLoop._run_epoch

    def run_together(self):
        counts.append(len(self.members))
        return together(self)

    def run_alone(self, *args):
        counts.append(1)
        return alone(self, *args)

    monkeypatch.setattr(StackedEpochRunner, "run_epoch", run_together)
    monkeypatch.setattr(EpochLoop, "_run_epoch", run_alone)
    return counts


def scores(found):
    return {
        name: values
        for name, values in found.cv_results_.items()
        if "time" not in name and not name.startswith("param")
    }


def assert_same_results(found, expected):
    for name, values in scores(expected).items():
        np.testing.assert_array_equal(found.cv_results_[name], values, name)
    np.testing.assert_array_equal(
        found.best_estimator_.decision_function(X), expected.best_estimator_.decision_function(X)
    )


@pytest.mark.parametrize("n_saves", some_of([1, 3, 5], [1, 5]))
def test_killed_while_it_trains(n_saves, tmp_path, monkeypatch, trained):
    whole = search(return_train_score=True).fit(X, y)
    trained.clear()
    with monkeypatch.context() as patch:
        killed_after(patch, n_saves)
        with pytest.raises(Killed):
            search(every_epoch(tmp_path), return_train_score=True).fit(X, y)
    assert_same_results(search(tmp_path, return_train_score=True).fit(X, y), whole)
    assert sum(trained) == 3 * (len(GRID["lr"]) * len(GRID["loss"]) * 3 + 1), "no epoch twice"


@pytest.mark.parametrize("n_results", some_of([0, 1, 7, 12], [1, 12]))
def test_killed_while_it_writes_scores(n_results, tmp_path, monkeypatch, trained):
    """Fits that were trained together, some of which have their scores on the disk and some not."""
    whole = search(return_dynamics=True).fit(X, y)
    trained.clear()
    original, written = SavedResults.save, []

    def save(self, *args):
        if len(written) == n_results:
            raise Killed
        written.append(None)
        original(self, *args)

    with monkeypatch.context() as patch:
        patch.setattr(SavedResults, "save", save)
        with suppress(Killed):
            search(tmp_path, return_dynamics=True).fit(X, y)
    found = search(tmp_path, return_dynamics=True).fit(X, y)
    assert_same_results(found, whole)
    assert sum(trained) == 3 * (len(GRID["lr"]) * len(GRID["loss"]) * 3 + 1), "no epoch twice"
    assert all(place.finished for place in Checkpoint(tmp_path).places())


def test_what_is_finished_is_not_trained_again(tmp_path, trained):
    first = search(tmp_path, return_dynamics=True).fit(X, y)
    trained.clear()
    again = search(tmp_path, return_dynamics=True).fit(X, y)
    assert trained == []
    assert_same_results(again, first)
    for one, other in zip(again.candidate_dynamics_, first.candidate_dynamics_, strict=True):
        np.testing.assert_array_equal(one[1].loss, other[1].loss)
    more = search(tmp_path, {**GRID, "lr": [0.1, 0.01, 0.05]}, return_dynamics=True).fit(X, y)
    assert sum(trained) in (3 * 2 * 3, 3 * (2 * 3 + 1))  # the best may be a new one
    assert len(more.cv_results_["params"]) == 6


@pytest.mark.parametrize(
    "changed",
    [{"scoring": "neg_log_loss", "grid": {"lr": [0.1]}}, {"return_train_score": True}, {"cv": 2}],
    ids=["scoring", "train scores", "folds"],
)
def test_what_was_scored_otherwise_is_another_fit(changed, tmp_path):
    search(tmp_path, {"lr": [0.1]}).fit(X, y)
    before = {place.name for place in Checkpoint(tmp_path).places()}
    settings = {"grid": {"lr": [0.1]}, **changed}
    cv = settings.pop("cv", 3)
    found = search(tmp_path, **settings).set_params(cv=cv).fit(X, y)
    fresh = search(**settings).set_params(cv=cv).fit(X, y)
    assert_same_results(found, fresh)
    assert len(before) < len(Checkpoint(tmp_path).places())


def test_a_pipeline(tmp_path, trained):
    def made(checkpoint):
        clf = DynamicsClassifier(MLP((5,)), max_epochs=3, random_state=0)
        grid = {"dynamicsclassifier__lr": [0.1, 0.01], "standardscaler__with_std": [True, False]}
        pipeline = make_pipeline(StandardScaler(), clf)
        return BatchedGridSearchCV(pipeline, grid, cv=2, checkpoint=checkpoint).fit(X, y)

    whole = made(None)
    assert_same_results(made(tmp_path), whole)
    trained.clear()
    found = made(tmp_path)
    assert_same_results(found, whole)
    assert trained == []
    assert found.best_estimator_[-1].checkpoint is None


def test_fits_that_fail_are_tried_again(tmp_path):
    for _ in range(2):
        with pytest.warns(match="fits failed"), pytest.warns(match="non-finite"):
            found = search(tmp_path, {"module": [MLP((5,)), 3]}).fit(X, y)
        assert np.isnan(found.cv_results_["mean_test_score"][1])


def test_places_of_results_are_listed_and_removed(tmp_path):
    search(tmp_path, {"lr": [0.1]}).fit(X, y)
    places = Checkpoint(tmp_path).places()
    assert all(place.finished for place in places)
    assert len(Checkpoint(tmp_path).remove(finished=True)) == len(places)
    assert list(tmp_path.iterdir()) == []


def test_a_seed_is_needed(tmp_path):
    with pytest.raises(ValueError, match="checkpoint needs random_state to be a whole number"):
        search(tmp_path, error_score="raise").set_params(estimator__random_state=None).fit(X, y)


@pytest.mark.slow
def test_with_several_workers(tmp_path, trained):
    whole = search().fit(X, y)
    assert_same_results(search(tmp_path, n_jobs=2).fit(X, y), search(n_jobs=2).fit(X, y))
    trained.clear()
    found = search(tmp_path).fit(X, y)
    assert trained == []
    np.testing.assert_allclose(found.cv_results_["mean_test_score"], whole.cv_results_["mean_test_score"])
