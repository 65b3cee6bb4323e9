"""The picture of radius and distance, and what it has in common with that of each class."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color, to_hex
from sklearn.exceptions import NotFittedError

from sklearn_nndyn import EntanglementAnalyzer
from sklearn_nndyn.displays import ClassEntanglementDisplay, EntanglementDisplay
from tests.displays.entangled import LAST, Fitted, assert_same, entangled_record, lengths, texts

KINDS = [EntanglementDisplay, ClassEntanglementDisplay]


@pytest.fixture
def record():
    return entangled_record()


def analysed(**options):
    return EntanglementAnalyzer().fit(entangled_record(**options))


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def dashed(ax):
    """Positions of the vertical lines."""
    return [line.get_xdata()[0] for line in ax.lines if line.get_transform() == ax.get_xaxis_transform()]


# ----------------------------------------------------------------------------------------- both


@pytest.mark.parametrize("kind", KINDS)
def test_a_display_computes_then_draws_and_returns_itself(record, kind):
    before = dict(plt.rcParams)
    display = kind.from_dynamics(record)
    assert plt.get_fignums() == []
    assert [name for name in vars(display) if name.endswith("_")] == []
    assert display.plot() is display
    display.figure_.canvas.draw()
    first = display.figure_
    assert display.plot().figure_ is not first
    assert dict(plt.rcParams) == before


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_is_as_good_as_its_training_record(record, kind):
    model = Fitted().fit(record)
    model.validation_dynamics_ = record[:5]
    one, other = kind.from_dynamics(model), kind.from_dynamics(record)
    assert_same(one, other)


@pytest.mark.parametrize("kind", KINDS)
def test_parameters_are_those_of_the_analyzer(kind):
    record = entangled_record((2, 5))
    one = kind.from_dynamics(record, reference=1, burn_in=6)
    other = kind.from_analyzer(EntanglementAnalyzer(reference=1, burn_in=6).fit(record))
    assert_same(one, other)
    with pytest.raises(TypeError, match="unexpected keyword argument 'layers'"):
        kind.from_dynamics(record, layers=1)


@pytest.mark.parametrize("kind", KINDS)
def test_only_fitted_analyzers_are_drawn(record, kind):
    with pytest.raises(TypeError, match="Expected a fitted EntanglementAnalyzer, got Dynamics"):
        kind.from_analyzer(record)
    with pytest.raises(NotFittedError, match="This EntanglementAnalyzer instance is not fitted yet"):
        kind.from_analyzer(EntanglementAnalyzer())


# ---------------------------------------------------------------------------------- entanglement


def test_curves_are_those_of_the_analyzer(record):
    analyzer = EntanglementAnalyzer().fit(record)
    display = EntanglementDisplay.from_analyzer(analyzer).plot()
    pairs = (
        (display.radius_lines_, analyzer.mean_radius_),
        (display.distance_lines_, analyzer.mean_distance_),
    )
    for row, (lines, curve) in enumerate(pairs):
        ((over, against),) = lines
        np.testing.assert_array_equal(over.get_data(), [record.epochs, curve])
        np.testing.assert_allclose(against.get_data(), [100 * record.error, curve])
        assert [over.axes, against.axes] == display.axes_[2 * row : 2 * row + 2].tolist()
    assert display.inversions == [3]
    assert display.figure_.get_size_inches()[0] == 7


def test_axes_have_their_names_where_there_is_room(record):
    display = EntanglementDisplay.from_dynamics(record).plot()
    assert [ax.get_ylabel() for ax in display.axes_] == ["mean radius R", "", "mean distance D", ""]
    assert [ax.get_xlabel() for ax in display.axes_] == ["", "", "epoch", "training error (%, logarithmic)"]
    assert [ax.get_title(loc="left") for ax in display.axes_] == [
        "Radius and distance over the epochs",
        "The same against the training error",
        "",
        "",
    ]
    display.figure_.canvas.draw()
    numbered = [any(label.get_visible() for label in ax.get_xticklabels()) for ax in display.axes_]
    assert numbered == [False, False, True, True]
    figure, axes = plt.subplots(2, 2)
    assert display.plot(axes).figure_ is figure
    assert display.axes_.tolist() == axes.ravel().tolist()
    assert [ax.get_ylabel() for ax in axes.ravel()] == ["mean radius R"] * 2 + ["mean distance D"] * 2
    assert [ax.get_xlabel() for ax in axes.ravel()] == ["epoch", "training error (%, logarithmic)"] * 2
    with pytest.raises(ValueError, match="a sequence of 4 matplotlib axes, one for each panel, got 2"):
        display.plot(axes[0])


def test_training_runs_from_left_to_right(record):
    display = EntanglementDisplay.from_dynamics(record).plot()
    for over, against in display.axes_.reshape(2, 2):
        low, high = over.get_xlim()
        assert low < high
        left, right = against.get_xlim()
        assert left > 80  # the error at epoch 0 is 0.8
        assert 0 < right < 5  # and 0.05 at the end
        assert (over.get_xscale(), against.get_xscale()) == ("linear", "log")
    display.figure_.canvas.draw()
    shown = [tick.get_text() for tick in display.axes_[3].get_xticklabels()]
    assert {"5", "10", "20", "50"} <= set(shown)


@pytest.mark.parametrize(
    ("span", "expected"),
    [([37, 8], {10, 20, 30}), ([90, 0.05], {0.1, 1, 10}), ([60, 2], {50, 20, 10, 5, 2}), ([10, 10], {10})],
)
def test_errors_have_round_numbers(span, expected):
    error = np.linspace(*span, 5) / 100
    display = EntanglementDisplay([np.arange(5)], [np.ones(5)], [np.ones(5)], [error]).plot()
    ax = display.axes_[3]
    right, left = sorted(ax.get_xlim())
    ticks = [tick for tick in ax.get_xticks() if right <= tick <= left]
    assert expected <= {float(f"{tick:.4g}") for tick in ticks}
    assert len(ticks) < 10


def test_an_error_of_zero_is_left_out_of_the_logarithms():
    learned = np.array([8, 6, 5, 4, 4, 2, 2, 1])
    display = EntanglementDisplay.from_dynamics(entangled_record(learned=learned)).plot()
    assert display.training_error[0][-1] == 0
    assert display.axes_[1].get_xlim()[1] == pytest.approx(12.5, rel=0.1)
    none = EntanglementDisplay.from_dynamics(entangled_record(learned=np.zeros(4, dtype=int))).plot()
    assert none.axes_[1].get_xscale() == "linear"
    assert none.axes_[1].xaxis_inverted()
    assert [line.get_xdata()[0] for line in none.inversion_lines_[""]] == [6, 0, 6, 0]


def test_an_inversion_without_errors_has_no_place_among_logarithms():
    display = EntanglementDisplay.from_dynamics(entangled_record(learned=np.array([2, 1, 0, 0]))).plot()
    assert [dashed(ax) for ax in display.axes_] == [[6], [], [6], []]
    assert [texts(ax) for ax in display.axes_] == [["inversion: epoch 6"], [], [], []]


def test_the_inversion_of_one_run_is_marked_in_every_panel(record):
    display = EntanglementDisplay.from_dynamics(record).plot()
    (marks,) = display.marks_
    radius, distance = display.radius[0][3], display.distance[0][3]
    expected = [(6, radius), (30, radius), (6, distance), (30, distance)]
    for ax, dot, place in zip(display.axes_, marks, expected, strict=True):
        assert dot.axes is ax
        np.testing.assert_allclose(np.ravel(dot.get_data()), place)
        np.testing.assert_allclose(dashed(ax), [place[0]])
        assert same_color(dot.get_color(), "black")
    assert list(display.inversion_lines_) == [""]
    assert [texts(ax) for ax in display.axes_] == [["inversion: epoch 6"], ["inversion: error 30 %"], [], []]


def test_of_several_runs_the_mean_is_marked_and_each_has_its_dot():
    runs = [analysed(turns=(turn, turn)) for turn in (2, 3, LAST)]
    display = EntanglementDisplay.from_analyzer(runs).plot()
    assert [len(marks) for marks in display.marks_] == [4, 4, 0]
    errors = np.array([0.30, 0.30])  # wrong at positions 2 and 3: 6 of 20
    np.testing.assert_allclose([dashed(ax) for ax in display.axes_], [[5], [30], [5], [30]])
    assert texts(display.axes_[0]) == ["inversion: epochs 4–6 (2 of 3 runs)"]
    assert texts(display.axes_[1]) == [f"inversion: error {100 * errors.mean():.2f} % (2 of 3 runs)"]
    spread = EntanglementDisplay.from_analyzer([runs[0], analysed(turns=(5, 5))]).plot()
    assert texts(spread.axes_[1]) == ["inversion: error 22.50 %\n(15.00–30.00)"]
    same = EntanglementDisplay.from_analyzer([runs[0], runs[0]]).plot()
    assert texts(same.axes_[0]) == ["inversion: epoch 4"]


def test_without_inversion_none_is_marked():
    display = EntanglementDisplay.from_dynamics(entangled_record((LAST, LAST))).plot()
    assert display.inversions == [None]
    assert display.marks_ == [[]]
    assert display.inversion_lines_ == {}
    assert [texts(ax) + dashed(ax) for ax in display.axes_] == [[]] * 4


@pytest.mark.parametrize("n_epochs", [9, 7])
def test_an_inversion_is_drawn_only_where_the_finding_tells_one(n_epochs):
    analyzer = analysed(n_epochs=n_epochs)
    clear = n_epochs == 9
    assert analyzer.findings_[0].verdict == ("yes" if clear else "cannot tell")
    display = EntanglementDisplay.from_analyzer(analyzer).plot()
    name = "inversion" if clear else "unclear turn"
    assert [texts(ax) for ax in display.axes_] == [[f"{name}: epoch 6"], [f"{name}: error 30 %"], [], []]
    assert {to_hex(dot.get_markerfacecolor()) for dot in display.marks_[0]} == {
        to_hex("black" if clear else "white")
    }


def test_unclear_inversions_are_counted_among_the_others():
    runs = [analysed(), analysed(n_epochs=7), analysed(turns=(LAST, LAST))]
    display = EntanglementDisplay.from_analyzer(runs).plot()
    assert texts(display.axes_[0]) == ["inversion: epoch 6\n(2 of 3 runs, 1 unclear)"]
    first = EntanglementAnalyzer(rule="first_rise").fit(entangled_record((LAST, LAST)))
    assert first.inversion_ is None
    both = EntanglementDisplay.from_analyzer(runs[:2]).plot()
    assert texts(both.axes_[0]) == ["inversion: epoch 6 (1 unclear)"]


@pytest.mark.parametrize(("turn", "side"), [(1, "left"), (6, "right")])
def test_words_are_on_the_side_that_has_room(turn, side):
    display = EntanglementDisplay.from_dynamics(entangled_record((turn, turn))).plot()
    assert [ax.texts[0].get_ha() for ax in display.axes_[:2]] == [side] * 2


def test_words_stand_beyond_all_lines_in_rows_of_their_own():
    runs = [analysed(turns=(turn, turn)) for turn in (1, 2)]
    display = EntanglementDisplay.from_analyzer(runs, labels=["a", "b"]).plot()
    display.figure_.canvas.draw()
    ax = display.axes_[0]
    first, second = (text.get_window_extent() for text in ax.texts)
    line = ax.transData.transform((4, 0))[0]
    assert min(first.x0, second.x0) > line
    assert first.y0 >= second.y1 - 1
    top = ax.transData.transform((0, np.max(display.radius)))[1]
    assert top < second.y0
    assert [
        same_color(text.get_color(), display.radius_lines_[i][0].get_color())
        for i, text in enumerate(ax.texts)
    ]


@pytest.mark.parametrize("last", [0.001, 0.02, 0.04])
def test_words_stay_within_their_axes_wherever_the_line_is(last):
    """Of ten runs whose inversion lies early, in the middle, or late on the axis of errors."""
    epochs, errors = np.arange(5), np.array([0.6, 0.3, 0.09, 0.05, last])
    runs = [(1 + 0.02 * run) * errors for run in range(10)]
    curve = np.array([0.9, 0.7, 0.5, 0.6, 0.7])
    display = EntanglementDisplay(
        [epochs] * 10, [curve] * 10, [2 - curve] * 10, runs, inversions=[2] * 10, verdicts=["yes"] * 10
    ).plot()
    display.figure_.canvas.draw()
    for ax in display.axes_[:2]:
        (text,) = ax.texts
        words, panel = text.get_window_extent(), ax.get_window_extent()
        assert panel.x0 <= words.x0 < words.x1 <= panel.x1 + 1, text.get_text()
        top = ax.transData.transform((5, curve.max()))[1]
        assert top < words.y0 + 1


def test_runs_may_differ_in_their_epochs():
    display = EntanglementDisplay.from_analyzer([analysed(), analysed(n_epochs=7)]).plot()
    assert [len(line.get_xdata()) for line, _ in display.radius_lines_] == [9, 7]
    assert [len(line.get_xdata()) for _, line in display.distance_lines_] == [9, 7]


def test_one_run_of_few_classes_shows_their_radii(record):
    analyzer = EntanglementAnalyzer().fit(record)
    display = EntanglementDisplay.from_analyzer(analyzer).plot()
    assert list(display.class_radii) == ["R of class 0", "R of class 1"]
    for lines, radius in zip(display.class_lines_.values(), analyzer.radii_.T, strict=True):
        np.testing.assert_array_equal(lines[0].get_data(), [record.epochs, radius])
        np.testing.assert_allclose(lines[1].get_data(), [100 * record.error, radius])
        assert lines[0].get_linewidth() < display.radius_lines_[0][0].get_linewidth()
        assert [line.axes for line in lines] == display.axes_[:2].tolist()
    assert legend(display.axes_[0]) == ["mean radius R", "R of class 0", "R of class 1"]
    handles = display.axes_[0].get_legend().get_lines()
    drawn = [display.radius_lines_[0][0], *(lines[0] for lines in display.class_lines_.values())]
    assert [handle.get_color() for handle in handles] == [line.get_color() for line in drawn]
    assert [handle.get_linestyle() for handle in handles] == [line.get_linestyle() for line in drawn]
    assert list(EntanglementDisplay.from_dynamics(entangled_record((3, 3, 3))).class_radii) == [
        "R of class 0", "R of class 1", "R of class 2"
    ]  # fmt: skip
    for many in (analysed(turns=[3] * 4), [analyzer, analyzer]):
        display = EntanglementDisplay.from_analyzer(many)
        assert display.class_radii == {}
        assert display.plot().axes_[0].get_legend() is None
    with pytest.raises(
        ValueError, match="class_radii: there is room for 3, got 4; ClassEntanglementDisplay shows"
    ):
        EntanglementDisplay([[0]], [[1]], [[1]], [[1]], class_radii={name: [1] for name in "abcd"}).plot()


def test_the_radius_is_the_one_whose_turn_is_the_inversion():
    record = entangled_record((3, 6), classes=["cat", "dog"])
    display = EntanglementDisplay.from_dynamics(record, reference="dog").plot()
    np.testing.assert_allclose(display.radius[0], np.sqrt(1 - lengths((3, 6), 9)[:, 1] ** 2), rtol=1e-6)
    assert (display.radius_name, list(display.class_radii)) == ("radius R of class dog", ["R of class cat"])
    assert display.axes_[0].get_ylabel() == "radius R of class dog"
    assert display.inversions == [6]
    display = EntanglementDisplay.from_dynamics(record, reference="distance")
    np.testing.assert_allclose(display.radius[0], EntanglementAnalyzer().fit(record).mean_radius_)
    assert display.radius_name == "mean radius R"
    both = [EntanglementAnalyzer(reference=name).fit(record) for name in ("cat", "dog")]
    assert EntanglementDisplay.from_analyzer(both).radius_name == "radius R"
    assert EntanglementDisplay.from_analyzer(both[1:]).radius_name == "radius R of class dog"


def test_runs_with_the_same_label_share_a_look_and_a_legend_entry():
    runs = [analysed(), None, analysed(turns=(LAST, LAST)), analysed(turns=(2, 2)), None]
    labels = ["all", "all", "fewer", "all", "lost"]
    display = EntanglementDisplay.from_analyzer(runs, labels=labels).plot()
    assert display.labels == ["all", "fewer", "all"]
    assert len(display.epochs) == 3
    for lines in (display.radius_lines_, display.distance_lines_):
        for panel in (0, 1):
            looks = [(to_hex(pair[panel].get_color()), pair[panel].get_linestyle()) for pair in lines]
            assert looks[0] == looks[2]
            assert looks[0][0] != looks[1][0]
            assert looks[0][1] != looks[1][1]
        widths = [pair[0].get_linewidth() for pair in lines]
        assert widths[0] == widths[2] < widths[1]
    assert legend(display.axes_[0]) == ["all", "fewer"]
    assert list(display.inversion_lines_) == ["all"]
    colours = [mark.get_color() for mark in (*display.marks_[0], *display.inversion_lines_["all"])]
    assert colours == [display.radius_lines_[0][0].get_color()] * 8
    handles = display.axes_[0].get_legend().get_lines()
    assert same_color(handles[1].get_color(), display.radius_lines_[1][0].get_color())
    one = EntanglementDisplay.from_dynamics([entangled_record(), None], labels="seeds").plot()
    assert (one.labels, legend(one.axes_[0])) == (["seeds"], ["seeds"])


def test_labels_and_runs_are_told_apart():
    run = analysed()
    with pytest.raises(ValueError, match="labels: there are 2 runs, but 1 labels"):
        EntanglementDisplay.from_analyzer([run, None], labels=["a"])
    for nothing in ([], [None], None):
        with pytest.raises(ValueError, match="There is no run to draw: give at least one that is not None"):
            EntanglementDisplay.from_analyzer(nothing)
    with pytest.raises(ValueError, match="The record has no samples"):
        EntanglementDisplay.from_dynamics([entangled_record()[:0], entangled_record()])
    seven = EntanglementDisplay.from_analyzer([run] * 7, labels=list("abcdefg")).plot()
    assert len({line.get_color() for line, _ in seven.radius_lines_}) == 7
    assert len(seven.inversion_lines_) == 7
    assert texts(seven.axes_[0]) == []  # too many to be told in words
    with pytest.raises(
        ValueError, match="There are 8 labels, but only 7 colours that everyone can tell apart"
    ):
        EntanglementDisplay.from_analyzer([run] * 8, labels=list("abcdefgh")).plot()


def test_a_long_legend_has_several_rows_and_stays_inside():
    labels = [f"a rather long label {i}" for i in range(7)]
    display = EntanglementDisplay.from_analyzer([analysed()] * 7, labels=labels).plot()
    display.figure_.canvas.draw()
    legend_box = display.axes_[0].get_legend().get_window_extent()
    assert legend_box.x1 <= display.figure_.bbox.x1
    titles = [ax._left_title.get_window_extent() for ax in display.axes_[:2]]
    assert all(box.y0 >= legend_box.y1 - 1 for box in titles)
    assert titles[0].y0 == titles[1].y0


def test_lists_are_drawn_without_an_analyzer():
    display = EntanglementDisplay(
        [[0, 1, 2]],
        [[0.9, 0.5, 0.7]],
        [[0.1, 1.0, 0.6]],
        [[0.5, 0.2, 0.1]],
        inversions=[1],
        radius_name="R of 3",
    ).plot()
    assert display.axes_[0].get_ylabel() == "R of 3"
    assert texts(display.axes_[1]) == ["inversion: error 20 %"]
    assert EntanglementDisplay([[0]], [[1]], [[1]], [[1]]).plot().marks_ == [[]]
    first = EntanglementDisplay([[5, 6]], [[0.5, 0.7]], [[1.0, 0.6]], [[0.5, 0.2]], inversions=[0]).plot()
    assert texts(first.axes_[0]) == ["inversion: epoch 5"]


def test_groups_of_runs_come_as_a_dict_too():
    one, two, other = (
        analysed(),
        analysed(),
        EntanglementAnalyzer(reference="distance").fit(entangled_record()),
    )
    grouped = EntanglementDisplay.from_analyzer({"a": [one, None, two], "b": other})
    assert_same(grouped, EntanglementDisplay.from_analyzer([one, two, other], labels=["a", "a", "b"]))
    with pytest.raises(ValueError, match=r"^labels: the runs come with labels of their own, as a dict"):
        EntanglementDisplay.from_analyzer({"a": one}, labels="a")
