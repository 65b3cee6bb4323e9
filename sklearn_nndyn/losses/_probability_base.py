"""Base of the losses on probabilities: from scores to probabilities, and the chain rule back."""

from abc import abstractmethod

from torch import Tensor

from sklearn_nndyn.losses._base import differentiate
from sklearn_nndyn.losses._formula import FormulaLoss, Link
from sklearn_nndyn.losses._links import LINKS, LOG_P
from sklearn_nndyn.utils.validation import check_choice


class ProbabilityLoss(FormulaLoss):
    """Base of the losses that act on probabilities.

    A subclass defines `formula`, and may define its gradient `grad_log_p`; this base class applies the link to both.
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
        # A subclass that changes one of the two must not inherit what was written for the other formula.
        if "formula" in cls.__dict__ and "grad_log_p" not in cls.__dict__:
            cls.grad_log_p = ProbabilityLoss.grad_log_p
        if {"formula", "grad_log_p", "link_function"} & cls.__dict__.keys():
            for name in {"per_sample", "value_and_gradient", "value_and_probability"} - cls.__dict__.keys():
                setattr(cls, name, getattr(FormulaLoss, name))
        if {"formula", "grad_log_p"} & cls.__dict__.keys() and "formula_and_grad" not in cls.__dict__:
            cls.formula_and_grad = ProbabilityLoss.formula_and_grad

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

    def grad_log_p(self, log_p: Tensor, p: Tensor, y: Tensor) -> Tensor:
        """Gradient of `formula` in log p, with the log p_j taken as independent variables; here by autograd.

        Parameters
        ----------
        log_p, p, y : Tensor (..., n, K)
            As for `formula`.

        Returns
        -------
        Tensor (..., n, K)
            The partial derivatives; `value_and_gradient` turns them into the gradient in the scores.
        """
        return differentiate(lambda log_p, y: self.formula(log_p, log_p.exp(), y), log_p, y)[1]

    def formula_and_grad(self, log_p: Tensor, p: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """Value and gradient of the formula; override it in a subclass where the two share work.

        Parameters
        ----------
        log_p, p, y : Tensor (..., n, K)
            As for `formula`.

        Returns
        -------
        values : Tensor (..., n)
            The value of `formula` for each sample.
        grad : Tensor (..., n, K)
            The gradient in log p, as given by `grad_log_p`.
        """
        return self.formula(log_p, p, y), self.grad_log_p(log_p, p, y)

    @property
    def link_function(self) -> Link:
        """The `Link` named by `link`."""
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
        """Logits of the classes, whose softmax is `predict_proba`.

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
