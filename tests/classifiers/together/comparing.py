"""What it means that a fit among others is what its own ``fit`` would have made."""

import pickle

import numpy as np
import torch

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.modules import MLP
from tests.classifiers.test_laws import arrays

# Of the greatest magnitude of what is compared: rounding, and what a few epochs of training make of it.
BOUNDS = {"float32": 1e-4, "float64": 1e-9}
OF_RECORDS = {"float32": 1e-4, "float64": 1e-6}  # which are kept in float32
EVERYTHING = ("samples", "geometry", "scores")


def small(**changes):
    """A chain of linear layers of four epochs, five batches each, the last one shorter."""
    settings = {"batch_size": 16, "max_epochs": 4, "lr": 0.01, "random_state": 3}
    return DynamicsClassifier(**{"module": MLP((10,)), **settings, **changes})


class Refuses(torch.nn.Module):
    """Cross-entropy that fails once a score is large, whoever asks and as often as it is asked."""

    def __init__(self, limit, reduction="mean"):
        super().__init__()
        self.limit, self.reduction = limit, reduction

    def forward(self, scores, target):
        if scores.detach().abs().max() > self.limit:
            raise OverflowError(f"a score beyond {self.limit}")
        return torch.nn.functional.cross_entropy(scores, target, reduction=self.reduction)


def of_each(values, i):
    """The ``i``-th estimator's own, of one for all or a list of one for each."""
    return values[i] if isinstance(values, list) else values


def fit_both(make, X, y, *, sample_weight=None, indices=None, **given):
    """Two lists of what ``make()`` gives: trained together, and each by its own ``fit``."""
    together, alone = make(), make()
    memory_limit = given.pop("memory_limit", None)
    fit_together(
        together, X, y, sample_weight=sample_weight, indices=indices, memory_limit=memory_limit, **given
    )
    for i, clf in enumerate(alone):
        own = X, of_each(y, i), of_each(sample_weight, i)
        if indices is not None:
            own = [values if values is None else values[indices[i]] for values in own]
        clf.fit(*own, **given)
    return together, alone


def assert_close(a, b, bound, name=""):
    """Equal but for ``bound`` of the greatest magnitude, with nan where the other has nan."""
    a, b = np.asarray(a), np.asarray(b)
    assert a.shape == b.shape, name
    if b.size:  # a bound of zero: to the last bit
        scale = float(np.nanmax(np.abs(b), initial=0))
        np.testing.assert_allclose(a, b, rtol=bound, atol=bound * scale + 1e-30, err_msg=name)


def assert_as_its_own_fit(clf, own, X, y, bound=None):
    """``clf``, trained among others, is ``own``, trained by itself; in all that can be seen."""
    bound = bound or BOUNDS[own.dtype]
    assert set(vars(clf)) == set(vars(own))
    assert set(vars(clf.net_)) == set(vars(own.net_))
    assert not clf.module_.training
    assert clf.n_iter_ == own.n_iter_
    for name in ("classes_", "train_indices_", "validation_indices_", "best_epoch_", "feature_names_in_"):
        np.testing.assert_array_equal(getattr(clf, name, None), getattr(own, name, None), name)
    assert_close(clf.loss_curve_, own.loss_curve_, bound, "loss_curve_")
    assert_same_histories(clf.net_.history, own.net_.history, bound)
    assert_same_random_numbers(clf, own)
    assert_same_states(clf.module_.state_dict(), own.module_.state_dict(), bound)
    assert_same_optimizers(clf.net_, own.net_, bound)
    for name in ("dynamics_", "validation_dynamics_"):
        if hasattr(own, name):
            assert_same_records(getattr(clf, name), getattr(own, name), bound)
    if hasattr(own, "validation_scores_"):
        assert_close(clf.validation_scores_, own.validation_scores_, 1e-12, "validation_scores_")
    if own.snapshots and own._state.is_whole:  # else no epoch is gone back to
        assert_same_snapshots(clf, own, X, y, bound)
    assert_same_decisions(clf, own, X, bound)


def assert_same_decisions(clf, own, X, bound):
    scores, own_scores = clf.decision_function(X), own.decision_function(X)
    assert_close(scores, own_scores, 10 * bound, "decision_function")
    if scores.ndim == 1:
        sure = np.abs(own_scores) > 20 * bound * np.abs(own_scores).max()
    else:
        first, second = np.sort(own_scores)[:, :-3:-1].T
        sure = first - second > 20 * bound * np.abs(own_scores).max()
    np.testing.assert_array_equal(clf.predict(X)[sure], own.predict(X)[sure])


def assert_same_histories(history, own, bound):
    for line, own_line in zip(history, own, strict=True):
        assert set(line) == set(own_line)
        assert line["epoch"] == own_line["epoch"]
        assert [set(batch) for batch in line["batches"]] == [set(batch) for batch in own_line["batches"]]
        for name in ("train_loss", "valid_loss"):
            assert_close(line.get(name, 0), own_line.get(name, 0), bound, name)


def assert_same_random_numbers(clf, own):
    """Those that the next epoch would draw, to the last bit."""
    for name in ("shuffling", "randomness"):
        (torch_state, _, numpy_state), (own_torch, _, own_numpy) = (
            getattr(one._state, name).states for one in (clf, own)
        )
        assert torch.equal(torch_state, own_torch), name
        for value, own_value in zip(numpy_state, own_numpy, strict=True):
            np.testing.assert_array_equal(value, own_value)


def assert_same_states(states, own, bound):
    assert list(states) == list(own)
    for name, values in own.items():
        assert states[name].dtype == values.dtype
        assert_close(states[name], values, bound, name)


def assert_same_optimizers(net, own, bound):
    """The same state of the same parameters, so that training can go on."""
    assert type(net.optimizer_) is type(own.optimizer_)
    settings, own_settings = (
        [{k: v for k, v in group.items() if k != "params"} for group in one.optimizer_.param_groups]
        for one in (net, own)
    )
    assert settings == own_settings
    parameters, own_parameters = (list(one.module_.parameters()) for one in (net, own))
    assert set(net.optimizer_.state) <= set(parameters)
    for parameter, own_parameter in zip(parameters, own_parameters, strict=True):
        state, own_state = net.optimizer_.state.get(parameter), own.optimizer_.state.get(own_parameter)
        assert (state is None) == (own_state is None)
        if state is None:
            continue
        assert set(state) == set(own_state)
        for name, value in own_state.items():
            assert type(state[name]) is type(value), name
            if torch.is_tensor(value):
                assert state[name].dtype == value.dtype
                assert_close(state[name], value, 0 if name == "step" else 10 * bound, name)


def assert_same_records(record, own, bound):
    """Every field; a prediction may differ where the margin is nothing but rounding."""
    bound = max(bound, OF_RECORDS["float64"])
    np.testing.assert_array_equal(record.y, own.y)
    np.testing.assert_array_equal(record.classes, own.classes)
    np.testing.assert_array_equal(record.epochs, own.epochs)
    assert list(record.header) == list(own.header)
    for name in set(own.header) - {"seconds_per_epoch"}:
        assert record.header[name] == own.header[name]
    assert len(record.header["seconds_per_epoch"]) == len(own.header["seconds_per_epoch"])
    values, own_values = arrays(record), arrays(own)
    assert list(values) == list(own_values)
    for name, expected in own_values.items():
        assert values[name].dtype == expected.dtype
        if name != "prediction":
            assert_close(values[name], expected, bound, name)
    if "prediction" in own_values:
        sure = np.abs(own.margin) > 10 * bound * np.abs(own.margin).max()
        np.testing.assert_array_equal(record.prediction[sure], own.prediction[sure])


def assert_same_snapshots(clf, own, X, y, bound):
    """Snapshots of all recorded epochs; the weights that training began with to the last bit."""
    assert clf._state.snapshots.epochs == own._state.snapshots.epochs
    if not own._state.snapshots.epochs:
        return
    epochs = own._state.snapshots.epochs
    states, own_states = clf._state.snapshots.stacked(epochs), own._state.snapshots.stacked(epochs)
    assert_same_states(states, own_states, bound)
    if epochs[0] == 0:
        assert all(torch.equal(states[name][0], values[0]) for name, values in own_states.items())
    staged = zip(clf.staged_decision_function(X), own.staged_decision_function(X), strict=True)
    for scores, own_scores in staged:
        assert_close(scores, own_scores, 10 * bound)


def assert_equal_bitwise(clf, other):
    """Not only up to rounding."""
    kept = [one._state.snapshots for one in (clf, other)]
    for states in (
        [one.module_.state_dict() for one in (clf, other)],
        [snapshots.stacked(snapshots.epochs) for snapshots in kept],
    ):
        assert all(torch.equal(value, states[1][key]) for key, value in states[0].items())
    values, others = arrays(clf.dynamics_), arrays(other.dynamics_)
    assert list(values) == list(others)
    for name, expected in others.items():
        np.testing.assert_array_equal(values[name], expected, name)
    assert clf.loss_curve_ == other.loss_curve_
    assert_same_random_numbers(clf, other)


def pickled(clf):
    """The bytes of a pickle, and what comes out of it."""
    text = pickle.dumps(clf)
    return len(text), pickle.loads(text)
