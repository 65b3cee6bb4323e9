"""LearningPhaseAnalyzer on records: what it finds, and its table."""

import numpy as np
import pytest
from scipy.stats import t

from sklearn_nndyn import LearningPhaseAnalyzer
from tests import reference
from tests.analyzers.planted_phases import (
    BOUNDARIES,
    CLASSES,
    CURVE,
    EPOCHS,
    ITERATIONS,
    equal_slices,
    phase_record,
    planted_values,
    two_runs,
)
from tests.analyzers.saying import flat
from tests.displays.entangled import Fitted

NAMES = [
    "reconstruction_at_start",
    "reconstruction_at_lowest",
    "reconstruction_at_end",
    "reconstruction_rise",
    "own_lowest_epoch",
    "epoch_learned",
]
FALLING = np.linspace(8, 2, 12)
# The authors' run on CIFAR-10: iteration, reconstruction, own accuracy, transfer accuracy.
AUTHORS = np.array(
    [
        [0, 4, 16, 64, 128, 512, 1024, 2048, 4096, 8192, 16384, 65536],
        [0.591, 0.586, 0.562, 0.531, 0.510, 0.528, 0.521, 0.561, 0.616, 0.693, 0.731, 0.787],
        [0.097, 0.138, 0.274, 0.398, 0.450, 0.577, 0.614, 0.658, 0.666, 0.676, 0.674, 0.669],
        [0.789, 0.790, 0.796, 0.833, 0.832, 0.847, 0.853, 0.834, 0.819, 0.801, 0.787, 0.772],
    ]
)


def fitted(values=None, learned=None, changes=None, **parameters):
    return LearningPhaseAnalyzer(**parameters).fit(phase_record(values, learned, **(changes or {})))


def of_curve(curve, **parameters):
    return fitted(planted_values(curve=np.asarray(curve, dtype=float)), **parameters)


def phases_there(found):
    return found.phases_.exist.tolist()


def noisy_runs(n_runs=4, noise=0.3):
    """Runs that differ as runs and in their samples."""
    rng = np.random.default_rng(1)
    return equal_slices(CURVE + rng.normal(scale=0.3, size=(n_runs, 12)), noise)


# ----------------------------------------------------------------------------------------- found


def test_planted_phases_are_found():
    found = fitted()
    assert phases_there(found) == [True, True, True]
    assert found.phases_.positions.tolist() == list(BOUNDARIES)
    np.testing.assert_array_equal(found.phases_.run_epochs[0], EPOCHS[list(BOUNDARIES)])
    np.testing.assert_array_equal(found.phases_.run_iterations[0], ITERATIONS[list(BOUNDARIES)])
    assert (found.lowest_, found.lowest_epoch_) == (6, 0.5)
    assert (found.turning_epoch_, found.turning_iteration_) == (0.5, 32)
    assert type(found.turning_iteration_) is int
    assert (found.stop_epochs_, found.stop_iterations_) == ((0.5, 4.0), (32, 256))
    np.testing.assert_allclose(found.reconstruction_curve_, CURVE)
    assert (found.fall_, found.rise_) == pytest.approx((4, 6))
    assert (found.layer_, found.source_, found.n_features_in_) == ("last", "a record", 12)
    assert found.classes_.tolist() == list(CLASSES)


@pytest.mark.parametrize("seed", range(5))
def test_noise_of_the_samples_averages_out(seed):
    found = fitted(planted_values(400, noise=0.3, seed=seed))
    assert found.phases_.positions.tolist() == list(BOUNDARIES)
    assert phases_there(found) == [True, True, True]
    assert found.rise_error_ > 0


@pytest.mark.parametrize("seed", range(5))
def test_noise_of_the_runs_averages_out(seed):
    curves = CURVE + np.random.default_rng(seed).normal(scale=0.03, size=(5, 12))
    found = LearningPhaseAnalyzer().fit(equal_slices(curves))
    assert found.turning_iteration_ == 32
    assert phases_there(found) == [True, True, True]
    assert found.source_ == "5 runs, each a record"
    np.testing.assert_allclose(found.run_curves_, curves)


def test_the_run_of_the_authors():
    """Its best transfer lies in the range where to stop, its best own accuracy after it."""
    iterations, reconstruction, own, transfer = AUTHORS
    changes = {"iterations": iterations.astype(int), "epochs": iterations / 391}
    found = fitted(planted_values(curve=reconstruction), changes=changes)
    assert found.turning_iteration_ == 128
    first, last = found.stop_iterations_
    assert first <= iterations[transfer.argmax()] <= last < iterations[own.argmax()]


def test_every_attribute_equals_its_slow_definition():
    records = noisy_runs()
    found = LearningPhaseAnalyzer(tolerance=0.1).fit(records)
    runs = [record.reconstruction["last"].tolist() for record in records]
    curves = [[reference.mean(column) for column in zip(*run, strict=True)] for run in runs]
    looks = list(zip(*curves, strict=True))
    mean = [reference.mean(look) for look in looks]
    np.testing.assert_allclose(found.run_curves_, curves)
    np.testing.assert_allclose(found.reconstruction_curve_, mean)
    np.testing.assert_allclose(
        found.reconstruction_error_, [reference.standard_error(look) for look in looks]
    )
    positions = reference.phase_boundaries(mean, 0.1)
    assert found.phases_.positions.tolist() == list(positions)
    assert found.phases_.exist.tolist() == list(reference.phases_there(curves, 0.1))
    run_positions = [reference.phase_boundaries(curve, 0.1) for curve in curves]
    np.testing.assert_array_equal(found.phases_.run_positions, run_positions)
    np.testing.assert_array_equal(found.phases_.run_exist, [reference.phases_there(run, 0.1) for run in runs])
    m = positions[1]
    for name, differences in {
        "fall": [curve[0] - curve[m] for curve in curves],
        "rise": [curve[-1] - curve[m] for curve in curves],
    }.items():
        assert getattr(found, f"{name}_") == pytest.approx(reference.mean(differences))
        assert getattr(found, f"{name}_error_") == pytest.approx(reference.standard_error(differences))
    own = [[[row[t] for row in run[c::3]] for t in range(12)] for run in runs for c in range(3)]
    by_class = [[reference.mean(samples) for samples in looks] for looks in own]
    expected = [
        [reference.mean([by_class[3 * r + c][t] for r in range(4)]) for t in range(12)] for c in range(3)
    ]
    np.testing.assert_allclose(found.class_curves_, expected)
    np.testing.assert_allclose(found.probe_curve_, np.linspace(0.25, 0.75, 12))
    right = [[reference.mean([float(row[t]) for row in r.correct]) for t in range(12)] for r in records]
    np.testing.assert_allclose(
        found.accuracy_curve_, [reference.mean(look) for look in zip(*right, strict=True)]
    )


def test_of_one_run_the_errors_are_those_of_its_samples():
    values = planted_values(noise=0.5)
    found = fitted(values)
    errors = [reference.standard_error(column) for column in values.T.tolist()]
    np.testing.assert_allclose(found.reconstruction_error_, errors)
    assert found.rise_error_ == pytest.approx(
        reference.standard_error((values[:, -1] - values[:, 6]).tolist())
    )
    assert found.fall_error_ == pytest.approx(
        reference.standard_error((values[:, 0] - values[:, 6]).tolist())
    )
    assert found.rise_error_ < np.hypot(
        *found.reconstruction_error_[[6, -1]]
    )  # of pairs: sizes of samples cancel
    np.testing.assert_array_equal(found.phases_.run_positions, [found.phases_.positions])


def test_a_wider_margin_moves_the_boundaries_apart_from_the_ends():
    curve = [8, 7.5, 7, 4, 4.5, 5, 9]
    assert of_curve(curve, tolerance=0.2).phases_.positions.tolist() == [2, 3, 4]
    assert of_curve(curve, tolerance=0.05).phases_.positions.tolist() == [1, 3, 3]


# ----------------------------------------------------------------------------- phases that are not there


def test_a_curve_that_falls_until_the_end_has_no_third_phase():
    found = of_curve(FALLING)
    assert phases_there(found) == [False, True, False]
    assert found.turning_epoch_ is found.turning_iteration_ is found.stop_epochs_ is None
    assert found.stop_iterations_ is None
    assert (found.lowest_, found.lowest_epoch_) == (11, EPOCHS[-1])
    np.testing.assert_array_equal(found.phases_.run_epochs[0], [EPOCHS[1], EPOCHS[-1], np.nan])
    assert found.rise_ == found.rise_error_ == 0
    assert np.isnan(found.rise_learning_correlation_)
    assert list(found.phases_.spans) == ["falling"]


def test_a_curve_that_rises_from_the_start_has_no_second_phase():
    found = of_curve(FALLING[::-1])
    assert phases_there(found) == [False, False, True]
    assert found.lowest_epoch_ == 0
    assert found.turning_epoch_ is None
    assert found.fall_ == 0
    np.testing.assert_array_equal(found.phases_.run_epochs[0], [np.nan, np.nan, 0])
    assert found.phases_.spans == {"rising": (0.0, 16.0)}


def test_a_flat_curve_has_no_phases():
    found = of_curve(np.full(12, 3.0))
    assert phases_there(found) == [False, False, False]
    assert found.turning_epoch_ is None
    assert found.phases_.spans == found.phases_.iteration_spans == {}
    assert np.isnan(found.phases_.run_iterations[0]).all()
    noise = np.random.default_rng(0).normal(size=(24, 12))
    assert phases_there(fitted(5 + np.concatenate([noise, -noise]))) == [False, False, False]


@pytest.mark.parametrize("by", ["samples", "runs"])
@pytest.mark.parametrize(("spread", "there"), [(0.99, True), (1.01, False)])
def test_a_phase_is_there_if_it_exceeds_two_standard_errors(by, spread, there):
    """If n differences are half d + s, half d - s, their standard error is s / sqrt(n - 1): d / 2, if s is 1."""
    n_rows, d = (2, 2.0) if by == "samples" else (10, 2 / 3)
    differences = np.zeros((n_rows, 9))
    differences[:, 0] = d + spread * np.resize([1, -1], n_rows)
    for values, which in ((differences, 1), (differences[:, ::-1], 2)):
        if by == "samples":
            found = fitted(values)
        else:
            found = LearningPhaseAnalyzer().fit([phase_record(np.tile(row, (5, 1))) for row in values])
        assert phases_there(found)[which] is there
    both = fitted(np.array([[2 + spread, *[0] * 8, 2 + spread], [2 - spread, *[0] * 8, 2 - spread]]))
    assert (both.turning_epoch_ is not None) == there


def test_what_exceeds_the_errors_of_one_sample_is_not_known():
    found = fitted(CURVE[None])
    assert phases_there(found) == [False, False, False]
    assert np.isnan(found.rise_error_)
    assert found.fall_interval_ is found.rise_interval_ is None
    assert "falls cannot be told from chance" in flat(found.summary())


def test_of_one_run_of_fewer_than_nine_epochs_nothing_is_told():
    """Its noise is not known; of two runs it is."""
    curve = CURVE[[0, 1, 3, 5, 6, 8, 10, 11]]
    found = of_curve(curve)
    assert phases_there(found) == [False, False, False]
    assert np.isinf(list(found.chance_.values())).all()
    assert "of 8 recorded epochs in one run its wander is not known" in found.summary().replace("\n", " ")
    assert phases_there(of_curve(CURVE[[0, 1, 2, 3, 5, 6, 8, 10, 11]])) == [True, True, True]
    assert phases_there(two_runs(curve)) == [True, True, True]


def test_intervals_are_those_of_the_samples_or_of_the_noise_of_the_runs():
    found = of_curve(CURVE)
    error = t.isf(0.025, 47) * found.fall_error_
    np.testing.assert_allclose(found.fall_interval_, [found.fall_ - error, found.fall_ + error])
    curves = CURVE + np.random.default_rng(0).normal(scale=0.1, size=(6, 12))
    found = LearningPhaseAnalyzer().fit(equal_slices(curves))
    low, high = found.rise_interval_
    assert low < found.rise_ < high
    assert (high - low) / 2 == pytest.approx(1.96 * 0.1 * np.sqrt(2 / 6), rel=0.3)


def test_what_is_near_the_least_value_at_the_end_has_not_begun_to_rise():
    curve = [8, 8, 6, 4, 4.125, 4.15]
    assert phases_there(two_runs(curve)) == [True, True, False]
    assert phases_there(two_runs(curve, tolerance=0.03)) == [True, True, True]
    assert two_runs(curve).turning_epoch_ is None
    assert two_runs(curve).rise_interval_[0] > 0


def test_the_first_phase_is_there_if_a_look_after_the_start_is_still_near_it():
    assert two_runs([8, 7.9, 4, 8]).phases_.exist[0]
    assert not two_runs([8, 7.7, 4, 8]).phases_.exist[0]
    assert two_runs([8, 7.7, 4, 8]).phases_.positions.tolist() == [1, 2, 2]


# ------------------------------------------------------------------------------------ invariances


def test_permuted_samples_change_nothing():
    record = phase_record(planted_values(60, noise=0.5))
    order = np.random.default_rng(0).permutation(60)
    one, other = LearningPhaseAnalyzer().fit(record), LearningPhaseAnalyzer().fit(record[order])
    np.testing.assert_array_equal(other.transform(record[order]), one.transform(record)[order])
    np.testing.assert_array_equal(other.phases_.positions, one.phases_.positions)
    np.testing.assert_allclose(other.reconstruction_curve_, one.reconstruction_curve_, rtol=1e-13)
    np.testing.assert_allclose(other.class_curves_, one.class_curves_, rtol=1e-13)
    assert other.rise_learning_correlation_ == pytest.approx(one.rise_learning_correlation_, rel=1e-12)
    assert other.summary() == one.summary()


def test_the_order_of_the_runs_changes_nothing():
    runs = noisy_runs()
    one, other = LearningPhaseAnalyzer().fit(runs), LearningPhaseAnalyzer().fit(tuple(runs[::-1]))
    np.testing.assert_allclose(other.reconstruction_curve_, one.reconstruction_curve_, rtol=1e-13)
    np.testing.assert_array_equal(other.phases_.run_positions, one.phases_.run_positions[::-1])
    assert other.summary() == one.summary()


@pytest.mark.parametrize(("factor", "constant"), [(4, 0), (0.37, 0), (1, 5), (0.01, 2)])
def test_the_unit_of_the_error_and_what_no_layer_could_give_back_change_no_boundary(factor, constant):
    values = planted_values(60, noise=0.5)
    one, other = fitted(values), fitted(factor * values + constant)
    for name in ("positions", "exist", "run_exist"):
        np.testing.assert_array_equal(getattr(other.phases_, name), getattr(one.phases_, name))
    np.testing.assert_array_equal(other.class_turning_epochs_, one.class_turning_epochs_)
    assert other.stop_epochs_ == one.stop_epochs_
    assert other.rise_ == pytest.approx(factor * one.rise_)
    assert other.rise_learning_correlation_ == pytest.approx(one.rise_learning_correlation_)


def test_a_list_of_one_is_one():
    one, other = (LearningPhaseAnalyzer().fit(given) for given in (phase_record(), [phase_record()]))
    assert list(vars(one)) == list(vars(other))
    assert one.summary() == other.summary()


def test_single_precision_is_summed_in_double():
    values = planted_values(noise=0.3).astype(np.float32)
    found = LearningPhaseAnalyzer().fit(phase_record(reconstruction={"last": values}))
    np.testing.assert_allclose(found.reconstruction_curve_, values.mean(axis=0, dtype=float), rtol=1e-14)


# ----------------------------------------------------------------------------- looks, layers, models


def test_epochs_that_were_not_counted_have_no_iterations():
    epochs = [0, 0.5, *range(1, 11)]
    found = fitted(changes={"iterations": None, "epochs": epochs})
    assert found.iterations_ is found.turning_iteration_ is found.stop_iterations_ is None
    assert found.phases_.iterations is found.phases_.iteration_spans is found.phases_.run_iterations is None
    assert (found.turning_epoch_, found.stop_epochs_) == (5, (5, 8))
    mixed = LearningPhaseAnalyzer().fit([phase_record(), phase_record(iterations=None)])
    assert mixed.iterations_ is None
    assert mixed.turning_epoch_ == 0.5
    whole = fitted(changes={"iterations": None, "epochs": np.arange(12)})
    assert type(whole.turning_epoch_) is int


@pytest.mark.parametrize(
    ("layer", "name"), [(-1, "last"), (0, "first"), (np.int64(1), "last"), ("first", "first")]
)
def test_a_layer_has_a_position_and_a_name(layer, name):
    found = fitted(layer=layer)
    assert found.layer_ == name
    assert found.phases_.exist[1] == (name == "last")
    assert (found.probe_curve_ is None) == (name == "first")
    assert (found.transform(phase_record())[:, 0] == 1).all() == (name == "first")


def test_raw_outputs_have_a_name_but_no_position():
    values = planted_values()
    both = {"last": values, "scores": planted_values(curve=FALLING)}
    record = phase_record(reconstruction=both)
    assert LearningPhaseAnalyzer().fit(record).layer_ == "last"
    assert not LearningPhaseAnalyzer("scores").fit(record).phases_.exist[2]
    assert LearningPhaseAnalyzer().fit(phase_record(reconstruction={"scores": values})).layer_ == "scores"


def test_of_a_model_the_validation_record_is_read():
    model = Fitted(("samples", "reconstruction")).fit(phase_record(planted_values(curve=FALLING)))
    assert LearningPhaseAnalyzer().fit(model).source_ == "the training record of the model"
    model.validation_dynamics_ = phase_record()
    found = LearningPhaseAnalyzer().fit(model)
    assert found.source_ == "the validation record of the model"
    assert found.turning_iteration_ == 32
    assert (
        LearningPhaseAnalyzer().fit([model, model]).source_
        == "2 runs, each the validation record of the model"
    )
    np.testing.assert_array_equal(found.transform(model), found.transform(phase_record()))


def test_accuracies_are_there_where_every_run_has_them():
    bare = phase_record(prediction=None, probe_accuracy={})
    for runs in (bare, [phase_record(), bare]):
        found = LearningPhaseAnalyzer().fit(runs)
        assert found.probe_curve_ is found.accuracy_curve_ is found.rise_learning_correlation_ is None
        assert found.rise_learning_interval_ is found.run_correlations_ is None
        assert found.transform(bare).shape == (48, 5)
        assert list(found.get_feature_names_out()) == NAMES[:5]
    other = phase_record(probe_accuracy={"last": np.linspace(0.75, 0.25, 12)})
    np.testing.assert_allclose(LearningPhaseAnalyzer().fit([phase_record(), other]).probe_curve_, 0.5)


# -------------------------------------------------------------------------------------- classes


def test_each_class_has_its_own_turn():
    values = planted_values()
    values[1::3] = np.linspace(0.8, 1.2, 16)[:, None] * FALLING
    late = np.array([8, 8, 8, 8, 7, 6, 5, 5, 4, 5, 6, 9.0])
    values[2::3] = np.linspace(0.8, 1.2, 16)[:, None] * late
    found = fitted(values)
    np.testing.assert_array_equal(found.class_turning_epochs_, [EPOCHS[6], np.nan, EPOCHS[8]])
    np.testing.assert_allclose(found.class_curves_[1:], [FALLING, late])


def test_a_class_without_samples_has_no_curve():
    record = phase_record()
    found = LearningPhaseAnalyzer().fit(record[record.target != 1])
    assert np.isnan(found.class_curves_).all(axis=1).tolist() == [False, True, False]
    np.testing.assert_array_equal(found.class_turning_epochs_, [0.5, np.nan, 0.5])
    both = LearningPhaseAnalyzer().fit([record, record, record[record.target != 1]])
    np.testing.assert_array_equal(both.class_turning_epochs_, [0.5] * 3)
    few = LearningPhaseAnalyzer().fit([record, record[record.target != 1]])
    np.testing.assert_array_equal(
        few.class_turning_epochs_, [0.5, np.nan, 0.5]
    )  # one run has no standard error
    np.testing.assert_allclose(both.class_curves_[1], np.linspace(0.5, 1.5, 48)[1::3].mean() * CURVE)
