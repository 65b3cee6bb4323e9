"""Every analyzer and intervention answers what is not fitted, and what can hold no record, in the same way."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import Dynamics, DynamicsClassifier, analyzers
from sklearn_nndyn.analyzers.loss_tails import tail_shares
from sklearn_nndyn.analyzers.sample_scores import memorised_nats
from sklearn_nndyn.dynamics import check_dynamics, unwrap_estimator
from sklearn_nndyn.interventions import feature_growth, scale_test
from tests.pairwise import for_each

X, Y = np.arange(24.0).reshape(12, 2), np.arange(12) % 2
RECORD = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0, 1], loss=[[0.7, 0.5], [0.7, 0.6]])

DOORS = {
    name: lambda given, kind=kind: kind().fit(given)
    for name, kind in vars(analyzers).items()
    if name.endswith("Analyzer")
} | {
    "find_label_errors": analyzers.find_label_errors,
    "worst_shares": analyzers.worst_shares,
    "straggler_stability": lambda given: analyzers.straggler_stability([given, given]),
    "scale_test": scale_test,
    "feature_growth": lambda given: feature_growth(given, X, Y),
}
UNFITTED = {
    "classifier": DynamicsClassifier(),
    "pipeline": make_pipeline(StandardScaler(), DynamicsClassifier()),
    "search": GridSearchCV(DynamicsClassifier(), {}),
    "another classifier": LogisticRegression(),
}
FOREIGN = {
    "object": object(),
    "text": "record",
    "none": None,
    "class": DynamicsClassifier,
    "another classifier": LogisticRegression().fit(X, Y),
    "pipeline": make_pipeline(StandardScaler(), LogisticRegression()).fit(X, Y),
}


def test_every_analyzer_is_tried():
    assert {
        "EntanglementAnalyzer",
        "LearningPhaseAnalyzer",
        "LossTailAnalyzer",
        "RefinementAnalyzer",
        "SampleScoreAnalyzer",
    } <= set(DOORS)


@for_each("given", UNFITTED)
@pytest.mark.parametrize("door", DOORS)
def test_what_is_not_fitted_is_told_so(door, given):
    with pytest.raises(NotFittedError, match="instance is not fitted yet"):
        DOORS[door](clone(given))


@for_each("given", FOREIGN)
@pytest.mark.parametrize("door", [door for door in DOORS if door != "LossTailAnalyzer"])
def test_what_can_hold_no_record_is_a_type_error(door, given):
    with pytest.raises(
        TypeError, match=r"^Expected a (Dynamics, or a )?fitted model.*: a DynamicsClassifier, "
    ):
        DOORS[door](given)


@pytest.mark.parametrize("given", ["class", "another classifier", "pipeline"])
def test_where_arrays_are_taken_other_models_are_refused_likewise(given):
    with pytest.raises(TypeError, match=r"^Expected a Dynamics, or a fitted model that holds one"):
        analyzers.LossTailAnalyzer().fit(FOREIGN[given])


CLOSE = {
    "a path": ("run.safetensors", r"got str\. Read a file by load_dynamics\(path\)"),
    "a class": (DynamicsClassifier, r"got the class DynamicsClassifier\. Make an object of it, and fit it"),
    "nothing": (None, "got NoneType"),
    "a number": (3, "got int"),
    "runs": ([RECORD, RECORD], r"got list\. Give one run at a time"),
}


@pytest.mark.parametrize("given", CLOSE)
@pytest.mark.parametrize("door", ["LossTailAnalyzer", "EntanglementAnalyzer", "find_label_errors"])
def test_what_is_close_to_a_record_is_told_what_to_give(door, given):
    wrong, words = CLOSE[given]
    with pytest.raises(TypeError, match=f"^Expected a Dynamics, or a fitted model .*{words}"):
        DOORS[door](wrong)


@pytest.mark.parametrize("longer", [False, True], ids=["the same", "and longer"])
@pytest.mark.parametrize("door", ["LearningPhaseAnalyzer", "RefinementAnalyzer", "straggler_stability"])
def test_a_run_that_comes_twice_is_no_evidence(door, longer):
    """As two it would look like a finding that seeds agree on."""
    clf = DynamicsClassifier(
        max_epochs=4, record=("samples", "scores", "geometry", "reconstruction"), random_state=0
    )
    once, again = clf.fit(X, Y).dynamics_, clone(clf).set_params(max_epochs=4 + longer).fit(X, Y).dynamics_
    if longer and door != "straggler_stability":
        pytest.skip("its runs have the same epochs")
    several = (
        analyzers.straggler_stability if door == "straggler_stability" else getattr(analyzers, door)().fit
    )
    with pytest.raises(
        ValueError, match=r"^runs\[1\] is runs\[0\] once more: at epoch 4 every sample has the same loss"
    ):
        several([once, again])


def _without_losses(run, field):
    """A record of that alone, which stands for what other trainings record."""
    kept = {"y": run.y, "classes": run.classes, "epochs": run.epochs, field: getattr(run, field)}
    return Dynamics(**kept, prediction=run.prediction if field == "centroids" else None)


@pytest.mark.parametrize(
    ("door", "field", "words"),
    [
        (
            "LearningPhaseAnalyzer",
            "reconstruction",
            "at epoch 4 every sample has the same reconstruction error",
        ),
        ("RefinementAnalyzer", "scores", "at epoch 4 every sample has the same scores"),
        ("straggler_stability", "centroids", "predictions and centroids are the same at every epoch"),
    ],
)
def test_a_run_that_comes_twice_is_known_by_whatever_it_holds(door, field, words):
    clf = DynamicsClassifier(
        max_epochs=4, record=("samples", "scores", "geometry", "reconstruction"), random_state=0
    )
    runs = [clone(clf).set_params(random_state=seed).fit(X, Y).dynamics_ for seed in (0, 1)]
    once, other = (_without_losses(run, field) for run in runs)
    several = getattr(analyzers, door) if door == "straggler_stability" else getattr(analyzers, door)().fit
    several([once, other])
    with pytest.raises(ValueError, match=rf"^runs\[2\] is runs\[0\] once more: {words}\. Give each run once"):
        several([once, other, once])


@pytest.mark.parametrize(
    "runs", [None, 3, "runs", object(), DynamicsClassifier], ids=["none", "number", "text", "object", "class"]
)
def test_what_is_no_list_of_runs_is_refused(runs):
    with pytest.raises(
        TypeError, match=r"^runs must be a list of records or fitted models, got (one|the class) \w+"
    ):
        analyzers.straggler_stability(runs)


def test_a_record_is_no_array():
    record = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0, 1], loss=[[2.0, 1.0], [2.0, 0.5]])
    for act in (np.asarray, tail_shares, lambda record: memorised_nats(record, record)):
        with pytest.raises(
            TypeError, match=r"A record is no array: give one that it holds, such as record\.loss"
        ):
            act(record)


class TrainedOnly(BaseEstimator):
    """Another library's net: it has a record of its training samples, and no parameter for what is recorded."""

    def fit(self, X, y):
        self.dynamics_ = Dynamics.from_scores(np.random.default_rng(0).normal(size=(len(X), 10, 2)), y)
        return self


def test_the_training_record_of_another_model_is_read_where_it_has_no_other():
    net = TrainedOnly().fit(X, Y)
    assert analyzers.LossTailAnalyzer().fit(net).source_ == "the training record of the model"
    with pytest.raises(ValueError, match=r"^The model has no validation record"):
        check_dynamics(net, split="validation")


def test_a_model_that_lacks_a_method_is_told_which():
    hinge = DynamicsClassifier(max_epochs=1, loss="hinge", random_state=0).fit(X, Y)
    with pytest.raises(TypeError, match=r"got DynamicsClassifier\. .*It has no predict_proba\.$"):
        unwrap_estimator(hinge, X, methods=["at_epoch", "predict_proba"])
