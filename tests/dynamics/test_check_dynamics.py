"""One door: what it lets in, and what it says to the rest."""

import re

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV, TunedThresholdClassifierCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn.dynamics import Dynamics, check_dynamics, find_record, unwrap_estimator

X = np.arange(24.0).reshape(12, 2)
Y = np.arange(12) % 2


class Recorder(ClassifierMixin, BaseEstimator):
    """Stands in for a classifier that records."""

    def __init__(self, record=("samples",), validation=False):
        self.record = record
        self.validation = validation

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        if self.record:
            self.dynamics_ = Dynamics(y=y, classes=self.classes_, epochs=[0], loss=np.ones((len(y), 1)))
        if self.validation:
            self.validation_dynamics_ = self.dynamics_[:1]
        return self

    def predict(self, X):
        return self.classes_[np.zeros(len(X), int)]

    def predict_proba(self, X):
        high = np.linspace(0.1, 0.9, len(X))
        return np.stack([1 - high, high], axis=1)


def search(model, **options):
    return GridSearchCV(model, {}, cv=2, **options)


HOLDERS = {
    "classifier": (Recorder(), lambda model: model),
    "pipeline": (make_pipeline(StandardScaler(), Recorder()), lambda model: model[-1]),
    "search": (search(Recorder()), lambda model: model.best_estimator_),
    "search over a pipeline": (
        search(make_pipeline(StandardScaler(), Recorder())),
        lambda model: model.best_estimator_[-1],
    ),
    "pipeline ending in a search": (
        make_pipeline(StandardScaler(), search(Recorder())),
        lambda model: model[-1].best_estimator_,
    ),
    "search over a search in pipelines": (
        search(make_pipeline(search(make_pipeline(Recorder())))),
        lambda model: model.best_estimator_[-1].best_estimator_[-1],
    ),
    "threshold": (FixedThresholdClassifier(Recorder()), lambda model: model.estimator_),
    "tuned threshold in a pipeline": (
        make_pipeline(StandardScaler(), TunedThresholdClassifierCV(make_pipeline(Recorder()), cv=2)),
        lambda model: model[-1].estimator_[-1],
    ),
    "calibrated": (
        CalibratedClassifierCV(Recorder(), cv=2, ensemble=False),
        lambda model: model.calibrated_classifiers_[0].estimator,
    ),
}


@pytest.mark.parametrize("split", ["train", "validation"])
@pytest.mark.parametrize("name", HOLDERS)
def test_the_record_is_found(name, split):
    model, unwrap_estimator = HOLDERS[name]
    for parameter in model.get_params():
        if parameter.endswith("validation"):
            model.set_params(**{parameter: True})
    model.fit(X, Y)
    attribute = {"train": "dynamics_", "validation": "validation_dynamics_"}[split]
    assert check_dynamics(model, split=split) is getattr(unwrap_estimator(model), attribute)


@pytest.mark.parametrize("split", ["train", "validation"])
def test_a_record_is_let_in_as_it_is(record, split):
    assert check_dynamics(record, split=split) is record


@pytest.mark.parametrize("name", HOLDERS)
def test_an_unfitted_model_is_not_fitted(name):
    for optional in (False, True):
        with pytest.raises(NotFittedError, match="instance is not fitted yet"):
            check_dynamics(clone(HOLDERS[name][0]), optional=optional)


def test_the_record_of_a_frozen_model_is_found():
    model = make_pipeline(StandardScaler(), Recorder()).fit(X, Y)
    assert check_dynamics(FrozenEstimator(model)) is model[-1].dynamics_
    assert unwrap_estimator(FrozenEstimator(model), methods=["predict"])[0] is model[-1]


def test_the_record_of_a_frozen_model_that_is_calibrated_is_found():
    model = make_pipeline(StandardScaler(), Recorder()).fit(X, Y)
    calibrated = CalibratedClassifierCV(FrozenEstimator(model)).fit(X, Y)
    assert check_dynamics(calibrated) is model[-1].dynamics_
    inner, scaled = unwrap_estimator(calibrated, X)
    assert inner is model[-1]
    np.testing.assert_array_equal(scaled, model[0].transform(X))


ENSEMBLES = {
    "calibrated": (
        CalibratedClassifierCV(Recorder(), cv=2),
        "holds 2 of them: give one, such as its calibrated_classifiers_[0].estimator.",
    ),
    "voting": (
        VotingClassifier([("a", Recorder()), ("b", make_pipeline(Recorder()))]),
        "holds 2 of them: give one, such as its estimators_[0].",
    ),
    "bagging": (
        BaggingClassifier(Recorder(), n_estimators=3, random_state=0),
        "holds 3 of them: give one, such as its estimators_[0].",
    ),
    "one against the rest": (
        OneVsRestClassifier(Recorder()),
        "holds one, trained on what it made of the data: give its estimators_[0].",
    ),
}


@pytest.mark.parametrize("name", ENSEMBLES)
def test_of_an_ensemble_it_is_said_where_its_models_lie(name):
    model, words = ENSEMBLES[name]
    model = clone(model).fit(X, Y)
    for open_ in (check_dynamics, unwrap_estimator):
        with pytest.raises(TypeError, match=re.escape(f"The {type(model).__name__} {words}") + "$"):
            open_(model)
    where = words.split("its ")[1].rstrip(".")
    one = eval(f"model.{where}", {"model": model})
    assert isinstance(check_dynamics(one), Dynamics)


def test_what_is_there_is_enough(record):
    assert check_dynamics(record, needs=list(CALLS)) is record
    assert check_dynamics(record, needs="loss") is record


CALLS = {
    "loss": ("samples",),
    "margin": ("samples",),
    "prediction": ("samples",),
    "scores": ("scores",),
    "centroids": ("geometry",),
    "weight_norms": ("geometry",),
    "reconstruction": ("reconstruction",),
    "probe_accuracy": ("probe",),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_missing_field_is_named_with_the_call_that_records_it(name):
    bare = Dynamics(y=[0], classes=[0], epochs=[0])
    with pytest.raises(ValueError, match="This record has no") as caught:
        check_dynamics(bare, needs=[name])
    call, elsewhere = str(caught.value).split("; ")
    assert call == (
        f"This record has no {name}: it holds no measurement. "
        f"Fit again with DynamicsClassifier(record={CALLS[name]})"
    )
    assert re.fullmatch(
        r"(in another loop, .*(DynamicsLog|Recorder)|of another loop, .*from_scores).*\.", elsewhere
    )


def test_the_call_keeps_what_there_is_already():
    model = Recorder().fit(X, Y)
    with pytest.raises(ValueError, match="This record has no") as caught:
        check_dynamics(model, needs=["loss", "centroids", "margin", "scores"])
    assert str(caught.value) == (
        "This record has no centroids, margin and scores: it holds loss. "
        "Fit again with DynamicsClassifier(record=('samples', 'scores', 'geometry')); in another loop, use "
        "Recorder(record=('samples', 'scores', 'geometry'))."
    )


REFUSED = {
    "array": (X, TypeError, r"Expected a Dynamics, or a fitted model that holds one: .* got ndarray\.$"),
    "none": (None, TypeError, r"got NoneType\.$"),
    "dict": ({"dynamics_": 1}, TypeError, r"got dict\.$"),
    "class": (Recorder, TypeError, r"got the class Recorder\. Make an object of it, and fit it\.$"),
    "another classifier": (LogisticRegression().fit(X, Y), TypeError, r"got LogisticRegression\.$"),
    "pipeline without one": (make_pipeline(StandardScaler()).fit(X), TypeError, r"got StandardScaler\.$"),
    "passthrough": (make_pipeline(StandardScaler(), "passthrough"), TypeError, r"got str\.$"),
    "search without its best model": (
        search(Recorder(), refit=False).fit(X, Y),
        TypeError,
        r"got GridSearchCV\. A search needs refit=True to keep its best model",
    ),
    "nothing recorded": (
        Recorder(record=()).fit(X, Y),
        ValueError,
        r'model recorded nothing. Fit again with DynamicsClassifier\(record=\("samples", "geometry"\)\)',
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_the_rest_is_told_what_is_accepted(name):
    given, error, message = REFUSED[name]
    with pytest.raises(error, match=message):
        check_dynamics(given)


def test_without_validation_samples_there_is_no_validation_record():
    model = Recorder().fit(X, Y)
    with pytest.raises(
        ValueError, match=r"no validation record. Give validation samples to fit\(X, y, X_val=..., y_val"
    ):
        check_dynamics(model, split="validation")
    assert check_dynamics(model, split="validation", optional=True) is None


def test_optional_is_no_excuse_for_a_missing_field():
    with pytest.raises(ValueError, match="has no centroids"):
        check_dynamics(Recorder().fit(X, Y), needs=["centroids"], optional=True)


def test_an_attribute_that_is_no_record_counts_for_nothing():
    model = Recorder().fit(X, Y)
    model.dynamics_ = None
    with pytest.raises(ValueError, match="The model recorded nothing"):
        check_dynamics(model)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"needs": ["loss", "los", "x"]}, "needs must be among loss, margin, .*weight_norms; got 'los', 'x'"),
        ({"split": "test"}, "split must be among train, validation; got 'test'"),
    ],
)
def test_unknown_names_are_refused(record, options, message):
    with pytest.raises(ValueError, match=message):
        check_dynamics(record, **options)


def test_the_validation_record_comes_first_where_there_are_two():
    both, one = Recorder(validation=True).fit(X, Y), Recorder().fit(X, Y)
    assert find_record(both) == (both.validation_dynamics_, "the validation record of the model")
    assert find_record(both, prefers="train") == (both.dynamics_, "the training record of the model")
    assert find_record(one) == (one.dynamics_, "the training record of the model")
    assert find_record(one.dynamics_) == (one.dynamics_, "a record")


@pytest.mark.parametrize("name", HOLDERS)
def test_the_model_is_unwrapped_and_samples_come_as_it_receives_them(name):
    model, inner = HOLDERS[name]
    model = clone(model).fit(X, Y)
    found, received = unwrap_estimator(model, X)
    assert found is inner(model)
    scales = "StandardScaler" in str(model)
    np.testing.assert_allclose(received, (X - X.mean(0)) / X.std(0) if scales else X)
    assert unwrap_estimator(model)[1] is None


@pytest.mark.parametrize("methods", [(), ("fit",)])
@pytest.mark.parametrize("name", HOLDERS)
def test_an_unfitted_model_is_not_unwrapped(name, methods):
    with pytest.raises(NotFittedError, match="instance is not fitted yet"):
        unwrap_estimator(clone(HOLDERS[name][0]), X, methods=methods)


@pytest.mark.parametrize("name", ["array", "none", "class", "another classifier", "pipeline without one"])
def test_a_foreign_model_is_not_unwrapped(name):
    with pytest.raises(
        TypeError, match=r"^Expected a fitted model: a DynamicsClassifier, .*; got (the class )?\w+\."
    ):
        unwrap_estimator(REFUSED[name][0], X)


def test_a_model_without_a_needed_method_is_not_unwrapped():
    model = make_pipeline(StandardScaler(), Recorder()).fit(X, Y)
    assert unwrap_estimator(model, methods=["predict"])[0] is model[-1]
    with pytest.raises(TypeError, match=r"Expected a fitted model: .*; got Recorder\."):
        unwrap_estimator(model, X, methods=["predict", "replay"])
