"""Averages over epochs: what is averaged, what is gained where knowledge was planted and forgotten, what is refused."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import Dynamics, DynamicsClassifier
from sklearn_nndyn.interventions import average_over_epochs, epoch_ensemble, forgotten_curve
from tests import reference

X, Y = load_iris(return_X_y=True)


@pytest.fixture(scope="module")
def clf():
    fitted = DynamicsClassifier(max_epochs=8, lr=0.01, random_state=0)
    return fitted.fit(X[::3], Y[::3], X_val=X[1::3], y_val=Y[1::3])


class Forgetful(ClassifierMixin, BaseEstimator):
    """Two classes by the sign of X; at its last epochs it is surely wrong about a part of the samples.

    Half of the samples are of the part. At epochs 1 to 4 it is right about all of them, at 5 wrong about ``part``.
    """

    def __init__(self, part=0.5, epoch=5):
        self.part = part
        self.epoch = epoch

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        epochs = np.arange(6)
        right = np.stack([self.at_epoch(e).predict_proba(X).argmax(axis=1) == y for e in epochs], axis=1)
        fields = {"epochs": epochs, "prediction": np.where(right, y[:, None], 1 - y[:, None])}
        self.dynamics_ = self.validation_dynamics_ = Dynamics(y=y, classes=[0, 1], **fields)
        return self

    def at_epoch(self, epoch):
        model = Forgetful(self.part, epoch)
        model.classes_ = np.array([0, 1])
        return model

    def predict_proba(self, X):
        value = X[:, 0].copy()
        if self.epoch == 5:
            value[: int(self.part * len(X))] *= -1
        if self.epoch == 0:
            value *= 0
        p = np.where(value > 0, 0.8, np.where(value < 0, 0.2, 0.5))
        return np.stack([1 - p, p], axis=1)


def planted(n_samples=200, **parameters):
    values = np.random.default_rng(0).normal(size=(n_samples, 1))
    y = (values[:, 0] > 0).astype(int)
    return Forgetful(**parameters).fit(values, y), values, y


@pytest.mark.parametrize("seed", range(3))
def test_what_is_forgotten_is_that_of_the_slow_definition(seed):
    correct = np.random.default_rng(seed).random((30, 7)) < 0.6
    np.testing.assert_allclose(forgotten_curve(correct), reference.forgotten(correct.tolist()))


def test_what_was_planted_and_forgotten_is_brought_back():
    model, values, y = planted(part=0.25)
    found = epoch_ensemble(model, values, y)
    assert found.accuracy == {"last": 0.75, "all": 1.0, "forgotten": 1.0}
    assert found.gain == {"all": 0.25, "forgotten": 0.25}
    np.testing.assert_allclose(found.forgotten[1:], [0.25] * 4 + [0])
    assert found.forgotten_epochs == [2, 3, 4]
    assert [finding.verdict for finding in found.findings_] == ["yes", "yes"]
    assert "by 25 points" in " ".join(found.summary().split())


def test_where_nothing_is_forgotten_nothing_is_averaged_but_the_last_epoch():
    model, values, y = planted(part=0.0)
    found = epoch_ensemble(model, values, y)
    assert found.forgotten_epochs == []
    assert found.gain["forgotten"] == 0
    assert [finding.verdict for finding in found.findings_] == ["cannot tell", "cannot tell"]
    assert "no validation sample that is wrong at the end was right" in " ".join(found.summary().split())


def test_probabilities_are_the_mean_of_those_of_the_epochs(clf):
    staged = list(clf.staged_predict_proba(X))
    np.testing.assert_allclose(average_over_epochs(clf, X), np.mean(staged[1:], axis=0), atol=1e-6)
    np.testing.assert_allclose(average_over_epochs(clf, X, [2, 8]), (staged[2] + staged[8]) / 2, atol=1e-6)
    np.testing.assert_allclose(average_over_epochs(clf, X, [5]), clf.at_epoch(5).predict_proba(X))


def test_a_pipeline_is_given_the_samples_as_its_user_has_them():
    pipeline = make_pipeline(StandardScaler(), DynamicsClassifier(max_epochs=4, random_state=0)).fit(X, Y)
    inner = pipeline[-1]
    scaled = pipeline[:-1].transform(X)
    np.testing.assert_allclose(average_over_epochs(pipeline, X), average_over_epochs(inner, scaled))


def test_labels_are_names(clf):
    names = np.array(["a", "b", "c"])
    named = DynamicsClassifier(max_epochs=8, lr=0.01, random_state=0)
    named.fit(X[::3], names[Y[::3]], X_val=X[1::3], y_val=names[Y[1::3]])
    assert (
        epoch_ensemble(named, X[2::3], names[Y[2::3]]).accuracy
        == epoch_ensemble(clf, X[2::3], Y[2::3]).accuracy
    )


@pytest.mark.parametrize(
    ("act", "message"),
    [
        (lambda clf: average_over_epochs(clf, X, []), "epochs is empty"),
        (lambda clf: average_over_epochs(clf, X, [99]), "99"),
        (
            lambda clf: epoch_ensemble(clf, X, Y, n_forgotten=0),
            "n_forgotten must be an integer, 1 or greater, got 0",
        ),
    ],
    ids=["none", "unknown", "number"],
)
def test_what_cannot_be_averaged_is_refused(clf, act, message):
    with pytest.raises(ValueError, match=message):
        act(clf)


def test_a_model_without_validation_record_weights_or_probabilities_is_refused():
    alone = DynamicsClassifier(max_epochs=2, random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="no validation record"):
        epoch_ensemble(alone, X, Y)
    without = DynamicsClassifier(max_epochs=2, snapshots=False, random_state=0).fit(X, Y)
    with pytest.raises(ValueError, match="snapshots=True"):
        average_over_epochs(without, X)
    hinge = DynamicsClassifier(max_epochs=2, loss="hinge", random_state=0).fit(X, Y)
    with pytest.raises(TypeError, match=r"^Expected a fitted model"):
        average_over_epochs(hinge, X)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (Y[:-1], r"y has 149 values, but X has 150 samples"),
        (np.eye(3)[Y], r"y should be a 1d array, got an array of shape \(150, 3\)"),
        (Y.astype(str), r"y holds labels unseen at fit: '0', '1', '2'; the classes are 0, 1, 2"),
        (Y + 10, r"y holds labels unseen at fit: 10, 11, 12; the classes are 0, 1, 2"),
        (np.where(Y == 2, np.nan, Y), r"y holds labels unseen at fit: nan; the classes are 0, 1, 2"),
    ],
    ids=["fewer", "one-hot", "text", "others", "nan"],
)
def test_labels_that_cannot_be_compared_are_refused(clf, labels, message):
    with pytest.raises(ValueError, match=message):
        epoch_ensemble(clf, X, labels)


def test_a_column_of_labels_and_plain_lists_are_labels(clf):
    expected = epoch_ensemble(clf, X, Y).accuracy
    assert epoch_ensemble(clf, X, Y[:, None]).accuracy == expected
    assert epoch_ensemble(clf, X, Y.tolist()).accuracy == expected
    assert expected["last"] == clf.score(X, Y)
