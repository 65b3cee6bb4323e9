"""The paragraph of a LossComparison, of runs whose accuracies are given; and its pictures."""

import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from tests.analyzers.saying import figures_in, flat, sentences_of
from tests.model_selection.compared import comparison

matplotlib.use("Agg")

GIVEN = "learning rates as given"


def said(*args, **kwargs):
    """The paragraph on one line."""
    return flat(comparison(*args, **kwargs).summary())


def ranked(found, **noise):
    """{loss: p value} at the end, the best first."""
    return {loss: p for loss, _, _, p in found.ranks(**noise)}


def figure(found, outcome, loss, **noise):
    """The mean as it is written, and half its interval."""
    mean, half = next(row[1:] for row in found.intervals(outcome, **noise) if row[0] == loss)
    return f"{100 * mean:.2f} %", f"{100 * half:.2f}"


FINALS = {
    "log": [[0.90, 0.91, 0.92], [0.70, 0.72, 0.74]],
    "l2": [[0.80, 0.81, 0.825], [0.75, 0.78, 0.76]],
    "l1": [[0.90, 0.90, 0.92], [0.50, 0.52, 0.50]],
}
CASES = {
    "label noise": {"final": FINALS, "label_noise": (0.0, 0.4), "tried": (0.001, 0.01, 0.1)},
    "input noise": {"final": FINALS, "input_noise": (0.0, 2.0)},
    "both noises, two seeds": {
        "final": {loss: np.reshape(values + values[::-1], (2, 3, 2)) for loss, values in FINALS.items()},
        "label_noise": (0.0, 0.4),
        "input_noise": (0.0, 1.0, 2.0),
    },
    "one seed": {"final": {"log": [0.5], "l2": [0.6]}},
    "one loss": {"final": {"log": [0.5, 0.6, 0.7]}},
    "ended": {
        "final": {"log": [0.9, 0.8], "l1": [0.5, 0.4], "own": [0.7, 0.6]},
        "ended": {("l1", 0.0, 0.0, 1): "diverged", ("own", 0.0, 0.0, 0): "ValueError: no"},
    },
}


def test_the_whole_paragraph():
    found = comparison(FINALS, label_noise=(0.0, 0.4), tried=(0.001, 0.01, 0.1))
    p, noisy = ranked(found), ranked(found, label_noise=0.4)
    assert p["l2"] < 0.05 < p["l1"]
    assert noisy["l1"] < 0.05 < noisy["log"]
    speed, _ = figure(found, "learning_speed", "log")
    end, half = figure(found, "final_accuracy", "log")
    last, _ = figure(found, "final_accuracy", "l2", label_noise=0.4)
    assert flat(found.summary()) == (
        f"Which loss learns fastest cannot be told: log comes first, at a mean test accuracy of {speed} over the "
        "epochs, but l1 is not significantly behind. "
        f"Which loss ends best cannot be told: log comes first, at {end} ± {half}, but l1 is not significantly behind. "
        f"Which loss ends best with label noise 0.4 cannot be told: l2 comes first, at {last}, but log is not "
        "significantly behind. Give more seeds; until then take, of those that are not "
        "significantly behind, the one that suits. "
        "Compared were 3 losses, 3 seeds, learning rates tuned on held-out training samples."
    )


@pytest.mark.parametrize("case", CASES)
def test_it_is_made_of_the_findings_and_short(case):
    found = comparison(**CASES[case])
    text = found.summary()
    at = [flat(text).find(one.statement) for one in found.findings_]
    assert at[0] == 0
    assert at == sorted(at)
    assert any(one.advice in flat(text) for one in found.findings_ if one.advice)
    assert len(sentences_of(text)) <= 6
    assert len(figures_in(text)) <= 10
    assert max(map(len, text.splitlines())) <= 100


def test_all_behind_none_behind_or_some():
    far = said({"a": [0.9, 0.91], "b": [0.500, 0.511], "c": [0.400, 0.411]})
    assert (
        "a ends best, at 90.50 % (two runs: 90.00 to 91.00); all others are significantly behind. Take a, and"
        in far
    )
    near = said({"a": [0.9, 0.8], "b": [0.8, 0.89], "c": [0.7, 0.89]})
    assert (
        "cannot be told: a comes first, at 85.00 % (two runs: 80.00 to 90.00), but no other is significantly behind."
        in near
    )
    some = said({"a": [0.9, 0.91], "b": [0.92, 0.88], "c": [0.86, 0.93], "d": [0.5, 0.5101]})
    assert "but b and c are not significantly behind." in some
    many = said({name: [0.9, 0.91 - 0.001 * at] for at, name in enumerate("abcdef")} | {"g": [0.4, 0.4101]})
    assert "but b, c and others are not significantly behind." in many
    just = comparison({"a": [0.9, 0.9, 0.9], "b": [0.85, 0.8, 0.83], "c": [0.5, 0.51, 0.49]})
    assert 0.03 < ranked(just)["b"] < 0.05
    assert "; all others are significantly behind." in flat(just.summary())


def test_two_losses_are_compared_with_each_other():
    assert "b ends best, at 91.33 % ± 3.79; a is significantly behind." in said(
        {"a": [0.5, 0.52, 0.51], "b": [0.9, 0.91, 0.93]}
    )
    text = said({"a": [0.5, 0.9], "b": [0.6, 0.9]})
    assert "b comes first, at 75.00 % (two runs: 60.00 to 90.00), but a is not significantly behind." in text
    assert "Give three seeds or more." in text


@pytest.mark.parametrize("finals", [[0.5, 0.9], [0.99, 1.0, 0.9], [0.0, 0.1, 0.02], [0.97, 1.0, 1.0, 1.0]])
def test_an_interval_of_an_accuracy_lies_within_0_and_100_percent(finals):
    text = said({"log": finals, "l2": [0.0] * len(finals)})
    for mean, half in re.findall(r"([\d.]+) % ± ([\d.]+)", text):
        assert 0 <= float(mean) - float(half) <= float(mean) + float(half) <= 100
    ends = re.findall(r"(?:interval|runs:) ([\d.]+) to ([\d.]+)\)", text)
    assert ends
    assert all(0 <= float(low) < float(high) <= 100 for low, high in ends)


def test_the_interval_that_would_leave_ends_there():
    finals = [0.99, 1.0, 0.9]
    mean, half = 100 * np.mean(finals), 100 * 4.302653 * np.std(finals, ddof=1) / np.sqrt(3)
    assert mean + half > 100
    assert f"log comes first, at {mean:.2f} % (95 % interval {mean - half:.2f} to 100.00)" in said(
        {"log": finals}
    )


def test_two_seeds_have_no_interval():
    found = comparison({"log": [0.5, 0.9], "l2": [0.6, 0.9]})
    assert np.isnan([half for _, _, half in found.intervals()]).all()
    assert np.isnan(found.learning_curves()[1]).all()


def test_one_loss_and_one_seed():
    alone = "cannot be told: log comes first, at {}, but there is no other to compare it with."
    assert said({"log": [0.5]}, n_epochs=1) == (
        f"Which loss learns fastest {alone.format('a mean test accuracy of 50.00 % over the epochs')} "
        f"Which loss ends best {alone.format('50.00 %')} Give several losses. "
        f"Compared were 1 loss, 1 seed, {GIVEN}."
    )
    text = said({"log": [0.5], "l2": [0.6]})
    assert "l2 comes first, at 60.00 %, but one seed does not tell it from the others." in text


def test_the_first_levels_are_told_where_they_are_not_zero():
    final = {"log": np.array([[[0.9]], [[0.8]]]), "l2": np.array([[[0.7]], [[0.75]]])}
    text = said(final, label_noise=(0.2, 0.5), input_noise=(0.3,))
    assert "log comes first, at a mean test accuracy of 60.00 % over the epochs, but one seed" in text
    assert "ends best with label noise 0.5 cannot be told: log comes first, at 80.00 %, but one seed" in text
    assert (
        "2 losses, 1 seed, with label noise 0.2 and input noise 0.3 where no other is named, learning" in text
    )


def test_the_highest_level_counts_in_any_order():
    final = {"log": [0.5, 0.9, 0.6], "l2": [0.4, 0.8, 0.75]}
    final = {loss: np.reshape(values, (1, 3, 1)) for loss, values in final.items()}
    text = said(final, input_noise=(0.5, 0.0, 1.0))
    assert "log comes first, at 50.00 %," in text
    assert "ends best with input noise 1 cannot be told: l2 comes first, at 75.00 %" in text
    assert "with input noise 0.5 where no other is named" in text
    assert "label noise" not in text


def test_advice_names_what_holds_at_the_highest_noise():
    final = {"a": [[0.9] * 3, [0.4, 0.42, 0.4]], "b": [[0.89, 0.92, 0.9], [0.6, 0.61, 0.6]]}
    assert "Where labels may be wrong, take b." in said(final, label_noise=(0.0, 0.4))
    final = {loss: np.reshape(values, (1, 2, 3)) for loss, values in final.items()}
    assert "Where inputs are noisy, take b." in said(final, input_noise=(0.0, 1.0))


def test_rates_at_the_edge_of_what_was_tried_are_told():
    final, rates = {"a": [0.5], "b": [0.6], "c": [0.7]}, {"a": 0.1, "b": 0.01, "c": 0.001}
    both = "Add lower and higher lr_factors: of the rates tried the lowest is best for c and the highest is best for a."
    assert both in said(final, rates=rates, tried=(0.001, 0.01, 0.1))
    lower = "Add lower lr_factors: of the rates tried the lowest is best for c."
    assert lower in said(final, rates=rates, tried=(0.001, 0.01, 1.0))
    higher = "Add higher lr_factors: of the rates tried the highest is best for a."
    assert higher in said(final, rates=rates, tried=(0.0001, 0.01, 0.1))
    assert "lr_factors" not in said(final, rates=rates, tried=(0.0001, 0.01, 1.0))
    assert "lr_factors" not in said(final, rates=rates)
    assert "lr_factors" not in said(final, tried=(0.01,))


def test_many_losses_at_the_edge_are_counted():
    names = "abcde"
    text = said(
        {name: [0.5] for name in names}, rates=dict.fromkeys("abcd", 0.1) | {"e": 1.0}, tried=(0.1, 1.0, 10)
    )
    assert "of the rates tried the lowest is best for 4 of 5 losses." in text


def test_rates_at_the_edge_count_at_the_noise_that_a_finding_is_about():
    final = {"a": [[0.9] * 3, [0.4, 0.42, 0.4]], "b": [[0.8, 0.81, 0.8], [0.6, 0.61, 0.6]]}
    found = comparison(final, label_noise=(0.0, 0.4), rates={"a": 0.1, "b": 0.1}, tried=(0.01, 0.1, 1.0))
    found.runs["lr"][found.select(loss="b", label_noise=0.4)] = 0.01
    advice = {finding.code: finding.advice for finding in found.findings_}
    assert "lr_factors" not in advice["CL1"] + advice["CL2"]
    assert advice["CL3"] == "Add lower lr_factors: of the rates tried the lowest is best for b."


def test_runs_that_ended_early_are_counted():
    final = {"log": [0.9, 0.8], "l1": [0.5, 0.4], "own": [0.7, 0.6]}
    ended = {
        ("l1", 0.0, 0.0, 1): "diverged",
        ("own", 0.0, 0.0, 0): "ValueError: no",
        ("own", 0.0, 0.0, 1): "TypeError: b",
    }
    text = said(final, ended=ended)
    assert text.endswith(
        "1 run diverged and counts as of the epoch before (l1); 2 runs failed and do not count (own): ValueError: no; "
        "TypeError: b."
    )
    assert "own" not in text.split("Compared were")[0], "what failed is not compared"
    interrupted = {(loss, 0.0, 0.0, seed): "interrupted" for loss in final for seed in (0, 1)}
    assert said(final, ended=interrupted) == (
        f"No run was finished. Compared were 3 losses, 2 seeds, {GIVEN}; 6 runs were not finished when the keyboard "
        "interrupted, and do not count."
    )


def test_many_errors_are_shortened():
    ended = {("own", 0.0, 0.0, seed): f"ValueError: {seed // 1}" for seed in range(5)}
    text = said({"own": [0.5] * 6}, ended=ended)
    assert text.endswith("ValueError: 0; ValueError: 1; ValueError: 2; and 2 more.")


def test_a_level_without_runs_is_left_out():
    final = {"log": [[0.9], [0.5]], "l2": [[0.8], [0.6]]}
    ended = {(loss, 0.4, 0.0, 0): "interrupted" for loss in final}
    assert "with label noise" not in said(final, label_noise=(0.0, 0.4), ended=ended)
    del ended["l2", 0.4, 0.0, 0]
    ended["l2", 0.0, 0.0, 0] = "interrupted"
    text = said(final, label_noise=(0.0, 0.4), ended=ended)
    assert "with label noise 0.4 cannot be told: l2 comes first, at 60.00 %, but there is no other" in text


# -------------------------------------------------------------------------------------- the table


@pytest.fixture
def found():
    rng = np.random.default_rng(0)
    return comparison(
        {"log": rng.random((2, 2, 3)), "l2": rng.random((2, 2, 3))},
        label_noise=(0.0, 0.4),
        input_noise=(0.0, 1.0),
    )


def test_runs_are_selected_by_any_column(found):
    for loss, level in (("log", 0.4), ("l2", 0.0)):
        chosen = found.select(loss=loss, label_noise=level, seed=2)
        expected = [
            i
            for i in range(24)
            if (found.runs["loss"][i], found.runs["label_noise"][i], found.runs["seed"][i])
            == (loss, level, 2)
        ]
        assert chosen.tolist() == expected
    assert len(found.select()) == 24
    assert len(found.select(loss="none")) == 0
    with pytest.raises(ValueError, match=r"^Unknown columns epoch, rate; there are loss, label_noise, "):
        found.select(rate=1, epoch=2)


def test_figures_are_those_of_the_level_asked_for(found):
    for outcome in ("final_accuracy", "tail_share"):
        for noise in ({}, {"label_noise": 0.4}, {"label_noise": 0.4, "input_noise": 1.0}):
            full = {"label_noise": 0.0, "input_noise": 0.0} | noise
            means = {
                loss: found.runs[outcome][found.select(loss=loss, **full)].mean() for loss in found.losses
            }
            rows = found.intervals(outcome, **noise)
            assert [row[0] for row in rows] == sorted(means, key=means.get, reverse=True)
            np.testing.assert_allclose([row[1] for row in rows], sorted(means.values(), reverse=True))
            assert [row[0] for row in found.ranks(outcome, **noise)] == [row[0] for row in rows]


def test_learning_curves_end_where_the_table_says():
    ended = {("l1", 0.0, 0.0, 1): "diverged", ("log", 0.0, 0.0, 0): "ValueError: no"}
    found = comparison({"log": [0.9, 0.8, 0.7], "l1": [0.5, 0.4, 0.3]}, ended=ended)
    mean, half = found.learning_curves()
    assert mean.shape == half.shape == (2, 5)
    table = {loss: (value, width) for loss, value, width in found.intervals()}
    for row, loss in enumerate(found.losses):
        np.testing.assert_allclose((mean[row, -1], half[row, -1]), table[loss])
    np.testing.assert_allclose(mean[0], found.test_accuracy[1:3].mean(axis=0))
    np.testing.assert_allclose(mean[1, :-1], found.test_accuracy[3:, :-1].mean(axis=0))
    assert np.isnan(found.test_accuracy[4, -1])  # and stays so


def test_what_is_not_there_is_refused(found):
    with pytest.raises(
        ValueError, match=r"^outcome must be one of 'learning_speed', .*, 'inversion_error'; got 'lr'\.$"
    ):
        found.ranks("lr")
    with pytest.raises(ValueError, match=r"^label_noise must be one of 0\.0, 0\.4; got 0\.2\.$"):
        found.intervals(label_noise=0.2)
    with pytest.raises(ValueError, match=r"^input_noise must be one of 0\.0, 1\.0; got 'much'\.$"):
        found.learning_curves(input_noise="much")
    with pytest.raises(
        ValueError, match=r"^kind must be one of None, 'curves', 'multiples', 'noise'; got 'bars'\.$"
    ):
        found.plot("bars")


def test_a_long_table_has_a_row_for_each_run_and_epoch(found):
    frame = found.to_frame()
    assert len(frame) == 24 * 5
    expected = [*found.runs, "epoch", "test_accuracy"]
    assert sorted(frame.columns) == sorted([*expected, "final_train_accuracy"])
    for i in (0, 7, 23):
        own = frame.iloc[5 * i : 5 * i + 5]
        assert own["epoch"].tolist() == [0, 1, 2, 3, 4]
        np.testing.assert_array_equal(own["test_accuracy"], found.test_accuracy[i])
        np.testing.assert_array_equal(own["train_accuracy"], found.train_accuracy[i])
        for name, values in found.runs.items():
            column = "final_train_accuracy" if name == "train_accuracy" else name
            assert (own[column] == values[i]).all()


def test_a_table_needs_pandas(found, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    with pytest.raises(ImportError, match=r'^to_frame needs pandas: pip install "sklearn-nndyn\[frames\]"$'):
        found.to_frame()


def test_the_suitable_picture_is_drawn(found):
    try:
        assert found.plot().noise.startswith("label noise")
        assert found.plot(label_noise=0.4).noise.startswith("input noise")
        assert "label noise 0.4" in found.plot(label_noise=0.4).title
        curves = found.plot(label_noise=0.4, input_noise=1.0)
        np.testing.assert_array_equal(curves.mean, found.learning_curves(label_noise=0.4, input_noise=1.0)[0])
        assert len(curves.axes_) == 1
        assert found.plot("curves").title == "Test accuracy"
        assert len(found.plot("multiples", input_noise=1.0).axes_) == 2
        clean = comparison({"log": [0.5], "l2": [0.6]})
        assert clean.plot().title == "Test accuracy"
        with pytest.raises(ValueError, match="A noise with several levels is needed, and no noise has them"):
            clean.plot("noise")
        figure, axes = plt.subplots(1, 2)
        for kind, ax in zip(("noise", "curves"), axes, strict=True):
            assert found.plot(kind, ax).figure_ is figure
    finally:
        plt.close("all")


def test_findings_say_whether_all_others_are_surely_behind():
    clear = comparison({"a": [0.9, 0.9, 0.91], "b": [0.5, 0.51, 0.5]}, n_epochs=1).findings_
    assert [(one.code, one.verdict, one.n_runs) for one in clear] == [("CL1", "yes", 3), ("CL2", "yes", 3)]
    assert clear[1].interval[0] < clear[1].value < clear[1].interval[1] <= 1
    assert clear[1].null < 0.6
    alone = comparison({"a": [0.9]}).findings_
    assert [(one.verdict, one.interval, one.null) for one in alone] == [("cannot tell", None, None)] * 2
    noisy = comparison(
        {"a": [[0.9] * 3, [0.4, 0.5, 0.6]], "b": [[0.5] * 3, [0.6, 0.4, 0.5]]}, label_noise=(0.0, 0.4)
    )
    assert [(one.code, one.verdict) for one in noisy.findings_][2:] == [("CL3", "cannot tell")]
