"""Every law for every module, loss and callback of the battery; ``make battery`` prints it as a table."""

import pytest

from tests.classifiers.battery.cases import LIKE_ANOTHER, NAMES, make_case
from tests.classifiers.battery.laws import LAWS
from tests.classifiers.battery.reasons import EXCEPTIONS


def test_there_are_sixty_cases_at_least():
    assert len(set(NAMES)) == len(NAMES) >= 60
    assert {name for name, _ in EXCEPTIONS} <= set(NAMES)
    assert {law for _, law in EXCEPTIONS} <= set(LAWS)
    assert set(NAMES) > LIKE_ANOTHER


def slow_where(some, values):
    """All values as parameters; some of them are left to the slow run."""
    return [pytest.param(value, marks=pytest.mark.slow if value in some else ()) for value in values]


# Two fits are equal where a recorded one is the unrecorded one: of those the default run makes one of each.
@pytest.mark.parametrize("law", slow_where({"two fits equal"}, LAWS))
@pytest.mark.parametrize("name", slow_where(LIKE_ANOTHER, NAMES))
@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
def test_law(name, law, tmp_path):
    if (name, law) in EXCEPTIONS:
        pytest.skip(EXCEPTIONS[name, law])
    assert LAWS[law](make_case(name, tmp_path)) is None
