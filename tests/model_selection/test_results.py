"""The results are those of GridSearchCV."""

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn.decomposition import PCA
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut, ShuffleSplit, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier
from sklearn_nndyn.losses import loss_names
from sklearn_nndyn.modules import MLP
from tests.model_selection.searches import assert_same_results, both, breast_cancer, classifier, digits
from tests.pairwise import some_of

GRID = {"loss": ["log", "squared_hinge"], "lr": [0.03, 1e-4]}


def assert_same_search(search, other, **kwargs):
    """The table, and what follows from it."""
    assert_same_results(search, other, **kwargs)
    assert other.best_params_ == search.best_params_
    assert other.best_index_ == search.best_index_
    assert other.best_score_ == other.cv_results_["mean_test_score"][other.best_index_]
    assert other.n_splits_ == search.n_splits_
    assert other.multimetric_ is search.multimetric_ is False
    assert repr(other.scorer_) == repr(search.scorer_)
    assert other.refit_time_ > 0


@pytest.mark.parametrize("data", some_of([digits, breast_cancer], [digits]))
class TestSameAsGridSearchCV:
    def test_alone(self, data):
        search, other = both(classifier(), GRID, *data())
        assert_same_search(search, other)
        X, y = data()
        np.testing.assert_array_equal(other.predict(X), search.predict(X))
        np.testing.assert_array_equal(other.decision_function(X), search.decision_function(X))
        assert other.score(X, y) == search.score(X, y)

    def test_behind_a_scaler(self, data):
        grid = {f"dynamicsclassifier__{name}": values for name, values in GRID.items()}
        search, other = both(make_pipeline(StandardScaler(), classifier()), grid, *data())
        assert_same_search(search, other)
        X, _ = data()
        np.testing.assert_array_equal(other.predict(X), search.predict(X))

    def test_with_preprocessing_in_the_grid(self, data):
        pipe = make_pipeline(StandardScaler(), classifier())
        grid = [
            {"standardscaler__with_mean": [True, False], "dynamicsclassifier__lr": [0.03, 1e-3]},
            {"standardscaler": ["passthrough"], "dynamicsclassifier__loss": ["log", "tanimoto"]},
        ]
        assert_same_search(*both(pipe, grid, *data()))


def test_all_losses():
    assert_same_search(*both(classifier(), {"loss": loss_names()}, *digits()))


def test_candidates_of_different_shape():
    grid = [
        {"module__hidden_layer_sizes": [(3,), (20, 5)], "batch_size": [16, "full"]},
        {"optimizer": ["sgd"], "max_epochs": [2, 6], "lr": [0.1]},
        {"module": [MLP((4,), dropout=0.2), MLP((4,), batch_norm=True)], "dtype": ["float64"]},
        {"early_stopping": [True], "n_iter_no_change": [1], "validation_fraction": [None, 0.25], "lr": [0.5]},
    ]
    assert_same_search(*both(classifier(), grid, *digits()), samples=2)


def test_a_random_state_is_cloned_for_every_fit():
    clf = classifier(random_state=np.random.RandomState(3))
    search, other = both(clf, {"lr": [0.01, 0.02]}, *digits())
    assert_same_search(search, other)
    X, _ = digits()
    np.testing.assert_array_equal(search.decision_function(X), other.decision_function(X))
    drawn = clf.random_state.randint(1000)
    assert drawn == np.random.RandomState(3).randint(1000)


@pytest.mark.parametrize(
    "cv",
    [
        2,
        StratifiedKFold(3, shuffle=True, random_state=1),
        ShuffleSplit(2, train_size=0.5, test_size=0.3, random_state=0),
        [(np.arange(0, 160), np.arange(160, 240)), (np.arange(80, 240), np.arange(80))],
        [(list(range(100)), list(range(100, 240)))],
    ],
    ids=["2", "stratified", "shuffled", "arrays", "lists"],
)
def test_folds_of_any_kind(cv):
    search, other = both(classifier(), GRID, *digits(), cv=cv)
    assert_same_search(search, other)


def test_a_generator_of_folds():
    halves = [(np.arange(0, 120), np.arange(120, 240)), (np.arange(120, 240), np.arange(120))]
    X, y = digits()
    search = BatchedGridSearchCV(classifier(), GRID, cv=iter(halves)).fit(X, y)
    listed = BatchedGridSearchCV(classifier(), GRID, cv=halves).fit(X, y)
    assert_same_search(listed, search, samples=0)


@pytest.mark.parametrize("splitter", [GroupKFold(3), LeaveOneGroupOut()], ids=lambda s: type(s).__name__)
def test_groups_reach_the_splitter(splitter):
    X, y = digits()
    groups = np.arange(240) // 60
    search, other = both(classifier(), GRID, X, y, {"groups": groups}, cv=splitter)
    assert_same_search(search, other, n_test=60)
    with pytest.raises(ValueError, match="The 'groups' parameter should not be None"):
        BatchedGridSearchCV(classifier(), GRID, cv=splitter).fit(X, y)


def test_training_scores():
    search, other = both(classifier(), GRID, *digits(), return_train_score=True)
    assert "mean_train_score" in other.cv_results_
    assert_same_search(search, other)


class TestScoring:
    SEVERAL = ("accuracy", "neg_log_loss", "f1_macro")

    @pytest.mark.parametrize(
        ("scaled", "as_dict"),
        some_of([*itertools.product((False, True), (False, True))], [(False, True), (True, False)]),
    )
    def test_several_scores(self, scaled, as_dict):
        scoring = self.SEVERAL
        if as_dict:
            scoring = {"own": make_scorer(accuracy_score, normalize=True), "loss": "neg_log_loss"}
        pipe = make_pipeline(*[StandardScaler()] * scaled, classifier())
        grid = {"dynamicsclassifier__lr": [0.03, 1e-3], "dynamicsclassifier__loss": ["log", "tanimoto"]}
        first = "own" if as_dict else "accuracy"
        search, other = both(pipe, grid, *digits(), scoring=scoring, refit=first, return_train_score=True)
        assert_same_results(search, other)
        assert other.multimetric_
        assert other.best_params_ == search.best_params_
        assert other.best_score_ == other.cv_results_[f"mean_test_{first}"][other.best_index_]
        assert list(other.scorer_) == list(search.scorer_)

    @pytest.mark.parametrize("scoring", ["neg_log_loss", "balanced_accuracy", "roc_auc_ovr"])
    def test_one_by_name(self, scoring):
        assert_same_search(*both(classifier(), {"lr": [0.03, 1e-3]}, *digits(), scoring=scoring))

    def test_a_callable_of_several_scores(self):
        def scores(estimator, X, y):
            return {"right": estimator.score(X, y), "epochs": estimator[-1].n_iter_}

        pipe = make_pipeline(StandardScaler(), classifier())
        grid = {"dynamicsclassifier__max_epochs": [1, 3]}
        search, other = both(pipe, grid, *digits(), scoring=scores, refit="right")
        assert_same_results(search, other)
        assert other.cv_results_["mean_test_epochs"].tolist() == [1, 3]
        assert other.multimetric_

    def test_a_scorer_that_fails_gives_the_error_score(self):
        grid = {"loss": ["log", "l1"]}  # l1 has no probabilities
        with pytest.warns(UserWarning, match="Scoring failed") as caught:
            results = both(classifier(), grid, *digits(), scoring="neg_log_loss", error_score=-7)
        assert_same_search(*results)
        assert results[1].cv_results_["mean_test_score"][1] == -7
        assert sum("Scoring failed" in str(w.message) for w in caught) == 6  # three folds, two searches

    def test_rows_that_cannot_be_transformed_fail_as_scores(self):
        X, y = digits()
        X[-1, 0] = np.nan
        folds = [(np.arange(200), np.arange(200, 240)), (np.arange(40, 200), np.arange(40))]
        pipe = make_pipeline(PCA(10, random_state=0), classifier())
        grid = {"dynamicsclassifier__lr": [0.03, 1e-4]}
        with pytest.warns(UserWarning, match="Scoring failed") as caught:
            results = both(pipe, grid, X, y, cv=folds, error_score=-7, refit=False)
        assert_same_results(*results, n_test=40)
        assert results[1].cv_results_["split0_test_score"].tolist() == [-7, -7]
        assert sum("Scoring failed" in str(w.message) for w in caught) == 4


class TestRefit:
    def test_the_best_is_fitted_on_all_rows_with_its_record(self):
        X, y = digits()
        search = BatchedGridSearchCV(classifier(), GRID, cv=3).fit(X, y)
        own = classifier(**search.best_params_).fit(X, y)
        np.testing.assert_array_equal(search.best_estimator_.dynamics_.loss, own.dynamics_.loss)
        np.testing.assert_array_equal(search.best_estimator_.dynamics_.y, y)
        np.testing.assert_array_equal(
            search.best_estimator_.at_epoch(1).predict(X), own.at_epoch(1).predict(X)
        )
        assert search.best_estimator_.get_params().keys() == own.get_params().keys()
        assert search.best_estimator_.record == ("samples", "geometry")

    def test_no_refit(self):
        search, other = both(classifier(), GRID, *digits(), refit=False)
        assert_same_results(search, other)
        assert other.best_params_ == search.best_params_
        assert not hasattr(other, "best_estimator_")
        assert not hasattr(other, "predict")
        assert not hasattr(other, "refit_time_")
        assert not hasattr(other, "classes_")

    def test_a_callable_chooses(self):
        search, other = both(classifier(), GRID, *digits(), refit=lambda results: 2)
        assert_same_results(search, other)
        assert other.best_index_ == search.best_index_ == 2
        assert other.best_params_ == other.cv_results_["params"][2]
        assert not hasattr(other, "best_score_")
        assert other.best_estimator_.loss == other.best_params_["loss"]

    def test_several_scores_need_the_name_of_one(self):
        search = BatchedGridSearchCV(classifier(), GRID, scoring=["accuracy", "f1_macro"])
        with pytest.raises(ValueError, match="For multi-metric scoring, the parameter refit must be set"):
            search.fit(*digits())


class TestInput:
    def test_names_of_columns(self):
        X, y = digits()
        frame = pd.DataFrame(X, columns=[f"pixel {i}" for i in range(64)])
        search, other = both(classifier(), GRID, frame, y)
        assert_same_search(search, other)
        np.testing.assert_array_equal(other.feature_names_in_, frame.columns)
        assert other.n_features_in_ == 64
        pipe = make_pipeline(StandardScaler(), classifier()).set_output(transform="pandas")
        assert_same_search(*both(pipe, {"dynamicsclassifier__lr": [0.03, 1e-4]}, frame, y))

    def test_labels_are_names(self):
        X, y = digits()
        words = np.array([f"number {i}" for i in range(10)], dtype=object)[y]
        search, other = both(classifier(), GRID, X, words)
        assert_same_search(search, other)
        np.testing.assert_array_equal(other.classes_, np.unique(words))
        assert set(other.predict(X)) <= set(words)

    def test_images(self):
        X, y = digits()

        def net(input_shape, n_classes):
            import torch

            layers = (
                torch.nn.Conv2d(1, 2, 3),
                torch.nn.ReLU(),
                torch.nn.Flatten(),
                torch.nn.Linear(72, n_classes),
            )
            return torch.nn.Sequential(*layers)

        clf = DynamicsClassifier(net, max_epochs=3, random_state=0, batch_size=32)
        assert_same_search(*both(clf, {"lr": [0.03, 1e-4]}, X.reshape(-1, 1, 8, 8), y))


def test_times_are_shares_of_what_was_spent_together():
    search = BatchedGridSearchCV(classifier(), GRID, cv=3).fit(*digits())
    times = search.cv_results_["mean_fit_time"]
    np.testing.assert_allclose(times, times[0], rtol=0.2)
    assert (times > 0).all()
    assert (search.cv_results_["mean_score_time"] > 0).all()
