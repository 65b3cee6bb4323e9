"""The rounds of an ensemble are the epochs of its record."""

import numpy as np
import pytest
from sklearn.datasets import load_breast_cancer, load_iris
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import AdaBoostClassifier, GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import Dynamics, DynamicsClassifier
from sklearn_nndyn.analyzers import LossTailAnalyzer, SampleScoreAnalyzer, find_label_errors

BOOSTERS = {
    "gradient boosting": GradientBoostingClassifier(n_estimators=8, random_state=0),
    "exponential loss": GradientBoostingClassifier(n_estimators=8, loss="exponential", random_state=0),
    "histograms": HistGradientBoostingClassifier(max_iter=8, random_state=0),
    "AdaBoost": AdaBoostClassifier(n_estimators=8, random_state=0),
    "pipeline": make_pipeline(StandardScaler(), GradientBoostingClassifier(n_estimators=8, random_state=0)),
}


def data(n_classes):
    if n_classes == 3:
        X, y = load_iris(return_X_y=True)
        return X, np.array(["setosa", "versicolor", "virginica"])[y]
    X, y = load_breast_cancer(return_X_y=True)
    return X[:200], y[:200]


def staged_probabilities(model, X):
    if hasattr(model, "staged_predict_proba"):
        return np.stack(list(model.staged_predict_proba(X)), axis=1)
    return np.stack(list(model[-1].staged_predict_proba(model[:-1].transform(X))), axis=1)


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("kind", BOOSTERS)
def test_losses_are_those_of_the_staged_probabilities(kind, n_classes):
    if kind == "exponential loss" and n_classes > 2:
        pytest.skip("scikit-learn has it for two classes")
    X, y = data(n_classes)
    model = BOOSTERS[kind].fit(X, y)
    record = Dynamics.from_staged(model, X, y)
    p = staged_probabilities(model, X)[np.arange(len(y)), :, record.target]
    assert record.shape == p.shape
    assert record.epochs.tolist() == list(range(1, p.shape[1] + 1))
    np.testing.assert_allclose(record.probability, p, rtol=1e-5, atol=1e-7)
    np.testing.assert_allclose(record.loss, -np.log(p), rtol=1e-5, atol=1e-6)
    assert record.accuracy[-1] == pytest.approx(model.score(X, y))
    assert record.header["estimator"] in repr(model)


def test_scores_are_the_log_odds_where_there_are_any():
    X, y = data(2)
    model = BOOSTERS["gradient boosting"].fit(X, y)
    record = Dynamics.from_staged(model, X, y)
    odds = np.stack(list(model.staged_decision_function(X)), axis=1).reshape(record.shape)
    np.testing.assert_allclose(record.margin, np.where(y[:, None] == 1, odds, -odds), rtol=1e-6)


class OnlyDecisions:
    """Stages without probabilities, each in the array of the one before."""

    def __init__(self, n_columns):
        self.classes_ = np.arange(max(n_columns, 2))
        self.n_columns = n_columns

    def staged_decision_function(self, X):
        decision = np.zeros((len(X), self.n_columns))
        for _ in range(3):
            decision[:, -1] += 1
            yield decision


@pytest.mark.parametrize("n_columns", [1, 2, 3])
def test_decisions_alone_will_do_also_if_an_array_is_used_again(n_columns):
    model = OnlyDecisions(n_columns)
    record = Dynamics.from_staged(model, np.zeros((2, 1)), [model.classes_[-1], 0])
    assert record.margin.tolist() == [[1, 2, 3], [-1, -2, -3]]


def test_held_out_samples_may_lack_a_class():
    X, y = data(3)
    record = Dynamics.from_staged(BOOSTERS["histograms"].fit(X, y), X[:20], y[:20], sample_ids=np.arange(20))
    assert record.classes.tolist() == ["setosa", "versicolor", "virginica"]
    assert record.sample_ids.tolist() == list(range(20))


def test_what_follows_a_record_takes_it():
    X, y = data(2)
    record = Dynamics.from_staged(BOOSTERS["histograms"].fit(X, y), X, y)
    for analyzer in (LossTailAnalyzer(), SampleScoreAnalyzer()):
        assert analyzer.fit(record).summary()
    assert len(find_label_errors(record).scores) == 200


def test_a_search_is_read_as_its_best_ensemble():
    X, y = data(3)
    search = GridSearchCV(BOOSTERS["pipeline"], {"gradientboostingclassifier__max_depth": [1]}, cv=2).fit(
        X, y
    )
    found, best = (
        Dynamics.from_staged(model, X, y) for model in (FrozenEstimator(search), search.best_estimator_)
    )
    np.testing.assert_array_equal(found.loss, best.loss)


def test_a_network_has_epochs_in_place_of_stages():
    """Its first is epoch 0, where the first stage of an ensemble is 1."""
    X, y = data(2)
    clf = DynamicsClassifier(max_epochs=1, random_state=0).fit(X, y)
    with pytest.raises(
        TypeError, match=r"DynamicsClassifier has epochs .* their record is estimator\.replay\(X, y\)"
    ):
        Dynamics.from_staged(make_pipeline(StandardScaler(), clf), X, y)


def test_what_has_no_stages_is_refused():
    X, y = data(2)
    with pytest.raises(
        TypeError, match=r"DummyClassifier has no stages: neither staged_decision_function nor staged_pre"
    ):
        Dynamics.from_staged(DummyClassifier().fit(X, y), X, y)
    with pytest.raises(
        TypeError, match="must be a fitted estimator, got the class GradientBoostingClassifier"
    ):
        Dynamics.from_staged(GradientBoostingClassifier, X, y)
    with pytest.raises(
        NotFittedError, match="This GradientBoostingClassifier has no classes_: call fit first"
    ):
        Dynamics.from_staged(GradientBoostingClassifier(), X, y)
    fitted = BOOSTERS["histograms"].fit(X, y)
    with pytest.raises(ValueError, match="X has 150 samples, y has 200"):
        Dynamics.from_staged(fitted, X[:150], y)
    with pytest.raises(ValueError, match="y has labels that are not among the classes 0, 1: 2"):
        Dynamics.from_staged(fitted, X, y + 1)
