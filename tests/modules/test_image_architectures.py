"""What holds for every architecture for images: alone, in the classifier, and wherever scikit-learn puts it."""

import pickle
import re

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.classifiers.together import _programs
from sklearn_nndyn.modules import VGG, ResNet, build_module
from tests.classifiers.together.comparing import assert_as_its_own_fit, fit_both
from tests.modules.by_hand import images

TINY = {
    "vgg": VGG(((4, 2), (6, 1))),
    "vgg-plain": VGG(((4, 2), (6, 2)), batch_norm=False),
    "resnet": ResNet(((4, 1), (6, 2))),
}
LAYERS = {
    "vgg": ["conv1", "conv2"],
    "vgg-plain": ["conv1", "conv2"],
    "resnet": [
        *("stem.conv", "stage1.block1.conv1", "stage1.block1.conv2", "stage2.block1.conv1"),
        *("stage2.block1.conv2", "stage2.block2.conv1", "stage2.block2.conv2"),
    ],
}
PRESETS = [VGG(layout) for layout in ("V8", "V11", "V13", "V16")] + [ResNet("ResNet10"), ResNet("ResNet18")]
BETWEEN = PRESETS[1:3]  # of the same parts as the least and the greatest
tiny = pytest.mark.parametrize("architecture", TINY.values(), ids=TINY)
normed = pytest.mark.parametrize("architecture", [TINY["vgg"], TINY["resnet"]], ids=["vgg", "resnet"])
kinds = pytest.mark.parametrize("kind", [VGG, ResNet])


@pytest.fixture
def programs(monkeypatch):
    """The numbers of estimators in each program that was trained, in order."""
    sizes, run = [], _programs._run

    def watched(program, progress):
        sizes.append(len(program))
        return run(program, progress)

    monkeypatch.setattr(_programs, "_run", watched)
    return sizes


def built(architecture, shape=(2, 8, 8), seed=0):
    torch.manual_seed(seed)
    return build_module(architecture, shape, 3)


def weights(module):
    return torch.cat([p.detach().flatten() for p in module.parameters()])


def data(n=30, shape=(1, 8, 8)):
    """Images whose class lies in which third of the rows is bright."""
    X, y = images(n, *shape).astype(np.float32), np.arange(n) % 3
    for i, c in enumerate(y):
        X[i, ..., 3 * c : 3 * c + 2, :] += 2
    return X, np.array(["cat", "dog", "eel"])[y]


def classifier(architecture, **changes):
    settings = {"max_epochs": 2, "batch_size": 8, "lr": 0.01, "random_state": 0}
    return DynamicsClassifier(**{"module": architecture, **settings, **changes})


def on_rows(architecture, shape=(1, 8, 8)):
    return clone(architecture).set_params(input_shape=shape)


# The module


@pytest.mark.parametrize(
    "architecture",
    [
        pytest.param(preset, id=repr(preset), marks=pytest.mark.slow if preset in BETWEEN else ())
        for preset in PRESETS
    ],
)
def test_every_parameter_of_a_preset_learns(architecture):
    """At the least size that the layout takes."""
    size = 17 if isinstance(architecture, VGG) else 5
    module = built(architecture, (3, size, size)).train()
    scores = module(torch.tensor(images(4, 3, size, size), dtype=torch.float32))
    assert scores.shape == (4, 3)
    torch.nn.functional.cross_entropy(scores, torch.tensor([0, 1, 2, 0])).backward()
    for name, parameter in module.named_parameters():
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.any(), name


@tiny
def test_its_weights_are_those_of_the_generator(architecture):
    assert torch.equal(weights(built(architecture)), weights(built(architecture)))
    assert not torch.equal(weights(built(architecture)), weights(built(architecture, seed=1)))


@tiny
def test_an_architecture_makes_a_new_network_each_time(architecture):
    first, second = built(architecture), built(architecture)
    assert {p.data_ptr() for p in first.parameters()}.isdisjoint(p.data_ptr() for p in second.parameters())
    assert vars(architecture) == vars(clone(architecture))


@normed
def test_training_and_evaluation_differ_as_batch_normalisation_does(architecture):
    """In training a sample's scores depend on its batch; in evaluation not, and evaluating changes nothing."""
    module, x = built(architecture), torch.tensor(images(6, 2, 8, 8), dtype=torch.float32)
    with torch.no_grad():
        module.train()
        assert not torch.allclose(module(x)[:3], module(x[:3]), atol=1e-3)
        module.eval()
        before = {name: value.clone() for name, value in module.state_dict().items()}
        torch.testing.assert_close(module(x)[:3], module(x[:3]))
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert {int(value) for name, value in before.items() if name.endswith("tracked")} == {2}


@tiny
def test_module_and_architecture_can_be_pickled(architecture):
    module, again = built(architecture).eval(), pickle.loads(pickle.dumps(architecture))
    assert repr(again) == repr(architecture)
    assert torch.equal(weights(built(again)), weights(module))
    x = torch.ones(2, 2, 8, 8)
    with torch.no_grad():
        assert torch.equal(pickle.loads(pickle.dumps(module))(x), module(x))


# The shape of samples


@tiny
@pytest.mark.parametrize("shape", [(64,), (8, 8)], ids=str)
@pytest.mark.parametrize(
    "make", [build_module, lambda a, shape, k: a.build(shape, k)], ids=["as-module", "itself"]
)
def test_samples_take_the_shape_of_the_architecture(architecture, shape, make):
    """Parts keep their names, so that a network of rows can go on with images."""
    rows, x = on_rows(architecture), torch.randn(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    module = make(rows, shape, 3).eval()
    expected = built(architecture, (1, 8, 8)).eval()
    assert list(module.state_dict()) == list(expected.state_dict())
    assert list(module._modules) == ["reshape", *expected._modules]
    with torch.no_grad():
        assert torch.equal(module(x.reshape(5, *shape)), expected(x))


@tiny
def test_samples_that_have_it_are_taken_as_they_are(architecture):
    for given in [(1, 8, 8), [1, 8, 8], [np.int64(1), np.int64(8), np.int64(8)]]:
        assert repr(built(on_rows(architecture, given), (1, 8, 8))) == repr(built(architecture, (1, 8, 8)))
        assert built(on_rows(architecture, given), (64,))(torch.ones(2, 64)).shape == (2, 3)


@kinds
@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((64,), "give the images' shape, as in input_shape=(1, 8, 8), or X as images."),
        ((192,), "give the images' shape, as in input_shape=(3, 8, 8), or X as images."),
        ((65,), "give the images' shape, as in input_shape=(channels, height, width), or X as images."),
        ((8, 9), "give input_shape=(1, 8, 9), or X[:, None] with an axis for the one channel."),
        ((2, 3, 8, 8), "give X three axes after that of the samples."),
        ((), "give X three axes after that of the samples."),
    ],
    ids=str,
)
def test_samples_that_are_no_images_are_told(kind, shape, message):
    start = f"{kind.__name__} is for images (channels, height, width), but samples have shape {shape}: "
    with pytest.raises(ValueError, match="^" + re.escape(start + message) + "$"):
        kind().build(shape, 3)


@kinds
@pytest.mark.parametrize(
    "shape", [(65,), (8, 9), (8, 8, 1, 2), (2, 4, 8), (8, 4, 2), (8, 8, 1, 1, 2)], ids=str
)
def test_samples_of_another_size_than_was_said_are_told(kind, shape):
    message = (
        f"{kind.__name__}: input_shape=(1, 8, 8) takes samples of that shape or rows of 64 values, but samples have "
        f"shape {shape}."
    )
    architecture = kind([(2, 1)], input_shape=[1, 8, 8])
    for make in (build_module, lambda architecture, shape, k: architecture.build(shape, k)):
        with pytest.raises(ValueError, match="^" + re.escape(message) + "$"):
            make(architecture, shape, 3)


def test_the_shape_that_was_said_is_held_against_the_layout():
    with pytest.raises(ValueError, match=r"^VGG: images of 8 x 8 are too small for layout='V8'"):
        build_module(VGG(input_shape=(1, 8, 8)), (64,), 3)


# Parameters out of range

MUST_BE = {
    VGG: "one of V8, V11, V13, V16, or a sequence of (width, stride) pairs such as [(32, 2), (64, 2)]",
    ResNet: "one of ResNet10, ResNet18, or a sequence of (width, blocks) pairs such as [(64, 1), (128, 1)]",
}
NO_LAYOUTS = {
    "unknown": "V9",
    "number": 8,
    "nothing": None,
    "empty": (),
    "set": {(4, 2)},
    "one-pair": (4, 2),
    "no-width": [(0, 1)],
    "negative": [(4, -1)],
    "half": [(4, 1.5)],
    "boolean": [(4, True)],
    "text": [("4", 1)],
    "triple": [(4, 1, 1)],
    "single": [(4,)],
    "second": [(4, 1), 5],
    "texts": ["ab"],
}


@kinds
@pytest.mark.parametrize("layout", NO_LAYOUTS.values(), ids=NO_LAYOUTS)
def test_a_layout_that_is_none_is_told(kind, layout):
    architecture = kind(layout)  # without a word: parameters are checked when they are used
    uses = (
        architecture.check_parameters,
        lambda: architecture.build((1, 8, 8), 3),
        lambda: classifier(architecture).fit(*data(6)),
    )
    for use in uses:
        with pytest.raises(ValueError, match=f"^{kind.__name__}: layout must be ") as message:
            use()
        assert str(message.value) == f"{kind.__name__}: layout must be {MUST_BE[kind]}, got {layout!r}."


@kinds
@pytest.mark.parametrize(
    "value", [8, "188", (8, 8), (1, 8, 8, 1), (0, 8, 8), (1.0, 8, 8), (True, 8, 8)], ids=repr
)
def test_an_input_shape_that_is_none_is_told(kind, value):
    message = "input_shape must be None or three positive integers (channels, height, width), got "
    with pytest.raises(ValueError, match="^" + re.escape(f"{kind.__name__}: {message}{value!r}.") + "$"):
        kind(input_shape=value).check_parameters()


@kinds
def test_whole_numbers_of_any_kind_make_a_layout(kind):
    expected = repr(kind(((4, 1), (5, 2))).build((1, 8, 8), 3))
    for layout in [[[4, 1], [5, 2]], [(np.int64(4), np.int32(1)), (np.uint8(5), 2)]]:
        assert repr(kind(layout).build((1, 8, 8), 3)) == expected


# In the classifier


@pytest.mark.parametrize("name", TINY)
def test_the_classifier_learns_and_records_its_layers(name):
    X, y = data()
    clf = classifier(TINY[name], max_epochs=15, lr=0.03).fit(X, y)
    assert clf.score(X, y) > 0.9
    record = clf.dynamics_
    assert list(record.centroids) == LAYERS[name]
    assert record.centroids[LAYERS[name][-1]].shape == (16, 3, 6)
    assert all(np.isfinite(values).all() for values in record.centroids.values())
    assert clf.activations(X).shape == (30, 6)
    for position, layer in enumerate(LAYERS[name]):
        values = clf.activations(X, layer)
        np.testing.assert_array_equal(clf.activations(X, position), values)
        np.testing.assert_array_equal(clf.activations(X, position - len(LAYERS[name])), values)
        assert (values >= 0).all()  # after its nonlinearity
        flat = (values.mean((2, 3)) if values.ndim > 2 else values).astype(np.float64)
        unit = flat / np.linalg.norm(flat, axis=1, keepdims=True)
        for c, label in enumerate(clf.classes_):
            expected = unit[y == label].mean(0)
            np.testing.assert_allclose(record.centroids[layer][-1, c], expected, rtol=1e-4, atol=1e-6)


@tiny
def test_replay_is_memory(architecture):
    X, y = data()
    clf = classifier(architecture, max_epochs=3).fit(X, y)
    again = clf.replay(X, y)
    assert list(again.centroids) == list(clf.dynamics_.centroids)
    for name in ("loss", "margin"):
        np.testing.assert_allclose(getattr(again, name), getattr(clf.dynamics_, name), rtol=1e-4, atol=1e-5)
    for layer, values in clf.dynamics_.centroids.items():
        np.testing.assert_allclose(again.centroids[layer], values, rtol=1e-4, atol=1e-5)
    sure = np.abs(clf.dynamics_.margin) > 1e-4
    assert sure.mean() > 0.9
    np.testing.assert_array_equal(again.prediction[sure], clf.dynamics_.prediction[sure])


@tiny
def test_one_seed_one_result(architecture):
    X, y = data()
    first, second, other = (classifier(architecture, random_state=s).fit(X, y) for s in (0, 0, 1))
    assert torch.equal(weights(first.module_), weights(second.module_))
    np.testing.assert_array_equal(first.dynamics_.loss, second.dynamics_.loss)
    assert not np.array_equal(first.dynamics_.loss, other.dynamics_.loss)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("vgg", [1, 1, 1]), ("resnet", [1, 1, 1]), ("vgg-plain", [3])],
    ids=lambda v: str(v),
)
def test_trained_with_others_it_is_its_own_fit(name, expected, programs):
    """One by one where batch normalisation keeps running statistics, in one program where it does not."""
    X, y = data()

    def three():
        own = [{"random_state": 0}, {"random_state": 1, "lr": 0.03}, {"random_state": 2, "loss": "l2"}]
        return [classifier(clone(TINY[name]), dtype="float64", **settings) for settings in own]

    for clf, own in zip(*fit_both(three, X.astype(np.float64), y), strict=True):
        assert_as_its_own_fit(clf, own, X.astype(np.float64), y)
    assert programs == expected


@tiny
def test_rows_are_the_images_they_hold(architecture):
    X, y = data()
    on_images = classifier(architecture).fit(X, y)
    for shape in [(64,), (8, 8)]:
        clf = classifier(on_rows(architecture)).fit(X.reshape(30, *shape), y)
        assert list(clf.dynamics_.centroids) == list(on_images.dynamics_.centroids)
        np.testing.assert_array_equal(clf.dynamics_.loss, on_images.dynamics_.loss)
        for layer, values in on_images.dynamics_.centroids.items():
            np.testing.assert_array_equal(clf.dynamics_.centroids[layer], values)
        np.testing.assert_array_equal(clf.predict(X.reshape(30, *shape)), on_images.predict(X))


@tiny
def test_it_works_behind_a_scaler(architecture):
    X, y = data()
    rows = X.reshape(30, 64)
    pipe = make_pipeline(StandardScaler(), classifier(on_rows(architecture))).fit(rows, y)
    scaled = StandardScaler().fit_transform(rows).reshape(X.shape)
    expected = classifier(architecture).fit(scaled, y)
    np.testing.assert_array_equal(pipe.decision_function(rows), expected.decision_function(scaled))


@kinds
def test_it_can_be_searched_over(kind):
    X, y = data(24)
    layouts = [((3, 1), (4, 1)), [(2, 1)]]
    search = GridSearchCV(
        classifier(kind(input_shape=(1, 8, 8)), max_epochs=1), {"module__layout": layouts}, cv=2
    )
    search.fit(X.reshape(24, 64), y)
    assert [entry["module__layout"] for entry in search.cv_results_["params"]] == layouts
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    module = search.best_estimator_.module_
    assert module.output.in_features == search.best_params_["module__layout"][-1][0]


@kinds
def test_parameters_can_be_set_from_outside(kind):
    clf = clone(DynamicsClassifier(kind()).set_params(module__layout=[(3, 1)], module__input_shape=(1, 8, 8)))
    assert (clf.module.layout, clf.module.input_shape) == ([(3, 1)], (1, 8, 8))
    assert {name for name in clf.get_params() if name.startswith("module__")} == {
        f"module__{name}" for name in kind().get_params()
    }
    clf.fit(*data(6))
    assert clf.module.get_params() == kind([(3, 1)], input_shape=(1, 8, 8)).get_params()


@tiny
def test_a_fitted_classifier_can_be_pickled(architecture):
    X, y = data(12)
    clf = classifier(architecture).fit(X, y)
    again = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(again.decision_function(X), clf.decision_function(X))
    np.testing.assert_array_equal(
        again.at_epoch(1).decision_function(X), clf.at_epoch(1).decision_function(X)
    )


@kinds
def test_what_is_wrong_with_samples_is_told_by_fit(kind):
    X, y = data(6)
    with pytest.raises(
        ValueError, match=f"^{kind.__name__} is for images .* as in input_shape=\\(1, 8, 8\\)"
    ):
        classifier(kind()).fit(X.reshape(6, 64), y)
