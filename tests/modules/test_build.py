"""Whatever the user gives as a module becomes a fresh torch module."""

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
    "instance": Net((4,), 3),
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


def test_an_instance_begins_anew():
    """Its layers as if just made; what is held outside of such layers keeps its value."""
    given = Net((4,), 3)
    given.norm.running_mean.fill_(5)
    with torch.no_grad():
        given.scale.fill_(7)
    before = {name: value.clone() for name, value in given.state_dict().items()}
    built = build(given)
    assert_same(built.inner, build(Net).inner)
    assert_same(built.outer, build(Net).outer)
    assert built.scale == 7
    assert (built.norm.running_mean == 0).all()
    assert built.inner.out_features == 6
    assert all(torch.equal(value, before[name]) for name, value in given.state_dict().items())


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
    told = "OnImages: input_shape=(1, 2, 2) takes samples of that shape or rows of 4 values, but samples have shape "
    with pytest.raises(ValueError, match="^" + re.escape(f"{told}{shape}.") + "$"):
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
    ("module", "kind", "told"),
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
def test_what_makes_no_module_is_told(module, kind, told):
    with pytest.raises(kind, match=re.escape(told)):
        build(module)
