"""Temporary random state: a private state in place of the global generators, for a while; and Python's own refused.

torch's and NumPy's global generators belong to the whole process, so whoever swaps them holds a lock. A signal handler
may raise at any moment (Ctrl-C), and must leave neither the lock held nor the generators swapped. CPython calls
handlers between calls and as a function of Python begins, never inside a call that runs in C: the states are put back
by a single such call in a ``finally``, and what ends a ``with`` runs in C until it is there. What is left open all the
same, the swap or `settled_generators` around it puts back.
"""

import io
import os
import random
import sys
import threading
import weakref
from contextlib import contextmanager
from functools import lru_cache
from operator import call

import numpy as np
import torch

from sklearn_nndyn.utils.private_names import mps_generator

SECONDS_BEFORE_FORK = 0.5
_set_numpy_state = np.random.set_state  # as it was imported, for it must run in C
_lock = threading.RLock()
_forking = threading.local()
# (weak reference to a swap not yet undone, what puts the generators back), outermost first, of the lock's thread.
_open: list[tuple] = []


class Swap(io.IOBase):
    """Put the global generators aside, and back on leaving.

    It is a file to Python, for the sake of an ``__exit__`` written in C: that calls ``close``, which is the generator's
    own, and so the next thing to run in Python lies in a ``finally``.

    Parameters
    ----------
    device : torch.device
        The generator of this device is covered too.
    place : list, optional
        Holds the states that take over meanwhile, and then those that they have become. Without it the generators go
        on from where they are.
    """

    def __init__(self, device, place=None):
        self._steps = _there_and_back(device, place)
        self.close = self._steps.close
        self._place, self._first = place, None if place is None else place[0]

    def __enter__(self):
        try:
            put_back = next(self._steps)
            _open.append((weakref.ref(self), put_back))
        except BaseException:
            self.close()
            raise

    @property
    def drew(self):
        """Whether, once it is over, numbers were drawn from the states that took over."""
        (host, on_device, (_, keys, *rest)), now = self._first, self._place[0]
        same = torch.equal(host, now[0]) and np.array_equal(keys, now[2][1]) and rest == list(now[2][2:])
        return not (same and (on_device is None or torch.equal(on_device, now[1])))


def _there_and_back(device, place):
    with _lock:
        position, put_back = len(_open), _writes(device, _read(device))
        try:
            if place is not None:
                tuple(_writes(device, place[0]))
            yield put_back
        finally:
            try:
                _undo_from(position + 1)
                if place is not None:
                    place[0] = _read(device)
            finally:
                tuple(put_back)
                del _open[position:]


class RandomState:
    """The states of torch's and NumPy's global generators, as one value that can be kept and pickled.

    Inside ``with random_state:`` the global generators draw its numbers. They belong to the whole process: what
    another thread draws there, or seeds, meanwhile, changes what is drawn here.

    Parameters
    ----------
    seed : int
        Seeds both.
    device : torch.device or str, default="cpu"
        The generator of this device is covered too.
    """

    def __init__(self, seed, device="cpu"):
        self.device = torch.device(device)
        self._place = [_seeded_once(seed, self.device)]

    @property
    def states(self):
        """(torch's, the device's or None for a CPU, NumPy's), replaced as a whole: what was read stays as it is."""
        return self._place[0]

    @states.setter
    def states(self, states):
        self._place[0] = states

    @property
    def __exit__(self):
        """What ``with`` is to call at its end; Python asks for it before ``__enter__``."""
        self._swap = Swap(self.device, self._place)
        return self._swap.__exit__

    def __enter__(self):
        self._swap.__enter__()
        return self

    def __getstate__(self):
        return {"device": self.device, "_place": self._place}

    @contextmanager
    def as_generator(self, generator):
        """Lend the state to ``generator``, which draws the same numbers without touching the global ones."""
        place = 0 if generator.device.type == "cpu" else 1
        generator.set_state(self.states[place])
        try:
            yield generator
        finally:
            states = list(self.states)
            states[place] = generator.get_state()
            self.states = tuple(states)


def untouched_generators(device="cpu"):
    """Leave the global generators as they were found, whatever is drawn inside."""
    return Swap(torch.device(device))


def fixed_generators(device="cpu"):
    """Draw the same numbers whenever this is entered, and leave the global generators as they were found."""
    device = torch.device(device)
    return Swap(device, [_seeded_once(0, device)])


@contextmanager
def settled_generators():
    """Undo, on leaving, the swaps made inside that an exception kept from being undone."""
    n_open = count_swaps()
    try:
        yield
    finally:
        undo_swaps(n_open)


def count_swaps():
    """Swaps that this thread has not undone yet."""
    return len(_open) if _lock._is_owned() else 0


def undo_swaps(n_open):
    """Undo the innermost swaps of this thread, down to so many."""
    if _lock._is_owned():
        _undo_from(n_open)


def _undo_from(position):
    for swap, _ in reversed(_open[position:]):
        if swap() is not None:
            swap().close()


def _wait_before_fork():
    """Fork while no other thread is at the generators, if that comes about soon: it might hold torch's own lock."""
    _forking.waited = _lock.acquire(timeout=SECONDS_BEFORE_FORK)


def _go_on_after_fork():
    if _forking.waited:
        _lock.release()


def _begin_anew_after_fork():
    """In the child only the thread that forked goes on: nobody is left to undo another thread's swap."""
    global _lock
    if _forking.waited:
        _lock.release()
        return
    for _, put_back in reversed(_open):
        tuple(put_back)
    _open.clear()
    _lock = threading.RLock()


os.register_at_fork(
    before=_wait_before_fork, after_in_parent=_go_on_after_fork, after_in_child=_begin_anew_after_fork
)


@lru_cache(maxsize=16)
def _seeded_once(seed, device):
    on_device = None if device.type == "cpu" else torch.Generator(device).manual_seed(seed).get_state()
    on_host = torch.Generator().manual_seed(seed).get_state()
    return on_host, on_device, np.random.RandomState(seed % 2**32).get_state()


def _read(device):
    own = _generator_of(device)
    on_device = None if own is None else own.get_state()
    return torch.default_generator.get_state(), on_device, np.random.get_state()


def _generator_of(device):
    """The global generator of a device; None for the CPU, and for a device that has none."""
    if device.type == "cpu":
        return None
    if device.type == "mps":
        return mps_generator()
    of_kind = torch.get_device_module(device)
    if hasattr(of_kind, "init"):
        of_kind.init()  # before that there are no generators
    if not hasattr(of_kind, "default_generators"):
        return None
    return of_kind.default_generators[of_kind.current_device() if device.index is None else device.index]


def _writes(device, states):
    """Calls that write the states, made when they are consumed, and once; no handler is called between them."""
    on_host, on_device, numpy_state = states
    setters = [torch.default_generator.set_state, _set_numpy_state]
    values = [on_host, numpy_state]
    if on_device is not None:
        setters.append(_generator_of(device).set_state)
        values.append(on_device)
    return map(call, setters, values)


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


def stop_watching(before: object) -> None:
    """End a watch for draws that began after ``sys.getprofile()`` gave ``before``, and was interrupted."""
    now = sys.getprofile()
    if now is not before and isinstance(getattr(now, "__self__", None), _Draws):
        sys.setprofile(before)  # type: ignore[arg-type]
