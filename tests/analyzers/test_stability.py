"""straggler_stability: against sets, loops and SciPy, on runs whose stragglers are known."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import hypergeom, t
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import NotFittedError

from sklearn_nndyn import DynamicsClassifier, EntanglementAnalyzer
from sklearn_nndyn.analyzers import straggler_stability
from sklearn_nndyn.analyzers.entanglement._overlap import pairs_of
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.utils.text import figure, percent
from tests import reference
from tests.analyzers.planted_entanglement import run_with_stragglers
from tests.analyzers.saying import finding, flat, verdicts

SETS = [set(range(0, 12)), set(range(2, 12)), set(range(4, 20))]
SILENT, ALSO_SILENT = (run_with_stragglers(range(8), seed, inverts=False) for seed in (7, 8))


def runs(*sets):
    return [run_with_stragglers(sorted(own), seed) for seed, own in enumerate(sets or SETS)]


def pair_loops(sets, n):
    """{name: one value for each pair}, by sets, and by the distribution that SciPy has."""
    pairs = [(i, j) for i in range(len(sets)) for j in range(i)]
    found = {"common": [], "expected": [], "jaccard": [], "z_pairs": []}
    for i, j in pairs:
        a, b = sets[i], sets[j]
        with np.errstate(all="ignore"):  # SciPy works out a kurtosis as well
            mean, deviation = hypergeom.mean(n, len(a), len(b)), hypergeom.std(n, len(a), len(b))
        found["common"].append(len(a & b))
        found["expected"].append(mean)
        found["jaccard"].append(len(a & b) / len(a | b) if a | b else np.nan)
        found["z_pairs"].append((len(a & b) - mean) / deviation if deviation > 0 else np.nan)
    return found


def slow_z(found):
    if len(found["common"]) < 2 or reference.deviation(found["common"]) == 0:
        return np.nan
    return (reference.mean(found["common"]) - reference.mean(found["expected"])) / reference.deviation(
        found["common"]
    )


# ----------------------------------------------------------------------------------------- found


def test_planted_stragglers_are_compared():
    found = straggler_stability(runs())
    assert [set(np.flatnonzero(mask)) for mask in found.masks] == SETS
    assert found.common.tolist() == [[12, 10, 8], [10, 10, 8], [8, 8, 16]]
    assert found.times.tolist() == [sum(i in own for own in SETS) for i in range(40)]
    assert found.persistent_indices.tolist() == list(range(4, 12))
    assert found.inversion_epochs.tolist() == [55, 55, 55]
    np.testing.assert_array_equal(found.inversion_errors, [12 / 40, 10 / 40, 16 / 40])
    expected = pair_loops(SETS, 40)
    lower = np.tril_indices(3, -1)
    for name, values in expected.items():
        matrix = getattr(found, name)
        np.testing.assert_allclose(matrix[lower], values, err_msg=name)
        np.testing.assert_array_equal(matrix, matrix.T)
    assert np.isnan(np.diag(found.z_pairs)).all()
    np.testing.assert_allclose(found.expected_deviation[1, 0], hypergeom.std(40, 12, 10))
    assert found.z == pytest.approx(slow_z(expected))
    assert [type(own) for own in found.analyzers] == 3 * [EntanglementAnalyzer]


def test_a_run_without_inversion_has_no_stragglers_and_no_say_in_who_persists():
    found = straggler_stability([*runs(), SILENT])
    assert not found.masks[3].any()
    assert (
        np.isnan(found.inversion_errors).tolist()
        == np.isnan(found.inversion_epochs).tolist()
        == 3 * [False] + [True]
    )
    assert found.persistent_indices.tolist() == list(range(4, 12))
    np.testing.assert_array_equal(found.times, straggler_stability(runs()).times)
    assert found.common[3].tolist() == [0, 0, 0, 0]
    assert found.jaccard[3, :3].tolist() == [0, 0, 0]
    assert np.isnan(found.jaccard[3, 3])
    assert np.isnan(found.z_pairs[3]).all()
    assert found.z == straggler_stability(runs()).z


def test_without_any_inversion_nobody_persists():
    found = straggler_stability([SILENT, ALSO_SILENT])
    assert found.persistent_indices.tolist() == []
    assert found.persistent_indices.dtype.kind == "i"
    assert not found.times.any()
    assert np.isnan(found.z)


@pytest.mark.parametrize(
    "errors", ["auto", [0.9, 0.5, 0.4, 0.31, 0.3], np.array([[1.0], [0.35]]), 0.5, [1], []], ids=str
)
def test_curves_are_loops_over_levels_and_pairs(errors):
    records = runs()
    found = straggler_stability(records, errors=errors)
    for i, level in enumerate(found.errors):
        sets = []
        for record in records:
            at = next(t for t, error in enumerate(record.error) if error <= level)
            sets.append({k for k in range(40) if not record.correct[k, at]})
        expected = pair_loops(sets, 40)
        for name, values in expected.items():
            curve = getattr(found, f"{name}_curve")
            np.testing.assert_allclose(curve[i], reference.mean(values), err_msg=name)
        np.testing.assert_allclose(found.z_curve[i], slow_z(expected))
    if not isinstance(errors, str):
        assert found.errors.tolist() == sorted(np.ravel(errors), reverse=True)
    assert all(
        getattr(found, f"{name}_curve").shape == found.errors.shape
        for name in ("common", "expected", "jaccard", "z", "z_pairs")
    )


def test_levels_are_evenly_spaced_in_their_logarithm_over_what_every_run_has_gone_through():
    columns = np.maximum(
        np.arange(25), np.where(np.arange(25), 0, 3)
    )  # errors that are low at first, then rise
    records = [dataclasses.replace(record, prediction=record.prediction[:, columns]) for record in runs()]
    assert all(record.error[0] < record.error.max() for record in records)
    levels = straggler_stability(records).errors
    assert len(levels) == 30
    assert levels[0] == pytest.approx(min(record.error[0] for record in records))
    assert levels[-1] == pytest.approx(max(record.error.min() for record in records))
    np.testing.assert_allclose(np.diff(np.log(levels), 2), 0, atol=1e-12)
    assert levels[0] > 2 * levels[-1]


def test_levels_end_at_half_a_sample_where_nothing_is_misclassified():
    faultless = [run_with_stragglers([], seed) for seed in (0, 1)]
    assert [record.error[-1] for record in faultless] == [0, 0]
    assert straggler_stability(faultless).errors[-1] == pytest.approx(0.5 / 40)
    right = np.broadcast_to((np.arange(40) % 2)[:, None], (40, 25))
    at_once = [dataclasses.replace(record, prediction=right) for record in faultless]
    found = straggler_stability(at_once)
    np.testing.assert_allclose(found.errors, 0.5 / 40)
    assert (found.common_curve == 0).all()


def test_levels_where_one_run_begins_below_the_end_of_another():
    """The level is that end, 12/40, and rounding its logarithm does not make it one that was not reached."""
    high, low = run_with_stragglers(range(12)), run_with_stragglers(range(11), 1).select_epochs([55, 66, 300])
    prediction = np.where(np.arange(25) < 10, high.prediction, high.prediction[:, [10]])
    found = straggler_stability([dataclasses.replace(high, prediction=prediction), low])
    np.testing.assert_allclose(found.errors, 12 / 40)
    np.testing.assert_array_equal(found.common_curve, 11)
    np.testing.assert_allclose(found.expected_curve, 12 * 11 / 40)


def test_the_analyzer_is_the_one_to_use_and_stays_as_it_was():
    analyzer = EntanglementAnalyzer(layer="last", burn_in=66)
    found = straggler_stability(runs(), analyzer=analyzer)
    assert np.isnan(found.inversion_epochs).all()
    assert not hasattr(analyzer, "radii_")
    assert all(own.burn_in == 66 for own in found.analyzers)


def test_the_order_of_the_runs_turns_the_tables_and_nothing_else():
    one, other = straggler_stability(runs()), straggler_stability(iter(runs()[::-1]))
    np.testing.assert_array_equal(other.common, one.common[::-1, ::-1])
    np.testing.assert_array_equal(other.persistent_indices, one.persistent_indices)
    np.testing.assert_allclose(other.z_curve, one.z_curve)
    assert other.summary() == one.summary()


def test_of_models_the_training_records_are_read():
    X, y = load_digits(return_X_y=True)
    X, y = X[:100] / 16, y[:100] % 2
    clf = DynamicsClassifier(MLP((5,)), max_epochs=4)
    models = [clone(clf).set_params(random_state=s).fit(X, y, X_val=X[:9], y_val=y[:9]) for s in (0, 1)]
    found = straggler_stability(models, analyzer=EntanglementAnalyzer(tolerance=0))
    same = straggler_stability([m.dynamics_ for m in models], analyzer=EntanglementAnalyzer(tolerance=0))
    np.testing.assert_array_equal(found.masks, same.masks)
    assert found.summary() == same.summary()


def test_what_was_found_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError, match="cannot assign to field 'z'"):
        straggler_stability(runs()).z = 0.0


# ----------------------------------------------------------------------------------------- said


def test_the_whole_paragraph():
    found = straggler_stability(runs())
    loops = pair_loops(SETS, 40)
    common = reference.mean(loops["common"])
    assert verdicts(found) == {"ST1": "yes", "ST2": "cannot tell"}
    assert flat(found.summary()) == (
        f"Runs share their stragglers: two have {figure(common)} of them in common on average, where chance gives "
        f"{figure(reference.mean(loops['expected']))}, and all of the runs invert, at a training error of "
        f"{percent(reference.mean([0.3, 0.25, 0.4]))}. Look at persistent_indices, stragglers in every run that "
        "inverts; remove_and_refit asks what they do. Read from 3 runs of 40 samples."
    )
    shared = finding(found, "ST1")
    without = [pairs_of(np.delete(np.delete(found.common, i, 0), i, 1)).mean() for i in range(3)]
    half = t.isf(0.025, 2) * np.sqrt(2 / 3 * np.sum((without - np.mean(without)) ** 2))
    np.testing.assert_allclose(shared.interval, [common - half, common + half])
    assert (shared.value, shared.n_runs) == (pytest.approx(common), 3)


def test_the_paragraph_is_of_the_runs_that_invert():
    found = straggler_stability([SILENT, *runs()[:2]])
    assert (
        "two have 10 of them in common on average, where chance gives 3, and 2 of the runs invert, at a"
        in flat(found.summary())
    )
    assert finding(found, "ST1").n_runs == 2
    assert finding(found, "ST1").interval is None


def test_inversions_that_may_be_chance_are_called_so():
    """Of seven epochs the noise is not known, so that no run can tell whether its classes mix again."""
    few = [run.select_epochs(run.epochs[::4]) for run in runs()]
    found = straggler_stability(few)
    assert {finding(run, "EN1").verdict for run in found.analyzers} == {"cannot tell"}
    assert "all of the runs invert (3 of them by no more than chance gives), at a training" in flat(
        found.summary()
    )


@pytest.mark.parametrize(("inverting", "some"), [(1, "only one"), (0, "none")])
def test_without_two_inversions_nothing_can_be_told(inverting, some):
    found = straggler_stability([SILENT, runs()[0] if inverting else ALSO_SILENT])
    assert verdicts(found) == {"ST1": "cannot tell", "ST2": "cannot tell"}
    assert flat(found.summary()) == (
        f"Whether runs share their stragglers cannot be told: {some} of them has an inversion. Train longer: a turn of "
        "the classes has to come first. Read from 2 runs of 40 samples."
    )


def test_random_sets_share_no_more_than_chance():
    told = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        sets = [set(rng.choice(40, 12, replace=False).tolist()) for _ in range(5)]
        told.append(finding(straggler_stability(runs(*sets)), "ST1").verdict)
    assert told.count("yes") <= 3
    assert told.count("cannot tell") >= 34


def test_two_runs_have_no_spread_between_pairs():
    found = straggler_stability(runs()[:2])
    assert np.isnan(found.z)
    assert np.isnan(found.z_curve).all()
    assert "z " not in found.summary()


def test_z_of_the_stragglers_is_that_of_all_runs_at_one_training_error():
    """Sets of several sizes, at the runs' own inversions, would blow up the spread between pairs."""
    sets = [set(range(k, 14 + 2 * k)) for k in range(5)]
    found = straggler_stability(runs(*sets))
    level = found.inversion_errors.mean()
    assert found.z_at_inversion == straggler_stability(runs(*sets), errors=[level]).z_curve[0] != found.z
    best = int(np.nanargmax(found.z_curve))
    same = finding(found, "ST2")
    assert (same.value, same.null) == (found.z_at_inversion, found.z_curve[best])
    assert (
        f"at the mean error of the inversions the sets have z {figure(found.z_at_inversion)}, and at most z "
        f"{figure(found.z_curve[best])}, at {percent(found.errors[best])}."
    ) in flat(found.summary())
    few = straggler_stability(runs(*sets[:4]))
    assert finding(few, "ST2").verdict == "cannot tell", "six pairs are too few"
    assert "z " not in few.summary()


def test_without_an_inversion_there_is_no_z_there():
    assert np.isnan(straggler_stability([SILENT, ALSO_SILENT]).z_at_inversion)


# --------------------------------------------------------------------------------------- refused


def refused(error, message, given, **parameters):
    with pytest.raises(error, match=message):
        straggler_stability(given, **parameters)


def test_runs_that_cannot_be_compared_are_refused():
    one, other, _ = runs()
    refused(ValueError, r"^runs must be two or more, got 1\.$", [one])
    refused(ValueError, r"^runs must be two or more, got 0\.$", [])
    refused(TypeError, r"^runs must be a list of records or fitted models, got one Dynamics\.$", one)
    refused(TypeError, "got one DynamicsClassifier", DynamicsClassifier())
    same = "^runs must be of the same samples in the same order: runs"
    refused(ValueError, rf"{same}\[0\] has 40, runs\[2\] has 39\.$", [one, other, other[1:]])
    refused(ValueError, rf"{same}\[0\] has 40, runs\[1\] has 40, with other labels\.$", [one, other[::-1]])
    refused(NotFittedError, "not fitted yet", [one, DynamicsClassifier()])
    refused(TypeError, "Expected a Dynamics, or a fitted model", [one, one.loss])
    bare = dataclasses.replace(other, centroids={})
    refused(
        ValueError, r"no centroids: .*DynamicsClassifier\(record=\('samples', 'geometry'\)\)", [one, bare]
    )
    refused(
        ValueError, "layer 'z' is not in the record", [one, other], analyzer=EntanglementAnalyzer(layer="z")
    )


def test_analyzers_and_errors_that_mean_nothing_are_refused():
    refused(TypeError, "^analyzer must be an EntanglementAnalyzer, got 3.$", runs(), analyzer=3)
    for wrong in ([0.5, 1.01], [-0.1], [np.nan], "all", None, [True], 2):
        refused(
            ValueError, "^errors must be 'auto' or training errors between 0 and 1, got", runs(), errors=wrong
        )
    lowest = max(record.error.min() for record in runs())
    message = f"^errors: not every run reached 0.01; all reached {lowest:.4g}.$"
    refused(ValueError, message, runs(), errors=[0.5, 0.01])
    assert straggler_stability(runs(), errors=lowest).errors.tolist() == [lowest]
