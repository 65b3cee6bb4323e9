"""Hidden layers are found in any network, and the network is left as it was."""

import threading
import weakref

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_nndyn.modules import MLP
from sklearn_nndyn.utils.modules import capture_activations, hidden_layers, weight_matrices
from sklearn_nndyn.utils.networks.evaluation import evaluation_mode
from tests.problems import ThreeKinds, convolution_net

ROWS = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
IMAGES = torch.randn(5, 1, 4, 4, generator=torch.Generator().manual_seed(0))


def look(module, x=ROWS):
    """(scores, layers) in evaluation mode."""
    with torch.no_grad(), evaluation_mode(module), capture_activations(module) as forward:
        return forward(x)


def assert_layers(module, expected, x=ROWS):
    """The layers of ``module`` are ``expected(module, x)``: {name: activation}, in order."""
    scores, layers = look(module, x)
    with torch.no_grad(), evaluation_mode(module):
        by_hand = expected(module, x)
        assert torch.equal(scores, module(x))
    assert list(layers) == list(by_hand) == hidden_layers(module, x)[0]
    for name, activation in by_hand.items():
        assert torch.equal(layers[name], activation), name


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = nn.Linear(4, 6), nn.Linear(6, 5), nn.Linear(5, 3)

    def forward(self, x):
        return self.third(torch.tanh(self.second(torch.relu(self.first(x)))))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.into, self.inner, self.outer, self.out = (
            nn.Linear(4, 6),
            nn.Linear(6, 6),
            nn.Linear(6, 6),
            nn.Linear(6, 3),
        )

    def forward(self, x):
        h = self.into(x).relu()
        return self.out((h + self.outer(self.inner(h).relu())).relu())


class Reused(nn.Module):
    def __init__(self):
        super().__init__()
        self.into, self.again, self.out = nn.Linear(4, 6), nn.Linear(6, 6), nn.Linear(6, 3)

    def forward(self, x):
        h = self.into(x).relu()
        for _ in range(3):
            h = self.again(h).relu()
        return self.out(h)


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.into, self.left, self.right, self.out = (
            nn.Linear(4, 6),
            nn.Linear(6, 5),
            nn.Linear(6, 5),
            nn.Linear(5, 3),
        )

    def forward(self, x):
        h = self.into(x).relu()
        return self.out(self.left(h).tanh() * self.right(h).tanh())


class AlsoReturnsFeatures(Functional):
    def forward(self, x):
        h = torch.relu(self.first(x))
        return self.third(torch.tanh(self.second(h))), h


def test_a_sequence_after_its_nonlinearities():
    module = MLP((7, 6), activation="tanh", dropout=0.5, batch_norm=True).build((4,), 3)
    with torch.no_grad():
        module.batch_norm1.running_mean.normal_()

    def expected(module, x):
        first = module.activation1(module.batch_norm1(module.linear1(x)))
        return {"linear1": first, "linear2": module.activation2(module.batch_norm2(module.linear2(first)))}

    assert_layers(module, expected)


def test_nonlinearities_that_are_functions():
    def expected(m, x):
        first = torch.relu(m.first(x))
        return {"first": first, "second": torch.tanh(m.second(first))}

    assert_layers(Functional(), expected)


def test_a_residual_network():
    def expected(m, x):
        h = m.into(x).relu()
        inner = m.inner(h).relu()
        return {"into": h, "inner": inner, "outer": (h + m.outer(inner)).relu()}

    assert_layers(Residual(), expected)


def test_normalisation_belongs_to_the_layer_before_it():
    def expected(m, x):
        h = torch.relu(m.into(x))
        return {"into": h, "inner": m.norm(h + torch.tanh(m.inner(h)))}

    assert_layers(ThreeKinds((4,), 3), expected)


def test_a_convolution_network():
    def expected(m, x):
        first = m[:3](x)
        return {"0": first, "3": m[3:6](first)}

    module = convolution_net((1, 4, 4), 3)
    assert_layers(module, expected, IMAGES)
    assert look(module, IMAGES)[1]["0"].shape == (5, 4, 4, 4)


def test_normalisation_of_whole_images_is_no_layer():
    module = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.LayerNorm((2, 2, 2)), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3)
    )
    assert_layers(module, lambda m, x: {"0": m[:4](x)}, IMAGES)
    assert list(weight_matrices(module)) == ["0", "4"]


def test_a_layer_used_again_is_a_layer_again():
    def expected(m, x):
        h = m.into(x).relu()
        layers = {"into": h}
        for name in ("again", "again:2", "again:3"):
            h = m.again(h).relu()
            layers[name] = h
        return layers

    assert_layers(Reused(), expected)


def test_what_two_layers_receive_is_one_layer():
    def expected(m, x):
        h = m.into(x).relu()
        return {"into": h, "right": m.left(h).tanh() * m.right(h).tanh()}

    assert_layers(Branches(), expected)


@pytest.mark.parametrize(
    "module", [nn.Linear(4, 3), nn.Sequential(nn.Linear(4, 3)), MLP(()).build((4,), 3)], ids=str
)
def test_a_linear_network_has_no_hidden_layer(module):
    assert_layers(module, lambda m, x: {})


def test_scores_are_the_first_of_several_outputs():
    scores, layers = look(AlsoReturnsFeatures())
    assert scores.shape == (5, 3)
    assert list(layers) == ["first", "second"]


@pytest.mark.parametrize(
    "wrap", [nn.utils.parametrizations.weight_norm, nn.utils.parametrizations.spectral_norm]
)
def test_weights_that_are_computed_from_others(wrap):
    module = nn.Sequential(
        wrap(nn.Linear(4, 6)), nn.ReLU(), wrap(nn.Linear(6, 5)), nn.ReLU(), nn.Linear(5, 3)
    )
    assert_layers(module, lambda m, x: {"0": m[:2](x), "2": m[:4](x)})
    with evaluation_mode(module):
        matrices = weight_matrices(module)
        assert list(matrices) == ["0", "2", "4"]
        assert torch.equal(matrices["2"], module[2].weight)


@pytest.mark.parametrize(
    "part",
    [nn.ReLU, nn.Identity, lambda: nn.Dropout(0.5), lambda: nn.LayerNorm(6), lambda: nn.BatchNorm1d(6)],
    ids=["ReLU", "Identity", "Dropout", "LayerNorm", "BatchNorm1d"],
)
def test_what_lies_between_belongs_to_the_layer(part):
    module = nn.Sequential(nn.Linear(4, 6), nn.Sequential(part(), nn.Tanh()), nn.Linear(6, 3))
    assert_layers(module, lambda m, x: {"0": m[:2](x)})


def hooks(module):
    return sum(len(part._forward_hooks) + len(part._forward_pre_hooks) for part in module.modules())


def test_no_hook_is_left_behind():
    module = Residual()
    with capture_activations(module) as forward:
        assert hooks(module) == 4
        forward(ROWS)
    assert hooks(module) == 0
    with (
        pytest.raises(RuntimeError, match="shapes cannot be multiplied"),
        capture_activations(module) as forward,
    ):
        forward(ROWS[:, :2])
    assert hooks(module) == 0


def test_a_second_batch_forgets_the_first():
    module = Residual()
    with torch.no_grad(), capture_activations(module) as forward:
        forward(ROWS)
        _, layers = forward(ROWS[:2])
    assert all(len(activation) == 2 for activation in layers.values())


def test_a_batch_that_failed_is_forgotten():
    module = Functional()
    with torch.no_grad(), capture_activations(module) as forward:
        module.third = nn.Linear(4, 3)
        with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
            forward(ROWS)
        module.third = nn.Linear(5, 3)
        _, layers = forward(ROWS)
        assert list(layers) == ["first"]
        assert torch.equal(layers["first"], module.first(ROWS).relu())


def test_activations_are_not_held_longer_than_by_who_asked():
    with torch.no_grad(), capture_activations(Functional()) as forward:
        _, layers = forward(ROWS)
        held = [weakref.ref(activation) for activation in layers.values()]
        del layers
        assert [reference() for reference in held] == [None, None]


def test_another_thread_is_not_overheard():
    module = Functional()
    with torch.no_grad():
        expected = {"first": torch.relu(module.first(ROWS)), "second": module(ROWS)}

    def call(x):
        other = threading.Thread(target=module, args=(torch.zeros(5, 4),))
        other.start()
        other.join()
        return module(x)

    with torch.no_grad(), capture_activations(module, call) as forward:
        _, layers = forward(ROWS)
    assert list(layers) == ["first", "second"]
    assert torch.equal(layers["first"], expected["first"])


def test_each_part_gets_its_own_mode_back():
    module = nn.Sequential(
        nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Sequential(nn.Dropout(), nn.ReLU()), nn.Linear(6, 3)
    )
    module.train()
    module[1].eval()
    module[2][0].eval()
    before = [part.training for part in module.modules()]
    assert len(set(before)) == 2
    with evaluation_mode(module):
        assert not any(part.training for part in module.modules())
    assert [part.training for part in module.modules()] == before
    with pytest.raises(ZeroDivisionError), evaluation_mode(module):
        raise ZeroDivisionError
    assert [part.training for part in module.modules()] == before


def test_matrices_are_those_of_layers_with_two_axes_or_more():
    module = nn.Sequential(
        nn.Conv1d(1, 2, 3), nn.BatchNorm1d(2), nn.Flatten(), nn.Linear(4, 3, bias=False), nn.PReLU()
    )
    found = weight_matrices(module)
    assert list(found) == ["0", "3"]
    assert found["0"] is module[0].weight
    np.testing.assert_array_equal(list(weight_matrices(nn.Linear(4, 3))), ["Linear"])


class SharedMap(nn.Module):
    """A map that two convolutions and a linear layer receive."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 3, 3)
        self.left, self.right = nn.Conv2d(3, 4, 3), nn.Conv2d(3, 4, 3)
        self.along, self.last = nn.Linear(6, 5), nn.Linear(4, 2)

    def forward(self, x):
        h = self.first(x).tanh()
        self.map = weakref.ref(h)
        both = self.left(h) + self.right(h)
        self.along(h)
        del h
        return self.last(both.mean((2, 3)))


def test_maps_are_pooled_as_they_are_received_and_then_let_go():
    module, x = SharedMap(), torch.randn(5, 2, 8, 8)
    with torch.no_grad(), capture_activations(module) as forward:
        scores, whole = forward(x)
        assert module.map() is whole["first"]
        maps = forward.maps
    with torch.no_grad(), capture_activations(module, pool=lambda h: h.mean((2, 3))) as forward:
        again, pooled = forward(x)
        assert module.map() is None
    assert torch.equal(scores, again)
    assert forward.maps == maps
    assert list(pooled) == list(whole) == ["first", "along"]
    assert torch.equal(pooled["first"], whole["first"].mean((2, 3)))
    assert torch.equal(pooled["along"], whole["along"])
