"""Records within an epoch obey the laws of records after one."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.dynamics import load_dynamics
from tests.problems import CHIEF, PROBLEMS

EVERYTHING = ("samples", "geometry", "scores")
STEPS = 4  # of 61 samples in batches of 16
batched_problems = pytest.mark.parametrize(
    "problem",
    [
        pytest.param(problem, id=problem.name, marks=() if problem.name in CHIEF else pytest.mark.slow)
        for problem in PROBLEMS
        if problem.batch_size == 16
    ],
)


def fit(problem, **changes):
    settings = {"max_epochs": 3, "record": EVERYTHING, "record_iterations": "all"} | changes
    return problem.classifier(**settings).fit(*problem.data())


def assert_same_weights(a, b):
    for name, value in a.module_.state_dict().items():
        assert torch.equal(value, b.module_.state_dict()[name])


@batched_problems
def test_watching_every_update_changes_nothing(problem):
    assert_same_weights(fit(problem), fit(problem, record_iterations=None, record=()))


@batched_problems
def test_after_a_whole_epoch_both_clocks_agree(problem):
    by_iteration, by_epoch = fit(problem).dynamics_, fit(problem, record_iterations=None).dynamics_
    np.testing.assert_array_equal(by_iteration.iterations, np.arange(3 * STEPS + 1))
    np.testing.assert_array_equal(by_iteration.epochs, np.arange(3 * STEPS + 1) / STEPS)
    np.testing.assert_array_equal(by_epoch.iterations, by_epoch.epochs * STEPS)
    chosen = by_iteration.select_epochs(by_epoch.epochs)
    for field in ("loss", "margin", "prediction", "scores"):
        np.testing.assert_array_equal(getattr(chosen, field), getattr(by_epoch, field))
    for layer, centroids in by_epoch.centroids.items():
        np.testing.assert_array_equal(chosen.centroids[layer], centroids)


@batched_problems
def test_a_look_is_the_network_as_of_that_update(problem):
    clf = fit(problem)
    X, y = problem.data()
    for epoch in clf.dynamics_.epochs[[1, 6]]:
        scores = torch.tensor(clf.dynamics_.select_epochs(epoch).scores[:, 0])
        with torch.no_grad():
            again = clf.at_epoch(epoch).module_.eval()(torch.as_tensor(X)).float()
        torch.testing.assert_close(again, scores, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(clf.replay(X, y).scores, clf.dynamics_.scores, rtol=1e-4, atol=1e-5)


def test_the_first_updates_are_those_of_a_loop_by_hand():
    X, y = PROBLEMS[0].data()
    clf = (
        PROBLEMS[0]
        .classifier(max_epochs=1, shuffle=False, optimizer="sgd", lr=0.1, record_iterations="all")
        .fit(X, y)
    )
    module = clf.at_epoch(0).module_
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    target = torch.as_tensor(np.searchsorted(clf.classes_, y))
    for step, rows in enumerate(torch.arange(len(X)).split(16), start=1):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module.train()(torch.as_tensor(X)[rows]), target[rows]).backward()
        optimizer.step()
        recorded = clf.at_epoch(clf.dynamics_.epochs[step]).module_.state_dict()
        for name, value in module.state_dict().items():
            torch.testing.assert_close(recorded[name], value)


@pytest.mark.parametrize(
    ("iterations", "expected"),
    [("log", [0, 1, 2, 4, 8]), (5, [0, 5, 10]), ([3, 12, 99], [3, 12]), (lambda i: i in (2, 4), [2, 4])],
)
def test_when_to_look(iterations, expected):
    clf = fit(PROBLEMS[0], record_iterations=iterations)
    for record in (clf.dynamics_, clf.replay(*PROBLEMS[0].data())):
        assert record.iterations.tolist() == expected
        np.testing.assert_array_equal(record.epochs, np.array(expected) / STEPS)
    assert len(clf.dynamics_.header["seconds_per_epoch"]) == len(expected)


class WatchBatches(Callback):
    """Has every batch handed out."""

    def on_batch_end(self, net, **kwargs):
        """Do nothing."""


@batched_problems
def test_the_loop_over_batches_is_looked_at_alike(problem):
    plain, watched = fit(problem), fit(problem, callbacks=[WatchBatches()])
    np.testing.assert_array_equal(watched.dynamics_.iterations, plain.dynamics_.iterations)
    np.testing.assert_allclose(watched.dynamics_.scores, plain.dynamics_.scores, rtol=1e-4, atol=1e-5)


def test_validation_samples_are_looked_at_too():
    X, y = PROBLEMS[0].data()
    clf = PROBLEMS[0].classifier(max_epochs=2, record_iterations="log").fit(X, y, X_val=X[:9], y_val=y[:9])
    assert clf.validation_dynamics_.iterations.tolist() == [0, 1, 2, 4, 8]
    np.testing.assert_allclose(clf.validation_dynamics_.loss, clf.dynamics_[:9].loss, rtol=1e-5)
    assert len(clf.validation_scores_) == 2


def test_epoch_by_epoch_is_all_at_once():
    X, y = PROBLEMS[0].data()
    at_once = fit(PROBLEMS[0]).dynamics_
    clf = PROBLEMS[0].classifier(record=EVERYTHING, record_iterations="all")
    for _ in range(3):
        clf.partial_fit(X, y)
    np.testing.assert_array_equal(clf.dynamics_.iterations, at_once.iterations)
    np.testing.assert_array_equal(clf.dynamics_.scores, at_once.scores)


class Interrupt(Callback):
    """Ctrl-C in the middle of the second epoch."""

    def on_batch_end(self, net, **kwargs):
        """At its third batch."""
        if len(net.history) == 2 and len(net.history[-1]["batches"]) == 3:
            raise KeyboardInterrupt


def test_an_interrupted_epoch_leaves_no_looks():
    with pytest.warns(UserWarning, match="interrupted in epoch 2"):
        clf = fit(PROBLEMS[0], callbacks=[Interrupt()])
    whole = fit(PROBLEMS[0], max_epochs=1)
    np.testing.assert_array_equal(clf.dynamics_.epochs, whole.dynamics_.epochs)
    np.testing.assert_allclose(clf.dynamics_.scores, whole.dynamics_.scores, rtol=1e-5, atol=1e-6)
    assert clf.replay(*PROBLEMS[0].data()).n_epochs == STEPS + 1


def test_trained_together_they_are_as_their_own_fits():
    X, y = PROBLEMS[0].data()
    own = [fit(PROBLEMS[0], random_state=seed) for seed in (0, 1)]
    together = fit_together(
        [
            PROBLEMS[0].classifier(max_epochs=3, record=EVERYTHING, record_iterations="all", random_state=s)
            for s in (0, 1)
        ],
        X,
        y,
    )
    for a, b in zip(own, together, strict=True):
        np.testing.assert_array_equal(a.dynamics_.iterations, b.dynamics_.iterations)
        np.testing.assert_allclose(a.dynamics_.scores, b.dynamics_.scores, rtol=1e-4, atol=1e-5)


def test_a_record_of_fractions_is_saved_and_loaded(tmp_path):
    record = fit(PROBLEMS[0]).dynamics_
    record.save(tmp_path / "record.safetensors")
    again = load_dynamics(tmp_path / "record.safetensors")
    np.testing.assert_array_equal(again.epochs, record.epochs)
    np.testing.assert_array_equal(again.iterations, record.iterations)
    assert again.until(0.5).epochs.tolist() == [0, 0.25, 0.5]


def test_a_model_of_a_fraction_knows_its_past():
    clf = fit(PROBLEMS[0])
    earlier = clf.at_epoch(1.5)
    assert earlier.n_iter_ == 1
    assert earlier.dynamics_.iterations.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert earlier.replay(*PROBLEMS[0].data()).iterations.tolist() == [0, 1, 2, 3, 4, 5, 6]


def test_a_warm_start_records_its_own_end_too():
    clf = PROBLEMS[0].classifier(max_epochs=3, warm_start=True, record=("samples", "probe"))
    for _ in range(2):
        clf.fit(*PROBLEMS[0].data())
    assert clf.dynamics_.iterations.tolist() == [0, 1, 2, 4, 8, 12, 16, 24]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"record": ("samples",)}, [0, 4, 8, 12]),
        ({"record": ("samples", "gradients")}, [0, 4, 8, 12]),
        ({"record": ("samples", "reconstruction")}, [0, 1, 2, 4, 8, 12]),
        ({"record": ("samples", "probe")}, [0, 1, 2, 4, 8, 12]),
        ({"record": ("samples", "probe"), "max_epochs": 2}, [0, 1, 2, 4, 8]),
        ({"record": ("samples", "probe"), "record_iterations": "log"}, [0, 1, 2, 4, 8]),
        ({"record": ("samples", "probe"), "record_iterations": None}, [0, 4, 8, 12]),
        ({"record": ("samples", "probe"), "record_epochs": 2}, [0, 8]),
    ],
    ids=str,
)
def test_where_layers_are_decoded_powers_of_two_and_the_end_are_the_default(changes, expected):
    assert (
        PROBLEMS[0]
        .classifier(**({"max_epochs": 3} | changes))
        .fit(*PROBLEMS[0].data())
        .dynamics_.iterations.tolist()
        == expected
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"record_iterations": "often"},
            r'record_iterations must be None, "auto", "all", "log", a positive step, a list of iterations',
        ),
        ({"record_iterations": 0}, r"a callable of the iteration, got 0"),
        (
            {"record_iterations": "log", "record_epochs": 2},
            r"Give record_epochs or record_iterations, not both",
        ),
        ({"record_iterations": lambda: True}, r"record_iterations cannot be called with an iteration"),
    ],
)
def test_what_is_no_time_is_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        DynamicsClassifier(**changes).fit(*PROBLEMS[0].data())
