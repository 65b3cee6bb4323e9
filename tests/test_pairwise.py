"""Each two values meet in the default run, and nothing is lost from the slow one."""

from itertools import combinations, product

import pytest

from tests.pairwise import covering, pairwise

AXES = {
    "a": {"one": 1, "two": 2, "three": 3},
    "b": {"yes": True, "no": False},
    "c": dict(zip("wxyz", range(4), strict=True)),
}


def test_each_two_values_meet_in_few_combinations():
    chosen = covering([list(own) for own in AXES.values()])
    for (i, own), (j, others) in combinations(enumerate(AXES.values()), 2):
        assert {(one[i], one[j]) for one in chosen} == set(product(own, others))
    assert len(chosen) <= 14  # 12 at the least, of 24


def test_all_combinations_are_there_and_the_rest_is_slow():
    _, cases = pairwise(**AXES).args
    chosen = covering([list(own) for own in AXES.values()])
    assert {case.values for case in cases} == set(product(*(own.values() for own in AXES.values())))
    slow = {case.id for case in cases if pytest.mark.slow.mark in [mark.mark for mark in case.marks]}
    assert {case.id for case in cases} - slow == {"-".join(ids) for ids in chosen}
