"""Checks of parameters, one of a kind: numbers, counts, shares, choices, objects, layers.

A value of the wrong type is a TypeError and one out of range a ValueError; both repeat the name and the value as given.
scikit-learn's ``check_scalar`` does the like, but takes True for 1 and says neither what a share is of nor what else
would do.
"""

from contextlib import contextmanager
from math import inf, isfinite
from numbers import Integral, Real

import numpy as np

from sklearn_nndyn.utils.signals import raised_by_handler
from sklearn_nndyn.utils.text import listed


def is_number(value):
    """Whether it is a real number, possibly nan or infinite, and no boolean."""
    return isinstance(value, Real) and not isinstance(value, (bool, np.bool_))


def is_finite(value):
    """Whether it is a finite real number."""
    return is_number(value) and isfinite(value)


def is_count(value, least=0, most=inf):
    """Whether it is a whole number from ``least`` to ``most``, and no boolean."""
    return isinstance(value, Integral) and not isinstance(value, (bool, np.bool_)) and least <= value <= most


def is_below_one(value):
    """Whether it is a number from 0 on, below 1."""
    return is_number(value) and 0 <= value < 1


def is_flag(value):
    """Whether it is True or False."""
    return isinstance(value, (bool, np.bool_))


def is_positive_count(value):
    """Whether it is a whole number, 1 or greater, and no boolean."""
    return is_count(value, 1)


def are_counts(values):
    """Whether it is a sequence of whole numbers, each 1 or greater."""
    return not isinstance(values, str) and hasattr(values, "__iter__") and all(map(is_positive_count, values))


# What a parameter must be, and what its values may be: constants, classes, functions that accept a value.
FLAG = "True or False", is_flag
COUNT = "an integer, 1 or greater", is_positive_count
POSITIVE = "a finite number greater than 0", lambda value: is_finite(value) and value > 0
NOT_NEGATIVE = "a finite number, 0 or greater", lambda value: is_finite(value) and value >= 0


def broken_rules(owner, rules):
    """A sentence for each parameter that breaks its rule: {name: (what it must be, *what its values may be)}."""
    values = {name: getattr(owner, name) for name in rules}
    return [
        f"{name} must be {text}, got {values[name]!r}"
        for name, (text, *allowed) in rules.items()
        if not any(_is_allowed(values[name], one) for one in allowed)
    ]


def _is_allowed(value, allowed):
    if isinstance(allowed, type):
        return isinstance(value, allowed)
    return allowed(value) if callable(allowed) else is_one_of(value, (allowed,))


def check_count(name, value, least=1, *, of=""):
    """Refuse what is not a whole number, ``least`` or more; ``of`` says what is counted."""
    if not is_count(value, least=-inf):
        raise TypeError(f"{name} must be a whole number{of and f' of {of}'}, got {_shown(value)}.")
    if value < least:
        raise ValueError(f"{name} must be {least} or more, got {value!r}.")


def check_n_jobs(n_jobs):
    """Refuse what is no number of workers of joblib: 1 or more, or less than 0 for as many as there are processors."""
    if n_jobs is not None and not is_count(n_jobs, least=-inf):
        raise TypeError(f"n_jobs must be None or a whole number, got {_shown(n_jobs)}.")
    if n_jobs == 0:
        raise ValueError(
            "n_jobs must be a number of workers, or -1 for as many as there are processors; got 0."
        )


def check_share(name, value, *, of="", zero=True, one=True, auto=False):
    """Raise for values that are not numbers from 0 to 1.

    ``of`` names the whole that the parameter is a share of, for the message; ``zero`` and ``one`` say whether the ends
    are allowed, ``auto`` whether ``"auto"`` is.
    """
    if auto and is_one_of(value, ("auto",)):
        return
    if not is_number(value):
        also = "'auto' or " if auto else ""
        raise TypeError(f"{name} must be {also}a number between 0 and 1, got {_shown(value)}.")
    if not (0 < value < 1 or (zero and value == 0) or (one and value == 1)):
        meaning = f", a share of {of};" if of else ","
        raise ValueError(f"{name} must be between 0 and 1{meaning} got {value!r}.")


def check_finite(name, value):
    """Refuse what is not a finite number."""
    _check_number(name, value, "", isfinite)


def check_not_negative(name, value):
    """Refuse what is not a finite number, 0 or more."""
    _check_number(name, value, " and 0 or more", lambda v: isfinite(v) and v >= 0)


def check_positive(name, value):
    """Refuse what is not a finite number greater than 0."""
    _check_number(name, value, " and greater than 0", lambda v: isfinite(v) and v > 0)


def _check_number(name, value, where, accept):
    if not is_number(value):
        raise TypeError(f"{name} must be a number, got {_shown(value)}.")
    if not accept(value):
        raise ValueError(f"{name} must be finite{where}, got {value!r}.")


def is_one_of(value, choices):
    """Whether it equals one of some names, numbers or None; arrays and the like are none of them."""
    return (value is None or isinstance(value, str) or is_number(value)) and value in tuple(choices)


def check_choice(name, value, choices):
    """Refuse what is not one of some names, numbers or None; return what is."""
    if not is_one_of(value, choices):
        raise ValueError(f"{name} must be one of {listed(choices)}; got {_shown(value)}.")
    return value


def check_instance(name, value, kind):
    """Refuse what is not an object of a class, or of a class derived from it."""
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIOU" else "a"
        raise TypeError(f"{name} must be {article} {kind.__name__}, got {_shown(value)}.")


def find_layer(layer, names, *, also=(), absent="does not exist; the hidden layers are"):
    """The name of one layer, given by position among ``names`` or by name; ``also`` are names without a position.

    ValueError if there is no such layer, which offers the names; ``absent`` are the words before them.
    """
    if isinstance(layer, str) and layer in (*names, *also):
        return layer
    if is_count(layer, -len(names), len(names) - 1):
        return names[layer]
    offered = listed(names) if len(names) else "none: the network is one linear layer"
    extra = "".join(f"; {name!r} stands for the raw outputs" for name in also)
    raise ValueError(f"layer {_shown(layer)} {absent} {offered}{extra}.")


def _shown(value):
    """A value as the user wrote it; of a large or unusual object, its kind."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    text = repr(value)
    return (
        text if len(text) <= 80 and "\n" not in text and " at 0x" not in text else f"a {type(value).__name__}"
    )


@contextmanager
def reraise_as(what):
    """Whatever goes wrong inside is a ValueError that says ``what`` does not work."""
    try:
        yield
    except Exception as error:
        if raised_by_handler(error):
            raise
        raise ValueError(f"{what}: {type(error).__name__}: {error}") from error
