"""Class centroids of unit-normalised activations, by their definition and by what must follow from it."""

import numpy as np
import pytest
import torch

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Geometry
from sklearn_nndyn.recording._geometry import Centroids
from sklearn_nndyn.utils.modules import weight_matrices, weight_norms
from tests import reference
from tests.problems import PROBLEMS, Problem, convolution_net

RNG = np.random.default_rng(0)
H = RNG.normal(size=(2, 40, 6))
Y = RNG.integers(0, 3, 40)


def centroids(activations, target=Y, n_classes=3, chunks=1):
    """Centroids of one layer of a stack of networks, seen in so many chunks."""
    counts = torch.bincount(torch.tensor(target), minlength=n_classes)
    found = Centroids(counts, Geometry(pool="flat"))
    for rows in np.array_split(np.arange(len(target)), chunks):
        layers = {"layer": torch.tensor(activations[:, rows])}
        found.add(torch.zeros(len(activations), len(rows), n_classes), layers, torch.tensor(target[rows]))
    return found.means()["layer"].numpy()


@pytest.mark.parametrize("shape", [(6,), (2, 3), (1, 2, 3)], ids=str)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_they_are_their_definition(shape, dtype):
    activations = H.reshape(2, 40, *shape).astype(dtype)
    expected = [reference.centroids(one, Y, 3) for one in activations]
    np.testing.assert_allclose(centroids(activations), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("chunks", [2, 3, 40])
def test_parts_add_up(chunks):
    np.testing.assert_allclose(centroids(H, chunks=chunks), centroids(H), rtol=1e-6, atol=1e-8)


def test_a_stack_is_its_networks_one_by_one():
    together = centroids(H)
    for i in range(2):
        np.testing.assert_array_equal(together[i], centroids(H[i : i + 1])[0])


def test_a_rotation_of_the_activations_rotates_them():
    rotation, _ = np.linalg.qr(RNG.normal(size=(6, 6)))
    np.testing.assert_allclose(centroids(H @ rotation), centroids(H) @ rotation, atol=1e-7)


def test_the_length_of_an_activation_does_not_count():
    scale = np.exp(RNG.normal(size=(2, 40, 1)) * 5)
    np.testing.assert_allclose(centroids(H * scale), centroids(H), rtol=1e-6, atol=1e-8)


def test_the_spread_of_a_class_is_one_minus_its_squared_centroid():
    """For unit vectors u with mean m, the mean of |u - m|^2 is 1 - |m|^2."""
    units = H / np.linalg.norm(H, axis=-1, keepdims=True)
    for network, means in zip(units, centroids(H), strict=True):
        for c in range(3):
            spread = np.square(network[c == Y] - means[c]).sum(1).mean()
            np.testing.assert_allclose(spread, 1 - np.square(means[c]).sum(), rtol=1e-6)
    assert (np.linalg.norm(centroids(H), axis=-1) < 1).all()


def test_samples_that_agree_have_a_centroid_of_length_one():
    same = np.tile(H[:, :1], (1, 40, 1)) * np.linspace(0.1, 9, 40)[None, :, None]
    np.testing.assert_allclose(np.linalg.norm(centroids(same), axis=-1), 1, rtol=1e-6)


def test_a_dead_layer_has_centroids_of_zero():
    np.testing.assert_array_equal(centroids(np.zeros_like(H)), np.zeros((2, 3, 6)))
    half_dead = H.copy()
    half_dead[:, ::2] = 0
    np.testing.assert_allclose(
        centroids(half_dead), [reference.centroids(one, Y, 3) for one in half_dead], atol=1e-7
    )


def test_a_class_without_samples_has_none():
    found = centroids(H, np.where(Y == 1, 0, Y))
    assert np.isnan(found[:, 1]).all()
    assert np.isfinite(found[:, [0, 2]]).all()


@pytest.mark.parametrize(
    "problem",
    [
        PROBLEMS[0],
        Problem("deep-float64", MLP((9, 7, 5)), dtype="float64"),
        Problem("conv", convolution_net, images=True),
    ],
    ids=lambda problem: problem.name,
)
def test_the_record_holds_those_of_every_layer_at_every_epoch(problem):
    X, y = problem.data()
    clf = problem.classifier().fit(X, y)
    assert len(clf.dynamics_.centroids) >= 1
    for layer, recorded in clf.dynamics_.centroids.items():
        for epoch in range(5):
            activations = clf.activations(X, layer, epoch=epoch, pool="mean")
            expected = reference.centroids(activations, np.searchsorted(clf.classes_, y), 3)
            np.testing.assert_allclose(recorded[epoch], expected, rtol=1e-4, atol=1e-6)


def test_weight_norms_are_those_of_the_matrices():
    module = convolution_net((1, 4, 4), 3)
    expected = {
        name: np.linalg.norm(module.get_submodule(name).weight.detach().numpy().ravel())
        for name in ("0", "3", "7")
    }
    found = weight_norms([weight_matrices(module)])[0]
    assert found.keys() == expected.keys()
    np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-6)


def test_weight_norms_of_the_record_are_those_of_the_epoch():
    X, y = PROBLEMS[0].data()
    clf = PROBLEMS[0].classifier().fit(X, y)
    for name, recorded in clf.dynamics_.weight_norms.items():
        expected = [clf.at_epoch(e).module_.get_submodule(name).weight.detach().norm() for e in range(5)]
        np.testing.assert_allclose(recorded, expected, rtol=1e-6)
    assert list(clf.dynamics_.weight_norms) == ["linear1", "output"]


class Sequence(torch.nn.Module):
    """Positions before features, as in a transformer; and a map whose features were moved to the end."""

    def __init__(self):
        super().__init__()
        self.embed, self.mix = torch.nn.Linear(2, 5), torch.nn.Linear(5, 5)
        self.conv, self.move, self.out = (
            torch.nn.Conv2d(1, 4, 2),
            torch.nn.Linear(4, 4),
            torch.nn.Linear(9, 3),
        )

    def forward(self, x):
        tokens = self.mix(self.embed(x.reshape(-1, 3, 2)).tanh()).mean(1)
        image = self.move(self.conv(x.reshape(-1, 1, 2, 3)).permute(0, 2, 3, 1)).mean((1, 2))
        return self.out(torch.cat([tokens, image], 1))


MAPS = {
    "convolution": (convolution_net, (1, 4, 4), "0", lambda h: h.mean((2, 3))),
    "tokens": (Sequence, (6,), "embed", lambda h: h.mean(1)),
    "features at the end": (Sequence, (6,), "conv", lambda h: h.mean((1, 2))),
}


def fitted(module, shape, geometry, **settings):
    X = np.random.default_rng(0).normal(size=(60, *shape)).astype(np.float32)
    y = np.arange(60) % 3
    settings = {"max_epochs": 2, "random_state": 0, "record": ("samples", geometry)} | settings
    return DynamicsClassifier(module, **settings).fit(X, y), X, y


@pytest.mark.parametrize("name", MAPS)
def test_maps_are_averaged_over_their_positions(name):
    module, shape, layer, pooled = MAPS[name]
    clf, X, y = fitted(module, shape, "geometry")
    h = clf.activations(X, layer, epoch=1)
    assert h.ndim > 2
    found = clf.dynamics_.centroids[layer][1]
    np.testing.assert_allclose(found, reference.centroids(pooled(h), y, 3), rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        clf.activations(X, layer, pool="mean"), pooled(clf.activations(X, layer)), atol=1e-6
    )
    again = clf.replay(X, y)
    np.testing.assert_allclose(again.centroids[layer], clf.dynamics_.centroids[layer], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", MAPS)
def test_flat_maps_are_all_of_them(name):
    module, shape, layer, _ = MAPS[name]
    clf, X, y = fitted(module, shape, Geometry(pool="flat"))
    h = clf.activations(X, layer, epoch=1)
    expected = reference.centroids(h.reshape(60, -1), y, 3)
    np.testing.assert_allclose(clf.dynamics_.centroids[layer][1], expected, rtol=1e-4, atol=1e-6)


def test_none_stands_for_the_mean():
    records = [
        fitted(convolution_net, (1, 4, 4), Geometry(pool=pool))[0].dynamics_ for pool in (None, "mean")
    ]
    for layer, expected in records[0].centroids.items():
        np.testing.assert_array_equal(records[1].centroids[layer], expected)


@pytest.mark.parametrize("pool", ["mean", "flat"])
def test_networks_trained_together_have_the_same_pools(pool):
    def network(input_shape, n_classes):
        layers = torch.nn.Conv2d(1, 2, 2), torch.nn.Tanh(), torch.nn.Conv2d(2, 3, 2), torch.nn.Tanh()
        return torch.nn.Sequential(*layers, torch.nn.Flatten(), torch.nn.Linear(12, n_classes))

    settings = {"max_epochs": 2, "record": (Geometry(pool=pool),)}
    clf, X, y = fitted(network, (1, 4, 4), None, **settings)
    together = fit_together([DynamicsClassifier(network, random_state=i, **settings) for i in (0, 1)], X, y)
    for layer, expected in clf.dynamics_.centroids.items():
        np.testing.assert_allclose(together[0].dynamics_.centroids[layer], expected, rtol=1e-4, atol=1e-5)


LAYERS = {
    "a position": (-1, ["linear2"]),
    "a name": ("linear1", ["linear1"]),
    "two, in the order of the network": ([1, "linear1"], ["linear1", "linear2"]),
    "the scores": (["scores", 0], ["linear1", "scores"]),
    "all": ("all", ["linear1", "linear2"]),
    "none given": (None, ["linear1", "linear2"]),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_chosen(name):
    layers, expected = LAYERS[name]
    clf, X, y = fitted(MLP((5, 4)), (3,), Geometry(layers))
    assert list(clf.dynamics_.centroids) == expected
    assert list(clf.replay(X, y).centroids) == expected
    for layer, values in clf.dynamics_.centroids.items():
        h = clf.activations(X, layer, epoch=2)
        np.testing.assert_allclose(values[-1], reference.centroids(h, y, 3), rtol=1e-4, atol=1e-6)
    assert list(clf.dynamics_.weight_norms) == ["linear1", "linear2", "output"]


REFUSED = {
    "layer": (Geometry("linear9"), ValueError, "layer 'linear9' does not exist; the hidden layers are 'linear1'"),
    "kind": (Geometry(1.5), TypeError, "Geometry: layers must be"),
    "pool": (Geometry(pool="max"), ValueError, "Geometry: pool must be one of None, 'mean', 'flat'; got 'max'"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_is_refused_before_training(name):
    geometry, error, message = REFUSED[name]
    clf = DynamicsClassifier(MLP((5, 4)), record=(geometry,))
    with pytest.raises(error, match=message):
        clf.fit(np.ones((6, 3)), [0, 1] * 3)
    assert not hasattr(clf, "net_")
