"""Class centroids of unit-normalised activations, by their definition and by what must follow from it."""

import numpy as np
import pytest
import torch

from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording._geometry import Centroids, weight_norms
from tests import reference
from tests.problems import PROBLEMS, Problem, convolution_net

RNG = np.random.default_rng(0)
H = RNG.normal(size=(2, 40, 6))
Y = RNG.integers(0, 3, 40)


def centroids(activations, target=Y, n_classes=3, chunks=1):
    """Of one layer of a stack of networks, seen in so many chunks."""
    counts = torch.bincount(torch.tensor(target), minlength=n_classes)
    found = Centroids(counts)
    for rows in np.array_split(np.arange(len(target)), chunks):
        found.add({"layer": torch.tensor(activations[:, rows])}, torch.tensor(target[rows]))
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
    """Of unit vectors u with mean m, the mean of |u - m|^2 is 1 - |m|^2."""
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
            activations = clf.activations(X, layer, epoch=epoch)
            expected = reference.centroids(activations, np.searchsorted(clf.classes_, y), 3)
            np.testing.assert_allclose(recorded[epoch], expected, rtol=1e-4, atol=1e-6)


def test_weight_norms_are_those_of_the_matrices():
    module = convolution_net((1, 4, 4), 3)
    expected = {
        name: np.linalg.norm(module.get_submodule(name).weight.detach().numpy().ravel())
        for name in ("0", "3", "7")
    }
    found = weight_norms(module)
    assert found.keys() == expected.keys()
    np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-6)


def test_weight_norms_of_the_record_are_those_of_the_epoch():
    X, y = PROBLEMS[0].data()
    clf = PROBLEMS[0].classifier().fit(X, y)
    for name, recorded in clf.dynamics_.weight_norms.items():
        expected = [clf.at_epoch(e).module_.get_submodule(name).weight.detach().norm() for e in range(5)]
        np.testing.assert_allclose(recorded, expected, rtol=1e-6)
    assert list(clf.dynamics_.weight_norms) == ["linear1", "output"]
