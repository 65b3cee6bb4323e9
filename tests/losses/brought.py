"""Losses that users bring: with tensors, parameters, buffers and random numbers of their own, in every form."""

from functools import partial

import numpy as np
import torch
from torch.nn.functional import cross_entropy, dropout

from sklearn_nndyn.losses import ClassificationLoss, LogLoss

each = partial(cross_entropy, reduction="none")
WEIGHT = (1.0, 2.0, 5.0)


class CostMatrix(torch.nn.Module):
    """Expected cost; the costs are a buffer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("cost", torch.ones(3, 3) - torch.eye(3))

    def forward(self, scores, target):
        return (scores.softmax(1) @ self.cost.T)[torch.arange(len(target)), target]


class Margins(torch.nn.Module):
    """Margins in a plain attribute, within a dictionary."""

    def __init__(self):
        super().__init__()
        self.settings = {"margins": torch.tensor(WEIGHT)}

    def forward(self, scores, target):
        rows = torch.arange(len(target))
        return each(
            scores.index_put((rows, target), scores[rows, target] - self.settings["margins"][target]), target
        )


class Weighted:
    """A callable object that holds weights."""

    def __init__(self):
        self.weight = torch.tensor(WEIGHT)

    def __call__(self, scores, target):
        return each(scores, target, weight=self.weight)

    def method(self, scores, target):
        return self(scores, target)


class Subclass(ClassificationLoss):
    """A loss of our own contract, with a buffer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("weight", torch.tensor(WEIGHT))

    def per_sample(self, scores, target):
        return self.weight[target] * LogLoss().per_sample(scores, target)


def closure(dtype):
    weight = torch.tensor(WEIGHT, dtype=dtype)
    return lambda scores, target: cross_entropy(scores, target, weight=weight, reduction="none")


class Temperature(torch.nn.Module):
    """A temperature that is learned, and probabilities by it."""

    def __init__(self):
        super().__init__()
        self.slope = torch.nn.Parameter(torch.ones(1))

    def forward(self, scores, target):
        return each(scores * self.slope, target)

    def predict_proba(self, scores):
        return (scores * self.slope).softmax(1)


class Centers(torch.nn.Module):
    """Log loss plus the distance of the scores from a learned centre of their class."""

    def __init__(self):
        super().__init__()
        self.centers = torch.nn.Parameter(torch.zeros(3, 3))

    def forward(self, scores, target):
        return each(scores, target) + 0.1 * (scores - self.centers[target]).square().sum(1)


class Teacher(torch.nn.Module):
    """Nearness to what a frozen network makes of the scores, batch norm and all."""

    def __init__(self):
        super().__init__()
        self.network = torch.nn.Linear(3, 3).requires_grad_(False)
        torch.nn.init.eye_(self.network.weight)
        torch.nn.init.constant_(self.network.bias, 0.1)

    def forward(self, scores, target):
        return each(scores, target) + (self.network(scores) - scores).square().mean(1)


class RunningMean(torch.nn.Module):
    """Scores less their running mean over the batches."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))

    def forward(self, scores, target):
        if self.training:
            self.mean.lerp_(scores.detach().mean(0), 0.1)
        return each(scores - self.mean, target)


class Counted(torch.nn.Module):
    """Smoothing that grows with the number of batches, counted in a plain attribute."""

    def __init__(self):
        super().__init__()
        self.batches = 0

    def forward(self, scores, target):
        self.batches += self.training
        return each(scores, target, label_smoothing=min(0.01 * self.batches, 0.5))


class Heedless(torch.nn.Module):
    """A running mean, in place or replaced, and counters, that take evaluations for training too."""

    def __init__(self, in_place):
        super().__init__()
        self.register_buffer("mean", torch.zeros(3))
        self.in_place, self.calls, self.sizes, self.seen = in_place, 0, [], {}

    def forward(self, scores, target):
        mean = 0.9 * self.mean + 0.1 * scores.detach().mean(0)
        self.mean = self.mean.copy_(mean) if self.in_place else mean
        self.calls += 1
        self.sizes.append(len(scores))
        self.seen[self.calls] = True
        return each(
            (scores - self.mean) * (1 + 0.01 * (self.calls + len(self.sizes) + len(self.seen))), target
        )


class Counting:
    """A callable object that counts its calls."""

    def __init__(self):
        self.calls, self.last = 0, torch.zeros(1)

    def __call__(self, scores, target):
        self.calls += 1
        self.last.add_(1)
        return each(scores, target, label_smoothing=min(0.005 * (self.calls + float(self.last)), 0.9))


class OwnNoise(torch.nn.Module):
    """Noise from generators of its own, in evaluation too."""

    def __init__(self):
        super().__init__()
        self.torch, self.numpy = torch.Generator().manual_seed(0), np.random.default_rng(0)
        self.legacy = np.random.RandomState(0)

    def forward(self, scores, target):
        noise = torch.randn(scores.shape, generator=self.torch).to(scores)
        return each(scores + noise * (self.numpy.random() + self.legacy.rand()), target)


class Dropped(torch.nn.Module):
    """Dropout on the scores, in training alone."""

    def forward(self, scores, target):
        return each(dropout(scores, 0.3, self.training), target)


class Harder(torch.nn.Module):
    """Smoothing in training alone: deterministic, but of another value in evaluation mode."""

    def forward(self, scores, target):
        return each(scores, target, label_smoothing=0.3 if self.training else 0.0)


def noisy(scores, target):
    return each(scores + torch.randn_like(scores), target)


def numpy_noise(scores, target):
    noise = torch.from_numpy(np.random.normal(size=tuple(scores.shape)))  # noqa: NPY002 (what users write)
    return each(scores + noise.to(scores.dtype), target)


def doubled_in_place(scores, target):
    return each(scores.mul_(2), target)


def forgetful(scores, target):
    y = torch.nn.functional.one_hot(target, scores.shape[1])
    target.zero_()
    return -(y * scores.log_softmax(1)).sum(1)


WITH_TENSORS = {
    "weights of cross-entropy": lambda: torch.nn.CrossEntropyLoss(weight=torch.tensor(WEIGHT)),
    "weights of a margin loss": lambda: torch.nn.MultiMarginLoss(weight=torch.tensor(WEIGHT)),
    "weights in double precision": lambda: torch.nn.CrossEntropyLoss(
        torch.tensor(WEIGHT, dtype=torch.float64)
    ),
    "a buffer": CostMatrix,
    "a plain attribute": Margins,
    "a partial": lambda: partial(each, weight=torch.tensor(WEIGHT)),
    "a callable object": Weighted,
    "a bound method": lambda: Weighted().method,
    "a subclass": Subclass,
    "a closure in single precision": lambda: closure(torch.float32),
    "a closure in double precision": lambda: closure(torch.float64),
}
LEARNED = {"a temperature": Temperature, "centers": Centers}
STATEFUL = {"a running mean": RunningMean, "a counter": Counted}
RANDOM = {"noise": lambda: noisy, "noise of NumPy": lambda: numpy_noise, "dropout": Dropped}
STILL = {
    **WITH_TENSORS,
    "a frozen teacher": Teacher,
    "another value in training": Harder,
    "writing into the scores": lambda: doubled_in_place,
    "writing into the target": lambda: forgetful,
    "an instance": LogLoss,
}
HEEDLESS = {
    "a running mean in any mode": lambda: Heedless(False),
    "a running mean in place in any mode": lambda: Heedless(True),
    "an object that counts": Counting,
    "generators of its own": OwnNoise,
}
BROUGHT = {**STILL, **LEARNED, **STATEFUL, **RANDOM}
