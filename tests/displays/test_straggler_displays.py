"""The pictures of stragglers: who they are, and whether several runs have the same."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color
from sklearn.exceptions import NotFittedError

from sklearn_nndyn import EntanglementAnalyzer
from sklearn_nndyn.analyzers import straggler_stability
from sklearn_nndyn.displays import StragglerGalleryDisplay, StragglerStabilityDisplay
from tests.displays.entangled import LAST, LEARNED, Fitted, assert_same, entangled_record, texts

PIXELS = np.arange(20 * 4.0).reshape(-1, 2, 2)


@pytest.fixture
def record():
    """The turn is at epoch 6, position 3: samples 0 to 5 are wrong there, number 0 to the end."""
    return entangled_record()


def gallery(record, X=PIXELS, **options):
    return StragglerGalleryDisplay.from_dynamics(record, X, **options)


def run(*learned_late, turn=3):
    """A record in which these samples are the last to be learned."""
    learned = np.full(20, 1)
    learned[list(learned_late)] = LAST
    return entangled_record((turn, turn), learned=learned)


def stability(*runs, **options):
    return StragglerStabilityDisplay.from_dynamics(runs, **options)


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


# -------------------------------------------------------------------------------------- gallery


def test_stragglers_are_shown_with_their_names_and_when_they_are_learned():
    display = gallery(entangled_record(classes=["cat", "dog"]))
    assert plt.get_fignums() == []
    assert [name for name in vars(display) if name.endswith("_")] == []
    assert display.plot() is display
    assert display.indices.tolist() == [0, 1, 2, 3, 4, 5]
    titles = [ax.get_title() for ax in display.axes_]
    assert titles == ["cat, read as dog", "dog, read as cat"] * 3
    captions = [ax.get_xlabel() for ax in display.axes_]
    assert captions == ["learned: never", *(f"learned: epoch {epoch}" for epoch in (14, 12, 10, 8, 8))]
    for i, drawn in enumerate(display.images_):
        np.testing.assert_array_equal(drawn.get_array(), PIXELS[i])
        assert drawn.axes is display.axes_[i]
    expected = "Stragglers at the inversion (epoch 6, training error 30 %), the lowest margins first"
    assert display.figure_.get_suptitle() == expected


def test_without_a_turn_that_is_told_nobody_is_called_a_straggler():
    record = entangled_record(n_epochs=7)
    assert EntanglementAnalyzer().fit(record).findings_[2].verdict == "cannot tell"
    expected = "at an unclear turn (epoch 6, training error 30 %)"
    assert gallery(record).title == f"Misclassified {expected}, the lowest margins first"
    assert gallery(record, indices=[3]).title == f"At {expected[3:]}"


def test_the_lowest_margins_at_the_turn_come_first(record):
    margin = record.margin.copy()
    margin[:6, 3] = [-1, -3, -2, -3, -9, -1]
    display = gallery(entangled_record(margin=margin), n_pictures=4)
    assert display.indices.tolist() == [4, 1, 3, 2]
    np.testing.assert_array_equal(display.images[0], PIXELS[4])
    assert display.true_names.tolist() == [0, 1, 1, 0]
    assert display.predicted_names.tolist() == [1, 0, 0, 1]
    np.testing.assert_array_equal(display.epochs_learned, [8, 14, 10, 12])


def test_without_margins_stragglers_come_in_their_order():
    display = gallery(entangled_record(margin=None, learned=LEARNED[::-1]))
    assert display.indices.tolist() == [14, 15, 16, 17, 18, 19]
    assert display.title == "Stragglers at the inversion (epoch 6, training error 30 %)"


def test_names_are_those_at_the_inversion_not_at_the_end():
    learned = LEARNED.copy()
    prediction = entangled_record().prediction.copy()
    prediction[1, 4:] = 1  # right from then on
    display = gallery(entangled_record(learned=learned, prediction=prediction), indices=[1])
    assert (display.true_names[0], display.predicted_names[0]) == (1, 0)


def test_the_user_chooses_samples_and_their_order(record):
    display = gallery(record, indices=np.array([9, 3, 0, 19])).plot()
    assert display.indices.tolist() == [9, 3, 0, 19]
    assert [ax.get_title() for ax in display.axes_[:2]] == ["1, read as 1", "1, read as 0"]
    assert [ax.get_xlabel() for ax in display.axes_][2:] == ["learned: never", "learned: epoch 0"]
    assert display.title == "At the inversion (epoch 6, training error 30 %)"
    assert gallery(record, indices=[9, 3, 0], n_pictures=2).indices.tolist() == [9, 3]
    found = straggler_stability([record, run(0, 3, 4)])
    analyzer = found.analyzers[0]
    shown = StragglerGalleryDisplay.from_analyzer(analyzer, record, PIXELS, indices=found.persistent_indices)
    assert shown.indices.tolist() == [0, 3, 4]


@pytest.mark.parametrize("indices", [[0.5], [[1, 2]], [], [True, False], "first"])
def test_indices_are_positions(record, indices):
    with pytest.raises(
        ValueError, match="indices must be positions of samples, whole numbers, at least one; got"
    ):
        gallery(record, indices=indices)


@pytest.mark.parametrize(("indices", "message"), [([-1, 3], "-1 to 3"), ([2, 20], "2 to 20")])
def test_there_are_no_more_samples(record, indices, message):
    with pytest.raises(ValueError, match=f"indices: there are 20 samples, numbered from 0; got {message}"):
        gallery(record, indices=indices)


def test_there_is_at_least_one_picture(record):
    for n_pictures in (0, -2):
        with pytest.raises(ValueError, match=f"^n_pictures must be 1 or more, got {n_pictures}"):
            gallery(record, n_pictures=n_pictures)
    with pytest.raises(TypeError, match=r"^n_pictures must be a whole number, got 1\.5"):
        gallery(record, n_pictures=1.5)


def test_without_inversion_or_stragglers_there_is_nothing_to_show():
    for options in ({}, {"indices": [1]}):
        with pytest.raises(
            ValueError, match="There is no inversion in this record, so there are no stragglers"
        ):
            gallery(entangled_record((LAST, LAST)), **options)
    early = entangled_record(learned=np.ones(20, dtype=int))
    with pytest.raises(
        ValueError, match="No sample is misclassified at the inversion, epoch 6: there are no"
    ):
        gallery(early)
    assert gallery(early, indices=[7]).predicted_names.tolist() == [1]


def test_the_record_is_the_one_that_was_analysed(record):
    analyzer = EntanglementAnalyzer().fit(record)
    show = StragglerGalleryDisplay.from_analyzer
    with pytest.raises(
        ValueError, match="fitted on 20 samples, but the record has 15: give the record that was"
    ):
        show(analyzer, record[:15], PIXELS[:15])
    with pytest.raises(ValueError, match="X has 19 samples, but the record has 20"):
        show(analyzer, record, PIXELS[:19])
    other = "has 2 samples misclassified at epoch 6, but not the 6 stragglers of the analyzer: give the record that"
    with pytest.raises(ValueError, match=other):
        show(analyzer, run(0, 1), PIXELS)
    with pytest.raises(ValueError, match=r"X must be pictures: .*got shape \(20, 5\)"):
        show(analyzer, record, np.zeros((20, 5)))
    with pytest.raises(NotFittedError, match="This EntanglementAnalyzer instance is not fitted yet"):
        show(EntanglementAnalyzer(), record, PIXELS)
    with pytest.raises(TypeError, match="Expected a fitted EntanglementAnalyzer, got list"):
        show([analyzer], record, PIXELS)


def test_of_a_model_the_training_record_is_read(record):
    model = Fitted().fit(record)
    model.validation_dynamics_ = record[:5]
    assert_same(gallery(model), gallery(record))
    other = gallery(entangled_record((2, 5)), reference=1)
    assert other.title.startswith("Stragglers at the inversion (epoch 10, training error 15 %)")


def test_pictures_on_the_axes_of_the_user(record):
    figure, axes = plt.subplots(2, 3)
    display = gallery(record).plot(axes)
    assert display.figure_ is figure
    assert display.axes_.tolist() == axes.ravel().tolist()
    with pytest.raises(ValueError, match="a sequence of 6 matplotlib axes, one for each picture, got 5"):
        display.plot(axes.ravel()[:5])


def test_long_names_and_titles_are_wrapped_and_do_not_meet():
    display = gallery(entangled_record(classes=["T-shirt or top", "ankle boot"])).plot()
    display.figure_.canvas.draw()
    assert display.axes_[0].get_title() == "T-shirt or top,\nread as ankle boot"
    assert display.figure_.get_size_inches()[1] == pytest.approx(0.3 + 1.65)
    boxes = [ax.title.get_window_extent() for ax in display.axes_]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))
    one = gallery(entangled_record(), n_pictures=1).plot()
    one.figure_.canvas.draw()
    title = one.figure_.get_suptitle()
    assert title.split("\n")[0] == "Stragglers at the"
    assert title.replace("\n", " ") == one.title
    box = one.figure_._suptitle.get_window_extent()
    assert box.x1 <= one.figure_.bbox.x1
    extra = 0.15 * title.count("\n")  # so that pictures have the same size
    assert one.figure_.get_size_inches()[1] == pytest.approx(1.8 + extra)
    assert box.y0 > one.axes_[0].title.get_window_extent().y1


# ------------------------------------------------------------------------------------ stability


def test_the_overlaps_of_the_runs_are_drawn_and_written():
    runs = [run(0, 1, 2, 3), run(2, 3, 4, 5), run(0, 1, 2, 4)]
    found = straggler_stability(runs)
    display = StragglerStabilityDisplay.from_stability(found)
    assert plt.get_fignums() == []
    assert [name for name in vars(display) if name.endswith("_")] == []
    np.testing.assert_allclose(display.jaccard, found.jaccard)
    assert display.plot() is display
    drawn = display.image_.get_array()
    assert drawn.mask.tolist() == np.eye(3, dtype=bool).tolist()
    expected = [100 / 3, 60, 100 / 3, 100 / 3, 60, 100 / 3]
    np.testing.assert_allclose(drawn.compressed(), expected)
    assert texts(display.axes_[0]) == ["33", "60", "33", "33", "60", "33"]
    places = [text.get_position() for text in display.axes_[0].texts]
    assert places == [(1, 0), (2, 0), (0, 1), (2, 1), (0, 2), (1, 2)]
    assert display.image_.get_clim() == (0, 100)
    assert display.colorbar_.ax.get_ylabel() == "in both, of those in either (%)"
    assert [text.get_text() for text in display.axes_[0].get_xticklabels()] == ["0", "1", "2"]
    assert display.jaccard[0][0] == 1  # what was stored is left alone


def test_numbers_can_be_read_on_any_ground():
    dark_and_light = np.array([[1, 0.05, 0.95], [0.05, 1, 0.5], [0.95, 0.5, 1]])
    display = StragglerStabilityDisplay(dark_and_light, [0.1], [0.5], [3.0]).plot()
    assert [text.get_color() for text in display.axes_[0].texts[:2]] == ["white", "black"]
    grey = display.plot(cmap="Greys").axes_[0]
    assert [text.get_color() for text in grey.texts[:2]] == ["black", "white"]


@pytest.mark.parametrize(("n_runs", "n_numbers", "ticks"), [(12, 132, range(12)), (13, 0, range(0, 13, 2))])
def test_many_runs_have_no_numbers(n_runs, n_numbers, ticks):
    display = StragglerStabilityDisplay(np.full((n_runs, n_runs), 0.5), [0.1], [0.5], [3.0]).plot()
    assert len(display.axes_[0].texts) == n_numbers
    assert display.axes_[0].get_yticks().tolist() == list(ticks)
    assert [text.get_text() for text in display.axes_[0].get_yticklabels()] == [str(tick) for tick in ticks]


def test_runs_without_inversion_have_nothing_to_compare():
    runs = [run(0, 1, 2), run(0, 1, turn=LAST), run(0, 1)]
    display = stability(*runs).plot()
    assert np.isnan(display.jaccard[1]).all()
    assert np.isnan(display.jaccard[:, 1]).all()
    assert texts(display.axes_[0]) == ["67", "67"]
    assert texts(display.axes_[1]) == ["inversion: error 12.5 %"]  # of the two that have one
    none = stability(runs[1], runs[1]).plot()
    assert texts(none.axes_[0]) == ["no two runs with stragglers"]
    assert none.inversion_lines_ == []
    assert texts(none.axes_[1]) == []


def test_curves_are_those_of_the_comparison():
    found = straggler_stability([run(0, 1, 2, 3), run(2, 3, 4, 5), run(0, 1, 2, 4)], errors=[0.5, 0.2])
    display = StragglerStabilityDisplay.from_stability(found).plot()
    curves = {
        "jaccard": 100 * found.jaccard_curve, "chance": 100 * display.chance_curve,
        "z": found.z_curve, "z_pairs": found.z_pairs_curve,
    }  # fmt: skip
    assert list(display.lines_) == list(curves)
    for name, curve in curves.items():
        np.testing.assert_allclose(display.lines_[name].get_data(), [[50, 20], curve], err_msg=name)
        assert display.lines_[name].axes is display.axes_[1 if name in ("jaccard", "chance") else 2]
    # Two random sets of 4 of 20 have 0.8 in common, of 7.2.
    np.testing.assert_allclose(display.chance_curve, 0.8 / 7.2)
    assert legend(display.axes_[1]) == ["of two runs", "of random samples"]
    assert legend(display.axes_[2]) == ["of the pairs of runs", "of chance"]


def test_of_two_runs_there_is_one_pair_and_no_spread():
    display = stability(run(0, 1), run(1, 2)).plot()
    assert list(display.lines_) == ["jaccard", "chance", "z_pairs"]
    assert legend(display.axes_[2]) == ["of chance"]
    nothing = stability(run(), run(), errors=[0.0]).plot()
    assert np.isnan(nothing.chance_curve).all()
    nothing.figure_.canvas.draw()


def test_the_error_falls_from_left_to_right_with_the_mean_inversion():
    display = StragglerStabilityDisplay(
        np.ones((2, 2)),
        [0.4, 0.1, 0.0],
        [0.3, 0.8, 1.0],
        [-5.0, 9.0, 9.0],
        inversion_errors=[0.1, np.nan, 0.2],
    ).plot()
    for ax in display.axes_[1:]:
        left, right = ax.get_xlim()
        assert left > 40 > 10 > right > 8
        assert ax.get_xscale() == "log"
        assert ax.get_xlabel() == "training error (%, logarithmic)"
    assert [line.axes for line in display.inversion_lines_] == display.axes_[1:].tolist()
    np.testing.assert_allclose([line.get_xdata() for line in display.inversion_lines_], 15)
    assert [texts(ax) for ax in display.axes_[1:]] == [["inversion: error 15 %"], []]
    assert display.axes_[2].get_ylim()[0] < -5
    assert StragglerStabilityDisplay([[1]], [0.1], [1.0], [7.0]).plot().axes_[2].get_ylim()[0] == 0
    low, high = display.axes_[1].get_ylim()
    assert (low, high > 110) == (0, True)
    zero = StragglerStabilityDisplay([[1]], [0.1], [1.0], [7.0], inversion_errors=[0.0]).plot()
    assert zero.inversion_lines_ == []


def test_runs_have_the_names_the_user_gives():
    runs = [run(0, 1), run(1, 2)]
    display = stability(*runs, labels=["seed 0", "seed 1"]).plot()
    labels = display.axes_[0].get_xticklabels()
    assert [text.get_text() for text in labels] == ["seed 0", "seed 1"]
    assert {text.get_rotation() for text in labels} == {90}
    assert {text.get_rotation() for text in stability(*runs).plot().axes_[0].get_xticklabels()} == {0}
    with pytest.raises(ValueError, match="labels: there are 2 runs, but 3 labels"):
        stability(*runs, labels=list("abc"))


def test_what_is_compared_is_what_the_user_asks_for():
    runs = [run(0, 1), run(1, 2)]
    other = straggler_stability(runs, analyzer=EntanglementAnalyzer(burn_in=8), errors=[0.5, 0.3])
    display = stability(*runs, analyzer=EntanglementAnalyzer(burn_in=8), errors=[0.5, 0.3])
    assert_same(display, StragglerStabilityDisplay.from_stability(other))
    with pytest.raises(ValueError, match="runs must be two or more, got 1"):
        stability(runs[0])


def test_stability_on_the_axes_of_the_user():
    before = dict(plt.rcParams)
    display = stability(run(0, 1), run(1, 2)).plot()
    assert display.figure_.get_size_inches()[0] == 7
    assert dict(plt.rcParams) == before
    figure, axes = plt.subplots(1, 3)
    assert display.plot(axes).figure_ is figure
    assert display.axes_.tolist() == axes.tolist()
    with pytest.raises(ValueError, match="a sequence of 3 matplotlib axes, one for each panel, got 2"):
        display.plot(axes[:2])
    assert not same_color(display.lines_["jaccard"].get_color(), display.lines_["chance"].get_color())


@pytest.mark.parametrize(("clear", "name"), [(True, "inversion"), (False, "unclear turn")])
def test_an_inversion_below_all_errors_compared_is_in_the_picture_and_called_what_it_is(clear, name):
    display = StragglerStabilityDisplay(
        np.ones((2, 2)), [0.4, 0.1], [0.3, 0.8], [5.0, 9.0], inversion_errors=[0.01, np.nan], clear=clear
    ).plot()
    for line, ax in zip(display.inversion_lines_, display.axes_[1:], strict=True):
        assert line.get_xdata()[0] == 1
        assert min(ax.get_xlim()) < 1
    assert texts(display.axes_[1]) == [f"{name}: error 1 %"]


def test_turns_are_clear_where_one_run_is_surely_inverted():
    found = straggler_stability([run(0, 1, 2), run(0, 1)])
    verdicts = [next(one.verdict for one in own.findings_ if one.code == "EN1") for own in found.analyzers]
    assert StragglerStabilityDisplay.from_stability(found).clear == ("yes" in verdicts)
    few = [record.until(8) for record in (run(0, 1, 2), run(0, 1))]
    assert not StragglerStabilityDisplay.from_dynamics(few).clear
