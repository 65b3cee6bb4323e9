"""The pictures of learning phases, of what a layer gives back, and of what the worst samples carry."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from sklearn_nndyn import LearningPhaseAnalyzer
from sklearn_nndyn.displays import LearningPhaseDisplay
from sklearn_nndyn.dynamics import Dynamics
from tests.analyzers.planted_phases import (
    CURVE,
    EPOCHS,
    ITERATIONS,
    equal_slices,
    phase_record,
    planted_values,
)
from tests.displays.entangled import Fitted, assert_same, texts
from tests.pairwise import some_of

FALLING = np.linspace(8, 2, 12)


def phases(values=None, **changes):
    return LearningPhaseDisplay.from_dynamics(phase_record(values, **changes))


def losses(n_epochs=12, **changes):
    """Ever fewer of 100 samples have a large loss."""
    values = np.random.default_rng(0).gamma(np.linspace(3, 0.1, n_epochs), size=(100, n_epochs))
    fields = {
        "y": [0] * 100,
        "classes": [0],
        "epochs": EPOCHS[:n_epochs],
        "iterations": ITERATIONS[:n_epochs],
        "loss": values,
        "gradient_norm": values**0.5,
    }
    return Dynamics(**(fields | changes))


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def boxes_apart(boxes):
    return all(one.x1 < other.x0 for one, other in pairwise(boxes))


def shown_ticks(ax):
    ax.figure.canvas.draw()
    low, high = ax.get_xlim()
    return [label for label in ax.get_xticklabels() if low <= label.get_position()[0] <= high]


# --------------------------------------------------------------------------------------- phases


def test_a_display_computes_then_draws_and_returns_itself():
    before = dict(plt.rcParams)
    for display in (phases(),):
        assert plt.get_fignums() == []
        assert [name for name in vars(display) if name.endswith("_")] == []
        assert display.plot() is display
        display.figure_.canvas.draw()
        first = display.figure_
        assert display.plot().figure_ is not first
        assert dict(plt.rcParams) == before
        plt.close("all")


def test_curves_are_those_of_the_analyzer():
    analyzer = LearningPhaseAnalyzer().fit(phase_record(planted_values(noise=0.3)))
    display = LearningPhaseDisplay.from_analyzer(analyzer).plot()
    np.testing.assert_array_equal(display.line_.get_data(), [ITERATIONS, analyzer.reconstruction_curve_])
    edges = display.band_.get_paths()[0].vertices
    for side in (-1, 1):
        for point in zip(
            ITERATIONS, analyzer.reconstruction_curve_ + side * analyzer.reconstruction_error_, strict=True
        ):
            assert np.isclose(edges, point).all(axis=1).any()
    assert list(display.accuracy_lines_) == ["network", "linear probe"]
    drawn = [line.get_ydata() for line in display.accuracy_lines_.values()]
    np.testing.assert_array_equal(drawn, [analyzer.accuracy_curve_, analyzer.probe_curve_])
    assert all(line.axes is display.axes_[1] for line in display.accuracy_lines_.values())
    assert display.axes_[0].get_ylabel() == "mean squared error\n(squared units of the input)"
    assert [ax.get_xlabel() for ax in display.axes_] == ["", "iteration (logarithmic)"]
    assert display.axes_[1].get_ylabel() == "accuracy"
    assert (
        display.axes_[0].get_title(loc="left") == "How well the activations of layer last give the input back"
    )
    assert legend(display.axes_[0]) == [
        "reconstruction error",
        "± standard error",
        "near constant",
        "falling",
        "rising",
    ]
    assert legend(display.axes_[1]) == ["network", "linear probe"]


def test_phases_are_shaded_where_they_are_and_the_turn_is_marked():
    display = phases().plot()
    expected = {"near constant": (0, 4), "falling": (4, 32), "rising": (64, 1024)}
    assert display.phases == expected
    for name, spans in display.spans_.items():
        assert [(span.get_x(), span.get_x() + span.get_width()) for span in spans] == [expected[name]] * 2
        assert [span.axes for span in spans] == display.axes_.tolist()
    assert [line.get_xdata()[0] for line in display.turn_lines_] == [32, 32]
    assert [texts(ax) for ax in display.axes_] == [["turn: iteration 32"], []]
    over = display.axes_[0].texts[0].get_window_extent().y0
    beneath = display.axes_[0].transData.transform(np.column_stack([ITERATIONS, CURVE]))[:, 1].max()
    assert over > beneath


def test_without_a_turn_none_is_marked():
    display = phases(planted_values(curve=FALLING)).plot()
    assert list(display.spans_) == ["falling"]
    assert display.turn_lines_ == []
    assert texts(display.axes_[0]) == []
    flat = phases(planted_values(curve=np.full(12, 3.0))).plot()
    assert flat.spans_ == {}
    assert legend(flat.axes_[0]) == ["reconstruction error", "± standard error"]


def test_without_accuracies_there_is_one_panel():
    display = phases(prediction=None, probe_accuracy={}).plot()
    assert len(display.axes_) == 1
    assert display.figure_.get_size_inches()[1] < phases().plot().figure_.get_size_inches()[1]
    assert display.accuracy_lines_ == {}
    assert display.axes_[0].get_xlabel() == "iteration (logarithmic)"
    assert legend(phases(prediction=None).plot().axes_[1]) == ["linear probe"]
    bare = LearningPhaseDisplay([0, 1, 2], [3, 2, 3]).plot()
    assert bare.band_ is None
    assert bare.axes_[0].get_title(loc="left") == "How well the activations give the input back"


def test_looks_that_were_not_counted_stand_at_their_epochs():
    display = phases(iterations=None).plot()
    assert display.unit == "epoch"
    np.testing.assert_array_equal(display.line_.get_xdata(), EPOCHS)
    assert display.phases["rising"] == (1, 16)
    assert display.axes_[1].get_xlabel() == "epoch (logarithmic)"
    assert texts(display.axes_[0]) == ["turn: epoch 0.5"]
    late = LearningPhaseDisplay([0, 1024, 4096], [8, 4, 8], turn=1024).plot()
    assert texts(late.axes_[0]) == ["turn: iteration 1,024"]


def test_the_records_of_the_start_have_room_and_zero_a_place():
    display = phases().plot()
    ax = display.axes_[1]
    ticks = shown_ticks(ax)
    assert [label.get_text() for label in ticks] == [*map(str, ITERATIONS[:-1]), "1,024"]
    along = ax.transData.transform(np.column_stack([ITERATIONS, np.zeros(12)]))[:, 0]
    steps = np.diff(along)
    np.testing.assert_allclose(steps[1:], steps[1])
    assert steps[1] <= steps[0] <= 1.5 * steps[1]
    left, right = ax.transAxes.transform([(0, 0), (1, 0)])[:, 0]
    assert left < along[0] < left + 0.03 * (right - left)
    assert right - 0.03 * (right - left) < along[-1] < right


@pytest.mark.parametrize(
    "recorded_at",
    [
        ITERATIONS,
        [0, *(2 ** np.arange(1, 17))],
        EPOCHS,
        [0, 0.5, 1, 2, 3, 4, 6, 8, 16],
        [*np.unique(np.geomspace(1, 3000, 60).round())],
        [0, 0.25, 0.5, 0.75, *range(1, 61)],
        range(61),
        [0, 1, 2],
        [1, 2, 400],
        [0, 390, 780, 1170],
    ],
    ids=str,
)
@pytest.mark.parametrize("width", some_of([3.4, 7], [3.4]))
def test_ticks_do_not_touch(recorded_at, width):
    recorded_at = np.array(recorded_at)
    display = LearningPhaseDisplay(recorded_at, np.ones(len(recorded_at)))
    ax = plt.subplots(figsize=(width, 2))[1]
    with plt.rc_context({"xtick.labelsize": 7.5}):
        ticks = shown_ticks(display.plot(ax).axes_[0])
    assert len(ticks) >= (2 if width == 3.4 else 3)
    assert boxes_apart([label.get_window_extent() for label in ticks])
    low, high = ax.get_xlim()
    assert low <= recorded_at[0]
    assert recorded_at[-1] <= high


def test_evenly_spaced_looks_stand_on_a_linear_axis():
    ax = LearningPhaseDisplay(np.arange(61), np.ones(61)).plot().axes_[0]
    assert ax.get_xscale() == "linear"
    assert all(float(label.get_text()) % 1 == 0 for label in shown_ticks(ax))
    fine = LearningPhaseDisplay(np.arange(5) / 4, np.ones(5), unit="epoch").plot().axes_[0]
    assert fine.get_xscale() == "linear"
    assert fine.get_xlabel() == "epoch"
    assert LearningPhaseDisplay(EPOCHS, np.ones(12)).plot().axes_[0].get_xscale() == "symlog"


def test_many_looks_have_no_dots_and_round_ticks():
    recorded_at = np.unique(np.geomspace(1, 5000, 60).round())
    display = LearningPhaseDisplay(recorded_at, np.ones(len(recorded_at))).plot()
    assert display.line_.get_markersize() == 0
    assert LearningPhaseDisplay(np.arange(41), np.ones(41)).plot().line_.get_markersize() == 0
    for few in (phases(), LearningPhaseDisplay(np.arange(40), np.ones(40))):
        assert few.plot().line_.get_markersize() > 0
    found = [float(label.get_text().replace(",", "")) for label in shown_ticks(display.axes_[0])]
    assert found == [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]


def test_a_record_several_runs_or_a_model():
    runs = equal_slices([CURVE, CURVE + 1, CURVE])
    analyzer = LearningPhaseAnalyzer().fit(runs)
    assert_same(LearningPhaseDisplay.from_dynamics(runs), LearningPhaseDisplay.from_analyzer(analyzer))
    model = Fitted(("samples", "reconstruction")).fit(phase_record(planted_values(curve=FALLING)))
    model.validation_dynamics_ = phase_record()
    assert_same(LearningPhaseDisplay.from_dynamics(model, layer=-1), phases())
    assert LearningPhaseDisplay.from_dynamics(model, layer="first").layer == "first"


def test_the_axes_of_the_user_are_drawn_on():
    figure, axes = plt.subplots(1, 2)
    display = phases().plot(axes)
    assert display.figure_ is figure
    assert [ax.get_xlabel() for ax in axes] == ["iteration (logarithmic)"] * 2
    assert [ax.get_xscale() for ax in axes] == ["symlog"] * 2
    with pytest.raises(
        ValueError, match="ax must be a sequence of 2 matplotlib axes, one for each panel, got 1"
    ):
        phases().plot(axes[0])


def test_only_fitted_analyzers_are_drawn():
    with pytest.raises(TypeError, match="Expected a fitted LearningPhaseAnalyzer, got Dynamics"):
        LearningPhaseDisplay.from_analyzer(phase_record())
    with pytest.raises(NotFittedError, match="This LearningPhaseAnalyzer instance is not fitted yet"):
        LearningPhaseDisplay.from_analyzer(LearningPhaseAnalyzer())
