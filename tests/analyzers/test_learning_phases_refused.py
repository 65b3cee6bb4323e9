"""What LearningPhaseAnalyzer refuses, and how it says so."""

import dataclasses

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from sklearn_nndyn import DynamicsClassifier, LearningPhaseAnalyzer
from sklearn_nndyn.dynamics import Dynamics
from tests.analyzers.planted_phases import CURVE, EPOCHS, phase_record, planted_values
from tests.displays.entangled import Fitted


def refused(error, message, *runs, **parameters):
    given = (runs[0] if len(runs) == 1 else list(runs)) if runs else phase_record()
    with pytest.raises(error, match=message):
        LearningPhaseAnalyzer(**parameters).fit(given)


def test_a_tolerance_is_a_share_of_the_fall():
    for wrong in ("0.1", None, True):
        refused(TypeError, f"^tolerance must be a number between 0 and 1, got {wrong!r}.$", tolerance=wrong)
    for wrong in (-0.1, 0, 1, 1.5, np.nan):
        message = f"^tolerance must be between 0 and 1, a share of the fall; got {wrong!r}.$"
        refused(ValueError, message, tolerance=wrong)
    for right in (1e-9, 0.999, np.float32(0.5)):
        LearningPhaseAnalyzer(tolerance=right).fit(phase_record())


def test_layers_that_are_not_there_are_refused_with_those_that_are():
    for wrong in ("linear1", 2, -3, None, True, 0.0):
        message = f"^layer {wrong!r} is not in the record; its layers are 'first', 'last'.$"
        refused(ValueError, message, layer=wrong)
    outputs = phase_record(reconstruction=dict.fromkeys(("last", "scores"), planted_values()))
    refused(ValueError, "^layer 'first' is not in .* layers are 'last', 'scores'.$", outputs, layer="first")
    refused(ValueError, "^layer 1 is not in the record; its layers are 'last'.$", outputs, layer=1)
    other = phase_record(layer="linear2")
    with pytest.raises(
        ValueError,
        match=r"^This record has no reconstruction from layer 'last', but from 'first', 'linear2'.$",
    ):
        LearningPhaseAnalyzer().fit(phase_record()).transform(other)


def test_records_without_what_is_needed_are_refused_with_the_call():
    record = phase_record()
    call = r"Fit again with DynamicsClassifier\(record=\('samples', 'reconstruction'\)\); in another loop, use Recorder"
    bare = dataclasses.replace(record, reconstruction={}, probe_accuracy={})
    message = f"^This record has no reconstruction: it holds prediction. {call}"
    refused(ValueError, message, bare)
    refused(ValueError, message, record, bare)
    refused(ValueError, "^The record has no samples, so there is nothing to analyse.$", record[:0])
    refused(ValueError, "^The record has no samples, so there is nothing to analyse.$", record, record[:0])
    message = (
        r"^Phases need at least 3 recorded epochs, but the record has 2: 0(\.0)?, 0.015625. Fit again and record more "
        r"often, as with DynamicsClassifier\(record_epochs=\"all\"\); in another loop"
    )
    refused(ValueError, message, record.until(EPOCHS[1]))
    LearningPhaseAnalyzer().fit(record.until(EPOCHS[2]))


def test_what_can_hold_no_record_is_refused():
    refused(TypeError, "^Expected a Dynamics, or a fitted model that holds one: .*; got ndarray.", CURVE)
    refused(TypeError, "^Expected a Dynamics, .*; got str.", phase_record(), "record")
    refused(NotFittedError, "not fitted yet", DynamicsClassifier())
    refused(ValueError, "^The list of runs is empty: give at least one record or fitted model.$", [])
    refused(ValueError, "^The list of runs is empty", ())
    found = LearningPhaseAnalyzer().fit([phase_record()])
    with pytest.raises(TypeError, match=r"^Expected a Dynamics, .*; got list"):
        found.transform([phase_record()])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(value):
    values = planted_values()
    values[5, 8:] = values[3, 10:] = value
    message = (
        "^The reconstruction from layer last of sample 5 is not finite at epoch 2, the first of 4 such epochs. Give "
        "the epochs before it, by record.until.$"
    )
    refused(ValueError, message, phase_record(values))
    with pytest.raises(ValueError, match=message):
        LearningPhaseAnalyzer().fit(phase_record()).transform(phase_record(values))
    values[3, 8] = value
    refused(
        ValueError,
        "of sample 3 is not finite at epoch 2, the first of 4 such",
        phase_record(),
        phase_record(values),
    )
    LearningPhaseAnalyzer(layer="first").fit(phase_record(values))


def test_runs_are_of_one_experiment():
    record = phase_record()
    message = (
        r"^runs\[2\] was recorded at other epochs than runs\[0\]: 0(\.0)?, 0.015625, 0.03125 in place of "
    )
    message += r"0(\.0)?, 0.015625, .*, ..., 16(\.0)?. Use record.select_epochs.$"
    refused(ValueError, message, record, record, record.until(EPOCHS[2]))
    message = (
        r"^runs\[1\] was recorded at other iterations than runs\[0\]: 0, 2, 4, 8, 16, ..., 2048 in place of "
    )
    message += r"0, 1, 2, 4, 8, ..., 1024. Runs of one experiment have batches of one size.$"
    refused(ValueError, message, record, phase_record(iterations=[0, *(2 ** np.arange(1, 12))]))
    message = (
        r"^runs\[1\] has the classes 'ant', 'bee', 'cow', 'dog', but runs\[0\] has 'ant', 'bee', 'cow'.$"
    )
    refused(ValueError, message, record, phase_record(classes=("ant", "bee", "cow", "dog")))
    message = (
        r"^runs\[1\] has reconstructions from other layers than runs\[0\]: 'first', 'hidden' in place of "
    )
    message += r"'first', 'last'.$"
    refused(ValueError, message, record, phase_record(layer="hidden"))
    refused(ValueError, message, record, phase_record(layer="hidden"), layer=0)


def test_runs_are_records_of_one_kind():
    one, other = (Fitted(("samples", "reconstruction")).fit(phase_record()) for _ in range(2))
    other.validation_dynamics_ = phase_record()
    message = r"^Of runs\[0\] the training record was read, but of runs\[1\] the validation record: give records of "
    refused(ValueError, message + "one kind.$", one, other)
    found = LearningPhaseAnalyzer().fit([one, phase_record()])
    assert found.source_ == "2 runs, each the training record of the model"


def test_records_that_cannot_be_transformed():
    found = LearningPhaseAnalyzer().fit(phase_record())
    with pytest.raises(ValueError, match=r"The record has 3 epochs, 0.0, .* on 12 epochs, 0.0"):
        found.transform(phase_record().until(EPOCHS[2]))
    bare = Dynamics(y=[0], classes=[0], epochs=EPOCHS, prediction=np.zeros((1, 12), dtype=int))
    with pytest.raises(ValueError, match=r"^This record has no reconstruction: it holds prediction"):
        found.transform(bare)
