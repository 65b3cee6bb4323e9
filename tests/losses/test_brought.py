"""Losses of any making: trained as they are meant, what was given left alone, recorded as they were."""

import copy
import functools
import threading

import numpy as np
import pytest
import torch
from sklearn.datasets import load_iris
from skorch import NeuralNetClassifier

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier, fit_together
from sklearn_nndyn.losses import get_loss
from sklearn_nndyn.recording import Reconstruction, RecordDynamics
from tests.losses.brought import (
    BROUGHT,
    HEEDLESS,
    LEARNED,
    RANDOM,
    STATEFUL,
    STILL,
    WITH_TENSORS,
    CostMatrix,
    Subclass,
    Temperature,
    each,
    forgetful,
)
from tests.pairwise import pairwise

X, Y = load_iris(return_X_y=True)
SETTINGS = {"max_epochs": 3, "lr": 0.01, "random_state": 0}


def over(losses):
    return pytest.mark.parametrize("make", losses.values(), ids=losses)


def other_network(shape, n_classes):
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.LayerNorm(8), torch.nn.Linear(8, n_classes))


NETWORKS = {"MLP": None, "another network": other_network}
networks = pytest.mark.parametrize("module", NETWORKS.values(), ids=NETWORKS)
batches = pytest.mark.parametrize("batch_size", [50, "full"])


def fit(loss, **changes):
    return DynamicsClassifier(loss=loss, **(SETTINGS | changes)).fit(X, Y)


@functools.cache
def fitted(make, module):
    """A fit that is only read."""
    return fit(make(), module=module, batch_size=50)


def weights(clf):
    return [value.clone() for part in (clf.module_, clf.loss_) for value in part.state_dict().values()]


def assert_equal(one, other):
    assert len(one) == len(other)
    assert all(map(torch.equal, one, other))


def state_of(loss):
    """All tensors that can be reached in what was given."""
    if isinstance(loss, torch.nn.Module):
        return {name: value.clone() for name, value in loss.state_dict().items()} | {
            "training": loss.training
        }
    return copy.deepcopy(vars(loss)) if hasattr(loss, "weight") else {}


def global_generators():
    return [torch.get_rng_state(), torch.tensor(np.random.get_state()[1].astype(np.int64))]  # noqa: NPY002


# --------------------------------------------------------------------------------- laws of a fit


@pairwise(make=BROUGHT | HEEDLESS, module=NETWORKS, batch_size={"50": 50, "full": "full"})
def test_one_seed_gives_one_result_recorded_or_not_and_nothing_else_is_changed(make, module, batch_size):
    given, labels = make(), Y.copy()
    before, generators = copy.deepcopy(state_of(given)), global_generators()
    first = fit(given, module=module, batch_size=batch_size)
    assert_equal(global_generators(), generators)
    torch.rand(7), np.random.rand(7)  # noqa: NPY002
    bare = fit(given, module=module, batch_size=batch_size, record=(), snapshots=False)
    assert_equal(weights(first), weights(bare))
    assert first.loss_curve_ == bare.loss_curve_
    np.testing.assert_array_equal(first.dynamics_.y, labels)
    after = state_of(given)
    assert after.keys() == before.keys()
    assert all(torch.equal(torch.as_tensor(after[name]), torch.as_tensor(before[name])) for name in before)


@networks
@over(BROUGHT)
def test_replay_is_memory(make, module):
    clf = fitted(make, module)
    again = clf.replay(X, Y)
    assert again.fields == clf.dynamics_.fields
    for name in ("loss", "margin", "prediction", "probability"):
        if getattr(again, name) is not None:
            np.testing.assert_allclose(
                getattr(again, name), getattr(clf.dynamics_, name), rtol=1e-5, atol=1e-5, err_msg=name
            )


@networks
@over(BROUGHT)
def test_what_is_recorded_is_the_loss_in_evaluation_mode(make, module):
    """At the end by hand, by the trained loss on the scores of the trained network; for random ones on average."""
    clf = fitted(make, module)
    assert not clf.loss_.training
    scores = torch.tensor(clf.replay(X, Y, record=("scores",), epochs=[-1]).scores[:, 0])
    with torch.no_grad():
        values = clf.loss_.per_sample(scores, torch.tensor(Y)).numpy()
    if make not in RANDOM.values() or make is RANDOM["dropout"]:
        np.testing.assert_allclose(clf.dynamics_.loss[:, -1], values, rtol=1e-5, atol=1e-6)


@over(BROUGHT)
def test_together_is_alone(make):
    fits = [
        DynamicsClassifier(loss=make(), batch_size=50, **(SETTINGS | {"random_state": i})) for i in (0, 1, 0)
    ]
    together = fit_together(fits, X, Y)
    for clf in together:
        one = clf.random_state
        alone = fit(make(), batch_size=50, random_state=one) if one else fitted(make, None)
        np.testing.assert_allclose(clf.dynamics_.loss, alone.dynamics_.loss, rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(clf.loss_curve_, alone.loss_curve_, rtol=1e-4)
    assert_equal(weights(together[0]), weights(together[2]))


@over(BROUGHT)
def test_no_two_fits_share_a_tensor(make):
    given = make()
    fits = [DynamicsClassifier(loss=given, batch_size=50, **SETTINGS) for _ in range(2)]
    fits = [*fit_together(fits, X, Y), fit(given, batch_size=50)]
    held = [{value.data_ptr() for value in clf.loss_.state_dict().values()} for clf in fits]
    held.append({value.data_ptr() for value in getattr(given, "state_dict", dict)().values()})
    assert sum(map(len, held)) == len(set().union(*held))


@over(
    {
        name: BROUGHT[name]
        for name in ("weights of cross-entropy", "a closure in double precision", "a temperature")
    }
)
def test_a_search_takes_them(make):
    search = BatchedGridSearchCV(DynamicsClassifier(loss=make(), **SETTINGS), {"lr": [0.01, 0.02]}, cv=2).fit(
        X, Y
    )
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


# ------------------------------------------------------------------------------ tensors of its own


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@batches
@over(WITH_TENSORS)
def test_the_loss_of_the_first_epoch_is_that_of_the_first_weights(make, batch_size, dtype):
    """In a full batch no update comes before it."""
    clf = fit(make(), batch_size=batch_size, dtype=dtype)
    assert np.isfinite(clf.loss_curve_).all()
    if batch_size == "full":
        assert clf.loss_curve_[0] == pytest.approx(clf.dynamics_.loss[:, 0].astype(float).mean(), rel=1e-5)
    assert clf.module_[0].weight.dtype == getattr(torch, dtype)


def test_class_weights_are_what_they_are_in_any_form():
    forms = (
        "weights of cross-entropy",
        "a partial",
        "a callable object",
        "a closure in single precision",
        "a subclass",
    )
    curves = [fit(BROUGHT[form](), batch_size=50).loss_curve_ for form in forms]
    for curve in curves[1:]:
        np.testing.assert_allclose(curve, curves[0], rtol=1e-5)


# --------------------------------------------------------------------------------------- learned


@batches
@networks
@over(LEARNED)
def test_a_learned_loss_is_trained_as_by_skorch(make, module, batch_size):
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
    settings = {"lr": 0.05, "batch_size": 150 if batch_size == "full" else 50}
    clf = DynamicsClassifier(
        network, loss=make(), max_epochs=4, shuffle=False, optimizer="sgd", **settings
    ).fit(X, Y)
    net = NeuralNetClassifier(
        copy.deepcopy(network),
        criterion=lambda: AsModule(make()),
        max_epochs=4,
        train_split=None,
        verbose=0,
        iterator_train__shuffle=False,
        **settings,
    ).fit(X.astype(np.float32), Y)
    for (name, ours), theirs in zip(
        clf.loss_.loss.named_parameters(), net.criterion_.loss.parameters(), strict=True
    ):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
        assert not torch.equal(ours, dict(make().named_parameters())[name])
    torch.testing.assert_close(
        clf.module_.state_dict()["0.weight"], net.module_.state_dict()["0.weight"], rtol=1e-4, atol=1e-5
    )


class AsModule(torch.nn.Module):
    """The mean of a loss's values."""

    def __init__(self, loss):
        super().__init__()
        self.loss = loss

    def forward(self, scores, target):
        return self.loss(scores, target).mean()


def test_a_frozen_parameter_stays_and_is_no_business_of_the_optimizer():
    clf = fit(Temperature().requires_grad_(False), batch_size=50, weight_decay=0.5)
    assert clf.loss_.loss.slope.item() == 1
    assert len(clf.net_.optimizer_.param_groups[0]["params"]) == len(list(clf.module_.parameters()))


def test_probabilities_are_those_of_the_temperature_as_of_each_epoch():
    clf = fit(Temperature(), batch_size=50, max_epochs=5)
    staged = np.stack(list(clf.staged_predict_proba(X)), axis=1)[np.arange(len(Y)), :, Y]
    np.testing.assert_allclose(clf.dynamics_.probability, staged, atol=1e-6)
    np.testing.assert_allclose(
        clf.at_epoch(2).predict_proba(X)[np.arange(len(Y)), Y], staged[:, 2], atol=1e-6
    )
    slopes = [clf.at_epoch(epoch).loss_.loss.slope.item() for epoch in range(6)]
    assert slopes[0] == 1
    assert len(set(slopes)) == 6


@pytest.mark.parametrize("monitor", ["valid_loss", "reconstruction"])
@over(LEARNED)
def test_early_stopping_restores_the_loss_of_the_best_epoch_too(make, monitor):
    record = ("samples", Reconstruction(layers=["linear1"])) if monitor == "reconstruction" else ("samples",)
    lr = 0.05 if monitor == "reconstruction" else 0.5
    options = {
        "early_stopping": True,
        "monitor": monitor,
        "n_iter_no_change": 2,
        "record_epochs": [*range(12)],
    }
    clf = DynamicsClassifier(
        loss=make(), batch_size=50, max_epochs=12, lr=lr, record=record, random_state=0, **options
    )
    clf.fit(X[::2], Y[::2], X_val=X[1::2], y_val=Y[1::2])
    assert clf.best_epoch_ < clf.n_iter_
    at_best = clf.replay(X, Y, epochs=[clf.best_epoch_]).loss[:, 0]
    with torch.no_grad():
        now = clf.loss_.per_sample(torch.tensor(clf.decision_function(X)), torch.tensor(Y))
    np.testing.assert_allclose(now, at_best, rtol=1e-5, atol=1e-6)


def test_an_epoch_that_is_undone_is_undone_for_the_loss():
    class Breaks(Temperature):
        calls = 0

        def forward(self, scores, target):
            Breaks.calls += self.training
            if Breaks.calls > 8:
                raise KeyboardInterrupt
            return super().forward(scores, target)

    with pytest.warns(UserWarning, match="interrupted in epoch 3"):
        clf = fit(Breaks(), batch_size=50, max_epochs=5)
    whole = fit(Temperature(), batch_size=50, max_epochs=2)
    assert_equal(weights(clf), weights(whole))


def test_warm_starts_go_on_with_the_loss():
    parts = DynamicsClassifier(
        loss=Temperature(), batch_size=50, warm_start=True, **(SETTINGS | {"max_epochs": 2})
    )
    parts.fit(X, Y).fit(X, Y)
    assert_equal(weights(parts), weights(fit(Temperature(), batch_size=50, max_epochs=4)))


# ---------------------------------------------------------------------- random, stateful, in place


@over(STATEFUL)
def test_what_a_loss_keeps_from_batch_to_batch_is_kept(make):
    clf = fit(make(), batch_size=50)
    held = clf.loss_.loss
    assert getattr(held, "batches", 9) == 9
    assert not torch.equal(getattr(held, "mean", torch.ones(1)), torch.zeros(3))
    assert make().state_dict() == {} or not make().mean.any()


@over(RANDOM)
def test_random_losses_follow_the_seed(make):
    curves = [fit(make(), batch_size=50, random_state=seed).loss_curve_ for seed in (0, 0, 1)]
    assert curves[0] == curves[1] != curves[2]


def test_in_training_a_loss_is_in_training_mode():
    modes = []

    def noted(loss):
        class Noted(torch.nn.Module):
            def forward(self, scores, target):
                modes.append((self.training, torch.is_grad_enabled()))
                return each(scores, target)

        return Noted()

    clf = fit(noted(None), batch_size=50)
    assert {training for training, _ in modes} == {True, False}
    modes.clear()
    clf.replay(X, Y)
    assert not any(training for training, _ in modes)


@networks
@over({name: STILL[name] for name in ("writing into the scores", "writing into the target")})
def test_what_a_loss_writes_reaches_neither_record_nor_labels(make, module):
    found = fit(make(), module=module, batch_size=50, record=("samples", "scores"))
    plain = {
        "writing into the scores": lambda scores, target: each(2 * scores, target),
        "writing into the target": lambda scores, target: forgetful(scores, target.clone()),
    }
    (name,) = (name for name in plain if STILL[name] is make)
    expected = fit(plain[name], module=module, batch_size=50, record=("samples", "scores"))
    np.testing.assert_array_equal(found.dynamics_.scores, expected.dynamics_.scores)
    np.testing.assert_array_equal(found.dynamics_.margin, expected.dynamics_.margin)
    np.testing.assert_allclose(found.dynamics_.loss, expected.dynamics_.loss, rtol=1e-6)


class Writes(Subclass):
    def per_sample(self, scores, target):
        return super().per_sample(scores.mul_(2), target)


class Relabels(Subclass):
    def per_sample(self, scores, target):
        values = super().per_sample(scores, target)
        target.zero_()
        return values


@pytest.mark.parametrize(("kind", "what"), [(Writes, "scores"), (Relabels, "target")])
def test_a_loss_of_our_contract_that_writes_into_what_it_is_given_is_refused(kind, what):
    message = rf"^loss {kind.__name__} writes into the {what} it is given: let it work on a copy, {what}\.clone\(\)\.$"
    with pytest.raises(ValueError, match=message):
        fit(kind(), module=other_network)


def test_a_loss_that_cannot_be_copied_is_refused_in_words():
    class Locked(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lock = threading.Lock()

        def forward(self, scores, target):
            return each(scores, target)

    with pytest.raises(
        ValueError, match=r"^loss: each fit trains a copy, and CustomLoss cannot be copied \("
    ):
        fit(Locked())


# ----------------------------------------------------------------------------- nets of other makers


@over(
    {
        name: BROUGHT[name]
        for name in ("a buffer", "a temperature", "a running mean", "another value in training")
    }
)
def test_a_skorch_net_is_recorded_with_its_criterion_in_evaluation_mode(make):
    net = NeuralNetClassifier(
        torch.nn.Linear(4, 3),
        criterion=lambda: AsModule(make()),
        max_epochs=3,
        train_split=None,
        verbose=0,
        callbacks=[RecordDynamics(loss=make())],
    ).fit(X.astype(np.float32), Y)
    expected = get_loss(make()).eval().per_sample(net.forward(X.astype(np.float32)), torch.tensor(Y))
    np.testing.assert_allclose(net.dynamics_.loss[:, -1], expected.detach(), rtol=1e-5)


def test_a_cost_matrix_is_on_the_device_and_in_the_precision_of_the_network():
    clf = fit(CostMatrix(), dtype="float64")
    assert clf.loss_.loss.cost.dtype == torch.float64
