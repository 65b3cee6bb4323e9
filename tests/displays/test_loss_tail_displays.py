"""The pictures of loss tails: what is computed, what is drawn, what is refused."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.base import BaseEstimator
from sklearn.datasets import load_digits, load_iris

from sklearn_nndyn import LossTailAnalyzer
from sklearn_nndyn.displays import (
    LossDensityDisplay,
    LossHeatmapDisplay,
    LossShareDisplay,
    LossTailDisplay,
    WorstSamplesDisplay,
)
from sklearn_nndyn.displays._style import cell_edges
from sklearn_nndyn.displays.sample_scores._worst_samples import as_images
from sklearn_nndyn.dynamics import Dynamics
from tests.analyzers.planted import CARRIERS, header_of, planted_losses, planted_record, tailed_record

CURVES = [LossTailDisplay, LossShareDisplay]
MAPS = [LossHeatmapDisplay, LossDensityDisplay]


@pytest.fixture
def record():
    """The mean loss is least at epoch 6; of seven epochs it cannot be told whether it rises."""
    return tailed_record()


@pytest.fixture
def risen():
    """The mean loss turns at epoch 12, and rises."""
    loss = 0.5 + np.abs(np.linspace(-1, 1, 13))[:, None] * np.random.default_rng(0).uniform(0.1, 2, 150)
    return tailed_record(n_epochs=13, loss=loss.T)


def worst(record, **options):
    images = np.arange(len(record) * 4.0).reshape(-1, 2, 2)
    return WorstSamplesDisplay.from_dynamics(record, images, **options)


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


class Fitted(BaseEstimator):
    """Stands in for a classifier that records."""

    def __init__(self, record=("samples",)):
        self.record = record

    def fit(self, X, y=None):
        self.dynamics_ = X
        return self


# ------------------------------------------------------------------------------------- all five


@pytest.mark.parametrize("make", [*(kind.from_dynamics for kind in CURVES + MAPS), worst])
def test_a_display_computes_then_draws_and_returns_itself(record, make):
    display = make(record)
    assert plt.get_fignums() == []
    assert [name for name in vars(display) if name.endswith("_")] == []
    assert display.plot() is display
    display.figure_.canvas.draw()
    assert display.figure_.get_size_inches()[0] in (3.4, 7.0)
    first = display.figure_
    assert display.plot().figure_ is not first


@pytest.mark.parametrize("kind", CURVES + MAPS)
def test_a_model_is_as_good_as_its_validation_record(record, kind):
    model = Fitted().fit(record[:20])
    model.validation_dynamics_ = record
    for given, expected in ((model, record), (Fitted().fit(record), record)):
        one, other = kind.from_dynamics(given), kind.from_dynamics(expected)
        for name, value in vars(other).items():
            np.testing.assert_array_equal(vars(one)[name], value, err_msg=name)


@pytest.mark.parametrize("kind", CURVES + MAPS)
@pytest.mark.parametrize("verdict", ["yes", "cannot tell"])
def test_a_turn_is_marked_only_where_the_finding_tells_one(record, risen, kind, verdict):
    record = risen if verdict == "yes" else record
    tails = LossTailAnalyzer().fit(record)
    assert tails.findings_[0].verdict == verdict
    display = kind.from_dynamics(record).plot()
    assert display.onset_epoch == tails.onset_epoch_
    ax = display.axes_[0] if kind in CURVES else display.ax_
    name = "turn" if verdict == "yes" else "least mean"
    titles = [drawn.get_title(loc="left") for drawn in display.figure_.axes]
    assert any("turn" in title.lower() for title in titles) == (kind in CURVES and verdict == "yes")
    assert [text.get_text() for text in ax.texts] == [f"{name}: epoch {tails.onset_epoch_}"]
    assert [tails.onset_epoch_] * 2 in [list(line.get_xdata()) for line in ax.lines]
    assert kind.from_dynamics(record, onset=2).onset_epoch == 2


@pytest.mark.parametrize("kind", CURVES + MAPS)
def test_without_a_turn_none_is_marked(kind):
    display = kind.from_dynamics(planted_record().until(2)).plot()
    ax = display.axes_[0] if kind in CURVES else display.ax_
    assert len(ax.texts) == 0


@pytest.mark.parametrize(("turn", "side"), [(9, "right"), (2, "left")])
def test_the_name_of_a_late_turn_stays_inside(turn, side):
    loss = np.abs(np.arange(11.0) - turn) + np.zeros((40, 1))
    ax = LossTailDisplay.from_dynamics(loss).plot().axes_[0]
    assert ax.texts[0].get_ha() == side


@pytest.mark.parametrize("kind", CURVES + MAPS)
def test_the_axes_of_the_user_are_drawn_on(record, kind):
    number = 2 if kind in CURVES else 1
    figure, axes = plt.subplots(1, number)
    display = kind.from_dynamics(record).plot(axes)
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]
    with pytest.raises(ValueError, match=f"ax must be a sequence of {number} matplotlib axes, .* got 3"):
        kind.from_dynamics(record).plot(plt.subplots(1, 3)[1])


@pytest.mark.parametrize("kind", CURVES + MAPS)
def test_the_style_of_the_user_is_left_alone(record, kind):
    before = dict(plt.rcParams)
    kind.from_dynamics(record).plot()
    worst(record).plot()
    assert dict(plt.rcParams) == before


@pytest.mark.parametrize("kind", CURVES + MAPS)
def test_a_record_without_losses_is_sent_back(kind):
    bare = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0, 1], prediction=[[0, 0], [0, 0]])
    with pytest.raises(ValueError, match="This record has no loss: it holds prediction"):
        kind.from_dynamics(bare)
    with pytest.raises(ValueError, match="onset=3 is not among the recorded epochs: 0, 2"):
        kind.from_dynamics(tailed_record(), onset=3)
    with pytest.raises(ValueError, match=r"sample 0 is NaN at epoch 0"):
        kind.from_dynamics(Dynamics(y=[0], classes=[0], epochs=[0, 1], loss=[[np.nan, 1.0]]))


# --------------------------------------------------------------------------------------- curves


def test_curves_are_those_of_the_analyzer(record):
    tails = LossTailAnalyzer().fit(record)
    display = LossTailDisplay.from_analyzer(tails).plot()
    drawn = {name: line.get_ydata() for name, line in display.lines_.items()}
    np.testing.assert_array_equal(drawn["mean"], tails.mean_curve_)
    np.testing.assert_array_equal(drawn["mean_alone"], tails.mean_curve_)
    np.testing.assert_array_equal(drawn["median"], tails.median_curve_)
    np.testing.assert_allclose(display.band, np.quantile(record.loss, (0.01, 0.99), axis=0))
    edges = [line.get_ydata() for line in display.axes_[1].lines[:2]]
    np.testing.assert_array_equal(edges, display.band)
    assert texts(display.axes_[1]) == ["mean", "median", "1–99 % of samples"]
    label = "log loss (nats)"
    assert [ax.get_ylabel() for ax in display.axes_] == [label, f"{label}\n(logarithmic)"]
    assert [ax.get_title(loc="left") for ax in display.axes_] == [
        "Mean loss",
        "Loss of the samples",
    ]


def test_the_band_is_the_users(record):
    display = LossTailDisplay.from_dynamics(record, quantiles=(0.25, 0.999))
    np.testing.assert_allclose(display.band, np.quantile(record.loss, (0.25, 0.999), axis=0))
    assert texts(display.plot().axes_[1])[2] == "25–99.9 % of samples"


@pytest.mark.parametrize("quantiles", [(0.1, 0.9), (0.99, 0.01), (0.5, 0.5), (0.5,), (0.01, 0.5, 0.99)])
def test_the_band_is_among_the_quantiles(record, quantiles):
    with pytest.raises(
        ValueError, match=r"quantiles must be two increasing ones of \[0.01, .*0.999\], got \("
    ):
        LossTailDisplay.from_dynamics(record, quantiles=quantiles)


def test_the_first_panel_shows_the_rise_and_the_second_all_means_and_medians(record):
    display = LossTailDisplay.from_dynamics(record).plot()
    alone, among = display.axes_
    onset = list(display.epochs).index(display.onset_epoch)
    low, high = alone.get_ylim()
    rise = display.mean[-1] - display.mean[onset]
    assert low < display.mean[onset] < display.mean[-1] < high
    assert rise > 0.15 * (high - low)
    assert alone.get_yscale() == "linear"
    assert among.get_yscale() == "log"
    assert among.get_ylim()[0] < min(display.mean.min(), display.median.min()) < 1.5 * among.get_ylim()[0]


def test_a_mean_that_is_zero_from_the_turn_on_is_drawn():
    display = LossTailDisplay.from_dynamics([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]]).plot()
    assert display.axes_[1].get_yscale() == "log"
    low, high = display.axes_[0].get_ylim()
    assert low < 0 < high
    display = LossTailDisplay.from_dynamics(np.zeros((3, 3))).plot()
    display.figure_.canvas.draw()


def test_the_scale_of_the_loss(record):
    assert LossTailDisplay.from_dynamics(record).plot(loss_scale="linear").axes_[1].get_yscale() == "linear"
    negative = LossTailDisplay.from_dynamics(record.loss - 1)
    assert negative.plot().axes_[1].get_yscale() == "linear"
    with pytest.raises(
        ValueError,
        match=r"'log' needs losses that are not negative, but their mean or median reaches -0.\d+: use",
    ):
        negative.plot(loss_scale="log")
    with pytest.raises(ValueError, match="loss_scale must be one of 'auto', 'linear', 'log'; got 'symlog'"):
        negative.plot(loss_scale="symlog")


def test_a_logarithmic_axis_ends_at_a_floor_and_says_so(record):
    sunk = record.loss.astype(np.float64)
    sunk[:140, 4:] = 0  # so that the median is 0, which has no logarithm
    ax = LossTailDisplay.from_dynamics(sunk).plot().axes_[1]
    assert ax.get_yscale() == "log"
    assert ax.get_ylim()[0] == 1e-6
    assert ax.get_ylabel() == "loss\n(logarithmic, above 1e-06)"


def test_no_turn_is_drawn_where_the_mean_may_not_rise_after_it():
    rng = np.random.default_rng(0)
    falling = np.exp(-np.arange(12.0)) + np.zeros((40, 1))
    falling[:, -1] += 1e-9  # least before the end, by chance
    falling += rng.normal(scale=1e-6, size=falling.shape).clip(0)
    wandering = {"falling": falling, "rising": falling + np.arange(12) ** 2 / 50}
    for name, loss in wandering.items():
        tails = LossTailAnalyzer().fit(loss)
        rises = tails.rise_verdict_ == "yes"
        assert rises == (name == "rising")
        shares = LossShareDisplay.from_analyzer(tails).plot()
        labels = [line.get_label() for line in shares.concentration_lines_]
        first = [f"{tails.onset_name_} (epoch {tails.onset_epoch_})"] if tails.onset_epoch_ < 11 else []
        assert labels == [*first, "end (epoch 11)"]
        record = Dynamics(y=[0, 1] * 20, classes=[0, 1], epochs=np.arange(12), loss=loss)
        drawn = [
            LossTailDisplay.from_analyzer(tails).plot().axes_[0],
            shares.axes_[0],
            LossDensityDisplay.from_dynamics(record).plot().ax_,
            LossHeatmapDisplay.from_dynamics(record).plot().ax_,
        ]
        assert [any("turn" in text.get_text() for text in ax.texts) for ax in drawn] == [rises] * 4
    given = LossTailDisplay.from_dynamics(falling, onset=3).plot()
    assert [text.get_text() for text in given.axes_[0].texts] == ["onset: epoch 3"]
    assert given.axes_[0].get_title(loc="left") == "Mean loss"


def test_shares_are_those_of_the_analyzer(record):
    tails = LossTailAnalyzer().fit(record)
    display = LossShareDisplay.from_analyzer(tails).plot()
    for line, share in zip(display.share_lines_, tails.share_curves_.T, strict=True):
        np.testing.assert_allclose(line.get_ydata(), 100 * share)
    for line, curve in zip(display.concentration_lines_, tails.concentration_, strict=True):
        np.testing.assert_allclose(line.get_ydata(), 100 * curve)
        np.testing.assert_allclose(line.get_xdata(), 100 * np.arange(1, 151) / 150)
    assert texts(display.axes_[0]) == ["0.1 %", "1 %", "5 %", "10 %"]
    assert texts(display.axes_[1]) == ["least mean (epoch 6)", "end (epoch 12)"]
    assert [line.get_linestyle() for line in display.concentration_lines_] == ["--", "-"]


def test_shares_of_few_samples_that_are_the_same_have_one_curve():
    loss = np.random.default_rng(0).exponential(size=(45, 3)) * [3, 2, 1]
    display = LossShareDisplay.from_dynamics(loss).plot()
    assert texts(display.axes_[0]) == ["0.1 and 1 %", "5 %", "10 %"]
    few = LossShareDisplay.from_dynamics(loss[:8]).plot()
    assert texts(few.axes_[0]) == ["0.1, 1, 5 and 10 %"]


def test_where_the_least_mean_is_the_end_there_is_one_curve():
    display = LossShareDisplay.from_dynamics(np.outer(np.arange(1.0, 201), [3, 2, 1])).plot()
    assert texts(display.axes_[1]) == ["end (epoch 2)"]
    assert display.axes_[1].get_title(loc="left") == "At the end"
    np.testing.assert_allclose(display.concentration_lines_[0].get_ydata(), 100 * display.concentration[1])


def test_a_mean_that_falls_to_the_end_is_seen_in_the_second_half_of_the_epochs():
    """And not only its last stretch."""
    mean = 2.0 ** -np.arange(9)
    ax = LossTailDisplay.from_dynamics(np.outer(np.ones(40), mean)).plot().axes_[0]
    low, high = ax.get_ylim()
    assert -0.05 < low < mean[-1] < mean[4] <= high


def test_bins_are_fewer_where_samples_are_few():
    loss = np.random.default_rng(0).exponential(size=(10_000, 2))
    bins = {n: len(density(loss[:n]).shares) for n in (4, 100, 10_000)}
    assert bins == {4: 10, 100: 20, 10_000: 80}
    assert len(density(loss, n_bins=7).shares) == 7
    with pytest.raises(ValueError, match="n_bins must be"):
        density(loss, n_bins=0)


def density(loss, **params):
    record = Dynamics(y=np.arange(len(loss)) % 2, classes=[0, 1], epochs=[0, 1], loss=loss)
    return LossDensityDisplay.from_dynamics(record, **params)


def test_shares_of_negative_losses_are_sent_back(record):
    with pytest.raises(
        ValueError, match="Losses are negative in part: shares of their total have no meaning"
    ):
        LossShareDisplay.from_dynamics(record.loss - 1)


@pytest.mark.parametrize("kind", CURVES)
def test_legends_lie_beside_each_other(record, kind):
    """Nothing leaves the figure, and no legend reaches into the next panel."""
    display = kind.from_dynamics(record).plot()
    display.figure_.canvas.draw()
    boxes = [ax.get_legend().get_window_extent() for ax in display.axes_ if ax.get_legend()]
    assert all(box.x1 <= display.figure_.bbox.x1 for box in boxes)
    assert len(boxes) == 1 or boxes[0].x1 < boxes[1].x0


# ----------------------------------------------------------------------------------------- maps


def test_a_row_of_the_map_is_one_sample_where_there_is_room(record):
    display = LossHeatmapDisplay.from_dynamics(record[:9], n_rows=500, floor=1e-12)
    first = int(display.rank_edges[1]) - 1
    order = np.argsort(-record.loss[:9, -1])
    np.testing.assert_allclose(display.values[0], np.exp(np.log(record.loss[order[:first]]).mean(axis=0)))
    assert display.rank_edges[[0, -1]].tolist() == [1, 10]


def test_rows_hold_every_sample_once_and_show_geometric_means():
    record = tailed_record(1000)
    display = LossHeatmapDisplay.from_dynamics(record, n_rows=20, floor=1e-12)
    assert (np.diff(display.rank_edges) > 0).all()
    assert len(display.values) == len(display.rank_edges) - 1 <= 20
    ordered = np.log(record.loss[np.argsort(-record.loss[:, -1])])
    for row, (low, high) in zip(display.values, pairwise(display.rank_edges), strict=True):
        np.testing.assert_allclose(row, np.exp(ordered[low - 1 : high - 1].mean(axis=0)))


def test_the_worst_are_on_top():
    display = LossHeatmapDisplay.from_dynamics(planted_record()).plot()
    np.testing.assert_allclose(display.values[0], [2, 1, 0.5, 64.5])
    bottom, top = display.ax_.get_ylim()
    assert (bottom, top) == (201, 1)
    np.testing.assert_array_equal(display.mesh_.get_array(), display.values)
    assert display.colorbar_.ax.get_ylabel() == "log loss (nats)"


def test_every_epoch_of_the_density_counts_every_sample(record):
    display = LossDensityDisplay.from_dynamics(record, n_bins=13, floor=1e-12).plot()
    np.testing.assert_allclose(display.shares.sum(axis=0), 1)
    assert display.loss_edges[[0, -1]].tolist() == [record.loss.min(), record.loss.max()]
    middle = (record.loss >= display.loss_edges[5]) & (record.loss < display.loss_edges[6])
    np.testing.assert_allclose(display.shares[5], middle.mean(axis=0))
    np.testing.assert_allclose(display.lines_["mean"].get_ydata(), record.loss.mean(axis=0))
    np.testing.assert_allclose(display.lines_["median"].get_ydata(), np.median(record.loss, axis=0))
    drawn = display.mesh_.get_array()
    np.testing.assert_array_equal(drawn.mask, display.shares == 0)
    np.testing.assert_allclose(drawn.compressed(), 100 * display.shares[display.shares > 0])


@pytest.mark.parametrize("kind", MAPS)
def test_losses_of_zero_are_drawn_at_the_floor(kind):
    zero = Dynamics(y=[0, 0], classes=[0], epochs=[0, 3], loss=[[1.0, 0.0], [1.0, 0.5]])
    display = kind.from_dynamics(zero, floor=1e-3).plot()
    assert np.isfinite(display.mesh_.get_array()).all()
    if kind is LossDensityDisplay:
        assert display.loss_edges[0] == 1e-3
        np.testing.assert_allclose(display.median, [1, 0.2505], atol=1e-3)
    else:
        assert display.values.min() == pytest.approx(1e-3)
    equal = Dynamics(y=[0, 0], classes=[0], epochs=[0, 3], loss=np.full((2, 2), 0.5))
    display = kind.from_dynamics(equal).plot()
    display.figure_.canvas.draw()
    edges = display.loss_edges if kind is LossDensityDisplay else display.rank_edges
    assert (np.diff(edges) > 0).all()


@pytest.mark.parametrize("kind", MAPS)
def test_a_loss_that_starts_below_zero_is_drawn_above_its_least(kind):
    loss = planted_losses() / 100
    shifted = planted_record()
    fields = {name: getattr(shifted, name) for name in ("y", "classes", "epochs")}
    tanimoto = Dynamics(**fields, loss=loss - 1, header=header_of("tanimoto"))
    one, other = kind.from_dynamics(tanimoto), kind.from_dynamics(Dynamics(**fields, loss=loss))
    assert one.loss_label == "tanimoto loss + 1"
    name = "values" if kind is LossHeatmapDisplay else "loss_edges"
    np.testing.assert_allclose(getattr(one, name), getattr(other, name))
    with pytest.raises(
        ValueError, match=r"A logarithm needs losses that are not negative, but the least is -0\.9975"
    ):
        kind.from_dynamics(Dynamics(**fields, loss=loss - 1))


def test_edges_lie_half_way():
    assert cell_edges([0, 1, 4]).tolist() == [-0.5, 0.5, 2.5, 5.5]
    assert cell_edges([3]).tolist() == [2.5, 3.5]


# ------------------------------------------------------------------------------------- pictures


def test_the_worst_samples_have_their_names_and_losses():
    record = planted_record()
    display = worst(record, n_pictures=3).plot()
    assert display.indices.tolist() == [*CARRIERS, 22]
    np.testing.assert_array_equal(display.images[1], [[84, 85], [86, 87]])
    np.testing.assert_array_equal(display.images_[1].get_array(), display.images[1])
    assert [ax.get_title() for ax in display.axes_] == ["2, read as 0", "0, read as 1", "1, read as 2"]
    assert [ax.get_xlabel() for ax in display.axes_] == ["loss 0.5 → 64", "loss 0.5 → 64", "loss 0.5 → 1"]
    title = " ".join(display.figure_.get_suptitle().split())
    assert title == "Greatest loss at the end (loss at the least mean → at the end)"


def test_a_loss_that_is_least_at_the_end_is_said_once():
    loss = np.tile([3.0, 2.0, 1.0], (40, 1))
    record = Dynamics(
        y=[0] * 40, classes=[0, 1], epochs=[0, 1, 2], loss=loss, prediction=np.zeros((40, 3), dtype=int)
    )
    display = worst(record, n_pictures=2).plot()
    assert [ax.get_xlabel() for ax in display.axes_] == ["loss 1", "loss 1"]
    assert display.figure_.get_suptitle() == "Greatest loss at the end"


def test_the_greatest_rise_is_another_order():
    loss = np.tile([2.0, 1.0, 0.5], (40, 1))
    loss[3] = [9.0, 9.0, 9.0]
    loss[5] = [2.0, 0.1, 6.0]
    record = Dynamics(
        y=[0] * 40, classes=[0, 1], epochs=[0, 1, 2], loss=loss, prediction=np.zeros((40, 3), dtype=int)
    )
    assert worst(record, onset=1, n_pictures=2).indices.tolist() == [3, 5]
    display = worst(record, onset=1, by="rise", n_pictures=2)
    assert display.indices.tolist()[0] == 5
    assert (display.before[0], display.after[0]) == (0.1, 6.0)
    assert display.title == "Greatest rise of the loss (loss at the onset → at the end)"
    tails = LossTailAnalyzer(onset=1).fit(record)
    again = WorstSamplesDisplay.from_analyzer(tails, record, np.zeros((40, 2, 2)), by="rise", n_pictures=2)
    np.testing.assert_array_equal(again.indices, display.indices)


@pytest.mark.parametrize(("n_pictures", "n_axes"), [(1, 1), (5, 5), (6, 6), (7, 7), (1000, 150)])
def test_there_are_as_many_axes_as_pictures(record, n_pictures, n_axes):
    display = worst(record, n_pictures=n_pictures)
    assert len(display.images) == n_axes
    if n_pictures < 100:
        assert len(display.plot().axes_) == len(display.figure_.axes) == n_axes


def test_pictures_on_the_axes_of_the_user(record):
    axes = plt.subplots(2, 2)[1]
    display = worst(record, n_pictures=4).plot(axes)
    assert display.axes_.tolist() == axes.ravel().tolist()
    with pytest.raises(ValueError, match="a sequence of 4 matplotlib axes, one for each picture, got 3"):
        display.plot(axes.ravel()[:3])


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((3, 64), (3, 8, 8)), ((3, 192), (3, 8, 8, 3)), ((3, 4, 5), (3, 4, 5)), ((3, 1, 4, 5), (3, 4, 5)),
     ((3, 3, 4, 5), (3, 4, 5, 3)), ((3, 4, 5, 3), (3, 4, 5, 3))],
)  # fmt: skip
def test_images_come_in_many_shapes(shape, expected):
    X = np.random.default_rng(0).random(shape)
    assert as_images(X).shape == expected


def test_features_in_rows_are_no_pictures():
    """Iris would be drawn as 2 x 2 pixels, and any hundred features as 10 x 10."""
    flowers = load_iris(return_X_y=True)[0]
    with pytest.raises(ValueError, match=r"^X must be pictures: .* give X\.reshape\(-1, 2, 2\)\.$"):
        as_images(flowers)
    features = np.random.default_rng(0).normal(size=(200, 100)) * np.arange(1, 101)
    with pytest.raises(ValueError, match=r"These 100 features look like no pixels"):
        as_images(features)
    assert as_images(features.reshape(-1, 10, 10)).shape == (200, 10, 10)
    digits = load_digits(return_X_y=True)[0]
    for pixels in (digits, (digits - digits.mean(axis=0)) / (digits.std(axis=0) + 1e-9)):
        np.testing.assert_array_equal(as_images(pixels), pixels.reshape(-1, 8, 8))


def test_colours_stay_within_their_range_and_their_place():
    X = np.zeros((1, 3, 2, 2))
    X[0, 2, 0, 1] = -4
    pictures = as_images(X)
    assert (pictures.min(), pictures.max()) == (0, 1)
    assert pictures[0, 0, 1].tolist() == [1, 1, 0]
    assert as_images(np.ones((1, 3, 2, 2))).max() == 0


@pytest.mark.parametrize("shape", [(150,), (150, 5), (150, 2, 4, 4), (150, 3, 4, 4, 4)])
def test_what_is_no_picture_is_sent_back(record, shape):
    with pytest.raises(ValueError, match=r"X must be pictures: .*got shape \(150,"):
        WorstSamplesDisplay.from_dynamics(record, np.zeros(shape))


def test_pictures_belong_to_the_record(record):
    with pytest.raises(ValueError, match="X has 149 samples, but the record has 150"):
        WorstSamplesDisplay.from_dynamics(record, np.zeros((149, 2, 2)))
    tails = LossTailAnalyzer().fit(record[:100])
    with pytest.raises(
        ValueError, match="fitted on 100 samples, but the record has 150: give the record that was"
    ):
        WorstSamplesDisplay.from_analyzer(tails, record, np.zeros((150, 2, 2)))
    with pytest.raises(ValueError, match="by must be one of 'loss', 'rise'; got 'size'"):
        worst(record, by="size")
    bare = Dynamics(y=record.y, classes=record.classes, epochs=record.epochs, loss=record.loss)
    with pytest.raises(ValueError, match="This record has no prediction"):
        worst(bare)
