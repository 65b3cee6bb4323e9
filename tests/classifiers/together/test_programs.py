"""Which estimators share a program: as many as may, and no others."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import Callback

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.classifiers import prepare
from sklearn_nndyn.losses import LogLoss, loss_names
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.training.stacked import _grouping
from sklearn_nndyn.training.stacked._parameters import StackedParameters
from tests.classifiers.together.comparing import assert_as_its_own_fit, fit_both, small
from tests.pairwise import some_of
from tests.problems import Problem

X, Y = Problem("vectors").data()


def focal(scores, target):
    """A loss of one's own."""
    p = scores.softmax(-1).gather(-1, target[:, None])[:, 0]
    return -((1 - p) ** 2) * p.log()


SHARED = {
    "loss": [{"loss": name} for name in loss_names()],
    "own-loss": [{"loss": focal}, {"loss": "log"}, {"loss": torch.nn.CrossEntropyLoss(label_smoothing=0.1)}],
    "link": [{"loss": LogLoss(link="sigmoid")}, {"loss": "log"}, {"loss": "l2"}],
    "lr": [{"lr": lr} for lr in (0.1, 0.01, 1, np.float64(0.02))],
    "weight_decay": [{"weight_decay": decay} for decay in (0, 0.1, 1e-3)],
    "random_state": [{"random_state": seed} for seed in (0, 1, 2, None)],
    "class_weight": [{"class_weight": weight} for weight in (None, "balanced", {"cat": 2.0})],
    "early-stopping": [{"early_stopping": True, "n_iter_no_change": n} for n in (1, 2)] + [{}],
    "verbose": [{"verbose": 1}, {}],
}
NOT_SHARED = {
    "module": [{}, {"module": MLP((11,))}],
    "activation": [{}, {"module": MLP((10,), activation="tanh")}],
    "dropout": [{"module": MLP((10,), dropout=p)} for p in (0.1, 0.2)],
    "optimizer": [{}, {"optimizer": "adamw"}],
    "optimizer_params": [{}, {"optimizer_params": {"betas": (0.8, 0.9)}}],
    "batch_size": [{}, {"batch_size": 17}],
    "max_epochs": [{}, {"max_epochs": 5}],
    "shuffle": [{}, {"shuffle": False}],
    "dtype": [{}, {"dtype": "float64"}],
    "record": [{}, {"record": ("samples",)}],
    "record_epochs": [{}, {"record_epochs": "log"}],
    "snapshots": [{}, {"snapshots": False}],
}


@pytest.mark.parametrize("settings", SHARED.values(), ids=SHARED)
def test_one_program_for_all_that_differ_in(settings, programs):
    fit_together([small(**own) for own in settings], X, Y)
    assert programs == [len(settings)]


@pytest.mark.parametrize("settings", NOT_SHARED.values(), ids=NOT_SHARED)
def test_a_program_each_for_those_that_differ_in(settings, programs):
    together, alone = fit_both(
        lambda: [small(random_state=s, **own) for own in settings for s in (0, 1)], X, Y
    )
    assert programs == [2, 2]
    for clf, own in zip(together, alone, strict=True):
        assert_as_its_own_fit(clf, own, X, Y)


@pytest.mark.parametrize("settings", [SHARED["own-loss"], SHARED["link"]], ids=["own-loss", "link"])
def test_losses_of_one_s_own_side_by_side(settings):
    together, alone = fit_both(lambda: [small(dtype="float64", **own) for own in settings], X, Y)
    for clf, own in zip(together, alone, strict=True):
        assert_as_its_own_fit(clf, own, X, Y)


class OwnAdam(torch.optim.Adam):
    """Not torch's: what its step does is not known."""


class Watches(Callback):
    """Sees every epoch."""


class OwnFit(DynamicsClassifier):
    """A classifier whose ``fit`` does more."""

    def fit(self, X, y, sample_weight=None, **given):
        super().fit(X, y, sample_weight, **given)
        self.more_ = True
        return self


ALONE = {
    "callbacks": {"callbacks": [Watches()]},
    "lbfgs": {"optimizer": "lbfgs", "lr": 0.1},
    "adafactor": {"optimizer": "adafactor"},
    "rprop": {"optimizer": "rprop"},
    "own-optimizer": {"optimizer": OwnAdam},
    "batch-norm": {"module": MLP((10,), batch_norm=True)},
}


@pytest.mark.parametrize("settings", ALONE.values(), ids=ALONE)
def test_those_that_go_alone_are_their_own_fits(settings, programs):
    made, alone = fit_both(lambda: [small(random_state=s, **settings) for s in range(2)], X, Y)
    assert programs == [1, 1]
    for clf, own in zip(made, alone, strict=True):
        assert_as_its_own_fit(clf, own, X, Y, bound=1e-12)


def test_no_callbacks_in_three_spellings(programs):
    fit_together([small(callbacks=none) for none in (None, [], (), "disable")], X, Y)
    assert programs == [4]


def test_a_subclass_with_a_fit_of_its_own_is_fitted_by_it(programs):
    made = [OwnFit(MLP((10,)), batch_size=16, max_epochs=4, lr=0.01, random_state=s) for s in range(2)]
    fit_together([*made, small(), small(random_state=1)], X, Y)
    assert all(clf.more_ for clf in made)
    assert programs == [1, 1, 2]


def test_the_first_warm_start_is_a_fit_like_others_and_the_next_its_own(programs):
    made = [small(warm_start=True, random_state=s) for s in range(3)]
    fit_together(made, X, Y)
    assert programs == [3]
    fit_together(made, X, Y)
    assert programs == [3, 1, 1, 1]
    assert [clf.n_iter_ for clf in made] == [8, 8, 8]


def test_fitted_again_without_a_warm_start_it_begins_anew(programs):
    made = fit_together([small(random_state=s) for s in range(2)], X, Y)
    again = fit_together([clone(clf) for clf in made], X, Y)
    fit_together(made, X, Y)
    for clf, other in zip(made, again, strict=True):
        assert_as_its_own_fit(clf, other, X, Y, bound=1e-12)


def test_a_fit_of_other_classes_is_another_program(programs):
    rows = [np.arange(61), np.flatnonzero(Y != "eel"), np.arange(61), np.flatnonzero(Y != "cat")]
    fit_together([small(random_state=s) for s in range(4)], X, Y, indices=rows)
    assert programs == [2, 2]


def test_validation_samples_of_some_make_two_programs(programs):
    fit_together([small(random_state=s, validation_fraction=0.3 if s % 2 else None) for s in range(4)], X, Y)
    assert programs == [2, 2]


# Memory


@pytest.fixture
def held(monkeypatch):
    """The numbers of networks in each stack that was made."""
    seen, original = [], StackedParameters.__init__

    def watched(self, nets, steps):
        seen.append(len(nets))
        original(self, nets, steps)

    monkeypatch.setattr(StackedParameters, "__init__", watched)
    return seen


@pytest.mark.parametrize("most", some_of([1, 2, 3, 4, 7, 8], [1, 3, 7]))
def test_a_limit_of_memory_cuts_into_programs_of_nearly_equal_size_with_the_same_result(most, programs, held):
    made = [small(random_state=s, dtype="float64") for s in range(7)]
    whole = fit_together([clone(clf) for clf in made], X, Y)
    fit = _prepared(made[0])
    limit = 2 * _grouping.CHUNK_BYTES + _grouping.EXPAND_BYTES + most * _grouping.bytes_of_member(fit)
    programs.clear()
    held.clear()
    fit_together(made, X, Y, memory_limit=limit)
    pieces = -(-7 // most)
    assert sum(programs) == 7
    assert len(programs) == pieces
    assert max(programs) <= most
    assert max(programs) - min(programs) <= 1
    assert held == [n for n in programs if n > 1]
    for clf, other in zip(made, whole, strict=True):
        assert_as_its_own_fit(clf, other, X, Y)


def test_a_limit_that_not_even_one_fits_in_trains_one_by_one(programs):
    made, alone = fit_both(lambda: [small(random_state=s) for s in range(3)], X, Y, memory_limit=1)
    assert programs == [1, 1, 1]
    for clf, own in zip(made, alone, strict=True):
        assert_as_its_own_fit(clf, own, X, Y, bound=1e-12)


def test_networks_too_large_for_the_cache_are_not_put_side_by_side(programs, monkeypatch):
    """Two thirds of the room for one network's weights, gradients and moments: one by one."""
    weights = 4 * (16 * 10 + 10 + 10 * 3 + 3)
    monkeypatch.setattr(_grouping, "CACHE_BYTES", 4 * weights * 2 // 3)
    fit_together([small(random_state=s) for s in range(3)], X, Y)
    assert programs == [1, 1, 1]
    programs.clear()
    monkeypatch.setattr(_grouping, "CACHE_BYTES", 4 * weights * 2)
    fit_together([small(random_state=s) for s in range(4)], X, Y)
    assert programs == [2, 2]


def _prepared(clf):
    return prepare(clone(clf), X, Y).fit
