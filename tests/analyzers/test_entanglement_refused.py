"""What EntanglementAnalyzer refuses, and how it says so."""

import dataclasses

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from sklearn_nndyn import DynamicsClassifier, EntanglementAnalyzer
from sklearn_nndyn.dynamics import Dynamics
from tests.analyzers.planted_entanglement import (
    EPOCHS,
    learned_in_turn,
    planted_radii,
    planted_record,
    record_of,
)


def refused(error, message, record=None, **parameters):
    with pytest.raises(error, match=message):
        EntanglementAnalyzer(**parameters).fit(planted_record() if record is None else record)


def test_parameters_that_mean_nothing_are_refused():
    refused(ValueError, "^rule must be one of 'extremum', 'first_rise'; got 'last'.$", rule="last")
    for wrong in ("0.1", None, True):
        message = f"^tolerance must be 'auto' or a number between 0 and 1, got {wrong!r}.$"
        refused(TypeError, message, tolerance=wrong)
    for wrong in (-0.1, 1, 1.5, np.nan):
        refused(ValueError, f"^tolerance must be between 0 and 1, .*; got {wrong!r}.$", tolerance=wrong)
    for wrong in (2.0, "20", None, True):
        refused(TypeError, f"^burn_in must be a whole number of epochs, got {wrong!r}.$", burn_in=wrong)
    for wrong in (-1, 300, 301):
        message = f"^burn_in must be 0 or more and before the last recorded epoch, 300; got {wrong}.$"
        refused(ValueError, message, burn_in=wrong)
    for right in (0, 0.5, np.float32(0.5), 0.999, "auto"):
        EntanglementAnalyzer(tolerance=right, burn_in=299).fit(planted_record())


def test_layers_and_classes_that_are_not_there_are_refused_with_those_that_are():
    for wrong in ("linear1", 2, -3, None, True, 0.0):
        message = f"^layer {wrong!r} is not in the record; its layers are 'first', 'last'.$"
        refused(ValueError, message, layer=wrong)
    for wrong in ("dog", 0, None):
        message = f"^reference must be .* one of the classes 'ant', 'bee', 'cow'; got {wrong!r}.$"
        refused(ValueError, message, reference=wrong)
    many = np.arange(21)
    record = record_of(np.linspace(0.9, 0.1, 25)[:, None] * np.ones(21), learned_in_turn(), classes=many)
    refused(ValueError, "one of the classes 0, 1, .*, 19, ...; got 21.$", record, reference=21)
    twenty = record_of(np.linspace(0.9, 0.1, 25)[:, None] * np.ones(20), learned_in_turn(), classes=many[:20])
    refused(ValueError, "one of the classes 0, 1, .*, 19; got 21.$", twenty, reference=21)


def test_records_without_what_is_needed_are_refused_with_the_call():
    record = planted_record()
    call = r"Fit again with DynamicsClassifier\(record=\('samples', 'geometry'\)\)"
    bare = Dynamics(**{name: getattr(record, name) for name in ("y", "classes", "epochs", "prediction")})
    refused(ValueError, f"This record has no centroids: it holds prediction. {call}", bare)
    refused(
        ValueError, f"This record has no prediction: .* {call}", dataclasses.replace(record, prediction=None)
    )
    refused(ValueError, "^The record has no samples, so there is nothing to analyse.$", record[:0])
    message = r"^The record has one epoch only, 6: .* DynamicsClassifier\(record_epochs=\"all\"\); in another"
    refused(ValueError, message, record.select_epochs([6]))
    refused(TypeError, "Expected a Dynamics, or a fitted model that holds one", record.loss)
    refused(NotFittedError, "not fitted yet", DynamicsClassifier())
    assert EntanglementAnalyzer().fit(record.select_epochs([6, 10])).inversion_ is None


def test_records_that_cannot_be_transformed():
    record = planted_record()
    found = EntanglementAnalyzer().fit(record)
    with pytest.raises(
        ValueError, match=r"The record has 15 epochs, 0, 1, 3, ..., but .* on 25 epochs, 0, 1, 3"
    ):
        found.transform(record.until(EPOCHS[14]))
    other = record_of(planted_radii(), learned_in_turn(), classes=("ant", "bee", "dog"))
    with pytest.raises(
        ValueError, match=r"The record has the classes \['ant' 'bee' 'dog'\], .* \['ant' 'bee' 'cow'\]"
    ):
        found.transform(other)
    with pytest.raises(TypeError, match=r"Expected a fitted model: a DynamicsClassifier, .*; got Dynamics"):
        found.transform(record, samples=np.zeros((60, 4)))
