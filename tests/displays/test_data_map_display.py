"""The data map: every sample at its place, and what stands on the axes."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import same_color
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from sklearn_nndyn import SampleScoreAnalyzer
from sklearn_nndyn.displays import DataMapDisplay
from sklearn_nndyn.dynamics import Dynamics

EPOCHS = [0, 1, 2, 3, 4]


def record(p, *, loss="log", has_probabilities=True, epochs=EPOCHS, seed=0):
    """Two classes, and probabilities (n_samples, 4) of the label after the start."""
    p = np.column_stack([np.full(len(p), 0.5), p])
    y = np.random.default_rng(seed).integers(0, 2, len(p))
    right = p > 0.5
    return Dynamics(
        y=y,
        classes=[0, 1],
        epochs=epochs,
        loss=-np.log(p),
        margin=np.log(p / (1 - p)),
        prediction=np.where(right, y[:, None], 1 - y[:, None]),
        probability=p if has_probabilities else None,
        header={"loss": loss},
    )


@pytest.fixture
def p():
    return np.random.default_rng(1).uniform(0.05, 0.95, (40, 4))


def places(points):
    return np.asarray(points.get_offsets())


def test_it_takes_its_numbers_then_draws_and_returns_itself(p):
    before = dict(plt.rcParams)
    display = DataMapDisplay.from_dynamics(record(p))
    assert plt.get_fignums() == []
    assert [name for name in vars(display) if name.endswith("_")] == []
    assert display.plot() is display
    first = display.figure_
    first.canvas.draw()
    assert display.plot().figure_ is not first
    assert dict(plt.rcParams) == before
    assert not isinstance(display, BaseEstimator)


def test_every_sample_stands_at_the_mean_and_deviation_of_its_probability(p):
    display = DataMapDisplay.from_dynamics(record(p)).plot()
    expected = np.column_stack([p.std(axis=1), p.mean(axis=1), 100 * (p > 0.5).mean(axis=1)])
    found = np.column_stack([places(display.points_), display.points_.get_array()])
    order, other = np.lexsort(found.T[:2]), np.lexsort(expected.T[:2])
    np.testing.assert_allclose(found[order], expected[other], rtol=1e-5)
    assert display.points_.get_clim() == (0, 100)


def test_what_was_right_least_often_lies_on_top(p):
    display = DataMapDisplay.from_dynamics(record(p)).plot()
    assert (np.diff(display.points_.get_array()) <= 0).all()


def test_nothing_lies_outside_the_axes(p):
    extremes = np.vstack([p, np.full((1, 4), 0.999), np.full((1, 4), 0.001), [[0.01, 0.99, 0.01, 0.99]]])
    ax = DataMapDisplay.from_dynamics(record(extremes)).plot().ax_
    shown = places(ax.collections[0])
    assert (shown > [ax.get_xlim()[0], ax.get_ylim()[0]]).all()
    assert (shown < [ax.get_xlim()[1], ax.get_ylim()[1]]).all()
    still = DataMapDisplay.from_dynamics(record(np.full((3, 4), 0.7))).plot().ax_
    assert still.get_xlim()[1] >= 0.1


def test_the_marked_have_rings_and_a_name(p):
    marked = np.zeros(40, dtype=bool)
    marked[[3, 17, 22]] = True
    display = DataMapDisplay.from_dynamics(record(p), highlight=marked, highlight_name="suspects").plot()
    np.testing.assert_allclose(
        places(display.rings_), np.column_stack([p.std(axis=1), p.mean(axis=1)])[marked], rtol=1e-5
    )
    (words,) = display.ax_.get_legend().get_texts()
    assert words.get_text() == "3 suspects"
    assert len(display.rings_.get_facecolor()) == 0
    assert same_color(display.rings_.get_edgecolor()[0], "#D55E00")


@pytest.mark.parametrize("marked", [None, np.zeros(40, dtype=bool)])
def test_without_marked_samples_there_are_no_rings_and_no_legend(p, marked):
    display = DataMapDisplay.from_dynamics(record(p), highlight=marked).plot()
    assert display.rings_ is None
    assert display.ax_.get_legend() is None


def test_points_are_smaller_in_a_crowd_and_never_vanish():
    area = [
        DataMapDisplay(*np.full((3, n), 0.5)).plot().points_.get_sizes().item()
        for n in (1, 150, 10_000, 100_000)
    ]
    assert area[0] == area[1] > area[2] == area[3] > 0


def test_points_of_a_vector_graphic_are_pixels(p):
    display = DataMapDisplay.from_dynamics(record(p), highlight=np.ones(40, dtype=bool)).plot()
    assert display.points_.get_rasterized()
    assert display.rings_.get_rasterized()


def test_the_axes_say_what_is_shown(p):
    ax = DataMapDisplay.from_dynamics(record(p)).plot().ax_
    assert ax.get_ylabel() == "confidence\n(mean probability of the label)"
    assert ax.get_xlabel() == "variability\n(deviation of the probability of the label)"


def test_a_network_without_probabilities_has_no_map(p):
    message = (
        r"^The data map needs the probability of the label, which the record does not hold: was the network trained "
        r"with a loss that has probabilities\? It was the squared hinge loss\.$"
    )
    without = record(p, loss="squared_hinge", has_probabilities=False)
    with pytest.raises(ValueError, match=message):
        DataMapDisplay.from_dynamics(without)
    with pytest.raises(ValueError, match=message):
        DataMapDisplay.from_analyzer(SampleScoreAnalyzer().fit(without))


def test_the_scores_of_an_analyzer_are_its_own_or_those_of_another_record(p):
    scores = SampleScoreAnalyzer().fit(record(p))
    own, direct = DataMapDisplay.from_analyzer(scores), DataMapDisplay.from_dynamics(record(p))
    other = DataMapDisplay.from_analyzer(scores, record(p[::-1]))
    for name in ("variability", "confidence", "correctness"):
        np.testing.assert_array_equal(getattr(own, name), getattr(direct, name))
        np.testing.assert_allclose(getattr(other, name), getattr(own, name)[::-1], rtol=1e-6)


def test_a_record_without_early_epochs_has_a_map(p):
    late = record(p, epochs=[0, 100, 200, 300, 400])
    display = DataMapDisplay.from_dynamics(late)
    np.testing.assert_allclose(display.confidence, p.mean(axis=1), rtol=1e-5)


def test_it_draws_where_it_is_told(p):
    figure, axes = plt.subplots(1, 2)
    display = DataMapDisplay.from_dynamics(record(p)).plot(axes[1])
    assert display.ax_ is axes[1]
    assert display.figure_ is figure
    told = "ax must be a sequence of 1 matplotlib axes, one for each panel, got 2."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        DataMapDisplay.from_dynamics(record(p)).plot(axes)


@pytest.mark.parametrize(
    ("highlight", "told"),
    [
        ([True], "an array of bool of shape (1,)."),
        (np.arange(40), "an array of int64 of shape (40,)."),
        (np.ones((40, 1), dtype=bool), "an array of bool of shape (40, 1)."),
    ],
)
def test_a_highlight_is_a_mask_of_the_samples(p, highlight, told):
    told = f"highlight must be True or False for each of the 40 samples, got {told}"
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        DataMapDisplay.from_dynamics(record(p), highlight=highlight)


def test_only_a_fitted_score_analyzer_will_do(p):
    with pytest.raises(TypeError, match=r"^Expected a fitted SampleScoreAnalyzer, got str\.$"):
        DataMapDisplay.from_analyzer("scores")
    with pytest.raises(NotFittedError, match=r"^This SampleScoreAnalyzer instance is not fitted yet"):
        DataMapDisplay.from_analyzer(SampleScoreAnalyzer())


def test_the_regions_of_the_map_have_names():
    ax = DataMapDisplay([0.1, 0.2], [0.5, 0.6], [0.5, 1.0]).plot().ax_
    assert [text.get_text() for text in ax.texts] == ["easy to learn", "ambiguous", "hard to learn"]
