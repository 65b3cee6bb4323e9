"""Records of one training in two precisions are equal up to rounding, until rounding switches a ReLU."""

import numpy as np
import pytest

from tests.recording.integrations.tasks import make_task
from tests.recording.integrations.test_frameworks import ROUNDING, THEIR_WARNINGS
from tests.recording.integrations.trainings import FRAMEWORKS, OWN, need, worst
from tests.recording.integrations.twin import Twin, twin_record

pytestmark = THEIR_WARNINGS
RECORDED = 1.01 * 2.0**-24  # values are rounded to single precision as they are recorded


def relu_task(data):
    try:
        return make_task(data, "conv", "relu")
    except FileNotFoundError:
        pytest.skip("Fashion-MNIST is not on this machine")


def compared_steps(task):
    """(relative difference of some scores, whether a unit is switched otherwise) after each step of an epoch.

    The units are those of the batch of the step, before its update: they decide about its gradient.
    """
    single, double = Twin(task, np.float32), Twin(task)
    for _ in zip(single.steps(), double.steps(), strict=True):
        switched = (single.nonlinearity.on != double.nonlinearity.on).any()
        scores = double.scores(double.X[:100])
        yield np.abs(single.scores(single.X[:100]) - scores).max() / np.abs(scores).max(), switched


@pytest.mark.parametrize("data", ["digits", "fashion"])
def test_single_precision_is_within_rounding_until_a_unit_is_switched(data):
    n_equal = 0
    for difference, switched in compared_steps(relu_task(data)):
        if switched:
            break
        assert difference < ROUNDING
        n_equal += 1
    assert n_equal >= 5, "units so near zero are rare"


def test_a_unit_that_is_switched_moves_the_scores_by_more_than_rounding():
    """One weight is moved by less than rounding, across the kink of a unit."""
    task = relu_task("digits")
    twins = [Twin(task), Twin(task)]
    first = twins[0].layers[0]
    first.bias[0] -= first.forward(twins[0].X[:1])[0, 0, 1, 1]  # a unit of the first sample is at zero
    twins[1].layers[0].bias[:] = first.bias
    first.bias[0] -= 1e-9
    twins[1].layers[0].bias[0] += 1e-9
    before, after = [], []
    for twin in twins:
        before.append(twin.scores(twin.X))
        twin.step(twin.X[:1], twin.y[:1])
        after.append(twin.scores(twin.X))
    assert np.abs(before[0] - before[1]).max() < 1e-8
    assert np.abs(after[0] - after[1]).max() > 1e-5


def in_double_precision(name, data):
    """How far the record is from the twin's."""
    task = relu_task(data).in_precision(float)
    return max(worst({**OWN, **FRAMEWORKS}[name](task), twin_record(task)).values())


@pytest.mark.parametrize("data", ["digits", pytest.param("fashion", marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", [*OWN, *(name for name in FRAMEWORKS if name != "keras")])
def test_in_double_precision_every_way_makes_the_record_of_the_twin(name, data, tmp_path, monkeypatch):
    if name in FRAMEWORKS:
        need(name)
    monkeypatch.chdir(tmp_path)
    assert in_double_precision(name, data) < RECORDED


def test_keras_which_multiplies_in_single_precision_is_within_its_rounding(tmp_path, monkeypatch):
    """On digits, where no unit of this training comes so near to zero that single precision switches it."""
    need("keras")
    monkeypatch.chdir(tmp_path)
    assert in_double_precision("keras", "digits") < ROUNDING
