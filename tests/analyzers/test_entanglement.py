"""EntanglementAnalyzer on records: what it finds, and its table."""

import dataclasses

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.preprocessing import FunctionTransformer

from sklearn_nndyn import Dynamics, EntanglementAnalyzer, LossTailAnalyzer
from sklearn_nndyn.analyzers.entanglement import turning_point
from tests import reference
from tests.analyzers.planted_entanglement import (
    CLASSES,
    EPOCHS,
    TURNS,
    curve,
    learned_in_turn,
    planted_radii,
    planted_record,
    record_of,
)
from tests.test_docstrings import entries

NAMES = ["straggler", "class_straggler", "margin_at_turn", "epoch_learned", "times_forgotten"]
REPLAYED = [f"{which}_similarity_at_{when}" for when in ("turn", "end") for which in ("own", "other")]
PAIRS = [(a, b) for a in range(3) for b in range(3)]


def epochs_of(turns):
    return [np.nan if turn is None else EPOCHS[turn] for turn in turns]


def slow_turn(values):
    """The turn of a curve without noise."""
    return reference.lasting_turn(list(values), 0.01 * np.ptp(values))


def falling(**changes):
    """Radii that fall until the end: no inversion."""
    return record_of(np.linspace(0.9, 0.2, 25)[:, None] * [1, 0.9, 0.8], learned_in_turn(), **changes)


def without(record, *names):
    return dataclasses.replace(record, **dict.fromkeys(names))


# ----------------------------------------------------------------------------------------- found


def test_planted_turns_are_found():
    found = EntanglementAnalyzer().fit(planted_record())
    assert (found.inversion_, found.inversion_epoch_) == (TURNS["mean"], EPOCHS[TURNS["mean"]])
    assert type(found.inversion_epoch_) is int
    assert type(found.inversion_error_) is float
    np.testing.assert_array_equal(found.class_inversion_epochs_, epochs_of(TURNS[name] for name in CLASSES))
    assert (found.layer_, found.source_, found.classes_.tolist()) == ("last", "a record", list(CLASSES))
    np.testing.assert_array_equal(found.epochs_, EPOCHS)
    assert found.n_features_in_ == 25
    # Right from position i % 30 on, of 60 samples, but for sample 3.
    assert found.straggler_indices_.tolist() == [3, *range(15, 30), *range(45, 60)]
    assert found.inversion_error_ == 31 / 60


def test_every_attribute_equals_its_slow_definition():
    record = planted_record()
    found = EntanglementAnalyzer().fit(record)
    m, error = record.centroids["last"], [reference.mean(wrong) for wrong in 1.0 - record.correct.T]
    np.testing.assert_allclose(found.radii_, planted_radii(), rtol=1e-12)
    apart = np.array([[np.linalg.norm(m_t[a] - m_t[b]) for a, b in PAIRS] for m_t in m]).reshape(25, 3, 3)
    np.testing.assert_allclose(found.distances_, apart, rtol=1e-12)
    np.testing.assert_allclose(found.mean_radius_, [reference.mean(row) for row in planted_radii()])
    mean_apart = [reference.mean([d[0, 1], d[0, 2], d[1, 2]]) for d in apart]
    np.testing.assert_allclose(found.mean_distance_, mean_apart)
    np.testing.assert_allclose(found.training_error_, error)
    assert found.inversion_error_ == pytest.approx(error[slow_turn(found.mean_radius_)])
    turns = [slow_turn(row) for row in planted_radii().T]
    expected = [np.nan if turn is None else error[turn] for turn in turns]
    np.testing.assert_allclose(found.class_inversion_errors_, expected)
    assert found.distance_inversion_epoch_ == EPOCHS[slow_turn(-np.array(mean_apart))]
    for a, b in PAIRS:
        turn = slow_turn(-apart[:, a, b])
        nearer = 0 if turn is None else apart[turn, a, b] - apart[-1, a, b]
        assert found.reentanglement_[a, b] == pytest.approx(nearer)
    assert (found.reentanglement_ > 0).any()
    wrong = ~record.correct
    target = [CLASSES.index(name) for name in record.y]
    np.testing.assert_array_equal(found.straggler_mask_, wrong[:, found.inversion_])
    own = [turns[c] is not None and wrong[i, turns[c]] for i, c in enumerate(target)]
    np.testing.assert_array_equal(found.class_straggler_mask_, own)
    assert found.straggler_mask_.dtype == found.class_straggler_mask_.dtype == bool


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("reference_", "turn"), [("mean", 14), ("ant", 10), ("bee", None), ("cow", 18)])
def test_the_curve_to_go_by_is_a_choice(reference_, turn, dtype):
    record = planted_record()
    centroids = {name: m.astype(dtype) for name, m in record.centroids.items()}
    found = EntanglementAnalyzer(reference=reference_).fit(dataclasses.replace(record, centroids=centroids))
    assert found.inversion_ == turn
    expected = np.zeros(60, bool) if turn is None else ~planted_record().correct[:, turn]
    np.testing.assert_array_equal(found.straggler_mask_, expected)
    assert found.reference_ == (reference_ if reference_ == "mean" else CLASSES.index(reference_))


def test_the_distance_may_be_what_counts():
    """Two classes, whose distance has another turn than their mean radius."""
    radii = np.transpose([curve({0: 0.9, 10: 0.3, 24: 0.7}), curve({0: 0.99, 10: 0.92, 24: 0.64})])
    record = record_of(radii, learned_in_turn(), classes=(0, 1))
    found = EntanglementAnalyzer(reference="distance").fit(record)
    turn = slow_turn(-found.mean_distance_)
    assert found.inversion_ == turn != EntanglementAnalyzer().fit(record).inversion_ == 10
    assert found.distance_inversion_epoch_ == found.inversion_epoch_ == EPOCHS[turn]
    np.testing.assert_array_equal(found.straggler_mask_, ~record.correct[:, turn])


@pytest.mark.parametrize("classes", [(False, True), (-2, 7), (0.5, 1.5), ("a", "mean")], ids=str)
def test_a_class_is_named_by_its_label(classes):
    radii = planted_radii(("bee", "ant"))
    record = record_of(radii, learned_in_turn(), classes=classes)
    assert EntanglementAnalyzer(reference=classes[0]).fit(record).inversion_ is None
    if classes[1] != "mean":
        found = EntanglementAnalyzer(reference=record.classes[1]).fit(record)
        assert (found.inversion_, found.reference_) == (10, 1)


@pytest.mark.parametrize(
    ("layer", "name"), [(-1, "last"), (0, "first"), (np.int64(1), "last"), ("first", "first")]
)
def test_a_layer_has_a_position_and_a_name(layer, name):
    found = EntanglementAnalyzer(layer=layer).fit(planted_record())
    assert found.layer_ == name
    assert (found.inversion_epoch_ is None) == (name == "first")


def test_rule_burn_in_and_tolerance_are_those_asked_for():
    record = planted_record()
    early = EntanglementAnalyzer(rule="first_rise", reference="cow").fit(record)
    assert early.inversion_ == early.inversion_epoch_ == 0
    np.testing.assert_array_equal(early.straggler_mask_, ~record.correct[:, 0])
    later = EntanglementAnalyzer(rule="first_rise", reference="cow", burn_in=EPOCHS[5]).fit(record)
    assert later.inversion_ == 18
    np.testing.assert_array_equal(later.class_inversion_epochs_, [EPOCHS[10], np.nan, EPOCHS[18]])
    assert EntanglementAnalyzer(burn_in=int(EPOCHS[14])).fit(record).inversion_ is None
    strict = EntanglementAnalyzer(tolerance=0.7).fit(
        record
    )  # of the ant's range 7/8 are taken back, of the cow's less
    np.testing.assert_array_equal(strict.class_inversion_epochs_, [EPOCHS[10], np.nan, np.nan])


def test_a_record_without_inversion_has_no_stragglers():
    found = EntanglementAnalyzer().fit(falling())
    assert found.inversion_ is found.inversion_epoch_ is found.distance_inversion_epoch_ is None
    assert np.isnan(found.inversion_error_)
    assert np.isnan(found.class_inversion_epochs_).all()
    assert np.isnan(found.class_inversion_errors_).all()
    assert (found.reentanglement_ == 0).all()
    assert not found.straggler_mask_.any()
    assert not found.class_straggler_mask_.any()
    assert found.straggler_indices_.shape == (0,)
    table = found.transform(falling())
    assert not table[:, :2].any()
    assert np.isnan(table[:, 2]).all()


# -------------------------------------------------------------------------------------- the table


def test_a_row_tells_of_its_sample():
    record = planted_record()
    found = EntanglementAnalyzer().fit(record)
    table = found.transform(record)
    assert table.shape == (60, 9)
    assert found.get_feature_names_out().tolist() == NAMES + REPLAYED
    rows = record.correct.tolist()
    np.testing.assert_array_equal(table[:, 0], found.straggler_mask_)
    np.testing.assert_array_equal(table[:, 1], found.class_straggler_mask_)
    np.testing.assert_array_equal(table[:, 2], np.where(record.correct[:, 14], 15, -15))
    np.testing.assert_array_equal(table[:, 3], [reference.epoch_learned(row, EPOCHS) for row in rows])
    np.testing.assert_array_equal(table[:, 4], [reference.times_forgotten(row) for row in rows])
    assert table[[3, 4, 5], 4].tolist() == [1, 2, 0]
    assert np.isnan(table[:, 5:]).all()


@pytest.mark.parametrize(
    "rows",
    [slice(5, 40, 3), [7, 2, 2, 59], np.arange(60) % 3 == 1, slice(0, 0)],
    ids=["slice", "list", "mask", "none"],
)
def test_slicing_before_is_slicing_after(rows):
    record = planted_record()
    found = EntanglementAnalyzer().fit(record)
    np.testing.assert_array_equal(found.transform(record[rows]), found.transform(record)[rows])


def test_permuted_samples_are_permuted_rows():
    record = planted_record()
    order = np.random.default_rng(0).permutation(60)
    one, other = EntanglementAnalyzer().fit(record), EntanglementAnalyzer().fit(record[order])
    np.testing.assert_array_equal(other.transform(record[order]), one.transform(record)[order])
    np.testing.assert_array_equal(other.straggler_mask_, one.straggler_mask_[order])
    np.testing.assert_array_equal(np.sort(order[other.straggler_indices_]), one.straggler_indices_)
    assert other.inversion_epoch_ == one.inversion_epoch_
    assert other.summary() == one.summary()


def test_a_record_without_margins_has_none_at_the_turn():
    record = planted_record()
    found = EntanglementAnalyzer().fit(record)
    table = found.transform(without(record, "margin", "loss"))
    assert np.isnan(table[:, 2]).all()
    np.testing.assert_array_equal(np.delete(table, 2, axis=1), np.delete(found.transform(record), 2, axis=1))


def test_it_works_among_transformers():
    record = planted_record()
    union = make_union(EntanglementAnalyzer(), LossTailAnalyzer()).set_output(transform="pandas")
    table = union.fit_transform(record)
    assert table.columns[0] == "entanglementanalyzer__straggler"
    assert "losstailanalyzer__rise" in table.columns
    frame = EntanglementAnalyzer().set_output(transform="pandas").fit_transform(record)
    assert list(frame.columns) == NAMES + REPLAYED
    np.testing.assert_array_equal(frame["straggler"], EntanglementAnalyzer().fit(record).straggler_mask_)
    first = FunctionTransformer(lambda table: table[:, :3])
    model = make_pipeline(EntanglementAnalyzer(), first, LogisticRegression())
    assert cross_val_score(model, record, record.correct[:, 14]).mean() == 1


def test_the_record_is_left_as_it_was_and_fitting_again_forgets():
    found, record = EntanglementAnalyzer().fit(falling()), planted_record()
    found.fit(record)
    np.testing.assert_array_equal(record.centroids["last"], planted_record().centroids["last"])
    fresh = EntanglementAnalyzer().fit(record)
    assert list(vars(found)) == list(vars(fresh))
    for name, value in vars(fresh).items():
        np.testing.assert_equal(vars(found)[name], value, err_msg=name)


# ----------------------------------------------------------------------------------------- named


def test_documented_attributes_are_there_after_fit_and_no_others():
    documented = set(entries(EntanglementAnalyzer, "Attributes"))
    assert not [name for name in documented if hasattr(EntanglementAnalyzer(), name)]
    found = EntanglementAnalyzer().fit(planted_record())
    assert {name for name in vars(found) if name.endswith("_")} == documented


def test_a_clone_is_not_fitted():
    given = {"layer": 0, "rule": "first_rise", "burn_in": 3, "reference": "cow", "tolerance": 0.1}
    found = clone(EntanglementAnalyzer(**given).fit(planted_record()))
    assert found.get_params() == given
    for call in (found.summary, found.get_feature_names_out, lambda: found.transform(planted_record())):
        with pytest.raises(NotFittedError, match="This EntanglementAnalyzer instance is not fitted yet"):
            call()


def test_pairs_of_many_classes_are_told_as_each_pair_by_itself():
    rng = np.random.default_rng(0)
    way = np.r_[np.linspace(0.1, 1, 12), np.linspace(0.98, 0.6, 9)][:, None, None]
    centroids = way * rng.normal(size=(40, 8)) / 3 + 0.002 * rng.normal(size=(21, 40, 8))
    y = np.arange(80) % 40
    record = Dynamics(
        y=y,
        classes=np.arange(40),
        epochs=np.arange(21),
        prediction=np.repeat(y[:, None], 21, axis=1),
        centroids={"hidden": centroids.astype(np.float32)},
    )
    for rule in ("extremum", "first_rise"):
        found = EntanglementAnalyzer(rule=rule, burn_in=3).fit(record)
        for a, b in [(0, 1), (7, 31), (39, 2), (12, 12)]:
            turn = (
                turning_point(-found.distances_[:, a, b], found.epochs_, rule=rule, burn_in=3)
                if a != b
                else None
            )
            nearer = 0 if turn is None else found.distances_[turn, a, b] - found.distances_[-1, a, b]
            assert found.reentanglement_[a, b] == pytest.approx(nearer, abs=1e-12)
        assert (found.reentanglement_ > 0).mean() > 0.5
