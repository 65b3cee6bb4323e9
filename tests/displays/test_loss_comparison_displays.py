"""The pictures of a comparison of losses: learning curves, and accuracy against noise."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color
from matplotlib.lines import Line2D
from sklearn.base import BaseEstimator

from sklearn_nndyn.displays import LossComparisonDisplay, NoiseRobustnessDisplay
from sklearn_nndyn.displays.comparison._styles_of_losses import loss_styles, spread
from sklearn_nndyn.losses import loss_names
from tests.model_selection.compared import comparison

EPOCHS = [0, 1, 2, 3]
LOSSES = ["log", "l2", "own"]
MEAN = np.array([[0.1, 0.5, 0.7, 0.8], [0.1, 0.6, 0.9, 0.95], [0.1, 0.2, 0.3, 0.6]])
HALF = np.array([[0.01, 0.02, 0.03, 0.04], [0.15, 0.01, 0.2, 0.01], [np.nan] * 4])
LEVELS = [0.0, 0.2, 0.4]


@pytest.fixture
def found():
    rng = np.random.default_rng(0)
    final = {loss: 0.5 + 0.5 * rng.random((3, 2, 4)) for loss in LOSSES}
    return comparison(final, label_noise=(0.0, 0.4, 0.2), input_noise=(0.0, 1.0))


def curves(**options):
    return LossComparisonDisplay(LOSSES, EPOCHS, MEAN, HALF, **options)


def robustness(**options):
    return NoiseRobustnessDisplay(LOSSES, LEVELS, MEAN[:, 1:], HALF[:, 1:], **options)


def drawn(line):
    return np.array(line.get_data(), dtype=float)


def edges(band):
    """Lower and upper edge of what fill_between has drawn."""
    (path,) = band.get_paths()
    x, y = path.vertices.T
    return np.array([[y[x == epoch].min(), y[x == epoch].max()] for epoch in np.unique(x)]).T


def by_its_words(display):
    """{loss: (vertical place of its name, its text)}."""
    return {loss: (text.get_position()[1], text.get_text()) for loss, text in display.labels_.items()}


# ---------------------------------------------------------------------------------------- both


@pytest.mark.parametrize("kind", [LossComparisonDisplay, NoiseRobustnessDisplay])
def test_a_display_takes_its_numbers_then_draws_and_returns_itself(found, kind):
    before = dict(plt.rcParams)
    display = kind.from_comparison(found)
    assert plt.get_fignums() == []
    assert [name for name in vars(display) if name.endswith("_")] == []
    assert display.plot() is display
    display.figure_.canvas.draw()
    first = display.figure_
    assert display.plot().figure_ is not first
    assert dict(plt.rcParams) == before
    assert first.get_size_inches()[0] == 7
    assert not isinstance(display, BaseEstimator)


@pytest.mark.parametrize("kind", [LossComparisonDisplay, NoiseRobustnessDisplay])
def test_some_losses_in_an_order_of_ones_own(found, kind):
    display, all_of_them = kind.from_comparison(found, losses=("own", "log")), kind.from_comparison(found)
    assert display.losses == ["own", "log"]
    np.testing.assert_array_equal(display.mean, all_of_them.mean[[2, 0]])
    np.testing.assert_array_equal(display.half, all_of_them.half[[2, 0]])
    for losses, told in (((), "none"), (("log", "lag", 3), "lag, 3")):
        with pytest.raises(ValueError, match=rf"^losses must be some of log, l2, own; got {told}\.$"):
            kind.from_comparison(found, losses=losses)
    with pytest.raises(ValueError, match=r"^losses must be a list of names, got 'log'\.$"):
        kind.from_comparison(found, losses="log")


@pytest.mark.parametrize("make", [curves, robustness])
def test_the_scale_is_logarithmic_in_the_error_or_linear(make):
    display = make().plot()
    ax = display.axes_[0]
    places = ax.transData.transform([(0, 100 * accuracy) for accuracy in (0.6, 0.8, 0.9)])[:, 1]
    np.testing.assert_allclose(
        places[1] - places[0], places[2] - places[1], rtol=1e-3
    )  # each halves the error
    np.testing.assert_allclose(
        ax.yaxis.get_transform().inverted().transform(ax.yaxis.get_transform().transform(73.0)), 73
    )
    linear = make().plot(scale="linear").axes_[0]
    assert linear.get_yscale() == "linear"
    for own in (ax, linear):
        low, high = own.get_ylim()
        least = 100 * (MEAN if make is curves else MEAN[:, 1:]).min()
        assert max(least - 40, 0) <= low < least
        assert 95 < high < (100 if own is ax else 105)
    with pytest.raises(ValueError, match=r"^scale must be one of 'log', 'linear'; got 'logit'\.$"):
        make().plot(scale="logit")


def test_ticks_are_round_numbers_of_accuracy():
    display = curves().plot()
    display.figure_.canvas.draw()
    assert [tick.get_text() for tick in display.axes_[0].get_yticklabels()] == ["50", "80", "90", "95"]
    near = LossComparisonDisplay(["log"], EPOCHS, [[0.91, 0.92, 0.92, 0.93]]).plot().axes_[0]
    low, high = near.get_ylim()
    assert len([tick for tick in near.get_yticks() if low < tick < high]) > 1
    whole = LossComparisonDisplay(["log"], EPOCHS, [[0.5, 0.99, 1, 1]]).plot()
    whole.figure_.canvas.draw()  # an error of zero has its place
    assert np.isfinite(whole.axes_[0].transData.transform([(0, 100)])).all()


# ---------------------------------------------------------------------------------------- looks


@pytest.mark.parametrize("losses", [loss_names(), [f"own {i}" for i in range(32)], [*loss_names(), "a", "b"]])
def test_no_two_losses_look_alike(losses):
    looks = loss_styles(losses)
    assert list(looks) == list(losses)
    assert len({(look["color"], str(look["linestyle"])) for look in looks.values()}) == len(losses)


def test_losses_that_learn_alike_differ_in_colour_and_dashes():
    looks = loss_styles(loss_names())
    assert not same_color(looks["expectation"]["color"], looks["chebyshev"]["color"])
    assert looks["expectation"]["linestyle"] != looks["chebyshev"]["linestyle"]


@pytest.mark.parametrize("seed", range(3))
def test_names_are_moved_apart_and_no_further_than_need_be(seed):
    places = np.random.default_rng(seed).random(8)
    moved = spread(places, 0.1)
    order = np.argsort(places)
    assert np.diff(moved[order]).min() >= 0.1 - 1e-9
    assert moved.min() >= 0
    assert moved.max() <= 1
    np.testing.assert_allclose(spread([0.9, 0.1, 0.5], 0.1), [0.9, 0.1, 0.5])
    np.testing.assert_allclose(spread([0.5, 0.5], 0.1), [0.45, 0.55])
    np.testing.assert_allclose(spread([1.0, 1.0, 0.2], 0.1), [0.9, 1.0, 0.2])
    crowded = spread([0.5] * 20, 0.1)
    np.testing.assert_allclose(np.diff(crowded), 0.1)


# --------------------------------------------------------------------------------------- curves


def test_curves_are_those_of_the_comparison(found):
    for noise, words in (
        ({}, ""),
        ({"label_noise": 0.4}, ", label noise 0.4"),
        ({"label_noise": 0.2, "input_noise": 1.0}, ", label noise 0.2, input noise 1"),
    ):
        display = LossComparisonDisplay.from_comparison(found, **noise)
        mean, half = found.learning_curves(**noise)
        np.testing.assert_array_equal(display.mean, mean)
        np.testing.assert_array_equal(display.half, half)
        np.testing.assert_array_equal(display.epochs, found.epochs)
        assert display.title == f"Test accuracy{words}"
        drawn = display.plot().axes_[0].get_title(loc="left")
        assert drawn == f"{display.title}, with 95 % intervals over the seeds"
    with pytest.raises(ValueError, match=r"^label_noise must be one of 0\.0, 0\.4, 0\.2; got 0\.3"):
        LossComparisonDisplay.from_comparison(found, label_noise=0.3)


def test_all_curves_are_drawn_in_one_panel_with_their_intervals():
    display = curves().plot()
    assert len(display.axes_) == 1
    assert list(display.lines_) == ["l2", "log", "own"]
    for loss, mean in zip(LOSSES, MEAN, strict=True):
        np.testing.assert_allclose(drawn(display.lines_[loss]), [EPOCHS, 100 * mean])
        look = loss_styles(LOSSES)[loss]
        assert same_color(display.lines_[loss].get_color(), look["color"])
    assert list(display.bands_) == ["l2", "log"]
    for loss, mean, half in zip(LOSSES[:2], MEAN, HALF, strict=False):
        expected = 100 * np.clip([mean - half, mean + half], 0, 1)
        np.testing.assert_allclose(edges(display.bands_[loss]), expected)
        assert same_color(display.bands_[loss].get_facecolor()[0][:3], display.lines_[loss].get_color())
    assert display.axes_[0].get_xlabel() == "epoch"
    assert display.axes_[0].get_ylabel() == "test accuracy (%), log scale of the error"
    assert display.axes_[0].get_xlim() == (0, 3)
    assert LossComparisonDisplay(LOSSES, EPOCHS, MEAN).plot().bands_ == {}


def test_many_bands_are_fainter_than_few():
    for n_losses, expected in ((2, 0.15), (12, 0.05)):
        names, rows = loss_names()[:n_losses], [0] * n_losses
        display = LossComparisonDisplay(names, EPOCHS, MEAN[rows], HALF[rows]).plot()
        assert [band.get_alpha() for band in display.bands_.values()] == pytest.approx([expected] * n_losses)


def test_names_stand_at_the_ends_in_the_order_of_the_last_values():
    display = curves().plot()
    words = by_its_words(display)
    assert {loss: text for loss, (_, text) in words.items()} == {
        "l2": "l2 95.0 %",
        "log": "log 80.0 %",
        "own": "own 60.0 %",
    }
    ax = display.axes_[0]
    for loss, (place, _) in words.items():
        end = ax.transAxes.inverted().transform(ax.transData.transform(drawn(display.lines_[loss])[:, -1]))[1]
        assert place == pytest.approx(end, abs=0.05)
        assert same_color(display.labels_[loss].get_color(), display.lines_[loss].get_color())
        assert display.labels_[loss].get_transform() == ax.transAxes


@pytest.mark.parametrize("n_losses", [12, 17])
@pytest.mark.parametrize("kind", ["curves", "noise"])
def test_many_names_do_not_meet_nor_leave_the_figure(n_losses, kind):
    names = loss_names()[:n_losses]
    mean = np.linspace(0.97, 0.975, n_losses)[:, None] * [0.1, 0.9, 1]
    display = (
        LossComparisonDisplay(names, [0, 1, 2], mean)
        if kind == "curves"
        else NoiseRobustnessDisplay(names, LEVELS, mean)
    ).plot()
    display.figure_.canvas.draw()
    boxes = [display.labels_[loss].get_window_extent() for loss in display.lines_]
    assert all(above.y0 > below.y0 for above, below in pairwise(boxes))
    assert all(
        above.y0 >= below.y1 - 0.35 * below.height for above, below in pairwise(boxes)
    )  # letters, not boxes
    assert max(box.x1 for box in boxes) <= display.figure_.bbox.x1
    assert min(box.y0 for box in boxes) >= display.figure_.bbox.y0
    assert max(box.y1 for box in boxes) <= display.figure_.bbox.y1


def test_pieces_of_the_lines_stand_before_their_names():
    display = NoiseRobustnessDisplay(["tanimoto", "chebyshev", "log"], LEVELS, MEAN[:, 1:]).plot()
    pieces = [
        line
        for line in display.axes_[0].get_children()
        if isinstance(line, Line2D) and not line.get_clip_on()
    ]
    pieces = [line for line in pieces if line.get_transform() == display.axes_[0].transAxes]
    assert len({str(line._unscaled_dash_pattern) for line in display.lines_.values()}) == 3
    assert len(pieces) == 6  # a leader and a piece for each
    for leader, piece, loss in zip(pieces[::2], pieces[1::2], display.lines_, strict=True):
        assert leader.get_ydata()[-1] == piece.get_ydata()[0] == display.labels_[loss].get_position()[1]
        assert same_color(piece.get_color(), display.lines_[loss].get_color())
        assert piece._unscaled_dash_pattern == display.lines_[loss]._unscaled_dash_pattern
        assert piece.get_marker() == ""


def test_losses_without_a_curve_are_left_out():
    mean = MEAN.copy()
    mean[1, 2] = np.nan
    display = LossComparisonDisplay(LOSSES, EPOCHS, mean, HALF)
    assert list(display.plot().lines_) == ["log", "own"]
    assert len(display.plot(kind="multiples").axes_) == 2
    with pytest.raises(ValueError, match=r"^There is no loss with an accuracy at every epoch to draw\.$"):
        LossComparisonDisplay(LOSSES, EPOCHS, np.full((3, 4), np.nan)).plot()
    assert list(LossComparisonDisplay(["log"], [0], [[0.5]]).plot().lines_) == ["log"]


def test_each_loss_has_a_panel_the_best_first_with_the_others_behind():
    display = curves(title="Here").plot(kind="multiples")
    assert [ax.get_title(loc="left") for ax in display.axes_] == ["l2", "log", "own"]
    assert list(display.lines_) == ["l2", "log", "own"]
    for ax, (loss, line) in zip(display.axes_, display.lines_.items(), strict=True):
        assert line.axes is ax
        np.testing.assert_allclose(drawn(line), [EPOCHS, 100 * MEAN[LOSSES.index(loss)]])
        assert line.get_linestyle() == "-"
        behind = [other for other in ax.lines if other is not line]
        expected = [100 * MEAN[LOSSES.index(other)] for other in display.lines_ if other != loss]
        np.testing.assert_allclose([drawn(other)[1] for other in behind], expected)
        assert all(other.get_zorder() < line.get_zorder() for other in behind)
        assert [text.get_text() for text in ax.texts] == [f"{100 * MEAN[LOSSES.index(loss), -1]:.1f} %"]
        assert display.labels_[loss].get_text() == loss
    assert {loss: band.axes for loss, band in display.bands_.items()} == dict(
        zip(["l2", "log"], display.axes_, strict=False)
    )
    assert display.figure_.get_suptitle() == "Here, with 95 % intervals over the seeds"
    assert display.axes_[0].get_ylim() == display.axes_[2].get_ylim()


@pytest.mark.parametrize(("n_losses", "n_rows"), [(1, 1), (5, 2), (12, 3)])
def test_panels_stand_in_rows_of_four(n_losses, n_rows):
    names = loss_names()[:n_losses]
    mean = np.linspace(0.9, 0.7, n_losses)[:, None] * [0.1, 1]
    display = LossComparisonDisplay(names, [0, 1], mean).plot(kind="multiples")
    assert len(display.axes_) == len(display.figure_.axes) == n_losses
    assert display.figure_.get_size_inches()[1] == pytest.approx(0.6 + 1.35 * n_rows)
    display.figure_.canvas.draw()
    first_row = [ax._left_title.get_window_extent() for ax in display.axes_[:4]]
    assert all(one.x1 <= other.x0 for one, other in pairwise(first_row))
    numbered = [any(label.get_visible() for label in ax.get_xticklabels()) for ax in display.axes_]
    n_columns = min(n_losses, 4)
    assert numbered == [False] * (n_losses - n_columns) + [True] * n_columns


def test_long_names_are_wrapped():
    name = "FocalLoss(gamma=2, link='softmax', reduction='mean')"
    display = LossComparisonDisplay([name], EPOCHS, MEAN[:1]).plot(kind="multiples")
    assert max(map(len, display.axes_[0].get_title(loc="left").split("\n"))) <= 27
    known = LossComparisonDisplay(["regularized_expectation"], EPOCHS, MEAN[:1]).plot(kind="multiples")
    assert known.axes_[0].get_title(loc="left") == "regularized expectation"


def test_curves_on_the_axes_of_the_user():
    figure, axes = plt.subplots(2, 2)
    display = curves().plot(axes[0, 0])
    assert display.figure_ is figure
    assert display.axes_.tolist() == [axes[0, 0]]
    display = curves().plot(axes.ravel()[:3], kind="multiples")
    assert display.axes_.tolist() == axes.ravel()[:3].tolist()
    assert [ax.get_ylabel() for ax in display.axes_] == ["test accuracy (%), log scale of the error"] * 3
    assert [ax.get_xlabel() for ax in display.axes_] == ["epoch"] * 3
    with pytest.raises(ValueError, match="a sequence of 3 matplotlib axes, one for each loss, got 4"):
        display.plot(axes, kind="multiples")
    with pytest.raises(ValueError, match="a sequence of 1 matplotlib axes, one for each panel, got 4"):
        display.plot(axes)
    with pytest.raises(ValueError, match=r"^kind must be one of 'together', 'multiples'; got 'all'\.$"):
        display.plot(kind="all")


# --------------------------------------------------------------------------------------- noise


def test_final_accuracies_are_those_of_the_comparison(found):
    display = NoiseRobustnessDisplay.from_comparison(found, input_noise=1.0)
    np.testing.assert_array_equal(display.levels, LEVELS)  # increasing
    for loss, mean, half in zip(display.losses, display.mean, display.half, strict=True):
        for level, own, width in zip(LEVELS, mean, half, strict=True):
            rows = {row[0]: row[1:] for row in found.intervals(label_noise=level, input_noise=1.0)}
            assert (own, width) == rows[loss]
    assert display.losses == LOSSES
    assert display.noise == "label noise (share of the labels drawn anew)"
    assert display.title == "Test accuracy at the end of training, input noise 1"
    other = NoiseRobustnessDisplay.from_comparison(found, noise="input_noise", label_noise=0.2)
    np.testing.assert_array_equal(other.levels, [0, 1])
    assert (
        other.mean[0, 1] == dict(row[:2] for row in found.intervals(label_noise=0.2, input_noise=1.0))["log"]
    )
    assert other.noise == "input noise (deviation)"
    assert other.title == "Test accuracy at the end of training, label noise 0.2"
    assert NoiseRobustnessDisplay.from_comparison(found).title == "Test accuracy at the end of training"


def test_there_must_be_several_levels(found):
    make = NoiseRobustnessDisplay.from_comparison
    with pytest.raises(ValueError, match=r"^label_noise is on the axis: all its levels are shown\.$"):
        make(found, label_noise=0.2)
    with pytest.raises(ValueError, match=r"^input_noise must be one of 0\.0, 1\.0; got 2"):
        make(found, input_noise=2)
    one = comparison({"log": np.full((1, 2, 2), 0.5)}, input_noise=(0.0, 1.0))
    assert make(one).noise.startswith("input noise")
    told = "A noise with several levels is needed, and {} them; got noise='label_noise'"
    with pytest.raises(ValueError, match=told.format("input_noise has")):
        make(one, noise="label_noise")
    with pytest.raises(ValueError, match="and no noise has them; got noise=None"):
        make(comparison({"log": [0.5]}))
    with pytest.raises(ValueError, match="and label_noise, input_noise have them; got noise='weights'"):
        make(found, noise="weights")


def test_each_loss_has_a_line_with_its_intervals():
    display = robustness(noise="label noise", title="Here").plot()
    assert list(display.lines_) == ["l2", "log", "own"]
    shifts = []
    for loss, mean in zip(LOSSES, MEAN[:, 1:], strict=True):
        across, up = drawn(display.lines_[loss])
        np.testing.assert_allclose(up, 100 * mean)
        np.testing.assert_allclose(across - LEVELS, across[0])
        shifts.append(across[0])
        assert display.lines_[loss].get_marker() == "o"
    assert len(set(shifts)) == 3
    assert max(shifts) == pytest.approx(0.06 * 0.2)
    assert sum(shifts) == pytest.approx(0)
    assert list(display.intervals_) == ["l2", "log"]
    for loss in ("log", "l2"):
        row = LOSSES.index(loss)
        low, high = 100 * np.clip([MEAN[row, 1:] - HALF[row, 1:], MEAN[row, 1:] + HALF[row, 1:]], 0, 1)
        segments = np.array(display.intervals_[loss].get_segments())
        np.testing.assert_allclose(segments[:, :, 1].T, [low, high])
        np.testing.assert_allclose(segments[:, 0, 0], drawn(display.lines_[loss])[0])
        assert same_color(display.intervals_[loss].get_color()[0][:3], display.lines_[loss].get_color())
    ax = display.axes_[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("label noise", "test accuracy (%), log scale of the error")
    assert ax.get_title(loc="left") == "Here, with 95 % intervals over the seeds"
    assert [text for _, text in by_its_words(display).values()] == ["l2 95.0 %", "log 80.0 %", "own 60.0 %"]
    assert [tick.get_text() for tick in ax.get_xticklabels()] == ["0", "0.2", "0.4"]
    assert ax.get_xticks().tolist() == LEVELS


def test_one_loss_one_level_and_losses_without_values():
    one = NoiseRobustnessDisplay(["log"], [0.2], [[0.5]]).plot()
    np.testing.assert_allclose(drawn(one.lines_["log"]), [[0.2], [50]])
    assert one.intervals_ == {}
    mean = MEAN[:, 1:].copy()
    mean[0, 1] = np.nan
    assert list(NoiseRobustnessDisplay(LOSSES, LEVELS, mean).plot().lines_) == ["l2", "own"]
    with pytest.raises(ValueError, match=r"^There is no loss with an accuracy at every level to draw\.$"):
        NoiseRobustnessDisplay(LOSSES, LEVELS, np.full((3, 3), np.nan)).plot()


def test_noise_on_the_axes_of_the_user():
    figure, axes = plt.subplots(1, 2)
    display = robustness().plot(axes[1])
    assert display.figure_ is figure
    assert display.axes_.tolist() == [axes[1]]
    with pytest.raises(ValueError, match="a sequence of 1 matplotlib axes, one for each panel, got 2"):
        display.plot(axes)
