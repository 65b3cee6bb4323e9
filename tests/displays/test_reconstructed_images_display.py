"""The pictures of what a layer gives back."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_nndyn.displays import ReconstructedImagesDisplay
from sklearn_nndyn.dynamics import Dynamics
from tests.analyzers.planted_phases import EPOCHS
from tests.displays.entangled import Fitted


def boxes_apart(boxes):
    return all(one.x1 < other.x0 for one, other in pairwise(boxes))


class GivesBack(Fitted):
    """Stands in for a classifier with snapshots: gives back a share of the input that grows with the epoch."""

    replay = at_epoch = activations = None

    def reconstruct(self, X, *, X_train, layer, epoch):
        self.asked_ = (np.shape(X_train), layer)
        return X * epoch / (1 + epoch)


def images(*shape, n=3):
    return np.random.default_rng(0).normal(size=(n, *shape))


def model(epochs=EPOCHS):
    values = np.ones((4, len(epochs)))
    return GivesBack().fit(Dynamics(y=[0, 1, 1, 0], classes=[0, 1], epochs=epochs, loss=values))


SHAPES = {
    "grey": (4, 5),
    "one channel first": (1, 4, 5),
    "one channel last": (4, 5, 1),
    "colours first": (3, 4, 5),
    "colours last": (4, 5, 3),
    "square rows": (16,),
    "square rows of colours": (48,),
}


def test_a_display_computes_then_draws_and_returns_itself():
    before = dict(plt.rcParams)
    X = images(16)
    display = ReconstructedImagesDisplay.from_estimator(model(), X, X_train=X)
    assert plt.get_fignums() == []
    assert [name for name in vars(display) if name.endswith("_")] == []
    assert display.plot() is display
    first = display.figure_
    assert first.dpi == 150  # as all our pictures
    assert first.get_size_inches()[0] == pytest.approx(6 * 1.1)
    assert display.plot().figure_ is not first
    assert dict(plt.rcParams) == before


@pytest.mark.parametrize(("n", "n_epochs"), [(1, 1), (3, 5), (2, 12)])
def test_pictures_fit_on_a_page_of_two_columns(n, n_epochs):
    original = images(8, 8, n=n)
    errors = np.full((n_epochs, n), 0.0123)
    display = ReconstructedImagesDisplay(original, [original] * n_epochs, EPOCHS[:n_epochs], errors).plot()
    width, _ = display.figure_.get_size_inches()
    assert width <= 7
    display.figure_.canvas.draw()
    for words in ("title", "xlabel"):
        for row in display.axes_:
            texts = [ax.title if words == "title" else ax.xaxis.label for ax in row]
            assert boxes_apart([text.get_window_extent() for text in texts if text.get_text()])
    boxes = np.array([[ax.get_window_extent() for ax in row] for row in display.axes_])
    assert np.ptp(boxes[..., 1, 0] - boxes[..., 0, 0]) < 1
    assert (boxes[..., 1, 0] - boxes[..., 0, 0] > 0.7 * width / (1 + n_epochs) * display.figure_.dpi).all()


@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
def test_images_of_many_shapes_have_one_scale_of_brightness(shape):
    original = images(*shape)
    given_back = np.stack([0.5 * original, 3 * original])
    display = ReconstructedImagesDisplay(original, given_back, [0, 2]).plot()
    assert display.axes_.shape == display.images_.shape == (3, 3)
    low, high = original.min(), original.max()
    colours = display.images_[0, 0].get_array().ndim == 3
    assert colours == ("colours" in next(name for name, own in SHAPES.items() if own == shape))
    assert display.images_[0, 0].get_array().shape[:2] == ((4, 4) if len(shape) == 1 else (4, 5))
    for i in range(3):
        for drawn, own in zip(display.images_[i], [original[i], *given_back[:, i]], strict=True):
            expected = np.clip(own, low, high)
            if colours:
                expected = (expected - low) / (high - low)
            else:
                assert drawn.get_clim() == (low, high)
            np.testing.assert_allclose(np.sort(drawn.get_array(), axis=None), np.sort(expected, axis=None))


def test_pixels_stay_in_their_place():
    original = np.arange(2 * 3 * 4.0).reshape(2, 3, 4)
    display = ReconstructedImagesDisplay(original, [original / 2], [0]).plot()
    for i in range(2):
        np.testing.assert_array_equal(display.images_[i, 0].get_array(), original[i])
        np.testing.assert_array_equal(display.images_[i, 1].get_array(), original[i] / 2)
        assert display.images_[i, 1].axes is display.axes_[i, 1]
    colours = np.arange(2 * 3 * 4 * 5.0).reshape(2, 3, 4, 5)
    expected = np.moveaxis(colours, 1, -1) / 119
    for given in (colours, np.moveaxis(colours, 1, -1)):
        drawn = ReconstructedImagesDisplay(given, [given], [0]).plot().images_
        np.testing.assert_allclose([own[0].get_array() for own in drawn], expected)
    flat = ReconstructedImagesDisplay(
        original.reshape(2, 12), [original.reshape(2, 12)], [0], image_shape=(3, 4)
    )
    np.testing.assert_array_equal(flat.plot().images_[1, 1].get_array(), original[1])


def test_epochs_and_errors_are_written():
    original = images(4, 4, n=2)
    errors = np.array([[0.5, 0.25], [0.125, 2000]])
    display = ReconstructedImagesDisplay(original, [original, original], [0, 1 / 3], errors).plot()
    assert [ax.get_title() for ax in display.axes_[0]] == ["original", "epoch 0", "epoch 0.333"]
    assert [ax.get_title() for ax in display.axes_[1]] == [""] * 3
    written = [[ax.get_xlabel() for ax in row] for row in display.axes_]
    assert written == [["mean sq. error", "0.5", "0.125"], ["mean sq. error", "0.25", "2,000"]]
    bare = ReconstructedImagesDisplay(original, [original], [0]).plot()
    assert {ax.get_xlabel() for ax in bare.axes_.ravel()} == {""}
    display.figure_.canvas.draw()
    for row in display.axes_:
        assert boxes_apart([ax.xaxis.label.get_window_extent() for ax in row])
    assert boxes_apart([ax.title.get_window_extent() for ax in display.axes_[0]])
    below = display.axes_[0, 1].xaxis.label.get_window_extent().y0
    assert below > display.axes_[1, 1].get_window_extent().y1


def test_a_model_gives_images_back():
    X = images(16, n=4)
    clf = model()
    display = ReconstructedImagesDisplay.from_estimator(
        clf, X, X_train=images(16, n=9), epochs=[0, 0.5], layer=0
    )
    assert clf.asked_ == ((9, 16), 0)
    np.testing.assert_array_equal(display.images, X)
    np.testing.assert_allclose(display.reconstructions, [0 * X, X / 3])
    np.testing.assert_allclose(display.errors, [(X**2).mean(axis=1), (4 / 9 * X**2).mean(axis=1)])
    assert display.epochs.tolist() == [0, 0.5]
    assert display.plot().axes_.shape == (4, 3)
    default = ReconstructedImagesDisplay.from_estimator(clf, X, X_train=X)
    assert default.epochs.tolist() == EPOCHS[[0, 3, 6, 8, 11]].tolist()
    assert clf.asked_ == ((4, 16), -1)
    few = ReconstructedImagesDisplay.from_estimator(model([0, 1, 2]), X, X_train=X, image_shape=(2, 8))
    assert few.epochs.tolist() == [0, 1, 2]
    assert few.plot().images_[0, 0].get_array().shape == (2, 8)


def test_in_a_pipeline_the_last_step_receives_what_is_shown():
    X = images(16, n=4)
    pipe = make_pipeline(FunctionTransformer(lambda X: 2 * X), model())
    display = ReconstructedImagesDisplay.from_estimator(pipe, X, X_train=X[:3], epochs=[1])
    np.testing.assert_array_equal(display.images, 2 * X)
    np.testing.assert_array_equal(display.reconstructions, [X])


def test_images_on_the_axes_of_the_user():
    figure, axes = plt.subplots(3, 2)
    original = images(4, 4)
    display = ReconstructedImagesDisplay(original, [original], [0]).plot(axes)
    assert display.figure_ is figure
    assert display.axes_.tolist() == axes.tolist()
    with pytest.raises(ValueError, match="a sequence of 6 matplotlib axes, one for each picture, got 5"):
        ReconstructedImagesDisplay(original, [original], [0]).plot(axes.ravel()[:5])


def test_what_is_no_picture_is_refused():
    X = images(15)
    for call in (
        lambda: ReconstructedImagesDisplay(X, [X], [0]).plot(),
        lambda: ReconstructedImagesDisplay.from_estimator(model(), X, X_train=X),
    ):
        with pytest.raises(ValueError, match=r"^X must be pictures: .*got shape \("):
            call()
    with pytest.raises(ValueError, match=r"^image_shape \(4, 4\) has 16 values, but an image has 15.$"):
        ReconstructedImagesDisplay(X, [X], [0], image_shape=(4, 4)).plot()
    with pytest.raises(TypeError, match=r"^Expected a fitted model: a DynamicsClassifier, .*; got Fitted"):
        ReconstructedImagesDisplay.from_estimator(Fitted().fit(model().dynamics_), X, X_train=X)
    X = images(16)
    message = r"^reconstructions must have shape \(2, 3, 16\), an entry for each epoch and image; got \(1, 3, 16\).$"
    with pytest.raises(ValueError, match=message):
        ReconstructedImagesDisplay(X, [X], [0, 1]).plot()
    message = r"^errors must have shape \(1, 3\), one for each epoch and image; got \(3, 1\).$"
    with pytest.raises(ValueError, match=message):
        ReconstructedImagesDisplay(X, [X], [0], np.ones((3, 1))).plot()
