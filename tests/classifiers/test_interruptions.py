"""Training interrupted, diverged or out of disk: what was computed is kept, and can be gone on with."""

import errno
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from sklearn_nndyn.recording import Recorder, Snapshots, _snapshots
from sklearn_nndyn.training._early_stopping import EarlyStopping
from sklearn_nndyn.training._hooks import DivergenceGuard, Validation
from sklearn_nndyn.training.batches._cutting import Batches
from tests.classifiers.test_laws import assert_same_record, assert_same_weights
from tests.pairwise import pairwise
from tests.problems import PROBLEMS, Problem, convolution_net

EVERYTHING = ("samples", "geometry", "scores")
CHAIN, CONVOLUTION = Problem("mlp-dropout", PROBLEMS[2].module), Problem("conv", convolution_net, images=True)
OPTIMIZERS = {"adam": None, "sgd": {"momentum": 0.9}, "rmsprop": None}

both = pytest.mark.parametrize("problem", [CHAIN, CONVOLUTION], ids=lambda problem: problem.name)


def told(epoch):
    return pytest.warns(
        UserWarning,
        match=f"^Training was interrupted in epoch {epoch}; the model is as it was after epoch {epoch - 1}.$",
    )


@pytest.fixture
def spoil(monkeypatch):
    """Do something to the third batch of an epoch."""

    def spoil(epoch, change):
        original, begun = Batches.__call__, []

        def spoilt(self, order):
            begun.append(None)
            for i, batch in enumerate(original(self, order)):
                yield change(*batch) if len(begun) == epoch and i == 2 else batch

        monkeypatch.setattr(Batches, "__call__", spoilt)

    return spoil


def interrupt(*_):
    raise KeyboardInterrupt


def assert_stopped_after(clf, epoch, whole, X, y):
    """As the fit ``whole`` was after ``epoch`` epochs, in everything that can be seen."""
    earlier = whole.at_epoch(epoch)
    assert_same_weights(clf, earlier)
    assert_same_record(clf.dynamics_, whole.dynamics_.until(epoch))
    np.testing.assert_array_equal(clf.dynamics_.epochs, np.arange(epoch + 1))
    assert len(clf.dynamics_.header["seconds_per_epoch"]) == epoch + 1
    assert clf.n_iter_ == len(clf.net_.history) == epoch
    assert clf.loss_curve_ == whole.loss_curve_[:epoch]
    assert clf.loss_curve_ == [line["train_loss"] for line in clf.net_.history]
    np.testing.assert_array_equal(clf.predict(X), earlier.predict(X))
    np.testing.assert_array_equal(list(clf.staged_score(X, y)), list(whole.staged_score(X, y))[: epoch + 1])
    assert not clf.module_.training
    assert all(p.grad is None for p in clf.module_.parameters())


def assert_same_validation(clf, epoch, whole):
    assert_same_record(clf.validation_dynamics_, whole.validation_dynamics_.until(epoch))
    assert clf.validation_scores_ == whole.validation_scores_[:epoch]


# Interrupts


@pairwise(
    problem={problem.name: problem for problem in (CHAIN, CONVOLUTION)},
    epoch={"1": 1, "3": 3},
    optimizer={name: name for name in OPTIMIZERS},
)
def test_an_interrupted_fit_is_one_that_stopped_an_epoch_earlier(problem, epoch, optimizer, spoil):
    X, y = problem.data()
    X_val, y_val = problem.data(20, seed=1)
    settings = {"record": EVERYTHING, "optimizer": optimizer, "optimizer_params": OPTIMIZERS[optimizer]}
    whole = problem.classifier(**settings).fit(X, y, X_val=X_val, y_val=y_val)
    spoil(epoch, interrupt)
    with told(epoch):
        clf = problem.classifier(**settings).fit(X, y, X_val=X_val, y_val=y_val)
    assert_stopped_after(clf, epoch - 1, whole, X, y)
    assert_same_validation(clf, epoch - 1, whole)

    # As if nothing had happened: weights, record, optimizer and random numbers are those of an unbroken fit.
    for _ in range(epoch, 5):
        clf.partial_fit(X, y)
    assert_same_weights(clf, whole)
    assert_same_record(clf.dynamics_, whole.dynamics_)
    assert clf.loss_curve_ == whole.loss_curve_


PLACES = [
    (DivergenceGuard, "on_epoch_end"),
    (Recorder, "_record"),
    (Snapshots, "store"),
    (Validation, "on_epoch_end"),
    (EarlyStopping, "on_epoch_end"),
]


@pairwise(
    problem={problem.name: problem for problem in (CHAIN, CONVOLUTION)},
    when={"before": "before", "after": "after"},
    place={owner.__name__: (owner, name) for owner, name in PLACES},
)
def test_an_interrupt_between_two_epochs_loses_only_the_last(problem, place, when, monkeypatch):
    owner, name = place
    X, y = problem.data()
    X_val, y_val = problem.data(20, seed=1)
    settings = {"record": EVERYTHING, "early_stopping": True}
    stopped = problem.classifier(**settings, max_epochs=2).fit(X, y, X_val=X_val, y_val=y_val)
    original = getattr(owner, name)

    def interrupted(self, *args):
        third = 3 in args or len(getattr(args[0], "history", ())) == 3
        if third and when == "before":
            raise KeyboardInterrupt
        original(self, *args)
        if third:
            raise KeyboardInterrupt

    monkeypatch.setattr(owner, name, interrupted)
    with told(3):
        clf = problem.classifier(**settings).fit(X, y, X_val=X_val, y_val=y_val)
    assert_same_weights(clf, stopped)
    assert_same_record(clf.dynamics_, stopped.dynamics_)
    assert_same_record(clf.validation_dynamics_, stopped.validation_dynamics_)
    assert clf.best_epoch_ == stopped.best_epoch_
    assert clf.loss_curve_ == stopped.loss_curve_
    assert len(clf.dynamics_.header["seconds_per_epoch"]) == 3
    assert clf.validation_scores_ == stopped.validation_scores_
    np.testing.assert_array_equal(clf.replay(X, y).epochs, [0, 1, 2])


@both
def test_an_epoch_that_was_undone_is_not_the_best_one(problem, monkeypatch):
    """The training loss falls: the third epoch would be the best, had it not been interrupted at its very end."""
    X, y = problem.data()
    settings = {"early_stopping": True, "shuffle": False}
    whole = problem.classifier(**settings, max_epochs=3).fit(X, y)
    assert whole.best_epoch_ == 3
    original = EarlyStopping.on_epoch_end

    def interrupted(self, net):
        original(self, net)
        if len(net.history) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(EarlyStopping, "on_epoch_end", interrupted)
    with told(3):
        clf = problem.classifier(**settings).fit(X, y)
    assert clf.best_epoch_ == 2
    assert_same_weights(clf, whole.at_epoch(2))


class PressesControlC(torch.nn.Module):
    """Cross-entropy during which, at one of its calls, the user presses Ctrl-C."""

    def __init__(self, call):
        super().__init__()
        self.call, self.calls, self.reduction = call, 0, "mean"

    def forward(self, scores, target):
        if scores.requires_grad:  # in training
            self.calls += 1
            if self.calls == self.call:
                signal.raise_signal(signal.SIGINT)
        return torch.nn.functional.cross_entropy(scores, target, reduction=self.reduction)


@pytest.fixture
def hears_control_c():
    """Also in a process that was started in the background, which is deaf to it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@both
@pytest.mark.usefixtures("hears_control_c")
def test_control_c(problem):
    X, y = problem.data()
    batches = -(-len(X) // problem.batch_size)
    loss = PressesControlC(call=1 + batches + 2)  # one call is the trial before training
    whole = problem.classifier(loss=torch.nn.CrossEntropyLoss(), record=EVERYTHING).fit(X, y)
    with told(2):
        clf = problem.classifier(loss=loss, record=EVERYTHING).fit(X, y)
    assert_stopped_after(clf, 1, whole, X, y)


@both
@pytest.mark.parametrize("optimizer", ["adam", "lbfgs"])
def test_the_plain_loop_is_interrupted_in_the_same_way(problem, optimizer, spoil):
    X, y = problem.data()
    watch = type("Watch", (Callback,), {"on_batch_end": lambda self, net, **kwargs: None})
    settings = {"record": EVERYTHING, "optimizer": optimizer, "callbacks": [watch()], "lr": 0.001}
    whole = problem.classifier(**settings).fit(X, y)
    spoil(3, interrupt)
    with told(3):
        clf = problem.classifier(**settings).fit(X, y)
    assert_stopped_after(clf, 2, whole, X, y)
    clf.partial_fit(X, y).partial_fit(X, y)
    assert_same_weights(clf, whole)


@both
def test_without_record_and_snapshots_too(problem, spoil):
    X, y = problem.data()
    stopped = problem.classifier(record=(), snapshots=False, max_epochs=1).fit(X, y)
    spoil(2, interrupt)
    with told(2):
        clf = problem.classifier(record=(), snapshots=False).fit(X, y)
    assert_same_weights(clf, stopped)
    assert clf.n_iter_ == 1
    assert not hasattr(clf, "dynamics_")


@both
def test_any_other_failure_is_passed_on_and_leaves_the_last_whole_epoch(problem, spoil):
    X, y = problem.data()
    whole = problem.classifier(record=EVERYTHING).fit(X, y)

    def fail(*batch):
        raise ZeroDivisionError("in the middle")

    spoil(3, fail)
    clf = problem.classifier(record=EVERYTHING)
    with pytest.raises(ZeroDivisionError, match="in the middle"):
        clf.fit(X, y)
    assert_stopped_after(clf, 2, whole, X, y)


@both
@pytest.mark.parametrize(("hook", "last"), [("on_epoch_begin", 2), ("on_batch_end", 2), ("on_epoch_end", 3)])
def test_a_callback_that_fails_leaves_the_record_so_far(problem, hook, last):
    X, y = problem.data()

    def trip(self, net, *args, **kwargs):
        if len(net.history) == 3 and self.trips:
            raise ZeroDivisionError("tripped")

    tripping = type("Trips", (Callback,), {hook: trip, "trips": True})()
    steady = type("Trips", (Callback,), {hook: trip, "trips": False})()
    whole = problem.classifier(record=EVERYTHING, callbacks=[steady]).fit(X, y)
    clf = problem.classifier(record=EVERYTHING, callbacks=[tripping])
    with pytest.raises(ZeroDivisionError, match="tripped"):
        clf.fit(X, y)
    assert_stopped_after(clf, last, whole, X, y)


# Divergence


def assert_finite(clf):
    assert all(torch.isfinite(value).all() for value in clf.module_.state_dict().values())
    for values in (clf.dynamics_.loss, clf.dynamics_.margin, *clf.dynamics_.centroids.values()):
        assert np.isfinite(values).all()


@both
@pytest.mark.parametrize("loss", ["log", "l2"])
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_rate_far_too_large(problem, loss, optimizer):
    X, y = problem.data()
    clf = problem.classifier(loss=loss, optimizer=optimizer, lr=1e6)
    with pytest.warns(ConvergenceWarning, match=r"^Training diverged in epoch (\d)") as caught:
        clf.fit(X, y)
    (warning,) = caught
    epoch = int(str(warning.message).split("epoch ")[1][0])
    for part in (
        f"in epoch {epoch} (mean loss ",
        ") with learning rate lr=1e+06; ",
        f"the model and its record end at epoch {epoch - 1}. Try a smaller lr, or scale the input.",
    ):
        assert part in str(warning.message)
    assert os.path.samefile(warning.filename, __file__)
    assert_finite(clf)
    assert clf.n_iter_ == len(clf.loss_curve_) == epoch - 1
    np.testing.assert_array_equal(clf.dynamics_.epochs, np.arange(epoch))
    np.testing.assert_array_equal(clf.replay(X, y).epochs, np.arange(epoch))
    np.testing.assert_array_equal(clf.classes_[clf.dynamics_.prediction[:, -1]], clf.predict(X))


@pytest.mark.parametrize(
    ("problem", "value"),
    [(CHAIN, np.nan), (CHAIN, np.inf), (CHAIN, 1e10), (CONVOLUTION, np.nan), (CONVOLUTION, np.inf)],
    ids=["mlp-nan", "mlp-infinite", "mlp-huge", "conv-nan", "conv-infinite"],
)
@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_a_loss_that_is_lost_in_the_middle(problem, value, optimizer, spoil):
    X, y = problem.data()
    settings = {"record": EVERYTHING, "optimizer": optimizer, "loss": "l2"}
    whole = problem.classifier(**settings).fit(X, y)
    spoil(3, lambda X, y, weight: (X * value, y, weight))
    with pytest.warns(
        ConvergenceWarning, match=r"diverged in epoch 3 \(mean loss .*\) with learning rate lr=0\.01;"
    ):
        clf = problem.classifier(**settings).fit(X, y)
    assert_finite(clf)
    assert_stopped_after(clf, 2, whole, X, y)

    # The optimizer, too, has forgotten the epoch.
    clf.partial_fit(X, y).partial_fit(X, y)
    assert_same_weights(clf, whole)
    assert_same_record(clf.dynamics_, whole.dynamics_)


def test_a_loss_that_starts_large_and_falls_does_not_diverge():
    X, y = CHAIN.data()
    clf = CHAIN.classifier(loss="l2", lr=1e-3, optimizer="adam").fit(X * 1e6, y)
    assert clf.n_iter_ == 4
    assert clf.loss_curve_[0] > 1e9


@pytest.mark.parametrize("value", [3e38, np.inf])
def test_numbers_whose_sum_overflows_do_not_diverge_and_infinite_ones_do(value):
    """The parameter has no part in the scores."""

    def build(shape, n_classes):
        network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(int(np.prod(shape)), n_classes))
        network.register_parameter("unused", torch.nn.Parameter(torch.full((2,), 1.0)))
        return network

    class Spoil(Callback):
        def on_train_begin(self, net, **kwargs):
            net.module_.unused.data.fill_(value)

    X, y = CHAIN.data()
    clf = CHAIN.classifier(module=build, callbacks=[Spoil()])
    diverges = pytest.warns(ConvergenceWarning, match="diverged in epoch 1")
    with diverges if np.isinf(value) else nullcontext():
        clf.fit(X, y)
    assert clf.n_iter_ == (0 if np.isinf(value) else 4)


# A full disk


@pytest.fixture
def spilling(monkeypatch):
    monkeypatch.setattr(_snapshots, "MEMORY_LIMIT", 0)


@pytest.fixture
def fill_disk(monkeypatch, spilling):
    """A disk with room for so many snapshots."""

    def fill(rows):
        original = _snapshots.write_at

        def write(file, row, place):
            if len(row) and place >= rows * row.nbytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            original(file, row, place)

        monkeypatch.setattr(_snapshots, "write_at", write)

    return fill


LOST = (
    r"^The weights of further epochs could not be written to a temporary file: .*No space left on device\. "
    r"Training goes on and the record is complete, but replay ends at epoch 1\.$"
)


@both
def test_snapshots_that_spill_are_those_in_memory(problem, spilling):
    X, y = problem.data()
    clf = problem.classifier(record=EVERYTHING).fit(X, y)
    assert clf._state.snapshots.spilled
    np.testing.assert_array_equal(clf.replay(X, y).epochs, np.arange(5))
    assert_same_weights(clf.at_epoch(4), clf)


@both
def test_a_full_disk_costs_the_later_snapshots_only(problem, fill_disk, monkeypatch):
    X, y = problem.data()
    with monkeypatch.context() as patch:
        patch.setattr(_snapshots, "MEMORY_LIMIT", 2**30)
        whole = problem.classifier(record=EVERYTHING).fit(X, y)
    fill_disk(rows=2)
    with pytest.warns(RuntimeWarning, match=LOST) as caught:
        clf = problem.classifier(record=EVERYTHING).fit(X, y)
    assert len(caught) == 1
    assert_same_weights(clf, whole)
    assert_same_record(clf.dynamics_, whole.dynamics_)
    assert_same_record(clf.replay(X, y), whole.replay(X, y, epochs=[0, 1]))
    assert_same_weights(clf.at_epoch(1), whole.at_epoch(1))
    with pytest.raises(ValueError, match=r"epochs \[3\] were not kept; there are those of \[0, 1\]"):
        clf.at_epoch(3)


def test_no_room_for_a_temporary_file_at_all(spilling, monkeypatch):
    def refuse(*args, **kwargs):
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    X, y = CHAIN.data()
    with pytest.warns(
        RuntimeWarning, match="No usable temporary directory found.* but there will be no replay"
    ) as caught:
        clf = CHAIN.classifier().fit(X, y)
    assert len(caught) == 1
    np.testing.assert_array_equal(clf.dynamics_.epochs, np.arange(5))
    with pytest.raises(ValueError, match="the weights of no epoch were kept"):
        clf.replay(X, y)


@pytest.mark.slow
def test_a_disk_that_really_is_full():
    script = """
        import json, resource, warnings
        import numpy as np
        from sklearn_nndyn.recording import _snapshots
        from tests.problems import PROBLEMS

        X, y = PROBLEMS[0].data()
        whole = PROBLEMS[0].classifier().fit(X, y)
        room = 2 * whole._state.snapshots.row_size + 100
        _snapshots.MEMORY_LIMIT = 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            clf = PROBLEMS[0].classifier().fit(X, y)
            again = clf.replay(X, y)
        print(json.dumps({
            "warnings": [[w.category.__name__, str(w.message)] for w in caught],
            "same record": bool(np.array_equal(clf.dynamics_.loss, whole.dynamics_.loss)),
            "replayed": again.epochs.tolist(),
            "same replay": bool(np.allclose(again.loss, whole.dynamics_.loss[:, :2], rtol=1e-4)),
            "n_iter_": clf.n_iter_,
        }))
    """
    run = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-c", textwrap.dedent(script)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert "Exception ignored" not in run.stderr
    told = json.loads(run.stdout)
    ((category, message),) = told.pop("warnings")
    assert category == "RuntimeWarning"
    assert (
        "File too large. Training goes on and the record is complete, but replay ends at epoch 1." in message
    )
    assert told == {"same record": True, "replayed": [0, 1], "same replay": True, "n_iter_": 4}
