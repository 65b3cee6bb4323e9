"""Shares of the rise, and the verdict on borderline samples."""

import numpy as np
import pytest

from sklearn_nndyn.analyzers.loss_tails import borderline_test, transition_table, transitions
from tests import reference

TRANSITIONS = ("CC", "CW", "WC", "WW")


def test_letters_are_those_of_turn_and_end():
    turn, end = [True, True, False, False], [True, False, True, False]
    assert transitions(turn, end).tolist() == list(TRANSITIONS)
    assert [reference.transition(*both) for both in zip(turn, end, strict=True)] == list(TRANSITIONS)


def test_the_table_counts_sums_and_means():
    transition = np.array(["CC", "CC", "CC", "CW", "WW", "WW"])
    rise = np.array([-1.0, -2.0, 6.0, 4.0, 5.0, 7.0])
    table = transition_table(transition, rise, np.arange(6.0), -np.arange(6.0))
    assert table["CC"] == {
        "count": 3, "rise_sum": 3.0, "rise_mean": 1.0, "margin_at_turn": 1.0, "margin_at_end": -1.0
    }  # fmt: skip
    assert table["WW"]["margin_at_turn"] == 4.5
    assert table["WC"]["count"] == table["WC"]["rise_sum"] == 0
    assert np.isnan([table["WC"][name] for name in ("rise_mean", "margin_at_turn", "margin_at_end")]).all()
    assert sum(row["count"] for row in table.values()) == 6
    assert sum(row["rise_sum"] for row in table.values()) == rise.sum()


def test_without_margins_the_table_has_none():
    assert list(transition_table(["CC"], [1.0])["CC"]) == ["count", "rise_sum", "rise_mean"]


@pytest.mark.parametrize(
    ("riser", "verdict"),
    [
        (("CC", 0.5), "borderline"),
        (("CC", 1.0), "neither"),
        (("CC", 1.5), "neither"),
        (("WC", 30.0), "borderline"),
        (("CW", -0.5), "neither"),
        (("CW", -1.0), "wrong by far"),
        (("WW", -0.5), "neither"),
        (("WW", -1.5), "wrong by far"),
    ],
    ids=str,
)
def test_one_riser_gives_the_verdict(riser, verdict):
    transition, margin = np.full(9, "CC"), np.full(9, 10.0)
    transition[4], margin[4] = riser
    found = borderline_test(transition, np.eye(9)[4], margin)
    assert found["verdict"] == verdict
    assert found["near"] == 1.0
    assert found["borderline_share"] == float(verdict == "borderline")
    assert found["wrong_share"] == float(verdict == "wrong by far")


def test_scores_in_another_unit_change_nothing():
    rng = np.random.default_rng(0)
    transition, rise, margin = rng.choice(TRANSITIONS, 50), rng.normal(1, 1, 50), rng.normal(0, 5, 50)
    one, other = borderline_test(transition, rise, margin), borderline_test(transition, rise, 16 * margin)
    assert {**other, "near": 16 * one["near"]} == {**one, "near": other["near"]}


def test_shares_equal_their_slow_definition():
    rng = np.random.default_rng(1)
    transition, rise, margin = rng.choice(TRANSITIONS, 50), rng.normal(1, 1, 50), rng.normal(0, 1, 50)
    found = borderline_test(transition, rise, margin)
    expected = reference.borderline_shares(transition.tolist(), rise.tolist(), margin.tolist())
    assert (found["borderline_share"], found["wrong_share"], found["near"]) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("rise", "share"), [([-1.0, -2.0], np.nan), ([1.0, -2.0], 0.0), ([0.0, 0.0], np.nan)]
)
def test_no_rise_has_no_account(rise, share):
    found = borderline_test(["CC", "WW"], rise, [5.0, -5.0])
    assert found["verdict"] == "no rise"
    np.testing.assert_equal(found["wrong_share"], share)
