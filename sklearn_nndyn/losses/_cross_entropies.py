"""Cross-entropies with more than the label: both ways round, and against smoothed labels."""

from math import inf

from torch import Tensor

from sklearn_nndyn.losses._base import Depending, check_number
from sklearn_nndyn.losses._probability_base import ProbabilityLoss


class SymmetricCrossEntropyLoss(ProbabilityLoss):
    """Symmetric cross-entropy: - alpha log p_c - beta A sum_{j != c} p_j, where A stands for log 0.

    Of Wang et al., "Symmetric cross entropy for robust learning with noisy labels" (2019, arXiv 1908.06112):
    the cross-entropy - sum_j y_j log p_j and the reverse, - sum_j p_j log y_j, which bounds what a wrong label
    can do. From 0 up, in nats if A is one. With softmax the second sum is 1 - p_c, and the gradient in o_k is
    (alpha - beta A p_c) (p_k - d_k). With ``link="sigmoid"`` the reverse part pushes the other outputs down.

    alpha = 1, beta = 0 is the log loss; with softmax alpha = 0, beta = 1, A = -2 is `ExpectationLoss`. Only the
    product beta A matters; the paper writes both. Defaults: alpha and beta of the paper's experiments on
    CIFAR-10 (MNIST: 0.01 and 1; CIFAR-100: 6 and 0.1); A = -4 is a common choice, the authors' published code
    takes log(1e-4) = -9.2.

    Not proper, so `predict_proba` is not calibrated but too sure: where the true probabilities are 0.7, 0.2 and
    0.1, the expected loss is least with 0.99 for the first. ``CalibratedClassifierCV(method="temperature")`` of
    scikit-learn mends that.

    Learning rates that reach 0.95 on the digits (see `sklearn_nndyn.losses`): 1e-3, 3e-3, 1e-2; with
    sigmoids 1e-2.

    Parameters
    ----------
    alpha : float, default=0.1
        Weight of the cross-entropy, from 0 up.
    beta : float, default=1.0
        Weight of the reverse cross-entropy, from 0 up.
    log_zero : float, default=-4.0
        The A of the formula, below 0.
    link : {"softmax", "sigmoid"}, default="softmax"
        As in `ProbabilityLoss`.
    reduction : {"mean", "sum", "none"}, default="mean"
        As in `ClassificationLoss`.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import SymmetricCrossEntropyLoss
    >>> SymmetricCrossEntropyLoss()(torch.tensor([[0.0, 0.0]]), torch.tensor([0]))  # 0.1 log(2) + 4 / 2
    tensor(2.0693)
    """

    name, lower_bound = "symmetric_cross_entropy", 0.0
    unit = Depending(None, lambda loss: "nats" if loss.beta == 0 else None)
    proper = Depending(False, lambda loss: loss.link == "softmax" and loss.beta == 0 < loss.alpha)

    def __init__(
        self,
        *,
        alpha: float = 0.1,
        beta: float = 1.0,
        log_zero: float = -4.0,
        link: str = "softmax",
        reduction: str = "mean",
    ) -> None:
        super().__init__(link=link, reduction=reduction)
        self.alpha = check_number("alpha", alpha, "in [0, inf)", lambda alpha: 0 <= alpha < inf)
        self.beta = check_number("beta", beta, "in [0, inf)", lambda beta: 0 <= beta < inf)
        self.log_zero = check_number("log_zero", log_zero, "in (-inf, 0)", lambda a: -inf < a < 0)

    def formula(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # - alpha log p_c - beta A sum_{j != c} p_j
        return (self._reverse(p, y) - self.alpha * y * log_p).sum(-1)

    def grad_log_p(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # - alpha y_j - beta A p_j (1 - y_j)
        return self._reverse(p, y).sub(y, alpha=self.alpha)

    def formula_and_grad(self, log_p: Tensor, p: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        # `formula` and `grad_log_p`: the reverse part, where the true class has nothing, is its own derivative
        grad = self._reverse(p, y)
        values = grad.addcmul(y, log_p, value=-self.alpha).sum(-1)
        return values, grad.sub_(y, alpha=self.alpha)

    def _reverse(self, p, y):
        """- beta A p_j (1 - y_j), (..., n, K)"""
        return p.addcmul(p, y, value=-1).mul(-self.beta * self.log_zero)

    def extra_repr(self) -> str:
        weights = f"alpha={self.alpha}, beta={self.beta}, log_zero={self.log_zero}"
        return f"{weights}, {super().extra_repr()}"


class LabelSmoothingLoss(ProbabilityLoss):
    """Cross-entropy against smoothed labels: - sum_j t_j log p_j, t = (1 - s) y + s / K.

    Of Szegedy et al., "Rethinking the Inception architecture for computer vision" (2016, arXiv 1512.00567),
    with their default; the same as ``torch.nn.CrossEntropyLoss(label_smoothing=s)``. In nats. The log loss with
    s = 0; else no sample reaches 0, for the least value is the entropy of t, where p = t: with softmax the
    gradient in o_k is p_k - t_k, and being surer than t is a mistake. With ``link="sigmoid"`` it follows the
    formula, which pushes all outputs up.

    Not proper, so `predict_proba` is not calibrated but too unsure: where the true probabilities are 0.7, 0.2
    and 0.1, the expected loss is least with 0.66 for the first.
    ``CalibratedClassifierCV(method="temperature")`` of scikit-learn mends that.

    Learning rates that reach 0.95 on the digits (see `sklearn_nndyn.losses`): 1e-3, 3e-3, 1e-2; with
    sigmoids none of the three.

    Parameters
    ----------
    smoothing : float, default=0.1
        The s of the formula, in [0, 1]: what is taken from the true class and shared by all.
    link : {"softmax", "sigmoid"}, default="softmax"
        As in `ProbabilityLoss`.
    reduction : {"mean", "sum", "none"}, default="mean"
        As in `ClassificationLoss`.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import LabelSmoothingLoss
    >>> scores, target = torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1])
    >>> LabelSmoothingLoss().per_sample(scores, target)
    tensor([0.2269, 0.6931])
    """

    name, lower_bound, unit = "label_smoothing", 0.0, "nats"
    proper = Depending(False, lambda loss: loss.link == "softmax" and loss.smoothing == 0)

    def __init__(self, *, smoothing: float = 0.1, link: str = "softmax", reduction: str = "mean") -> None:
        super().__init__(link=link, reduction=reduction)
        self.smoothing = check_number("smoothing", smoothing, "in [0, 1]", lambda s: 0 <= s <= 1)

    def formula(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # - sum_j t_j log p_j
        return (self.grad_log_p(log_p, p, y) * log_p).sum(-1)

    def grad_log_p(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # - t_j
        return y.mul(self.smoothing - 1).sub_(self.smoothing / y.shape[-1])

    def formula_and_grad(self, log_p: Tensor, p: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        # `formula` and `grad_log_p`: one is the sum of the other, times log p
        grad = self.grad_log_p(log_p, p, y)
        return (grad * log_p).sum(-1), grad

    def extra_repr(self) -> str:
        return f"smoothing={self.smoothing}, {super().extra_repr()}"
