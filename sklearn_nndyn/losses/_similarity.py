"""Losses on probabilities that take p and y for vectors: how alike their directions are."""

from torch import Tensor

from sklearn_nndyn.losses._base import log_softmax
from sklearn_nndyn.losses._probability_base import ProbabilityLoss


class TanimotoLoss(ProbabilityLoss):
    """Tanimoto similarity, negated: - p.y / (p.p + y.y - p.y).

    No unit; between -1 (p = y) and 0. It is - p_c / (p.p + 1 - p_c). Gradient in o_k with softmax: with
    D = p.p + 1 - p_c and h_j = -d_j / D + p_c (2 p_j - d_j) / D^2, it is p_k (h_k - sum_j p_j h_j).

    Not proper, so `predict_proba` is not calibrated but too sure: where the true probabilities are 0.7, 0.2 and
    0.1, the expected loss is least with 0.96 for the first. ``CalibratedClassifierCV(method="temperature")`` of
    scikit-learn mends that.

    Learning rates that reach 0.95 on the digits (see `sklearn_nndyn.losses`): 1e-3, 3e-3; with sigmoids 1e-2
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
    >>> from sklearn_nndyn.losses import TanimotoLoss
    >>> TanimotoLoss(reduction="none")(torch.tensor([[0.0, 0.0], [0.0, 100.0]]), torch.tensor([0, 1]))
    tensor([-0.5000, -1.0000])
    """

    name, lower_bound, proper = "tanimoto", -1.0, False

    def formula(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # - p_c / (p.p + 1 - p_c)
        own, rest = p * y, p * (y - p)
        return own.sum(-1) / (rest - y).sum(-1)

    def grad_log_p(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # p_j h_j, with h = - y / D + p_c (2 p - y) / D^2
        return self.formula_and_grad(log_p, p, y)[1]

    def formula_and_grad(self, log_p: Tensor, p: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        # `formula` v and `grad_log_p`, - p (y + v (2 p - y)) / D
        own, rest = p * y, p * (y - p)
        minus_union = (rest - y).sum(-1, keepdim=True)
        value = own.sum(-1, keepdim=True) / minus_union
        grad = own.addcmul(value, own.sub(rest, alpha=2)).div_(minus_union)
        return value.squeeze(-1), grad


class CauchySchwarzLoss(ProbabilityLoss):
    """Cauchy-Schwarz divergence: - log( p.y / (|p| |y|) ) = - log p_c + (1/2) log p.p.

    In nats, from 0 up. With softmax it is the log loss minus half the Renyi quadratic entropy - log p.p; the
    gradient in o_k is (p_k - d_k) + p_k (p_k / p.p - 1).

    Not proper, so `predict_proba` is not calibrated but too unsure: the most probable class is given 0.12 less
    than the accuracy (measured on held-out images). ``CalibratedClassifierCV(method="temperature")`` of
    scikit-learn mends that.

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
    >>> from sklearn_nndyn.losses import CauchySchwarzLoss
    >>> CauchySchwarzLoss()(torch.tensor([[0.0, 0.0, 0.0, 0.0]]), torch.tensor([2]))  # log(4) / 2
    tensor(0.6931)
    """

    name, lower_bound, unit, proper = "cauchy_schwarz", 0.0, "nats", False

    def formula(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # - log p_c + (1/2) log p.p
        return (y * _log_shares(log_p)).sum(-1) / -2

    def grad_log_p(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # p_j^2 / p.p - y_j
        return _log_shares(log_p).exp() - y

    def formula_and_grad(self, log_p: Tensor, p: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        # `formula` and `grad_log_p`, from log(p_j^2 / p.p)
        log_shares = _log_shares(log_p)
        return (y * log_shares).sum(-1).div_(-2), log_shares.exp_().sub_(y)


def _log_shares(log_p):
    """log(p_j^2 / p.p), (..., n, K): only the ratios of the p_j matter, however small all of them are."""
    return log_softmax(log_p + log_p)
