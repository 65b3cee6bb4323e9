"""Every analyzer and intervention answers what is not fitted, and what can hold no record, in the same way."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import DynamicsClassifier, analyzers
from sklearn_nndyn.interventions import feature_growth, scale_test
from tests.pairwise import for_each

X, Y = np.arange(24.0).reshape(12, 2), np.arange(12) % 2

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
