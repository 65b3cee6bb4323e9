"""Variants of the log loss from later papers: three functions of p_c, each with a parameter that leads back to it."""

from abc import abstractmethod
from math import inf

import torch
from torch import Tensor

from sklearn_nndyn.losses._base import Depending, check_number
from sklearn_nndyn.losses._probability_base import ProbabilityLoss


class _TrueClassLoss(ProbabilityLoss):
    """Base of the losses that are a function of log p_c alone: one number a sample, however many classes there are."""

    @abstractmethod
    def _value_and_derivative(self, log_p_c: Tensor) -> tuple[Tensor, Tensor]:
        """The loss, and its derivative in log p_c, both of the shape of log p_c."""

    def formula(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # The loss at log p_c
        return self._value_and_derivative((y * log_p).sum(-1))[0]

    def grad_log_p(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        # The derivative for the true class, 0 for the others
        return self.formula_and_grad(log_p, p, y)[1]

    def formula_and_grad(self, log_p: Tensor, p: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        values, derivative = self._value_and_derivative((y * log_p).sum(-1, keepdim=True))
        return values.squeeze(-1), y * derivative


class GeneralizedCrossEntropyLoss(_TrueClassLoss):
    """Generalized cross-entropy: (1 - p_c^q) / q, from the log loss (q to 0) to the probability of error (q = 1).

    Of Zhang and Sabuncu, "Generalized cross entropy loss for training deep neural networks with noisy labels"
    (2018, arXiv 1805.07836), with their default. No unit; from 0 up to 1 / q. With softmax q = 1 is
    `ChebyshevLoss`, half of `ExpectationLoss`, and q = 1/2 the squared Hellinger distance of p and y. Gradient
    in o_k with softmax: p_c^q (p_k - d_k), that of the log loss times a weight that gives up samples of small
    p_c, among which are those of wrong labels. With ``link="sigmoid"`` it follows the formula and, as `LogLoss`
    does, ignores the outputs of the other classes.

    Not proper, so `predict_proba` is not calibrated but too sure: where the true probabilities are 0.7, 0.2 and
    0.1, the expected loss is least with 0.98 for the first. ``CalibratedClassifierCV(method="temperature")`` of
    scikit-learn mends that.

    Learning rates that reach 0.95 on the digits (see `sklearn_nndyn.losses`): 1e-3, 3e-3, 1e-2; with
    sigmoids none of the three.

    Parameters
    ----------
    q : float, default=0.7
        In (0, 1]. The larger, the less is learned from samples that are badly wrong.
    link : {"softmax", "sigmoid"}, default="softmax"
        As in `ProbabilityLoss`.
    reduction : {"mean", "sum", "none"}, default="mean"
        As in `ClassificationLoss`.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import GeneralizedCrossEntropyLoss
    >>> scores, target = torch.tensor([[0.0, 0.0, 0.0, 0.0]]), torch.tensor([2])  # p_c = 1/4
    >>> GeneralizedCrossEntropyLoss(q=0.5)(scores, target)  # (1 - 1/2) / (1/2)
    tensor(1.)
    """

    name, lower_bound, proper = "generalized_cross_entropy", 0.0, False

    def __init__(self, *, q: float = 0.7, link: str = "softmax", reduction: str = "mean") -> None:
        super().__init__(link=link, reduction=reduction)
        self.q = check_number("q", q, "in (0, 1]", lambda q: 0 < q <= 1)

    def _value_and_derivative(self, log_p_c: Tensor) -> tuple[Tensor, Tensor]:
        # (1 - p_c^q) / q, without the cancellation, and - p_c^q
        short_of_one = torch.expm1(self.q * log_p_c)
        return short_of_one / -self.q, -1 - short_of_one

    def extra_repr(self) -> str:
        return f"q={self.q}, {super().extra_repr()}"


class FocalLoss(_TrueClassLoss):
    """Focal loss: - (1 - p_c)^gamma log p_c.

    Of Lin et al., "Focal loss for dense object detection" (2017, arXiv 1708.02002), with their default. In
    nats, from 0 up, never above the log loss, which is gamma = 0. Samples that are right by far count little,
    so those that are still wrong have most of the gradient, which in o_k with softmax is
    ((1 - p_c)^gamma - gamma (1 - p_c)^(gamma - 1) p_c log p_c) (p_k - d_k). The paper's weights of classes are
    the classifier's ``class_weight``. With ``link="sigmoid"`` it follows the formula and, as `LogLoss` does,
    ignores the outputs of the other classes: no focal loss of each output by itself.

    Not proper, so `predict_proba` is not calibrated but too unsure: the most probable class is given 0.16 less
    than the accuracy (measured on held-out images). ``CalibratedClassifierCV(method="temperature")`` of
    scikit-learn mends that.

    Learning rates that reach 0.95 on the digits (see `sklearn_nndyn.losses`): 1e-3, 3e-3, 1e-2; with
    sigmoids none of the three.

    Parameters
    ----------
    gamma : float, default=2.0
        From 0 up. The larger, the sooner a sample counts as learned.
    link : {"softmax", "sigmoid"}, default="softmax"
        As in `ProbabilityLoss`.
    reduction : {"mean", "sum", "none"}, default="mean"
        As in `ClassificationLoss`.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import FocalLoss
    >>> FocalLoss()(torch.tensor([[0.0, 0.0]]), torch.tensor([0]))  # log(2) / 4
    tensor(0.1733)
    """

    name, lower_bound, unit = "focal", 0.0, "nats"
    proper = Depending(False, lambda loss: loss.link == "softmax" and loss.gamma == 0)

    def __init__(self, *, gamma: float = 2.0, link: str = "softmax", reduction: str = "mean") -> None:
        super().__init__(link=link, reduction=reduction)
        self.gamma = check_number("gamma", gamma, "in [0, inf)", lambda gamma: 0 <= gamma < inf)

    def _value_and_derivative(self, log_p_c: Tensor) -> tuple[Tensor, Tensor]:
        # - (1 - p_c)^gamma log p_c, and gamma (1 - p_c)^(gamma - 1) p_c log p_c - (1 - p_c)^gamma
        tiny = torch.finfo(log_p_c.dtype).tiny  # for 0 has small powers without a derivative
        wrong = torch.expm1(log_p_c).neg().clamp_min(tiny)
        weight = wrong.pow(self.gamma)
        minus_loss = weight * log_p_c
        return -minus_loss, self.gamma * minus_loss * (1 / wrong - 1) - weight

    def extra_repr(self) -> str:
        return f"gamma={self.gamma}, {super().extra_repr()}"


class Poly1Loss(_TrueClassLoss):
    """Poly-1 loss: - log p_c + epsilon (1 - p_c).

    Of Leng et al., "PolyLoss: a polynomial expansion perspective of classification loss functions" (2022, arXiv
    2204.12511). The log loss is the series sum_j (1 - p_c)^j / j; epsilon is added to the coefficient of j = 1,
    and epsilon = 0 is the log loss. From 0 up, a sum of nats and a probability. Gradient in o_k with softmax:
    (1 + epsilon p_c) (p_k - d_k): with epsilon > 0 samples that are right already go on counting, with
    epsilon < 0 they stop sooner. With ``link="sigmoid"`` it follows the formula and, as `LogLoss` does, ignores
    the outputs of the other classes.

    Not proper, so `predict_proba` is not calibrated but too sure: where the true probabilities are 0.7, 0.2 and
    0.1, the expected loss is least with 0.79 for the first. ``CalibratedClassifierCV(method="temperature")`` of
    scikit-learn mends that.

    Learning rates that reach 0.95 on the digits (see `sklearn_nndyn.losses`): 1e-3, 3e-3, 1e-2; with
    sigmoids none of the three.

    Parameters
    ----------
    epsilon : float, default=1.0
        From -1 up, where the loss still falls with p_c. The paper chose 2 for ImageNet and -1 for segmentation.
    link : {"softmax", "sigmoid"}, default="softmax"
        As in `ProbabilityLoss`.
    reduction : {"mean", "sum", "none"}, default="mean"
        As in `ClassificationLoss`.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import Poly1Loss
    >>> Poly1Loss(epsilon=2.0)(torch.tensor([[0.0, 0.0]]), torch.tensor([0]))  # log(2) + 2 / 2
    tensor(1.6931)
    """

    name, lower_bound = "poly1", 0.0
    unit = Depending(None, lambda loss: "nats" if loss.epsilon == 0 else None)
    proper = Depending(False, lambda loss: loss.link == "softmax" and loss.epsilon == 0)

    def __init__(self, *, epsilon: float = 1.0, link: str = "softmax", reduction: str = "mean") -> None:
        super().__init__(link=link, reduction=reduction)
        self.epsilon = check_number("epsilon", epsilon, "in [-1, inf)", lambda epsilon: -1 <= epsilon < inf)

    def _value_and_derivative(self, log_p_c: Tensor) -> tuple[Tensor, Tensor]:
        # - log p_c + epsilon (1 - p_c), and - 1 - epsilon p_c
        minus_error = self.epsilon * torch.expm1(log_p_c)
        return -log_p_c - minus_error, -1 - self.epsilon - minus_error

    def extra_repr(self) -> str:
        return f"epsilon={self.epsilon}, {super().extra_repr()}"
