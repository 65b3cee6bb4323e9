"""Losses on raw scores: they know no probabilities."""

from sklearn_nndyn.losses._base import ClassificationLoss, check_choice, one_hot


class L1Loss(ClassificationLoss):
    """L1 on raw scores: sum_j |y_j - o_j|, over all K outputs.

    No unit, from 0 up. Gradient in o_k: sign(o_k - y_k). Every sample pulls equally however wrong it is, and
    the median of a one-hot target among many classes is zero: this loss is slow where there are many classes.

    Learning rates that reach 0.95 on the digits (see `sklearn_nndyn.losses`): 3e-3 alone (1e-3 is too slow
    for 60 epochs, 1e-2 does not learn).

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default="mean"
        As in `ClassificationLoss`.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import L1Loss
    >>> L1Loss()(torch.tensor([[3.0, 0.5, 0.0]]), torch.tensor([0]))
    tensor(2.5000)
    """

    def per_sample(self, scores, target):
        """sum_j |y_j - o_j|, (..., n)"""
        return (one_hot(scores, target) - scores).abs().sum(-1)

    def value_and_gradient(self, scores, target):
        """Values (..., n) and sign(o - y) (..., n, K)"""
        excess = scores.detach() - one_hot(scores, target)
        return excess.abs().sum(-1), excess.sign()


class L2Loss(ClassificationLoss):
    """L2 on raw scores: sum_j (y_j - o_j)^2, over all K outputs.

    No unit, from 0 up. Gradient in o_k: 2 (o_k - y_k).

    Learning rates that reach 0.95 on the digits (see `sklearn_nndyn.losses`): 1e-3, 3e-3, 1e-2.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default="mean"
        As in `ClassificationLoss`.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import L2Loss
    >>> L2Loss()(torch.tensor([[3.0, 0.5, 0.0]]), torch.tensor([0]))
    tensor(4.2500)
    """

    def per_sample(self, scores, target):
        """sum_j (y_j - o_j)^2, (..., n)"""
        return (one_hot(scores, target) - scores).square().sum(-1)

    def value_and_gradient(self, scores, target):
        """Values (..., n) and 2 (o - y) (..., n, K)"""
        excess = scores.detach() - one_hot(scores, target)
        return excess.square().sum(-1), 2 * excess


class HingeLoss(ClassificationLoss):
    """Hinge on raw scores, one against the rest: sum_j max(0, 1/2 - yhat_j o_j)^q, yhat = 2y - 1 in {-1, 1}.

    No unit, from 0 up; K / 2^q where all scores are zero. A sum over all K outputs with margin 1/2. Gradient
    in o_k: - q yhat_k max(0, 1/2 - yhat_k o_k)^(q - 1), and 0 beyond the margin. ``"hinge"``,
    ``"squared_hinge"`` and ``"cubed_hinge"`` are q = 1, 2 and 3.

    Learning rates that reach 0.95 on the digits (see `sklearn_nndyn.losses`): 1e-3, 3e-3, 1e-2, for each of
    the three powers.

    Parameters
    ----------
    power : {1, 2, 3}, default=1
        The q of the formula.
    reduction : {"mean", "sum", "none"}, default="mean"
        As in `ClassificationLoss`.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import HingeLoss
    >>> HingeLoss(power=2)(torch.tensor([[3.0, 0.5, 0.0]]), torch.tensor([0]))  # 0 + 1 + 1/4
    tensor(1.2500)
    """

    def __init__(self, *, power=1, reduction="mean"):
        super().__init__(reduction=reduction)
        self.power = check_choice("power", power, (1, 2, 3))

    def per_sample(self, scores, target):
        """sum_j max(0, 1/2 - yhat_j o_j)^q, (..., n)"""
        yhat = 2 * one_hot(scores, target) - 1
        return (0.5 - yhat * scores).relu().pow(self.power).sum(-1)

    def value_and_gradient(self, scores, target):
        """Values (..., n) and - q yhat max(0, 1/2 - yhat o)^(q - 1) (..., n, K)"""
        yhat = 2 * one_hot(scores, target) - 1
        slack = (0.5 - yhat * scores.detach()).relu()
        inside = slack.sign()  # 0^(q - 1) is 1 for q = 1: beyond the margin there is no gradient
        return slack.pow(self.power).sum(-1), -self.power * inside * slack.pow(self.power - 1) * yhat

    def extra_repr(self):
        """What ``repr`` shows between the brackets."""
        return f"power={self.power}, {super().extra_repr()}"
