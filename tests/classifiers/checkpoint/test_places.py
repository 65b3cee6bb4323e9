"""Places: one for each fit, what is there, who may be there, and what is refused."""

import errno
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from joblib import parallel_config
from safetensors import safe_open
from safetensors.numpy import load, save
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from sklearn_nndyn import Checkpoint, DynamicsClassifier
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Samples
from sklearn_nndyn.training.checkpoint import _files, _place, _writer
from sklearn_nndyn.training.checkpoint._files import Journal, read_state, write_state
from tests.classifiers.checkpoint.comparing import (
    Killed,
    assert_same_fit,
    count_records,
    every_epoch,
    in_a_child,
    killed_after,
)
from tests.problems import PROBLEMS

X, y = PROBLEMS[0].data()


def classifier(folder, **settings):
    return PROBLEMS[0].classifier(checkpoint=folder, **settings)


def names(folder):
    return {place.name for place in Checkpoint(folder).places()}


def given_net(value):
    net = torch.nn.Sequential(
        torch.nn.Linear(16, 3, bias=False)
    )  # a bias would be drawn anew in each process
    torch.nn.init.constant_(net[0].weight, value)
    return net


OTHERS = {
    "lr": ({"lr": 0.02}, {}),
    "seed": ({"random_state": 4}, {}),
    "weights of a given network": ({"module": given_net(0.0)}, {}),
    "other weights of a given network": ({"module": given_net(1.0)}, {}),
    "loss": (
        {"loss": lambda scores, target: torch.nn.functional.cross_entropy(scores, target, reduction="none")},
        {},
    ),
    "other code": (
        {
            "loss": lambda scores, target: (
                2 * torch.nn.functional.cross_entropy(scores, target, reduction="none")
            )
        },
        {},
    ),
    "X": ({}, {"X": X + (np.arange(X.size).reshape(X.shape) == 5)}),
    "labels": ({}, {"y": y[::-1].copy()}),
    "names of labels": ({}, {"y": np.char.add("a", y)}),
    "weight": ({}, {"sample_weight": np.arange(len(X)) + 1.0}),
    "validation": ({}, {"X_val": X[:20], "y_val": y[:20]}),
    "record": ({"record": ("samples",)}, {}),
    "some recorded": ({"record": (Samples(indices=[1, 2]),)}, {}),
    "some recorded, others trained": (
        {"record": (Samples(indices=[1, 2]),)},
        {"X": X * (np.arange(61) < 60)[:, None]},
    ),
    "epochs": ({"max_epochs": 5}, {}),
}


def test_other_parameters_or_data_have_a_place_of_their_own(tmp_path):
    classifier(tmp_path).fit(X, y)
    for i, (settings, data) in enumerate(OTHERS.values(), start=2):
        classifier(tmp_path, **settings).fit(**{"X": X, "y": y, **data})
        assert len(names(tmp_path)) == i
    before = names(tmp_path)
    for settings, data in OTHERS.values():
        classifier(tmp_path, **settings).fit(**{"X": X.copy(), "y": y.tolist(), **data})
        classifier(tmp_path, verbose=0).fit(X.tolist(), y)
    assert names(tmp_path) == before


@pytest.mark.slow
def test_the_place_is_the_same_in_another_process(tmp_path):
    """Whatever the order of its sets and hashes of its strings are."""
    script = (
        "import sys, torch; from tests.classifiers.checkpoint.test_places import *; from skorch.callbacks import *; "
        "classifier(sys.argv[1], module=given_net(1.0), callbacks=[LRScheduler('StepLR', step_size=2)], "
        "loss=OTHERS['loss'][0]['loss'], class_weight={'cat': 1, 'dog': 2, 'eel': 3}).fit(X, y)"
    )
    for seed in "12":
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True, env=environment)
    assert len(names(tmp_path)) == 1


def test_the_list_says_what_differs_and_what_may_go(tmp_path, monkeypatch):
    classifier(tmp_path, lr=0.1).fit(X, y)
    with monkeypatch.context() as patch:
        killed_after(patch, 2)
        with pytest.raises(Killed):
            classifier(every_epoch(tmp_path), lr=0.2).fit(X[1:], y[1:])
    checkpoint = Checkpoint(tmp_path)
    first, second = checkpoint.places()
    assert (first.finished, second.finished, first.epoch, second.epoch) == (True, False, 4, 2)
    assert first.differs["lr"] == "0.1"
    assert second.differs["lr"] == "0.2"
    assert set(first.differs) == {"lr", "train X", "train y", "others"}
    assert first.differs["train X"].startswith("(61, 16) torch.float32 ")
    assert first.nbytes == sum(file.stat().st_size for file in (tmp_path / first.name).iterdir())
    assert "1 finished: they hold results, which the same fit loads. remove(finished=True) deletes them." in (
        checkpoint.summary()
    )
    assert f"{second.name}: to go on, epoch 2" in checkpoint.summary()
    with pytest.raises(ValueError, match="has no place nowhere; places"):
        checkpoint.remove("nowhere", finished=True)
    assert checkpoint.remove(finished=True) == [first.name]
    assert checkpoint.remove(second.name) == [second.name]
    assert checkpoint.places() == []
    assert Checkpoint(tmp_path / "none").places() == []


@pytest.mark.parametrize("backend", ["threading", pytest.param("loky", marks=pytest.mark.slow)])
def test_searches_of_scikit_learn_share_a_folder(backend, tmp_path, monkeypatch):
    """Folds, candidates and the refit; another search trains nothing again."""
    data = load_iris(return_X_y=True)
    clf = DynamicsClassifier(MLP((5,)), max_epochs=3, random_state=0, checkpoint=tmp_path)
    with parallel_config(backend):
        first = GridSearchCV(clf, {"lr": [0.1, 0.01]}, cv=2, n_jobs=2).fit(*data)
    assert len(names(tmp_path)) == 2 * 2 + 1
    recorded = count_records(monkeypatch)
    second = GridSearchCV(clone(clf), {"lr": [0.1, 0.01, 0.02]}, cv=2).fit(*data)
    assert recorded == 2 * [0, 1, 2, 3]
    np.testing.assert_array_equal(
        first.cv_results_["mean_test_score"], second.cv_results_["mean_test_score"][:2]
    )


# Two on one place


def test_a_second_process_is_refused(tmp_path):
    class Waits(Callback):
        def on_train_begin(self, net, **kwargs):
            if len(os.listdir(tmp_path)) and os.getpid() == Waits.process:
                Waits.status = in_a_child(
                    lambda: refused(lambda: classifier(tmp_path, callbacks=[Waits()]).fit(X, y))
                )
                refused(lambda: Checkpoint(tmp_path).remove(*names(tmp_path)))
                (place,) = Checkpoint(tmp_path).places()
                assert place.process == os.getpid()
                assert f"in use by process {os.getpid()}" in Checkpoint(tmp_path).summary()

    Waits.process = os.getpid()

    def refused(work):
        with pytest.raises(RuntimeError, match=f"in use by process {Waits.process}"):
            work()

    clf = classifier(tmp_path, callbacks=[Waits()]).fit(X, y)
    assert Waits.status == 0
    assert clf.n_iter_ == 4
    (place,) = Checkpoint(tmp_path).places()
    assert place.process is None


def test_what_a_dead_process_locked_is_free(tmp_path):
    class Dies(Callback):
        def on_epoch_end(self, net, **kwargs):
            if len(net.history) == Dies.at:
                os._exit(7)

    Dies.at = 2
    assert in_a_child(lambda: classifier(every_epoch(tmp_path), callbacks=[Dies()]).fit(X, y)) == 7
    (place,) = Checkpoint(tmp_path).places()
    assert (place.process, place.epoch) == (None, 1)
    Dies.at = None
    clf = classifier(tmp_path, callbacks=[Dies()]).fit(X, y)
    assert clf.n_iter_ == 4


# Damage, and disks that are full


def damaged(file, how):
    data = file.read_bytes()
    middle = len(data) // 2
    file.write_bytes(
        {
            "cut": data[:middle],
            "empty": b"",
            "bit": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
            "noise": bytes(len(data)),
        }[how]
    )


@pytest.mark.parametrize("how", ["cut", "empty", "bit", "noise"])
@pytest.mark.parametrize(
    ("damage", "outcome"),
    [("newer", "goes on from epoch 2"), ("both", "begins afresh"), ("journal", "begins afresh")],
)
def test_damage_is_told_and_the_last_sound_state_is_taken(how, damage, outcome, tmp_path, monkeypatch):
    whole = PROBLEMS[0].classifier().fit(X, y)
    with monkeypatch.context() as patch:
        killed_after(patch, 3)
        with pytest.raises(Killed):
            classifier(every_epoch(tmp_path)).fit(X, y)
    (place,) = tmp_path.iterdir()
    files = {"newer": ["state-1.safetensors"], "both": ["state-0.safetensors", "state-1.safetensors"]}
    for name in files.get(damage, ["journal"]):
        damaged(place / name, how)
    with pytest.warns(RuntimeWarning, match=f"checkpoint: in .*(damaged|cannot be read).*{outcome}"):
        clf = classifier(every_epoch(tmp_path)).fit(X, y)
    assert_same_fit(clf, whole, X)
    assert_same_fit(classifier(tmp_path).fit(X, y), whole, X)


def test_a_journal_shorter_than_its_state_says_is_damage(tmp_path):
    """Also where its digest is right: what is missing would be met when it is read."""
    journal = Journal(tmp_path / "journal")
    journal.append({"a": 1})
    length, digest = journal.mark
    assert list(Journal(tmp_path / "journal").read((length, digest))) == [{"a": 1}]
    with pytest.raises(ValueError, match="journal was changed or damaged"):
        Journal(tmp_path / "journal").read((length + 1, digest))


@pytest.mark.parametrize("n_numbers", [0, 3, 2**17])
@pytest.mark.parametrize("n_arrays", [0, 1, 3])
def test_arrays_are_the_same_after_reading(n_numbers, n_arrays, tmp_path):
    """Joined in the file where they are small, each by itself where they are large; empty ones and other kinds."""
    arrays = [np.arange(n_numbers) + i for i in range(n_arrays)]
    tree = {"members": [*arrays, torch.tensor(0.5, dtype=torch.bfloat16), {"none": torch.empty(0, 2)}]}
    journal = Journal(tmp_path / "journal")
    journal.append(tree)
    write_state(
        tmp_path / "state", {"number": 1, "epoch": 1, "journal": journal.mark, "tree": tree}, 1, False
    )
    found = read_state(tmp_path / "state")
    for own in (found["tree"]["members"], *(entry["members"] for entry in journal.read(journal.mark))):
        *others, half, empty = own
        assert len(others) == n_arrays
        assert all(a.dtype == b.dtype and np.array_equal(a, b) for a, b in zip(others, arrays, strict=True))
        assert half.dtype == torch.bfloat16
        assert half == 0.5
        assert empty["none"].shape == (0, 2)


@pytest.mark.parametrize("kind", ["bool", "int8"])
def test_bytes_that_are_called_something_else_are_damage(kind, tmp_path):
    """Their digest is right, and reading them as what they are called may change them."""
    classifier(tmp_path).fit(X, y)
    ((state, *_),) = [sorted(place.glob("state-*")) for place in tmp_path.iterdir()]
    with safe_open(state, "np") as file:
        about = file.metadata()
    state.write_bytes(save({name: a.view(kind) for name, a in load(state.read_bytes()).items()}, about))
    with pytest.raises(ValueError, match="holds other things than bytes, so it was changed or damaged"):
        read_state(state)


@pytest.mark.parametrize(
    "content", ["", "0", "[]", "{}", '{"parameters": 3, "data": {}, "versions": {}, "n_fits": 1}']
)
def test_a_damaged_description_is_written_anew(content, tmp_path):
    whole = classifier(tmp_path).fit(X, y)
    (before,) = Checkpoint(tmp_path).places()
    (tmp_path / before.name / "description.json").write_text(content)
    assert Checkpoint(tmp_path).places() == []
    assert_same_fit(classifier(tmp_path).fit(X, y), whole, X)
    (after,) = Checkpoint(tmp_path).places()
    assert after.parameters == before.parameters


@pytest.mark.parametrize("step", ["append", "write"])
def test_a_full_disk_is_told_once_and_training_goes_on(step, tmp_path, monkeypatch):
    whole = PROBLEMS[0].classifier(max_epochs=6).fit(X, y)
    owner, name = {"append": (_files.os, "fsync"), "write": (_files, "save_file")}[step]
    original, calls = getattr(owner, name), []

    def full(*args, **kwargs):
        calls.append(None)
        if 5 <= len(calls) <= 7:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return original(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, full)
        killed_after(patch, 5)
        with (
            pytest.warns(
                RuntimeWarning, match="could not be written: .*No space left on device.* goes on"
            ) as told,
            pytest.raises(Killed),
        ):
            classifier(every_epoch(tmp_path), max_epochs=6).fit(X, y)
        assert len(told) == 1
    assert_same_fit(classifier(tmp_path, max_epochs=6).fit(X, y), whole, X)


# What is refused


class Holds(Callback):
    def __init__(self):
        self.held = iter([1])


@pytest.mark.parametrize(
    ("settings", "kind", "message"),
    [
        ({"random_state": None}, ValueError, "checkpoint needs random_state to be a whole number, got None"),
        ({"warm_start": True}, ValueError, "checkpoint is of a whole fit, warm_start=True goes on from one"),
        ({"checkpoint": 3}, TypeError, "checkpoint must be None, a folder, or Checkpoint.*got 3"),
        ({"checkpoint": __file__}, ValueError, "checkpoint must be a folder, but .* is a file"),
        ({"checkpoint": f"{__file__}/inside"}, ValueError, "checkpoint must be a folder, but .*py is a file"),
        ({"checkpoint": ""}, ValueError, "checkpoint must be a folder, got ''"),
        ({"checkpoint": "a\0b"}, ValueError, "checkpoint must be a folder, got 'a.x00b'"),
        ({"checkpoint": Checkpoint(".", -1)}, ValueError, "every_seconds must be None or a number, 0 or"),
        ({"callbacks": [Holds()]}, TypeError, r"callbacks: Holds \(Holds\).held is of list_iterator, which"),
    ],
)
def test_refused(settings, kind, message, tmp_path):
    clf = classifier(tmp_path)
    with pytest.raises(kind, match=message):
        clf.set_params(**settings).fit(X, y)
    assert not hasattr(clf, "net_")


def test_a_link_to_nothing_is_refused(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    with pytest.raises(ValueError, match=r"checkpoint must be a folder, but .*link is a link to nothing"):
        classifier(tmp_path / "link").fit(X, y)


class MakesLate(Callback):
    """An attribute that is made in an epoch."""

    def __init__(self, kind):
        self.kind = kind

    def on_epoch_end(self, net, **_):
        self.made_ = [] if self.kind == "loop" else Part()
        if self.kind == "loop":
            self.made_.append(self.made_)


class Part:
    def __init__(self):
        self.number = 3


def test_what_lies_within_itself_cannot_be_written_and_training_goes_on(tmp_path):
    whole = classifier(None, callbacks=[MakesLate("loop")]).fit(X, y)
    with pytest.warns(RuntimeWarning, match=r"could not be written: callbacks.*made_ lies within itself"):
        clf = classifier(every_epoch(tmp_path), callbacks=[MakesLate("loop")]).fit(X, y)
    assert_same_fit(clf, whole, X)


def test_what_another_process_cannot_make_again_is_told(tmp_path):
    classifier(tmp_path, callbacks=[MakesLate("part")]).fit(X, y)
    with pytest.raises(
        ValueError, match=r"MakesLate.made_ was made in an epoch.*make it when training begins"
    ):
        classifier(tmp_path, callbacks=[MakesLate("part")]).fit(X, y)


def test_partial_fit_is_refused(tmp_path):
    with pytest.raises(ValueError, match="checkpoint is of a whole fit, and partial_fit trains one epoch"):
        classifier(tmp_path).partial_fit(X, y)


class Clock:
    """Time that passes as the test says: so much for each epoch, and for each state that is written."""

    def __init__(self, monkeypatch, epoch, state):
        self.now, self.written, original = 0.0, [], _place.write_state

        def write_state(path, tree, epoch, finished):
            self.now += state
            self.written.append(epoch)
            original(path, tree, epoch, finished)

        class Passes(Callback):
            def on_epoch_begin(own, net, **kwargs):
                self.now += epoch

        self.callback = Passes()
        monkeypatch.setattr(_place, "write_state", write_state)
        monkeypatch.setattr(_writer.time, "perf_counter", lambda: self.now)


@pytest.mark.parametrize(
    ("seconds", "epochs"), [(0, [1, 2, 3, 4, 4]), (0.07, [1, 3, 4]), (1000, [1, 4])], ids=str
)
def test_seconds_between_states(seconds, epochs, tmp_path, monkeypatch):
    clock = Clock(monkeypatch, epoch=0.05, state=0.001)
    classifier(Checkpoint(tmp_path, seconds), callbacks=[clock.callback]).fit(X, y)
    assert clock.written == epochs


@pytest.mark.parametrize(("state", "every"), [(0.001, 1), (0.003, 2), (0.03, 20)])
def test_by_default_states_take_three_percent_of_the_time(state, every, tmp_path, monkeypatch):
    """So long epochs have one each, and short ones go without."""
    clock = Clock(monkeypatch, epoch=0.051, state=state)
    classifier(tmp_path, callbacks=[clock.callback], max_epochs=40).fit(X, y)
    assert clock.written == [*range(1, 41, every), 40]
    assert state * len(clock.written[1:-1]) <= 0.03 * clock.now
