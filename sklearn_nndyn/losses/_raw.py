"""Losses on raw scores: they know no probabilities."""

import torch
from torch import Tensor

from sklearn_nndyn.losses._base import Depending, one_hot
from sklearn_nndyn.losses._formula import FormulaLoss, Link
from sklearn_nndyn.utils.validation import check_choice


def _excess(scores, target):
    """o - y"""
    return (scores - one_hot(scores, target),)


def _trespass(scores, target):
    """- yhat max(0, 1/2 - yhat o): how far each output is on the wrong side of its margin, with its sign"""
    side = torch.ones_like(scores).scatter_(-1, target.unsqueeze(-1), -1.0)  # - yhat
    return (scores.add(side, alpha=0.5).mul(side).relu().mul(side),)


NAMES_OF_HINGES = {1: "hinge", 2: "squared_hinge", 3: "cubed_hinge"}
EXCESS, TRESPASS = Link(_excess, backward=None), Link(_trespass, backward=None)


class _PowerLoss(FormulaLoss):
    """Base of the losses sum_j |r_j|^q of what is wrong with each score: `link_function` finds r, `power` is q."""

    power: int

    def formula(self, wrong: Tensor) -> Tensor:
        # sum_j |r_j|^q
        return wrong.abs().pow(self.power).sum(-1)

    def formula_and_grad(self, wrong: Tensor) -> tuple[Tensor, Tensor]:
        # The formula, and q r |r|^(q - 1)
        if self.power == 1:
            return wrong.abs().sum(-1), wrong.sign()
        if self.power == 2:
            return wrong.square().sum(-1), wrong + wrong
        square = wrong * wrong.abs()
        return (square * wrong).sum(-1), square.add_(square, alpha=2)


class L1Loss(_PowerLoss):
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

    name, lower_bound, proper = "l1", 0.0, False

    link_function, power = EXCESS, 1


class L2Loss(_PowerLoss):
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

    name, lower_bound, proper = "l2", 0.0, False

    link_function, power = EXCESS, 2


class HingeLoss(_PowerLoss):
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

    name = Depending("hinge", lambda loss: NAMES_OF_HINGES[loss.power])
    lower_bound, proper = 0.0, False
    link_function = TRESPASS

    def __init__(self, *, power: int = 1, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.power = check_choice("power", power, (1, 2, 3))

    def extra_repr(self) -> str:
        return f"power={self.power}, {super().extra_repr()}"
