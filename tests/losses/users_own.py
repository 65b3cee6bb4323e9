"""Losses that a user may bring, for tests."""

import torch

from sklearn_nndyn.losses import ClassificationLoss, CustomLoss, ProbabilityLoss, TanimotoLoss


class Perceptron(ClassificationLoss):
    """A user's own: no closed form, no probabilities, and it decides for the least score."""

    def __init__(self, margin=0.0):
        super().__init__()
        self.margin = margin

    def per_sample(self, scores, target):
        return (scores.amax(-1) - scores.gather(-1, target.unsqueeze(-1)).squeeze(-1) - self.margin).abs()

    def decide(self, scores):
        return scores.argmin(-1)


class Cubed(ProbabilityLoss):
    """A user's own on probabilities, without a written gradient."""

    def formula(self, log_p, p, y):
        return (y - p).abs().pow(3).sum(-1)


class Shifted(TanimotoLoss):
    """A known loss of which a user changed the formula and its gradient."""

    def formula(self, log_p, p, y):
        return -(y * p).sum(-1)

    def grad_log_p(self, log_p, p, y):
        return -y * p


class Doubled(TanimotoLoss):
    """A known loss of which a user changed what it gives."""

    def per_sample(self, scores, target):
        return 2 * super().per_sample(scores, target)

    def value_and_gradient(self, scores, target):
        return tuple(2 * result for result in super().value_and_gradient(scores, target))


class Clipped(TanimotoLoss):
    """A known loss of which a user changed the gradient alone."""

    def value_and_gradient(self, scores, target):
        values, gradient = super().value_and_gradient(scores, target)
        return values, gradient.clamp(-0.01, 0.01)


class Counting:
    """A function of a user that counts its calls, and decides."""

    def __init__(self):
        self.calls = 0

    def __call__(self, scores, target):
        self.calls += 1
        return torch.nn.functional.cross_entropy(scores, target, reduction="none")

    def decide(self, scores):
        return scores.argmin(-1)


def cross_entropy(scores, target):
    return torch.nn.functional.cross_entropy(scores, target, reduction="none")


def smoothed(amount):
    return CustomLoss(torch.nn.CrossEntropyLoss(label_smoothing=amount))
