"""Each estimator is what its own ``fit`` would have made: over networks, losses, optimizers, and afterwards."""

import functools
import itertools

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.losses import loss_names
from sklearn_nndyn.modules import MLP
from tests.classifiers.together.comparing import (
    BOUNDS,
    EVERYTHING,
    assert_as_its_own_fit,
    assert_close,
    assert_equal_bitwise,
    assert_same_records,
    assert_same_states,
    fit_both,
    pickled,
    small,
)
from tests.pairwise import some_of
from tests.problems import IDS, PROBLEMS, chief_problems

# That each is its own fit is shown for the chief problems; what follows from it for a network of each kind, and in the
# long run for all.
OF_EACH_KIND = ("mlp", "conv-batch-norm-dropout", "own-module", "linear-full-batch")
each_kind_of_network = pytest.mark.parametrize(
    "problem",
    [
        pytest.param(problem, id=name, marks=() if name in OF_EACH_KIND else pytest.mark.slow)
        for problem, name in zip(PROBLEMS, IDS, strict=True)
    ],
)


def various(problem, **changes):
    """Estimators that differ in everything that a program can hold side by side."""
    own = [
        {"loss": "log"},
        {"loss": "l2", "lr": 0.003, "random_state": 4},
        {"loss": "tanimoto", "weight_decay": 0.1},
        {"loss": "squared_hinge", "lr": 0.02, "random_state": 5},
        {"loss": "log", "class_weight": "balanced"},
        {"loss": "log", "random_state": 5},
    ]
    return [problem.classifier(**{**changes, **settings}) for settings in own]


@functools.cache
def recorded(problem):
    """Fitted together and recorded whole; only read."""
    X, y = problem.data()
    return fit_together(various(problem, record=EVERYTHING), X, y)


@chief_problems
def test_each_is_what_its_own_fit_makes(problem):
    X, y = problem.data()
    X_val, y_val = problem.data(20, seed=1)
    made = fit_both(lambda: various(problem, record=EVERYTHING), X, y, X_val=X_val, y_val=y_val)
    for clf, own in zip(*made, strict=True):
        assert_as_its_own_fit(clf, own, X, y)
        assert (clf.predict(X) == own.predict(X)).mean() > 0.95
    first = made[0][0]
    assert all(
        not np.allclose(first.dynamics_.scores[:, -1], clf.dynamics_.scores[:, -1], rtol=1e-3)
        for clf in made[0][1:]
    )


def digits_grid(dtype, seeds=range(3), **changes):
    return [
        DynamicsClassifier(
            MLP((20,)), loss=loss, lr=lr, random_state=seed, dtype=dtype, max_epochs=20, **changes
        )
        for loss in loss_names("paper")
        for seed in seeds
        for lr in (0.01, 0.1)
    ]


def assert_grid_is_as_its_own_fits(dtype, n, make, programs):
    X, y = load_digits(return_X_y=True)
    X = X / 16
    together, alone = fit_both(make, X[:n], y[:n])
    assert programs == [len(together)]
    agreement = []
    for clf, own in zip(together, alone, strict=True):
        assert_same_records(clf.dynamics_, own.dynamics_, BOUNDS[dtype])
        assert_same_states(clf.module_.state_dict(), own.module_.state_dict(), BOUNDS[dtype])
        epochs = own._state.snapshots.epochs
        states, own_states = clf._state.snapshots.stacked(epochs), own._state.snapshots.stacked(epochs)
        assert all(torch.equal(states[name][0], values[0]) for name, values in own_states.items())
        assert_same_states(states, own_states, BOUNDS[dtype])
        agreement.append((clf.predict(X[n:]) == own.predict(X[n:])).mean())
        assert own.loss_curve_[-1] < own.loss_curve_[0]
    assert min(agreement) >= (0.999 if dtype == "float32" else 1)


@pytest.mark.parametrize("dtype", some_of(BOUNDS, ["float32"]))
def test_twelve_losses_at_two_rates_on_digits(dtype, programs):
    def make():
        return digits_grid(dtype, seeds=[0], optimizer="sgd", batch_size=100)

    assert_grid_is_as_its_own_fits(dtype, 400, make, programs)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", BOUNDS)
def test_twelve_losses_of_three_seeds_at_two_rates_on_digits(dtype, programs):
    def make():
        return digits_grid(dtype, optimizer="sgd", batch_size=200)

    assert_grid_is_as_its_own_fits(dtype, 1200, make, programs)


def test_twelve_losses_under_adam_on_digits(programs):
    """In double precision: in single precision Adam makes of a last bit, in some losses, a difference one can see."""

    def make():
        return [
            DynamicsClassifier(loss=loss, lr=lr, random_state=0, dtype="float64", max_epochs=8, batch_size=32)
            for loss in loss_names("paper")
            for lr in (0.001, 0.003)
        ]

    assert_grid_is_as_its_own_fits("float64", 400, make, programs)


OPTIMIZERS = {
    "adam": {},
    "adam-amsgrad": {"amsgrad": True},
    "adamw": {},
    "sgd": {},
    "sgd-momentum": {"momentum": 0.9},
    "sgd-nesterov": {"momentum": 0.9, "nesterov": True},
    "sgd-dampened": {"momentum": 0.9, "dampening": 0.5},
    "rmsprop": {"momentum": 0.5},
    "adagrad": {},
    "adadelta": {},
    "adamax": {},
    "nadam": {},
    "radam": {},
}


@pytest.mark.parametrize(
    ("optimizer", "module"),
    some_of(
        [*itertools.product(OPTIMIZERS, ("chain", "batch-norm"))],
        [*((name, "chain") for name in OPTIMIZERS), ("sgd-momentum", "batch-norm")],
    ),
)
def test_every_optimizer_moves_each_as_alone(optimizer, module, programs):
    """With and without weight decay, at two rates; of folds with different numbers of steps."""
    module = PROBLEMS[0] if module == "chain" else PROBLEMS[4]
    X, y = module.data()

    def make():
        common = {"optimizer": optimizer.split("-")[0], "optimizer_params": OPTIMIZERS[optimizer] or None}
        own = [
            {"lr": lr, "weight_decay": decay, "random_state": seed}
            for lr, decay, seed in [(0.01, 0.1, 0), (0.01, 0.0, 1), (0.03, 0.1, 2), (0.01, 0.1, 3)]
        ]
        return [module.classifier(dtype="float64", **common, **settings) for settings in own]

    rows = [np.arange(61), np.arange(61), np.arange(5, 61), np.arange(20)]
    together, alone = fit_both(make, X, y, indices=rows)
    for clf, own, chosen in zip(together, alone, rows, strict=True):
        assert_as_its_own_fit(clf, own, X[chosen], y[chosen])
    assert programs == ([4] if module is PROBLEMS[0] else [1] * 4)


@each_kind_of_network
def test_training_goes_on_as_after_its_own_fit(problem):
    """By partial_fit, and by a warm start."""
    X, y = problem.data()
    for clf, own in zip(*fit_both(lambda: various(problem, record=EVERYTHING)[:3], X, y), strict=True):
        for one in (clf, own):
            one.partial_fit(X, y).set_params(warm_start=True, max_epochs=1).fit(X, y)
        assert own.n_iter_ == 6
        assert own.dynamics_.n_epochs == 7
        assert_as_its_own_fit(clf, own, X, y)


def test_warm_starts_go_on_together():
    X, y = PROBLEMS[0].data()
    together, alone = fit_both(lambda: [small(warm_start=True, random_state=s) for s in range(3)], X, y)
    fit_together(together, X, y)
    for clf, own in zip(together, alone, strict=True):
        own.fit(X, y)
        assert own.n_iter_ == 8
        assert_as_its_own_fit(clf, own, X, y)


@chief_problems
def test_replay_of_the_training_data_is_the_record(problem):
    X, y = problem.data()
    for clf in recorded(problem):
        again = clf.replay(X, y)
        for name in ("loss", "margin", "scores"):
            assert_close(getattr(again, name), getattr(clf.dynamics_, name), 1e-4, name)
        for layer, values in clf.dynamics_.centroids.items():
            assert_close(again.centroids[layer], values, 1e-4)


@chief_problems
def test_an_earlier_epoch_is_a_shorter_fit(problem):
    """Law 2, of a fit among others: as if it had stopped there, to the last bit."""
    X, y = problem.data()
    short = fit_together(various(problem, max_epochs=2), X, y)
    for clf, stopped in zip(recorded(problem), short, strict=True):
        earlier = clf.at_epoch(2)
        assert_same_states(earlier.module_.state_dict(), stopped.module_.state_dict(), 0)
        assert_same_records_bitwise(earlier.dynamics_, stopped.dynamics_)
        assert clf.loss_curve_[:2] == stopped.loss_curve_


def assert_same_records_bitwise(record, other):
    for name in ("loss", "margin", "prediction"):
        np.testing.assert_array_equal(getattr(record, name), getattr(other, name))


@chief_problems
def test_watching_changes_nothing(problem):
    X, y = problem.data()
    unwatched = fit_together(various(problem, record=(), snapshots=False), X, y)
    for clf, other in zip(recorded(problem), unwatched, strict=True):
        assert_same_states(clf.module_.state_dict(), other.module_.state_dict(), 0)
        assert clf.loss_curve_ == other.loss_curve_


@each_kind_of_network
def test_the_order_of_the_estimators_does_not_matter(problem):
    """Up to rounding: which networks share a product may differ."""
    X, y = problem.data()
    straight = fit_together(various(problem, dtype="float64"), X, y)
    order = [3, 5, 0, 2, 1, 4]
    made = various(problem, dtype="float64")
    assert fit_together([made[i] for i in order], X, y) == [made[i] for i in order]
    for clf, other in zip(straight, made, strict=True):
        assert_as_its_own_fit(clf, other, X, y)


def test_the_same_twice_is_the_same_to_the_last_bit():
    X, y = PROBLEMS[0].data()
    first, second = (fit_together([small(), small(random_state=4), small()], X, y) for _ in range(2))
    for clf, other in zip(first, second, strict=True):
        assert_equal_bitwise(clf, other)
    assert_as_its_own_fit(first[0], first[2], X, y, bound=1e-5)
    assert not np.array_equal(first[0].dynamics_.loss, first[1].dynamics_.loss)


def test_one_estimator_alone_is_its_own_fit_to_the_last_bit():
    X, y = PROBLEMS[0].data()
    (clf,), (own,) = fit_both(lambda: [small()], X, y)
    assert_equal_bitwise(clf, own)


@each_kind_of_network
def test_a_clone_fits_as_ever(problem):
    X, y = problem.data()
    for clf in fit_together(various(problem)[:3], X, y):
        again = clone(clf)
        assert not hasattr(again, "net_")
        assert_as_its_own_fit(again.fit(X, y), clf, X, y)


@each_kind_of_network
def test_a_pickle_holds_one_network_and_not_the_others(problem):
    X, y = problem.data()
    for clf, own in zip(*fit_both(lambda: various(problem)[:3], X, y), strict=True):
        size, back = pickled(clf)
        own_size, _ = pickled(own)
        assert abs(size - own_size) < 0.02 * own_size + 200
        np.testing.assert_array_equal(back.decision_function(X), clf.decision_function(X))
        back.partial_fit(X, y)
        clf.partial_fit(X, y)
        assert_equal_bitwise(back, clf)


def test_no_two_networks_share_memory_afterwards():
    X, y = PROBLEMS[0].data()
    fitted = fit_together([small(optimizer="adam", random_state=s) for s in range(3)], X, y)
    places = [
        tensor.untyped_storage().data_ptr()
        for clf in fitted
        for tensor in [
            *clf.module_.state_dict().values(),
            *(v for state in clf.net_.optimizer_.state.values() for v in state.values()),
        ]
    ]
    assert len(places) == len(set(places))
    before = [clf.decision_function(X) for clf in fitted]
    fitted[0].partial_fit(X, y)
    assert not np.array_equal(fitted[0].decision_function(X), before[0])
    for clf, scores in zip(fitted[1:], before[1:], strict=True):
        np.testing.assert_array_equal(clf.decision_function(X), scores)


def test_global_generators_are_as_they_were():
    torch.manual_seed(11)
    np.random.seed(11)
    expected = torch.rand(3), np.random.rand(3)
    torch.manual_seed(11)
    np.random.seed(11)
    for problem in PROBLEMS:
        fit_together(various(problem)[:2], *problem.data())
    assert torch.equal(torch.rand(3), expected[0])
    np.testing.assert_array_equal(np.random.rand(3), expected[1])


def test_a_generator_that_all_share_is_drawn_from_in_their_order():
    X, y = PROBLEMS[0].data()

    def make():
        shared = np.random.RandomState(7)
        return [small(random_state=shared) for _ in range(3)]

    together, alone = fit_both(make, X, y)
    assert len({clf._state.seed for clf in alone}) == 3
    for clf, own in zip(together, alone, strict=True):
        assert clf._state.seed == own._state.seed
        assert_same_states(clf.module_.state_dict(), own.module_.state_dict(), 1e-4)
