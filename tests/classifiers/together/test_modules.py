"""Modules of one's own: run as one where that is the same, one by one where it would not be."""

import itertools

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_nndyn import fit_together
from sklearn_nndyn.modules import MLP
from tests.classifiers.together.comparing import EVERYTHING, assert_as_its_own_fit, fit_both, small
from tests.pairwise import pairwise, some_of
from tests.problems import Problem

VECTORS, IMAGES = Problem("vectors"), Problem("images", images=True)


class Normed(nn.Module):
    """Linear, layer normalisation, linear: the base of those that do something more."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.into = nn.Linear(input_shape[0], 8)
        self.norm = nn.LayerNorm(8)
        self.out = nn.Linear(8, n_classes)

    def forward(self, x):
        return self.out(self.norm(torch.tanh(self.into(x))))


class Convolution(nn.Module):
    """Three kinds: convolution, layer normalisation, linear; and a residual branch."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.first = nn.Conv2d(input_shape[0], 4, 3, padding=1)
        self.second = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.LayerNorm(64)
        self.out = nn.Linear(64, n_classes)

    def forward(self, x):
        h = torch.relu(self.first(x))
        return self.out(self.norm((h + torch.tanh(self.second(h))).flatten(1)))


class Embedded(nn.Module):
    """Three kinds: what is left of the decimal point is looked up, what is right of it is a number."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.table = nn.Embedding(16, 4)
        self.mix = nn.Conv1d(4, 4, 3)
        self.out = nn.Linear(4 * (input_shape[0] - 2), n_classes)

    def forward(self, x):
        known = self.table(x.clamp(-8, 7).floor().long() + 8) * (1 + x[..., None])
        return self.out(torch.relu(self.mix(known.transpose(1, 2))).flatten(1))


class Attention(nn.Module):
    """A transformer's layer over the four rows of four."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        # A bias of the keys would change nothing: its gradient is rounding alone, which Adam makes large.
        self.query, self.key, self.value = (nn.Linear(4, 4, bias=False) for _ in range(3))
        self.norm = nn.RMSNorm(4)
        self.out = nn.Linear(16, n_classes)

    def forward(self, x):
        x = x.view(-1, 4, 4)
        h = nn.functional.scaled_dot_product_attention(self.query(x), self.key(x), self.value(x))
        return self.out(self.norm(x + h).flatten(1))


class Tied(Normed):
    """A weight used twice, under two names."""

    def __init__(self, input_shape, n_classes):
        super().__init__(input_shape, n_classes)
        self.inner = nn.Linear(8, 8)
        self.again = nn.Linear(8, 8)
        self.again.weight = self.inner.weight

    def forward(self, x):
        return self.out(self.again(self.norm(self.inner(torch.tanh(self.into(x))))))


class HasMore(Normed):
    """A parameter that nothing depends on."""

    def __init__(self, input_shape, n_classes):
        super().__init__(input_shape, n_classes)
        self.unused = nn.Parameter(torch.ones(3))


class HasTemperature(Normed):
    """A parameter that is one number."""

    def __init__(self, input_shape, n_classes):
        super().__init__(input_shape, n_classes)
        self.temperature = nn.Parameter(torch.tensor(1.0))

    def forward(self, x):
        return super().forward(x) / self.temperature


class HasConstants(Normed):
    """Buffers that training does not change: each network's own random features."""

    def __init__(self, input_shape, n_classes):
        super().__init__(input_shape, n_classes)
        self.register_buffer("features", torch.randn(input_shape[0], input_shape[0]))
        self.register_buffer("shift", torch.randn(1), persistent=False)

    def forward(self, x):
        return super().forward(torch.cos(x @ self.features + self.shift))


class GivesTwo(Normed):
    """The scores, and something else."""

    def forward(self, x):
        return super().forward(x), x.sum()


class Normalized(Normed):
    """Weight normalisation, a parametrisation."""

    def __init__(self, input_shape, n_classes):
        super().__init__(input_shape, n_classes)
        nn.utils.parametrizations.weight_norm(self.into)


def bare_linear(input_shape, n_classes):
    return nn.Linear(input_shape[0], n_classes, bias=False)


def nested_chain(input_shape, n_classes):
    shared = nn.ReLU()
    inner = nn.Sequential(nn.Identity(), nn.Linear(9, 7, bias=False), shared)
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(int(np.prod(input_shape)), 9),
        shared,
        inner,
        nn.Linear(7, 5),
        nn.Linear(5, n_classes),
    )


def convolution_chain(input_shape, n_classes):
    return nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.Flatten(), nn.Linear(12, n_classes))


class Frozen(Normed):
    def __init__(self, input_shape, n_classes):
        super().__init__(input_shape, n_classes)
        self.into.requires_grad_(False)


TOGETHER = {
    "bare-linear": (VECTORS, bare_linear),
    "nested-chain": (VECTORS, nested_chain),
    "chain-of-images": (IMAGES, MLP((10,))),
    "nested-chain-of-images": (IMAGES, nested_chain),
    "chain-with-dropout": (VECTORS, MLP((10, 7), dropout=0.4)),
    "layer-norm": (VECTORS, Normed),
    "convolution-chain": (IMAGES, convolution_chain),
    "convolution-of-three-kinds": (IMAGES, Convolution),
    "embedding": (VECTORS, Embedded),
    "attention": (VECTORS, Attention),
    "tied": (VECTORS, Tied),
    "unused-parameter": (VECTORS, HasMore),
    "one-number": (VECTORS, HasTemperature),
    "constant-buffers": (VECTORS, HasConstants),
    "frozen-parameters": (VECTORS, Frozen),
    "two-outputs": (VECTORS, GivesTwo),
}


class Drops(Normed):
    def forward(self, x):
        return self.out(nn.functional.dropout(self.norm(torch.tanh(self.into(x))), 0.3, self.training))


class DropsByNumPy(Normed):
    """Stochastic depth, decided by NumPy's generator; so seldom that no trial sees it."""

    def forward(self, x):
        h = torch.tanh(self.into(x))
        return self.out(self.norm(h) if self.training and np.random.random() < 0.01 else h)  # noqa: NPY002


class Branches(Normed):
    """Python decides by the training batch."""

    def forward(self, x):
        return super().forward(x * 2 if self.training and x.max() > 4 else x)


class BranchesByWeight(Normed):
    def forward(self, x):
        return super().forward(x) * (2 if self.out.bias.sum() > 0 else 1)


class Counts(Normed):
    """The number of training steps is remembered as a plain number."""

    def __init__(self, input_shape, n_classes):
        super().__init__(input_shape, n_classes)
        self.steps = 0

    def forward(self, x):
        self.steps += self.training
        return super().forward(x) * (1 + self.steps / 10)


class WarmsUp(Counts):
    """The number of steps matters later only."""

    def forward(self, x):
        self.steps += self.training
        return Normed.forward(self, x) * (2 if self.steps > 10 else 1)


class WarmsUpByBuffer(Normed):
    """The same, counted in a buffer."""

    def __init__(self, input_shape, n_classes):
        super().__init__(input_shape, n_classes)
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, x):
        if self.training:
            self.steps = self.steps + 1
        return super().forward(x) * (1 + (self.steps > 10))


class Averages(Normed):
    """A running mean that is no buffer, changed in place."""

    def __init__(self, input_shape, n_classes):
        super().__init__(input_shape, n_classes)
        self.mean = torch.zeros(input_shape)

    def forward(self, x):
        if self.training:
            self.mean.lerp_(x.detach().mean(0).float(), 0.1)
        return super().forward(x - self.mean)


class Draws(Normed):
    """Each network looks at columns of its own, drawn when it is made and kept as a plain list."""

    def __init__(self, input_shape, n_classes):
        super().__init__((5,), n_classes)
        self.columns = torch.randperm(input_shape[0])[:5].tolist()

    def forward(self, x):
        return super().forward(x[:, self.columns])


class RepeatsOne(nn.Module):
    """A recurrent layer, which ``torch.func`` does not batch."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.inner = nn.GRU(4, 6, batch_first=True)
        self.out = nn.Linear(6, n_classes)

    def forward(self, x):
        return self.out(self.inner(x.view(len(x), 4, 4))[0][:, -1])


def batch_norm(input_shape, n_classes):
    return nn.Sequential(nn.Linear(16, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, n_classes))


def dropout_first(input_shape, n_classes):
    return nn.Sequential(nn.Dropout(0.2), nn.Linear(16, 8), nn.ReLU(), nn.Linear(8, n_classes))


def hooked(input_shape, n_classes):
    net = Normed(input_shape, n_classes)
    net.into.register_forward_hook(lambda module, args, output: 2 * output)
    return net


ALONE = {
    "dropout": Drops,
    "numpy-draws": DropsByNumPy,
    "batch-norm": batch_norm,
    "dropout-first": dropout_first,
    "branches-by-batch": Branches,
    "branches-by-weight": BranchesByWeight,
    "counts-steps": Counts,
    "running-mean": Averages,
    "warms-up": WarmsUp,
    "warms-up-by-buffer": WarmsUpByBuffer,
    "own-columns": Draws,
    "recurrent": RepeatsOne,
    "hooks": hooked,
    "weight-norm": Normalized,
}


def three(module, **changes):
    own = [{"random_state": 0}, {"random_state": 1, "lr": 0.03}, {"random_state": 2, "loss": "l2"}]
    return [small(module=module, record=EVERYTHING, **changes, **settings) for settings in own]


@pytest.mark.parametrize(
    ("name", "dtype"),
    some_of(
        [*itertools.product(TOGETHER, ("float64", "float32"))],
        [*((name, "float64") for name in TOGETHER), ("nested-chain", "float32"), ("attention", "float32")],
    ),
)
def test_run_as_one_with_the_result_of_each(name, dtype, programs):
    problem, module = TOGETHER[name]
    X, y = problem.data()
    for clf, own in zip(*fit_both(lambda: three(module, dtype=dtype), X, y), strict=True):
        assert_as_its_own_fit(clf, own, X, y)
    assert programs == [3]


LIKE_ANOTHER = ("dropout-first", "branches-by-batch", "counts-steps", "warms-up-by-buffer")


@pytest.mark.parametrize("name", some_of(ALONE, [name for name in ALONE if name not in LIKE_ANOTHER]))
def test_run_one_by_one_where_one_program_would_be_wrong(name, programs):
    module = ALONE[name]
    X, y = VECTORS.data()
    for clf, own in zip(*fit_both(lambda: three(module, dtype="float64"), X, y), strict=True):
        assert_as_its_own_fit(clf, own, X, y)
    assert programs == [1, 1, 1]


@pairwise(
    module={"any-module": Normed, "chain": MLP((10,), dropout=0.2)},
    shuffle={"shuffled": True, "in-order": False},
    batch_size={str(size): size for size in (1, 7, "full", 1000)},
)
def test_folds_weights_and_labels_of_each(module, shuffle, batch_size, programs):
    """Whatever the module: rows, targets and weights come to the network that they belong to."""
    X, y = VECTORS.data()
    rng = np.random.default_rng(0)
    labels = [y, rng.permutation(y), y]
    weights = [None, rng.integers(0, 3, 61), rng.random(61)]
    rows = [np.arange(61), np.arange(61), np.arange(61) % 4 > 0]

    def make():
        return three(module, dtype="float64", batch_size=batch_size, shuffle=shuffle)

    made = fit_both(make, X, labels, sample_weight=weights, indices=rows)
    for i, (clf, own) in enumerate(zip(*made, strict=True)):
        assert_as_its_own_fit(clf, own, X[rows[i]], labels[i][rows[i]])
    assert sum(programs) == 3


def test_different_buffers_stay_with_their_network():
    X, y = VECTORS.data()
    fitted = fit_together(three(HasConstants), X, y)
    features = [clf.module_.features for clf in fitted]
    assert not torch.equal(features[0], features[1])
    for clf, kept in zip(fitted, features, strict=True):
        assert torch.equal(clf.at_epoch(0).module_.features, kept)


def test_a_module_is_as_it_was_but_for_its_weights():
    """No hook, mode or gradient stays behind."""
    X, y = VECTORS.data()
    for clf, own in zip(*fit_both(lambda: three(Tied), X, y), strict=True):
        for part, own_part in zip(clf.module_.modules(), own.module_.modules(), strict=True):
            assert not part._forward_hooks
            assert not part._forward_pre_hooks
            assert set(vars(part)) == set(vars(own_part))
            assert part.training is own_part.training is False
        assert clf.module_.again.weight is clf.module_.inner.weight
        for p in clf.module_.parameters():
            assert p.grad is None
            assert p.is_leaf
            assert p.requires_grad


class Renormed(Normed):
    """Does what torch has for one network at a time only."""

    def forward(self, x):
        return self.out(torch.renorm(self.into(x), 2, 0, 5.0))


class Nothing(Normed):
    """A branch of width 0, which takes part in nothing."""

    def __init__(self, input_shape, n_classes):
        super().__init__(input_shape, n_classes)
        self.none = nn.Parameter(torch.zeros(0, 8))

    def forward(self, x):
        return super().forward(x) + self.none.sum()


def nothing_between(input_shape, n_classes):
    """A chain that is cut in two."""
    body = nn.Linear(input_shape[0], 1), nn.ReLU(), nn.Linear(1, n_classes)
    body[0].weight.data, body[0].bias.data = body[0].weight.data[:0], body[0].bias.data[:0]
    body[2].weight.data = body[2].weight.data[:, :0]
    return nn.Sequential(*body)


@pytest.mark.parametrize("module", [Renormed, Nothing, nothing_between])
def test_what_torch_would_loop_over_or_is_empty_is_trained_one_by_one_without_a_warning(module, programs):
    X, y = VECTORS.data()
    together, alone = fit_both(lambda: [small(module=module, random_state=s) for s in range(2)], X, y)
    assert programs[:2] == [1, 1]
    for clf, own in zip(together, alone, strict=True):
        np.testing.assert_array_equal(clf.dynamics_.loss, own.dynamics_.loss)
