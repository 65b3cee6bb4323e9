"""Signals wait while they are held, and are not lost."""

import os
import signal
import threading
from functools import partial

import pytest

from sklearn_nndyn.utils import signals
from sklearn_nndyn.utils.signals import NUMBERS, held_signals, raised_by_handler
from sklearn_nndyn.utils.validation import reraise_as

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")


def handlers():
    return {number: signal.getsignal(number) for number in NUMBERS}


def interrupted(work):
    with pytest.raises(KeyboardInterrupt):
        work()


@pytest.fixture(autouse=True)
def hears_control_c():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    others = handlers()
    yield
    assert handlers() == others
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_waits_for_the_end(number):
    done = []

    def work():
        with held_signals():
            signal.raise_signal(number)
            done.append(None)

    interrupted(work)
    assert done


def test_the_first_waits_until_it_is_heard():
    def work():
        with held_signals() as signals:
            signal.raise_signal(signal.SIGTERM)
            signals.hear()
            pytest.fail("it should have been heard")

    interrupted(work)


def swallowed(number):
    done = []
    with held_signals() as outer:
        with held_signals() as signals:
            try:
                signals.hear()
                signal.raise_signal(number)
            except KeyboardInterrupt:
                signals.held = True
        done.append(outer is signals)
    return done


def test_control_c_is_over_once_it_was_answered():
    assert swallowed(signal.SIGINT) == [True]


def test_termination_ends_the_program_even_where_it_was_answered():
    """At the end of the outermost block, and only that one: the next is as any other."""
    with pytest.raises(KeyboardInterrupt, match="SIGTERM: the program was asked to end"):
        swallowed(signal.SIGTERM)
    assert swallowed(signal.SIGINT) == [True]


def test_termination_does_not_hide_an_error():
    def work():
        with held_signals() as signals:
            signals.hear()
            try:
                signal.raise_signal(signal.SIGTERM)
            except KeyboardInterrupt:
                raise ZeroDivisionError from None

    with pytest.raises(ZeroDivisionError):
        work()


def test_one_that_is_heard_acts_at_once():
    def work():
        with held_signals() as signals:
            signals.hear()
            signal.raise_signal(signal.SIGINT)
            pytest.fail("it should have acted")

    interrupted(work)


def test_the_second_acts_at_once():
    def work():
        with held_signals():
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
            pytest.fail("it should have acted")

    interrupted(work)


def test_inner_parts_belong_to_the_outer_one():
    done = []

    def work():
        with held_signals() as outer:
            with held_signals() as inner:
                assert inner is outer
                signal.raise_signal(signal.SIGINT)
            done.append(None)

    interrupted(work)
    assert done


def test_within_a_part_that_hears_the_end_of_an_inner_one_is_the_moment():
    def work():
        with held_signals() as outer:
            outer.hear()
            with held_signals():
                signal.raise_signal(signal.SIGINT)
            pytest.fail("it should have acted")

    interrupted(work)


def test_the_users_own_handler_is_called_once():
    seen = []
    before = signal.signal(signal.SIGUSR1, lambda number, frame: seen.append(number))
    try:
        with held_signals():
            signal.raise_signal(signal.SIGUSR1)
            assert seen == []
        assert seen == [signal.SIGUSR1]
    finally:
        signal.signal(signal.SIGUSR1, before)


@pytest.mark.parametrize("handler", [signal.SIG_IGN, lambda number, frame: None], ids=["ignored", "handled"])
def test_termination_that_the_user_handles_stays_so(handler):
    before = signal.signal(signal.SIGTERM, handler)
    try:
        with held_signals() as signals:
            signal.raise_signal(signal.SIGTERM)
            signals.hear()
    finally:
        signal.signal(signal.SIGTERM, before)


def test_an_error_puts_the_handlers_back_too():
    with pytest.raises(ZeroDivisionError), held_signals():
        raise ZeroDivisionError


def test_other_threads_leave_signals_alone():
    found = []

    def work():
        before = handlers()
        with held_signals() as signals:
            signals.hear()
            found.append(handlers() == before)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [True]


def test_one_that_comes_as_handlers_are_put_back(monkeypatch):
    """Setting a handler calls those that are due: the second call here raises, as Ctrl-C would."""
    original, calls = signals._set_handler, []

    def set_handler(number, handler):
        calls.append(number)
        if calls == [signal.SIGINT, signal.SIGTERM]:
            raise KeyboardInterrupt
        original(number, handler)

    def work():
        with held_signals():
            monkeypatch.setattr(signals, "_set_handler", set_handler)

    interrupted(work)
    assert calls == 2 * [signal.SIGINT, signal.SIGTERM]


class Ring:
    """Handlers of a signal, as people write them."""

    def method(self, *_):
        raise TimeoutError

    def __call__(self, *_):
        raise TimeoutError


def ring(*_):
    raise TimeoutError


@pytest.mark.parametrize(
    "handler",
    [ring, Ring().method, Ring(), partial(ring, 1)],
    ids=["function", "method", "object", "partial"],
)
def test_what_a_handler_raises_is_no_fault_of_the_code_that_it_came_through(handler):
    before = signal.signal(signal.SIGALRM, handler)
    try:
        with pytest.raises(TimeoutError) as raised, reraise_as("module"):
            signal.raise_signal(signal.SIGALRM)
        assert raised_by_handler(raised.value)
        with pytest.raises(ValueError, match="module: TimeoutError"), reraise_as("module"):
            raise TimeoutError
    finally:
        signal.signal(signal.SIGALRM, before)
