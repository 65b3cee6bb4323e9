"""Each two values meet in the default run, and nothing is lost from the slow one."""

from itertools import combinations, product

import pytest

from tests.pairwise import covering, for_each, pairwise, some_of, thinned

AXES = {
    "a": {"one": 1, "two": 2, "three": 3},
    "b": {"yes": True, "no": False},
    "c": dict(zip("wxyz", range(4), strict=True)),
}


def test_each_two_values_meet_in_few_combinations():
    chosen = covering(list(product(*AXES.values())))
    for (i, own), (j, others) in combinations(enumerate(AXES.values()), 2):
        assert {(one[i], one[j]) for one in chosen} == set(product(own, others))
    assert len(chosen) <= 14  # 12 at the least, of 24


def test_all_combinations_are_there_and_the_rest_is_slow():
    _, cases = pairwise(**AXES).args
    chosen = covering(list(product(*AXES.values())))
    assert {case.values for case in cases} == set(product(*(own.values() for own in AXES.values())))
    slow = {case.id for case in cases if pytest.mark.slow.mark in [mark.mark for mark in case.marks]}
    assert {case.id for case in cases} - slow == {"-".join(ids) for ids in chosen}


def test_cases_that_do_not_meet_are_not_made_up():
    """Of cases that are no full product those stay whose pairs no other has."""
    cases = [*product("ab", "vw", "xy"), ("c", "v", "z")]
    kept = {case.values for case in thinned(cases) if not case.marks}
    assert len(kept) == 5
    assert ("c", "v", "z") in kept
    assert kept < set(cases)


def test_all_values_are_tried_in_one_test_and_a_failure_names_its_own():
    tried = []

    @for_each("value", {"one": 1, "two": 2, "three": 3})
    def check(value, limit):
        tried.append(value)
        assert value < limit

    check(limit=4)
    assert tried == [1, 2, 3]
    with pytest.raises(AssertionError) as caught:
        check(limit=2)
    assert caught.value.__notes__ == ["where value is two"]


def test_values_of_a_list_are_called_by_their_text_and_none_is_lost():
    with pytest.raises(ValueError, match="two values are called '1'"):
        for_each("value", [1, "1"])


def test_what_is_not_chosen_is_slow():
    cases = some_of([("a", 1), ("a", 2), ("b", 2)], [("a", 1), ("b", 2)])
    assert [(case.values, bool(case.marks)) for case in cases] == [
        (("a", 1), False),
        (("a", 2), True),
        (("b", 2), False),
    ]
    assert [case.values for case in some_of("xy", "x")] == [("x",), ("y",)]
    with pytest.raises(ValueError, match=r"\['z'\] are chosen, but are none of the values"):
        some_of("xy", "xz")
