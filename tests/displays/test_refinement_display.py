"""The picture of refinement and calibration shows the curves that were found."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from sklearn_nndyn import RefinementAnalyzer
from sklearn_nndyn.displays import RefinementDisplay
from tests.analyzers.refinement.planted_scores import EPOCHS, planted_record

FOUND = RefinementAnalyzer().fit(planted_record())


def test_the_curves_are_those_of_the_analyzer():
    display = RefinementDisplay.from_analyzer(FOUND).plot()
    for name, curve in (("loss", FOUND.loss_curve_), ("refinement", FOUND.refinement_curve_)):
        np.testing.assert_array_equal(display.lines_[name].get_ydata(), curve)
    np.testing.assert_array_equal(display.lines_["temperature"].get_ydata(), FOUND.temperature_curve_)
    between = display.band_.get_paths()[0].vertices[:, 1]
    assert set(FOUND.loss_curve_) | set(FOUND.refinement_curve_) <= set(between)
    assert len(display.figure_.axes) == 2


def test_both_epochs_are_marked_with_words_above_the_second_panel():
    display = RefinementDisplay.from_dynamics(planted_record()).plot()
    places = [float(line.get_xdata()[0]) for line in display.marks_]
    assert places == [FOUND.least_loss_epoch_, FOUND.best_epoch_] * 2
    words = [text.get_text() for text in display.axes_[1].get_legend().get_texts()]
    assert words == [f"least loss ({places[0]:g})", f"least refinement ({places[1]:g})"]


def test_one_epoch_that_is_both_is_marked_once():
    display = RefinementDisplay.from_dynamics(planted_record(sure=np.ones(EPOCHS))).plot()
    assert len(display.marks_) == 2
    words = [text.get_text() for text in display.axes_[1].get_legend().get_texts()]
    assert words == [f"least loss and refinement ({display.best_epoch})"]


def test_an_infinite_temperature_leaves_a_gap_and_both_curves_stay_in_the_panel():
    display = RefinementDisplay(
        [0, 1, 2], [1.2, 0.4, 0.9], [1.1, 0.4, 0.35], [np.inf, 1.0, 2.0], least_loss_epoch=1, best_epoch=2
    ).plot()
    assert np.isnan(display.lines_["temperature"].get_ydata()[0])
    low, high = display.axes_[0].get_ylim()
    assert low < 0.35 < 0.9 < high


def test_curves_that_fall_to_the_end_are_seen_in_the_second_half_of_the_epochs():
    curve = 2.0 ** -np.arange(9)
    display = RefinementDisplay(
        np.arange(9) / 3, curve, 0.9 * curve, np.ones(9), least_loss_epoch=8 / 3, best_epoch=8 / 3
    ).plot()
    low, high = display.axes_[0].get_ylim()
    assert -0.05 < low < 0.9 * curve[-1] < curve[4] < high
    assert texts(display.axes_[1]) == ["least loss and refinement (2.67)"]


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def test_axes_of_the_user_are_drawn_on():
    figure, axes = plt.subplots(1, 2)
    assert RefinementDisplay.from_analyzer(FOUND).plot(axes).figure_ is figure
    with pytest.raises(ValueError, match="ax must be a sequence of 2 matplotlib axes"):
        RefinementDisplay.from_analyzer(FOUND).plot(axes[0])
