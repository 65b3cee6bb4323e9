"""Signals that wait while a training goes from one state to the next.

Python calls a handler between any two instructions of the main thread, and most handlers raise (Ctrl-C). Inside
`held_signals` the first signal waits for the next moment at which it can do no harm; a second one acts at once. SIGTERM
is treated as Ctrl-C where nobody else handles it, but it is meant for the program, not for what runs at the moment: it
leaves the outermost block as `Terminated`, even where the KeyboardInterrupt inside was answered.

A ``finally`` that assigns ``held`` runs before any handler does: no call lies in between.
"""

import signal
import threading
from contextlib import contextmanager
from functools import partial
from operator import call
from traceback import walk_tb

NAMES = ("SIGINT", "SIGTERM", "SIGALRM", "SIGHUP", "SIGUSR1", "SIGUSR2", "SIGVTALRM", "SIGPROF", "SIGBREAK")
NUMBERS = tuple(getattr(signal, name) for name in NAMES if hasattr(signal, name))
# The calls in C behind them, so that several are made with no handler called in between.
_set_handler = getattr(signal.signal, "__wrapped__", signal.signal)
_get_handler = getattr(signal.getsignal, "__wrapped__", signal.getsignal)


def raised_by_handler(error: BaseException) -> bool:
    """Whether an exception was raised by the handler of a signal: it says nothing of the code that it came through."""
    handlers = {_code(_get_handler(number)) for number in NUMBERS} - {None}
    return any(frame.f_code in handlers for frame, _ in walk_tb(error.__traceback__))


def _code(handler):
    """The code of a handler that is written in Python."""
    if isinstance(handler, partial):
        return _code(handler.func)
    own = getattr(handler, "__code__", None)
    return own or getattr(type(handler).__call__, "__code__", None) if callable(handler) else None


class Terminated(KeyboardInterrupt):
    """SIGTERM, which the program does not handle."""

    def __init__(self):
        super().__init__("SIGTERM: the program was asked to end")


class Signals:
    """Whether signals wait, and the one that does.

    Attributes
    ----------
    held : bool
        Whether they wait.
    terminating : bool
        Whether SIGTERM came, which nobody else handles.
    """

    def __init__(self):
        self.held = self.terminating = False
        self._waiting = None
        self._before = {}

    def hear(self):
        """Let signals act at once from now on, beginning with the one that waits."""
        self.held = False
        self.deliver()

    def deliver(self):
        """Call the handler of the signal that waits."""
        if self._waiting is not None:
            (number, frame), self._waiting = self._waiting, None
            self._act(number, frame)

    def handle(self, number, frame):
        """The handler of all signals meanwhile."""
        if self.held and self._waiting is None:
            self._waiting = number, frame
        else:
            self._waiting = None
            self._act(number, frame)

    def _act(self, number, frame):
        before = self._before[number]
        if not callable(before):
            self.terminating = True
            raise Terminated
        before(number, frame)

    def install(self):
        """Take the place of handlers written in Python, and of the default for SIGTERM."""
        handlers = {number: _get_handler(number) for number in NUMBERS}
        self._before = {
            number: handler
            for number, handler in handlers.items()
            if callable(handler) or (number == signal.SIGTERM and handler == signal.SIG_DFL)
        }
        for number in self._before:
            _set_handler(number, self.handle)

    def put_back(self):
        """Give the handlers of before their place back; setting one calls those that are due, which may raise."""
        writes = [partial(_set_handler, *item) for item in self._before.items()]
        try:
            tuple(map(call, writes))
        except BaseException:
            tuple(map(call, writes))
            raise
        finally:
            _MAIN.clear()


_MAIN: list = []  # the Signals of the main thread, while it holds some


@contextmanager
def held_signals():
    """Let signals of the main thread wait, but for those parts in which they are heard.

    Parameters
    ----------
    Yields
    ------
    signals : Signals
        In other threads, to which no signal comes, one that does nothing.

    Raises
    ------
    Terminated
        At the end of the outermost block, where SIGTERM came and nobody else handles it.
    """
    if threading.current_thread() is not threading.main_thread():
        yield Signals()
        return
    outermost = not _MAIN
    signals = Signals() if outermost else _MAIN[0]
    before = signals.held
    try:
        if outermost:
            _MAIN.append(signals)
            signals.install()
        signals.held = True
        yield signals
    except KeyboardInterrupt as interrupt:
        if outermost and signals.terminating and not isinstance(interrupt, Terminated):
            raise Terminated from interrupt
        raise
    finally:
        if outermost:
            signals.put_back()
        signals.held = before
        if not before:
            signals.deliver()
    if outermost and signals.terminating:
        raise Terminated
