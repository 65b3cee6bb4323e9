"""Which weights are kept, how often and where: what is asked for later is the same."""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.model_selection import cross_val_score
from skorch.callbacks import Callback

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.modules import MLP
from tests.pairwise import some_of

X, Y = load_iris(return_X_y=True)


class Frozen(torch.nn.Module):
    """A body that does not learn, with batch normalisation whose statistics go on; and a head that does."""

    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(4, 200), torch.nn.BatchNorm1d(200), torch.nn.ReLU())
        self.body.requires_grad_(False)
        self.head = torch.nn.Linear(200, 3)
        self.twin = self.head  # two names of one layer

    def forward(self, x):
        return self.head(self.body(x))


def classifier(module=Frozen, **settings):
    return DynamicsClassifier(module, **{"max_epochs": 5, "lr": 0.01, "random_state": 0} | settings)


@pytest.fixture(scope="module")
def whole():
    return classifier().fit(X, Y)


def assert_same_past(clf, whole, epochs):
    assert clf._state.snapshots.epochs == list(epochs)
    for name in ("loss", "margin", "prediction"):
        found = getattr(clf.replay(X[::3], Y[::3]), name)
        expected = getattr(whole.replay(X[::3], Y[::3], epochs=list(epochs)), name)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
    for epoch in epochs:
        states = [one.at_epoch(epoch).module_.state_dict() for one in (clf, whole)]
        assert states[0].keys() == states[1].keys()
        assert all(torch.equal(states[0][name], states[1][name]) for name in states[0])
    stages = dict(zip(whole._state.snapshots.epochs, whole.staged_decision_function(X[:5]), strict=True))
    for epoch, scores in zip(epochs, clf.staged_decision_function(X[:5]), strict=True):
        np.testing.assert_allclose(scores, stages[epoch], rtol=1e-4, atol=1e-5)


KINDS = {
    "trainable": (lambda folder: "trainable", range(6)),
    "every other": (lambda folder: 2, [0, 2, 4]),
    "every": (lambda folder: 1, range(6)),
    "more than there are": (lambda folder: 9, [0]),
    "a folder": (lambda folder: folder, range(6)),
    "a folder by name": (str, range(6)),
    "a new folder": (lambda folder: folder / "new", range(6)),
}


@pytest.mark.parametrize("name", KINDS)
def test_the_past_is_that_of_all_weights(name, whole, tmp_path):
    kind, epochs = KINDS[name]
    assert_same_past(classifier(snapshots=kind(tmp_path)).fit(X, Y), whole, epochs)


CHIEF = ("trainable", "every other", "a folder")


@pytest.mark.parametrize("name", some_of(KINDS, CHIEF))
def test_copies_and_pickles_have_the_same_past(name, whole, tmp_path):
    kind, epochs = KINDS[name]
    clf = classifier(snapshots=kind(tmp_path)).fit(X, Y)
    for again in (copy.deepcopy(clf), pickle.loads(pickle.dumps(clf))):
        assert_same_past(again, whole, epochs)


@pytest.mark.parametrize("name", some_of(KINDS, CHIEF))
def test_a_fit_that_goes_on(name, tmp_path):
    kind, _ = KINDS[name]
    once = classifier(snapshots=kind(tmp_path / "..")).fit(X, Y)
    twice = classifier(snapshots=kind(tmp_path), warm_start=True, max_epochs=2).fit(X, Y)
    twice.set_params(max_epochs=3).fit(X, Y)
    assert_same_past(twice, once, once._state.snapshots.epochs)


def test_every_so_many_are_counted_among_the_recorded_ones():
    clf = classifier(MLP((5,)), snapshots=2, record_epochs="log", max_epochs=16).fit(X, Y)
    np.testing.assert_array_equal(clf.dynamics_.epochs, [0, 1, 2, 4, 8, 16])
    assert clf._state.snapshots.epochs == [0, 2, 8]
    assert clf.at_epoch(-1).n_iter_ == 8


def test_epochs_that_were_not_kept_are_refused_and_the_nearest_named():
    clf = classifier(MLP((5,)), snapshots=2).fit(X, Y)
    words = r"epochs \[3\] were not kept; there are those of \[0, 2, 4\], of which the nearest are 2 and 4\."
    for ask in (lambda: clf.at_epoch(3), lambda: clf.replay(X, Y, epochs=[0, 3])):
        with pytest.raises(ValueError, match=words):
            ask()
    with pytest.raises(ValueError, match=r"of which the nearest is 4\."):
        clf.at_epoch(5)


class TestTrainable:
    def test_frozen_weights_are_kept_once(self, whole):
        kept, all_of_them = (
            clf._state.snapshots for clf in (classifier(snapshots="trainable").fit(X, Y), whole)
        )
        body = sum(p.nbytes for p in Frozen().body.parameters())
        assert all_of_them.row_size - kept.row_size >= body
        assert len(pickle.dumps(kept)) < len(pickle.dumps(all_of_them)) - 4 * body

    def test_weights_that_are_unfrozen_in_training_end_the_past_with_a_warning(self):
        class Unfreezes(Frozen):
            passes = 0

            def forward(self, x):
                if self.training:
                    Unfreezes.passes += 1
                    self.body.requires_grad_(Unfreezes.passes > 2)
                return super().forward(x)

        clf = classifier(Unfreezes, snapshots="trainable", batch_size="full")
        with pytest.warns(
            RuntimeWarning, match="but body.0.weight was unfrozen in training .* replay ends at epoch"
        ):
            clf.fit(X, Y)
        assert clf.dynamics_.n_epochs == 6
        assert len(clf._state.snapshots.epochs) < 6

    def test_so_do_frozen_weights_that_a_callback_changes(self):
        class Adds(Callback):
            def on_epoch_end(self, net, **kwargs):
                if len(net.history) == 3:
                    with torch.no_grad():
                        net.module_.body[0].weight.add_(1)

        clf = classifier(snapshots="trainable", callbacks=[Adds()])
        with pytest.warns(RuntimeWarning, match="body.0.weight was changed in training .* ends at epoch 3"):
            clf.fit(X, Y)
        np.testing.assert_array_equal(clf.replay(X, Y).loss, clf.dynamics_.loss[:, :4])


class TestFolder:
    def test_files_are_state_dicts_of_the_network(self, tmp_path, whole):
        classifier(snapshots=tmp_path).fit(X, Y)
        files = sorted(path.name for path in (tmp_path / "fit-1").iterdir())
        assert files == [f"epoch-{epoch}.safetensors" for epoch in range(6)]
        module = Frozen()
        module.load_state_dict(load_file(tmp_path / "fit-1" / "epoch-3.safetensors"))
        expected = whole.at_epoch(3).module_.state_dict()
        assert all(torch.equal(value, expected[name]) for name, value in module.state_dict().items())

    def test_records_within_epochs_are_named_by_their_fractions(self, tmp_path):
        clf = classifier(
            MLP((5,)), snapshots=tmp_path, record_iterations="all", batch_size=75, max_epochs=1
        ).fit(X, Y)
        assert sorted(path.stem for path in (tmp_path / "fit-1").iterdir()) == [
            "epoch-0",
            "epoch-0.5",
            "epoch-1",
        ]
        assert clf.at_epoch(0.5).score(X, Y) == (clf.dynamics_.prediction[:, 1] == Y).mean()

    def test_each_fit_has_a_folder_of_its_own(self, tmp_path):
        clf = classifier(MLP((5,)), snapshots=tmp_path)
        first, second = clf.fit(X, Y), clone(clf).set_params(random_state=1).fit(X, Y)
        cross_val_score(clf, X, Y, cv=3)
        fit_together([clone(clf).set_params(random_state=i) for i in range(2)], X, Y)
        assert sorted(path.name for path in tmp_path.iterdir()) == [f"fit-{i}" for i in range(1, 8)]
        for one in (first, second):
            np.testing.assert_allclose(one.replay(X, Y).loss, one.dynamics_.loss, rtol=1e-4, atol=1e-5)

    def test_a_copy_that_goes_on_leaves_the_files_of_the_other(self, tmp_path):
        clf = classifier(MLP((5,)), snapshots=tmp_path, max_epochs=2, warm_start=True).fit(X, Y)
        other = copy.deepcopy(clf).fit(X, Y)
        clf.set_params(lr=0.1).fit(X, Y)
        for one in (clf, other):
            np.testing.assert_allclose(one.replay(X, Y).loss, one.dynamics_.loss, rtol=1e-4, atol=1e-5)
        earlier = clf.at_epoch(1)
        earlier.fit(X, Y)
        np.testing.assert_allclose(clf.replay(X, Y).loss, clf.dynamics_.loss, rtol=1e-4, atol=1e-5)

    def test_files_that_did_not_travel_are_missed_in_words(self, tmp_path):
        clf = classifier(MLP((5,)), snapshots=tmp_path).fit(X, Y)
        (tmp_path / "fit-1" / "epoch-2.safetensors").unlink()
        with pytest.raises(
            ValueError, match=r"weights of epoch 2 cannot be read from .*epoch-2\.safetensors.* do not travel"
        ):
            clf.replay(X, Y)
        assert clf.predict(X).shape == (150,)
        assert clf.at_epoch(1).n_iter_ == 1

    def test_a_full_disk_costs_the_later_ones_only(self, tmp_path, monkeypatch):
        from sklearn_nndyn.recording.storage import _folder

        save = _folder.save_file

        def full(tensors, file, metadata):
            if metadata["epoch"] == "3":
                raise OSError(28, "No space left on device")
            save(tensors, file, metadata)

        monkeypatch.setattr(_folder, "save_file", full)
        with pytest.warns(RuntimeWarning, match="No space left on device.* replay ends at epoch 2"):
            clf = classifier(MLP((5,)), snapshots=tmp_path).fit(X, Y)
        assert clf._state.snapshots.epochs == [0, 1, 2]
        assert clf.dynamics_.n_epochs == 6


REFUSED = {
    "zero": 0,
    "a share": 0.5,
    "a misspelt word": "trainble",
    "a list": [1, 2],
    "a folder in none": Path("/no/such/folder"),
    "a file": Path(__file__),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_kinds_are_refused_before_training(name):
    clf = classifier(snapshots=REFUSED[name])
    with pytest.raises(ValueError, match=r'snapshots must be True, False, "trainable", an integer.*got'):
        clf.fit(X, Y)
    assert not hasattr(clf, "net_")


def test_another_kind_for_a_fit_that_goes_on_is_refused(tmp_path):
    clf = classifier(MLP((5,)), warm_start=True).fit(X, Y)
    for kind in ("trainable", tmp_path):
        with pytest.raises(
            ValueError,
            match=r"was set since the last fit, .* keeps its weights where it began to, snapshots=True",
        ):
            clf.set_params(snapshots=kind).fit(X, Y)
    assert clf.set_params(snapshots=2).fit(X, Y)._state.snapshots.epochs[-1] == 10
