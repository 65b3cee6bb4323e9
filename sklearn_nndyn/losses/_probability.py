"""Losses on probabilities, class by class: five formulas, each with its derivative."""

from torch import Tensor

from sklearn_nndyn.losses._base import Depending, log_softmax
from sklearn_nndyn.losses._links import LOG_P
from sklearn_nndyn.losses._probability_base import ProbabilityLoss


class LogLoss(ProbabilityLoss):
    """Log loss, the cross-entropy: - log p_c.

    In nats, from 0 up; log(K) for a softmax that knows nothing. Gradient in o_k with softmax: p_k - d_k. With
    ``link="sigmoid"`` it follows the formula and depends on the output of the true class alone: the scores of
    the other classes have no gradient and are never pushed down.

    Proper with softmax: the expected loss is least at the true probabilities. With sigmoids it is not, and
    `predict_proba` is not calibrated: ``CalibratedClassifierCV(method="temperature")`` of scikit-learn mends
    that.

    Learning rates that reach 0.95 on the digits (see `sklearn_nndyn.losses`): 1e-3, 3e-3, 1e-2; with
    sigmoids none of the three.

    Parameters
    ----------
    link : {"softmax", "sigmoid"}, default="softmax"
        As in `ProbabilityLoss`.
    reduction : {"mean", "sum", "none"}, default="mean"
        As in `ClassificationLoss`.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import LogLoss
    >>> scores, target = torch.tensor([[0.0, 0.0], [0.0, -10000.0]]), torch.tensor([0, 1])
    >>> LogLoss().per_sample(scores, target)
    tensor([6.9315e-01, 1.0000e+04])
    >>> LogLoss().predict_proba(scores)
    tensor([[0.5000, 0.5000],
            [1.0000, 0.0000]])
    """

    name, lower_bound, unit = "log", 0.0, "nats"
    proper = Depending(True, lambda loss: loss.link == "softmax")

    def formula(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # - log p_c
        return -(y * log_p).sum(-1)

    def grad_log_p(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # - y
        return -y

    def formula_and_grad(self, log_p: Tensor, p: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        # `formula` and `grad_log_p`: one is the sum of the other, times log p
        grad = -y
        return (grad * log_p).sum(-1), grad

    def per_sample(self, scores: Tensor, target: Tensor) -> Tensor:
        # - log p_c (..., n)
        return -self._log_p_c(scores, target)

    def _log_p_c(self, scores: Tensor, target: Tensor) -> Tensor:
        # Picked without the one-hot y
        return LOG_P[self.link](scores).gather(-1, target.unsqueeze(-1)).squeeze(-1)

    def value_and_probability(self, scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor | None]:
        # Values (..., n), and the probability (..., n) of the true class; with softmax both follow from log p_c.
        if self.link != "softmax":
            return super().value_and_probability(scores, target)
        log_p_c = self._log_p_c(scores, target)
        return -log_p_c, log_p_c.exp()

    def value_and_gradient(self, scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        # Values (..., n) and their gradients (..., n, K) in `scores`; with softmax p - y, in few steps.
        if self.link != "softmax":
            return super().value_and_gradient(scores, target)
        index = target.unsqueeze(-1)
        log_p = log_softmax(scores.detach())
        log_p_c = log_p.gather(-1, index)
        return -log_p_c.squeeze(-1), log_p.exp().scatter_(-1, index, -1.0, reduce="add")


class SquaredLogLoss(ProbabilityLoss):
    """Squared log loss: (log p_c)^2.

    In squared nats, from 0 up. The paper prints it with a leading minus; this is the sign that can be
    minimised. Gradient in o_k with softmax: 2 (-log p_c) (p_k - d_k). With ``link="sigmoid"`` it follows the
    formula and, as `LogLoss` does, ignores the outputs of the other classes.

    Not proper, so `predict_proba` is not calibrated but too unsure: the most probable class is given 0.15 less
    than the accuracy (measured on held-out images). ``CalibratedClassifierCV(method="temperature")`` of
    scikit-learn mends that.

    Learning rates that reach 0.95 on the digits (see `sklearn_nndyn.losses`): 1e-3, 3e-3, 1e-2; with
    sigmoids none of the three.

    Parameters
    ----------
    link : {"softmax", "sigmoid"}, default="softmax"
        As in `ProbabilityLoss`.
    reduction : {"mean", "sum", "none"}, default="mean"
        As in `ClassificationLoss`.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import SquaredLogLoss
    >>> SquaredLogLoss()(torch.tensor([[0.0, -100.0]]), torch.tensor([1]))
    tensor(10000.)
    """

    name, lower_bound, unit, proper = "squared_log", 0.0, "nats²", False

    def formula(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # (log p_c)^2
        return (y * log_p).sum(-1).square()

    def grad_log_p(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # 2 log p_c y
        return 2 * log_p * y

    def formula_and_grad(self, log_p: Tensor, p: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        # `formula` and `grad_log_p`, from log p_c y
        own = y * log_p
        return own.sum(-1).square_(), own.add_(own)


class ExpectationLoss(ProbabilityLoss):
    """L1 on probabilities: sum_j |y_j - p_j|.

    No unit; between 0 and 2 with softmax, where it is 2 (1 - p_c): twice the probability that a label drawn
    from p is wrong. Between 0 and K with sigmoids. Gradient in o_k with softmax: 2 p_c (p_k - d_k), which
    vanishes where p_c is small as where it is near one, so badly wrong samples learn slowly.

    Not proper, so `predict_proba` is not calibrated but too sure: the most probable class is given 0.11 more
    than the accuracy (measured on held-out images). ``CalibratedClassifierCV(method="temperature")`` of
    scikit-learn mends that.

    Learning rates that reach 0.95 on the digits (see `sklearn_nndyn.losses`): 3e-3; with sigmoids none of the
    three.

    Parameters
    ----------
    link : {"softmax", "sigmoid"}, default="softmax"
        As in `ProbabilityLoss`.
    reduction : {"mean", "sum", "none"}, default="mean"
        As in `ClassificationLoss`.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import ExpectationLoss
    >>> ExpectationLoss()(torch.tensor([[0.0, 0.0, 0.0, 0.0]]), torch.tensor([2]))
    tensor(1.5000)
    """

    name, lower_bound, proper = "expectation", 0.0, False

    def formula(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # sum_j |y_j - p_j|
        return (y - p).abs().sum(-1)

    def grad_log_p(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # p_j sign(p_j - y_j)
        return _signed(p, y)

    def formula_and_grad(self, log_p: Tensor, p: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        # `formula` and `grad_log_p`, for |p - y| is the gradient plus y
        grad = _signed(p, y)
        return (grad + y).sum(-1), grad


def _signed(p, y):
    """p_j sign(p_j - y_j), (..., n, K)"""
    return p.addcmul(p, y, value=-2)


class RegularizedExpectationLoss(ProbabilityLoss):
    """L2 on probabilities, the Brier score: sum_j (y_j - p_j)^2.

    No unit; between 0 and 2 with softmax, where it is 1 - 2 p_c + sum_j p_j^2, and between 0 and K with
    sigmoids. Gradient in o_k with softmax: 2 p_k ((p_k - d_k) - sum_j p_j (p_j - y_j)); it vanishes at both
    ends of p_c.

    Proper, with softmax and with sigmoids: the expected loss is least at the true probabilities.

    Learning rates that reach 0.95 on the digits (see `sklearn_nndyn.losses`): 1e-3, 3e-3, 1e-2, with sigmoids
    too.

    Parameters
    ----------
    link : {"softmax", "sigmoid"}, default="softmax"
        As in `ProbabilityLoss`.
    reduction : {"mean", "sum", "none"}, default="mean"
        As in `ClassificationLoss`.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import RegularizedExpectationLoss
    >>> RegularizedExpectationLoss()(torch.tensor([[0.0, 0.0, 0.0, 0.0]]), torch.tensor([2]))
    tensor(0.7500)
    """

    name, lower_bound, proper = "regularized_expectation", 0.0, True

    def formula(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # sum_j (y_j - p_j)^2
        return (y - p).square().sum(-1)

    def grad_log_p(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # 2 p_j (p_j - y_j)
        return 2 * p * (p - y)

    def formula_and_grad(self, log_p: Tensor, p: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        # `formula` and `grad_log_p`, from p - y
        error = p - y
        half = p * error
        return error.square_().sum(-1), half.add_(half)


class ChebyshevLoss(ProbabilityLoss):
    """Greatest error of a probability: max_j |p_j - y_j|.

    No unit; between 0 and 1. With softmax it is 1 - p_c, half of `ExpectationLoss`, and its gradient in o_k
    is p_c (p_k - d_k). With sigmoids it is another loss: only the worst output has a gradient (shared equally
    in a tie).

    Not proper, so `predict_proba` is not calibrated but too sure: as with `ExpectationLoss` the most probable
    class is given 0.11 more than the accuracy (measured on held-out images).
    ``CalibratedClassifierCV(method="temperature")`` of scikit-learn mends that.

    Learning rates that reach 0.95 on the digits (see `sklearn_nndyn.losses`): 3e-3; with sigmoids 1e-3, 3e-3,
    1e-2.

    Parameters
    ----------
    link : {"softmax", "sigmoid"}, default="softmax"
        As in `ProbabilityLoss`.
    reduction : {"mean", "sum", "none"}, default="mean"
        As in `ClassificationLoss`.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import ChebyshevLoss
    >>> ChebyshevLoss()(torch.tensor([[0.0, 0.0, 0.0, 0.0]]), torch.tensor([2]))
    tensor(0.7500)
    """

    name, lower_bound, proper = "chebyshev", 0.0, False

    def formula(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # max_j |p_j - y_j|
        return (p - y).abs().amax(-1)

    def grad_log_p(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # p_j sign(p_j - y_j) where the error is greatest, 0 elsewhere
        error = (p - y).abs()
        worst = (error == error.amax(-1, keepdim=True)).to(p.dtype)
        return _signed(p, y) * worst / worst.sum(-1, keepdim=True)

    def formula_and_grad(self, log_p: Tensor, p: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        # `formula` and `grad_log_p`; with softmax the true class errs the most, for it errs by what all others have
        if self.link != "softmax":
            return super().formula_and_grad(log_p, p, y)
        own = p * y
        return (y - own).sum(-1), own.neg_()
