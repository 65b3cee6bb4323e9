"""Weights, validation samples and the like reach whom GridSearchCV gives them."""

import numpy as np
import pytest
from sklearn import config_context
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import UnsetMetadataPassedError
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import BatchedGridSearchCV
from tests.model_selection.searches import assert_same_results, both, classifier, digits


class Brightens(TransformerMixin, BaseEstimator):
    """Multiplies each sample with what is given for it."""

    def fit(self, X, y=None, light=None):
        return self

    def fit_transform(self, X, y=None, light=None):
        return self.transform(X, light)

    def transform(self, X, light=None):
        return X if light is None else X * light[:, None]


GRID = {"loss": ["log", "l2"], "lr": [0.03, 0.003]}


@pytest.fixture
def weight():
    """Three classes count for nothing."""
    _, y = digits()
    return np.where(y < 3, 0.0, np.linspace(0.5, 3, len(y)))


@pytest.fixture
def routing():
    with config_context(enable_metadata_routing=True):
        yield


def assert_matters(search, other):
    """Otherwise it might have been left out."""
    columns = [s.cv_results_["mean_test_score"] for s in (search, other)]
    assert not np.allclose(*columns, atol=0.01)


class TestWithoutRouting:
    def test_weights_of_samples(self, weight):
        search, other = both(classifier(), GRID, *digits(), {"sample_weight": weight})
        assert_same_results(search, other, differ=False)
        assert_matters(other, both(classifier(), GRID, *digits())[1])

    def test_weights_for_a_step(self, weight):
        pipe = Pipeline([("scale", StandardScaler()), ("clf", classifier())])
        grid = {f"clf__{name}": values for name, values in GRID.items()}
        for arguments in ({"clf__sample_weight": weight}, {"scale__sample_weight": weight}):
            search, other = both(pipe, grid, *digits(), arguments)
            assert_same_results(search, other, differ=False)
        with pytest.raises(ValueError, match=r"Pipeline.fit does not accept the sample_weight parameter"):
            BatchedGridSearchCV(pipe, grid).fit(*digits(), sample_weight=weight)

    def test_validation_samples(self):
        X, y = digits()
        stopping = classifier(early_stopping=True, n_iter_no_change=1, max_epochs=12, lr=0.1)
        arguments = {"X_val": X[:50], "y_val": y[:50]}
        grid = {"lr": [0.2, 0.05]}
        search, other = both(stopping, grid, X, y, arguments, scoring=lambda clf, X, y: clf.best_epoch_)
        assert_same_results(search, other, differ=False)
        assert other.cv_results_["mean_test_score"].max() > 1
        np.testing.assert_array_equal(other.best_estimator_.validation_dynamics_.y, y[:50])

    def test_an_argument_that_fit_does_not_know(self):
        with pytest.raises(ValueError, match="unexpected keyword argument 'weights'"):
            BatchedGridSearchCV(classifier(), GRID).fit(*digits(), weights=3)


@pytest.mark.usefixtures("routing")
class TestWithRouting:
    def test_weights_of_samples_for_fit_and_score(self, weight):
        clf = classifier().set_fit_request(sample_weight=True)
        scorer = make_scorer(accuracy_score).set_score_request(sample_weight=True)
        search, other = both(clf, GRID, *digits(), {"sample_weight": weight}, scoring=scorer)
        assert_same_results(search, other, samples=4)
        assert_matters(other, both(clf, GRID, *digits(), scoring=scorer)[1])

    def test_weights_of_samples_for_the_steps_of_a_pipeline(self, weight):
        clf = classifier().set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        scaler = StandardScaler().set_fit_request(sample_weight=True)
        pipe = Pipeline([("scale", scaler), ("clf", clf)])
        grid = {f"clf__{name}": values for name, values in GRID.items()}
        search, other = both(pipe, grid, *digits(), {"sample_weight": weight}, return_train_score=True)
        assert_same_results(search, other, samples=4)
        assert_matters(other, both(pipe, grid, *digits())[1])

    def test_weights_under_another_name(self, weight):
        clf = classifier().set_fit_request(sample_weight="importance").set_score_request(sample_weight=False)
        pipe = Pipeline([("scale", StandardScaler().set_fit_request(sample_weight=False)), ("clf", clf)])
        named = {"importance": weight}
        grid = {f"clf__{name}": values for name, values in GRID.items()}
        search, other = both(pipe, grid, *digits(), named, scoring="f1_macro")
        assert_same_results(search, other, samples=4, differ=False)
        assert_matters(other, both(pipe, grid, *digits(), scoring="f1_macro")[1])

    def test_a_step_gets_its_own_for_fit_and_for_score(self):
        clf = classifier().set_fit_request(sample_weight=False).set_score_request(sample_weight=True)
        lit = Brightens().set_fit_request(light=True).set_transform_request(light=True)
        pipe = Pipeline([("light", lit), ("clf", clf)])
        grid = {f"clf__{name}": values for name, values in GRID.items()}
        light = {"light": np.where(np.arange(240) % 3, 1.0, -2.0)}
        search, other = both(pipe, grid, *digits(), light, refit=False)
        assert_same_results(search, other)
        assert_matters(other, both(pipe, grid, *digits())[1])

    def test_validation_samples_go_through_the_steps(self):
        X, y = digits()
        clf = classifier().set_fit_request(X_val=True, y_val=True)
        pipe = Pipeline([("scale", StandardScaler()), ("clf", clf)], transform_input=["X_val"])
        seen = []

        def score(pipe, X, y):
            seen.append(pipe[-1].validation_dynamics_.loss.sum())
            return pipe.score(X, y)

        arguments = {"X_val": X[:50] * 3 + 1, "y_val": y[:50]}
        searches = both(pipe, {"clf__lr": [0.03, 1e-3]}, X, y, arguments, scoring=score)
        assert_same_results(*searches)
        np.testing.assert_allclose(sorted(seen[:6]), sorted(seen[6:]), rtol=1e-3)

    def test_groups(self):
        cv = GroupKFold(3).set_split_request(groups=True)
        assert_same_results(*both(classifier(), GRID, *digits(), {"groups": np.arange(240) // 40}, cv=cv))

    def test_what_nobody_asked_for_is_refused(self, weight):
        with pytest.raises(UnsetMetadataPassedError, match="sample_weight"):
            BatchedGridSearchCV(classifier(), GRID).fit(*digits(), sample_weight=weight)
