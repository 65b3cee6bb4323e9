"""A search that runs on a Dask cluster gives the results of the plain one."""

import os
import signal
import threading
import time
from pathlib import Path

import joblib
import numpy as np
import pytest
from sklearn.base import BaseEstimator, TransformerMixin, clone
from sklearn.pipeline import make_pipeline

from sklearn_nndyn import BatchedGridSearchCV, fit_together
from sklearn_nndyn.classifiers.together import _programs
from sklearn_nndyn.interventions import remove_and_refit
from sklearn_nndyn.model_selection import compare_losses
from tests.model_selection.searches import assert_same_results, classifier, digits

distributed = pytest.importorskip("distributed")

GRID = {"dynamicsclassifier__loss": ["log", "l1", "squared_hinge"], "dynamicsclassifier__lr": [0.03, 1e-4]}
PATIENCE = 60  # seconds


def cluster_of(n_workers, n_threads):
    """A cluster of worker processes; each of them imports torch, which takes longer than what they are asked for."""
    cluster = distributed.LocalCluster(
        n_workers=n_workers, processes=True, threads_per_worker=n_threads, dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        yield client


@pytest.fixture(scope="module")
def client():
    yield from cluster_of(1, n_threads=2)


@pytest.fixture(scope="module")
def two_workers():
    yield from cluster_of(2, n_threads=1)


class WaitsForAKill(TransformerMixin, BaseEstimator):
    """Says in whose process it is fitted, and goes on only once a process was killed."""

    def __init__(self, folder=None):
        self.folder = folder

    def fit(self, X, y=None):
        if self.folder is not None:
            with open(Path(self.folder, "begun"), "a") as file:
                file.write(f"{os.getpid()}\n")
            wait_for(Path(self.folder, "killed").exists)
        return self

    def transform(self, X):
        return X


def wait_for(ready):
    end = time.monotonic() + PATIENCE
    while not ready():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.01)


def begun(folder):
    """The processes that began to fit, one for each time."""
    path = Path(folder, "begun")
    return path.read_text().split() if path.exists() else []


def kill_the_first_that_begins(folder, killed):
    wait_for(lambda: begun(folder))
    killed.append(begun(folder)[0])
    os.kill(int(killed[0]), signal.SIGKILL)
    Path(folder, "killed").touch()


@pytest.fixture(scope="module")
def plain():
    return search()


def search(folder=None):
    pipe = make_pipeline(WaitsForAKill(folder), classifier())
    return BatchedGridSearchCV(pipe, GRID, cv=4, return_dynamics=True).fit(*digits())


def assert_same_search(plain, other):
    assert_same_results(plain, other, n_test=60)
    assert other.best_params_ == plain.best_params_
    for records, others in zip(plain.candidate_dynamics_, other.candidate_dynamics_, strict=True):
        for record, same in zip(records, others, strict=True):
            np.testing.assert_allclose(same.loss, record.loss, rtol=1e-3, atol=1e-5)


@pytest.mark.usefixtures("client")
def test_a_cluster_gives_the_results_of_one_process(plain, programs):
    with joblib.parallel_config(backend="dask"):
        on_cluster = search()
    assert programs.sizes == []  # nothing was trained here
    assert_same_search(plain, on_cluster)


@pytest.mark.usefixtures("client")
def test_fits_on_a_cluster_are_those_of_one_process(monkeypatch):
    X, y = digits()
    estimators = [classifier(random_state=seed) for seed in range(4)]
    expected = fit_together([clone(own) for own in estimators], X, y)
    monkeypatch.setattr(_programs, "_run", None)  # nothing is trained here
    with joblib.parallel_config(backend="dask"):
        on_cluster = fit_together(estimators, X, y)
    for own, alone in zip(on_cluster, expected, strict=True):
        np.testing.assert_allclose(own.dynamics_.loss, alone.dynamics_.loss, rtol=1e-3, atol=1e-5)


def comparison():
    X, y = digits()
    plan = {"losses": ["log", "l1"], "seeds": 2, "learning_rates": "fixed"}
    found = compare_losses(classifier(), X[:120], y[:120], X_test=X[120:], y_test=y[120:], **plan)
    return [found.train_accuracy, found.test_accuracy, found.runs["tail_share"]]


def removal():
    found = remove_and_refit(classifier(), *digits(), remove=range(5), seeds=(0, 1))
    records = [own.dynamics_.loss for runs in found.classifiers.values() for own in runs]
    return [*records, *found.removed, *found.random]


@pytest.mark.usefixtures("client")
@pytest.mark.parametrize("study", [comparison, removal], ids=["comparison", "removal"])
def test_a_study_on_a_cluster_is_that_of_one_process(study, monkeypatch):
    expected = study()
    monkeypatch.setattr(_programs, "_run", None)  # nothing is trained here
    with joblib.parallel_config(backend="dask"):
        found = study()
    assert len(found) == len(expected) > 1
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


# Slow: on a busy machine Dask now and then forgets the work of a killed process, and no one can begin it again.
@pytest.mark.slow
def test_a_worker_that_is_killed_in_the_middle_changes_nothing(plain, two_workers, tmp_path):
    killed = []
    workers = {str(info["pid"]) for info in two_workers.run(lambda: {"pid": os.getpid()}).values()}
    killer = threading.Thread(target=kill_the_first_that_begins, args=(tmp_path, killed))
    killer.start()
    with joblib.parallel_config(backend="dask"):
        on_cluster = search(tmp_path)
    killer.join()
    # The process that had begun was a worker; it could not have ended its work, which another began once more.
    assert killed[0] in workers
    assert len(begun(tmp_path)) > 4 + 1  # of four folds and the refit
    assert not Path("/proc", killed[0]).exists() or os.name != "posix"
    assert_same_search(plain, on_cluster)
