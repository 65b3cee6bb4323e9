"""Operations bound to memory do again what the function does."""

import pytest
import torch

from sklearn_nndyn.utils.networks import binding
from sklearn_nndyn.utils.networks.binding import bind

FUNCTIONS = {
    "views": lambda a, b: (a.mT[1:].unsqueeze(-1).squeeze(-1) * b.mT[:-1]).split([1, 2], 0),
    "in place": lambda a, b: (a.clone().mul_(b).add_(b, alpha=2).scatter_(1, b.argsort(1), 1.0),),
    "into memory": lambda a, b: (torch.add(a, b, out=torch.zeros_like(a)).mul_(2),),
    "fills": lambda a, b: (torch.zeros_like(a).add_(b), torch.ones_like(a).sub_(b)),
    "reductions": lambda a, b: (
        a.sum(1, keepdim=True),
        (a - b).square().sum(-1),
        torch.cat([a, b], 1).amax(0),
    ),
    "a result that is an argument": lambda a, b: (a, a * b),
    "nothing to do": lambda a, b: (a.t(),),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_the_results_are_those_of_the_function(function):
    generator = torch.Generator().manual_seed(0)
    draw = lambda: [torch.rand(3, 4, generator=generator) for _ in range(2)]  # noqa: E731
    arguments = draw()
    bound = bind(function, *arguments)
    for _ in range(2):
        new = draw()
        for old, values in zip(arguments, new, strict=True):
            old.copy_(values)
        for found, expected in zip(bound(), function(*new), strict=True):
            assert torch.equal(found, expected)


def test_where_torch_cannot_nothing_is_bound(monkeypatch):
    """Functions that read a value, and versions that do not show the operations."""
    assert bind(lambda a: a * a.sum().item(), torch.ones(3)) is None
    monkeypatch.setattr(binding, "push_dispatch", None)
    assert bind(torch.exp, torch.ones(3)) is None
