"""A finding says what it claims and what it rests on."""

import pytest

from sklearn_nndyn.analyzers import Finding


def test_a_finding_reads_as_a_sentence():
    finding = Finding(
        "LT2", "A small minority carries the rise", "cannot tell", value=0.031, n_runs=3, advice="Add seeds."
    )
    assert str(finding) == "LT2 A small minority carries the rise: cannot tell. 0.031; 3 runs. Add seeds."
    assert str(Finding("LP1", "R turns", "no")) == "LP1 R turns: no. One run."


def test_there_are_three_verdicts():
    with pytest.raises(ValueError, match="verdict must be one of 'yes', 'no', 'cannot tell'; got 'maybe'"):
        Finding("LT1", "The mean loss rises", "maybe")


def test_a_finding_rests_on_a_run():
    with pytest.raises(ValueError, match="n_runs must be 1 or more, got 0"):
        Finding("LT1", "The mean loss rises", "yes", n_runs=0)
