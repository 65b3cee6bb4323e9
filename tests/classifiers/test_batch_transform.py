"""Augmentation: of training batches alone, by the seed, and recorded as if it were not there."""

import copy
import pickle

import numpy as np
import pytest
import torch
from sklearn.base import clone
from skorch.callbacks import LRScheduler

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Samples
from tests.classifiers.checkpoint.comparing import Killed, every_epoch, killed_after
from tests.classifiers.test_laws import assert_same_record, assert_same_weights
from tests.problems import Problem, chief_problems, convolution_net

PLAIN, IMAGES = Problem("vectors", MLP((9,), dropout=0.2)), Problem("images", convolution_net, images=True)
BOTH = pytest.mark.parametrize("problem", [PLAIN, IMAGES], ids=["vectors", "images"])


def noise(batch, generator):
    return batch.add_(
        torch.randn(batch.shape, generator=generator), alpha=0.3
    )  # in place: the batch is its own


def unchanged(batch, generator):
    return batch


@chief_problems
def test_laws_hold_with_it(problem):
    X, y = problem.data()
    before = X.copy()
    long = problem.classifier(batch_transform=noise).fit(X, y)
    np.testing.assert_array_equal(X, before)
    unrecorded = problem.classifier(batch_transform=noise, record=(), snapshots=False).fit(X, y)
    assert_same_weights(long, unrecorded)
    short = problem.classifier(batch_transform=noise, max_epochs=2).fit(X, y)
    assert_same_record(short.dynamics_, long.dynamics_, slice(0, 3))
    np.testing.assert_allclose(long.replay(X, y).loss, long.dynamics_.loss, rtol=1e-4, atol=1e-5)
    without = problem.classifier().fit(X, y)
    assert not torch.equal(*(next(clf.module_.parameters()) for clf in (long, without)))


@chief_problems
def test_one_that_changes_nothing_is_none(problem):
    X, y = problem.data()
    a, b = (problem.classifier(batch_transform=f).fit(X, y) for f in (unchanged, None))
    assert_same_weights(a, b)
    assert_same_record(a.dynamics_, b.dynamics_)


@BOTH
def test_it_meets_training_batches_alone(problem):
    """Counted: it is called for the batches of training, and for nothing else."""
    X, y = problem.data()
    seen = []

    def spied(batch, generator):
        seen.append(len(batch))
        return batch

    clf = problem.classifier(batch_transform=spied, max_epochs=2, batch_size=20)
    clf.fit(X, y, X_val=X[:7], y_val=y[:7])
    tried, *batches = seen
    assert tried <= 32
    assert batches == [20, 20, 20, 1] * 2 or batches == [20, 20, 21] * 2
    clf.predict(X), clf.predict_proba(X), clf.replay(X, y), clf.score(X, y)
    assert len(seen) == 1 + len(batches)


@BOTH
def test_any_way_of_training_gives_the_same(problem):
    X, y = problem.data()
    clf = problem.classifier(batch_transform=noise)
    whole = clone(clf).fit(X, y)
    warm = clone(clf).set_params(max_epochs=2, warm_start=True).fit(X, y).fit(X, y)
    one_by_one = clone(clf)
    for _ in range(4):
        one_by_one.partial_fit(X, y)
    pickled = pickle.loads(pickle.dumps(clone(clf).set_params(max_epochs=3).fit(X, y))).partial_fit(X, y)
    together = fit_together([clone(clf), clone(clf).set_params(random_state=4)], X, y)[0]
    batches = clone(clf).set_params(callbacks=[LRScheduler("StepLR", step_size=10**6, step_every="batch")])
    for other in (warm, one_by_one, pickled, together):
        assert_same_weights(other, whole)
        assert_same_record(other.dynamics_, whole.dynamics_)
    for a, b in zip(batches.fit(X, y).module_.parameters(), whole.module_.parameters(), strict=True):
        torch.testing.assert_close(a, b)


def test_a_checkpoint_goes_on_with_its_generator(tmp_path, monkeypatch):
    X, y = PLAIN.data()
    whole = PLAIN.classifier(batch_transform=noise).fit(X, y)
    stopped = PLAIN.classifier(batch_transform=noise, checkpoint=every_epoch(tmp_path))
    with monkeypatch.context() as patch:
        killed_after(patch, 2)
        with pytest.raises(Killed):
            clone(stopped).fit(X, y)
    went_on = stopped.fit(X, y)
    assert_same_weights(went_on, whole)
    assert_same_record(went_on.dynamics_, whole.dynamics_)


@BOTH
def test_global_random_numbers_are_fixed_and_left_alone(problem):
    def drawn(batch, generator):
        return batch + torch.randn(batch.shape) + float(np.random.rand())  # noqa: NPY002

    X, y = problem.data()
    fits = []
    for seed in (0, 1):
        torch.manual_seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        states = torch.get_rng_state(), np.random.get_state()[1].copy()  # noqa: NPY002
        fits.append(problem.classifier(batch_transform=drawn).fit(X, y))
        assert torch.equal(torch.get_rng_state(), states[0])
        np.testing.assert_array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002
    assert_same_weights(*fits)


class Counting:
    """One that remembers how often it was called."""

    def __init__(self):
        self.calls = 0

    def __call__(self, batch, generator):
        self.calls += 1
        return batch * (1 + self.calls)


def test_each_fit_uses_a_copy():
    X, y = PLAIN.data()
    given = Counting()
    first, second = (PLAIN.classifier(batch_transform=given).fit(X, y) for _ in range(2))
    assert given.calls == 0
    assert_same_weights(first, second)


def test_recorded_as_batches_pass_it_is_of_the_transformed_batch():
    X, y = PLAIN.data()
    erased = PLAIN.classifier(
        batch_transform=lambda batch, generator: batch * 0,
        record=[Samples(when="training")],
        batch_size="full",
        module=MLP((9,)),
    ).fit(X, y)
    loss = erased.dynamics_.loss
    for label in set(y):
        assert np.ptp(loss[y == label], axis=0).max() < 1e-6


class OfNames(torch.nn.Module):
    """Two inputs by name."""

    def __init__(self):
        super().__init__()
        self.table, self.linear = torch.nn.Embedding(5, 3), torch.nn.Linear(16, 3)

    def forward(self, ids, x):
        return self.linear(x) + self.table(ids).mean(1)


def test_a_dict_goes_to_it_by_name():
    def masked(batch, generator):
        drop = torch.rand(batch["ids"].shape, generator=generator) < 0.5
        return {**batch, "ids": batch["ids"].masked_fill(drop, 0)}

    X, y = PLAIN.data()
    named = {"ids": np.arange(61 * 4).reshape(61, 4) % 5, "x": X}
    before = copy.deepcopy(named)
    module = OfNames()
    clf, again = (PLAIN.classifier(module=module, batch_transform=masked).fit(named, y) for _ in range(2))
    assert_same_weights(clf, again)
    for name, values in named.items():
        np.testing.assert_array_equal(values, before[name])
    with pytest.raises(
        TypeError, match="batch_transform must give a dict of 'ids', 'x', as it was given; got 'x'"
    ):
        PLAIN.classifier(module=module, batch_transform=lambda b, g: {"x": b["x"]}).fit(named, y)


REFUSED = {
    "alone": (lambda b: b, TypeError, r"takes \(b\): .* lambda batch, generator: transform\(batch\)"),
    "a module": (torch.nn.Dropout(), TypeError, "must take two arguments"),
    "no tensor": (lambda b, g: b.numpy(), TypeError, "must give a tensor, as it was given; got ndarray"),
    "nothing": (lambda b, g: b.zero_() and None, ValueError, "batch_transform cannot process a batch"),
    "both": (lambda b, g: (b, g), TypeError, "got tuple; for a transform of the batch alone write"),
    "fewer rows": (lambda b, g: b[:-1], ValueError, r"one row for each of the 16 .* got shape \(15, 16\)"),
    "whole numbers": (
        lambda b, g: b.long(),
        TypeError,
        "was given torch.float32 and must not give torch.int64",
    ),
    "nan": (lambda b, g: b * torch.nan, ValueError, "gives numbers that are not finite"),
    "fewer columns": (
        lambda b, g: b[:, :-1],
        ValueError,
        r"module cannot process what batch_transform makes of a batch, shape \(16, 15\)",
    ),
    "an error": (lambda b, g: b.nonsense, ValueError, "batch_transform cannot process .*nonsense"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_before_training(name):
    transform, kind, message = REFUSED[name]
    X, y = PLAIN.data()
    clf = PLAIN.classifier(batch_transform=transform)
    with pytest.raises(kind, match=message):
        clf.fit(X, y)
    assert not hasattr(clf, "net_")


def test_images_of_another_size_than_given():
    """A transform may crop, where the module takes images of any size."""

    def any_size(input_shape, n_classes):
        return torch.nn.Sequential(
            torch.nn.Conv2d(1, 4, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.AdaptiveAvgPool2d(1),
            torch.nn.Flatten(),
            torch.nn.Linear(4, n_classes),
        )

    X, y = IMAGES.data()
    clf = IMAGES.classifier(module=any_size, batch_transform=lambda b, g: b[..., :3, :3]).fit(X, y)
    assert clf.predict(X).shape == y.shape


def test_a_small_full_batch_reaches_it_in_the_dtype_of_the_classifier():
    def checked(batch, generator):
        assert batch.dtype == torch.float32
        return batch

    X, y = PLAIN.data()
    DynamicsClassifier(batch_transform=checked, batch_size="full", max_epochs=1, random_state=0).fit(X, y)
