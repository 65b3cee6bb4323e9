"""A dict of arrays: each reaches ``forward`` under its name, in its dtype."""

from collections import UserDict

import numpy as np
import pytest
import scipy.sparse as sp
import torch
from sklearn.datasets import make_classification
from sklearn.model_selection import GridSearchCV, cross_val_predict, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from skorch.callbacks import Callback
from skorch.helper import SliceDict
from torch import nn

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier, fit_together
from sklearn_nndyn.dynamics._fields import named_arrays
from sklearn_nndyn.modules import MLP, VGG
from sklearn_nndyn.recording import Gradients

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


class WatchesBatches(Callback):
    """Makes skorch's own loop run."""

    def on_batch_end(self, net, **kwargs):
        pass


def classifier(module=Tabular, **changes):
    settings = {"max_epochs": 3, "lr": 0.01, "batch_size": 16, "random_state": 0, **changes}
    return DynamicsClassifier(module, **settings)


def halves(X):
    return {"left": X[:, :9], "right": X[:, 9:]}


def select(X, rows):
    return {name: values[rows] for name, values in X.items()}


def assert_same_fit(a, b):
    for u, v in zip(a.module_.state_dict().values(), b.module_.state_dict().values(), strict=True):
        assert torch.equal(u, v)
    for name in ("dynamics_", "validation_dynamics_"):
        assert hasattr(a, name) == hasattr(b, name)
        if hasattr(a, name):
            pairs = zip(named_arrays(getattr(a, name)), named_arrays(getattr(b, name)), strict=True)
            for (_, field, u), (_, _, v) in pairs:
                assert np.array_equal(u, v, equal_nan=u.dtype.kind == "f"), field


WAYS = {
    "plain": {},
    "held-out": {"validation_fraction": 0.3, "early_stopping": True},
    "in-order": {"shuffle": False},
    "full": {"batch_size": "full"},
    "balanced": {"class_weight": "balanced"},
    "float64": {"dtype": "float64"},
    "skorch": {"callbacks": [WatchesBatches()]},
    "everything": {"record": ("samples", "geometry", "scores", Gradients("all"))},
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_same_bits_as_one_array_in_memory(way):
    weights = None if way is WAYS["plain"] else WEIGHTS
    fits = []
    for of in (halves, lambda X: X):
        validation = {} if "validation_fraction" in way else {"X_val": of(VALUES[:30]), "y_val": Y[:30]}
        fits.append(classifier(**way).fit(of(VALUES), Y, weights, **validation))
    assert_same_fit(*fits)
    if "early_stopping" not in way:
        unrecorded = classifier(**way).set_params(record=(), snapshots=False).fit(halves(VALUES), Y, weights)
        for u, v in zip(unrecorded.module_.parameters(), fits[0].module_.parameters(), strict=True):
            assert torch.equal(u, v)


def test_all_that_is_asked_afterwards():
    clf, whole = classifier().fit(halves(VALUES), Y), classifier().fit(VALUES, Y)
    ways = {
        "predict": lambda c, X: c.predict(X),
        "predict_log_proba": lambda c, X: c.predict_log_proba(X),
        "staged": lambda c, X: np.array(list(c.staged_decision_function(X))),
        "activations": lambda c, X: c.activations(X, 0, epoch=1),
        "replay": lambda c, X: c.replay(X, Y).loss,
        "score": lambda c, X: c.score(X, Y),
        "probe": lambda c, X: next(iter(c.replay(X, Y, record=("probe",)).probe_accuracy.values())),
    }
    for name, way in ways.items():
        assert np.array_equal(way(clf, halves(VALUES)), way(whole, VALUES)), name
    np.testing.assert_allclose(clf.replay(halves(VALUES), Y).loss, clf.dynamics_.loss, rtol=1e-5, atol=1e-6)


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


def test_other_kinds_of_arrays_in_it(tmp_path):
    VALUES[:, 9:].tofile(tmp_path / "right")
    mapped = np.memmap(tmp_path / "right", "float64", "r", shape=(101, 7))
    stored = {"left": sp.csr_matrix(VALUES[:, :9]), "right": mapped}
    assert_same_fit(classifier().fit(stored, Y, WEIGHTS), classifier().fit(halves(VALUES), Y, WEIGHTS))


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


WITH = {
    "empty": ({}, "X is a dict and needs names"),
    "numbers-for-names": ({0: IDS}, "X is a dict and needs names"),
    "lengths": (
        {**TOKENS, "mask": MASK[:-1]},
        "one row for each sample each, got ids 101, mask 100, extra 101",
    ),
    "ragged": ({**TOKENS, "ids": [[1, 2], [3]]}, r"X\['ids'\] must have rows of one length"),
    "text": ({**TOKENS, "ids": np.full((101, 7), "a")}, r"X\['ids'\] must hold numbers"),
    "objects": ({**TOKENS, "ids": IDS.astype(object)}, r"X\['ids'\] must hold numbers.* got dtype object"),
    "scalar": ({**TOKENS, "ids": 3}, r"X\['ids'\] must be an array, a table or a list, got 3\."),
    "nan": ({**TOKENS, "extra": np.full((101, 2), np.nan)}, r"Input X\['extra'\] contains NaN"),
    "no-rows": (
        select(TOKENS, slice(0, 0)),
        r"X\['\w+'\] must hold a row for each sample; got an array of shape \(0, ",
    ),
}
AT_FIT = {
    "missing-name": ({"ids": IDS, "mask": MASK}, "module cannot process a batch of ids .*extra"),
    "unknown-name": ({**TOKENS, "more": VALUES}, "module cannot process a batch of .*more"),
    "id-out-of-range": (
        {**TOKENS, "ids": IDS + 1},
        "X: the module looks up id 30 in 'embed', which holds ids 0 to 29",
    ),
    "float-ids": ({**TOKENS, "ids": IDS.astype(float)}, "module cannot process a batch of ids"),
}
AFTERWARDS = {
    "missing-name": (
        {"ids": IDS, "mask": MASK},
        "X has 'ids', 'mask', but was fitted with 'ids', 'mask', 'extra'",
    ),
    "unknown-name": ({**TOKENS, "more": VALUES}, "X has 'ids', 'mask', 'extra', 'more', but was fitted with"),
    "width": (
        {**TOKENS, "extra": VALUES[:, :3]},
        r"X\['extra'\] has samples of shape \(3,\), but was fitted with",
    ),
    "one-array": (VALUES, "X must be a dict of 'ids', 'mask', 'extra', as in fit; got ndarray"),
    "id-out-of-range": ({**TOKENS, "ids": IDS + 1}, "X: the module looks up id 30 in 'embed'"),
}


def free(shape, k):
    """The reader, whatever the shapes are."""
    return Reader({"ids": (7,), "mask": (7,), "extra": (2,)}, k)


@pytest.mark.parametrize(("X", "told"), [*WITH.values(), *AT_FIT.values()], ids=[*WITH, *AT_FIT])
def test_ill_formed_dicts_are_refused_before_training(X, told):
    clf = classifier(free)
    with pytest.raises((ValueError, TypeError), match=told):
        clf.fit(X, Y[: len(IDS)] if X is not WITH["no-rows"][0] else [])
    assert not hasattr(clf, "net_")


@pytest.mark.parametrize(("X", "told"), [*AFTERWARDS.values(), WITH["nan"]], ids=[*AFTERWARDS, "nan"])
def test_ill_formed_dicts_are_refused_afterwards(X, told):
    clf = classifier(free).fit(TOKENS, Y)
    for way in (clf.predict, lambda X: clf.replay(X, Y), clf.activations):
        with pytest.raises(ValueError, match=told):
            way(X)


def test_labels_of_another_number_are_refused():
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        classifier(free).fit(TOKENS, Y[:-1])


def test_a_dict_where_one_array_was_fitted_is_refused():
    with pytest.raises(ValueError, match="X must be one array, as in fit; got a dict of 'left', 'right'"):
        classifier().fit(VALUES, Y).predict(halves(VALUES))


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
