"""Each odd input is right, or refused in words before training; ``make odd-inputs`` prints the table."""

import pytest

from sklearn_nndyn.training._epoch_runner import EpochRunner
from tests.classifiers.odd_inputs.cases import NAMES, X, difference, fit
from tests.classifiers.odd_inputs.tables import TABLES
from tests.pairwise import for_each


def those(is_refused):
    """{table: {name: case}} of the cases that are refused, or of the others."""
    kept = {
        table: {name: case for name, case in cases.items() if (case.told is not None) == is_refused}
        for table, cases in TABLES.items()
    }
    return {table: cases for table, cases in kept.items() if cases}


RIGHT, REFUSED = those(False), those(True)


def test_there_are_many():
    assert sum(map(len, RIGHT.values())) >= 70
    assert sum(map(len, REFUSED.values())) >= 120 + 200


@pytest.mark.parametrize("table", RIGHT)
def test_it_is_right(table):
    assert {name: found for name, case in RIGHT[table].items() if (found := difference(case))} == {}


@pytest.mark.parametrize("table", REFUSED)
def test_it_is_refused_in_words_before_training(table, monkeypatch):
    monkeypatch.setattr(EpochRunner, "run_epoch", lambda *args: pytest.fail("an epoch was trained"))

    @for_each("case", REFUSED[table])
    def check(case):
        with pytest.raises((ValueError, TypeError)) as caught:
            fit(case.given)
        assert case.told in str(caught.value)

    check()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_accuracy_against_a_table_of_one_column(library):
    table = pytest.importorskip(library).DataFrame({"label": NAMES})
    clf = fit({"y": NAMES})
    assert clf.score(X, table) == clf.score(X, NAMES)
    assert list(clf.staged_score(X, table)) == list(clf.staged_score(X, NAMES))
