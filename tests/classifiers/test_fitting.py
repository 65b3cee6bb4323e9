"""What fit does: batches, optimizers, validation, early stopping, going on, losses, modules, data."""

import copy
import functools

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import accuracy_score

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.training._optimizers import optimizer_names
from tests.classifiers.test_laws import EVERYTHING, arrays, assert_same_record, assert_same_weights
from tests.problems import CHIEF, PROBLEMS, Problem, ThreeKinds, chief_problems

cross_entropy = torch.nn.functional.cross_entropy


def steady_convolution(input_shape, n_classes):
    """With batch normalisation, without dropout: nothing random once training has begun."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(input_shape[0], 3, 3, bias=False),
        torch.nn.BatchNorm2d(3),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(12, n_classes),
    )


CHAIN = Problem("mlp", MLP((10,)))
STEADY = [
    Problem("mlp-float64", MLP((10, 7), activation="tanh"), dtype="float64"),
    Problem("conv-float64", steady_convolution, images=True, dtype="float64"),
]
both = pytest.mark.parametrize("problem", STEADY, ids=lambda problem: problem.name)


def bare_loop(start, X, y, optimizer, loss=cross_entropy, epochs=4, batch_size=16, seed=None):
    """What one writes by hand: the module ``start``, trained; ``seed`` draws the order of the rows."""
    module = copy.deepcopy(start).train()
    optimizer = optimizer(module.parameters())
    X, y = torch.as_tensor(X), torch.as_tensor(np.unique(y, return_inverse=True)[1])
    shuffler = torch.Generator().manual_seed(seed) if seed is not None else None
    for _ in range(epochs):
        order = torch.arange(len(X)) if seed is None else torch.randperm(len(X), generator=shuffler)
        for rows in order.split(batch_size):

            def closure(rows=rows):
                optimizer.zero_grad()
                value = loss(module(X[rows]), y[rows])
                value.backward()
                return value

            optimizer.step(closure)
    return module.eval()


def assert_close(a, b, tolerance):
    for u, v in zip(a.state_dict().values(), b.state_dict().values(), strict=True):
        torch.testing.assert_close(u, v, rtol=tolerance, atol=tolerance)


# Optimizers and batches


@pytest.mark.parametrize(
    ("problem", "name"),
    [
        *((STEADY[0], name) for name in optimizer_names()),
        *((STEADY[1], name) for name in ("adam", "sgd", "lbfgs")),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_each_optimizer_does_what_a_bare_loop_does(problem, name):
    X, y = problem.data()
    # Many iterations on a batch would magnify the last bit; AdamW has a weight decay of its own.
    few = {"max_iter": 2} if name == "lbfgs" else {}
    none = {"weight_decay": 0.0} if name == "adamw" else {}
    clf = problem.classifier(optimizer=name, optimizer_params=few).fit(X, y)
    kind, seed = optimizer_names()[name], clf.dynamics_.header["torch_seed"]
    by_hand = bare_loop(clf.at_epoch(0).module_, X, y, lambda p: kind(p, lr=0.01, **few, **none), seed=seed)
    assert_close(clf.module_, by_hand, 1e-9)
    assert not torch.equal(next(clf.module_.parameters()), next(clf.at_epoch(0).module_.parameters()))


SETTINGS = [
    ("sgd", torch.optim.SGD, {"weight_decay": 0.1}),
    ("sgd", torch.optim.SGD, {"momentum": 0.9}),
    ("SGD", torch.optim.SGD, {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1}),
    (torch.optim.SGD, torch.optim.SGD, {"momentum": 0.8, "dampening": 0.5}),
    ("adam", torch.optim.Adam, {"weight_decay": 0.1}),
    (torch.optim.Adam, torch.optim.Adam, {"betas": (0.5, 0.9), "amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", torch.optim.AdamW, {"weight_decay": 0.1}),
    ("adam", torch.optim.Adam, {"fused": False, "eps": 1e-3}),
    ("rmsprop", torch.optim.RMSprop, {"momentum": 0.5, "centered": True}),
]


@pytest.mark.parametrize(
    ("problem", "optimizer", "kind", "settings"),
    [(STEADY[i % 2], *settings) for i, settings in enumerate(SETTINGS)],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_so_it_does_with_its_parameters(problem, optimizer, kind, settings):
    X, y = problem.data()
    further = {name: value for name, value in settings.items() if name != "weight_decay"}
    clf = problem.classifier(
        optimizer=optimizer, optimizer_params=further, weight_decay=settings.get("weight_decay", 0.0)
    ).fit(X, y)
    seed = clf.dynamics_.header["torch_seed"]
    by_hand = bare_loop(clf.at_epoch(0).module_, X, y, lambda p: kind(p, lr=0.01, **settings), seed=seed)
    assert_close(clf.module_, by_hand, 1e-9)


@both
def test_weight_decay_shrinks_the_weights(problem):
    X, y = problem.data()
    norms = [
        sum(
            float(p.detach().square().sum())
            for p in problem.classifier(weight_decay=decay, max_epochs=20).fit(X, y).module_.parameters()
        )
        for decay in (0.0, 0.5)
    ]
    assert norms[1] < 0.5 * norms[0]


@both
def test_without_shuffling_rows_are_taken_in_order(problem):
    X, y = problem.data()
    clf = problem.classifier(shuffle=False, max_epochs=1).fit(X, y)
    by_hand = bare_loop(clf.at_epoch(0).module_, X, y, lambda p: torch.optim.Adam(p, lr=0.01), epochs=1)
    assert_close(clf.module_, by_hand, 1e-12)
    with pytest.raises(AssertionError):
        assert_close(problem.classifier(max_epochs=1).fit(X, y).module_, by_hand, 1e-6)


@both
def test_each_epoch_is_in_a_new_order(problem):
    """Had all epochs the order of the first, a bare loop with that order would do the same."""
    X, y = problem.data()
    clf = problem.classifier().fit(X, y)
    order = torch.randperm(
        len(X), generator=torch.Generator().manual_seed(clf.dynamics_.header["torch_seed"])
    )
    by_hand = bare_loop(clf.at_epoch(0).module_, X[order], y[order], lambda p: torch.optim.Adam(p, lr=0.01))
    with pytest.raises(AssertionError):
        assert_close(clf.module_, by_hand, 1e-6)
    by_hand = bare_loop(
        clf.at_epoch(0).module_, X[order], y[order], lambda p: torch.optim.Adam(p, lr=0.01), epochs=1
    )
    assert_close(clf.at_epoch(1).module_, by_hand, 1e-9)


@pytest.mark.parametrize(("n", "size"), [(61, 61), (200, 200), (250, 200)])
def test_the_automatic_batch_size(n, size):
    X, y = CHAIN.data(n)
    auto = CHAIN.classifier(batch_size="auto").fit(X, y)
    assert_same_weights(auto, CHAIN.classifier(batch_size=size).fit(X, y))
    with pytest.raises(AssertionError):
        assert_same_weights(auto, CHAIN.classifier(batch_size=size - 1).fit(X, y))


@chief_problems
def test_the_full_batch_is_all_samples_at_once(problem):
    X, y = problem.data()
    full = problem.classifier(batch_size="full").fit(X, y)
    assert_same_weights(full, problem.classifier(batch_size=len(X)).fit(X, y))
    assert_same_weights(full, problem.classifier(batch_size=10 * len(X)).fit(X, y))


def test_the_loss_curve_is_the_mean_over_samples_at_the_time_of_their_batch():
    problem = STEADY[0]
    X, y = problem.data()
    clf = problem.classifier(batch_size="full", record=("samples",)).fit(X, y)
    np.testing.assert_allclose(clf.loss_curve_, clf.dynamics_.loss.mean(0)[:-1], rtol=1e-6)
    clf = problem.classifier(lr=1e-12).fit(X, y)  # hardly moves: the mean over batches of 16 and 13
    np.testing.assert_allclose(clf.loss_curve_, clf.dynamics_.loss.mean(0)[:-1], rtol=1e-6)


# Weights of classes and samples


@chief_problems
def test_class_weights_are_sample_weights(problem):
    X, y = problem.data()
    weights = {"cat": 2.0, "eel": 0.5}
    clf = problem.classifier(class_weight=weights).fit(X, y)
    per_sample = np.array([weights.get(label, 1.0) for label in y])
    assert_same_weights(clf, problem.classifier().fit(X, y, sample_weight=per_sample))
    with pytest.raises(AssertionError):
        assert_same_weights(clf, problem.classifier().fit(X, y))


def test_balanced_classes_weigh_the_same():
    X, y = CHAIN.data()
    y = np.where(np.arange(61) < 40, "cat", y)
    labels, counts = np.unique(y, return_counts=True)
    per_sample = (61 / (3 * counts))[np.searchsorted(labels, y)]
    clf = CHAIN.classifier(class_weight="balanced").fit(X, y)
    assert_same_weights(clf, CHAIN.classifier().fit(X, y, sample_weight=per_sample))


def test_class_weights_multiply_with_sample_weights():
    X, y = CHAIN.data()
    sample_weight = np.random.default_rng(0).integers(0, 3, 61)
    clf = CHAIN.classifier(class_weight={"dog": 4}).fit(X, y, sample_weight=sample_weight)
    assert_same_weights(
        clf, CHAIN.classifier().fit(X, y, sample_weight=sample_weight * np.where(y == "dog", 4, 1))
    )


def test_class_weights_may_name_a_class_that_a_part_of_the_data_lacks():
    X, y = CHAIN.data()
    two = y != "eel"
    weights = {"cat": 2.0, "dog": 1.0, "eel": 3.0}
    clf = CHAIN.classifier(class_weight=weights).fit(X[two], y[two])
    assert_same_weights(clf, CHAIN.classifier(class_weight={"cat": 2.0}).fit(X[two], y[two]))
    again = CHAIN.classifier(class_weight={"cat": 2.0}).partial_fit(X, y)
    again.partial_fit(X[y == "dog"], y[y == "dog"])  # no cat in this part
    assert again.n_iter_ == 2


def test_weights_count_relative_to_their_mean():
    X, y = CHAIN.data()
    weight = 1.0 + np.arange(61) % 4
    assert_same_weights(
        CHAIN.classifier().fit(X, y, sample_weight=weight),
        CHAIN.classifier().fit(X, y, sample_weight=8 * weight),
    )


# Validation and early stopping


@pytest.mark.parametrize(
    ("problem", "weights"),
    [
        *((problem, "some") for problem in PROBLEMS if problem.name in CHIEF),
        *((PROBLEMS[i], weights) for i in (0, 5) for weights in ("none", "balanced")),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_held_out_samples_are_validation_samples(problem, weights):
    X, y = problem.data()
    weight = np.arange(61) % 4 if weights == "some" else None
    settings = {"record": EVERYTHING, "class_weight": "balanced" if weights == "balanced" else None}
    clf = problem.classifier(validation_fraction=0.3, **settings).fit(X, y, sample_weight=weight)
    train, held_out = clf.train_indices_, clf.validation_indices_
    assert (np.diff(train) > 0).all()
    assert (np.diff(held_out) > 0).all()
    np.testing.assert_array_equal(np.sort(np.r_[train, held_out]), np.arange(61))
    for label in clf.classes_:
        assert abs((y[held_out] == label).mean() - (y == label).mean()) < 1 / len(held_out)
    np.testing.assert_array_equal(clf.dynamics_.y, y[train])
    np.testing.assert_array_equal(clf.validation_dynamics_.y, y[held_out])

    given = problem.classifier(**settings).fit(
        X[train], y[train], None if weight is None else weight[train], X_val=X[held_out], y_val=y[held_out]
    )
    assert_same_weights(clf, given)
    assert_same_record(clf.dynamics_, given.dynamics_)
    assert_same_record(clf.validation_dynamics_, given.validation_dynamics_)


def test_the_seed_chooses_what_is_held_out():
    X, y = CHAIN.data()
    first, second, other = (
        CHAIN.classifier(validation_fraction=0.3, random_state=seed).fit(X, y).validation_indices_
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)


@chief_problems
def test_validation_samples_are_watched_and_nothing_else(problem):
    X, y = problem.data()
    X_val, y_val = problem.data(20, seed=1)
    clf = problem.classifier(record=EVERYTHING).fit(X, y, X_val=X_val, y_val=y_val)
    assert_same_weights(clf, problem.classifier().fit(X, y))
    again = clf.replay(X_val, y_val)
    tolerance = {"rtol": 1e-4, "atol": 1e-5} if problem.dtype == "float32" else {"rtol": 1e-6, "atol": 1e-6}
    for name, values in arrays(clf.validation_dynamics_).items():
        if name != "prediction":
            np.testing.assert_allclose(values, arrays(again)[name], err_msg=name, **tolerance)
    np.testing.assert_allclose(clf.validation_scores_, list(clf.staged_score(X_val, y_val))[1:])
    np.testing.assert_allclose(
        clf.net_.history[:, "valid_loss"], clf.validation_dynamics_.loss.mean(0, dtype=float)[1:], rtol=1e-6
    )


def test_validation_is_scored_in_epochs_that_are_not_recorded_too():
    X, y = CHAIN.data()
    X_val, y_val = CHAIN.data(20, seed=1)
    always = CHAIN.classifier().fit(X, y, X_val=X_val, y_val=y_val)
    for settings in ({"record_epochs": [2]}, {"record": ()}, {"record": ("geometry",)}):
        clf = CHAIN.classifier(**settings).fit(X, y, X_val=X_val, y_val=y_val)
        assert clf.validation_scores_ == always.validation_scores_
        np.testing.assert_allclose(
            clf.net_.history[:, "valid_loss"], always.net_.history[:, "valid_loss"], rtol=1e-6
        )


def stops(values, patience, tol):
    """(last epoch, best epoch), by the rule as one says it."""
    best, best_epoch, without_progress = -np.inf, None, 0
    for epoch, value in enumerate(values, start=1):
        without_progress = 0 if value > best + tol else without_progress + 1
        if value > best:
            best, best_epoch = value, epoch
        if without_progress == patience:
            break
    return epoch, best_epoch


EARLY = Problem("noisy", MLP((20,), dropout=0.2))


@functools.cache
def not_stopped(watched):
    """Data, settings and the fit of all forty epochs; only read."""
    X, y = EARLY.data(150)
    settings = {
        "max_epochs": 40,
        "lr": 0.05,
        "validation_fraction": 0.3 if watched == "validation_fraction" else None,
    }
    X_val, y_val = EARLY.data(50, seed=1)
    given = {"X": X, "y": y} | ({"X_val": X_val, "y_val": y_val} if watched == "X_val" else {})
    return given, settings, EARLY.classifier(**settings).fit(**given)


@pytest.mark.parametrize("watched", ["X_val", "validation_fraction", "training loss"])
@pytest.mark.parametrize(("patience", "tol"), [(1, 0.0), (2, 1e-4), (3, 0.03), (4, 0.5)])
def test_early_stopping_goes_back_to_the_best_epoch(watched, patience, tol):
    given, settings, whole = not_stopped(watched)
    values = -np.array(whole.loss_curve_) if watched == "training loss" else whole.validation_scores_
    last, best = stops(values, patience, tol)

    clf = EARLY.classifier(**settings, early_stopping=True, n_iter_no_change=patience, tol=tol).fit(**given)
    assert (clf.n_iter_, clf.best_epoch_) == (last, best)
    assert_same_weights(clf, clf.at_epoch(best))
    assert_same_weights(clf, whole.at_epoch(best))
    assert_same_record(clf.dynamics_, whole.dynamics_.until(last))
    assert len(clf.loss_curve_) == last
    assert not hasattr(whole, "best_epoch_")


def test_early_stopping_did_stop_early():
    """The oracle of the test above is no empty claim: its fits end at different epochs, none at the last."""
    _, _, whole = not_stopped("X_val")
    ends = [
        stops(whole.validation_scores_, patience, tol) for patience, tol in [(1, 0.0), (2, 1e-4), (4, 0.5)]
    ]
    assert len(set(ends)) == 3
    assert all(best < last < 40 for last, best in ends)


def test_early_stopping_needs_no_record():
    X, y = EARLY.data(150)
    settings = {"max_epochs": 40, "lr": 0.03, "early_stopping": True, "n_iter_no_change": 2}
    clf = EARLY.classifier(**settings).fit(X, y)
    needs_predictions_only = EARLY.classifier(**settings, record=(), snapshots=False).fit(X, y)
    assert needs_predictions_only.best_epoch_ == clf.best_epoch_
    assert_same_weights(needs_predictions_only, clf)


# Going on


@pytest.mark.parametrize(
    ("problem", "record_epochs"),
    [
        *((problem, "all") for problem in PROBLEMS if problem.name in CHIEF),
        *((CHAIN, epochs) for epochs in ("log", 2, [0, 3])),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_partial_fits_are_a_fit_in_parts(problem, record_epochs):
    X, y = problem.data()
    settings = {"record": EVERYTHING, "record_epochs": record_epochs}
    whole = problem.classifier(**settings, max_epochs=5).fit(X, y)
    parts = problem.classifier(**settings)
    for _ in range(5):
        parts.partial_fit(X, y)
    assert_same_weights(parts, whole)
    assert_same_record(parts.dynamics_, whole.dynamics_)
    np.testing.assert_array_equal(parts.dynamics_.epochs, whole.dynamics_.epochs)
    assert parts.loss_curve_ == whole.loss_curve_
    assert parts.n_iter_ == 5
    assert len(parts.dynamics_.header["seconds_per_epoch"]) == whole.dynamics_.n_epochs
    for earlier, of_whole in zip(
        parts.staged_decision_function(X), whole.staged_decision_function(X), strict=True
    ):
        np.testing.assert_array_equal(earlier, of_whole)


@pytest.mark.parametrize(
    "record", [("samples",), ("geometry",), ("scores",), ("geometry", "scores")], ids=str
)
def test_so_they_are_whatever_is_recorded(record):
    X, y = CHAIN.data()
    whole = CHAIN.classifier(record=record).fit(X, y)
    parts = CHAIN.classifier(record=record, max_epochs=2).fit(X, y).partial_fit(X, y).partial_fit(X, y)
    assert parts.dynamics_.fields == whole.dynamics_.fields
    assert_same_record(parts.dynamics_, whole.dynamics_)


def test_other_samples_begin_a_new_record_at_the_epoch_reached():
    X, y = CHAIN.data()
    some = y != "eel"
    clf = CHAIN.classifier().partial_fit(X[some], y[some], classes=["cat", "dog", "eel"])
    np.testing.assert_array_equal(clf.classes_, ["cat", "dog", "eel"])
    np.testing.assert_array_equal(clf.dynamics_.epochs, [0, 1])
    after_one = clf.decision_function(X)
    for turned in (X[::-1], 2 * X):
        other = copy.deepcopy(clf).partial_fit(turned, y)
        np.testing.assert_array_equal(other.dynamics_.epochs, [1, 2])
        np.testing.assert_array_equal(other.dynamics_.y, y)
    clf.partial_fit(X, y)
    np.testing.assert_array_equal(clf.dynamics_.epochs, [1, 2])
    before = clf.replay(X, y, record=("scores",)).scores
    np.testing.assert_allclose(before[:, 1], after_one, rtol=1e-5, atol=1e-6)
    assert before.shape == (61, 3, 3)
    assert clf.n_iter_ == len(clf.loss_curve_) == 2
    # The weights of before are still known; the record, of these samples, knows nothing of then.
    np.testing.assert_allclose(clf.at_epoch(0).decision_function(X), before[:, 0], rtol=1e-5, atol=1e-6)
    assert not hasattr(clf.at_epoch(0), "dynamics_")
    np.testing.assert_array_equal(clf.at_epoch(1).dynamics_.epochs, [1])


def test_the_same_labels_of_other_samples_are_other_samples():
    """Where the records do not overlap, only the samples themselves can tell."""
    X, y = CHAIN.data()
    first, second, *_ = np.flatnonzero(y == "cat")
    swapped = X.copy()
    swapped[[first, second]] = X[[second, first]]
    for other in (2 * X, X[:, ::-1], swapped):
        clf = CHAIN.classifier(record_epochs=[0, 2]).partial_fit(X, y).partial_fit(other, y)
        np.testing.assert_array_equal(clf.dynamics_.epochs, [2])


@chief_problems
def test_a_warm_start_goes_on(problem):
    X, y = problem.data()
    X_val, y_val = problem.data(20, seed=1)
    whole = problem.classifier(record=EVERYTHING, max_epochs=6).fit(X, y, X_val=X_val, y_val=y_val)
    parts = problem.classifier(record=EVERYTHING, max_epochs=3, warm_start=True)
    for _ in range(2):
        parts.fit(X, y, X_val=X_val, y_val=y_val)
    assert_same_weights(parts, whole)
    assert_same_record(parts.dynamics_, whole.dynamics_)
    assert_same_record(parts.validation_dynamics_, whole.validation_dynamics_)
    assert parts.loss_curve_ == whole.loss_curve_
    assert parts.validation_scores_ == whole.validation_scores_
    assert parts.n_iter_ == len(parts.net_.history) == 6


@chief_problems
def test_a_cold_start_forgets(problem):
    X, y = problem.data()
    clf = problem.classifier(validation_fraction=0.2, early_stopping=True).fit(X, y)
    clf.set_params(validation_fraction=None, early_stopping=False).fit(X, y)
    fresh = problem.classifier().fit(X, y)
    assert vars(clf).keys() == vars(fresh).keys()
    assert_same_weights(clf, fresh)
    assert_same_record(clf.dynamics_, fresh.dynamics_)
    for old in ("best_epoch_", "validation_scores_", "validation_dynamics_", "train_indices_"):
        assert not hasattr(clf, old)


# What is recorded, and what can be asked afterwards


@pytest.mark.parametrize(
    ("record_epochs", "epochs"),
    [
        ("all", range(10)),
        ("log", [0, 1, 2, 4, 8]),
        (4, [0, 4, 8]),
        ((3, 7), [3, 7]),
        (lambda e: e % 5 == 1, [1, 6]),
    ],
    ids=["all", "log", "step", "list", "callable"],
)
def test_only_the_chosen_epochs_are_recorded(record_epochs, epochs):
    X, y = CHAIN.data()
    every = CHAIN.classifier(max_epochs=9).fit(X, y)
    clf = CHAIN.classifier(max_epochs=9, record_epochs=record_epochs).fit(X, y)
    np.testing.assert_array_equal(clf.dynamics_.epochs, epochs)
    assert_same_record(clf.dynamics_, every.dynamics_, list(epochs))
    assert_same_weights(clf, every)
    assert len(list(clf.staged_predict(X))) == len(epochs)
    np.testing.assert_array_equal(clf.replay(X, y).epochs, epochs)
    assert clf.n_iter_ == len(clf.loss_curve_) == 9


def test_nothing_is_recorded_where_nothing_is_asked_for():
    X, y = CHAIN.data()
    clf = CHAIN.classifier(record=()).fit(X, y, X_val=X, y_val=y)
    assert not hasattr(clf, "dynamics_")
    assert not hasattr(clf, "validation_dynamics_")
    np.testing.assert_array_equal(clf.replay(X, y).epochs, np.arange(5))  # from the weights


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (["samples"], ("loss", "margin", "prediction", "probability")),
        ({"geometry"}, ("centroids", "weight_norms")),
        (("scores",), ("scores",)),
        (EVERYTHING, ("loss", "margin", "prediction", "probability", "scores", "centroids", "weight_norms")),
    ],
    ids=str,
)
def test_what_is_asked_for_is_recorded(record, fields):
    X, y = CHAIN.data()
    assert CHAIN.classifier(record=record).fit(X, y).dynamics_.fields == fields


@chief_problems
def test_stages_are_the_classifier_at_each_epoch(problem):
    X, y = problem.data()
    clf = problem.classifier().fit(X, y)
    weight = np.arange(61) % 3
    for name, arguments in {
        "predict": (X,),
        "predict_proba": (X,),
        "decision_function": (X,),
        "score": (X, y, weight),
    }.items():
        stages = list(getattr(clf, f"staged_{name}")(*arguments))
        assert len(stages) == 5
        for epoch, stage in enumerate(stages):
            np.testing.assert_array_equal(stage, getattr(clf.at_epoch(epoch), name)(*arguments))


@chief_problems
def test_the_classifier_at_an_epoch_is_one_of_its_own(problem):
    X, y = problem.data()
    X_val, y_val = problem.data(20, seed=1)
    clf = problem.classifier(record=EVERYTHING).fit(X, y, X_val=X_val, y_val=y_val)
    before = copy.deepcopy(clf)
    earlier = clf.at_epoch(2)
    assert_same_record(earlier.dynamics_, clf.dynamics_.until(2))
    assert_same_record(earlier.validation_dynamics_, clf.validation_dynamics_.until(2))
    assert (
        earlier.dynamics_.epochs[-1]
        == earlier.n_iter_
        == len(earlier.loss_curve_)
        == len(earlier.net_.history)
        == 2
    )
    assert earlier.validation_scores_ == clf.validation_scores_[:2]
    np.testing.assert_array_equal(earlier.replay(X, y).epochs, [0, 1, 2])
    assert_same_weights(clf.at_epoch(-1), clf)

    earlier.partial_fit(X, y)
    assert earlier.n_iter_ == 3
    np.testing.assert_array_equal(earlier.dynamics_.epochs, [0, 1, 2, 3])
    assert_same_weights(clf, before)
    assert_same_record(clf.dynamics_, before.dynamics_)
    assert len(clf.net_.history) == 4
    np.testing.assert_array_equal(clf.replay(X, y).epochs, np.arange(5))
    clf.partial_fit(X, y)
    before.partial_fit(X, y)
    assert_same_weights(clf, before)


def test_activations_are_those_of_a_forward_pass_by_hand():
    problem = Problem("deep", MLP((10, 7), activation="tanh", dropout=0.5), dtype="float64")
    X, y = problem.data()
    clf = problem.classifier().fit(X, y)
    for epoch in (None, 0, 2):
        state = (clf if epoch is None else clf.at_epoch(epoch)).module_.state_dict()
        state = {name: value.numpy() for name, value in state.items()}
        first = np.tanh(X @ state["linear1.weight"].T + state["linear1.bias"])
        second = np.tanh(first @ state["linear2.weight"].T + state["linear2.bias"])
        for layer, expected in {
            0: first,
            -2: first,
            "linear1": first,
            -1: second,
            1: second,
            "linear2": second,
        }.items():
            np.testing.assert_allclose(
                clf.activations(X, layer, epoch=epoch), expected, rtol=1e-12, atol=1e-14
            )
        scores = second @ state["output.weight"].T + state["output.bias"]
        at_epoch = clf if epoch is None else clf.at_epoch(epoch)
        np.testing.assert_allclose(at_epoch.decision_function(X), scores, rtol=1e-12, atol=1e-13)


def test_activations_of_images_keep_their_shape():
    problem = STEADY[1]
    X, y = problem.data()
    clf = problem.classifier().fit(X, y)
    with torch.no_grad():
        expected = clf.module_[:4](torch.as_tensor(X)).numpy()
    np.testing.assert_array_equal(clf.activations(X), expected)
    assert list(clf.dynamics_.centroids) == ["0"]


# Losses and modules that users bring


def squared_error(scores, target):
    return (scores - torch.nn.functional.one_hot(target, scores.shape[1])).square().sum(1)


class HalfMargins(torch.nn.Module):
    """The hinge loss, by hand."""

    def forward(self, scores, target):
        signs = 2 * torch.nn.functional.one_hot(target, scores.shape[1]) - 1
        return (0.5 - signs * scores).clamp(min=0).sum(1)


LOSSES = {
    "cross-entropy-module": ("log", torch.nn.CrossEntropyLoss()),
    "cross-entropy-class": ("log", torch.nn.CrossEntropyLoss),
    "cross-entropy-summed": ("log", torch.nn.CrossEntropyLoss(reduction="sum")),
    "cross-entropy-function": ("log", lambda scores, target: cross_entropy(scores, target, reduction="none")),
    "squared-error-function": ("l2", squared_error),
    "hinge-module": ("hinge", HalfMargins()),
    "hinge-class": ("hinge", HalfMargins),
}


@pytest.mark.parametrize(
    ("problem", "name", "own"),
    [(STEADY[i % 2], *losses) for i, losses in enumerate(LOSSES.values())],
    ids=LOSSES,
)
def test_a_loss_of_ones_own_trains_as_the_one_it_imitates(problem, name, own):
    X, y = problem.data()
    clf, other = problem.classifier(loss=name).fit(X, y), problem.classifier(loss=own).fit(X, y)
    assert_close(clf.module_, other.module_, 1e-9)
    np.testing.assert_allclose(clf.dynamics_.loss, other.dynamics_.loss, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(clf.loss_curve_, other.loss_curve_, rtol=1e-9)
    assert hasattr(other, "predict_proba") == isinstance(other.loss_.loss, torch.nn.CrossEntropyLoss)


class Two(torch.nn.Module):
    """Two linear layers for 16 inputs and 3 classes."""

    def __init__(self):
        super().__init__()
        self.inner, self.outer = torch.nn.Linear(16, 8), torch.nn.Linear(8, 3)

    def forward(self, x):
        return self.outer(torch.relu(self.inner(x)))


class TwoForAnyData(Two):
    def __init__(self, input_shape, n_classes):
        torch.nn.Module.__init__(self)
        self.inner, self.outer = torch.nn.Linear(*input_shape, 8), torch.nn.Linear(8, n_classes)


class Architecture:
    """The least that an architecture is."""

    def build(self, input_shape, n_classes):
        return TwoForAnyData(input_shape, n_classes)


@pytest.mark.parametrize(
    "module",
    [
        Two,
        TwoForAnyData,
        Two(),
        TwoForAnyData((16,), 3),
        lambda shape, k: TwoForAnyData(shape, k),
        Architecture(),
    ],
    ids=["class", "class-with-shape", "instance", "instance-with-shape", "factory", "architecture"],
)
def test_a_module_is_the_same_however_it_is_given(module):
    X, y = CHAIN.data()
    expected = CHAIN.classifier(module=MLP((8,))).fit(X, y)
    drawn_anew = isinstance(module, torch.nn.Module)
    clf = CHAIN.classifier(module=module, reinitialize=drawn_anew).fit(X, y)
    for a, b in zip(
        clf.at_epoch(0).module_.parameters(), expected.at_epoch(0).module_.parameters(), strict=True
    ):
        assert torch.equal(a, b)
    for a, b in zip(clf.module_.parameters(), expected.module_.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("make", [Two, lambda: ThreeKinds((16,), 3)], ids=["two", "three-kinds"])
def test_the_users_instance_is_never_touched(make):
    X, y = CHAIN.data()
    module = make().train()
    before = copy.deepcopy(module)
    clf = CHAIN.classifier(module=module).fit(X, y)
    clf.partial_fit(X, y)
    assert clf.module_ is not module
    assert module.training
    assert all(
        torch.equal(u, v)
        for u, v in zip(module.state_dict().values(), before.state_dict().values(), strict=True)
    )
    assert all(p.grad is None and p.requires_grad for p in module.parameters())
    assert not any(part._forward_pre_hooks for part in module.modules())
    shared = {p.data_ptr() for p in module.parameters()} & {p.data_ptr() for p in clf.module_.parameters()}
    assert not shared
    # Trained on a copy: a second fit of the same instance begins with the weights that it brings.
    assert torch.equal(next(module.parameters()), next(clf.at_epoch(0).module_.parameters()))
    assert_same_weights(CHAIN.classifier(module=module).fit(X, y), CHAIN.classifier(module=before).fit(X, y))


# Data


def test_images_are_rows_to_a_multilayer_perceptron():
    X, y = CHAIN.data()
    for shape in [(1, 4, 4), (4, 4), (16, 1)]:
        rows, images = CHAIN.classifier().fit(X, y), CHAIN.classifier().fit(X.reshape(61, *shape), y)
        assert_same_weights(rows, images)
        assert_same_record(rows.dynamics_, images.dynamics_)
        assert images.input_shape_ == shape


@chief_problems
def test_the_users_data_are_never_written_to(problem):
    X, y = problem.data()
    X_val, y_val = problem.data(20, seed=1)
    weight = 1.0 + np.arange(61) % 2
    given = [X, y, weight, X_val, y_val]
    before = [array.copy() for array in given]
    clf = problem.classifier(validation_fraction=None).fit(X, y, weight, X_val=X_val, y_val=y_val)
    clf.partial_fit(X, y, sample_weight=weight)
    clf.predict(X)
    clf.replay(X_val, y_val)
    list(clf.staged_score(X_val, y_val))
    for array, copied in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, copied)
        assert array.flags.writeable


@chief_problems
def test_read_only_and_memory_mapped_data(problem, tmp_path):
    X, y = problem.data()
    expected = problem.classifier().fit(X, y)
    np.save(tmp_path / "X.npy", X)
    mapped = np.load(tmp_path / "X.npy", mmap_mode="r")
    frozen = X.copy()
    frozen.flags.writeable = False
    for data in (mapped, frozen):
        clf = problem.classifier().fit(data, y, X_val=data, y_val=y)
        assert_same_weights(clf, expected)
        np.testing.assert_array_equal(clf.predict(data), expected.predict(X))
        np.testing.assert_array_equal(clf.replay(data, y).epochs, np.arange(5))
    np.testing.assert_array_equal(mapped, X)


@pytest.mark.parametrize(
    "changed",
    [
        lambda X: X.astype(np.float64),
        lambda X: np.asfortranarray(X),
        lambda X: np.repeat(X, 2, axis=0)[::2],
        lambda X: X.astype(">f4"),
        lambda X: X.tolist(),
        lambda X: pd.DataFrame(X),
        lambda X: torch.as_tensor(X),
    ],
    ids=["float64", "columns-first", "strided", "big-endian", "lists", "frame", "tensor"],
)
def test_the_form_of_the_data_does_not_matter(changed):
    X, y = CHAIN.data()
    expected = CHAIN.classifier().fit(X, y)
    clf = CHAIN.classifier().fit(changed(X), y)
    assert_same_weights(clf, expected)
    np.testing.assert_array_equal(clf.decision_function(changed(X)), expected.decision_function(X))
    assert next(clf.module_.parameters()).dtype == torch.float32
    assert clf.predict_proba(X).dtype == np.float32


def test_double_precision_is_double_precision():
    X, y = CHAIN.data()
    clf = CHAIN.classifier(dtype="float64").fit(X, y)
    assert next(clf.module_.parameters()).dtype == torch.float64
    assert clf.decision_function(X).dtype == np.float64
    assert clf.dynamics_.loss.dtype == np.float32


@pytest.mark.parametrize("labels", [["a", "b"], [1, -1], [False, True]], ids=str)
@pytest.mark.parametrize("loss", ["log", "hinge"])
def test_two_classes_have_one_score(labels, loss):
    X, y = CHAIN.data()
    y = np.array(labels)[(y == "dog").astype(int)]
    clf = CHAIN.classifier(loss=loss, max_epochs=20, record=EVERYTHING).fit(X, y)
    values = clf.decision_function(X)
    assert values.shape == (61,)
    np.testing.assert_array_equal(clf.predict(X), np.where(values > 0, clf.classes_[1], clf.classes_[0]))
    with torch.no_grad():
        scores = clf.module_(torch.as_tensor(X)).numpy()
    np.testing.assert_allclose(values, scores[:, 1] - scores[:, 0], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.abs(clf.dynamics_.margin[:, -1]), np.abs(values), rtol=1e-5, atol=1e-6)
    assert accuracy_score(y, clf.predict(X)) > 0.8  # the sign is that of the labels
    assert all(stage.shape == (61,) for stage in clf.staged_decision_function(X))


def test_more_classes_have_a_score_each():
    X, y = CHAIN.data()
    clf = DynamicsClassifier(MLP((10,)), max_epochs=2).fit(X, y)
    assert clf.decision_function(X).shape == clf.predict_proba(X).shape == (61, 3)
    np.testing.assert_array_equal(clf.predict(X), clf.classes_[clf.decision_function(X).argmax(1)])
