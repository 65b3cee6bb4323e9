"""Activations come in order, all of them once, in pieces large enough for a matrix product."""

import pytest
import torch

from sklearn_nndyn.recording import _activations
from sklearn_nndyn.recording._activations import Activations, choose_layers


def run(x):
    """Scores and one hidden layer."""
    return x[:, :1], {"hidden": 2 * x}


def passed(X, rows, **options):
    """After a pass in which the hidden layer was held."""
    there = Activations(X, run, rows, **options)
    for chunk in X.split(there.sizes):
        there.cache_chunk(run(chunk)[1], {"hidden"})
    return there


@pytest.mark.parametrize("held", [True, False])
@pytest.mark.parametrize("n", [1, 255, 1024, 1025, 2500])
def test_they_are_those_of_the_rows(monkeypatch, held, n):
    if not held:
        monkeypatch.setattr(_activations, "CACHE_BYTES", -1)
    X = torch.arange(3.0 * n).reshape(n, 3)
    there = passed(X, 256)
    assert (there.cache is not None) == held
    for _ in range(2):
        pieces = list(there.of_layer("hidden"))
        assert all(torch.equal(h, 2 * X[rows]) for rows, h in pieces)
        assert torch.equal(torch.cat([h for _, h in pieces]), 2 * X)
        assert all(len(h) >= 1024 for _, h in pieces[:-1])


def test_the_raw_outputs_have_a_name():
    X = torch.arange(6.0).reshape(2, 3)
    ((rows, scores),) = Activations(X, run, 256).of_layer("scores")
    assert (rows, scores.tolist()) == (slice(0, 2), [[0.0], [3.0]])


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        (-1, ["b"]),
        (0, ["a"]),
        ("a", ["a"]),
        ([-1, "a", 0], ["b", "a"]),
        ("all", ["a", "b"]),
        ("scores", ["scores"]),
    ],
    ids=str,
)
def test_layers_are_chosen_by_position_and_name(layers, expected):
    assert choose_layers(layers, ["a", "b"]) == expected


def test_all_layers_of_a_linear_network_are_its_outputs():
    assert choose_layers("all", []) == ["scores"]
