"""What the losses on probabilities share: the way from scores to probabilities and back."""

from abc import abstractmethod

from sklearn_nndyn.losses._base import ClassificationLoss, check_choice, differentiate, one_hot
from sklearn_nndyn.losses._links import LINKS


class ProbabilityLoss(ClassificationLoss):
    """Base of the losses that act on probabilities.

    A child writes `formula`, and may write its derivative `slope`; this base takes both through the link.
    Everything is computed from log p, so values and gradients stay finite however large the scores are.

    Parameters
    ----------
    link : {"softmax", "sigmoid"}, default="softmax"
        How scores become the probabilities the loss acts on. With "sigmoid" each p_j is that of its own
        output, and the p_j do not sum to one; `predict_proba` divides them by their sum.
    reduction : {"mean", "sum", "none"}, default="mean"
        As in `ClassificationLoss`.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import ProbabilityLoss
    >>> class FocalLoss(ProbabilityLoss):
    ...     '''-(1 - p_c)^2 log p_c'''
    ...
    ...     def formula(self, log_p, p, y):
    ...         return -((1 - p).square() * log_p * y).sum(-1)
    >>> values, gradient = FocalLoss().value_and_gradient(torch.tensor([[0.0, 0.0]]), torch.tensor([0]))
    >>> values  # log(2) / 4
    tensor([0.1733])
    >>> gradient
    tensor([[-0.2983,  0.2983]])
    """

    def __init__(self, *, link="softmax", reduction="mean"):
        super().__init__(reduction=reduction)
        self.link = check_choice("link", link, LINKS)

    @abstractmethod
    def formula(self, log_p, p, y):
        """The loss (..., n) of each sample, from log p, p and the one-hot y, each (..., n, K)."""

    def slope(self, log_p, p, y):
        """Gradient (..., n, K) of `formula` in log p, each log p_j a variable of its own; here autograd."""
        return differentiate(lambda log_p, y: self.formula(log_p, log_p.exp(), y), log_p, y)[1]

    def per_sample(self, scores, target):
        """The loss (..., n) of each sample: `formula` at the probabilities of `scores` (..., n, K)."""
        log_p = LINKS[self.link].log_p(scores)
        return self.formula(log_p, log_p.exp(), one_hot(log_p, target))

    def value_and_gradient(self, scores, target):
        """Values (..., n) and their gradients (..., n, K) in `scores`: `slope`, taken through the link."""
        link = LINKS[self.link]
        log_p = link.log_p(scores.detach())
        parts = log_p, log_p.exp(), one_hot(log_p, target)
        return self.formula(*parts), link.chain(self.slope(*parts), log_p)

    def predict_proba(self, scores):
        """Probabilities (..., n, K) of the classes, rows summing to one: p, divided by its sum.

        The division is made in the log, so rows are right even where every sigmoid underflows.
        """
        # Along the last axis: what a sample gets must not depend, even in its last bit, on where it stands.
        return (scores if self.link == "softmax" else LINKS[self.link].log_p(scores)).softmax(-1)

    def extra_repr(self):
        """What ``repr`` shows between the brackets."""
        return f"link={self.link!r}, {super().extra_repr()}"
