"""Candidates that are unlike the others: sparse features, placeholders, wrong values."""

import numpy as np
import pytest
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.exceptions import FitFailedWarning
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import KBinsDiscretizer, StandardScaler

from sklearn_nndyn import BatchedGridSearchCV
from tests.model_selection.searches import assert_same_results, both, classifier, digits

ignored_nan = pytest.mark.filterwarnings("ignore:One or more of the .* scores are non-finite")
BINS = {"n_bins": 3, "strategy": "uniform"}


def pipeline(first, last):
    return Pipeline([("before", first), ("classify", last)])


@ignored_nan
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.FitFailedWarning", "ignore:Feature .* is constant")
@pytest.mark.parametrize("kind", ["bins", "matrix", "array"])
def test_a_candidate_with_sparse_features_leaves_the_others_alone(kind):
    """Fitted as the dense ones where networks take sparse rows; scored as an error where they do not."""
    made = {"matrix": sparse.csr_matrix, "array": sparse.csr_array}
    if kind == "bins":
        estimator = pipeline(KBinsDiscretizer(**BINS), classifier())
        grid = {"before__encode": ["onehot", "onehot-dense"]}
    else:
        estimator, grid = pipeline(Maybe(made[kind]), classifier()), {"before__sparse": [True, False]}
    search = BatchedGridSearchCV(estimator, grid, cv=2).fit(*digits())
    first, second = search.cv_results_["mean_test_score"]
    dense = BatchedGridSearchCV(estimator, {name: values[1:] for name, values in grid.items()}, cv=2)
    assert second == pytest.approx(dense.fit(*digits()).best_score_, abs=0.02)
    assert np.isnan(first) or first == pytest.approx(second, abs=0.02)


class Maybe(TransformerMixin, BaseEstimator):
    """Makes the features sparse, or not."""

    def __init__(self, make, sparse=True):
        self.make = make
        self.sparse = sparse

    def fit(self, X, y=None):
        self.fitted_ = True
        return self

    def transform(self, X):
        return self.make(X) if self.sparse else X


@pytest.mark.parametrize("placeholder", ["passthrough", "drop", None])
def test_a_placeholder_is_replaced_by_the_candidates(placeholder):
    if placeholder == "drop":
        pytest.skip("GridSearchCV takes no such last step to compare with")
    grid = {"classify": [classifier(lr=lr) for lr in (0.03, 1e-4)]}
    search, other = both(pipeline(StandardScaler(), placeholder), grid, *digits(), scoring="accuracy")
    assert_same_results(search, other)
    assert other.best_estimator_.predict(digits()[0]).shape == (240,)


@ignored_nan
@pytest.mark.parametrize("error_score", [np.nan, 0.125])
@pytest.mark.parametrize("placeholder", ["passthrough", "drop", None])
def test_a_candidate_that_is_a_placeholder_gets_the_error_score(placeholder, error_score):
    grid = {"classify": [placeholder, classifier()]}
    search = BatchedGridSearchCV(
        pipeline(StandardScaler(), classifier()), grid, cv=2, error_score=error_score, return_dynamics=True
    )
    with pytest.warns(FitFailedWarning, match="The last step is .*, which predicts nothing: give a Dynamics"):
        search.fit(*digits())
    first, second = search.cv_results_["mean_test_score"]
    np.testing.assert_array_equal(first, error_score)
    assert second > 0.5
    assert search.candidate_dynamics_[0] == [None, None]
    assert search.candidate_dynamics_[1][0] is not None


def test_a_placeholder_alone_fails_as_a_whole():
    with pytest.raises(ValueError, match=r"All the 2 fits failed"):
        BatchedGridSearchCV(
            pipeline(StandardScaler(), classifier()), {"classify": ["passthrough"]}, cv=2
        ).fit(*digits())
    with pytest.raises(ValueError, match="The last step is 'passthrough', which predicts nothing"):
        BatchedGridSearchCV(
            pipeline(StandardScaler(), classifier()),
            {"classify": ["passthrough", classifier()]},
            cv=2,
            error_score="raise",
        ).fit(*digits())


@ignored_nan
@pytest.mark.parametrize(
    "bad",
    [
        {"module": ["MLP"]},
        {"module": [lambda shape, n_classes: 1 / 0]},
        {"loss": ["no such loss"]},
        {"optimizer": ["no such optimizer"]},
        {"optimizer_params": [{"momentun": 0.9}]},
        {"batch_size": [0]},
        {"device": ["nowhere"]},
    ],
    ids=lambda bad: next(iter(bad)),
)
def test_one_bad_candidate_never_loses_the_search(bad):
    search = BatchedGridSearchCV(classifier(), [bad, {"lr": [0.03]}], cv=2)
    with pytest.warns(FitFailedWarning, match="2 fits failed out of a total of 4"):
        search.fit(*digits())
    first, second = search.cv_results_["mean_test_score"]
    assert np.isnan(first)
    assert second == BatchedGridSearchCV(classifier(), {"lr": [0.03]}, cv=2).fit(*digits()).best_score_
