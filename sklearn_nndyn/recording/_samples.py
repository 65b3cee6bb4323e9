"""Loss, margin and prediction of each sample, from its scores."""

import torch

from sklearn_nndyn.losses import ClassificationLoss


def measure_samples(scores, target, loss):
    """Measure each sample of a stack of networks.

    Parameters
    ----------
    scores : tensor of shape (n_networks, n_samples, n_classes)
        Raw outputs.
    target : tensor of shape (n_samples,) or (n_networks, n_samples)
        Class positions.
    loss : ClassificationLoss
        What is trained.

    Returns
    -------
    values : tensor of shape (n_networks, n_samples)
        The loss of each sample.
    margin : tensor of shape (n_networks, n_samples)
        Score of the true class minus the best other.
    prediction : tensor of shape (n_networks, n_samples)
        Decided class positions.
    """
    target = target.expand(scores.shape[:-1])
    values = loss.per_sample(scores, target)
    margin, prediction = _margin_and_argmax(scores, target)
    if not takes_the_greatest(loss):
        prediction = loss.decide(scores)
    return values, margin, prediction


def takes_the_greatest(loss):
    """Whether the loss, or each of a stack of losses, decides for the class of the greatest score."""
    losses = getattr(loss, "losses", [loss])
    return all(type(own).decide is ClassificationLoss.decide for own in losses)


def _margin_and_argmax(scores, target):
    """One pass over the other classes gives both; the first of equal scores wins, as in argmax."""
    column = target.unsqueeze(-1)
    best, where = scores.scatter(-1, column, -torch.inf).max(-1)
    margin = scores.gather(-1, column).squeeze(-1) - best
    true_wins = (margin > 0) | ((margin == 0) & (target < where))
    return margin, torch.where(true_wins, target, where)
