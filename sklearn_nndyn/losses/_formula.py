"""Base of the losses given by a formula: the forward map from scores to its inputs, and the chain rule back."""

from abc import abstractmethod
from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from sklearn_nndyn.losses._base import ClassificationLoss


class Link(NamedTuple):
    """The map from scores and targets to the inputs of a formula, with its backward pass.

    Losses with the same `Link`, evaluated together, compute it once.

    Parameters
    ----------
    forward : callable
        ``forward(scores, target)`` gives the inputs of the formula, a tuple of tensors (..., n, K).
    backward : callable or None
        ``backward(grad, *inputs)`` turns the formula's gradient into the gradient in the scores, both (..., n, K).
        None where the two are equal.
    probability : callable or None
        ``probability(target, *inputs)`` gives the probability of the true class (..., n). None where the loss has no
        probabilities.
    """

    forward: Callable
    backward: Callable | None
    probability: Callable | None = None


class FormulaLoss(ClassificationLoss):
    """Base of the losses given by a formula, whose inputs (..., n, K) a `Link` computes from the scores."""

    @property
    @abstractmethod
    def link_function(self) -> Link:
        """The `Link` between the scores and the inputs of `formula`."""

    formula: Callable[..., Tensor]  # inputs, each (..., n, K) -> the loss (..., n) of each sample
    formula_and_grad: Callable[
        ..., tuple[Tensor, Tensor]
    ]  # inputs -> value of the formula (..., n), and the gradient (..., n, K) that `Link.backward` takes

    def per_sample(self, scores: Tensor, target: Tensor) -> Tensor:
        return self.formula(*self.link_function.forward(scores, target))

    def value_and_gradient(self, scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        link = self.link_function
        inputs = link.forward(scores.detach(), target)
        values, grad = self.formula_and_grad(*inputs)
        return values, grad if link.backward is None else link.backward(grad, *inputs)

    def value_and_probability(self, scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor | None]:
        link = self.link_function
        inputs = link.forward(scores, target)
        return self.formula(*inputs), None if link.probability is None else link.probability(target, *inputs)
