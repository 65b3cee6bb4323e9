"""Every law for every module, loss and callback of the battery; ``make battery`` prints it as a table."""

import pytest

from tests.classifiers.battery.cases import NAMES, make_case
from tests.classifiers.battery.laws import LAWS
from tests.classifiers.battery.reasons import EXCEPTIONS


def test_there_are_sixty_cases_at_least():
    assert len(set(NAMES)) == len(NAMES) >= 60
    assert {name for name, _ in EXCEPTIONS} <= set(NAMES)
    assert {law for _, law in EXCEPTIONS} <= set(LAWS)


# Two fits are equal where a recorded one is the unrecorded one: of those the default run makes one of each.
@pytest.mark.parametrize(
    "law", [pytest.param(law, marks=pytest.mark.slow if law == "two fits equal" else ()) for law in LAWS]
)
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
def test_law(name, law, tmp_path):
    if (name, law) in EXCEPTIONS:
        pytest.skip(EXCEPTIONS[name, law])
    assert LAWS[law](make_case(name, tmp_path)) is None
