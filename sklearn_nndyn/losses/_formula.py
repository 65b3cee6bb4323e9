"""What losses that are formulas share: the way from the scores to what a formula acts on, and back."""

from abc import abstractmethod
from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor

from sklearn_nndyn.losses._base import ClassificationLoss


class Way(NamedTuple):
    """From scores and targets to the parts that a formula acts on, and the chain rule back.

    Losses of one way share it, where several are evaluated at once.
    """

    parts: Callable  # scores (..., n, K), target (..., n) -> tuple of tensors (..., n, K)
    chain: Callable | None  # slope (..., n, K), parts -> gradient in the scores (..., n, K); None: the slope
    probability: Callable | None = (
        None  # target (..., n), parts -> that of the true class (..., n); None: none
    )


class FormulaLoss(ClassificationLoss):
    """Base of the losses that are a formula of parts (..., n, K), which a way finds from the scores."""

    @property
    @abstractmethod
    def way(self) -> Way:
        """The `Way` to the parts of `formula`, and back."""

    formula: Callable[..., Tensor]  # of its parts, each (..., n, K): the loss (..., n) of each sample
    value_and_slope: Callable[
        ..., tuple[Tensor, Tensor]
    ]  # the formula, and what `Way.chain` takes, (..., n, K)

    def per_sample(self, scores: Tensor, target: Tensor) -> Tensor:
        return self.formula(*self.way.parts(scores, target))

    def value_and_gradient(self, scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        way = self.way
        parts = way.parts(scores.detach(), target)
        values, slope = self.value_and_slope(*parts)
        return values, slope if way.chain is None else way.chain(slope, *parts)

    def value_and_probability(self, scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor | None]:
        way = self.way
        parts = way.parts(scores, target)
        return self.formula(*parts), None if way.probability is None else way.probability(target, *parts)
