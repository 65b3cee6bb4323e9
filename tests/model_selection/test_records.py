"""Records: kept where they are asked for or may be looked at, not made where nobody sees them."""

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import BatchedGridSearchCV, Dynamics, DynamicsClassifier
from tests.model_selection.searches import assert_same_results, both, classifier, digits

GRID = {"loss": ["log", "l2"], "lr": [0.03, 0.003]}
PLAIN_SCORINGS = [None, "accuracy", ["accuracy", "f1_macro"], make_scorer(accuracy_score)]


def assert_same_record(record, own):
    assert record.fields == own.fields
    np.testing.assert_array_equal(record.y, own.y)
    np.testing.assert_array_equal(record.epochs, own.epochs)
    np.testing.assert_allclose(record.loss, own.loss, rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(record.margin, own.margin, rtol=1e-3, atol=1e-4)
    assert (record.prediction != own.prediction).mean() < 0.002
    for layer, values in own.centroids.items():
        np.testing.assert_allclose(record.centroids[layer], values, rtol=1e-3, atol=1e-5)


class TestCandidateDynamics:
    @pytest.mark.parametrize("n_jobs", [None, 2])
    @pytest.mark.parametrize("scale", [False, True], ids=["alone", "pipeline"])
    def test_are_those_of_own_fits_of_the_folds(self, n_jobs, scale):
        X, y = digits()
        clf = classifier(record_epochs=2)
        steps = [StandardScaler()] if scale else []
        pipe = make_pipeline(*steps, clf)
        grid = {f"dynamicsclassifier__{name}": values for name, values in GRID.items()}
        search = BatchedGridSearchCV(pipe, grid, cv=3, return_dynamics=True, refit=False, n_jobs=n_jobs)
        with joblib.parallel_config(backend="threading"):
            search.fit(X, y)
        assert len(search.candidate_dynamics_) == 4
        for params, records in zip(search.cv_results_["params"], search.candidate_dynamics_, strict=True):
            folds = list(StratifiedKFold(3).split(X, y))
            assert len(records) == 3
            for record, (train, _) in zip(records, folds, strict=True):
                own = clone(pipe).set_params(**params).fit(X[train], y[train])
                assert isinstance(record, Dynamics)
                assert_same_record(record, own[-1].dynamics_)
                assert record.header["loss"] == params["dynamicsclassifier__loss"]

    def test_only_what_record_asks_for(self):
        search = BatchedGridSearchCV(
            classifier(), {"record": [("samples",), ("geometry",)]}, return_dynamics=True
        )
        search.fit(*digits())
        first, second = (records[0] for records in search.candidate_dynamics_)
        assert not first.centroids
        assert second.centroids
        assert "loss" in first.fields
        assert "loss" not in second.fields

    def test_without_any_record_there_is_nothing_to_return(self, programs):
        search = BatchedGridSearchCV(classifier(record=()), GRID, return_dynamics=True)
        with pytest.raises(
            ValueError, match=r"return_dynamics=True keeps the record.*record=\(\) asks for none"
        ):
            search.fit(*digits())
        assert programs.X == []

    def test_are_not_kept_unasked(self):
        search = BatchedGridSearchCV(classifier(), GRID, return_dynamics=True, cv=2).fit(*digits())
        assert hasattr(search, "candidate_dynamics_")
        assert not hasattr(search.set_params(return_dynamics=False).fit(*digits()), "candidate_dynamics_")


class TestWhatIsMade:
    @pytest.mark.parametrize("scoring", PLAIN_SCORINGS, ids=["score", "name", "names", "make_scorer"])
    def test_nothing_where_predictions_are_enough(self, programs, scoring):
        BatchedGridSearchCV(classifier(), GRID, cv=2, scoring=scoring, refit=False).fit(*digits())
        assert {(made["record"], made["snapshots"]) for made in programs.settings} == {((), False)}

    def test_the_record_alone_where_it_is_returned(self, programs):
        BatchedGridSearchCV(classifier(), GRID, cv=2, return_dynamics=True, refit=False).fit(*digits())
        assert {(made["record"], made["snapshots"]) for made in programs.settings} == {
            (("samples", "geometry"), False)
        }

    def test_all_where_a_scorer_may_look(self, programs):
        def scorer(clf, X, y):
            return clf.dynamics_.accuracy[-1] + clf.at_epoch(1).score(X, y)

        search, other = both(classifier(), GRID, *digits(), scoring=scorer)
        assert_same_results(search, other, samples=3)
        assert {(made["record"], made["snapshots"]) for made in programs.settings} == {
            (("samples", "geometry"), True)
        }
        assert programs.sizes == [4, 4, 4]  # fold by fold: weights of every epoch are kept
        assert search.score(*digits()) == other.score(*digits())

    def test_all_where_one_of_several_scorers_may_look(self):
        scoring = {"plain": "accuracy", "own": lambda clf, X, y: clf.dynamics_.accuracy[-1]}
        assert_same_results(*both(classifier(), GRID, *digits(), scoring=scoring, refit="own"))

    @pytest.mark.parametrize("front", [(), (StandardScaler(),)], ids=["alone", "pipeline"])
    def test_all_for_a_subclass_that_may_look_itself(self, front):
        clf = ScoredByRecord(max_epochs=3, lr=0.01, random_state=0)
        estimator = make_pipeline(*front, clf) if front else clf
        prefix = "scoredbyrecord__" if front else ""
        search, other = both(estimator, {f"{prefix}loss": ["log", "l2"]}, *digits())
        assert_same_results(search, other)
        assert other.best_score_ > 1

    def test_folds_go_together_where_no_weights_are_kept(self, programs):
        clf = classifier(snapshots=False)
        search = BatchedGridSearchCV(clf, GRID, cv=3, scoring=lambda clf, X, y: clf.dynamics_.accuracy[-1])
        search.fit(*digits())
        assert programs.sizes == [12]

    def test_candidates_that_set_it_themselves(self, programs):
        grid = {"record": [(), ("samples",)], "snapshots": [True, False], "lr": [0.03, 1e-4]}
        search, other = both(classifier(), grid, *digits())
        assert_same_results(search, other)
        assert {made["record"] for made in programs.settings} == {()}
        assert other.best_estimator_.record == other.best_params_["record"]

    def test_a_record_that_cannot_be_is_still_refused(self):
        search = BatchedGridSearchCV(
            classifier(), {"record": [("smaples",)]}, refit=False, error_score="raise"
        )
        with pytest.raises(ValueError, match="smaples"):
            search.fit(*digits())

    @pytest.mark.parametrize(
        "changes", [{}, {"validation_fraction": 0.2}], ids=["training loss", "validation"]
    )
    def test_early_stopping_is_the_same_without_a_record(self, changes):
        clf = classifier(early_stopping=True, n_iter_no_change=2, max_epochs=25, lr=0.1, **changes)
        search, other = both(clf, {"batch_size": [8, 32]}, *digits(), n_jobs=None)
        assert_same_results(search, other, differ=False)
        assert other.best_estimator_.best_epoch_ < 25

    def test_all_for_a_pipeline_of_another_kind(self):
        pipe = PipelineScoredByRecord([("scale", StandardScaler()), ("clf", classifier())])
        search, other = both(pipe, {"clf__max_epochs": [2, 3]}, *digits())
        assert_same_results(search, other)
        assert other.cv_results_["mean_test_score"].tolist() == [3, 4]


class PipelineScoredByRecord(Pipeline):
    """Its score is how many epochs were recorded."""

    def score(self, X, y=None, sample_weight=None, **params):
        return len(self[-1].dynamics_.epochs)


class ScoredByRecord(DynamicsClassifier):
    """Its score is one for having a record, and its accuracy."""

    def score(self, X, y, sample_weight=None):
        return len(self.dynamics_.epochs) / 4 + super().score(X, y, sample_weight)
