"""The multilayer perceptron is what its parameters say."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from sklearn.base import clone

from sklearn_nndyn.modules import MLP
from sklearn_nndyn.modules._mlp import ACTIVATIONS
from tests.pairwise import for_each

FORMULAS = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "logistic": lambda z: 1 / (1 + np.exp(-z)),
    "identity": lambda z: z,
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
    "elu": lambda z: np.where(z > 0, z, np.expm1(z)),
    "gelu": lambda z: z * torch.special.ndtr(torch.tensor(z)).numpy(),
    "silu": lambda z: z / (1 + np.exp(-z)),
}


def test_every_activation_has_its_formula_here():
    assert FORMULAS.keys() == ACTIVATIONS.keys()


@pytest.mark.parametrize("sizes", [(), (7,), (7, 5), [6, 6, 6], np.array([4, 3])], ids=str)
@for_each("activation", {name: name for name in FORMULAS})
@pytest.mark.parametrize("input_shape", [(4,), (1, 2, 2)], ids=str)
def test_it_computes_what_it_says(sizes, activation, input_shape):
    module = MLP(sizes, activation=activation, dropout=0.5).build(input_shape, 3).double().eval()
    X = np.random.default_rng(0).normal(size=(9, *input_shape))
    state = {name: value.numpy() for name, value in module.state_dict().items()}
    assert list(state) == [
        f"{layer}.{part}"
        for layer in [*(f"linear{i + 1}" for i in range(len(sizes))), "output"]
        for part in ("weight", "bias")
    ]
    h = X.reshape(9, 4)
    for i in range(len(sizes)):
        h = FORMULAS[activation](h @ state[f"linear{i + 1}.weight"].T + state[f"linear{i + 1}.bias"])
    expected = h @ state["output.weight"].T + state["output.bias"]
    with torch.no_grad():
        np.testing.assert_allclose(module(torch.tensor(X)), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("sizes", [(), (7,), (7, 5)], ids=str)
def test_widths_follow_one_another(sizes):
    module = MLP(sizes).build((4,), 3)
    linears = [part for part in module if isinstance(part, torch.nn.Linear)]
    widths = [4, *sizes, 3]
    assert [(part.in_features, part.out_features) for part in linears] == list(pairwise(widths))


def test_batch_norm_lies_before_the_nonlinearity_and_dropout_after_it():
    module = MLP((5, 6), dropout=0.25, batch_norm=True).build((4,), 3)
    of_a_layer = ("linear", "batch_norm", "activation", "dropout")
    assert list(module._modules) == [f"{part}{i}" for i in (1, 2) for part in of_a_layer] + ["output"]
    assert (module.dropout1.p, module.batch_norm2.num_features) == (0.25, 6)


def test_what_is_not_asked_for_is_not_there():
    module = MLP((5,)).build((4,), 3)
    assert list(module._modules) == ["linear1", "activation1", "output"]


def test_dropout_drops_its_share_of_the_hidden_activations_in_training_only():
    module = MLP((2000,), activation="logistic", dropout=0.3).build((4,), 3)
    hidden = torch.nn.Sequential(module.linear1, module.activation1, module.dropout1)
    torch.manual_seed(0)
    with torch.no_grad():
        dropped = (hidden.train()(torch.ones(5, 4)) == 0).double().mean()
        assert abs(dropped - 0.3) < 0.02
        assert (hidden.eval()(torch.ones(5, 4)) > 0).all()


def test_its_weights_are_those_of_the_generator():
    def weights(seed):
        torch.manual_seed(seed)
        return torch.cat([p.flatten() for p in MLP((5,)).build((4,), 3).parameters()])

    assert torch.equal(weights(0), weights(0))
    assert not torch.equal(weights(0), weights(1))


def test_an_architecture_makes_a_new_network_each_time():
    architecture = MLP((5,))
    first, second = architecture.build((4,), 3), architecture.build((4,), 3)
    assert {p.data_ptr() for p in first.parameters()}.isdisjoint(p.data_ptr() for p in second.parameters())
    assert vars(architecture) == vars(clone(architecture))


def test_it_can_be_searched_over():
    architecture = clone(MLP((5,), activation="tanh")).set_params(hidden_layer_sizes=(3, 2))
    assert architecture.get_params() == {
        "hidden_layer_sizes": (3, 2),
        "activation": "tanh",
        "dropout": 0.0,
        "batch_norm": False,
    }
    assert repr(architecture) == "MLP(activation='tanh', hidden_layer_sizes=(3, 2))"


BAD = {
    "hidden_layer_sizes": [5, "abc", None, (0,), (-1,), (2.5,), (True,), ("5",)],
    "activation": ["rulu", None, ["relu"], torch.nn.ReLU],
    "dropout": [1, -0.1, "0.5", None, float("nan")],
    "batch_norm": ["yes", 1, None],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD.items() for value in values]
)
def test_what_is_out_of_range_is_told(name, value):
    architecture = MLP(**{name: value})  # without a word: parameters are checked when they are used
    for use in (architecture.check_parameters, lambda: architecture.build((4,), 3)):
        with pytest.raises(ValueError, match=f"^MLP: {name} must be ") as told:
            use()
        assert str(told.value).endswith(f", got {value!r}.")


def test_everything_out_of_range_is_told_at_once():
    with pytest.raises(
        ValueError, match=r"^MLP: hidden_layer_sizes .*; activation .*; dropout .*; batch_norm "
    ):
        MLP(3, "rulu", 2, "yes").build((4,), 3)


@pytest.mark.parametrize(
    "good",
    [{"dropout": 0}, {"dropout": 0.99}, {"batch_norm": np.True_}, {"hidden_layer_sizes": [np.int64(3)]}],
    ids=str,
)
def test_what_is_in_range_is_built(good):
    MLP(**good).check_parameters()
    assert MLP(**good).build((4,), 3)(torch.ones(2, 4)).shape == (2, 3)
