"""Findings and paragraph of a LearningPhaseAnalyzer: figures are those of the attributes, every case has its words."""

import numpy as np
import pytest

from sklearn_nndyn import LearningPhaseAnalyzer
from sklearn_nndyn.utils.text import figure
from tests.analyzers.planted_phases import (
    CURVE,
    ITERATIONS,
    equal_slices,
    phase_record,
    planted_values,
    two_runs,
)
from tests.analyzers.saying import finding, flat, verdicts

FALLING = np.linspace(8, 2, 12)
NO_ADVICE = (
    "To reuse the layer for another task, it does not tell where to stop: choose by data of that task."
)
ONE_RUN = "one run; to learn of other seeds, give fit a list of runs."


def of_curve(curve, **changes):
    values = planted_values(curve=np.asarray(curve, dtype=float))
    return LearningPhaseAnalyzer().fit(phase_record(values, **changes))


def test_the_whole_paragraph():
    found = LearningPhaseAnalyzer().fit(phase_record(planted_values(noise=0.05)))
    chance = [figure(found.chance_[name]) for name in ("fall", "rise")]
    assert verdicts(found) == {"LP1": "yes", "LP2": "yes", "LP3": "yes", "LP4": "cannot tell", "LP5": "no"}
    assert flat(found.summary()) == (
        f"The reconstruction error of layer last, of inputs given back from it, falls by {figure(found.fall_)} "
        f"(chance gives up to {chance[0]}) until "
        f"iteration 32. It rises again by {figure(found.rise_)} (chance gives up to {chance[1]}). At first it stays "
        "near its start, until iteration 4. To reuse the layer for another task, try stops from iteration 32, "
        "the turn, to "
        "iteration 256, before half of the fall is undone, and check them on data of that task. Read "
        f"from a record: {ONE_RUN}"
    )


def test_the_figures_are_those_of_the_attributes():
    runs = equal_slices(CURVE + np.random.default_rng(0).normal(scale=0.1, size=(4, 12)))
    found = LearningPhaseAnalyzer().fit(runs)
    fall, rise, near, order, first = found.findings_
    assert (fall.value, fall.interval, fall.null) == (
        found.fall_,
        found.fall_interval_,
        found.chance_["fall"],
    )
    assert (rise.value, rise.interval, rise.null) == (
        found.rise_,
        found.rise_interval_,
        found.chance_["rise"],
    )
    assert near.value == found.epochs_[found.phases_.positions[0]]
    assert (order.value, order.null) == (found.rise_learning_correlation_, 0)
    assert order.interval == tuple(found.rise_learning_interval_)
    assert first.null == found.chance_["first_rise"]
    assert {one.n_runs for one in found.findings_} == {4}


def test_several_runs():
    found = LearningPhaseAnalyzer().fit(
        equal_slices(CURVE + np.random.default_rng(0).normal(scale=0.03, size=(4, 12)))
    )
    text = flat(found.summary())
    assert text.endswith("Read from 4 runs, each a record.")
    assert "seeds" not in text


@pytest.mark.parametrize(
    ("curve", "expected", "words"),
    [
        (
            FALLING,
            {"LP1": "yes", "LP2": "no", "LP3": "no"},
            "falls by 6 (chance gives up to 0) until iteration 1,024. It does not rise again: it is least at the end.",
        ),
        (
            FALLING[::-1],
            {"LP1": "no", "LP2": "yes", "LP3": "cannot tell"},
            "The reconstruction error of layer last, of inputs given back from it, never falls below its start. "
            "It rises by 6 (chance gives up to 0).",
        ),
        (
            [8, 8, 7.5, 7, 6.5, 6, 5, 4, 4.125, 4.15],
            {"LP1": "yes", "LP2": "no", "LP3": "yes"},
            "It does not rise again: it is still near its least at the end.",
        ),
        (
            np.full(12, 3),
            {"LP1": "no", "LP2": "no", "LP3": "cannot tell"},
            "never falls below its start. It does not rise: it is still near its least at the end.",
        ),
    ],
)
def test_phases_that_are_not_there(curve, expected, words):
    found = of_curve(curve)
    assert {code: verdicts(found)[code] for code in expected} == expected
    text = flat(found.summary())
    assert words in text
    assert NO_ADVICE in text
    assert "try stops" not in text


@pytest.mark.parametrize(
    ("curve", "expected", "words"),
    [
        (
            [8, 9, 10, 9, 7, 5, 4, 4, 6, 8],
            {"LP1": "yes", "LP2": "yes", "LP3": "no", "LP5": "yes"},
            "At first it rises above its start, until iteration 2.",
        ),
        (
            [8, 9, 12, 11, 10, 9.5, 9, 9, 9, 9],
            {"LP1": "no", "LP2": "no", "LP3": "cannot tell", "LP5": "yes"},
            "never falls below its start. It does not rise: from a peak it falls until the end. At first it rises "
            "above its start, until iteration 2.",
        ),
    ],
)
def test_a_curve_that_rises_first_is_told_as_that(curve, expected, words):
    found = of_curve(curve)
    assert {code: verdicts(found)[code] for code in expected} == expected
    text = flat(found.summary())
    assert words in text
    assert "near its start" not in text
    plain = of_curve([8, 8.01, 7.99, 7, 6, 5, 4, 4, 6, 8])
    assert verdicts(plain)["LP5"] == "cannot tell", "no more than its tolerance"
    assert "At first it stays near its start" in flat(plain.summary())


def test_a_rise_that_is_no_more_than_chance():
    values = planted_values(curve=np.append(CURVE[:10], 4.0))
    values[:, -3:] = 4 + np.where(np.arange(48) % 2, 9, -8)[:, None] * [0, 0, 1]
    found = LearningPhaseAnalyzer().fit(phase_record(values))
    assert verdicts(found)["LP2"] == "cannot tell"
    assert "Whether it rises again cannot be told from chance." in flat(found.summary())


def test_of_few_epochs_in_one_run_nothing_is_told():
    found = of_curve([8, 8, 4, 9])
    assert [verdicts(found)[code] for code in ("LP1", "LP2", "LP3")] == ["cannot tell"] * 3
    assert flat(found.summary()) == (
        "Whether the reconstruction error of layer last, of inputs given back from it, falls cannot be told: of "
        "4 recorded epochs in one run its wander is not "
        f"known. {NO_ADVICE} Read from a record: {ONE_RUN}"
    )


def test_a_rise_that_gives_back_less_than_half():
    assert "from iteration 2, the turn, to iteration 8, before half" in flat(
        two_runs([8, 8, 4, 5, 5.9]).summary()
    )


def test_one_epoch_to_stop_at_is_told_once():
    text = flat(two_runs([8, 8, 4, 7, 8]).summary())
    assert "try a stop at iteration 2, the turn; check it" in text


def test_epochs_that_were_not_counted_are_told_by_their_epoch():
    text = flat(of_curve(CURVE, iterations=None).summary())
    assert "iteration" not in text
    assert "until epoch 0.5. It rises" in text
    assert "try stops from epoch 0.5, the turn, to epoch 4, before" in text
    late = flat(of_curve(CURVE, iterations=None, epochs=1500 * np.arange(12)).summary())
    assert "near its start, until epoch 4,500." in late
    assert "until iteration 32," not in late
    assert ITERATIONS[6] == 32


@pytest.mark.parametrize(("order", "when", "verdict"), [(1, "later", "yes"), (-1, "earlier", "no")])
def test_who_gets_worse(order, when, verdict):
    values = np.tile(CURVE, (12, 1))
    values[:, -1] = 20 + order * np.arange(12)
    found = LearningPhaseAnalyzer().fit(phase_record(values, np.arange(12)))
    assert finding(found, "LP4").verdict == verdict
    assert (
        f"From the turn on the error of samples learned {when} rises by more (rank correlation {order})."
        in flat(found.summary())
    )


def test_of_samples_alike_and_of_no_predictions_there_is_no_order():
    alike = LearningPhaseAnalyzer().fit(phase_record(np.tile(CURVE, (12, 1))))
    for found in (alike, of_curve(CURVE, prediction=None), of_curve(FALLING)):
        order = finding(found, "LP4")
        assert (order.verdict, order.value, order.statement) == ("cannot tell", None, "")
