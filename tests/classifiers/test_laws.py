"""The eight laws of the design, over networks with and without dropout, shuffling and batch normalisation."""

import functools

import numpy as np
import pytest
import torch

from tests.pairwise import for_each
from tests.problems import IDS, PROBLEMS, Problem

pytestmark = pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
EVERYTHING = ("samples", "geometry", "scores")


def weights(clf):
    return [value.clone() for value in clf.module_.state_dict().values()]


def assert_same_weights(a, b):
    assert all(torch.equal(u, v) for u, v in zip(weights(a), weights(b), strict=True))


def arrays(record):
    named = {name: getattr(record, name) for name in ("loss", "margin", "prediction", "scores")}
    for group in ("centroids", "weight_norms"):
        named |= {f"{group} {layer}": values for layer, values in getattr(record, group).items()}
    return {name: values for name, values in named.items() if values is not None}


def assert_same_record(a, b, epochs=slice(None)):
    assert arrays(a).keys() == arrays(b).keys()
    for name, values in arrays(a).items():
        per_sample = name in ("loss", "margin", "prediction", "scores")
        np.testing.assert_array_equal(
            values, arrays(b)[name][(slice(None), epochs) if per_sample else epochs], name
        )


@functools.cache
def recorded(problem):
    """A fit that is recorded whole; it is only read."""
    X_val, y_val = problem.data(20, seed=1)
    return problem.classifier(record=EVERYTHING).fit(*problem.data(), X_val=X_val, y_val=y_val)


def test_watching_changes_nothing(problem):
    X, y = problem.data()
    X_val, y_val = problem.data(20, seed=1)
    watched = problem.classifier(record=EVERYTHING).fit(X, y, X_val=X_val, y_val=y_val)
    alone = problem.classifier(record=(), snapshots=False).fit(X, y)
    assert_same_weights(watched, alone)
    assert watched.loss_curve_ == alone.loss_curve_


def test_a_recorded_epoch_is_as_if_fit_had_stopped_there(problem):
    X, y = problem.data()
    long = recorded(problem)
    for k in (1, 3):
        short = problem.classifier(record=EVERYTHING, max_epochs=k).fit(X, y)
        assert_same_record(short.dynamics_, long.dynamics_, slice(0, k + 1))
        assert_same_weights(short, long.at_epoch(k))


def test_the_last_epoch_is_the_fitted_model(problem):
    X, _ = problem.data()
    clf = recorded(problem)
    np.testing.assert_array_equal(clf.dynamics_.scores[:, -1], clf.decision_function(X).astype(np.float32))
    np.testing.assert_array_equal(clf.classes_[clf.dynamics_.prediction[:, -1]], clf.predict(X))


def test_one_seed_one_result_and_the_global_generators_as_they_were(problem):
    X, y = problem.data()
    torch.manual_seed(11)
    np.random.seed(11)
    expected = torch.rand(3), np.random.rand(3)
    torch.manual_seed(11)
    np.random.seed(11)
    first = problem.classifier().fit(X, y)
    assert torch.equal(torch.rand(3), expected[0])
    np.testing.assert_array_equal(np.random.rand(3), expected[1])
    second = problem.classifier().fit(X, y)
    assert_same_record(first.dynamics_, second.dynamics_)
    other = problem.classifier(random_state=4).fit(X, y)
    assert not np.array_equal(first.dynamics_.loss, other.dynamics_.loss)


def test_replay_is_memory(problem):
    X, y = problem.data()
    X_val, y_val = problem.data(20, seed=1)
    clf = recorded(problem)
    again = clf.replay(X, y)
    assert_same_record(again, clf.dynamics_)
    assert_same_record(clf.replay(X_val, y_val), clf.validation_dynamics_)
    np.testing.assert_array_equal(again.y, clf.dynamics_.y)


def test_weights_of_one_change_nothing(problem):
    X, y = problem.data()
    weighted, plain = (problem.classifier().fit(X, y, weight) for weight in (np.ones(len(X)), None))
    assert_same_record(weighted.dynamics_, plain.dynamics_)
    assert_same_weights(weighted, plain)


def test_a_weight_of_zero_removes_the_sample(problem):
    X, y = problem.data()
    kept = np.arange(len(X)) % 5 != 0
    weighted = problem.classifier().fit(X, y, sample_weight=kept.astype(float))
    removed = problem.classifier().fit(X[kept], y[kept])
    assert_same_weights(weighted, removed)
    # It is not trained on, but still watched.
    assert weighted.dynamics_.n_samples == len(X)
    np.testing.assert_allclose(weighted.dynamics_.loss[kept], removed.dynamics_.loss, rtol=1e-4, atol=1e-5)


def test_a_weight_of_two_repeats_the_sample(problem):
    if problem.name not in ("mlp", "mlp-tanh-in-order-float64", "linear-full-batch"):
        # Dropout draws anew for a repeated sample, and batch statistics count it twice: not so by construction.
        problem = Problem("mlp-float64", dtype="float64")
    X, y = problem.data()
    weight = np.where(np.arange(len(X)) % 3 == 0, 2, 1)
    weighted = problem.classifier(batch_size="full").fit(X, y, sample_weight=weight)
    repeated = problem.classifier(batch_size="full").fit(X.repeat(weight, axis=0), y.repeat(weight))
    for a, b in zip(weights(weighted), weights(repeated), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-8)


@for_each("names", [[-5, 2, 700], [0, 1, 2], ["10", "9", "x"], [0.0, 1.0, 7.0]])
def test_labels_are_names(problem, names):
    X, y = problem.data()
    renamed = np.sort(np.array(names))[np.searchsorted(["cat", "dog", "eel"], y)]
    clf, other = recorded(problem), problem.classifier(record=EVERYTHING).fit(X, renamed)
    assert_same_record(clf.dynamics_, other.dynamics_)
    np.testing.assert_array_equal(
        other.predict(X), other.classes_[np.searchsorted(clf.classes_, clf.predict(X))]
    )
    np.testing.assert_array_equal(other.dynamics_.y, renamed)


def test_booleans_are_labels_too(problem):
    X, y = problem.data()
    as_bool, as_string = (
        problem.classifier().fit(X, y == "dog"),
        problem.classifier().fit(X, (y == "dog").astype(str)),
    )
    assert as_bool.predict(X).dtype == bool
    assert_same_record(as_bool.dynamics_, as_string.dynamics_)


def test_order_is_the_users(problem):
    X, y = problem.data()
    clf = recorded(problem)
    for e, scores in enumerate(clf.staged_decision_function(X)):
        np.testing.assert_allclose(clf.dynamics_.scores[:, e], scores, rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(clf.dynamics_.y, y)


@pytest.mark.parametrize("random_state", [3, None, np.random.RandomState(5)], ids=["number", "none", "state"])
def test_the_seed_of_a_record_repeats_the_fit(problem, random_state):
    X, y = problem.data()
    first = problem.classifier(random_state=random_state, validation_fraction=0.2).fit(X, y)
    again = problem.classifier(random_state=first.dynamics_.header["seed"], validation_fraction=0.2).fit(X, y)
    assert_same_weights(first, again)
    np.testing.assert_array_equal(first.train_indices_, again.train_indices_)
    for name in ("seed", "torch_seed"):
        assert first.dynamics_.header[name] == again.dynamics_.header[name]
        assert first.replay(X, y).header[name] == again.dynamics_.header[name]
