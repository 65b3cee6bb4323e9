"""When to record: a function of the epoch, or of the updates of the weights."""

from collections.abc import Callable
from typing import Any

from sklearn_nndyn.recording._record import layer_recordings
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


class RecordSchedule:
    """When to record: by epochs, or by updates of the weights.

    A record made after i of the s updates of epoch e + 1 has the epoch e + i / s.

    Parameters
    ----------
    schedule : callable
        ``schedule(time) -> bool``.
    steps : int
        Updates of an epoch.
    by_iteration : bool
        Whether the schedule is one of iterations.
    with_end : bool, default=False
        Whether the last epoch of a fit is recorded in any case.

    Attributes
    ----------
    last : int or None
        The last epoch of the fit that has begun.
    """

    last = None

    def __init__(self, schedule, steps, by_iteration, with_end=False):
        self.schedule, self.steps, self.by_iteration, self.with_end = schedule, steps, by_iteration, with_end

    def is_due(self, epoch, iteration):
        """Whether to record now."""
        return self.schedule(iteration if self.by_iteration else epoch) or (
            self.with_end and epoch == self.last
        )

    def begin(self, history, epochs):
        """Begin so many epochs after a history.

        Returns
        -------
        count : int
            Number of records that are due from now to their end, both included.
        """
        self.last = len(history) + epochs
        length = epochs * self.steps if self.by_iteration else epochs
        first = count_iterations(history) if self.by_iteration else len(history)
        return sum(map(self.schedule, range(first, first + length + 1))) + self.with_end


def count_iterations(history):
    """Updates of the weights in the finished epochs of a history."""
    return sum(line.get("train_batch_count", 0) for line in history)


def make_record_schedule(record, record_epochs, record_iterations, steps):
    """The schedule of a fit with so many updates an epoch.

    ``record_iterations="auto"`` means powers of two, and the end, where layers are decoded and no epochs were asked
    for, else None.
    """
    chosen_here = is_auto(record_iterations)
    if chosen_here:
        record_iterations = "log" if layer_recordings(record) and is_default(record_epochs) else None
    if record_iterations is None:
        return RecordSchedule(make_schedule(record_epochs), steps, by_iteration=False)
    return RecordSchedule(
        make_schedule(record_iterations, "iteration"), steps, by_iteration=True, with_end=chosen_here
    )


def is_auto(record_iterations):
    """Whether ``record_iterations`` is ``"auto"``."""
    return isinstance(record_iterations, str) and record_iterations == "auto"


def is_default(record_epochs):
    """Whether ``record_epochs`` is the default ``"all"``."""
    return isinstance(record_epochs, str) and record_epochs == "all"
