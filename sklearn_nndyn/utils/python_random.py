"""Python's own random numbers, which belong to no fit."""

import random
from contextlib import contextmanager


@contextmanager
def refuse_python_random(what):
    """Refuse what draws from Python's global ``random``, whose state is left as it was.

    Parameters
    ----------
    what : str
        What is tried inside, for the message.

    Raises
    ------
    ValueError
    """
    before = random.getstate()
    try:
        yield
    finally:
        drew = random.getstate() != before
        if drew:
            random.setstate(before)
    if drew:
        raise ValueError(
            f"{what} draws from Python's random, which random_state does not fix: no two fits would be equal. Draw "
            "from torch or NumPy, for instance torch.rand(()).item() in place of random.random()."
        )
