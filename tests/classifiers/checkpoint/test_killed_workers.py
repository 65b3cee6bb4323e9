"""Searches whose processes are killed: results as if none had been, and what was finished is trained once."""

import os
import signal
import time
from collections import Counter
from pathlib import Path

import joblib
import numpy as np
import pytest
from joblib.externals.loky.process_executor import TerminatedWorkerError
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from sklearn_nndyn import BatchedGridSearchCV, Checkpoint, DynamicsClassifier
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.training.stacked._epoch_runner import StackedEpochRunner
from tests.classifiers.checkpoint.comparing import every_epoch

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks, and signals of POSIX")
X, y = load_iris(return_X_y=True)
GRID, FOLDS, EPOCHS = {"lr": [0.1, 0.01, 0.001]}, 2, 4
N_FITS = len(GRID["lr"]) * FOLDS + 1  # and the refit
SEARCHES = [GridSearchCV, BatchedGridSearchCV]


class Logs(Callback):
    """Writes down each epoch that is trained, of which fit; the process is killed before the third of one of them."""

    def __init__(self, folder):
        self.folder = folder

    def on_train_begin(self, net, X, y):
        self.fit_ = f"{net.optimizer_.param_groups[0]['lr']} {float(X.sum()):.2f}"

    def on_epoch_begin(self, net, **kwargs):
        kill = Path(self.folder, "kill")
        if len(net.history) == 3 and self.fit_.startswith("0.01 ") and kill.exists():
            kill.unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    def on_epoch_end(self, net, **kwargs):
        with open(Path(self.folder, "log"), "a") as file:
            file.write(f"{self.fit_} {len(net.history)}\n")


def logged(folder):
    """{epoch of a fit: how often it was trained}"""
    return Counter(Path(folder, "log").read_text().splitlines())


def search(kind, folder, n_jobs=2):
    clf = DynamicsClassifier(
        MLP((5,)), max_epochs=EPOCHS, random_state=0, callbacks=[Logs(str(folder))], lr=0.01
    )
    settings = {}
    if kind is GridSearchCV:
        clf.set_params(checkpoint=every_epoch(folder / "states"))
    else:
        settings["checkpoint"] = every_epoch(folder / "states")
    return kind(clf, GRID, cv=FOLDS, n_jobs=n_jobs, **settings)


@pytest.fixture(params=SEARCHES, ids=lambda kind: kind.__name__)
def kind(request):
    return request.param


@pytest.fixture
def whole(kind, tmp_path):
    folder = tmp_path / "whole"
    folder.mkdir()
    found = search(kind, folder, n_jobs=1).fit(X, y)
    assert sorted(logged(folder).values()) == [1] * EPOCHS * N_FITS
    return found


@pytest.fixture
def folder(tmp_path):
    """Where one process will be killed."""
    folder = tmp_path / "killed"
    folder.mkdir()
    (folder / "kill").touch()
    return folder


def assert_same_search(found, whole):
    np.testing.assert_array_equal(found.cv_results_["mean_test_score"], whole.cv_results_["mean_test_score"])
    np.testing.assert_array_equal(
        found.best_estimator_.decision_function(X), whole.best_estimator_.decision_function(X)
    )


def assert_trained_once(folder, finished, in_flight):
    """All epochs, none twice but those that a process was at as it was killed."""
    times = logged(folder)
    assert len(times) == EPOCHS * N_FITS
    assert times.total() <= EPOCHS * N_FITS + in_flight
    twice = {line.rsplit(" ", 1)[0] for line, n in times.items() if n > 1}
    assert len(twice) <= N_FITS - finished


def n_finished(folder):
    return sum(place.finished for place in Checkpoint(folder / "states").places())


@pytest.mark.slow
def test_a_worker_of_joblib(kind, whole, folder):
    """The search fails, as joblib says; the same search goes on."""
    with joblib.parallel_config("loky"):
        with pytest.raises(TerminatedWorkerError):
            search(kind, folder).fit(X, y)
        finished = n_finished(folder)
        assert_same_search(search(kind, folder).fit(X, y), whole)
    assert_trained_once(folder, finished, in_flight=1)


@pytest.mark.slow
def test_a_worker_of_dask(kind, whole, folder):
    """Another worker goes on with what the one had begun, in the same search."""
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2, processes=True, threads_per_worker=1, dashboard_address=None
    )
    with cluster, distributed.Client(cluster), joblib.parallel_config("dask"):
        found = search(kind, folder, n_jobs=None).fit(X, y)
    assert not (folder / "kill").exists()
    assert_same_search(found, whole)
    assert_trained_once(folder, 0, in_flight=0)


def killed_search(folder, wait):
    """A batched search in a copy of this process, killed in so many seconds; whether it was at work."""
    number = os.fork()
    if number == 0:
        with open(folder / "log", "a") as file:
            together(folder, lambda: (file.write("x"), file.flush()))
        os._exit(0)
    time.sleep(wait)
    os.kill(number, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) != 0


def together(folder, count):
    """A search whose candidates are trained together; an epoch of each is counted."""
    original = StackedEpochRunner.run_epoch

    def run_epoch(self):
        for _ in self.members:
            count()
        return original(self)

    StackedEpochRunner.run_epoch = run_epoch
    try:
        clf = DynamicsClassifier(MLP((5,)), max_epochs=EPOCHS, random_state=0)
        states = every_epoch(folder / "states")
        return BatchedGridSearchCV(clf, GRID, cv=FOLDS, checkpoint=states, return_dynamics=True).fit(X, y)
    finally:
        StackedEpochRunner.run_epoch = original


@pytest.mark.parametrize("n_kills", [3, pytest.param(40, marks=pytest.mark.slow)], ids=["some", "many"])
def test_a_batched_search_killed_again_and_again(n_kills, tmp_path):
    """Each time in a folder of its own, at another moment from the first state to the last score."""
    begun, at_work = time.perf_counter(), 0
    (tmp_path / "whole").mkdir()
    whole = together(tmp_path / "whole", int)
    took = time.perf_counter() - begun
    for i in range(n_kills):
        folder, counted = tmp_path / str(i), []
        folder.mkdir()
        at_work += killed_search(folder, took * (i + 0.5) / n_kills)
        before = len((folder / "log").read_text()) if (folder / "log").exists() else 0
        found = together(folder, lambda counted=counted: counted.append(None))
        assert_same_search(found, whole)
        for own, other in zip(found.candidate_dynamics_, whole.candidate_dynamics_, strict=True):
            np.testing.assert_array_equal(own[0].loss, other[0].loss)
        n_together = N_FITS - 1
        assert EPOCHS * n_together <= before + len(counted) <= (EPOCHS + 1) * n_together
    assert at_work
