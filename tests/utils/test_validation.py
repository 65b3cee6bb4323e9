"""One check of each kind of parameter."""

import numpy as np
import pytest

from sklearn_nndyn.utils.validation import (
    check_choice,
    check_count,
    check_finite,
    check_instance,
    check_not_negative,
    check_positive,
    check_share,
    find_layer,
    is_count,
    is_finite,
    is_flag,
    is_number,
    is_one_of,
)

NOT_NUMBERS = ("1", None, True, np.True_, 1j, [1], np.array([1.0, 2.0]))
CHECKS = {
    "count": (check_count, (1, np.int8(3), 10**30), (0, -1), (1.0, np.float64(2))),
    "share": (check_share, (0, 1, 0.5, np.float32(0.25)), (-1e-9, 1.1, np.nan, np.inf), ()),
    "finite": (check_finite, (-3, 0, 1e300), (np.nan, np.inf, -np.inf), ()),
    "not negative": (check_not_negative, (0, 2, 1e300), (-1e-9, np.nan, np.inf), ()),
    "positive": (check_positive, (1e-300, 2), (0, -1, np.nan, np.inf), ()),
}


@pytest.mark.parametrize(("check", "good", "out_of_range", "strange"), CHECKS.values(), ids=CHECKS)
def test_a_wrong_type_is_a_type_error_and_a_wrong_size_a_value_error(check, good, out_of_range, strange):
    for value in good:
        check("x", value)
    for value in out_of_range:
        with pytest.raises(ValueError, match=rf"^x must be .*[,;] got {value!r}\.$".replace("(", r"\(")):
            check("x", value)
    for value in (*NOT_NUMBERS, *strange):
        with pytest.raises(TypeError, match=r"^x must be a (whole )?number.*, got .*\.$"):
            check("x", value)


def test_ends_and_meaning_of_a_share():
    check_share("x", 0, one=False)
    check_share("x", 1, zero=False)
    check_share("x", "auto", auto=True)
    for end, closed in ((0, {"zero": False}), (1, {"one": False})):
        with pytest.raises(ValueError, match=f"^x must be between 0 and 1, a share of the rows; got {end}"):
            check_share("x", end, of="the rows", **closed)
    with pytest.raises(TypeError, match=r"^x must be a number between 0 and 1, got 'auto'"):
        check_share("x", "auto")
    with pytest.raises(TypeError, match=r"^x must be 'auto' or a number between 0 and 1, got 'all'"):
        check_share("x", "all", auto=True)


def test_choices_are_names_numbers_or_none():
    choices = ("log", None, 2)
    assert [check_choice("x", value, choices) for value in choices] == list(choices)
    assert check_choice("x", np.str_("log"), choices) == "log"
    for wrong in ("Log", 3, False, ["log"], np.array(["log", "l2"]), {"log"}):
        with pytest.raises(ValueError, match=r"^x must be one of 'log', None, 2; got "):
            check_choice("x", wrong, choices)
    assert not is_one_of(True, (1, 2))


def test_predicates_take_no_boolean_for_a_number():
    for value in (True, np.True_):
        assert is_flag(value)
        assert not any(is_a(value) for is_a in (is_number, is_finite, is_count))
    assert not is_flag(1)
    assert is_number(np.nan)
    assert not is_finite(np.nan)
    assert is_count(np.uint8(3), 3, 3)
    assert not is_count(np.uint8(3), 4)
    assert not is_count(4, most=3)


def test_a_large_or_nameless_object_is_shown_by_its_kind():
    for wrong, shown in (
        (np.zeros((50, 50)), "a ndarray"),
        (object(), "a object"),
        (np.ndarray, "the class ndarray"),
        ("a", "'a'"),
    ):
        with pytest.raises(TypeError, match=f"^x must be a dict, got {shown}\\.$"):
            check_instance("x", wrong, dict)
    check_instance("x", {}, dict)


def test_a_layer_is_found_by_position_or_name():
    names = ("first", "last")
    wanted = {0: "first", np.int64(-1): "last", "last": "last", "scores": "scores"}
    for given, found in wanted.items():
        assert find_layer(given, names, also=["scores"]) == found
    offered = "the hidden layers are 'first', 'last'; 'scores' stands for the raw outputs"
    for wrong in (2, -3, True, 0.0, None, "middle", ["first"]):
        with pytest.raises(ValueError, match=f" does not exist; {offered}\\.$"):
            find_layer(wrong, names, also=["scores"])
    with pytest.raises(
        ValueError, match=r"^layer 0 does not exist; .* none: the network is one linear layer"
    ):
        find_layer(0, ())
