"""The picture of each class's radius."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest

from sklearn_nndyn import EntanglementAnalyzer
from sklearn_nndyn.displays import ClassEntanglementDisplay
from tests.displays.entangled import LAST, entangled_record, lengths, texts


def test_every_class_has_its_panel_with_its_turn():
    record = entangled_record((2, LAST, 6), classes=["bird", "cat", "dog"])
    analyzer = EntanglementAnalyzer().fit(record)
    display = ClassEntanglementDisplay.from_analyzer(analyzer).plot()
    assert [ax.get_title(loc="left") for ax in display.axes_] == ["bird", "cat", "dog"]
    for i, ax in enumerate(display.axes_):
        np.testing.assert_array_equal(
            display.radius_lines_[i].get_data(), [record.epochs, analyzer.radii_[:, i]]
        )
        np.testing.assert_array_equal(
            display.mean_lines_[i].get_data(), [record.epochs, analyzer.mean_radius_]
        )
        assert ax.lines[0] is display.mean_lines_[i]  # behind
        assert display.radius_lines_[i].axes is ax
    assert display.turns_[1] is None
    for i, place in ((0, 2), (2, 6)):
        np.testing.assert_allclose(
            np.ravel(display.turns_[i].get_data()), [2 * place, analyzer.radii_[place, i]]
        )
    assert [texts(ax) for ax in display.axes_] == [
        ["epoch 4, error 30 %"],
        ["no turn"],
        ["epoch 12, error 10 %"],
    ]
    assert len({ax.get_ylim() for ax in display.axes_}) == len({ax.get_xlim() for ax in display.axes_}) == 1
    low, high = display.axes_[0].get_ylim()
    assert low < analyzer.radii_.min()
    assert high > analyzer.radii_.max()


def test_the_user_chooses_classes_and_their_order():
    record = entangled_record((2, 3, 6), classes=["bird", "cat", "dog"])
    display = ClassEntanglementDisplay.from_dynamics(record, classes=["dog", "bird"])
    assert display.class_names.tolist() == ["dog", "bird"]
    assert display.turns.tolist() == [12, 4]
    np.testing.assert_allclose(display.errors, [0.1, 0.3])
    np.testing.assert_allclose(display.radii, np.sqrt(1 - lengths((6, 2), 9) ** 2), rtol=1e-6)
    np.testing.assert_allclose(display.mean_radius, EntanglementAnalyzer().fit(record).mean_radius_)
    with pytest.raises(ValueError, match="classes must be among 'bird', 'cat', 'dog'; got 'fish', 7"):
        ClassEntanglementDisplay.from_dynamics(record, classes=["dog", "fish", 7])
    with pytest.raises(ValueError, match="classes must be among 'bird', 'cat', 'dog'; got none"):
        ClassEntanglementDisplay.from_dynamics(record, classes=[])


def test_there_is_room_for_twenty_classes():
    analyzer = EntanglementAnalyzer().fit(entangled_record([3] * 21))
    with pytest.raises(
        ValueError, match=r"There are 21 classes, but room for 20: choose with classes=\[0, ...\]"
    ):
        ClassEntanglementDisplay.from_analyzer(analyzer)
    with pytest.raises(ValueError, match=r"classes must be among 0, 1, .*, 19, \.\.\.; got 21"):
        ClassEntanglementDisplay.from_analyzer(analyzer, classes=[21])
    twenty = ClassEntanglementDisplay.from_analyzer(analyzer, classes=range(1, 21)).plot()
    assert len(twenty.figure_.axes) == 20


@pytest.mark.parametrize(
    ("n_classes", "n_columns", "width"), [(1, 1, 3.4), (2, 2, 3.4), (5, 5, 7.0), (7, 4, 6.8)]
)
def test_panels_stand_in_even_rows(n_classes, n_columns, width):
    display = ClassEntanglementDisplay.from_dynamics(
        entangled_record([3] * n_classes), rule="first_rise"
    ).plot()
    display.figure_.canvas.draw()
    assert len(display.figure_.axes) == n_classes
    assert display.axes_[0].get_subplotspec().get_gridspec().ncols == n_columns
    assert display.figure_.get_size_inches()[0] == pytest.approx(width)
    numbered = [any(label.get_visible() for label in ax.get_xticklabels()) for ax in display.axes_]
    assert numbered == [i >= n_classes - n_columns for i in range(n_classes)]
    assert display.figure_.get_supxlabel() == "epoch"
    assert display.figure_.get_supylabel() == "radius R"
    assert [ax.get_xlabel() for ax in display.axes_] == [""] * n_classes
    boxes = [ax.texts[0].get_window_extent() for ax in display.axes_[:n_columns]]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_classes_on_the_axes_of_the_user():
    figure, axes = plt.subplots(1, 2)
    display = ClassEntanglementDisplay.from_dynamics(entangled_record()).plot(axes)
    assert display.figure_ is figure
    assert display.axes_.tolist() == axes.tolist()
    assert [(ax.get_xlabel(), ax.get_ylabel()) for ax in axes] == [("epoch", "radius R")] * 2
    assert figure.get_supxlabel() == ""
    with pytest.raises(ValueError, match="a sequence of 2 matplotlib axes, one for each class, got 1"):
        display.plot(axes[0])


def test_long_names_are_cut_and_missing_curves_left_out():
    epochs, flat = np.arange(3), np.ones(3)
    radii = np.column_stack([flat, np.full(3, np.nan)])
    names = ["domestic_shorthair_cat", "a_name_of_18_signs"]
    display = ClassEntanglementDisplay(
        epochs, radii, flat, names, np.array([np.nan] * 2), [np.nan] * 2
    ).plot()
    assert [ax.get_title(loc="left") for ax in display.axes_] == ["domestic_shorthai…", "a_name_of_18_signs"]
    low, high = display.axes_[1].get_ylim()
    assert low < 1 < high


def test_turns_of_few_epochs_are_unclear_as_the_finding_says():
    for n_epochs, words, clear in (
        (9, "epoch 6, error 30 %", True),
        (7, "unclear turn:\nepoch 6, error 30 %", False),
    ):
        analyzer = EntanglementAnalyzer().fit(entangled_record(n_epochs=n_epochs))
        assert (analyzer.findings_[3].verdict != "cannot tell") == clear
        display = ClassEntanglementDisplay.from_analyzer(analyzer).plot()
        assert texts(display.axes_[0]) == [words]
        assert (display.turns_[0].get_markerfacecolor() != "white") == clear
