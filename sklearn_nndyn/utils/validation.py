"""What the parameters of this folder have in common."""

from contextlib import contextmanager
from math import isfinite
from numbers import Integral, Real


def check_count(name, value, least):
    """Refuse what is not a whole number, ``least`` or more."""
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, got {value!r}.")
    if value < least:
        raise ValueError(f"{name} must be {least} or more, got {value!r}.")


def check_share(name, value):
    """Refuse what is not a number between 0 and 1."""
    _check_number(name, value)
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be between 0 and 1, got {value!r}.")


def check_not_negative(name, value):
    """Refuse what is not a finite number, 0 or more."""
    _check_number(name, value)
    if not (isfinite(value) and value >= 0):
        raise ValueError(f"{name} must be finite and 0 or more, got {value!r}.")


def check_finite(name, value):
    """Refuse what is not a finite number."""
    _check_number(name, value)
    if not isfinite(value):
        raise ValueError(f"{name} must be finite, got {value!r}.")


def check_kind(kind, kinds):
    """Refuse a kind that is not there, with those that are."""
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"kind must be one of {', '.join(map(repr, kinds))}; got {kind!r}.")


def _check_number(name, value):
    if not isinstance(value, Real) or isinstance(value, bool):
        raise TypeError(f"{name} must be a number, got {value!r}.")


@contextmanager
def reraise_as(what):
    """Whatever goes wrong inside is a ValueError that says ``what`` does not work."""
    try:
        yield
    except Exception as error:
        raise ValueError(f"{what}: {type(error).__name__}: {error}") from error
