"""The rule for three phases on plain curves, and the structure that holds what it finds."""

import dataclasses

import numpy as np
import pytest

from sklearn_nndyn import LearningPhaseAnalyzer
from sklearn_nndyn.analyzers import LearningPhases
from sklearn_nndyn.analyzers.learning_phases import phase_boundaries
from tests import reference
from tests.analyzers.planted_phases import CURVE, equal_slices, phase_record, planted_values, two_runs

FALLING = np.linspace(8, 2, 12)


def of_curve(curve, **parameters):
    return LearningPhaseAnalyzer(**parameters).fit(phase_record(planted_values(curve=curve)))


@pytest.mark.parametrize("tolerance", [0.001, 0.05, 0.3, 0.9])
def test_boundaries_of_any_curve_equal_their_slow_definition(tolerance):
    for seed in range(60):
        curve = np.random.default_rng(seed).integers(0, 8, 9).astype(float)
        assert phase_boundaries(curve, tolerance).tolist() == list(
            reference.phase_boundaries(curve, tolerance)
        )


@pytest.mark.parametrize(
    ("curve", "positions"),
    [
        ([8, 8, 4, 8], (2, 2, 2)),
        ([8, 7.8, 7.7, 4, 4.2, 4.1, 9], (2, 3, 5)),  # at 7.8 and at 4.2 exactly on the border: not below
        ([8, 4, 5, 4, 9], (1, 1, 3)),  # the first of two equal ones, and the last
        ([4, 4, 4, 8], (0, 0, 2)),
        ([8, 9, 10, 4, 6], (3, 3, 3)),
        ([8, 5, 8, 4, 6, 4.1, 6], (1, 3, 5)),
    ],
)
def test_boundaries_by_hand(curve, positions):
    assert phase_boundaries(curve, 0.05).tolist() == list(positions)


def test_the_pronounced_rise_begins_when_half_of_the_fall_is_given_back():
    assert of_curve(CURVE).stop_iterations_ == (32, 256)
    assert two_runs([8, 4, 6.1, 9]).stop_iterations_ == (1, 1)
    assert two_runs([8, 4, 5.9, 9]).stop_iterations_ == (1, 2)
    assert two_runs([8, 4, 5, 5.9]).stop_iterations_ == (1, 4)  # the end


def test_each_run_has_phases_of_its_own():
    runs = equal_slices([CURVE, [8, *CURVE[:-1]], FALLING, np.full(12, 2.0)])
    found = LearningPhaseAnalyzer().fit(runs)
    assert found.phases_.run_exist.tolist() == [[True] * 3, [True] * 3, [False, True, False], [False] * 3]
    table = found.phases_.run_iterations
    np.testing.assert_array_equal(table[[0, 2, 3]], [[4, 32, 64], [1, 1024, np.nan], [np.nan] * 3])
    np.testing.assert_array_equal(found.phases_.run_epochs, table / 64)


def test_phases_can_be_read_and_not_written():
    phases = LearningPhaseAnalyzer().fit(phase_record()).phases_
    assert phases.spans == {"near constant": (0.0, 0.0625), "falling": (0.0625, 0.5), "rising": (1.0, 16.0)}
    assert phases.iteration_spans == {"near constant": (0, 4), "falling": (4, 32), "rising": (64, 1024)}
    assert repr(phases) == (
        "LearningPhases of 1 run\n"
        "  near constant: epochs 0 to 0.0625, iterations 0 to 4\n"
        "  falling: epochs 0.0625 to 0.5, iterations 4 to 32\n"
        "  rising: epochs 1 to 16, iterations 64 to 1024"
    )
    plain = LearningPhaseAnalyzer().fit(equal_slices([FALLING, FALLING])).phases_
    assert repr(dataclasses.replace(plain, iterations=None)) == (
        "LearningPhases of 2 runs\n  near constant: not there\n  falling: epochs 0.0156 to 16\n  rising: not there"
    )
    for name in (
        "epochs",
        "positions",
        "exist",
        "run_positions",
        "run_exist",
        "run_epochs",
    ):
        assert not getattr(phases, name).flags.writeable
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign"):
        phases.exist = None
    assert isinstance(phases, LearningPhases)
