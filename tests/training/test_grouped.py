"""Several convolution nets as one chain of grouped convolutions."""

import copy

import pytest
import torch
from torch import nn

from sklearn_nndyn.training.stacked._grouped import GroupedConvolutions
from tests.classifiers.together.comparing import assert_as_its_own_fit, fit_both, small
from tests.problems import Problem

X, Y = Problem("images", images=True).data()
RELU = nn.ReLU()
CHAINS = {
    "pooled": (
        *(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)),
        *(
            nn.Conv2d(4, 6, 3, padding="same"),
            nn.Tanh(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(6, 3),
        ),
    ),
    "strided, dilated, without bias": (
        *(nn.Conv2d(2, 3, (3, 2), stride=2, dilation=2, bias=False), nn.ELU()),
        *(nn.Flatten(), nn.Linear(12, 5, bias=False), nn.Sigmoid(), nn.Linear(5, 3)),
    ),
    "nested, one activation everywhere": (
        nn.Sequential(nn.Conv2d(2, 3, 3), RELU),
        nn.Sequential(nn.AvgPool2d(2), nn.Identity(), nn.Flatten(), nn.Linear(12, 4), RELU, nn.Linear(4, 3)),
    ),
}


def networks(parts, n=3):
    """Networks of one layout and different weights."""
    made = [copy.deepcopy(nn.Sequential(*parts)).double() for _ in range(n)]
    for i, module in enumerate(made):
        generator = torch.Generator().manual_seed(i)
        for parameter in module.parameters():
            parameter.data.copy_(torch.randn(parameter.shape, generator=generator) / 3)
    return made


@pytest.mark.parametrize("shared", [True, False], ids=["one batch", "a batch for each"])
@pytest.mark.parametrize("parts", CHAINS.values(), ids=CHAINS)
def test_the_scores_and_gradients_are_those_of_each_network(parts, shared):
    modules = networks(parts)
    x = torch.randn(1 if shared else 3, 5, 2, 7, 6, dtype=torch.float64)
    names = dict(modules[0].named_parameters())
    state = {
        name: torch.stack([dict(m.named_parameters())[name].detach() for m in modules]).requires_grad_()
        for name in names
    }
    assert GroupedConvolutions.supports(modules[0])
    scores = GroupedConvolutions(modules[0])(state, x[0] if shared else x, shared)
    scores.square().sum().backward()
    for i, module in enumerate(modules):
        own = module(x[0 if shared else i])
        own.square().sum().backward()
        torch.testing.assert_close(scores[i], own)
        for name, parameter in module.named_parameters():
            torch.testing.assert_close(state[name].grad[i], parameter.grad)


def tied():
    first, second = nn.Conv2d(1, 3, 3), nn.Conv2d(3, 3, 3)
    third = nn.Conv2d(3, 3, 3)
    third.weight = second.weight
    return first, second, third, nn.Flatten(), nn.Linear(12, 3)


OTHERS = {
    "no flattening": (nn.Conv2d(1, 3, 3), nn.ReLU()),
    "groups of its own": (nn.Conv2d(2, 4, 3, groups=2), nn.Flatten(), nn.Linear(16, 3)),
    "another padding": (
        nn.Conv2d(1, 4, 3, padding=1, padding_mode="circular"),
        nn.Flatten(),
        nn.Linear(9, 3),
    ),
    "normalised over channels": (nn.Conv2d(1, 4, 3), nn.GroupNorm(2, 4), nn.Flatten(), nn.Linear(16, 3)),
    "softmax over channels": (nn.Conv2d(1, 4, 3), nn.Softmax2d(), nn.Flatten(), nn.Linear(16, 3)),
    "flattened in part": (nn.Conv2d(1, 4, 3), nn.Flatten(2), nn.Linear(16, 3)),
    "tied weights": tied(),
}


@pytest.mark.parametrize("parts", OTHERS.values(), ids=OTHERS)
def test_what_mixes_channels_otherwise_is_not_grouped(parts):
    assert not GroupedConvolutions.supports(nn.Sequential(*parts))


def test_a_network_with_a_hook_is_not_grouped():
    """The hook of a convolution would not be called, and others would get the channels of all networks."""
    module = networks(CHAINS["pooled"])[0]
    module[0].register_forward_hook(lambda *_: None)
    assert not GroupedConvolutions.supports(module)


@pytest.mark.parametrize("batch_size", [16, "full"])
def test_a_fit_among_others_is_its_own_fit(batch_size, monkeypatch):
    def chain(input_shape, n_classes):
        return nn.Sequential(
            *(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(3, 4, 2), nn.ReLU()),
            *(nn.Flatten(), nn.Linear(4, n_classes)),
        )

    calls = []
    grouped = GroupedConvolutions.__call__
    counted = lambda *args: calls.append(1) or grouped(*args)  # noqa: E731
    monkeypatch.setattr(GroupedConvolutions, "__call__", counted)
    make = lambda: [small(module=chain, random_state=seed, batch_size=batch_size) for seed in (1, 1, 2)]  # noqa: E731
    together, alone = fit_both(make, X, Y)
    assert calls
    for clf, own in zip(together, alone, strict=True):
        assert_as_its_own_fit(clf, own, X, Y)


def two_convolutions(input_shape, n_classes):
    """Weights whose channels lie last in memory, as ``.to(memory_format=torch.channels_last)`` leaves them."""
    net = nn.Sequential(
        *(nn.Conv2d(1, 3, 3, padding=1), nn.ReLU(), nn.Conv2d(3, 4, 2), nn.Flatten()),
        nn.Linear(36, n_classes),
    )
    return net.to(memory_format=torch.channels_last)


class TwoConvolutions(nn.Module):
    """The same network as a module of one's own, which is not grouped."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.chain = two_convolutions(input_shape, n_classes)

    def forward(self, x):
        return self.chain(x)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
@pytest.mark.parametrize("module", [two_convolutions, TwoConvolutions], ids=["grouped", "mapped"])
def test_weights_with_channels_last_are_moved_by_their_own_gradients(module, optimizer):
    make = lambda: [  # noqa: E731
        small(module=module, random_state=seed, optimizer=optimizer, lr=0.01) for seed in (1, 1, 2)
    ]
    together, alone = fit_both(make, X, Y)
    for clf, own in zip(together, alone, strict=True):
        assert_as_its_own_fit(clf, own, X, Y)
