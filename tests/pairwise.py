"""Parametrisation over several things: each two values meet in the default run, all combinations in the slow one."""

from itertools import combinations, product

import pytest


def pairwise(indirect=(), **values):
    """``pytest.mark.parametrize`` over a product of {id: value}, of which what repeats pairs is ``slow``.

    Parameters
    ----------
    indirect : sequence of str, default=()
        Names of the parameters that are fixtures.
    **values : dict of str to object
        For each parameter its values by their ids.
    """
    chosen = covering([list(own) for own in values.values()])
    cases = [
        pytest.param(
            *(own[one] for own, one in zip(values.values(), ids, strict=True)),
            id="-".join(ids),
            marks=() if ids in chosen else pytest.mark.slow,
        )
        for ids in product(*values.values())
    ]
    return pytest.mark.parametrize(tuple(values), cases, indirect=list(indirect))


def covering(axes):
    """Combinations, as a set of tuples, in which each two values of different axes occur together."""
    possible = list(product(*axes))
    left = {pair for combination in possible for pair in _pairs(combination)}
    chosen = set()
    while left:
        best = max(possible, key=lambda combination: len(left & _pairs(combination)))
        chosen.add(best)
        left -= _pairs(best)
    return chosen


def _pairs(combination):
    return set(combinations(enumerate(combination), 2))
