"""A dict of arrays: each reaches ``forward`` under its name, in its dtype."""

from collections import UserDict

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.helper import SliceDict
from torch import nn

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier, fit_together
from sklearn_nndyn.modules import MLP, VGG
from tests.classifiers.inputs.kinds import assert_same_fit, mapped
from tests.pairwise import for_each

RNG = np.random.default_rng(0)
VALUES, Y = make_classification(101, 16, n_informative=8, n_classes=3, random_state=0)
WEIGHTS = RNG.uniform(0, 2, 101) * (np.arange(101) % 5 > 0)
IDS = RNG.integers(1, 30, (101, 7))
MASK = np.arange(7) < RNG.integers(2, 8, 101)[:, None]
TOKENS = {"ids": IDS, "mask": MASK, "extra": VALUES[:, :2]}


class Tabular(nn.Module):
    """Two halves of a table by name, or the whole in one."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.into, self.norm = nn.Linear(16, 8), nn.LayerNorm(8)
        self.drop, self.out = nn.Dropout(0.2), nn.Linear(8, n_classes)

    def forward(self, left, right=None):
        x = left if right is None else torch.cat([left, right], 1)
        return self.out(self.drop(torch.tanh(self.norm(self.into(x)))))


class Reader(nn.Module):
    """Mean of the embedded ids that are not masked, beside two numbers."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        assert input_shape == {"ids": (7,), "mask": (7,), "extra": (2,)}
        self.embed, self.out = nn.Embedding(30, 6), nn.Linear(8, n_classes)

    def forward(self, extra, ids, mask):
        assert (ids.dtype, mask.dtype, extra.dtype) == (torch.int64, torch.bool, torch.float32)
        h = (self.embed(ids) * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
        return self.out(torch.cat([h, extra], 1))


def classifier(module=Tabular, **changes):
    settings = {"max_epochs": 3, "lr": 0.01, "batch_size": 16, "random_state": 0, **changes}
    return DynamicsClassifier(module, **settings)


def halves(X):
    return {"left": X[:, :9], "right": X[:, 9:]}


def select(X, rows):
    return {name: values[rows] for name, values in X.items()}


GIVEN = {
    "dict": dict,
    "slice-dict": lambda X: SliceDict(**X),
    "user-dict": UserDict,
    "reversed": lambda X: dict(reversed(X.items())),
    "lists": lambda X: {name: values.tolist() for name, values in X.items()},
    "tensors": lambda X: {name: torch.as_tensor(values) for name, values in X.items()},
    "other-dtypes": lambda X: {**X, "extra": X["extra"].astype("float16").astype("float32")},
}


@pytest.mark.parametrize("way", GIVEN.values(), ids=GIVEN)
def test_ids_a_mask_and_numbers(way):
    X = way(TOKENS)
    clf = classifier(Reader).fit(X, Y, X_val=way(select(TOKENS, slice(0, 20))), y_val=Y[:20])
    assert clf.input_shape_ == {"ids": (7,), "mask": (7,), "extra": (2,)}
    np.testing.assert_allclose(clf.validation_dynamics_.loss, clf.dynamics_.loss[:20], rtol=1e-5, atol=1e-6)
    assert clf.dynamics_.prediction[:, -1].tolist() == clf.predict(X).tolist()
    if way is not GIVEN["other-dtypes"]:
        assert_same_fit(
            clf, classifier(Reader).fit(TOKENS, Y, X_val=select(TOKENS, slice(0, 20)), y_val=Y[:20])
        )


LEFT, RIGHT = halves(VALUES).values()
PARTS = {
    "sparse": lambda folder: {"left": sp.csr_matrix(LEFT), "right": sp.dok_array(RIGHT)},
    "mapped": lambda folder: {"left": LEFT, "right": mapped(RIGHT, folder, "float64")},
    "mapped, big-endian": lambda folder: {"left": mapped(LEFT, folder, ">f8"), "right": RIGHT},
    "tensors": lambda folder: {
        "left": torch.tensor(LEFT, requires_grad=True),
        "right": torch.tensor(RIGHT).bfloat16(),
    },
    "tables": lambda folder: {"left": pd.DataFrame(LEFT).astype("Float64"), "right": RIGHT.tolist()},
}


@pytest.mark.parametrize("kind", PARTS)
def test_other_kinds_of_arrays_in_it(tmp_path, kind):
    stored, floats = PARTS[kind](tmp_path), halves(VALUES)
    if kind == "tensors":
        floats["right"] = stored["right"].float().numpy()
    plain = classifier().fit(floats, Y, WEIGHTS)
    assert_same_fit(classifier().fit(stored, Y, WEIGHTS), plain)
    np.testing.assert_array_equal(plain.decision_function(stored), plain.decision_function(floats))
    together, apart = (fit_together([classifier()], X, Y)[0] for X in (stored, floats))
    assert_same_fit(together, apart)
    ours, theirs = (
        BatchedGridSearchCV(classifier(), {"lr": [0.01, 0.1]}, cv=2).fit(X, Y) for X in (stored, floats)
    )
    np.testing.assert_array_equal(*(s.cv_results_["mean_test_score"] for s in (ours, theirs)))


def test_what_is_refused_where_it_is_cut():
    for X, told in (
        ({"left": np.array(1.0), "right": RIGHT}, r"X\['left'\] must hold a row for each sample"),
        ({0: LEFT, "right": RIGHT}, "needs names, strings"),
        ({"left": {"a": LEFT}, "right": RIGHT}, r"X\['left'\] must be an array, .* got a dict"),
    ):
        with pytest.raises((ValueError, TypeError), match=told):
            fit_together([classifier()], X, Y)
        with pytest.raises((ValueError, TypeError), match=told):
            BatchedGridSearchCV(classifier(), {"lr": [0.01]}, cv=2).fit(X, Y)


def test_partial_fit_and_warm_start_go_on():
    parts = classifier(Reader)
    for _ in range(3):
        parts.partial_fit(TOKENS, Y)
    assert_same_fit(classifier(Reader).fit(TOKENS, Y), parts)
    warm = classifier(Reader, warm_start=True).fit(TOKENS, Y)
    assert warm.fit(TOKENS, Y).dynamics_.n_epochs == 7


def test_what_scikit_learn_does_with_it():
    X = SliceDict(**TOKENS)
    pipe = make_pipeline(FunctionTransformer(), classifier(Reader))
    assert cross_val_score(pipe, X, Y, cv=3).shape == (3,)
    rows = cross_val_predict(classifier(), SliceDict(**halves(VALUES)), Y, cv=3)
    assert np.array_equal(rows, cross_val_predict(classifier(), VALUES, Y, cv=3))
    grid = {"functiontransformer__check_inverse": [False], "dynamicsclassifier__lr": [0.01, 0.1]}
    ours, theirs = (kind(pipe, grid, cv=2).fit(X, Y) for kind in (BatchedGridSearchCV, GridSearchCV))
    np.testing.assert_allclose(
        ours.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], atol=1e-12
    )
    plain = BatchedGridSearchCV(classifier(Reader), {"lr": [0.01, 0.1]}, cv=2).fit(TOKENS, Y)
    assert np.array_equal(plain.cv_results_["mean_test_score"], ours.cv_results_["mean_test_score"])


@pytest.mark.parametrize(
    "indices", [None, [np.arange(80), np.arange(101), np.arange(20, 101)]], ids=["all", "parts"]
)
def test_together_as_alone(indices):
    fits = fit_together([classifier(Reader, random_state=s) for s in range(3)], TOKENS, Y, indices=indices)
    for seed, fit in enumerate(fits):
        rows = slice(None) if indices is None else indices[seed]
        assert_same_fit(fit, classifier(Reader, random_state=seed).fit(select(TOKENS, rows), Y[rows]))


def test_what_is_given_is_not_changed():
    X = {name: values.copy() for name, values in TOKENS.items()}
    classifier(Reader).fit(X, Y, WEIGHTS).predict(X)
    assert X.keys() == TOKENS.keys()
    assert all(np.array_equal(X[name], TOKENS[name]) for name in X)


@pytest.mark.parametrize("module", [None, MLP(), VGG()], ids=["none", "mlp", "vgg"])
def test_architectures_take_one_array(module):
    with pytest.raises(ValueError, match=r"X is a dict of 'ids', 'mask', 'extra', and .* takes one array"):
        classifier(module).fit(TOKENS, Y)


def test_a_dict_is_not_given_back():
    for record in (("reconstruction",), ("samples", "reconstruction")):
        with pytest.raises(ValueError, match="Reconstruction gives one array back, but X is a dict"):
            classifier(Reader, record=record).fit(TOKENS, Y)
    clf = classifier(Reader).fit(TOKENS, Y)
    with pytest.raises(ValueError, match="Reconstruction gives one array back, but X is a dict"):
        clf.reconstruct(TOKENS, X_train=TOKENS)


# what is given after fit in place of an array of TOKENS, with the same numbers
OTHER_DTYPES = {
    "ids of int8": {"ids": IDS.astype("int8")},
    "ids of uint8": {"ids": IDS.astype("uint8")},
    "ids as floats": {"ids": IDS.astype(float)},
    "ids, sparse": {"ids": sp.csr_array(IDS)},
    "mask of integers": {"mask": MASK.astype(int)},
    "mask of floats": {"mask": MASK.astype("float32")},
    "floats of 64 bits": {"extra": VALUES[:, :2].astype("float32").astype("float64")},
}


@for_each("changed", OTHER_DTYPES)
def test_afterwards_each_array_is_taken_in_the_dtype_that_it_had_in_fit(changed):
    clf = classifier(Reader).fit(TOKENS, Y)
    odd = TOKENS | changed
    np.testing.assert_array_equal(clf.decision_function(odd), clf.decision_function(TOKENS))
    np.testing.assert_array_equal(clf.replay(odd, Y).loss, clf.replay(TOKENS, Y).loss)
    one = classifier(Reader).fit(TOKENS, Y, X_val=odd, y_val=Y)
    np.testing.assert_array_equal(one.validation_dynamics_.loss, one.dynamics_.loss)


def test_whole_numbers_are_floats_where_there_were_floats():
    clf = classifier(Reader).fit(TOKENS, Y)
    extra = np.round(VALUES[:, :2])
    np.testing.assert_array_equal(
        clf.decision_function(TOKENS | {"extra": extra.astype(int)}),
        clf.decision_function(TOKENS | {"extra": extra}),
    )


@for_each(
    "case",
    {
        "fraction": (
            {"ids": IDS + 0.5},
            r"X\['ids'\] was fitted in int64, and this one holds \d+\.5, which is no",
        ),
        "two": ({"mask": MASK * 2}, r"X\['mask'\] was fitted in bool, and this one holds 2, which is no"),
        "nan": ({"ids": np.where(IDS > 5, np.nan, IDS)}, r"Input X\['ids'\] contains NaN"),
    },
)
def test_what_that_dtype_does_not_hold_is_refused(case):
    changed, message = case
    clf = classifier(Reader).fit(TOKENS, Y)
    with pytest.raises(ValueError, match=message):
        clf.predict(TOKENS | changed)
