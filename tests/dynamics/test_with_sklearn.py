"""scikit-learn takes a record as an X."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_predict,
    cross_val_score,
    train_test_split,
)
from sklearn.pipeline import make_pipeline, make_union
from sklearn.utils import indexable, resample, shuffle
from sklearn.utils.validation import check_consistent_length

from sklearn_nndyn.dynamics import Dynamics


class Curve(TransformerMixin, BaseEstimator):
    """The first epochs of one field, one row a sample."""

    def __init__(self, field="loss", n_epochs=2):
        self.field = field
        self.n_epochs = n_epochs

    def fit(self, X, y=None):
        self.seen_ = len(X)
        return self

    def transform(self, X):
        return getattr(X, self.field)[:, : self.n_epochs]

    def get_feature_names_out(self, input_features=None):
        return np.array([f"{self.field}{t}" for t in range(self.n_epochs)], dtype=object)


@pytest.fixture
def big(make_record):
    return make_record(n_samples=60)


@pytest.fixture
def groups():
    return np.arange(60) % 2


def test_union_and_its_names(big):
    union = make_union(Curve(), Curve("margin")).set_output(transform="pandas")
    table = union.fit_transform(big)
    assert table.columns.tolist() == [
        "curve-1__loss0",
        "curve-1__loss1",
        "curve-2__margin0",
        "curve-2__margin1",
    ]
    np.testing.assert_array_equal(table.to_numpy(), np.hstack([big.loss[:, :2], big.margin[:, :2]]))


def test_polars_output(big):
    table = Curve().set_output(transform="polars").fit_transform(big)
    np.testing.assert_array_equal(table["loss1"].to_numpy(), big.loss[:, 1])


@pytest.mark.parametrize("options", [{}, {"shuffle": False}, {"stratified": True}])
def test_train_test_split_splits_as_it_does_an_array(big, groups, options):
    options = {"stratify": groups} if options.get("stratified") else options
    split = train_test_split(big, groups, test_size=20, **({"random_state": 0} | options))
    expected = train_test_split(big.loss, groups, test_size=20, **({"random_state": 0} | options))
    assert [type(one) for one in split[:2]] == [Dynamics, Dynamics]
    for ours, theirs in zip(split[:2], expected[:2], strict=True):
        np.testing.assert_array_equal(ours.loss, theirs)
    np.testing.assert_array_equal(split[3], expected[3])


@pytest.mark.parametrize("cv", [3, ShuffleSplit(3, random_state=0), StratifiedKFold(4)], ids=repr)
def test_cross_validation_scores_as_on_the_table(big, groups, cv):
    model = make_pipeline(Curve(n_epochs=4), LogisticRegression())
    ours = cross_val_score(model, big, groups, cv=cv)
    np.testing.assert_array_equal(ours, cross_val_score(LogisticRegression(), big.loss, groups, cv=cv))


def test_cross_val_predict_keeps_the_order(big, groups):
    model = make_pipeline(Curve(n_epochs=4), LogisticRegression())
    expected = cross_val_predict(LogisticRegression(), big.loss, groups)
    np.testing.assert_array_equal(cross_val_predict(model, big, groups), expected)


def test_search_over_the_parameter_of_a_transformer(big):
    last = big.loss[:, 3] > 0
    search = GridSearchCV(
        make_pipeline(Curve(), LogisticRegression()),
        {"curve__n_epochs": [1, 2, 4], "curve__field": ["loss", "margin"]},
    )
    search.fit(big, last)
    assert search.best_params_ == {"curve__n_epochs": 4, "curve__field": "loss"}
    assert search.best_estimator_[0].seen_ == 60


def test_resampling_and_shuffling(big):
    order = shuffle(np.arange(60), random_state=0)
    np.testing.assert_array_equal(shuffle(big, random_state=0).loss, big.loss[order])
    drawn = resample(np.arange(60), random_state=0)
    np.testing.assert_array_equal(resample(big, random_state=0).loss, big.loss[drawn])


def test_it_has_the_length_of_its_labels(big, groups):
    check_consistent_length(big, groups)
    assert indexable(big, groups)[0] is big
    with pytest.raises(ValueError, match=r"inconsistent numbers of samples: \[60, 59\]"):
        check_consistent_length(big, groups[1:])


class Holder(BaseEstimator):
    def __init__(self, record=None):
        self.record = record


def test_a_record_as_a_parameter_is_cloned_into_a_read_only_one(record, assert_same):
    copied = clone(Holder(record)).record
    assert_same(copied, record)
    assert not copied.loss.flags.writeable
