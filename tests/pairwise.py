"""Parametrisation: of several things each two values meet in the default run; of one thing all in a single test."""

import functools
import inspect
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
    possible = list(product(*values.values()))
    chosen = covering(possible)
    cases = [
        pytest.param(
            *(own[one] for own, one in zip(values.values(), ids, strict=True)),
            id="-".join(ids),
            marks=() if ids in chosen else pytest.mark.slow,
        )
        for ids in possible
    ]
    return pytest.mark.parametrize(tuple(values), cases, indirect=list(indirect))


def thinned(cases):
    """Cases of several values each for ``pytest.mark.parametrize``; those that repeat pairs are ``slow``."""
    chosen = covering(cases)
    return [pytest.param(*case, marks=() if case in chosen else pytest.mark.slow) for case in cases]


def some_of(values, chosen):
    """Values, or tuples of several, for ``pytest.mark.parametrize``; those that are not chosen are ``slow``."""
    values = list(values)
    strangers = [one for one in chosen if one not in values]
    if strangers:
        raise ValueError(f"{strangers} are chosen, but are none of the values")
    return [
        pytest.param(
            *(value if isinstance(value, tuple) else (value,)),
            marks=() if value in chosen else pytest.mark.slow,
        )
        for value in values
    ]


def covering(possible):
    """Of some combinations a set in which each two values occur together that do so in any of them."""
    pairs = {combination: _pairs(combination) for combination in possible}
    left = set().union(*pairs.values())
    chosen = set()
    while left:
        best = max(possible, key=lambda combination: len(left & pairs[combination]))
        chosen.add(best)
        left -= pairs[best]
    return chosen


def _pairs(combination):
    return set(combinations(enumerate(combination), 2))


def _by_text(values):
    found = {}
    for value in values:
        if str(value) in found:
            raise ValueError(f"two values are called {str(value)!r}")
        found[str(value)] = value
    return found


def for_each(name, values):
    """Run a quick test for each value in one go: hundreds of tests cost more than what they check.

    Parameters
    ----------
    name : str
        Parameter of the test.
    values : dict of str to object, or list
        The values, by what a failure calls them; those of a list by their text.
    """
    values = values if isinstance(values, dict) else _by_text(values)

    def decorate(test):
        @functools.wraps(test)
        def run(**others):
            for called, value in values.items():
                try:
                    test(**{name: value}, **others)
                except BaseException as error:
                    error.add_note(f"where {name} is {called}")
                    raise

        own = inspect.signature(test)
        run.__signature__ = own.replace(parameters=[p for p in own.parameters.values() if p.name != name])
        return run

    return decorate
