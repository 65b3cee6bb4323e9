"""What the losses on probabilities share: the way from scores to probabilities and back."""

from abc import abstractmethod

from torch import Tensor

from sklearn_nndyn.losses._base import differentiate
from sklearn_nndyn.losses._formula import FormulaLoss, Way
from sklearn_nndyn.losses._links import LINKS, LOG_P
from sklearn_nndyn.utils.validation import check_choice


class ProbabilityLoss(FormulaLoss):
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
    >>> class HellingerLoss(ProbabilityLoss):
    ...     '''sum_j (sqrt(p_j) - y_j)^2'''
    ...
    ...     def formula(self, log_p, p, y):
    ...         return ((log_p / 2).exp() - y).square().sum(-1)
    >>> values, gradient = HellingerLoss().value_and_gradient(torch.tensor([[0.0, 0.0]]), torch.tensor([0]))
    >>> values  # 2 - sqrt(2)
    tensor([0.5858])
    >>> gradient
    tensor([[-0.3536,  0.3536]])
    """

    link: str

    def __init__(self, *, link: str = "softmax", reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.link = check_choice("link", link, LINKS)

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        # A child that changes one of the two must not inherit what knows nothing of it.
        if "formula" in cls.__dict__ and "slope" not in cls.__dict__:
            cls.slope = ProbabilityLoss.slope
        if {"formula", "slope", "way"} & cls.__dict__.keys():
            for name in {"per_sample", "value_and_gradient", "value_and_probability"} - cls.__dict__.keys():
                setattr(cls, name, getattr(FormulaLoss, name))
        if {"formula", "slope"} & cls.__dict__.keys() and "value_and_slope" not in cls.__dict__:
            cls.value_and_slope = ProbabilityLoss.value_and_slope

    @abstractmethod
    def formula(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        """The loss of each sample.

        Parameters
        ----------
        log_p, p, y : Tensor (..., n, K)
            Logarithms of the probabilities, the probabilities, and the one-hot vectors of the true classes.

        Returns
        -------
        Tensor (..., n)
            Differentiable in `log_p` and `p`.
        """

    def slope(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        """Gradient of `formula` in log p, each log p_j a variable of its own; here by autograd.

        Parameters
        ----------
        log_p, p, y : Tensor (..., n, K)
            As for `formula`.

        Returns
        -------
        Tensor (..., n, K)
            By the chain rule of the link it becomes the gradient in the scores.
        """
        return differentiate(lambda log_p, y: self.formula(log_p, log_p.exp(), y), log_p, y)[1]

    def value_and_slope(self, log_p: Tensor, p: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """`formula` and `slope`; a child whose two share work may do it here once.

        Parameters
        ----------
        log_p, p, y : Tensor (..., n, K)
            As for `formula`.

        Returns
        -------
        values : Tensor (..., n)
            As `formula` gives them.
        slope : Tensor (..., n, K)
            As `slope` gives it.
        """
        return self.formula(log_p, p, y), self.slope(log_p, p, y)

    @property
    def way(self) -> Way:
        """The way through the link."""
        return LINKS[self.link]

    def predict_proba(self, scores: Tensor) -> Tensor:
        """Probabilities of the classes: p, divided by its sum.

        The division is made in the log, so rows are right even where every sigmoid underflows.

        Parameters
        ----------
        scores : Tensor (..., n, K)
            Raw outputs of the network.

        Returns
        -------
        Tensor (..., n, K)
            Rows sum to one.
        """
        # Along the last axis: what a sample gets must not depend, even in its last bit, on where it stands.
        return self.logits(scores).softmax(-1)

    def logits(self, scores: Tensor) -> Tensor:
        """What `predict_proba` is the softmax of.

        Parameters
        ----------
        scores : Tensor (..., n, K)
            Raw outputs of the network.

        Returns
        -------
        Tensor (..., n, K)
            The scores, or log p of sigmoids.
        """
        return scores if self.link == "softmax" else LOG_P[self.link](scores)

    value_and_probability = FormulaLoss.value_and_probability

    def extra_repr(self) -> str:
        return f"link={self.link!r}, {super().extra_repr()}"
