"""Samples of a Dataset read by worker processes: errors, ends, and what they leave."""

import multiprocessing
import os
import pickle
import tracemalloc

import numpy as np
import pytest
import torch
from joblib.externals.loky.backend.context import LokyContext
from sklearn.model_selection import cross_val_score
from skorch.helper import SliceDataset

from sklearn_nndyn import BatchedGridSearchCV, fit_together
from sklearn_nndyn.utils.rows import datasets
from tests.classifiers.inputs.kinds import FLOATS, Listed, Normed, Y, assert_same_fit, classifier

DATA = Listed(list(zip(FLOATS, Y, strict=True)))


@pytest.fixture(autouse=True)
def read_anew(monkeypatch):
    monkeypatch.setattr(datasets, "LARGE_BYTES", 0)


class ReadElsewhere(Listed):
    """Notes in a file which process reads."""

    def __init__(self, items, path):
        super().__init__(items)
        self.path = path

    def __getitem__(self, i):
        with open(self.path, "a") as file:
            file.write(f"{os.getpid()}\n")
        return super().__getitem__(i)


class FailsElsewhere(Listed):
    """Cannot be read by a worker."""

    def __getitem__(self, i):
        if torch.utils.data.get_worker_info() is not None:
            raise OSError("no such disk")
        return super().__getitem__(i)


def test_others_read_and_are_gone_afterwards(tmp_path):
    data = ReadElsewhere(DATA.items, tmp_path / "pids")
    clf = classifier(num_workers=2, snapshots=False).fit(data)
    readers = (tmp_path / "pids").read_text().split()
    assert len(set(readers) - {str(os.getpid())}) == 2
    assert multiprocessing.active_children() == []
    assert_same_fit(pickle.loads(pickle.dumps(clf)), classifier(snapshots=False).fit(FLOATS, Y))


def test_the_users_generators_are_not_moved():
    state = torch.get_rng_state()
    classifier(num_workers=1).fit(DATA)
    assert torch.equal(torch.get_rng_state(), state)


def test_what_a_worker_cannot_read_is_told_in_our_words():
    with pytest.raises(
        ValueError, match=r"^X is a FailsElsewhere that cannot be read: OSError: no such disk$"
    ):
        classifier(num_workers=1).fit(FailsElsewhere(DATA.items))


def test_two_passes_at_once():
    """The second one reads by itself."""
    X, _ = datasets.open_dataset(DATA, num_workers=1)
    first = X.split(40)
    begun = next(first)
    whole = torch.cat(list(X.split(50)))
    np.testing.assert_array_equal(torch.cat([begun, *first]), FLOATS)
    np.testing.assert_array_equal(whole, FLOATS)
    half_read = X.split(40)
    next(half_read)
    del half_read
    np.testing.assert_array_equal(torch.cat(list(X.split(40))), FLOATS)


def test_a_copy_of_them_has_none():
    X, _ = datasets.open_dataset(DATA, num_workers=1)
    list(X.split(40))
    again = pickle.loads(pickle.dumps(X))
    assert X.reader.workers._loader is not None
    assert again.reader.workers._loader is None
    np.testing.assert_array_equal(again[:], FLOATS)


def test_in_searches_and_together():
    kinds = [classifier(Normed, num_workers=1, max_epochs=1, random_state=seed) for seed in range(2)]
    for own in fit_together(kinds, DATA):
        assert own.n_iter_ == 1
    search = BatchedGridSearchCV(kinds[0], {"lr": [0.01, 0.1]}, cv=2).fit(DATA)
    assert search.best_estimator_.num_workers == 1
    scores = cross_val_score(kinds[0], SliceDataset(DATA), Y, cv=2, error_score="raise")
    np.testing.assert_array_equal(scores, cross_val_score(classifier(Normed, max_epochs=1), FLOATS, Y, cv=2))


@pytest.mark.parametrize("count", [-1, 1.5, "two"])
def test_numbers_of_workers_that_are_none(count):
    clf = classifier().fit(FLOATS, Y).set_params(num_workers=count)
    with pytest.raises(ValueError, match="num_workers must be an integer, 0 or greater"):
        clf.predict(DATA)


def test_the_places_of_a_pass_take_memory_once():
    X, _ = datasets.open_dataset(Listed(list(np.zeros((6000, 1), "float32"))))
    tracemalloc.start()
    for _ in X.split(20):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 10 * 6000 * 8


@pytest.mark.parametrize("kind", ["daemon", "loky"])
def test_a_worker_which_may_have_no_processes_reads_by_itself(kind, monkeypatch):
    """That of a ``multiprocessing.Pool`` is a daemon; that of joblib begins processes by a method that torch lacks."""
    if kind == "daemon":
        monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    else:
        monkeypatch.setattr(multiprocessing.context._default_context, "_actual_context", LokyContext())
    assert_same_fit(classifier(num_workers=1).fit(DATA), classifier().fit(FLOATS, Y))
