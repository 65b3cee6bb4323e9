"""The paragraph of a LearningPhaseAnalyzer: its figures are those of the attributes, and every case has its words."""

import dataclasses

import numpy as np
import pytest

from sklearn_nndyn import LearningPhaseAnalyzer
from sklearn_nndyn.utils.text import figure, percent
from tests.analyzers.planted_phases import CURVE, EPOCHS, equal_slices, phase_record, planted_values

FALLING = np.linspace(8, 2, 12)
AUTHORS = (
    "best transfer lay between the turn and the pronounced rise (in the authors' run on CIFAR-10 R was least at "
    "iteration 128, transfer best at 1024, and the network's own accuracy at 8192). That is one run: check the range "
    "on data of your own transfer task."
)
NO_ADVICE = (
    "R does not turn here, so it gives no advice where to stop pre-training for transfer: choose by data of the "
    "transfer task."
)


def of_curve(curve, **changes):
    values = planted_values(curve=np.asarray(curve, dtype=float))
    return LearningPhaseAnalyzer().fit(phase_record(values, **changes))


def test_the_whole_paragraph():
    record = phase_record(planted_values(noise=0.05))
    found = LearningPhaseAnalyzer().fit(record)
    start, least, end = found.reconstruction_curve_[[0, 6, -1]]
    low, high = found.rise_learning_interval_
    assert low < 0 < high
    assert (found.class_turning_epochs_ == EPOCHS[6]).all()
    assert found.summary() == (
        "Read from a record: how well layer last gives the input back at 12 epochs, iteration 0 (epoch 0) to iteration "
        f"1,024 (epoch 16). The mean squared error of reconstruction, R, is {figure(start)} at first, least "
        f"({figure(least)}) at iteration 32 (epoch 0.5), and {figure(end)} at the end, {figure(end / start)} times the "
        f"first. It stays near its start until iteration 4, the first phase, and falls (by {figure(found.fall_)}, "
        f"standard error {figure(found.fall_error_)}) until iteration 32, the second. Then it is near its least until "
        f"iteration 64, and rises (by {figure(found.rise_)}, standard error {figure(found.rise_error_)}), the third "
        "phase. Clear is what exceeds 2 standard errors over the samples, and what a curve gives that wanders. This is "
        "one run, which does not tell of other seeds: give fit a list of them. By themselves, the curves of all "
        "classes turn, at epoch 0.5. Whether a sample is learned early or late says "
        f"nothing clear of how its R changes since then (rank correlation {figure(found.rise_learning_correlation_)}, "
        f"95 % interval {figure(low)} to {figure(high)}). To pre-train for transfer, stop no earlier than the turn, "
        f"iteration 32, and no later than iteration 256, the last epoch at which less than half of the fall has been "
        f"given back: {AUTHORS} On the classes trained for, most accurate is a fresh linear classifier on the layer "
        f"at iteration 1,024 (75 %), and the network itself at iteration 1,024 ({percent(found.accuracy_curve_[-1])})."
    )


def test_several_runs():
    curves = CURVE + np.random.default_rng(0).normal(scale=0.03, size=(4, 12))
    found = LearningPhaseAnalyzer().fit(equal_slices(curves))
    text = found.summary()
    assert text.startswith("Read from 4 runs, each a record: how well layer last")
    assert (
        "Clear is what exceeds 2 standard errors over the 4 runs, and what their noise gives. By "
        "themselves, all 4 runs turn, on average at" in text
    )
    assert "on average at iteration 32, standard error 0. " in text
    assert "seeds" not in text
    few = LearningPhaseAnalyzer().fit(equal_slices([CURVE, FALLING, FALLING])).summary()
    assert "By themselves, 1 of 3 runs turn, on average at iteration 32. " in few
    none = LearningPhaseAnalyzer().fit(equal_slices([FALLING, FALLING])).summary()
    assert "By themselves, none of the runs turns." in none
    uncounted = [dataclasses.replace(run, iterations=None) for run in equal_slices([CURVE, [8, *CURVE[:-1]]])]
    text = LearningPhaseAnalyzer().fit(uncounted).summary()
    assert (
        "Clear is what exceeds 2 standard errors over the 2 runs, and what their noise gives. By "
        "themselves, all 2 runs turn" in text
    )
    assert "all 2 runs turn, on average at epoch 0.75, standard error 0.25. " in text


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        (
            FALLING,
            "It falls (by 6, standard error 0.258) until iteration 1,024, the second phase, and is well on its way at "
            "the first epoch after the start: no first phase is seen. There is no third phase: R is least at the end.",
        ),
        (
            FALLING[::-1],
            "There is no second phase: R does not clearly fall (by 0, standard error 0). Then it rises (by 6, standard "
            "error 0.258), the third phase.",
        ),
        (
            [8, 8, 6, 4, 4.125, 4.15],
            "There is no third phase: R is still near its least at the end.",
        ),
        (
            np.full(12, 3),
            "It neither falls clearly (by 0, standard error 0) nor rises clearly (by 0, standard error 0): there are "
            "no phases here.",
        ),
    ],
)
def test_phases_that_are_not_there(curve, words):
    found = of_curve(curve)
    sizes = np.linspace(0.5, 1.5, 48)
    assert figure(6 * sizes.std(ddof=1) / 48**0.5) == "0.258"
    assert words in found.summary()
    assert NO_ADVICE in found.summary()
    assert "transfer best at" not in found.summary()
    assert "No class's own curve turns." in found.summary()


@pytest.mark.parametrize(
    ("curve", "words"),
    [
        (
            [8, 9, 10, 9, 7, 5, 4, 4, 6, 8],
            "It first rises (by 2) until iteration 2, and then falls (by 4, standard",
        ),
        (
            [8, 9, 12, 11, 10, 9.5, 9, 9, 9, 9],
            "It first rises (by 4) until iteration 2, and then falls (by 3).",
        ),
    ],
)
def test_a_curve_that_rises_first_is_told_as_that(curve, words):
    text = of_curve(curve).summary()
    assert words in text
    assert "near its start" not in text
    assert "It stays near its start" in of_curve([8, 8.01, 7.99, 7, 6, 5, 4, 4, 6, 8]).summary()


def test_a_rise_that_is_no_more_than_chance():
    values = planted_values(curve=np.append(CURVE[:7], 4.0))
    values[:, -1] += np.where(np.arange(48) % 2, 9, -8)
    text = LearningPhaseAnalyzer().fit(phase_record(values)).summary()
    assert "There is no third phase: since then R has not clearly risen (by 0.5, standard error" in text


def test_a_rise_that_gives_back_less_than_half():
    text = of_curve([8, 8, 4, 5, 5.9]).summary()
    until = "and no later than the end, iteration 8, where still less than half of the fall has been given back: best"
    assert until in text


def test_a_rise_that_begins_at_once():
    assert "Then it rises (by 4, standard error" in of_curve([8, 7.9, 4, 8]).summary()


def test_epochs_that_were_not_counted_are_told_by_their_epoch():
    text = of_curve(CURVE, iterations=None).summary()
    assert "iteration" not in text.replace(AUTHORS, "")
    assert "at 12 epochs, epoch 0 to epoch 16. " in text
    assert "least (4) at epoch 0.5, and 10 at the end" in text
    assert "stop no earlier than the turn, epoch 0.5, and no later than epoch 4, the last epoch" in text
    late = of_curve(CURVE, iterations=None, epochs=1500 * np.arange(12)).summary()
    assert "epoch 0 to epoch 16,500. " in late
    assert "until epoch 4,500, the first phase" in late


def test_a_reconstruction_without_error_has_no_ratio():
    assert (
        "R, is 0 at first, least (0) at iteration 0 (epoch 0), and 1 at the end."
        in of_curve([0, 0, 0, 1]).summary()
    )


def test_classes_that_turn():
    values = planted_values()
    values[1::3] = np.linspace(0.8, 1.2, 16)[:, None] * FALLING
    values[2::3] = np.linspace(0.8, 1.2, 16)[:, None] * np.array([8, 8, 8, 8, 7, 6, 5, 5, 4, 5, 6, 9.0])
    text = LearningPhaseAnalyzer().fit(phase_record(values)).summary()
    assert "By themselves, the curves of 2 of 3 classes turn: ant at epoch 0.5, cow at epoch 2." in text
    target = np.arange(52) % 13
    curves = [[8, *CURVE[:-1]] if c % 2 else CURVE for c in target]
    values = np.linspace(0.9, 1.1, 52)[:, None] * np.array(curves)
    many = phase_record(values, y=target, classes=np.arange(13), prediction=None)
    text = LearningPhaseAnalyzer().fit(many).summary()
    assert "By themselves, the curves of all classes turn, at epochs 0.5 to 1." in text
    twelve = LearningPhaseAnalyzer().fit(many[target < 12]).summary()
    assert "the curves of 12 of 13 classes turn: 0 at epoch 0.5, 1 at epoch 1, 2 at epoch 0.5," in twelve


@pytest.mark.parametrize(("order", "when"), [(1, "last"), (-1, "first")])
def test_who_gets_worse(order, when):
    values = np.tile(CURVE, (12, 1))
    values[:, -1] = 20 + order * np.arange(12)
    text = LearningPhaseAnalyzer().fit(phase_record(values, np.arange(12))).summary()
    assert f"The samples whose R gets worse since then are rather those learned {when} (rank" in text
    assert f"(rank correlation {order}, 95 % interval {order} to {order})" in text
    alike = np.tile(CURVE, (12, 1))
    text = LearningPhaseAnalyzer().fit(phase_record(alike)).summary()
    assert "How samples rise since then cannot be ranked against when they are learned." in text


def test_without_accuracies():
    text = of_curve(CURVE, prediction=None, probe_accuracy={}).summary()
    assert "Without predictions, nothing can be said of when samples are learned." in text
    assert text.endswith("transfer task.")
    text = of_curve(CURVE, prediction=None).summary()
    assert text.endswith("most accurate is a fresh linear classifier on the layer at iteration 1,024 (75 %).")
    accuracy = {"last": np.array([*np.linspace(0.2, 0.9, 11), 0.4])}
    text = of_curve(CURVE, prediction=None, probe_accuracy=accuracy).summary()
    assert text.endswith("on the layer at iteration 512 (90 %).")
