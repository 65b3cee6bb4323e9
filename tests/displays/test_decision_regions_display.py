"""Regions: each place of the plane has the class that the classifier decides for there."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import same_color
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.datasets import make_checkerboard, make_spirals
from sklearn_nndyn.displays import DecisionRegionsDisplay
from sklearn_nndyn.displays._decision_regions import class_colours


@pytest.fixture
def board():
    return make_checkerboard(120, n_cells=2, n_classes=2, random_state=0)


def nearest(X, y):
    return KNeighborsClassifier(1).fit(X, y)


def of(estimators, X, y, **options):
    return DecisionRegionsDisplay.from_estimators(estimators, X, y, grid_resolution=30, **options)


def test_it_takes_its_numbers_then_draws_and_returns_itself(board):
    before = dict(plt.rcParams)
    display = of({"nearest": nearest(*board)}, *board)
    assert plt.get_fignums() == []
    assert [name for name in vars(display) if name.endswith("_")] == []
    assert display.plot() is display
    display.figure_.canvas.draw()
    assert dict(plt.rcParams) == before
    assert not isinstance(display, BaseEstimator)


@pytest.mark.parametrize(
    "names",
    [[0, 1, 2, 3], [-7, 0, 3, 1000], ["dog", "a cat", "eel", "bee"], [-1.0, 0.0, 2.0, 9.0]],
    ids=lambda names: type(names[0]).__name__,
)
def test_each_place_has_the_class_decided_for_there(names):
    X, y = make_checkerboard(200, random_state=0)
    y = np.array(names)[y]
    network = DynamicsClassifier(max_epochs=3, random_state=0).fit(X, y)
    display = of({"nearest": nearest(X, y), "network": network}, X, y)
    plane = np.column_stack([display.xx0.ravel(), display.xx1.ravel()])
    for name, estimator in (("nearest", nearest(X, y)), ("network", network)):
        decided = display.classes[display.regions[name]].ravel()
        np.testing.assert_array_equal(decided, estimator.predict(plane))
        drawn = display.plot().regions_[name].get_array().ravel()
        np.testing.assert_array_equal(display.classes[drawn.astype(int)], estimator.predict(plane))


def test_a_planted_half_plane_is_found():
    X = np.random.default_rng(0).uniform(-1, 1, (400, 2))
    y = X[:, 0] > 0.2
    display = of([nearest(X, y)], X, y)
    share = display.regions["KNeighborsClassifier"].mean()
    width = np.ptp(display.xx0)
    assert abs(share - (display.xx0.max() - 0.2) / width) < 0.1
    assert display.accuracies == {"KNeighborsClassifier": 1.0}


def test_the_plane_holds_all_points_with_some_room(board):
    X = board[0] * [1, 100]  # features of different size
    display = of([nearest(X, board[1])], X, board[1])
    for grid, feature in ((display.xx0, X[:, 0]), (display.xx1, X[:, 1])):
        assert grid.min() < feature.min()
        assert grid.max() > feature.max()


def test_accuracy_and_name_stand_above_each_panel(board):
    X, y = board
    estimators = {"nearest_one": nearest(X, y), "a line": LogisticRegression().fit(X, y)}
    display = of(estimators, X, y).plot()
    titles = [ax.get_title("left") for ax in display.axes_]
    line = estimators["a line"].score(X, y)
    assert titles == ["nearest one, 100.0 % right", f"a line, {100 * line:.1f} % right"]
    long = of({"a name that is longer than its panel": nearest(X, y)}, X, y).plot()
    assert long.axes_[0].get_title("left") == "a name that is longer than\nits panel, 100.0 % right"


def test_points_have_the_strong_colour_of_their_class_and_regions_the_pale_one(board):
    X, y = board
    display = of([nearest(X, y)], X, y).plot()
    points, region = display.points_["KNeighborsClassifier"], display.regions_["KNeighborsClassifier"]
    np.testing.assert_array_equal(points.get_offsets(), X)
    for position, label in enumerate(display.classes):
        strong = points.to_rgba(position)[:3]
        assert same_color(strong, class_colours(2)[position])
        assert set(points.get_array()[y == label]) == {position}
        pale = np.array(region.to_rgba(position)[:3])
        assert (pale >= strong).all()
        assert pale.sum() > np.sum(strong)


@pytest.mark.parametrize("n_classes", [2, 8, 9, 40])
def test_no_two_classes_have_one_colour(n_classes):
    colours = class_colours(n_classes)
    assert colours.shape == (n_classes, 3)
    assert len(np.unique(colours.round(3), axis=0)) == n_classes


def test_a_sequence_is_named_by_losses_and_kinds(board):
    X, y = board
    networks = [DynamicsClassifier(loss=loss, max_epochs=1).fit(X, y) for loss in ("log", "l2", "log")]
    display = of([*networks, nearest(X, y)], X, y)
    assert list(display.regions) == ["log 1", "l2", "log 2", "KNeighborsClassifier"]
    assert list(of(networks[1], X, y).regions) == ["l2"]


def test_a_classifier_that_knows_some_classes_only(board):
    X = board[0]
    some = make_checkerboard(120, n_cells=2, n_classes=4, random_state=0)[1]
    display = of({"two": nearest(X[some > 1], some[some > 1]), "four": nearest(X, some)}, X, some)
    assert set(np.unique(display.regions["two"])) == {2, 3}
    assert set(np.unique(display.regions["four"])) == {0, 1, 2, 3}


def test_twelve_panels_in_rows_of_four_and_axes_of_ones_own(board):
    X, y = board
    estimators = {f"{i}": nearest(X, y) for i in range(6)}
    display = of(estimators, X, y).plot()
    assert len(display.axes_) == len(display.figure_.axes) == 6
    assert display.figure_.get_size_inches()[0] == 7
    figure, axes = plt.subplots(2, 3)
    assert of(estimators, X, y).plot(axes).figure_ is figure
    told = "ax must be a sequence of 6 matplotlib axes, one for each classifier, got 1."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        of(estimators, X, y).plot(axes[0, 0])


def test_frames_and_lists_and_pipelines_are_taken_as_they_come(board):
    X, y = board
    frame = pd.DataFrame(X, columns=["left", "up"])
    pipe = make_pipeline(StandardScaler(), KNeighborsClassifier(1)).fit(frame, list(y))
    of_frame, of_list = of({"": pipe}, frame, y), of([nearest(X, y)], X.tolist(), y.tolist())
    np.testing.assert_array_equal(of_frame.regions[""], pipe.predict(_plane(of_frame, frame)).reshape(30, 30))
    assert of_list.accuracies == {"KNeighborsClassifier": 1.0}


def _plane(display, frame):
    return pd.DataFrame(
        {name: grid.ravel() for name, grid in zip(frame, (display.xx0, display.xx1), strict=True)}
    )


@pytest.mark.parametrize("nothing", [[], {}, ()])
def test_nothing_cannot_be_drawn(board, nothing):
    with pytest.raises(ValueError, match=r"^estimators: give at least one fitted classifier\.$"):
        of(nothing, *board)


@pytest.mark.parametrize("shape", [(120, 3), (120, 1), (120,), (0, 2), (120, 2, 1)])
def test_only_two_features_can_be_drawn(board, shape):
    told = f"X must have two features, shape (n_samples, 2), to be drawn; got shape {shape}."
    with pytest.raises(ValueError, match=f"^{re.escape(told)}$"):
        of([nearest(*board)], np.zeros(shape), np.zeros(shape[0]))


def test_mistakes_are_told_with_the_name_of_the_classifier(board):
    X, y = board
    with pytest.raises(NotFittedError, match=r"^100% new is not fitted: call fit first\.$"):
        of({"fitted": nearest(X, y), "100% new": DynamicsClassifier()}, X, y)
    wide = nearest(np.zeros((4, 3)), [0, 1, 0, 1])
    with pytest.raises(
        ValueError, match=r"^wide was fitted on 3 features: only those of two can be drawn\.$"
    ):
        of({"wide": wide}, X, y)
    with pytest.raises(
        ValueError, match=r"^Found input variables with inconsistent numbers of samples: \[120, 5\]$"
    ):
        of([nearest(X, y)], X, y[:5])


def test_axes_and_classes_have_names():
    X, y = make_spirals(60, n_arms=3, random_state=0)
    frame = pd.DataFrame(X, columns=["width", "height"])
    names = np.array(["ant", "bee", "cow"])[y]
    tree = DecisionTreeClassifier(random_state=0)
    five = [clone(tree).set_params(max_depth=depth).fit(frame, names) for depth in range(1, 6)]
    display = DecisionRegionsDisplay.from_estimators(five, frame, names, grid_resolution=8).plot()
    assert [text.get_text() for text in display.legend_.get_texts()] == ["ant", "bee", "cow"]
    assert [ax.get_xlabel() for ax in display.axes_] == ["", "width", "width", "width", "width"]
    assert [ax.get_ylabel() for ax in display.axes_] == ["height", "", "", "", "height"]
    plain = DecisionRegionsDisplay.from_estimators([tree.fit(X, y)], X, y, grid_resolution=8)
    ax = plain.plot(plt.subplots()[1]).axes_[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("first feature", "second feature")
    many = tree.fit(X, np.arange(60) % 30)
    assert DecisionRegionsDisplay.from_estimators([many], X, np.arange(60) % 30).plot().legend_ is None
