"""Python's own random numbers, which belong to no fit."""

import random
import sys
import threading
from contextlib import contextmanager


@contextmanager
def refuse_python_random(what):
    """Refuse what draws from Python's global ``random``, whose state is left as it was.

    What other threads draw meanwhile is theirs.

    Parameters
    ----------
    what : str
        What is tried inside, for the message.

    Raises
    ------
    ValueError
    """
    before, draws = random.getstate(), _Draws()
    try:
        with draws:
            yield
    finally:
        drew = draws.seen and random.getstate() != before
        if drew:
            random.setstate(before)
    if drew:
        raise ValueError(
            f"{what} draws from Python's random, which random_state does not fix: no two fits would be equal. Draw "
            "from torch or NumPy, for instance torch.rand(()).item() in place of random.random()."
        )


class _Draws:
    """Whether this thread may have drawn: known where others run, and where nobody else watches its calls."""

    def __init__(self):
        self.watches = threading.active_count() > 1 and sys.getprofile() is None
        self.seen = not self.watches

    def __enter__(self):
        if self.watches:
            sys.setprofile(self._see)
        return self

    def __exit__(self, *error):
        if self.watches:
            sys.setprofile(None)

    def _see(self, frame, event, called):
        """All numbers come out of two methods written in C."""
        if event == "c_call" and getattr(called, "__self__", None) is random.random.__self__:
            self.seen = True
