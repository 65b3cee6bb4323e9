"""Losses as people write them: {name: function that makes one}."""

from functools import partial

import numpy as np
import torch
from torch import nn

N_CLASSES = 3


class PerSample(nn.Module):
    """A loss of one value for each sample, with the attribute by which torch's own are told so."""

    def __init__(self):
        super().__init__()
        self.reduction = "mean"

    def reduced(self, values):
        return values if self.reduction == "none" else values.mean()


class Focal(PerSample):
    def forward(self, scores, target):
        values = nn.functional.cross_entropy(scores, target, reduction="none")
        return self.reduced((1 - torch.exp(-values)) ** 2 * values)


class Costs(PerSample):
    """Expected cost, by a matrix that is a plain tensor."""

    def __init__(self):
        super().__init__()
        self.costs = 1 - torch.eye(N_CLASSES)

    def forward(self, scores, target):
        return self.reduced((scores.softmax(-1) * self.costs[target]).sum(-1))


class Adjusted(PerSample):
    """Scores shifted by the logarithm of the classes' shares, which are a buffer."""

    def __init__(self):
        super().__init__()
        self.register_buffer("shares", torch.tensor([0.5, 0.3, 0.2]))

    def forward(self, scores, target):
        return self.reduced(nn.functional.cross_entropy(scores + self.shares.log(), target, reduction="none"))


class Temperature(PerSample):
    """Learns a temperature."""

    def __init__(self):
        super().__init__()
        self.log_temperature = nn.Parameter(torch.zeros(()))

    def forward(self, scores, target):
        return self.reduced(
            nn.functional.cross_entropy(scores * self.log_temperature.exp(), target, reduction="none")
        )


class Centers(PerSample):
    """Learns a center of the scores of each class."""

    def __init__(self):
        super().__init__()
        self.centers = nn.Parameter(torch.eye(N_CLASSES))

    def forward(self, scores, target):
        values = nn.functional.cross_entropy(scores, target, reduction="none")
        return self.reduced(values + 0.1 * (scores - self.centers[target]).square().sum(-1))


class Teacher(PerSample):
    """Holds a frozen network, of the scores."""

    def __init__(self):
        super().__init__()
        self.teacher = nn.Linear(N_CLASSES, N_CLASSES).requires_grad_(False)

    def forward(self, scores, target):
        values = nn.functional.cross_entropy(scores, target, reduction="none")
        return self.reduced(values + 0.1 * (self.teacher(scores) - scores).square().mean(-1))


class Random(PerSample):
    """Draws noise from torch or NumPy, in training alone or always."""

    def __init__(self, source, training_only):
        super().__init__()
        self.source, self.training_only = source, training_only

    def forward(self, scores, target):
        if self.training or not self.training_only:
            noise = (
                torch.randn(len(scores))
                if self.source == "torch"
                else torch.tensor(np.random.randn(len(scores)))
            )
            scores = scores + 0.1 * noise[:, None].to(scores) * torch.arange(N_CLASSES)
        return self.reduced(nn.functional.cross_entropy(scores, target, reduction="none"))


class Dropped(PerSample):
    """Has a layer of dropout."""

    def __init__(self):
        super().__init__()
        self.dropout = nn.Dropout(0.3)

    def forward(self, scores, target):
        return self.reduced(nn.functional.cross_entropy(self.dropout(scores), target, reduction="none"))


class Running(PerSample):
    """Divides by a running mean that training updates."""

    def __init__(self):
        super().__init__()
        self.register_buffer("mean", torch.ones(()))

    def forward(self, scores, target):
        values = nn.functional.cross_entropy(scores, target, reduction="none")
        if self.training:
            self.mean.mul_(0.9).add_(0.1 * values.detach().mean())
        return self.reduced(values / self.mean)


def in_place(scores, target):
    scores.mul_(0.5)
    return nn.functional.cross_entropy(scores, target, reduction="none")


def writes_labels(scores, target):
    values = -(nn.functional.one_hot(target, N_CLASSES) * scores.log_softmax(-1)).sum(-1)
    target.zero_()
    return values


def margin(scores, target):
    true = scores.gather(1, target[:, None])
    return (1 + scores - true).clamp(min=0).sum(1) - 1


LOSSES = {
    "CrossEntropyLoss": nn.CrossEntropyLoss,
    "with class weights": lambda: nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 0.5])),
    "with smoothing": lambda: nn.CrossEntropyLoss(label_smoothing=0.2),
    "MultiMarginLoss": nn.MultiMarginLoss,
    "a function": lambda: margin,
    "torch's function": lambda: partial(nn.functional.cross_entropy, reduction="none"),
    "focal": Focal,
    "cost matrix": Costs,
    "buffer": Adjusted,
    "learned temperature": Temperature,
    "learned centers": Centers,
    "frozen teacher": Teacher,
    "random from torch": lambda: Random("torch", True),
    "random from torch, always": lambda: Random("torch", False),
    "random from numpy": lambda: Random("numpy", True),
    "random from numpy, always": lambda: Random("numpy", False),
    "dropout": Dropped,
    "running mean": Running,
    "writes into scores": lambda: in_place,
    "writes into labels": lambda: writes_labels,
}
