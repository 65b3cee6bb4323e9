"""The picture of a training: what is computed, what is drawn, what is refused."""

import warnings
from dataclasses import FrozenInstanceError

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color, to_rgb
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from sklearn_nndyn.displays import TrainingCurveDisplay, TrainingCurves
from sklearn_nndyn.displays._style import COLOURS
from sklearn_nndyn.dynamics import Dynamics
from tests.analyzers.planted import header_of


def make_record(n_samples=40, n_epochs=6, seed=0, **changes):
    rng = np.random.default_rng(seed)
    fields = {
        "y": np.arange(n_samples) % 2,
        "classes": [0, 1],
        "epochs": 2 * np.arange(n_epochs),
        "loss": rng.lognormal(size=(n_samples, n_epochs)).astype(np.float32),
        "prediction": rng.integers(0, 2, (n_samples, n_epochs)),
        "header": {"loss": "log"},
    }
    return Dynamics(**(fields | changes))


@pytest.fixture
def train():
    return make_record()


@pytest.fixture
def validation():
    return make_record(25, seed=1)


def drawn(line):
    return np.asarray(line.get_ydata())


def band_of(artist, epochs):
    """Lower and upper edge of a band at each epoch: (2, n_epochs)."""
    points = artist.get_paths()[0].vertices
    columns = [points[points[:, 0] == epoch, 1] for epoch in epochs]
    return np.transpose([(column.min(), column.max()) for column in columns])


# ------------------------------------------------------------------------------------ computed


def test_a_record_draws_itself(train):
    _, axes = plt.subplots(1, 2)
    drawn_here = train.plot(axes, linewidth=3)
    display = TrainingCurveDisplay.from_dynamics(train).plot(linewidth=3)
    assert list(drawn_here.axes_) == list(axes)
    for name, line in display.lines_["train"].items():
        np.testing.assert_array_equal(drawn(drawn_here.lines_["train"][name]), drawn(line))
        assert drawn_here.lines_["train"][name].get_linewidth() == 3


def test_curves_are_those_of_each_epoch_alone(train):
    curves = TrainingCurveDisplay.from_dynamics(train).train
    np.testing.assert_array_equal(curves.epochs, train.epochs)
    for t in range(train.n_epochs):
        ordered = np.sort(train.loss[:, t].astype(float))
        assert curves.loss_mean[t] == pytest.approx(sum(ordered) / 40, rel=1e-12)
        assert curves.loss_median[t] == pytest.approx((ordered[19] + ordered[20]) / 2, rel=1e-6)
        assert np.mean(ordered < curves.loss_band[0, t]) == pytest.approx(0.05)
        assert np.mean(ordered > curves.loss_band[1, t]) == pytest.approx(0.05)
    np.testing.assert_array_equal(curves.accuracy, train.accuracy)


def test_the_mean_is_summed_in_double_precision():
    losses = np.full((4097, 1), 1.0, np.float32)
    losses[0] = 2.0**24
    record = make_record(4097, 1, loss=losses)
    assert TrainingCurveDisplay.from_dynamics(record).train.loss_mean[0] == (2.0**24 + 4096) / 4097


def test_quantiles_are_the_users(train):
    curves = TrainingCurveDisplay.from_dynamics(train, quantiles=(0.0, 1.0)).train
    np.testing.assert_array_equal(curves.loss_band, [train.loss.min(axis=0), train.loss.max(axis=0)])
    assert TrainingCurveDisplay.from_dynamics(train, quantiles=None).train.loss_band is None


def test_validation_is_another_record(train, validation):
    display = TrainingCurveDisplay.from_dynamics(train, validation=validation)
    np.testing.assert_array_equal(display.validation.accuracy, validation.accuracy)
    assert TrainingCurveDisplay.from_dynamics(train).validation is None


class Fitted(BaseEstimator):
    """Stands in for a classifier that records."""

    def __init__(self, record=("samples",)):
        self.record = record

    def fit(self, X, y=None):
        self.dynamics_ = X
        return self


def test_a_fitted_model_is_as_good_as_its_records(train, validation):
    model = Fitted().fit(train)
    assert TrainingCurveDisplay.from_estimator(model).validation is None
    model.validation_dynamics_ = validation
    for holder in (model, make_pipeline("passthrough", model)):
        display = TrainingCurveDisplay.from_estimator(holder, quantiles=(0.1, 0.9))
        expected = TrainingCurveDisplay.from_dynamics(train, validation=validation, quantiles=(0.1, 0.9))
        for split in ("train", "validation"):
            ours, theirs = vars(getattr(display, split)), vars(getattr(expected, split))
            assert list(ours) == list(theirs)
            for name, values in ours.items():
                np.testing.assert_array_equal(values, theirs[name], err_msg=name)


@pytest.mark.parametrize(
    ("header", "label"),
    [
        (header_of("log"), "log loss (nats)"),
        (header_of("cauchy_schwarz"), "cauchy schwarz loss (nats)"),
        (header_of("squared_log"), "squared log loss (nats²)"),
        ({"loss": "own", "loss_facts": {"unit": "bits"}}, "own loss (bits)"),
        ({"loss": "log"}, "log loss"),
        ({"loss": "squared_hinge"}, "squared hinge loss"),
        ({}, "loss"),
        ({"loss": "MyLoss(p=2)"}, "loss"),
        ({"loss": None}, "loss"),
    ],
    ids=str,
)
def test_the_loss_is_named_with_its_unit(header, label):
    display = TrainingCurveDisplay.from_dynamics(make_record(header=header)).plot()
    assert display.axes_[0].get_ylabel() == label


# --------------------------------------------------------------------------------------- drawn


def test_nothing_is_drawn_before_plot(train):
    display = TrainingCurveDisplay.from_dynamics(train)
    assert plt.get_fignums() == []
    assert [name for name in vars(display) if name.endswith("_")] == []


@pytest.mark.parametrize("with_validation", [True, False])
def test_every_curve_is_drawn_from_its_array(train, validation, with_validation):
    display = TrainingCurveDisplay.from_dynamics(train, validation=validation if with_validation else None)
    assert display.plot() is display
    splits = ["train", "validation"] if with_validation else ["train"]
    assert list(display.lines_) == list(display.bands_) == splits
    for split in splits:
        curves, lines = getattr(display, split), display.lines_[split]
        assert list(lines) == ["loss_mean", "loss_median", "accuracy"]
        for name, line in lines.items():
            np.testing.assert_array_equal(line.get_xdata(), curves.epochs)
            np.testing.assert_array_equal(drawn(line), getattr(curves, name), err_msg=name)
            assert line.axes is display.axes_[1 if name == "accuracy" else 0]
        np.testing.assert_allclose(band_of(display.bands_[split], curves.epochs), curves.loss_band)
        assert display.bands_[split].axes is display.axes_[0]


def test_a_band_has_an_edge_of_its_colour(train, validation):
    display = TrainingCurveDisplay.from_dynamics(train, validation=validation).plot()
    curves = [line for lines in display.lines_.values() for line in lines.values()]
    edges = [line for line in display.axes_[0].lines if line not in curves]
    expected = [*display.train.loss_band, *display.validation.loss_band]
    for edge, values, colour in zip(
        edges, expected, ["blue", "blue", "vermillion", "vermillion"], strict=True
    ):
        np.testing.assert_array_equal(drawn(edge), values)
        assert same_color(edge.get_color(), COLOURS[colour])


def test_arrays_of_ones_own_can_be_drawn():
    curves = TrainingCurves(
        epochs=[0, 1], loss_mean=np.array([2.0, 1.0]), loss_median=np.array([1.5, 0.5]), accuracy=[0.5, 1.0]
    )
    display = TrainingCurveDisplay(curves).plot()
    np.testing.assert_array_equal(drawn(display.lines_["train"]["accuracy"]), [0.5, 1.0])
    assert display.axes_[0].get_ylabel() == "loss"
    assert texts(display.axes_[0]) == ["mean", "median"]
    with_band = vars(curves) | {"loss_band": np.array([[1.0, 0.0], [3.0, 2.0]])}
    display = TrainingCurveDisplay(TrainingCurves(**with_band)).plot()
    assert texts(display.axes_[0])[2] == "5–95 % of samples"


def test_curves_are_frozen(train):
    curves = TrainingCurveDisplay.from_dynamics(train).train
    with pytest.raises(FrozenInstanceError):
        curves.accuracy = None
    with pytest.raises(TypeError, match="positional argument"):
        TrainingCurves([0], [1.0], [1.0], [1.0])
    assert curves in {curves}


def test_mean_is_solid_and_median_dashed(train):
    lines = TrainingCurveDisplay.from_dynamics(train).plot().lines_["train"]
    assert lines["loss_mean"].get_linestyle() == lines["accuracy"].get_linestyle() == "-"
    assert lines["loss_median"].get_linestyle() == "--"
    assert {line.get_marker() for line in lines.values()} == {"None"}


def test_a_split_has_one_colour_and_it_is_its_own(train, validation):
    display = TrainingCurveDisplay.from_dynamics(train, validation=validation).plot()
    for split, colour in {"train": "blue", "validation": "vermillion"}.items():
        for line in display.lines_[split].values():
            assert same_color(line.get_color(), COLOURS[colour])
        assert same_color(display.bands_[split].get_facecolor()[0][:3], COLOURS[colour])


def test_all_colours_differ():
    assert len({to_rgb(colour) for colour in COLOURS.values()}) == len(COLOURS)


def test_the_two_splits_differ_in_grey_too():
    def luminance(name):
        return np.dot([0.2126, 0.7152, 0.0722], to_rgb(COLOURS[name]))

    assert luminance("vermillion") - luminance("blue") > 0.05


def test_titles_and_labels_are_words(train):
    loss, accuracy = TrainingCurveDisplay.from_dynamics(train).plot().axes_
    assert loss.get_title(loc="left") == "Loss of the samples"
    assert accuracy.get_title(loc="left") == "Samples classified correctly"
    assert loss.get_xlabel() == accuracy.get_xlabel() == "epoch"
    assert accuracy.get_ylabel() == "accuracy (share of samples)"


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()] if ax.get_legend() else []


def test_legends_name_what_there_is(train, validation):
    loss, accuracy = TrainingCurveDisplay.from_dynamics(train, validation=validation).plot().axes_
    assert texts(loss) == ["mean", "median", "5–95 % of samples"]
    assert texts(accuracy) == ["training", "validation"]
    loss, accuracy = TrainingCurveDisplay.from_dynamics(train, quantiles=None).plot().axes_
    assert texts(loss) == ["mean", "median"]
    assert texts(accuracy) == []


@pytest.mark.parametrize("n_epochs", [1, 6])
def test_the_legend_looks_like_the_curves(n_epochs):
    display = TrainingCurveDisplay.from_dynamics(make_record(n_epochs=n_epochs)).plot()
    mean, median, _ = display.axes_[0].get_legend().get_lines() + display.axes_[0].get_legend().get_patches()
    for handle, name in ((mean, "loss_mean"), (median, "loss_median")):
        line = display.lines_["train"][name]
        assert handle.get_linestyle() == line.get_linestyle()
        assert handle.get_marker() == line.get_marker()
        assert handle.get_markerfacecolor() in ("white", COLOURS["grey"])
        assert same_color(handle.get_color(), COLOURS["grey"]), "of no split"
    assert (mean.get_linestyle(), mean.get_markerfacecolor()) != (
        median.get_linestyle(),
        median.get_markerfacecolor(),
    )


def test_the_legend_names_the_users_quantiles(train):
    loss, _ = TrainingCurveDisplay.from_dynamics(train, quantiles=(0.005, 0.995)).plot().axes_
    assert texts(loss)[2] == "0.5–99.5 % of samples"


def test_without_quantiles_there_are_no_bands(train):
    display = TrainingCurveDisplay.from_dynamics(train, quantiles=None).plot()
    assert display.bands_ == {}
    assert len(display.axes_[0].collections) == 0
    assert len(display.axes_[0].lines) == 2


@pytest.mark.parametrize("with_validation", [True, False])
@pytest.mark.parametrize("epoch", [0, 7])
def test_one_epoch_is_drawn_as_points(with_validation, epoch):
    record = make_record(n_epochs=1, epochs=[epoch])
    display = TrainingCurveDisplay.from_dynamics(
        record, validation=record if with_validation else None
    ).plot()
    for line in display.lines_["train"].values():
        assert line.get_marker() == "o"
    assert display.axes_[0].get_xticks().tolist() == [epoch]
    (segment,) = display.bands_["train"].get_segments()
    np.testing.assert_allclose(segment[:, 1], display.train.loss_band[:, 0])
    display.figure_.canvas.draw()


def test_one_sample_is_its_own_mean(train):
    display = TrainingCurveDisplay.from_dynamics(train[0]).plot()
    np.testing.assert_allclose(drawn(display.lines_["train"]["loss_mean"]), train.loss[0])
    np.testing.assert_allclose(drawn(display.lines_["train"]["loss_median"]), train.loss[0])


def test_epochs_are_whole_numbers(train):
    few, many = train.until(2), make_record(n_epochs=60)
    for record in (few, many):
        for ax in TrainingCurveDisplay.from_dynamics(record).plot().axes_:
            ticks = ax.get_xticks()
            np.testing.assert_array_equal(ticks, np.round(ticks))
            assert 2 <= len(ticks) <= 10


def test_a_loss_that_is_never_negative_starts_at_zero(train):
    assert TrainingCurveDisplay.from_dynamics(train).plot().axes_[0].get_ylim()[0] == 0
    loss = train.loss.copy()
    loss[:5] = 0
    assert TrainingCurveDisplay.from_dynamics(make_record(loss=loss)).plot().axes_[0].get_ylim()[0] == 0
    negative = make_record(loss=-train.loss)
    assert TrainingCurveDisplay.from_dynamics(negative).plot().axes_[0].get_ylim()[0] < -train.loss.max() / 10


def test_a_logarithmic_loss_shows_all_means_and_medians(train):
    loss = train.loss.copy()
    loss[:5] = 1e-20
    display = TrainingCurveDisplay.from_dynamics(make_record(loss=loss)).plot(loss_scale="log")
    assert display.axes_[0].get_yscale() == "log"
    assert display.axes_[1].get_yscale() == "linear"
    lowest = min(display.train.loss_mean.min(), display.train.loss_median.min())
    assert lowest / 2 < display.axes_[0].get_ylim()[0] < lowest, "the band goes on down, the panel does not"
    display.figure_.canvas.draw()


def test_plot_can_be_asked_again(train):
    display = TrainingCurveDisplay.from_dynamics(train).plot()
    first = display.figure_
    assert display.plot(loss_scale="log").figure_ is not first


def test_the_axes_of_the_user_are_drawn_on_and_keep_their_style(train, validation):
    figure, axes = plt.subplots(2, 1)
    display = TrainingCurveDisplay.from_dynamics(train, validation=validation).plot(axes)
    assert display.figure_ is figure
    assert display.axes_.tolist() == axes.tolist()
    assert plt.get_fignums() == [figure.number]
    assert axes[0].spines["top"].get_visible()


def test_a_new_figure_is_as_wide_as_a_page_and_leaves_the_style_alone(train):
    before = dict(plt.rcParams)
    display = TrainingCurveDisplay.from_dynamics(train).plot()
    assert display.figure_.get_size_inches().tolist() == [7.0, 2.6]
    assert display.axes_[0].title.get_fontsize() <= 9
    assert dict(plt.rcParams) == before


def test_nothing_is_cut_off_or_hidden(train, validation):
    """Titles, labels and legends lie inside the figure, and the legends outside the curves."""
    display = TrainingCurveDisplay.from_dynamics(train, validation=validation).plot()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        display.figure_.canvas.draw()
    inside = display.figure_.bbox
    for ax in display.axes_:
        box = ax.get_tightbbox()
        assert inside.x0 - 1 <= box.x0 <= box.x1 <= inside.x1 + 1
        assert inside.y0 - 1 <= box.y0 <= box.y1 <= inside.y1 + 1
        legend = ax.get_legend().get_window_extent()
        assert legend.y0 >= ax.bbox.y1 - 1
        assert inside.x0 <= legend.x0 <= legend.x1 <= inside.x1
        title = ax._left_title.get_window_extent()
        assert title.y0 >= legend.y1 - 1


# ------------------------------------------------------------------------------------- refused


@pytest.mark.parametrize("quantiles", [(0.9, 0.1), (0.5, 0.5), (5, 95), (0.5, 1.5), (-0.1, 0.5), (0.5,)])
def test_quantiles_increase_from_0_to_1(train, quantiles):
    with pytest.raises(
        ValueError, match="quantiles must be two increasing numbers from 0 to 1, or None; got"
    ):
        TrainingCurveDisplay.from_dynamics(train, quantiles=quantiles)


@pytest.mark.parametrize("missing", ["loss", "prediction"])
def test_a_record_without_samples_is_sent_back(train, missing):
    bare = make_record(**{missing: None})
    with pytest.raises(ValueError, match=f"This record has no {missing}"):
        TrainingCurveDisplay.from_dynamics(bare)
    with pytest.raises(ValueError, match=f"This record has no {missing}"):
        TrainingCurveDisplay.from_dynamics(train, validation=bare)


def test_an_unfitted_model_is_sent_back():
    with pytest.raises(NotFittedError, match="This Fitted instance is not fitted yet"):
        TrainingCurveDisplay.from_estimator(Fitted())


def test_a_logarithm_needs_losses_that_are_not_negative(train):
    display = TrainingCurveDisplay.from_dynamics(make_record(loss=train.loss - 5))
    with pytest.raises(
        ValueError,
        match=r"needs losses that are not negative, but their mean or median reaches -\d.*'linear'",
    ):
        display.plot(loss_scale="log")
    assert plt.get_fignums() == []


def test_a_logarithmic_axis_ends_at_a_floor_and_says_so(train):
    loss = train.loss.copy()
    loss[:, 2] = 0
    display = TrainingCurveDisplay.from_dynamics(make_record(loss=loss)).plot(loss_scale="log")
    assert display.axes_[0].get_yscale() == "log"
    assert display.axes_[0].get_ylim()[0] == 1e-6
    assert display.axes_[0].get_ylabel().endswith("\n(logarithmic, above 1e-06)")
    display.figure_.canvas.draw()


def test_an_unknown_scale_is_named(train):
    with pytest.raises(ValueError, match="loss_scale must be one of 'linear', 'log'; got 'symlog'"):
        TrainingCurveDisplay.from_dynamics(train).plot(loss_scale="symlog")


@pytest.mark.parametrize("number", [1, 3])
def test_two_axes_are_needed(train, number):
    axes = plt.subplots(1, number)[1]
    with pytest.raises(
        ValueError, match=f"must be a sequence of 2 matplotlib axes, one for each panel, got {number}"
    ):
        TrainingCurveDisplay.from_dynamics(train).plot(axes)
