"""Fits that fail, estimators that are not ours, and interruptions."""

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier
from tests.classifiers.together.comparing import Refuses
from tests.model_selection.searches import assert_same_results, both, classifier, digits

HALF_BAD = {"lr": [0.03, -1, 1e-4]}
ignored_nan = pytest.mark.filterwarnings("ignore:One or more of the .* scores are non-finite")


@ignored_nan
class TestFailingCandidates:
    @pytest.mark.parametrize(
        ("scoring", "error_score"),
        [
            (None, np.nan),
            (["accuracy", "f1_macro"], 0.125),
            (lambda clf, X, y: {"one": clf.score(X, y)}, np.nan),
        ],
        ids=["default", "several", "callable"],
    )
    def test_get_the_error_score_and_a_warning(self, scoring, error_score):
        settings = {
            "scoring": scoring,
            "error_score": error_score,
            "refit": False,
            "return_train_score": True,
        }
        with pytest.warns(FitFailedWarning) as caught:
            search, other = both(classifier(), HALF_BAD, *digits(), **settings)
        assert_same_results(search, other)
        theirs, ours = (str(w.message) for w in caught if w.category is FitFailedWarning)
        assert ours.splitlines()[:6] == theirs.splitlines()[:6]
        assert "3 fits failed out of a total of 9" in ours
        assert ours.splitlines()[-1] == theirs.splitlines()[-1]
        assert "lr must be a finite number greater than 0, got -1." in ours.splitlines()[-1]
        name = next(name for name in other.cv_results_ if name.startswith("mean_test"))
        np.testing.assert_array_equal(other.cv_results_[name][1], error_score)

    def test_raise_at_once_where_asked(self, programs):
        with pytest.raises(ValueError, match=r"^lr must be a finite number greater than 0, got -1\.$"):
            BatchedGridSearchCV(classifier(), HALF_BAD, error_score="raise").fit(*digits())
        assert programs.sizes == []

    def test_what_fit_does_not_take_is_named_with_it(self):
        search = BatchedGridSearchCV(classifier(), {"lr": [0.03]}, error_score="raise")
        told = r"^DynamicsClassifier\.fit\(\) got an unexpected keyword argument 'spam'$"
        with pytest.raises(TypeError, match=told):
            search.fit(*digits(), spam=1)

    def test_all_of_them(self):
        with pytest.raises(ValueError, match="All the 6 fits failed"):
            BatchedGridSearchCV(classifier(), {"lr": [-1, 0]}, cv=3).fit(*digits())

    def test_in_the_middle_of_training(self, monkeypatch):
        from sklearn_nndyn.model_selection.search import _evaluation

        train = _evaluation.train

        def trips(fits, **kwargs):
            errors = train(fits, **kwargs)
            errors[2] = ZeroDivisionError("tripped")
            return errors

        monkeypatch.setattr(_evaluation, "train", trips)
        search = BatchedGridSearchCV(classifier(), {"lr": [0.1, 0.01]}, cv=3, return_dynamics=True)
        with pytest.warns(FitFailedWarning, match="1 fits failed out of a total of 6") as caught:
            search.fit(*digits())
        assert "ZeroDivisionError: tripped" in str(caught[0].message)
        scores = np.array([search.cv_results_[f"split{fold}_test_score"] for fold in range(3)])
        records = np.array([[record is None for record in records] for records in search.candidate_dynamics_])
        np.testing.assert_array_equal(np.isnan(scores).T, records)
        assert records.sum() == 1
        with pytest.raises(ZeroDivisionError, match="tripped"):
            search.set_params(error_score="raise").fit(*digits())

    def test_a_loss_that_fails_in_training_fails_its_own_candidate(self):
        """The others of its program get the scores of `GridSearchCV`."""
        grid = {"loss": ["log", Refuses(4.2), "l2"]}
        with (
            pytest.warns(FitFailedWarning, match="3 fits failed out of a total of 9") as caught,
            pytest.warns(RuntimeWarning, match="Training 9 networks together failed in epoch"),
        ):
            search, other = both(classifier(lr=0.05, max_epochs=8), grid, *digits(), refit=False)
        assert_same_results(search, other)
        np.testing.assert_array_equal(np.isnan(other.cv_results_["mean_test_score"]), [False, True, False])
        assert len([w for w in caught if "OverflowError: a score beyond 4.2" in str(w.message)]) == 2

    def test_bad_data_is_told_of_each_fold(self):
        X, y = digits()
        X[0, 0] = np.nan
        folds = [(np.arange(120), np.arange(120, 240)), (np.arange(120, 200), np.arange(200, 240))]
        search = BatchedGridSearchCV(classifier(), {"lr": [0.1, 0.01]}, cv=folds, refit=False)
        with pytest.warns(FitFailedWarning, match="2 fits failed out of a total of 4") as caught:
            search.fit(X, y)
        assert "contains NaN" in str(caught[0].message)


def test_training_that_diverges_warns_and_keeps_the_last_good_epoch():
    clf = classifier(optimizer="sgd", loss="l2")
    with pytest.warns(ConvergenceWarning, match="Training diverged in epoch 1"):
        search, other = both(clf, {"lr": [1e30, 0.1]}, *digits())
    assert_same_results(search, other)


class OwnFit(DynamicsClassifier):
    def fit(self, X, y):
        return super().fit(X, y)


class TestNotOurs:
    @pytest.mark.parametrize(
        ("estimator", "found"),
        [
            (LogisticRegression(), r"estimator is LogisticRegression\(\)"),
            (
                make_pipeline(StandardScaler(), LogisticRegression()),
                r"a Pipeline that ends in LogisticRegression\(\)",
            ),
            (make_pipeline(classifier(), "passthrough"), "a Pipeline that ends in 'passthrough'"),
            (Pipeline([("inner", make_pipeline(classifier()))]), r"a Pipeline that ends in Pipeline\("),
            (DynamicsClassifier, "estimator is <class"),
            ("log", "estimator is 'log'"),
            (None, "estimator is None"),
            (OwnFit(), "OwnFit, which has a fit of its own"),
            (GridSearchCV(classifier(), {}), r"estimator is GridSearchCV\("),
        ],
        ids=lambda value: type(value).__name__ if not isinstance(value, str) else value[:30],
    )
    def test_is_refused_with_what_to_use(self, estimator, found):
        with pytest.raises(
            TypeError, match=rf"(?s)trains DynamicsClassifier.*{found}.*model_selection\.GridSearchCV"
        ):
            BatchedGridSearchCV(estimator, {}).fit(*digits())

    def test_also_as_a_candidate_and_before_any_work(self, counted, programs):
        from tests.model_selection.searches import CountingScaler

        pipe = Pipeline([("scale", CountingScaler()), ("clf", classifier())])
        grid = {"clf": [classifier(), LogisticRegression()]}
        with pytest.raises(
            TypeError, match=r"candidate .*LogisticRegression\(\).* is a Pipeline that ends in Logistic"
        ):
            BatchedGridSearchCV(pipe, grid).fit(*digits())
        assert counted == programs.X == []


class TestBadSettings:
    def test_an_unknown_parameter_in_the_grid(self):
        for search in (GridSearchCV, BatchedGridSearchCV):
            with pytest.raises(
                ValueError, match="Invalid parameter 'depth' for estimator DynamicsClassifier"
            ):
                search(classifier(), {"depth": [3]}).fit(*digits())

    def test_a_cv_that_breaks_its_promise(self):
        class Odd:
            def get_n_splits(self, X=None, y=None, groups=None):
                return 3

            def split(self, X, y=None, groups=None):
                yield np.arange(100), np.arange(100, 240)

        with pytest.raises(ValueError, match=r"promises 3 folds, and cv\.split makes 1"):
            BatchedGridSearchCV(classifier(), {}, cv=Odd()).fit(*digits())

    def test_nothing_to_fit(self):
        with pytest.raises(ValueError, match="No fits were performed"):
            BatchedGridSearchCV(classifier(), []).fit(*digits())

    @pytest.mark.parametrize("name", ["memory_limit", "return_dynamics", "verbose", "n_jobs", "error_score"])
    def test_values_of_the_wrong_kind(self, name):
        search = BatchedGridSearchCV(classifier(), {}).set_params(**{name: "much"})
        with pytest.raises(ValueError, match=f"The '{name}' parameter of BatchedGridSearchCV must be"):
            search.fit(*digits())


def test_an_interrupt_ends_the_search(monkeypatch):
    def interrupted(fits, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("sklearn_nndyn.model_selection.search._evaluation.train", interrupted)
    search = BatchedGridSearchCV(classifier(), {"lr": [0.1]})
    with pytest.raises(KeyboardInterrupt):
        search.fit(*digits())
    assert not hasattr(search, "cv_results_")
