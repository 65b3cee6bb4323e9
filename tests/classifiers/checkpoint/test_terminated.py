"""SIGTERM, which queues send before they kill, ends the program, with all that was trained safe."""

import os
import signal
import subprocess
import sys
from functools import partial

import pytest
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from sklearn_nndyn import BatchedGridSearchCV, Checkpoint, fit_together
from sklearn_nndyn.model_selection import compare_losses
from tests.classifiers.checkpoint.comparing import assert_same_fit
from tests.problems import PROBLEMS

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
PLAIN = PROBLEMS[0]
X, y = PLAIN.data()


class Terminates(Callback):
    """The queue's signal comes in the third epoch, as long as it is on."""

    on = False

    def on_epoch_begin(self, net, **kwargs):
        if Terminates.on and len(net.history) == 3:
            signal.raise_signal(signal.SIGTERM)


@pytest.fixture
def terminated(monkeypatch):
    """Set the handler of SIGTERM, and let the signal come."""
    before = signal.getsignal(signal.SIGTERM)

    def begin(handler=signal.SIG_DFL):
        signal.signal(signal.SIGTERM, handler)
        monkeypatch.setattr(Terminates, "on", True)

    yield begin
    signal.signal(signal.SIGTERM, before)


def classifier(folder=None, **settings):
    return PLAIN.classifier(callbacks=[Terminates()], checkpoint=folder, **settings)


def test_fit_raises_once_the_state_is_safe(tmp_path, terminated, monkeypatch):
    whole, shorter = classifier().fit(X, y), classifier(max_epochs=2).fit(X, y)
    terminated()
    clf = classifier(Checkpoint(tmp_path, 1000))
    with pytest.raises(KeyboardInterrupt, match="SIGTERM: the program was asked to end") as raised:
        clf.fit(X, y)  # without a warning, which might be made an error and then be caught
    assert raised.value.__notes__ == ["The DynamicsClassifier is as it was after epoch 2."]
    assert_same_fit(clf, shorter, X)
    monkeypatch.setattr(Terminates, "on", False)
    assert_same_fit(classifier(tmp_path).fit(X, y), whole, X)


def test_with_a_handler_of_the_users_it_is_theirs(terminated):
    """One that does nothing, and one that makes a Ctrl-C of it."""
    seen = []
    terminated(lambda number, frame: seen.append(number))
    assert classifier().fit(X, y).n_iter_ == 4
    assert seen == [signal.SIGTERM]
    terminated(signal.default_int_handler)
    with pytest.warns(UserWarning, match="interrupted in epoch 3"):
        assert classifier().fit(X, y).n_iter_ == 2


def together():
    fits = [classifier(random_state=seed) for seed in range(2)]
    return fit_together(fits, X, y)


def searched(search):
    return search(classifier(), {"lr": [0.1, 0.01]}, cv=2).fit(X, y)


def compared():
    settings = {"losses": ["log", "l2"], "seeds": 1, "learning_rates": {"log": 0.01, "l2": 0.01}}
    return compare_losses(classifier(), X, y, X_test=X, y_test=y, **settings)


MANY = {
    "together": together,
    "search": partial(searched, BatchedGridSearchCV),
    "scikit-learn's": partial(searched, GridSearchCV),
    "comparison": compared,
}


@pytest.mark.parametrize("name", MANY)
def test_what_trains_many_ends_too(name, terminated):
    """Where a Ctrl-C would leave the part that was trained."""
    terminated()
    with pytest.raises(KeyboardInterrupt, match="SIGTERM: the program was asked to end"):
        MANY[name]()


SCRIPT = """
from tests.classifiers.checkpoint.test_terminated import *
Terminates.on = True
try:
    classifier().fit(X, y)
finally:
    print("cleaned up", flush=True)
print("the next fit", flush=True)
"""


@pytest.mark.slow
def test_a_script_ends_there_with_an_error_and_cleans_up():
    process = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    assert process.returncode != 0
    assert process.stdout == "cleaned up\n"
    assert "SIGTERM: the program was asked to end" in process.stderr
