"""Early stopping, divergence, interrupts and failures: who leaves is as alone, who stays is not touched."""

import functools
import itertools
import os

import numpy as np
import pytest
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.callbacks import Callback

from sklearn_nndyn import fit_together
from sklearn_nndyn.classifiers import prepare, train
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Snapshots
from sklearn_nndyn.recording._stacked import StackedRecorder
from sklearn_nndyn.training._early_stopping import EarlyStopping
from sklearn_nndyn.training._hooks import DivergenceGuard, ProgressBar, Validation
from sklearn_nndyn.training._mlp_step import MLPStep
from sklearn_nndyn.training._recording_hook import Recording
from sklearn_nndyn.training.stacked import _epoch_loop, make_members
from sklearn_nndyn.training.stacked._parameters import StackedParameters
from tests.classifiers.together.comparing import (
    EVERYTHING,
    Refuses,
    assert_as_its_own_fit,
    assert_close,
    assert_equal_bitwise,
    assert_same_states,
    fit_both,
    small,
)
from tests.classifiers.together.test_modules import HasTemperature, Normed
from tests.pairwise import pairwise, some_of
from tests.problems import Problem

X, Y = Problem("vectors").data()
X_VAL, Y_VAL = Problem("vectors").data(20, seed=1)
KINDS = {
    "chain": {},
    "dropout": {"module": MLP((10,), dropout=0.3)},
    "full-batch": {"batch_size": "full"},
    "any-module": {"module": Normed},
}
every_kind = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)


# Early stopping


# What is watched is the same to every optimizer: one without a fused step watches the loss.
WATCHED = [("adam", "accuracy"), ("adam", "held-out-accuracy"), ("adam", "loss"), ("nadam", "loss")]


@pytest.mark.parametrize(
    ("kind", "watched"),
    some_of(
        [*itertools.product(KINDS, WATCHED)],
        [*zip(KINDS, WATCHED, strict=True), ("chain", WATCHED[3]), ("any-module", WATCHED[0])],
    ),
    ids=str,
)
def test_each_stops_at_its_own_epoch(kind, watched, programs):
    kind, (optimizer, monitor) = KINDS[kind], watched
    given = {"X_val": X_VAL, "y_val": Y_VAL} if monitor == "accuracy" else {}
    changes = {
        "dtype": "float64",
        "optimizer": optimizer,
        "max_epochs": 25,
        "record": EVERYTHING,
        "validation_fraction": 0.3 if monitor == "held-out-accuracy" else None,
        **kind,
    }

    def make():
        own = [
            {"n_iter_no_change": 1, "tol": 0.05},
            {"n_iter_no_change": 3, "lr": 0.03},
            {"n_iter_no_change": 2, "tol": 0.1, "loss": "l2"},
            {"n_iter_no_change": 2, "tol": 0.02, "lr": 0.1, "random_state": 9},
            {"early_stopping": False},
        ]
        return [small(**{"early_stopping": True, **changes, **settings}) for settings in own]

    together, alone = fit_both(make, X, Y, **given)
    assert programs == [5]
    for clf, own in zip(together, alone, strict=True):
        assert_as_its_own_fit(clf, own, X, Y)
    assert len({clf.n_iter_ for clf in alone}) >= 3
    assert alone[-1].n_iter_ == 25
    assert not hasattr(together[-1], "best_epoch_")


@pytest.mark.parametrize("optimizer", ["adam", "nadam", "adagrad", "radam"])
def test_those_that_stay_keep_the_state_of_their_optimizer(optimizer):
    """Also that of a parameter of one number, which has the shape of a count."""

    def make():
        stops = [
            small(module=HasTemperature, early_stopping=True, n_iter_no_change=1, tol=1e3, random_state=5)
        ]
        return stops + [small(module=HasTemperature, random_state=s) for s in range(2)]

    def tuned():
        return [clf.set_params(optimizer=optimizer, dtype="float64", max_epochs=6) for clf in make()]

    together, alone = fit_both(tuned, X, Y)
    assert [clf.n_iter_ for clf in alone] == [2, 6, 6]
    for clf, own in zip(together, alone, strict=True):
        assert_as_its_own_fit(clf, own, X, Y)


def test_who_has_stopped_is_no_longer_trained(monkeypatch):
    """Nor evaluated: the stack shrinks."""
    sizes, original = [], StackedParameters.apply

    def watched(self, *args):
        sizes.append(len(self.nets))
        original(self, *args)

    monkeypatch.setattr(StackedParameters, "apply", watched)
    made = [small(max_epochs=9, early_stopping=i > 0, n_iter_no_change=i, tol=1e3) for i in (0, 1, 3, 5)]
    made[0].n_iter_no_change = 1
    fit_together(made, X, Y)
    epochs = [clf.n_iter_ for clf in made]
    assert epochs == [9, 2, 4, 6]
    steps = 4  # of 61 rows, 16 at a time
    assert sizes == [sum(n > epoch for n in epochs) for epoch in range(9) for _ in range(steps)]


def test_one_bar_shows_all(capsys):
    fit_together([small(verbose=1, random_state=s) for s in range(3)], X, Y)
    shown = capsys.readouterr().err
    assert "Training 3 networks: 100%" in shown
    assert "Training:" not in shown
    fit_together([small(verbose=i == 1, random_state=i) for i in range(3)], X, Y)
    assert "Training 3 networks: 100%" in capsys.readouterr().err
    fit_together([small(random_state=s) for s in range(3)], X, Y)
    assert capsys.readouterr().err == ""


# Divergence


def diverging(**changes):
    own = [{"random_state": 0}, {"random_state": 1, "lr": 1e7}, {"random_state": 2, "lr": 0.02}]
    return [small(**{"dtype": "float64", "record": EVERYTHING, **changes, **settings}) for settings in own]


@pairwise(kind=KINDS, optimizer={"adam": "adam", "sgd": "sgd"}, loss={"l2": "l2", "log": "log"})
def test_one_that_diverges_ends_as_alone_and_leaves_the_others_alone(kind, optimizer, loss, programs):
    changes = {"optimizer": optimizer, "loss": loss, "early_stopping": True, **kind}
    made, alone = diverging(**changes), diverging(**changes)
    with pytest.warns(ConvergenceWarning) as theirs:
        alone = [clf.fit(X, Y) for clf in alone]
    with pytest.warns(ConvergenceWarning) as ours:
        fit_together(made, X, Y)
    (warning,), (own,) = ours, theirs
    assert str(warning.message).split("(mean")[0] == str(own.message).split("(mean")[0]
    assert str(warning.message).split("lr=")[1] == str(own.message).split("lr=")[1]
    assert programs == [3]
    assert alone[1].n_iter_ < 4
    for clf, own in zip(made, alone, strict=True):
        assert_as_its_own_fit(clf, own, X, Y)
    assert all(torch.isfinite(p).all() for p in made[1].module_.parameters())


def test_all_diverge():
    made = [small(lr=1e7, loss="l2", optimizer="sgd", random_state=s) for s in range(3)]
    with pytest.warns(ConvergenceWarning) as caught:
        fit_together(made, X, Y)
    assert len(caught) == 3
    assert all(os.path.samefile(warning.filename, __file__) for warning in caught)
    for clf in made:
        assert clf.n_iter_ == len(clf.loss_curve_) == clf.dynamics_.n_epochs - 1
        assert np.isfinite(clf.decision_function(X)).all()


# Interrupts and failures


def several(**changes):
    own = [{"random_state": 0}, {"random_state": 1, "lr": 0.03}, {"random_state": 2, "loss": "l2"}]
    return [small(**{"record": EVERYTHING, **changes, **settings}) for settings in own]


@pytest.fixture
def at_call(monkeypatch):
    """Raise at the so-manieth call of a method, before or after what it does."""

    def patch(owner, name, call, error, when="before"):
        original, calls = getattr(owner, name), []

        def raises(self, *args):
            calls.append(None)
            if len(calls) == call and when == "before":
                raise error
            result = original(self, *args)
            if len(calls) == call:
                raise error
            return result

        monkeypatch.setattr(owner, name, raises)

    return patch


def warns_of_an_interrupt(first, last):
    return pytest.warns(
        UserWarning,
        match="^Training was interrupted; the estimators are as they were after their last whole epoch, "
        rf"{first} to {last}\.$",
    )


# How often a method is called before the third epoch; three networks, four steps.
PLACES = {
    "step": (StackedParameters, "apply", 2 * 4, 4),
    "record": (StackedRecorder, "record", 2 * 3, 2),
    "guard": (DivergenceGuard, "on_epoch_end", 2 * 3, 3),
    "recording": (Recording, "on_epoch_end", 2 * 3, 3),
    "snapshots": (Snapshots, "store", 3 * 3, 3),
    "validation": (Validation, "on_epoch_end", 2 * 3, 3),
    "early-stopping": (EarlyStopping, "on_epoch_end", 2 * 3, 3),
}
CASES = [
    (name, k, when)
    for name, (_, _, _, each) in PLACES.items()
    for k in (1, each)
    for when in ("before", "after")
]
PATIENT = {"early_stopping": True, "n_iter_no_change": 9}
VALIDATED = {"X_val": X_VAL, "y_val": Y_VAL}


@functools.cache
def of_two_epochs(kind):
    """Several, fitted together for two epochs; only read."""
    return fit_together(several(max_epochs=2, **PATIENT, **KINDS[kind]), X, Y, **VALIDATED)


@functools.cache
def own_fits():
    """Several, each by its own fit; only read."""
    return [clf.fit(X, Y, **VALIDATED) for clf in several(**PATIENT)]


def assert_stopped_as(clf, shorter):
    """As a fit among others of two epochs, in everything that can be seen."""
    assert_equal_bitwise(clf, shorter)
    assert clf.n_iter_ == len(clf.net_.history) == 2
    assert clf.best_epoch_ == shorter.best_epoch_
    assert clf.validation_scores_ == shorter.validation_scores_
    assert len(clf.dynamics_.header["seconds_per_epoch"]) == 3
    np.testing.assert_array_equal(clf.dynamics_.epochs, [0, 1, 2])
    np.testing.assert_array_equal(clf.validation_dynamics_.loss, shorter.validation_dynamics_.loss)
    np.testing.assert_array_equal(clf.predict(X), shorter.predict(X))
    assert clf._state.snapshots.epochs == [0, 1, 2]
    assert not clf.module_.training
    assert all(p.grad is None for p in clf.module_.parameters())


@pytest.mark.parametrize(
    ("kind", "place", "k", "when"),
    some_of(
        [(kind, *case) for kind in ("chain", "any-module") for case in CASES],
        [*(("chain", *case) for case in CASES), *(("any-module", *case) for case in CASES[3::4])],
    ),
    ids=str,
)
def test_an_epoch_that_is_interrupted_is_as_if_it_had_not_begun(kind, place, k, when, at_call):
    shorter = of_two_epochs(kind)
    owner, name, before, _ = PLACES[place]
    at_call(owner, name, before + k, KeyboardInterrupt(), when)
    made = several(**PATIENT, **KINDS[kind])
    with warns_of_an_interrupt(2, 2):
        assert fit_together(made, X, Y, **VALIDATED) is made
    for clf, other in zip(made, shorter, strict=True):
        assert_stopped_as(clf, other)


@pytest.mark.parametrize("kind", ["dropout", "full-batch"])
@pytest.mark.parametrize("place", ["record", "snapshots"])
def test_so_it_is_with_dropout_and_full_batches(kind, place, at_call):
    test_an_epoch_that_is_interrupted_is_as_if_it_had_not_begun(kind, place, 2, "after", at_call)


SHARED = [case for case in CASES if case[0] in ("step", "record")]
OWN = [case for case in CASES if case not in SHARED]


@pytest.mark.parametrize(("place", "k", "when"), OWN, ids=str)
def test_a_failure_of_one_ends_it_at_its_last_whole_epoch(place, k, when, at_call):
    """The others do not notice."""
    shorter, alone = of_two_epochs("chain"), own_fits()
    owner, name, before, _ = PLACES[place]
    at_call(owner, name, before + k, ZeroDivisionError("tripped"), when)
    made = several(**PATIENT)
    with pytest.raises(ZeroDivisionError, match="tripped") as caught:
        fit_together(made, X, Y, **VALIDATED)
    (stopped,) = [i for i, clf in enumerate(made) if clf.n_iter_ == 2]
    assert caught.value.__notes__ == [
        f"In the training of estimators[{stopped}], now as after their last whole epoch; those without an error are "
        "fitted."
    ]
    for i, clf in enumerate(made):
        if i == stopped:
            assert_stopped_as(clf, shorter[i])
        else:
            assert_as_its_own_fit(clf, alone[i], X, Y)


@pytest.mark.parametrize(("place", "k", "when"), SHARED, ids=str)
def test_a_failure_of_the_program_leaves_each_to_itself(place, k, when, at_call):
    """A step or a record is of all networks: the epoch is undone for all, and each goes on alone."""
    alone = own_fits()
    owner, name, before, _ = PLACES[place]
    at_call(owner, name, before + k, ZeroDivisionError("tripped"), when)
    made = several(**PATIENT)
    with pytest.warns(
        RuntimeWarning, match=r"^Training 3 networks together failed in epoch 3 .*ZeroDivisionError"
    ):
        fit_together(made, X, Y, **VALIDATED)
    for clf, own in zip(made, alone, strict=True):
        assert_as_its_own_fit(clf, own, X, Y)


@every_kind
def test_an_interrupted_training_goes_on_as_if_nothing_had_happened(kind, at_call):
    """Optimizer, weights and random numbers are those of the last whole epoch, not of the broken one."""
    changes = {"dtype": "float64", **kind}
    whole = fit_together(several(**changes), X, Y)
    steps = 1 if kind.get("batch_size") == "full" else 4
    with pytest.MonkeyPatch.context() as patch:
        original, calls = StackedParameters.apply, []

        def interrupted(self, *args):
            calls.append(None)
            original(self, *args)
            if len(calls) == 2 * steps + 1:
                raise KeyboardInterrupt

        patch.setattr(StackedParameters, "apply", interrupted)
        made = several(**changes)
        with warns_of_an_interrupt(2, 2):
            fit_together(made, X, Y)
    for clf, other in zip(made, whole, strict=True):
        clf.partial_fit(X, Y).partial_fit(X, Y)
        assert_same_states(clf.module_.state_dict(), other.module_.state_dict(), 1e-9)
        np.testing.assert_array_equal(clf.dynamics_.epochs, np.arange(5))


def two_programs():
    return [small(module=MLP((n,)), random_state=s) for s in range(2) for n in (5, 7)]


def test_programs_that_had_not_begun_leave_untrained_estimators(at_call):
    at_call(StackedParameters, "apply", 6, KeyboardInterrupt())
    made = two_programs()
    with warns_of_an_interrupt(0, 1):
        fit_together(made, X, Y)
    assert [clf.n_iter_ for clf in made] == [1, 0, 1, 0]
    for clf in made:
        assert clf.predict(X).shape == Y.shape
        assert clf.dynamics_.epochs.tolist() == list(range(clf.n_iter_ + 1))
        assert clf._state.snapshots.epochs == list(range(clf.n_iter_ + 1))
    for clf, own in zip(made, two_programs(), strict=True):
        while clf.n_iter_ < 4:
            clf.partial_fit(X, Y)
        own.fit(X, Y)
        assert_same_states(clf.module_.state_dict(), own.module_.state_dict(), 1e-4)


def test_programs_that_are_done_stay_done(at_call):
    at_call(StackedParameters, "apply", 16 + 6, KeyboardInterrupt())
    made = two_programs()
    with warns_of_an_interrupt(1, 4):
        fit_together(made, X, Y)
    assert [clf.n_iter_ for clf in made] == [4, 1, 4, 1]
    assert_as_its_own_fit(made[0], small(module=MLP((5,)), random_state=0).fit(X, Y), X, Y)


def test_an_interrupt_of_one_that_is_trained_alone_stops_all_that_follow():
    class Interrupts(Callback):
        def on_epoch_begin(self, net, **kwargs):
            if len(net.history) == 3:
                raise KeyboardInterrupt

    made = [small(), small(callbacks=[Interrupts()]), small(module=MLP((5,)))]
    with pytest.warns(UserWarning, match="Training was interrupted") as caught:
        fit_together(made, X, Y)
    assert [clf.n_iter_ for clf in made] == [4, 2, 0]
    assert str(caught[0].message).startswith("Training was interrupted in epoch 3;")
    assert str(caught[1].message).endswith("after their last whole epoch, 0 to 4.")


def test_a_program_that_fails_is_gone_on_with_one_by_one(at_call, programs):
    """From its last whole epoch; other programs do not notice."""
    at_call(StackedParameters, "apply", 6, ZeroDivisionError("tripped"))
    made = two_programs()
    message = (
        r"^Training 2 networks together failed in epoch 2 \(ZeroDivisionError: tripped\); each is now trained"
    )
    with pytest.warns(RuntimeWarning, match=message):
        fit_together(made, X, Y)
    assert programs == [2, 2]
    for clf, width, seed in zip(made, (5, 7, 5, 7), (0, 0, 1, 1), strict=True):
        assert clf.n_iter_ == 4
        assert_as_its_own_fit(clf, small(module=MLP((width,)), random_state=seed).fit(X, Y), X, Y)


class Trips(torch.nn.Module):
    """Cross-entropy that fails at a call in training."""

    def __init__(self, call, error):
        super().__init__()
        self.call, self.error, self.calls, self.reduction = call, error, 0, "mean"

    def forward(self, scores, target):
        if scores.requires_grad:
            self.calls += 1
            if self.calls == self.call:
                raise self.error
        return torch.nn.functional.cross_entropy(scores, target, reduction=self.reduction)


def test_several_failures_are_told_together():
    made = [
        small(loss=Trips(7, ZeroDivisionError("first")), callbacks=[Callback()]),
        small(),
        small(loss=Trips(12, OverflowError("second")), callbacks=[Callback()]),
    ]
    with pytest.raises(ZeroDivisionError, match="first") as caught:
        fit_together(made, X, Y)
    assert caught.value.__notes__ == [
        "In the training of estimators[0], now as after their last whole epoch; those without an error are fitted.",
        "And in that of estimators[2]: OverflowError: second",
    ]
    assert [clf.n_iter_ for clf in made] == [1, 4, 2]


@every_kind
def test_a_loss_that_fails_in_training_ends_its_own_fit_alone(kind, programs):
    """At the epoch at which its own fit ends; in what it leaves behind too."""

    def make():
        made = [small(loss=Refuses(4.2), **kind), small(random_state=4, **kind)]
        made += [small(early_stopping=True, n_iter_no_change=2, tol=1e3, loss="l2", **kind)]
        return [clf.set_params(max_epochs=12, lr=0.03, dtype="float64", record=EVERYTHING) for clf in made]

    together, alone = make(), make()
    with (
        pytest.warns(RuntimeWarning, match=r"each is now trained by itself\.$"),
        pytest.raises(OverflowError, match=r"a score beyond 4\.2") as caught,
    ):
        fit_together(together, X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert caught.value.__notes__ == [
        "In the training of estimators[0], now as after their last whole epoch; those without an error are fitted."
    ]
    with pytest.raises(OverflowError):
        alone[0].fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    assert 0 < alone[0].n_iter_ < 12
    for own in alone[1:]:
        own.fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
    for clf, own in zip(together, alone, strict=True):
        assert clf.n_iter_ == own.n_iter_
        assert_as_its_own_fit(clf, own, X, Y)


@pytest.mark.parametrize("where", [StackedRecorder, DivergenceGuard])
def test_a_program_that_fails_before_its_first_epoch(where, monkeypatch, programs):
    """Nothing of the failed beginning is left in the records."""
    name = "record" if where is StackedRecorder else "on_train_begin"
    original, calls = getattr(where, name), []

    def fails_second(self, *args):
        original(self, *args)
        calls.append(self)
        if len(calls) == 2:
            raise ZeroDivisionError("tripped")

    monkeypatch.setattr(where, name, fails_second)
    made = [small(random_state=seed) for seed in range(3)]
    with pytest.warns(RuntimeWarning, match=r"^Training 3 networks together failed in epoch 0 "):
        fit_together(made, X, Y, X_val=X_VAL, y_val=Y_VAL)
    monkeypatch.undo()
    for seed, clf in enumerate(made):
        own = small(random_state=seed).fit(X, Y, X_val=X_VAL, y_val=Y_VAL)
        assert clf.dynamics_.epochs.tolist() == list(range(5))
        assert len(clf.dynamics_.header["seconds_per_epoch"]) == 5
        assert_equal_bitwise(clf, own)


def test_an_interrupt_after_a_program_failed_leaves_all_usable(at_call):
    """Those that went on by themselves are as after the last whole epoch of each."""
    at_call(StackedParameters, "apply", 6, ZeroDivisionError("tripped"))
    at_call(MLPStep, "__call__", 6, KeyboardInterrupt())
    made = two_programs()
    with (
        pytest.warns(RuntimeWarning, match="each is now trained"),
        pytest.warns(UserWarning, match="interrupted"),
    ):
        fit_together(made, X, Y)
    assert [clf.n_iter_ for clf in made] == [2, 0, 1, 0]
    for clf in (made[0], made[2]):
        shorter = small(module=MLP((5,)), random_state=clf.random_state, max_epochs=clf.n_iter_).fit(X, Y)
        assert_close(clf.dynamics_.loss, shorter.dynamics_.loss, 1e-4)
        assert_same_states(clf.module_.state_dict(), shorter.module_.state_dict(), 1e-4)


def test_the_progress_of_a_search_counts_every_epoch_once():
    counted = []
    made = [
        small(max_epochs=9, early_stopping=True, n_iter_no_change=i, tol=1e3, random_state=i) for i in (1, 4)
    ]
    fits = [prepare(clf, X, Y) for clf in [*made, small(callbacks=[Callback()])]]
    assert train(fits, progress=counted.append) == [None] * 3
    assert sum(counted) == 9 + 9 + 4


def test_the_bars_of_members_are_not_left_behind():
    """`_without_bar` takes the bar of every member."""
    fits = [prepare(small(verbose=1, random_state=s), X, Y) for s in range(3)]
    training = _epoch_loop.StackedEpochLoop(make_members([fit.fit for fit in fits], 4), 16, 4, lambda n: None)
    training.run()
    assert not any(isinstance(w, ProgressBar) for m in training.members for w in m.fit.hooks)
