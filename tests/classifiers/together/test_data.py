"""Rows, labels, weights and records: of each estimator its own."""

import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import KFold

from sklearn_nndyn import fit_together
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.training.batches._cutting import Batches
from sklearn_nndyn.training.stacked._row_sampler import StackedLoader
from tests.classifiers.together.comparing import (
    EVERYTHING,
    assert_as_its_own_fit,
    assert_same_states,
    fit_both,
    small,
)
from tests.pairwise import some_of
from tests.problems import Problem

VECTORS = Problem("vectors")
X, Y = VECTORS.data()
X_VAL, Y_VAL = VECTORS.data(20, seed=1)
RNG = np.random.default_rng(0)


def three(**changes):
    own = [{"random_state": 0}, {"random_state": 1, "lr": 0.03}, {"random_state": 0, "loss": "tanimoto"}]
    return [small(**{"dtype": "float64", **settings, **changes}) for settings in own]


def check(make=three, rows=X, labels=Y, indices=None, bound=None, **given):
    """Compare with each one's own fit; the fitted ones, for more."""
    together, alone = fit_both(make, rows, labels, indices=indices, **given)
    for i, (clf, own) in enumerate(zip(together, alone, strict=True)):
        seen = rows if indices is None else rows[indices[i]]
        assert_as_its_own_fit(clf, own, seen, None, bound)
    return together


SIZES = {
    "folds-of-nearly-one-size": [train for train, _ in KFold(3).split(X)],
    "steps-differ": [np.arange(61), np.arange(20), np.arange(35)],
    "one-batch-and-many": [np.arange(10), np.arange(61), np.arange(33)],
    "masks": [np.arange(61) % k > 0 for k in (2, 3, 5)],
    "repeated-rows": [RNG.integers(0, 61, 40), RNG.integers(0, 61, 70), RNG.integers(0, 61, 5 * 16)],
    "negative": [np.arange(-40, 0), np.arange(-60, -1), np.arange(-61, 0)],
    "others-order": [np.arange(61)[::-1], RNG.permutation(61), np.arange(61)],
    "lists": [list(range(30)), list(range(20, 60)), list(range(61))],
}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


# By default each kind of rows meets batches of 16; "auto" is one batch of less than 200 rows, 1 one of one row.
DEFAULT = (
    ("steps-differ", "full"),
    ("steps-differ", "auto"),
    ("steps-differ", 1),
    ("folds-of-nearly-one-size", "full"),
    ("masks", "full"),
)


@pytest.mark.parametrize(
    ("indices", "batch_size"),
    [
        pytest.param(
            rows,
            size,
            id=f"{name}-{size}",
            marks=() if size == 16 or (name, size) in DEFAULT else pytest.mark.slow,
        )
        for name, rows in SIZES.items()
        for size in (16, "full", "auto", 1)
    ],
)
def test_each_on_its_own_rows(indices, batch_size, programs):
    check(lambda: three(batch_size=batch_size), indices=indices, X_val=X_VAL, y_val=Y_VAL)
    assert sum(programs) == 3


def test_a_fold_may_lack_a_class():
    rows = [np.flatnonzero(Y != "eel"), np.arange(61), np.flatnonzero(Y != "cat")]
    fitted = check(indices=rows)
    assert [len(clf.classes_) for clf in fitted] == [2, 3, 2]


def test_labels_of_each_one_as_vectors_or_as_one_array(rng):
    labels = [Y, rng.permutation(Y), np.where(np.arange(61) % 7 == 0, "eel", Y)]
    fitted = check(labels=labels)
    for clf, own in zip(fitted, labels, strict=True):
        np.testing.assert_array_equal(clf.dynamics_.y, own)
    for given in (np.stack(labels), tuple(labels), [own.tolist() for own in labels]):
        for clf, other in zip(fit_together(three(), X, given), fitted, strict=True):
            assert_same_states(clf.module_.state_dict(), other.module_.state_dict(), 0)


@pytest.mark.parametrize("names", [[-5, 2, 700], ["10", "9", "x"], [0.0, 1.0, 7.0]], ids=str)
def test_labels_are_names(names):
    renamed = np.sort(np.array(names))[np.searchsorted(["cat", "dog", "eel"], Y)]
    for clf, other in zip(check(labels=renamed), fit_together(three(), X, Y), strict=True):
        assert_same_states(clf.module_.state_dict(), other.module_.state_dict(), 0)
        np.testing.assert_array_equal(clf.classes_, np.sort(names))


def test_two_classes():
    fitted = check(labels=Y == "dog")
    assert fitted[0].decision_function(X).shape == (61,)


def test_weights_of_all_and_of_each(rng):
    weights = [rng.integers(0, 3, 61), rng.random(61), np.ones(61)]
    check(sample_weight=weights)
    check(sample_weight=weights[1])
    check(sample_weight=[None, weights[1], None])
    rows = [np.arange(50), np.arange(61), np.arange(10, 40)]
    check(sample_weight=weights, indices=rows)


def test_a_weight_of_zero_removes_the_sample():
    kept = np.arange(61) % 3 > 0
    weighted = fit_together(three(), X, Y, sample_weight=kept.astype(float))
    removed = fit_together(three(), X[kept], Y[kept])
    for clf, other in zip(weighted, removed, strict=True):
        assert_same_states(clf.module_.state_dict(), other.module_.state_dict(), 1e-9)
        assert clf.dynamics_.n_samples == 61


def test_class_weights_of_some(rng):
    def make():
        return [
            small(dtype="float64", class_weight=own, random_state=s)
            for s, own in enumerate([None, "balanced", {"cat": 3.0, "eel": 0.5}, None])
        ]

    check(make)
    check(make, sample_weight=rng.integers(0, 3, 61))


@pytest.mark.parametrize(
    ("dtype", "n"),
    some_of(
        [*itertools.product(("float32", "float64"), (40, 190, 230))],
        [("float32", 40), ("float64", 190), ("float32", 230)],
    ),
)
def test_full_batches_which_up_to_200_rows_are_summed_in_double_precision(n, dtype, programs, rng):
    rows, labels = VECTORS.data(n)
    check(lambda: three(dtype=dtype, batch_size="full", record=EVERYTHING), rows, labels)
    check(lambda: three(dtype=dtype, batch_size=n + 5), rows, labels, sample_weight=rng.random(n))
    assert programs == [3, 3]


def test_full_batches_of_different_precision_do_not_share_a_program(programs):
    """Up to 200 rows, and more."""
    rows, labels = VECTORS.data(230)
    chosen = [np.arange(150), np.arange(230), np.arange(140), np.arange(220)]
    made = fit_both(
        lambda: [small(batch_size="full", random_state=s) for s in range(4)], rows, labels, indices=chosen
    )
    for clf, own, seen in zip(*made, chosen, strict=True):
        assert_as_its_own_fit(clf, own, rows[seen], None, 1e-5)
    assert programs == [2, 2]


def odd(epoch):
    """A schedule that is a callable."""
    return epoch % 2 == 1


EPOCHS = ("all", "log", 3, (0, 3), (2,), odd)
RECORDS = ((), ("samples",), ("geometry",), ("scores",), EVERYTHING)


@pytest.mark.parametrize(
    ("record", "epochs", "snapshots"),
    some_of(
        [*itertools.product(RECORDS, EPOCHS, (True, False))],
        [
            *((record, "all", True) for record in RECORDS),
            *((EVERYTHING, epochs, False) for epochs in EPOCHS),
            ((), "log", False),
            (("samples",), odd, True),
        ],
    ),
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_whatever_is_recorded_and_when(record, epochs, snapshots, programs):
    changes = {"record": record, "record_epochs": epochs, "snapshots": snapshots, "max_epochs": 5}
    fitted = check(lambda: three(**changes), X_val=X_VAL, y_val=Y_VAL)
    assert programs == [3]
    assert len(fitted[0].validation_scores_) == 5
    assert hasattr(fitted[0], "validation_dynamics_") == (len(record) > 0)


def test_held_out_samples_are_each_ones_own():
    fitted = check(lambda: three(validation_fraction=0.3))
    assert not np.array_equal(fitted[0].train_indices_, fitted[1].train_indices_)
    np.testing.assert_array_equal(fitted[0].train_indices_, fitted[2].train_indices_)


def test_data_frames_give_names():
    frame = pd.DataFrame(X, columns=[f"column {i}" for i in range(16)])
    series = pd.Series(Y, index=np.arange(61) + 1000)
    together = fit_together(three(), frame, series, indices=[np.arange(40), np.arange(61), np.arange(5, 61)])
    for clf, rows in zip(together, [slice(40), slice(61), slice(5, 61)], strict=True):
        own = clone(clf).fit(frame.iloc[rows], series.iloc[rows])
        assert_as_its_own_fit(clf, own, frame, Y)
        np.testing.assert_array_equal(clf.feature_names_in_, frame.columns)
    plain = fit_together(three(), X, Y)
    assert not any(hasattr(clf, "feature_names_in_") for clf in plain)


def test_lists_are_data_too():
    for clf, other in zip(
        fit_together(three(), X.tolist(), Y.tolist()), fit_together(three(), X, Y), strict=True
    ):
        assert_same_states(clf.module_.state_dict(), other.module_.state_dict(), 0)


def test_data_are_not_written_to(rng):
    rows, labels, weights = X.copy(), Y.copy(), rng.random(61)
    for array in (rows, labels, weights):
        array.setflags(write=False)
    for batch_size in (16, "full"):
        fit_together(three(batch_size=batch_size), rows, labels, sample_weight=weights)
    np.testing.assert_array_equal(rows, X)


# Batches


class Batch:
    """The rows, targets and weights that one network is given at one step, in order."""

    @staticmethod
    def of_one(x, y, weight):
        return [] if weight is None else weight.tolist(), y.tolist(), x.flatten(1)[:, 0].tolist()


@pytest.fixture
def given(monkeypatch):
    """{seed: [batch]} of fits by themselves, and {program: {member: [batch]}}"""
    alone, together = [], []
    by_itself, side_by_side = Batches.__call__, StackedLoader.__call__

    def watched(self, order):
        for x, y, weight in by_itself(self, order):
            alone.append(Batch.of_one(x, y, weight))
            yield x, y, weight

    def watched_stack(self):
        for cuts in side_by_side(self):
            for members, x, y, weight in cuts:
                if isinstance(x, list):
                    rows = [own for own, run in x for _ in range(run.start, run.stop)]
                else:
                    rows = x.repeat_interleave(len(y) // len(x), 0)
                for i, number in enumerate(range(members.start, members.stop)):
                    own = None if weight is None else weight[i]
                    together.append((number, Batch.of_one(rows[i], y[i], own)))
            yield cuts

    monkeypatch.setattr(Batches, "__call__", watched)
    monkeypatch.setattr(StackedLoader, "__call__", watched_stack)
    return alone, together


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("shuffle", [True, False])
@pytest.mark.parametrize("rows", ["shared", "own"])
def test_batches_are_those_of_its_own_fit_to_the_last_bit_and_in_order(given, rows, shuffle, weighted, rng):
    """Members lie in a program by falling numbers of rows, which here are in that order already."""
    alone, together = given
    indices = None if rows == "shared" else [np.arange(61), np.arange(3, 61), np.arange(30)]
    weight = rng.random(61) if weighted else None

    def make():
        return [small(random_state=s, shuffle=shuffle, record=(), loss="l2") for s in (0, 1, 0)]

    fit_both(make, X, Y, indices=indices, sample_weight=weight)
    expected = iter(alone)
    lengths = [61] * 3 if indices is None else [len(own) for own in indices]
    by_fit = [[next(expected) for _ in range(4 * -(-n // 16))] for n in lengths]
    of_member = [[batch for number, batch in together if number == i] for i in range(3)]
    assert sorted(map(str, of_member)) == sorted(map(str, by_fit))
    if indices is not None:
        assert of_member == by_fit


def test_networks_that_see_the_same_rows_get_them_once():
    """One product for all of them: their batches are the same memory."""
    seen, original = [], StackedLoader.__call__

    def watched(self):
        for cuts in original(self):
            seen.append(
                (len(self.samplers), [len(x) if isinstance(x, list) else x.shape[0] for _, x, _, _ in cuts])
            )
            yield cuts

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(StackedLoader, "__call__", watched)
        fit_together([small(loss=loss) for loss in ("log", "l1", "l2", "tanimoto")], X, Y)
    assert set(map(str, seen)) == {str((1, [1]))}


def test_mixed_groups_in_one_call(programs):
    """Different networks, precisions, batches, epochs and optimizers; each with its own."""

    def make():
        return [
            small(random_state=0),
            small(random_state=0, module=MLP((6,)), max_epochs=2),
            small(random_state=1),
            small(random_state=1, dtype="float64"),
            small(random_state=2, module=MLP((6,)), max_epochs=2, loss="l1"),
            small(random_state=2, optimizer="sgd"),
            small(random_state=3, batch_size=8),
            small(random_state=4, lr=0.03, loss="l2"),
            small(random_state=5, shuffle=False),
            small(random_state=6, max_epochs=5, record_epochs="log"),
            small(random_state=7, snapshots=False),
            small(random_state=8, record=("geometry",)),
        ]

    together, alone = fit_both(make, X, Y)
    for clf, own in zip(together, alone, strict=True):
        assert_as_its_own_fit(clf, own, X, Y)
    assert sorted(programs) == [1] * 7 + [2, 3]


@pytest.mark.parametrize("kind", [np.array, torch.tensor], ids=["array", "tensor"])
def test_a_list_of_values_without_axes_is_one_vector(kind):
    positions, weights = np.unique(Y, return_inverse=True)[1], np.arange(1.0, len(X) + 1)
    pairs = zip(
        fit_together(three(), X, list(map(kind, positions)), sample_weight=list(map(kind, weights))),
        fit_together(three(), X, positions, sample_weight=weights),
        strict=True,
    )
    for clf, own in pairs:
        np.testing.assert_array_equal(clf.dynamics_.loss, own.dynamics_.loss)
