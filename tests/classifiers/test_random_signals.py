"""A signal at any moment of a fit leaves the global generators and every lock as they were."""

import functools
import random
import signal
import threading
import time

import pytest
import torch
from sklearn.datasets import load_iris
from torch import nn

from sklearn_nndyn import DynamicsClassifier, fit_together
from tests.utils.test_interrupted_random import users_generators

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs POSIX timers")
X, y = load_iris(return_X_y=True)
X, y = X[::5].astype("float32"), y[::5]


DROPPING = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Dropout(0.2), nn.Linear(8, 3))


class Alarm(Exception):
    """What the handler raises, where it is not KeyboardInterrupt."""


def dropping():
    return DynamicsClassifier(DROPPING, max_epochs=3, random_state=0).fit(X, y)


def default():
    return DynamicsClassifier(max_epochs=3, random_state=0).fit(X, y)


def two():
    return fit_together([DynamicsClassifier(max_epochs=3, random_state=s) for s in (0, 1)], X, y)


@functools.cache
def fitted():
    return default()


def replayed():
    return fitted().replay(X, y)


@pytest.fixture(params=[KeyboardInterrupt, Alarm])
def interrupt(request):
    """Sets a timer whose handler raises, in so many seconds."""

    def ring(*_):
        raise request.param

    before = signal.signal(signal.SIGALRM, ring)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def ends_in_another_thread(work):
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(60)
    return not thread.is_alive()


@pytest.mark.parametrize("n_signals", [15, pytest.param(300, marks=pytest.mark.slow)], ids=["some", "many"])
@pytest.mark.parametrize("work", [dropping, default, two, replayed])
@pytest.mark.filterwarnings("ignore:Train", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_generators_and_locks(work, n_signals, interrupt):
    begun = time.perf_counter()
    work()
    took, moments, kept = time.perf_counter() - begun, random.Random(0), None
    before = users_generators()
    for i in range(100 * n_signals):
        if i >= n_signals and kept is not None:  # on a busy machine many signals come after the end
            break
        try:
            interrupt(moments.uniform(1e-5, took))
            work()
            interrupt(0)
        except BaseException as error:  # what it is, other tests say; kept, as an interactive Python keeps it
            kept = error
        assert users_generators() == before
        assert torch.is_grad_enabled()
    assert kept is not None
    assert ends_in_another_thread(work)
