"""Each odd input is right, or refused in words before training; ``make odd-inputs`` prints the table."""

import pytest

from sklearn_nndyn.training._epoch_runner import EpochRunner
from tests.classifiers.odd_inputs.cases import difference, fit
from tests.classifiers.odd_inputs.tables import TABLES

CASES = {f"{table}: {name}": case for table, cases in TABLES.items() for name, case in cases.items()}
RIGHT = {name: case for name, case in CASES.items() if case.told is None}
REFUSED = {name: case for name, case in CASES.items() if case.told is not None}


def test_there_are_many():
    assert len(RIGHT) >= 70
    assert len(REFUSED) >= 120 + 200


@pytest.mark.parametrize("case", RIGHT.values(), ids=RIGHT)
def test_it_is_right(case):
    assert difference(case) is None


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_it_is_refused_in_words_before_training(case, monkeypatch):
    monkeypatch.setattr(EpochRunner, "run_epoch", lambda *args: pytest.fail("an epoch was trained"))
    with pytest.raises((ValueError, TypeError)) as caught:
        fit(case.given)
    assert case.told in str(caught.value)
