"""Loss, margin, prediction and probability of each sample, from its scores."""

from typing import NamedTuple

import torch

from sklearn_nndyn.losses import ClassificationLoss


class SampleMeasures(NamedTuple):
    """The recorded fields of the samples: tensors of shape (n_networks, n_samples)."""

    loss: torch.Tensor
    margin: torch.Tensor
    prediction: torch.Tensor
    probability: torch.Tensor | None


def measure_samples(scores, target, loss):
    """Measure each sample of a stack of networks.

    Parameters
    ----------
    scores : tensor of shape (n_networks, n_samples, n_classes)
        Raw outputs.
    target : tensor of shape (n_samples,) or (n_networks, n_samples)
        Class positions.
    loss : ClassificationLoss
        The trained loss.

    Returns
    -------
    measures : SampleMeasures
        The loss of each sample; the score of its true class minus the best other; the decided class position; and the
        probability of the true class, None where the loss has no probabilities.
    """
    target = target.expand(scores.shape[:-1])
    values, probability = loss.value_and_probability(scores, target)
    margin, prediction = _margin_and_argmax(scores, target)
    if not takes_the_greatest(loss):
        prediction = loss.decide(scores)
    return SampleMeasures(values, margin, prediction, probability)


def takes_the_greatest(loss):
    """Whether the loss, or each of a stack of losses, decides for the class of the greatest score."""
    losses = getattr(loss, "losses", [loss])
    return all(type(own).decide is ClassificationLoss.decide for own in losses)


def _margin_and_argmax(scores, target):
    """Margin and predicted class, from one pass over the scores; of equal scores the first wins, as in argmax."""
    column = target.unsqueeze(-1)
    best, where = scores.scatter(-1, column, -torch.inf).max(-1)
    margin = scores.gather(-1, column).squeeze(-1) - best
    true_wins = (margin > 0) | ((margin == 0) & (target < where))
    return margin, torch.where(true_wins, target, where)
