"""Wrong labels from several networks: scores, ranges and findings, of planted predictions."""

import dataclasses

import numpy as np
import pytest

from sklearn_nndyn.analyzers import LabelRuns, find_label_errors
from sklearn_nndyn.analyzers.sample_scores import (
    bounded_margin,
    held_out_interval,
    label_scores,
    looks_wrong_by_chance,
)
from tests import reference
from tests.analyzers.saying import figures_in, sentences_of
from tests.analyzers.test_label_errors import one_line, planted

WRONG = np.arange(0, 400, 10)


def predictions(wrong=WRONG, n_samples=400, sure=0.9, seed=0, **changes):
    """Networks that give each true class about the same probability; the label of some is the class after it."""
    rng = np.random.default_rng(seed)
    true = rng.integers(0, 3, n_samples)
    y = (true + np.isin(np.arange(n_samples), wrong)) % 3
    held_out, trained_on = (
        rng.dirichlet(np.ones(3), n_samples) * (1 - sure) + sure * np.eye(3)[true] for _ in range(2)
    )
    margin = np.where(y == true, 3.0, -3.0)[:, None] + rng.normal(size=(n_samples, 4))
    fields = {
        "y": y,
        "classes": np.arange(3),
        "held_out": held_out,
        "trained_on": trained_on,
        "margin": margin,
        "n_runs": 10,
        "n_fits": 9.0,
    }
    return LabelRuns(**(fields | changes))


# ------------------------------------------------------------------------------------------- scores


def test_the_score_equals_its_slow_definition():
    runs = predictions(sure=0.2)
    slow = [
        reference.label_score(*row)
        for row in zip(runs.held_out, runs.trained_on, runs.margin, runs.y.tolist(), strict=True)
    ]
    np.testing.assert_allclose(label_scores(runs), slow, rtol=1e-12)


def test_a_score_lies_between_minus_one_and_one():
    sure = np.eye(2)[[0, 0]]
    runs = LabelRuns(
        y=np.array([0, 1]),
        classes=np.array([0, 1]),
        held_out=sure,
        trained_on=sure,
        margin=np.array([[1e6], [-1e6]]),
        n_runs=2,
        n_fits=2.0,
    )
    np.testing.assert_allclose(label_scores(runs), [1, -1])


def test_for_two_classes_the_margin_is_twice_the_probability_less_one():
    p = np.random.default_rng(0).random(20)
    both = np.column_stack([1 - p, p])
    np.testing.assert_allclose(bounded_margin(both, np.ones(20, int)), 2 * p - 1)
    np.testing.assert_allclose(bounded_margin(both, np.zeros(20, int)), 1 - 2 * p)


def test_margins_do_not_write_into_the_probabilities():
    p = np.full((3, 3), 1 / 3)
    p.setflags(write=False)
    np.testing.assert_array_equal(bounded_margin(p, [0, 1, 2]), 0)


def test_planted_errors_are_found_by_several_networks():
    found = find_label_errors(predictions())
    np.testing.assert_array_equal(np.sort(found.indices), WRONG)
    np.testing.assert_array_equal(found.suggestions[WRONG], (found.y[WRONG] - 1) % 3)
    assert (found.n_runs, found.n_fits, found.threshold < 0) == (11, 9.0, True)
    assert found.end_error == 0.1


def test_nothing_stands_out_where_every_label_is_confirmed():
    found = find_label_errors(predictions(wrong=[]))
    assert (found.n_errors, found.threshold, found.indices.tolist()) == (0, -np.inf, [])
    assert found.count_interval == (0, 2)


def test_rows_follow_their_samples_and_labels_are_names():
    runs, order = predictions(sure=0.3), np.random.default_rng(1).permutation(400)
    rows = {name: getattr(runs, name)[order] for name in ("held_out", "trained_on", "margin")}
    names = np.array(["ant", "bee", "cow"])
    other = find_label_errors(dataclasses.replace(runs, **rows, y=names[runs.y[order]], classes=names))
    found = find_label_errors(runs)
    np.testing.assert_array_equal(other.scores, found.scores[order])
    np.testing.assert_array_equal(other.suggestions, names[found.suggestions[order]])
    np.testing.assert_allclose(other.suggestion_shares, runs.held_out[order].max(axis=1))
    assert other.count_interval == found.count_interval
    assert "by networks not trained on it)" in " ".join(other.summary().split())


# --------------------------------------------------------------------------------------- how many


@pytest.mark.parametrize("rate", [0.0, 0.05, 0.2, 0.4])
def test_the_range_holds_what_is_planted_and_sure_labels_make_it_narrow(rate):
    wrong = np.arange(round(2000 * rate))
    low, high = find_label_errors(predictions(wrong=wrong, n_samples=2000)).count_interval
    assert low <= len(wrong) <= high
    assert high - low <= 5 * np.sqrt(len(wrong) + 1)


def test_hard_samples_alone_give_no_lower_end():
    """Missed by any margin up to the typical one, as samples between two classes are."""
    margin = np.r_[np.linspace(-0.9, 0, 300), np.full(1700, 0.9)]
    low, high = held_out_interval(margin)
    assert low == 0
    assert high > 300


def test_networks_that_learned_little_cannot_tell():
    assert held_out_interval(np.r_[np.full(501, -0.9), np.full(499, 0.9)]) is None
    assert held_out_interval(np.r_[np.full(100, -0.9), np.full(900, 0.19)]) is None
    assert held_out_interval(np.full(10, -0.5)) is None
    found = find_label_errors(predictions(sure=0.0))
    assert found.count_interval is None
    assert "It cannot be told from these runs how many labels are wrong: networks that did not" in one_line(
        found.summary()
    )


def test_the_upper_end_counts_what_the_training_contradicts_too():
    margin = np.r_[np.full(50, -0.9), np.full(950, 0.9)]
    assert held_out_interval(margin, n_negative=90)[1] == int(np.ceil(90 + 2 * np.sqrt(91)))
    assert held_out_interval(margin, n_negative=20) == held_out_interval(margin)


def test_the_number_that_stands_out_lies_within_the_range():
    """Networks that have learned every label by heart contradict none; those that did not see them contradict some."""
    sure = predictions()
    by_heart = np.full((400, 3), 0.005) + 0.985 * np.eye(3)[sure.y]
    found = find_label_errors(predictions(trained_on=by_heart, margin=np.full((400, 4), 9.0)))
    low, high = found.count_interval
    assert low <= len(WRONG) <= high
    assert low == found.n_errors == len(found.indices) == np.count_nonzero(found.scores <= found.threshold)
    assert np.isin(found.indices, WRONG).all()
    contradicted = find_label_errors(predictions(margin=np.full((400, 4), -9.0)))
    assert contradicted.count_interval is None or contradicted.n_errors <= contradicted.count_interval[1]


def test_chance_is_a_third_of_the_hard_samples():
    assert looks_wrong_by_chance(np.r_[np.full(30, -0.1), np.full(8, -0.9), np.full(90, 0.9)]) == 10
    assert looks_wrong_by_chance(np.full(5, 0.9)) == 0


# --------------------------------------------------------------------------------------- findings


def by_code(found):
    return {finding.code: finding for finding in found.findings_}


def test_findings_of_several_networks():
    found = find_label_errors(predictions())
    wrong, told, group = by_code(found).values()
    assert [finding.code for finding in found.findings_] == ["SS8", "SS9", "SS10"]
    assert (wrong.verdict, told.verdict, group.verdict) == ("yes", "yes", "yes")
    assert (wrong.value, wrong.interval, wrong.null, wrong.n_runs) == (40, found.count_interval, 0, 11)
    assert told.value == pytest.approx((found.count_interval[1] - found.count_interval[0]) / 400)
    low, high = found.count_interval
    assert f"Between {low} and {high} of 400 labels are wrong, as far as these runs" in wrong.statement
    text = one_line(found.summary())
    assert text.startswith(wrong.statement)
    assert text.endswith(
        "Read from 10 networks on parts of the samples and one on all, 4 recorded epochs after the start, at "
        "the cost of 9 fits."
    )
    assert len(sentences_of(text)) <= 6
    assert len(figures_in(text)) <= 12  # the cost is told too


def test_findings_of_one_run_that_cannot_tell():
    found = find_label_errors(planted().select_epochs([0, 1]))
    wrong, told, _ = by_code(found).values()
    assert (wrong.verdict, wrong.interval, wrong.statement) == ("cannot tell", None, "")
    assert (told.verdict, told.value, told.n_runs) == ("no", None, 1)
    assert "Train longer; several networks tell more, by find_label_errors(clf, X, y, runs=10)." in one_line(
        found.summary()
    )


def test_where_the_range_begins_at_zero_whether_some_are_wrong_is_open():
    found = find_label_errors(planted())
    wrong = by_code(found)["SS8"]
    assert found.count_interval[0] == 0
    assert (wrong.verdict, wrong.null) == ("cannot tell", None)


# ----------------------------------------------------------------------------------------- refused


@pytest.mark.parametrize(
    ("model", "given", "message"),
    [
        (predictions(), {"X": [[0.0]], "y": [0]}, r"^X and y: leave out .* the networks are trained already\.$"),
        (predictions(), {"runs": 5}, r"^runs: leave out"),
        (planted(), {"X": [[0.0]], "y": [0], "runs": 5}, r"^X, y and runs: .* a record is read as it is\.$"),
        (None, {"X": [[0.0]]}, r"^Several networks are trained on samples and labels: find_label_errors\(clf, X, y, "),
        (None, {"y": [0]}, r"^Several networks are trained on samples and labels"),
        (None, {"runs": 10}, r"^Several networks are trained on samples and labels"),
    ],
)  # fmt: skip
def test_what_does_not_go_together(model, given, message):
    with pytest.raises(ValueError, match=message):
        find_label_errors(model, **given)
