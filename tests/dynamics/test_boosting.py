"""The rounds of XGBoost and LightGBM are the epochs of their records."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import Dynamics
from sklearn_nndyn.analyzers import LossTailAnalyzer, find_label_errors

ROUNDS = 6


def data(n_classes):
    X, y = (load_breast_cancer if n_classes == 2 else load_iris)(return_X_y=True)
    return X[-200:], y[-200:]


def xgboost(**parameters):
    package = pytest.importorskip("xgboost")
    return package.XGBClassifier(n_estimators=ROUNDS, **parameters)


def lightgbm(**parameters):
    package = pytest.importorskip("lightgbm")
    return package.LGBMClassifier(n_estimators=ROUNDS, verbose=-1, **parameters)


MADE = {"xgboost": xgboost, "lightgbm": lightgbm}


def probability(model, X, k):
    """By the model itself, from the first round on; made to sum to 1."""
    if hasattr(model, "booster_"):
        p = model.predict_proba(X, num_iteration=k)
    else:
        p = model.predict_proba(X, iteration_range=(0, k))
    return p / p.sum(axis=1, keepdims=True)


def assert_is_of_rounds(record, model, X, y):
    p = np.stack(
        [probability(model, X, k)[np.arange(len(y)), record.target] for k in range(1, ROUNDS + 1)], 1
    )
    assert record.epochs.tolist() == list(range(1, ROUNDS + 1))
    np.testing.assert_allclose(record.probability, p, rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(record.loss, -np.log(p), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", MADE)
def test_a_round_is_an_epoch(kind, n_classes):
    X, y = data(n_classes)
    model = MADE[kind]().fit(X, y)
    record = Dynamics.from_staged(model, X, y)
    assert_is_of_rounds(record, model, X, y)
    assert record.accuracy[-1] == pytest.approx(model.score(X, y))
    assert record.header["estimator"] == type(model).__name__
    assert LossTailAnalyzer().fit(record).summary()
    assert len(find_label_errors(record).scores) == len(y)


@pytest.mark.parametrize("kind", MADE)
def test_the_end_of_a_pipeline(kind):
    X, y = data(3)
    pipe = make_pipeline(StandardScaler(), MADE[kind]()).fit(X, y)
    assert_is_of_rounds(Dynamics.from_staged(pipe, X, y), pipe[-1], pipe[:-1].transform(X), y)


def test_dropped_trees():
    X, y = data(3)
    model = xgboost(booster="dart", rate_drop=0.5).fit(X, y)
    record = Dynamics.from_staged(model, X, y)
    np.testing.assert_allclose(
        record.margin[:, -1], margins(model.predict(X, output_margin=True), y), rtol=1e-5
    )


def margins(scores, y):
    others = np.where(np.arange(scores.shape[1]) == y[:, None], -np.inf, scores)
    return scores[np.arange(len(y)), y] - others.max(axis=1)


@pytest.mark.filterwarnings("ignore:Argument 'eval_set' is deprecated")
def test_rounds_after_the_best_one_count_too():
    X, y = data(3)
    model = xgboost(early_stopping_rounds=1, learning_rate=2.0)
    model.set_params(n_estimators=50).fit(X[::2], y[::2], eval_set=[(X[1::2], y[1::2])], verbose=False)
    record = Dynamics.from_staged(model, X, y)
    assert record.n_epochs == model.get_booster().num_boosted_rounds() > model.best_iteration + 1


def test_probabilities_that_are_no_softmax_of_the_scores():
    X, y = data(3)
    model = lightgbm(objective="multiclassova").fit(X, y)
    assert_is_of_rounds(Dynamics.from_staged(model, X, y), model, X, y)


def test_labels_may_be_text():
    X, y = data(3)
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    assert Dynamics.from_staged(lightgbm().fit(X, names), X, names).classes.tolist() == sorted(set(names))


@pytest.mark.parametrize("kind", MADE)
def test_one_that_is_not_fitted(kind):
    with pytest.raises(NotFittedError):
        Dynamics.from_staged(MADE[kind](), *data(2))


def test_a_regression_has_no_classes():
    package = pytest.importorskip("lightgbm")
    X, y = data(2)
    model = package.LGBMRegressor(n_estimators=2, verbose=-1).fit(X, y)
    with pytest.raises(TypeError, match="LGBMRegressor has no stages"):
        Dynamics.from_staged(model, X, y)


class Additive(ClassifierMixin, BaseEstimator):
    """Speaks as LightGBM does: each round adds 1 to the score of the last class."""

    classes_ = np.array([0, 1, 2])
    scale = 1.0

    @property
    def booster_(self):
        return self

    def current_iteration(self):
        return ROUNDS

    def predict(self, X, raw_score, start_iteration, num_iteration):
        return np.tile([0.0, 0.0, num_iteration], (len(X), 1))

    def predict_proba(self, X, num_iteration):
        odds = np.exp(self.scale * np.tile([0.0, 0.0, num_iteration], (len(X), 1)))
        return odds / odds.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_raw_scores_where_they_are_log_odds(scale):
    """Without any package: margins are the raw scores if the probabilities say so, else their logarithms."""
    model = Additive()
    model.scale = scale
    record = Dynamics.from_staged(model, np.zeros((2, 1)), [2, 0])
    expected = scale * np.arange(1.0, ROUNDS + 1)
    np.testing.assert_allclose(record.margin, [expected, -expected], rtol=1e-6)
