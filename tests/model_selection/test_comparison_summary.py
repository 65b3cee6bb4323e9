"""The paragraph of a LossComparison, of runs whose accuracies are given; and its pictures."""

import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest

from tests.model_selection.compared import comparison

matplotlib.use("Agg")


def ranked(found, **noise):
    """{loss: p value} at the end, the best first."""
    return {loss: p for loss, _, _, p in found.ranks(**noise)}


def figure(found, outcome, loss, **noise):
    """Mean and interval as they are written."""
    (mean, half) = next(row[1:] for row in found.intervals(outcome, **noise) if row[0] == loss)
    return f"{100 * mean:.2f} % ± {100 * half:.2f}"


def test_the_whole_paragraph():
    found = comparison(
        {
            "log": [[0.90, 0.91, 0.92], [0.70, 0.72, 0.74]],
            "l2": [[0.80, 0.81, 0.825], [0.75, 0.78, 0.76]],
            "l1": [[0.90, 0.90, 0.92], [0.50, 0.52, 0.50]],
        },
        label_noise=(0.0, 0.4),
        tried=(0.001, 0.01, 0.1),
    )
    p, noisy = ranked(found), ranked(found, label_noise=0.4)
    assert p["l2"] < 0.05 < p["l1"]
    assert noisy["l1"] < 0.05 < noisy["log"]
    assert found.summary() == (
        "3 losses, 3 seeds, 4 epochs, learning rates tuned on held-out training samples. log learns fastest: a mean "
        f"test accuracy of {figure(found, 'learning_speed', 'log')} over epochs 1 to 4; not surely behind it "
        f"(p < 0.05) is l1; l2 is last, 6.1 points behind. log ends best, at "
        f"{figure(found, 'final_accuracy', 'log')}; not surely behind it (p < 0.05) is l1; l2 is last, 9.8 points "
        "behind. With label noise 0.4 l2 is best, at "
        f"{figure(found, 'final_accuracy', 'l2', label_noise=0.4)}; not surely behind it (p < 0.05) is log; l1 is "
        "last, 26 points behind. From 0 to 0.4 l2 loses least, 4.8 points."
    )


def test_all_behind_none_behind_or_some():
    far = comparison({"a": [0.9, 0.91], "b": [0.500, 0.511], "c": [0.400, 0.411]}).summary()
    assert (
        "a ends best, at 90.50 % (two runs: 90.00 to 91.00); all others are behind it (p < 0.05); c is last, "
        "50 points behind." in far
    )
    near = comparison({"a": [0.9, 0.8], "b": [0.8, 0.89], "c": [0.7, 0.89]}).summary()
    assert "; no other is surely behind it (p < 0.05); c is last, 5.5 points behind." in near
    some = comparison({"a": [0.9, 0.91], "b": [0.92, 0.88], "c": [0.86, 0.93], "d": [0.5, 0.5101]}).summary()
    assert "; not surely behind it (p < 0.05) are b, c; d is last, 40 points behind." in some
    just = comparison({"a": [0.9, 0.9, 0.9], "b": [0.85, 0.8, 0.83], "c": [0.5, 0.51, 0.49]})
    assert 0.03 < ranked(just)["b"] < 0.05
    assert "; all others are behind it (p < 0.05); c is last, 40 points behind." in just.summary()


def test_two_losses_are_compared_with_each_other():
    text = comparison({"a": [0.5, 0.52, 0.51], "b": [0.9, 0.91, 0.93]}).summary()
    p = ranked(comparison({"a": [0.5, 0.52, 0.51], "b": [0.9, 0.91, 0.93]}))["a"]
    assert f"b ends best, at 91.33 % ± 3.79; a is behind it, by 40 points (p = {p:.2g})." in text
    text = comparison({"a": [0.5, 0.9], "b": [0.6, 0.9]}).summary()
    assert (
        "b ends best, at 75.00 % (two runs: 60.00 to 90.00); a is not surely behind it, by 5 points (p = 0.5)."
        in text
    )
    text = comparison({"a": [0.5, 0.9], "b": [0.5, 0.9]}).summary()
    assert "; b is not surely behind it, by 0 points (p = 1)." in text


@pytest.mark.parametrize("finals", [[0.5, 0.9], [0.99, 1.0, 0.9], [0.0, 0.1, 0.02], [0.97, 1.0, 1.0, 1.0]])
def test_an_interval_of_an_accuracy_lies_within_0_and_100_percent(finals):
    text = comparison({"log": finals, "l2": [0.0] * len(finals)}).summary()
    for mean, half in re.findall(r"([\d.]+) % ± ([\d.]+)", text):
        assert 0 <= float(mean) - float(half) <= float(mean) + float(half) <= 100
    ends = re.findall(r"(?:interval|runs:) ([\d.]+) to ([\d.]+)\)", text)
    assert ends
    assert all(0 <= float(low) < float(high) <= 100 for low, high in ends)


def test_the_interval_that_would_leave_ends_there():
    finals = [0.99, 1.0, 0.9]
    mean, half = 100 * np.mean(finals), 100 * 4.302653 * np.std(finals, ddof=1) / np.sqrt(3)
    text = comparison({"log": finals}).summary()
    assert mean + half > 100
    assert f"log ends best, at {mean:.2f} % (95 % interval {mean - half:.2f} to 100.00)" in text


def test_two_seeds_have_no_interval():
    found = comparison({"log": [0.5, 0.9], "l2": [0.6, 0.9]})
    assert np.isnan([half for _, _, half in found.intervals()]).all()
    assert np.isnan(found.learning_curves()[1]).all()


def test_one_loss_one_seed_and_one_epoch():
    text = comparison({"log": [0.5]}, n_epochs=1).summary()
    assert text == (
        "1 loss, 1 seed, 1 epoch, learning rates as given. log learns fastest: a mean test accuracy of 50.00 % at "
        "epoch 1. log ends best, at 50.00 %."
    )
    text = comparison({"log": [0.5], "l2": [0.6]}).summary()
    assert "l2 ends best, at 60.00 %; one seed cannot tell it from the others." in text


def test_the_first_levels_are_told_where_they_are_not_zero():
    final = {"log": np.array([[[0.9]], [[0.8]]]), "l2": np.array([[[0.7]], [[0.75]]])}
    text = comparison(final, label_noise=(0.2, 0.5), input_noise=(0.3,)).summary()
    assert (
        "a mean test accuracy of 60.00 % over epochs 1 to 4 (label noise 0.2, input noise 0.3); one seed"
        in text
    )
    assert "log ends best, at 90.00 % (label noise 0.2, input noise 0.3); one seed" in text
    assert "With label noise 0.5 (input noise 0.3) log is best, at 80.00 %; one seed cannot" in text
    assert text.endswith("From 0.2 to 0.5 l2 gains most, 5 points.")


def test_levels_are_compared_from_the_lowest_to_the_highest_in_any_order():
    final = {"log": [0.5, 0.9, 0.6], "l2": [0.4, 0.8, 0.75]}
    final = {loss: np.reshape(values, (1, 3, 1)) for loss, values in final.items()}
    text = comparison(final, input_noise=(0.5, 0.0, 1.0)).summary()
    assert "log ends best, at 50.00 % (input noise 0.5)" in text
    assert "With input noise 1 l2 is best, at 75.00 %" in text
    assert text.endswith("From 0 to 1 l2 loses least, 5 points.")
    assert "label noise" not in text


def test_rates_at_the_edge_of_what_was_tried_are_told():
    final, rates = {"a": [0.5], "b": [0.6], "c": [0.7]}, {"a": 0.1, "b": 0.01, "c": 0.001}
    told = "The learning rate is the lowest or the highest of those tried for a, c: other lr_factors may do better."
    assert comparison(final, rates=rates, tried=(0.001, 0.01, 0.1)).summary().endswith(told)
    assert "lr_factors" not in comparison(final, rates=rates, tried=(0.0001, 0.01, 1.0)).summary()
    assert "lr_factors" not in comparison(final, rates=rates).summary()
    assert "lr_factors" not in comparison(final, tried=(0.01,)).summary()


def test_runs_that_ended_early_are_counted():
    final = {"log": [0.9, 0.8], "l1": [0.5, 0.4], "own": [0.7, 0.6]}
    ended = {
        ("l1", 0.0, 0.0, 1): "diverged",
        ("own", 0.0, 0.0, 0): "ValueError: no",
        ("own", 0.0, 0.0, 1): "TypeError: b",
    }
    text = comparison(final, ended=ended).summary()
    assert text.endswith(
        "1 run diverged and counts as of the epoch before (l1). 2 runs failed and do not count (own): ValueError: no; "
        "TypeError: b."
    )
    assert "l1 is behind" in text or "l1 is not surely behind" in text  # what failed is not compared
    interrupted = {(loss, 0.0, 0.0, seed): "interrupted" for loss in final for seed in (0, 1)}
    assert comparison(final, ended=interrupted).summary() == (
        "3 losses, 2 seeds, 4 epochs, learning rates as given. No run was finished. 6 runs were not finished when the "
        "keyboard interrupted, and do not count."
    )


def test_many_errors_are_shortened():
    final = {"own": [0.5] * 6}
    ended = {("own", 0.0, 0.0, seed): f"ValueError: {seed // 1}" for seed in range(5)}
    text = comparison(final, ended=ended).summary()
    assert text.endswith("ValueError: 0; ValueError: 1; ValueError: 2; and 2 more.")


def test_a_level_without_runs_is_left_out():
    final = {"log": [[0.9], [0.5]], "l2": [[0.8], [0.6]]}
    ended = {(loss, 0.4, 0.0, 0): "interrupted" for loss in final}
    text = comparison(final, label_noise=(0.0, 0.4), ended=ended).summary()
    assert "With label noise" not in text
    del ended["l2", 0.4, 0.0, 0]
    ended["l2", 0.0, 0.0, 0] = "interrupted"
    text = comparison(final, label_noise=(0.0, 0.4), ended=ended).summary()
    assert "With label noise 0.4 l2 is best, at 60.00 %." in text
    assert "From" not in text


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
