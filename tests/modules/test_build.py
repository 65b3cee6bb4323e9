"""Whatever the user gives as a module becomes a torch module of its own."""

import re
from collections import OrderedDict
from functools import partial

import pytest
import torch
from torch import nn

from sklearn_nndyn.modules import MLP, build_module
from sklearn_nndyn.modules._build import check_kind


class Net(nn.Module):
    def __init__(self, input_shape, n_classes, width=6):
        super().__init__()
        self.inner, self.norm, self.outer = (
            nn.Linear(input_shape[0], width),
            nn.BatchNorm1d(width),
            nn.Linear(width, n_classes),
        )
        self.scale = nn.Parameter(torch.tensor(3.0))

    def forward(self, x):
        return self.scale * self.outer(self.norm(self.inner(x)))


class ForClasses(nn.Linear):
    def __init__(self, n_classes):
        super().__init__(4, n_classes)


class ByItself(nn.Linear):
    def __init__(self, *args, width=4, **kwargs):
        super().__init__(width, 3)


class OnImages:
    """An architecture with a shape of its own."""

    input_shape = (1, 2, 2)

    def build(self, input_shape, n_classes):
        assert input_shape == (1, 2, 2)
        return nn.Sequential(nn.Conv2d(1, 3, 2), nn.Flatten(), nn.Linear(3, n_classes))


class OnImagesAsOne(OnImages):
    """It makes a module that is no sequence."""

    def build(self, input_shape, n_classes):
        return ConvolutionByItself(n_classes)


class ConvolutionByItself(nn.Conv2d):
    def __init__(self, n_classes):
        super().__init__(1, n_classes, 2)

    def forward(self, x):
        return super().forward(x).flatten(1)


def weights(module):
    return [p.detach() for p in module.parameters()]


def build(module, seed=0, input_shape=(4,)):
    torch.manual_seed(seed)
    return build_module(module, input_shape, 3)


def assert_same(a, b):
    assert all(torch.equal(u, v) for u, v in zip(weights(a), weights(b), strict=True))


GIVEN = {
    "none": None,
    "architecture": MLP((5,)),
    "class": Net,
    "class-of-classes": ForClasses,
    "class-of-nothing": ByItself,
    "factory": lambda shape, k: nn.Linear(shape[0], k),
    "partial-class": partial(Net, width=2),
    "architecture-on-images": OnImages(),
}


@pytest.mark.parametrize("module", GIVEN.values(), ids=GIVEN)
def test_it_maps_rows_to_scores_and_is_new_each_time(module):
    first, again, other = build(module), build(module), build(module, seed=1)
    assert isinstance(first, nn.Module)
    assert first.eval()(torch.ones(2, 4)).shape == (2, 3)
    assert_same(first, again)
    assert any(not torch.equal(u, v) for u, v in zip(weights(first), weights(other), strict=True))
    assert {p.data_ptr() for p in first.parameters()}.isdisjoint(p.data_ptr() for p in again.parameters())


def test_nothing_given_is_the_perceptron_as_it_comes():
    assert_same(build(None), build(MLP()))
    assert build(None).linear1.out_features == 100


def test_a_class_is_told_what_it_asks_for():
    assert_same(build(Net), build(lambda shape, k: Net(shape, k)))
    assert build(ForClasses).out_features == 3


class Bare(nn.Sequential):
    """Its only parameter outside of a layer."""

    def __init__(self):
        super().__init__(nn.Linear(4, 3))
        self.scale = nn.Parameter(torch.tensor(7.0))


def test_an_instance_keeps_its_weights():
    given = Net((4,), 3)
    given.norm.running_mean.fill_(5)
    built = build(given)
    for name, value in built.state_dict().items():
        assert torch.equal(value, given.state_dict()[name])
        assert value.data_ptr() != given.state_dict()[name].data_ptr()


def network_of_many_kinds():
    """Norms, recurrence, attention, an embedding of another size, and two ways to parametrize."""
    return nn.ModuleList([
        nn.TransformerEncoderLayer(8, 2, 16, batch_first=True),
        nn.GRU(4, 5),
        nn.Embedding(7, 3, padding_idx=0),
        nn.Sequential(nn.Conv2d(2, 3, 3), nn.BatchNorm2d(3), nn.PReLU(), nn.GroupNorm(1, 3)),
        nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)),
        nn.utils.parametrizations.orthogonal(nn.Linear(4, 3)),
    ])  # fmt: skip


def test_reinitialize_draws_what_making_the_network_draws():
    torch.manual_seed(5)
    given = network_of_many_kinds()
    with torch.no_grad():
        for part in (*given[:5], given[5].bias):
            for parameter in part.parameters() if isinstance(part, nn.Module) else [part]:
                parameter.add_(1)
        given[3][1].running_mean.fill_(5)
    before = {name: value.clone() for name, value in given.state_dict().items()}
    torch.manual_seed(0)
    built = build_module(given, (4,), 3, reinitialize=True)
    torch.manual_seed(0)
    made = network_of_many_kinds()[:5].state_dict()
    assert made.keys() <= built.state_dict().keys()
    for name, value in made.items():
        torch.testing.assert_close(built.state_dict()[name], value, rtol=0, atol=1e-6)
    assert not torch.allclose(built[5].weight, given[5].weight)
    assert all(torch.equal(value, before[name]) for name, value in given.state_dict().items())


@pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
@pytest.mark.parametrize(
    ("given", "names"),
    [(Bare(), "scale"), (lambda: nn.utils.weight_norm(nn.Linear(4, 3)), "weight_g, weight_v")],
    ids=["bare", "old-weight-norm"],
)
def test_reinitialize_names_what_no_layer_draws(given, names):
    given = given if isinstance(given, nn.Module) else given()
    with pytest.raises(ValueError, match=f"reinitialize=True: no layer of .* draws {names} anew"):
        build_module(given, (4,), 3, reinitialize=True)


@pytest.mark.parametrize("module", [None, MLP(), Net, lambda shape, k: nn.Linear(4, k)])
def test_reinitialize_is_for_instances(module):
    with pytest.raises(ValueError, match="draws the weights of an instance anew"):
        build_module(module, (4,), 3, reinitialize=True)


def test_what_is_frozen_stays_frozen():
    given = Net((4,), 3)
    given.inner.requires_grad_(False)
    assert [p.requires_grad for p in build(given).inner.parameters()] == [False, False]


@pytest.mark.parametrize("architecture", [OnImages(), OnImagesAsOne()], ids=["sequence", "one-part"])
def test_flat_rows_take_the_shape_of_the_architecture(architecture):
    rows = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    on_rows, on_images = build(architecture), build(architecture, input_shape=(1, 2, 2))
    assert torch.equal(on_rows(rows), on_images(rows.reshape(5, 1, 2, 2)))
    assert [
        any(isinstance(part, nn.Unflatten) for part in net.modules()) for net in (on_rows, on_images)
    ] == [True, False]


class Twice(OnImages):
    """A part that comes twice."""

    def build(self, input_shape, n_classes):
        parts = super().build(input_shape, n_classes)
        nonlinearity = nn.Tanh()
        return nn.Sequential(parts[0], nonlinearity, parts[1], nonlinearity, parts[2])


class NamedAlike(OnImages):
    """A part with the name of the reshaping."""

    def build(self, input_shape, n_classes):
        conv, *others = super().build(input_shape, n_classes)
        return nn.Sequential(OrderedDict(reshape=conv, others=nn.Sequential(*others)))


class Doubled(nn.Sequential):
    def forward(self, x):
        return 2 * super().forward(x)


class OwnForward(OnImages):
    def build(self, input_shape, n_classes):
        return Doubled(*super().build(input_shape, n_classes))


@pytest.mark.parametrize(
    ("architecture", "names"),
    [
        (OnImages(), ["reshape", "0", "1", "2"]),
        (OnImagesAsOne(), ["reshape", "network"]),
        (Twice(), ["reshape", "0", "1", "2", "3", "4"]),
        (NamedAlike(), ["reshape", "network"]),
        (OwnForward(), ["reshape", "network"]),
    ],
    ids=["sequence", "one-part", "twice", "named-alike", "own-forward"],
)
@pytest.mark.parametrize("shape", [(4,), (2, 2), (2, 1, 2, 1)], ids=str)
def test_reshaping_changes_nothing_in_the_network(architecture, names, shape):
    rows = torch.randn(5, *shape, generator=torch.Generator().manual_seed(0))
    reshaped, network = build(architecture, input_shape=shape), build(architecture, input_shape=(1, 2, 2))
    assert torch.equal(reshaped(rows), network(rows.reshape(5, 1, 2, 2)))
    assert list(reshaped._modules) == names


@pytest.mark.parametrize("shape", [(5,), (4, 1, 3), (3, 2)], ids=str)
def test_samples_that_cannot_take_the_shape_are_told(shape):
    message = "OnImages: input_shape=(1, 2, 2) takes samples of that shape or rows of 4 values, but samples have shape "
    with pytest.raises(ValueError, match="^" + re.escape(f"{message}{shape}.") + "$"):
        build(OnImages(), input_shape=shape)


class Checked(OnImages):
    def check_parameters(self):
        raise ValueError("there is a mistake in it")


class CheckedModule(Net):
    """A torch module, whatever its methods are called."""

    def build(self):
        raise AssertionError

    check_parameters = build


def test_an_architecture_is_asked_for_mistakes_before_anything_is_built():
    with pytest.raises(ValueError, match="there is a mistake in it"):
        check_kind(Checked())
    check_kind(OnImages())
    assert build(CheckedModule((4,), 3)).inner.out_features == 6
    assert build(CheckedModule).inner.out_features == 6


class Wants(nn.Module):
    def __init__(self, width, *, depth, n_classes, more=1):
        super().__init__()


KINDS = (
    "module must be None, an architecture such as MLP(), a torch.nn.Module class or instance, or a callable "
    "(input_shape, n_classes) -> torch.nn.Module, got "
)


@pytest.mark.parametrize(
    ("module", "kind", "message"),
    [
        (3, TypeError, KINDS + "3."),
        ("mlp", TypeError, KINDS + "'mlp'."),
        (MLP, TypeError, KINDS + "MLP."),
        (dict, TypeError, KINDS + "dict."),
        (lambda shape, k: [k], TypeError, "made a list."),
        (lambda shape, k: nn.Linear, TypeError, "made a type."),
        (
            Wants,
            TypeError,
            "module: the class Wants needs width, depth; only input_shape and n_classes are filled in.",
        ),
        (lambda shape: None, ValueError, "module: <lambda>((4,), 3) failed: TypeError: "),
        (lambda shape, k: nn.Linear(shape[1], k), ValueError, "failed: IndexError: tuple index out of range"),
        (
            lambda shape, k: MLP(0).build(shape, k),
            ValueError,
            "failed: ValueError: MLP: hidden_layer_sizes must be",
        ),
        (MLP(dropout=1), ValueError, "MLP: dropout must be a number in [0, 1), got 1."),
    ],
    ids=[
        "number",
        "string",
        "architecture-class",
        "class",
        "list",
        "makes-class",
        "wants",
        "one-argument",
        "fails",
        "fails-within",
        "range",
    ],
)
def test_what_makes_no_module_is_told(module, kind, message):
    with pytest.raises(kind, match=re.escape(message)):
        build(module)


def test_reinitialize_leaves_lazy_layers_to_draw_their_weights_later():
    given = nn.Sequential(nn.LazyLinear(5), nn.ReLU(), nn.Linear(5, 3))
    built = build_module(given, (4,), 3, reinitialize=True)
    assert not torch.equal(built[2].weight, given[2].weight)
    assert built(torch.zeros(2, 4)).isfinite().all()
