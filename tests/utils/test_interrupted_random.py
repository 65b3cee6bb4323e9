"""A signal handler that raises at any moment leaves no lock held and no generator swapped; nor does a fork."""

import os
import random
import signal
import sys
import threading
import time

import numpy as np
import pytest
import torch

from sklearn_nndyn.utils.random import RandomState, settled_generators, untouched_generators

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs POSIX signals and fork")


class Alarm(Exception):
    """What the handler raises."""


@pytest.fixture
def alarm():
    """Sets a timer whose handler raises, in so many seconds."""

    def ring(*_):
        raise Alarm

    before = signal.signal(signal.SIGALRM, ring)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def users_generators():
    _, keys, *rest = np.random.get_state()
    return torch.default_generator.get_state().numpy().tobytes(), keys.tobytes(), rest


def another_thread_can_draw(seconds=20.0):
    """Whether a swap in another thread ends."""

    def draw():
        with untouched_generators():
            torch.rand(1)

    thread = threading.Thread(target=draw, daemon=True)
    thread.start()
    thread.join(seconds)
    return not thread.is_alive()


def swap_for_ever(outer, inner):
    deadline = time.monotonic() + 10  # an exception in a destructor is printed and lost
    while time.monotonic() < deadline:
        with outer:
            torch.rand(1)
            with untouched_generators():
                np.random.rand(1)
                with inner:
                    torch.rand(1)


@pytest.mark.parametrize(
    "n_signals", [300, pytest.param(20_000, marks=pytest.mark.slow)], ids=["some", "many"]
)
@pytest.mark.parametrize("kept", [False, True], ids=["exception dropped", "exception kept"])
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_signals_at_random_moments(alarm, n_signals, kept):
    moments, before, exceptions = random.Random(0), users_generators(), []
    outer, inner = RandomState(1), RandomState(2)
    for _ in range(n_signals):
        try:
            with settled_generators():
                alarm(moments.uniform(1e-5, 3e-4))
                swap_for_ever(outer, inner)
        except Alarm as error:
            if kept:  # as an interactive Python does, and with it the frames of its traceback
                exceptions[:] = [error]
        assert users_generators() == before
    assert another_thread_can_draw()


class Interrupts:
    """Raises at a chosen line of the module that swaps, as a handler would."""

    def __init__(self, at):
        self.at, self.seen = at, 0

    def __call__(self, frame, event, _):
        if not frame.f_code.co_filename.endswith(os.path.join("utils", "random.py")):
            return None
        if event == "call" and frame.f_code.co_name in ("__enter__", "__exit__", "_undo_from", "_read"):
            self.seen += 1
            if self.seen == self.at:
                raise Alarm
        return self


@pytest.mark.parametrize("at", range(1, 13))
def test_an_exception_at_the_edge_of_a_with(at):
    """The very moment between two frames, which random signals seldom meet."""
    before, kept = users_generators(), None
    interrupts = Interrupts(at)
    with settled_generators():
        try:
            sys.settrace(interrupts)
            with RandomState(1):
                torch.rand(1)
                with untouched_generators():
                    np.random.rand(1)
        except Alarm as error:
            kept = error
        finally:
            sys.settrace(None)
    assert (kept is not None) == (interrupts.seen >= at)
    assert users_generators() == before
    assert another_thread_can_draw()


def test_a_swap_around_undoes_one_that_an_exception_left_open():
    before = users_generators()
    with RandomState(1):
        left_open = untouched_generators()
        left_open.__enter__()
        np.random.rand(1)
    assert users_generators() == before
    assert another_thread_can_draw()


def swap_at_length(begun, end):
    with RandomState(5):
        torch.rand(3)
        np.random.rand(3)
        begun.set()
        end.wait(20)


def in_child(check):
    """The exit status of a forked child that makes a check, or the number of the alarm that ended it."""
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(10)
        try:
            os._exit(0 if check() else 1)
        except BaseException:
            os._exit(2)
    return os.waitpid(pid, 0)[1]


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_forked_while_another_thread_swaps():
    """It can swap, and has the user's generators, not those of the other thread's swap."""
    before = users_generators()
    begun, end = threading.Event(), threading.Event()
    thread = threading.Thread(target=swap_at_length, args=(begun, end))
    thread.start()
    begun.wait(20)

    def check():
        same = users_generators() == before
        with untouched_generators(), RandomState(1):
            torch.rand(1)
        return same and users_generators() == before

    try:
        assert in_child(check) == 0
    finally:
        end.set()
        thread.join()
    assert users_generators() == before


@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_forked_inside_a_swap_is_inside_too():
    before = users_generators()
    with RandomState(1):
        inside = users_generators()
        assert in_child(lambda: users_generators() == inside and another_thread_waits()) == 0
    assert users_generators() == before


def another_thread_waits():
    return not another_thread_can_draw(0.2)
