"""LearningPhaseAnalyzer as a transformer: its table, and what scikit-learn asks of it."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline, make_union

from sklearn_nndyn import LearningPhaseAnalyzer, LossTailAnalyzer
from tests import reference
from tests.analyzers.planted import tailed_record
from tests.analyzers.planted_phases import CURVE, EPOCHS, equal_slices, phase_record, planted_values
from tests.test_docstrings import entries

NAMES = [
    "reconstruction_at_start",
    "reconstruction_at_lowest",
    "reconstruction_at_end",
    "reconstruction_rise",
    "own_lowest_epoch",
    "epoch_learned",
]


def noisy_runs(n_runs=4, noise=0.3):
    """Runs that differ as runs and in their samples."""
    rng = np.random.default_rng(1)
    return equal_slices(CURVE + rng.normal(scale=0.3, size=(n_runs, 12)), noise)


def test_a_row_tells_of_its_sample():
    values = planted_values(noise=0.5)
    record = phase_record(values)
    found = LearningPhaseAnalyzer().fit(record)
    table = found.transform(record)
    assert list(found.get_feature_names_out()) == NAMES
    rows = [
        [v[0], v[6], v[-1], v[-1] - v[6], EPOCHS[v.index(min(v))], reference.epoch_learned(right, EPOCHS)]
        for v, right in zip(values.tolist(), record.correct.tolist(), strict=True)
    ]
    np.testing.assert_allclose(table, rows)
    assert np.isnan(table[12, 5])
    for few in (slice(5, 40, 3), [7, 2, 2], np.arange(48) % 3 == 1, slice(0, 0)):
        np.testing.assert_array_equal(found.transform(record[few]), table[few])


def test_columns_are_those_of_the_fitted_record():
    with_predictions, without = phase_record(), phase_record(prediction=None)
    found = LearningPhaseAnalyzer().fit(without)
    np.testing.assert_array_equal(found.transform(with_predictions), found.transform(without))
    with pytest.raises(ValueError, match="This record has no prediction: it holds reconstruction"):
        LearningPhaseAnalyzer().fit(with_predictions).transform(without)


def test_after_several_runs_each_can_be_transformed():
    runs = noisy_runs()
    found = LearningPhaseAnalyzer().fit(runs)
    values = runs[1].reconstruction["last"]
    np.testing.assert_array_equal(found.transform(runs[1])[:, 1], values[:, found.lowest_])


def test_it_works_among_transformers():
    record = tailed_record(12, 12, reconstruction={"last": planted_values(12)}, epochs=EPOCHS)
    union = make_union(LearningPhaseAnalyzer(), LossTailAnalyzer()).set_output(transform="pandas")
    table = union.fit_transform(record)
    assert table.columns[0] == "learningphaseanalyzer__reconstruction_at_start"
    assert "losstailanalyzer__rise" in table.columns
    names = make_pipeline(LearningPhaseAnalyzer(), "passthrough").fit(record).get_feature_names_out()
    assert list(names) == NAMES


def test_the_record_is_left_as_it_was_and_fitting_again_forgets():
    record = phase_record()
    found = LearningPhaseAnalyzer().fit(noisy_runs()).fit(record)
    np.testing.assert_array_equal(record.reconstruction["last"], planted_values())
    fresh = LearningPhaseAnalyzer().fit(record)
    assert set(vars(found)) == set(vars(fresh))
    for name, value in vars(fresh).items():
        if name != "phases_":
            np.testing.assert_equal(vars(found)[name], value, err_msg=name)


def test_documented_attributes_are_there_after_fit_and_no_others():
    documented = set(entries(LearningPhaseAnalyzer, "Attributes"))
    assert not [name for name in documented if hasattr(LearningPhaseAnalyzer(), name)]
    for given in (phase_record(), [phase_record(prediction=None)]):
        found = LearningPhaseAnalyzer().fit(given)
        assert {name for name in vars(found) if name.endswith("_")} == documented


def test_a_clone_is_not_fitted():
    found = clone(LearningPhaseAnalyzer(layer="first", tolerance=0.1).fit(phase_record()))
    assert found.get_params() == {"layer": "first", "tolerance": 0.1}
    for call in (found.summary, found.get_feature_names_out, lambda: found.transform(phase_record())):
        with pytest.raises(NotFittedError, match="This LearningPhaseAnalyzer instance is not fitted yet"):
            call()
