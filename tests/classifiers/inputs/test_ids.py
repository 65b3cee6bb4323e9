"""Whole numbers reach an embedding as such, everything else as floats, as ever."""

import functools
import itertools

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from torch import nn

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier, fit_together
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Gradients
from tests.classifiers.inputs.kinds import assert_same_record
from tests.pairwise import thinned

RNG = np.random.default_rng(0)
IDS = RNG.integers(0, 50, size=(120, 5))
Y = IDS[:, 0] % 2


class Words(nn.Module):
    """Looks ids up as they come."""

    def __init__(self, input_shape, n_classes, size=50):
        super().__init__()
        self.embed, self.out = nn.Embedding(size, 6), nn.Linear(6 * input_shape[0], n_classes)

    def forward(self, ids):
        return self.out(nn.functional.dropout(self.embed(ids).flatten(1), 0.1, self.training))


class LongWords(Words):
    """Takes floats too, as one had to."""

    def forward(self, x):
        return super().forward(x.long())


class Bag(nn.Module):
    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.bag = nn.EmbeddingBag(50, n_classes)

    def forward(self, ids):
        return self.bag(ids)


class Table(nn.Module):
    """No layer of torch's own."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.table = nn.Parameter(torch.randn(50, n_classes))

    def forward(self, ids):
        return nn.functional.embedding(ids, self.table).sum(1)


class Hashed(Words):
    """Two halves of one number, which floats would mix up."""

    def __init__(self, input_shape, n_classes):
        super().__init__((1,), n_classes, size=2)

    def forward(self, x):
        return super().forward(x.long() % 2)


def classifier(module=Words, **changes):
    settings = {"max_epochs": 4, "lr": 0.05, "batch_size": 32, "random_state": 0, **changes}
    return DynamicsClassifier(module, **settings)


RECORD = ("samples", "geometry", "scores", Gradients("all"))
WEIGHTS = RNG.uniform(0.1, 2, 120)
KINDS = ("int8", "int16", "int32", "int64", "uint16", "uint64")
GIVEN = {
    **{kind: lambda ids, kind=kind: ids.astype(kind) for kind in KINDS},
    "lists": lambda ids: ids.tolist(),
    "frame": lambda ids: pd.DataFrame(ids, columns=list("abcde")),
    "fortran": np.asfortranarray,
    "read-only": lambda ids: np.frombuffer(ids.tobytes(), ids.dtype).reshape(ids.shape),
}  # fmt: skip


@functools.cache
def from_floats(weighted):
    """What a module gives that was handed floats, and made ids of them itself; it is only read."""
    clf = classifier(LongWords, record=RECORD)
    return clf.fit(IDS.astype("float32"), Y, WEIGHTS if weighted else None)


@pytest.mark.parametrize(
    ("way", "weighted"),
    [(GIVEN[way], way in ("int8", "frame")) for way in GIVEN] + [(GIVEN["int64"], True)],
    ids=[*GIVEN, "int64 weighted"],
)
def test_ids_of_any_kind_are_the_same_ids(way, weighted):
    clf = classifier(record=RECORD).fit(way(IDS), Y, WEIGHTS if weighted else None)
    floats = from_floats(weighted)
    assert_same_record(clf.dynamics_, floats.dynamics_)
    assert np.array_equal(clf.predict_proba(way(IDS[:7])), floats.predict_proba(IDS[:7].astype("float32")))
    np.testing.assert_allclose(clf.replay(way(IDS), Y).loss, clf.dynamics_.loss, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("module", [Words, LongWords, Bag, Table], ids=lambda m: m.__name__)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_modules_that_look_up(module, dtype):
    clf = classifier(module, dtype=dtype).fit(IDS, Y, X_val=IDS[:20].astype(float), y_val=Y[:20])
    assert clf.net_.module_(torch.from_numpy(IDS[:2])).shape == (2, 2)
    np.testing.assert_allclose(clf.validation_dynamics_.loss, clf.dynamics_.loss[:20], rtol=1e-5)
    for way in (clf.predict, clf.decision_function, clf.predict_proba):
        assert np.array_equal(way(IDS), way(IDS.astype(float)))
    assert len(list(clf.staged_predict(IDS))) == 5
    clf.at_epoch(2).predict(IDS)
    again = clf.set_params(warm_start=True).fit(IDS.astype(float), Y)
    assert again.n_iter_ == 8


def test_large_numbers_stay_apart():
    ids = (2**24 + RNG.integers(0, 2, size=(100, 1))).astype("int64")
    labels = ids[:, 0] % 2
    for module in (Hashed, lambda shape, k: Hashed(shape, k)):
        clf = classifier(module, max_epochs=15).fit(ids, labels)
        assert clf.score(ids, labels) == 1
        assert clf.dynamics_.accuracy[-1] == 1
        assert clf.replay(ids, labels).accuracy[-1] == 1


def test_partial_fit_goes_on_with_ids():
    whole, parts = classifier(max_epochs=3), classifier()
    whole.fit(IDS, Y)
    for _ in range(3):
        parts.partial_fit(IDS, Y)
    assert_same_record(whole.dynamics_, parts.dynamics_)


def test_ids_in_what_scikit_learn_does():
    pipe = make_pipeline(FunctionTransformer(), classifier(max_epochs=8))
    assert cross_val_score(pipe, IDS, Y, cv=3).mean() > 0.5
    grid = {"dynamicsclassifier__lr": [0.01, 0.1]}
    ours, theirs = (kind(pipe, grid, cv=2).fit(IDS, Y) for kind in (BatchedGridSearchCV, GridSearchCV))
    np.testing.assert_allclose(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], atol=1e-12
    )


class Sums(Words):
    """Nothing is dropped: it can be stacked."""

    def forward(self, ids):
        return self.out(self.embed(ids).flatten(1))


@pytest.mark.parametrize(
    ("batch_size", "weight"), [(32, WEIGHTS), ("full", None)], ids=["batches weighted", "full plain"]
)
def test_together_as_alone(batch_size, weight):
    fits = [classifier(Sums, random_state=seed, batch_size=batch_size) for seed in range(3)]
    fit_together(fits, IDS, Y, sample_weight=weight, X_val=IDS[:9], y_val=Y[:9])
    for seed, fit in enumerate(fits):
        own = classifier(Sums, random_state=seed, batch_size=batch_size)
        own.fit(IDS, Y, weight, X_val=IDS[:9], y_val=Y[:9])
        np.testing.assert_allclose(fit.loss_curve_, own.loss_curve_, rtol=1e-5)
        np.testing.assert_allclose(fit.dynamics_.loss, own.dynamics_.loss, rtol=1e-4, atol=1e-6)
        np.testing.assert_allclose(
            fit.validation_dynamics_.loss, own.validation_dynamics_.loss, rtol=1e-4, atol=1e-6
        )


class Divides(nn.Linear):
    """Takes whole numbers too, but makes something else of them."""

    def __init__(self, input_shape, n_classes):
        super().__init__(input_shape[0], n_classes)

    def forward(self, x):
        return super().forward(x if x.is_floating_point() else x.float() // 7)


@pytest.mark.parametrize(
    "module", [None, MLP(), lambda shape, k: nn.Linear(5, k), Divides], ids=["none", "mlp", "linear", "both"]
)
def test_where_floats_do_they_are_given(module):
    """Whole numbers for a network of linear layers are the floats that they have always been."""
    whole, floats = (classifier(module).fit(X, Y) for X in (IDS, IDS.astype("float32")))
    assert_same_record(whole.dynamics_, floats.dynamics_)
    assert whole.predict_proba(IDS + 0.5).shape == (120, 2)


@pytest.mark.parametrize("kind", ["uint8", "bool"])
def test_images_and_flags_stay_floats(kind):
    with pytest.raises(ValueError, match="module cannot process a batch"):
        classifier(lambda shape, k: Words(shape, k)).fit(IDS.astype(kind), Y)


def with_id(value, row=100, column=3):
    changed = IDS.copy()
    changed[row, column] = value
    return changed


@pytest.mark.parametrize(
    ("module", "value", "row"),
    thinned([*itertools.product([Words, LongWords], [50, -1, 2**40], [0, 100])]),
)
def test_ids_that_are_in_no_table_are_refused(module, value, row):
    told = rf"X: the module looks up id {value} in 'embed', which holds ids 0 to 49 \(num_embeddings=50\)"
    with pytest.raises(ValueError, match=told) as caught:
        classifier(module).fit(with_id(value, row), Y)
    assert caught.type is ValueError
    clf = classifier(module).fit(IDS, Y)
    for way in (clf.predict, clf.predict_proba, lambda X: clf.replay(X, Y), clf.activations):
        with pytest.raises(ValueError, match=told):
            way(with_id(value, row))
    with pytest.raises(ValueError, match=told.replace("X:", "X_val:")):
        classifier(module).fit(IDS, Y, X_val=with_id(value, row), y_val=Y)


def test_tables_of_ones_own_are_checked_too():
    with pytest.raises(
        ValueError, match="X: the module looks up an id that is not there: index out of range"
    ):
        classifier(Table, record=()).fit(with_id(50), Y)


def test_the_given_ids_are_not_changed():
    ids = IDS.copy()
    classifier().fit(ids, Y).predict(ids)
    assert np.array_equal(ids, IDS)
