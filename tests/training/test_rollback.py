"""A failed epoch is undone to the last bit, also from the disk, where the copy of a large network lies."""

import tempfile

import pytest
import torch
from torch import nn

from sklearn_nndyn.training import _rollback
from sklearn_nndyn.training._rollback import StatesCopy
from tests.classifiers.test_laws import assert_same_record, assert_same_weights
from tests.problems import PROBLEMS, Problem, convolution_net

PLAIN, CONVOLUTION = PROBLEMS[0], Problem("conv", convolution_net, images=True)


class FailsOnce(nn.CrossEntropyLoss):
    """Cross-entropy that fails at one of its calls in training; what it counts is no state of a fit."""

    left = 0

    def forward(self, scores, target):
        if scores.requires_grad:
            FailsOnce.left -= 1
            if FailsOnce.left == 0:
                raise ZeroDivisionError
        return super().forward(scores, target)


@pytest.fixture(params=["memory", "disk", "no disk"])
def large(request, monkeypatch):
    """Where the copies lie: counts the temporary files that were made."""
    made, original = [], tempfile.TemporaryFile

    def make(**settings):
        made.append(request.param)
        if request.param == "no disk":
            raise OSError("No space left on device")
        return original(**settings)

    monkeypatch.setattr(_rollback, "LARGE", 2**62 if request.param == "memory" else 0)
    monkeypatch.setattr(tempfile, "TemporaryFile", make)
    yield request.param
    assert bool(made) == (request.param != "memory")


@pytest.mark.parametrize("problem", [PLAIN, CONVOLUTION], ids=lambda problem: problem.name)
@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_training_goes_on_as_if_nothing_had_failed(problem, optimizer, large):
    X, y = problem.data(40)
    settings = {
        "optimizer": optimizer,
        "optimizer_params": {"momentum": 0.9} if optimizer == "sgd" else None,
        "loss": nn.CrossEntropyLoss(),
        "record": ("samples",),
    }
    whole = problem.classifier(**settings, max_epochs=3).fit(X, y)
    steps = -(-len(X) // whole.net_.batch_size)
    FailsOnce.left = 1 + 2 * steps + 2  # after a trial and two epochs
    clf = problem.classifier(**settings | {"loss": FailsOnce()}, max_epochs=3)
    with pytest.raises(ZeroDivisionError):
        clf.fit(X, y)
    assert clf.n_iter_ == 2
    clf.partial_fit(X, y)
    assert_same_weights(clf, whole)
    assert_same_record(clf.dynamics_, whole.dynamics_)


TENSORS = {
    "plain": torch.randn(3, 4),
    "a number": torch.tensor(3.0),
    "empty": torch.empty(0, 3),
    "transposed": torch.randn(4, 3).T,
    "channels last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
    "half": torch.randn(7).to(torch.bfloat16),
    "flags": torch.tensor([True, False, True]),
    "integers": torch.arange(5),
    "a part": torch.randn(6, 6)[2:4],
    "expanded": torch.randn(3, 1).expand(3, 4),
    "sparse": torch.eye(3).to_sparse(),
}


@pytest.mark.parametrize("names", [*[[name] for name in TENSORS], list(TENSORS)[:9]], ids="+".join)
def test_a_copy_has_values_types_and_layout(names, monkeypatch):
    monkeypatch.setattr(_rollback, "LARGE", 0)
    given = {name: TENSORS[name].clone() for name in names}
    copied = StatesCopy([given | {"count": 3, "betas": [0.9]}])
    expected = {name: value.clone() for name, value in given.items()}
    for value in given.values():
        value.zero_()
    for _ in range(2):
        (read,) = copied.read()
        assert (read.pop("count"), read.pop("betas")) == (3, [0.9])
        assert list(read) == names
        for name, value in read.items():
            assert (value.dtype, value.layout) == (expected[name].dtype, expected[name].layout)
            assert torch.equal(value.to_dense(), expected[name].to_dense())
            assert name == "sparse" or value.stride() == expected[name].stride()
