"""When to record: a function of the epoch."""

from collections.abc import Callable
from typing import Any

from sklearn_nndyn.utils.validation import is_count


def make_schedule(record_epochs: Any, unit: str = "epoch") -> Callable[[float], bool]:
    """Turn ``record_epochs`` or ``record_iterations`` into a function of the epoch or iteration.

    Parameters
    ----------
    record_epochs : {"all", "log"}, int, sequence of int, or callable
        ``"all"``: every epoch. ``"log"``: 0 and the powers of two. An int: every so many epochs, 0 included.
        A sequence: these epochs. A callable: where it is true.
    unit : {"epoch", "iteration"}, default="epoch"
        The unit that is counted.

    Returns
    -------
    schedule : callable
        ``schedule(epoch) -> bool``, for epochs counted from 0 (before the first update).

    Raises
    ------
    ValueError
        If it is none of these.

    Examples
    --------
    >>> from sklearn_nndyn.recording import make_schedule
    >>> log = make_schedule("log")
    >>> [epoch for epoch in range(20) if log(epoch)]
    [0, 1, 2, 4, 8, 16]
    """
    if isinstance(record_epochs, str) and record_epochs in NAMED:
        return NAMED[record_epochs]
    if is_count(record_epochs, 1):
        return lambda epoch: epoch % record_epochs == 0
    if callable(record_epochs):
        return lambda epoch: bool(record_epochs(epoch))
    if _is_list_of_epochs(record_epochs):
        chosen = frozenset(int(epoch) for epoch in record_epochs)
        return lambda epoch: epoch in chosen
    raise ValueError(
        f"record_{unit}s must be {NAMES[unit]}, a positive step, a list of {unit}s (0 or greater) or a callable of "
        f"the {unit}, got {record_epochs!r}."
    )


def _every(epoch):
    return True


def _power_of_two(epoch):
    return epoch & (epoch - 1) == 0


NAMES = {"epoch": '"all", "log"', "iteration": 'None, "auto", "all", "log"'}
NAMED = {"all": _every, "log": _power_of_two}


def _is_list_of_epochs(value):
    if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__") or not hasattr(value, "__len__"):
        return False
    return len(value) > 0 and all(is_count(epoch) for epoch in value)
