"""The contract every loss keeps, and the facts that it states for those who do not have it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from sklearn_nndyn.utils.private_names import inference_mode
from sklearn_nndyn.utils.validation import check_choice, is_number

UNKNOWN = {"lower_bound": None, "unit": None, "proper": None}
FACTS = ("name", *UNKNOWN)
SIMD_WIDTH = 16
_REDUCTIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "mean": torch.mean,
    "sum": torch.sum,
    "none": lambda values: values,
}


class Depending:
    """A fact that depends on the parameters of a loss; on the class, the fact for the default parameters.

    Parameters
    ----------
    default : object
        The fact for the default parameters.
    find : callable
        ``find(loss)`` is the fact for the parameters of ``loss``.
    """

    def __init__(self, default: Any, find: Callable[[Any], Any]):
        self.default, self.find = default, find

    def __get__(self, loss, owner=None):
        return self.default if loss is None else self.find(loss)


def state_facts(cls):
    """Set the facts that a class does not state to unknown: those of its base class need not hold for it."""
    for fact, unknown in {"name": cls.__name__, **UNKNOWN}.items():
        if fact not in cls.__dict__:
            setattr(cls, fact, unknown)


def check_number(name, value, where, is_there):
    """Return `value` as a float if it is a number with ``is_there(value)``, else raise a ValueError that says where."""
    if not (is_number(value) and is_there(value)):
        raise ValueError(f"{name} must be a number {where}; got {value!r}.")
    return float(value)


def one_hot(scores, target):
    """The vectors y: zeros like `scores` (..., n, K), with a one at the true class."""
    return torch.zeros_like(scores).scatter_(-1, target.unsqueeze(-1), 1.0)


def log_softmax(scores):
    """log p of each sample: ``scores.log_softmax(-1)``, along whichever axis is faster.

    torch's CPU kernel runs along the last axis and falls back to single numbers where that is shorter than a vector
    register: for ten classes it is seven times slower than the same sums across samples. It also copies scores
    whose last axis is not the one that lies close together in memory.
    """
    if faster_by_class(scores):
        return scores.mT.log_softmax(-2).mT
    return scores.log_softmax(-1)


def faster_by_class(scores):
    """Whether a kernel along the classes of `scores` (..., n, K) is faster on ``scores.mT``, across samples."""
    return (scores.shape[-1] < SIMD_WIDTH or scores.stride(-1) != 1) and scores.device.type == "cpu"


def differentiate(per_sample, inputs, target):
    """Values (..., n) of ``per_sample(inputs, target)``, and their gradients (..., n, K) by autograd.

    Each value must depend on its own row of `inputs` alone. Works under ``torch.no_grad`` and
    ``torch.inference_mode`` too.
    """
    with inference_mode(False):  # also turns gradients on, where no_grad turned them off
        inputs = inputs.detach().clone().requires_grad_()
        target = target.clone() if target.is_inference() else target
        values = per_sample(inputs, target)
        (gradient,) = torch.autograd.grad(values.sum(), inputs)
    return values.detach(), gradient


class ClassificationLoss(torch.nn.Module, ABC):
    """Base of all losses: a torch module ``loss(scores, target)``.

    A custom loss needs only `per_sample`, computed over the last axis of the scores. If it has probabilities it also
    defines ``predict_proba(scores)`` (..., n, K) with rows that sum to one; a loss without probabilities has no such
    method. It may define `decide`, and `value_and_gradient` in closed form to train faster.

    The facts about a loss (`name`, `lower_bound`, `unit`, `proper`) are class attributes, and are saved with every
    record of a network that it trained. They are not inherited: a subclass may change the formula, so it states its
    own facts.

    Parameters
    ----------
    reduction : {"mean", "sum", "none"}, default="mean"
        Reduction of the per-sample values: their mean, their sum, or none.

    Attributes
    ----------
    name : str
        The name that `get_loss` knows; for a custom loss the name of its class, unless it states another.
    lower_bound : float or None
        No sample's loss is below it. None where it is not known.
    unit : str or None
        The unit, such as ``"nats"``; None where there is none, or it is not known.
    proper : bool or None
        Whether the expected loss is least where the predicted probabilities are the true ones: those of a loss that
        is not proper are not calibrated. False for a loss without probabilities, None where it is not known.
    link : {"softmax", "sigmoid"} or None
        How scores become probabilities: their softmax, or their sigmoids divided by the sum of these. None for a loss
        without probabilities, or one that computes them otherwise.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import ClassificationLoss, get_loss
    >>> class PerceptronLoss(ClassificationLoss):
    ...     '''How far the score of the true class lies below the best.'''
    ...
    ...     def per_sample(self, scores, target):
    ...         return scores.amax(-1) - scores.gather(-1, target.unsqueeze(-1)).squeeze(-1)
    >>> loss = PerceptronLoss()
    >>> scores, target = torch.tensor([[1.0, 3.0, 0.0], [2.0, 0.0, 1.0]]), torch.tensor([0, 0])
    >>> loss(scores, target)
    tensor(1.)
    >>> values, gradient = loss.value_and_gradient(scores, target)
    >>> gradient
    tensor([[-1.,  1.,  0.],
            [ 0.,  0.,  0.]])
    >>> loss.decide(scores)
    tensor([1, 0])
    >>> hasattr(loss, "predict_proba")
    False
    >>> loss.name, loss.lower_bound, get_loss("log").unit
    ('PerceptronLoss', None, 'nats')
    """

    name: str = ""
    lower_bound: float | None = None
    unit: str | None = None
    proper: bool | None = None
    link: str | None = None

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        state_facts(cls)
        # A subclass that changes one of these must not inherit methods written for the old one.
        changed = cls.__dict__.keys() & {"per_sample", "predict_proba"}
        if "per_sample" in changed and "value_and_gradient" not in cls.__dict__:
            cls.value_and_gradient = ClassificationLoss.value_and_gradient
        if changed and "value_and_probability" not in cls.__dict__:
            cls.value_and_probability = ClassificationLoss.value_and_probability

    def __init__(self, *, reduction: str = "mean") -> None:
        super().__init__()
        self.reduction = check_choice("reduction", reduction, _REDUCTIONS)

    def forward(self, scores: Tensor, target: Tensor) -> Tensor:
        """Reduce the per-sample values as `reduction` says.

        Parameters
        ----------
        scores : Tensor (..., n, K)
            Raw outputs of the network.
        target : Tensor (..., n), int64
            Positions of the true classes.

        Returns
        -------
        Tensor
            () for "mean" and "sum", (..., n) for "none". Differentiable.
        """
        if scores.shape[:-1] != target.shape:
            raise ValueError(
                "scores must be (..., n_samples, n_classes) and target (..., n_samples); "
                f"got {tuple(scores.shape)} and {tuple(target.shape)}."
            )
        return _REDUCTIONS[self.reduction](self.per_sample(scores, target))

    @abstractmethod
    def per_sample(self, scores: Tensor, target: Tensor) -> Tensor:
        """The loss of each sample.

        Parameters
        ----------
        scores : Tensor (..., n, K)
            Raw outputs of the network.
        target : Tensor (..., n), int64
            Positions of the true classes.

        Returns
        -------
        Tensor (..., n)
            Differentiable in `scores`; each value depends on its own row of `scores` alone.
        """

    def value_and_gradient(self, scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
        """The loss of each sample and its gradient in that sample's scores, both detached.

        Here by autograd, also under ``torch.no_grad`` and ``torch.inference_mode``; the losses of this
        package have closed forms.

        Parameters
        ----------
        scores : Tensor (..., n, K)
            Raw outputs of the network.
        target : Tensor (..., n), int64
            Positions of the true classes.

        Returns
        -------
        values : Tensor (..., n)
            The loss of each sample, as given by `per_sample`.
        gradient : Tensor (..., n, K)
            ``gradient[..., i, k]`` is the derivative of ``values[..., i]`` in ``scores[..., i, k]``.
        """
        return differentiate(self.per_sample, scores, target)

    def value_and_probability(self, scores: Tensor, target: Tensor) -> tuple[Tensor, Tensor | None]:
        """The loss of each sample, and how probable its true class is: what a record keeps.

        Parameters
        ----------
        scores : Tensor (..., n, K)
            Raw outputs of the network.
        target : Tensor (..., n), int64
            Positions of the true classes.

        Returns
        -------
        values : Tensor (..., n)
            The loss of each sample, as given by `per_sample`.
        probability : Tensor (..., n) or None
            Probability of the true class by `predict_proba`; None for a loss without probabilities.
        """
        values = self.per_sample(scores, target)
        predict_proba: Callable[[Tensor], Tensor] | None = getattr(self, "predict_proba", None)
        if predict_proba is None:
            return values, None
        p = predict_proba(scores)
        return values, p.gather(-1, target.unsqueeze(-1)).squeeze(-1).clamp(0, 1)

    def decide(self, scores: Tensor) -> Tensor:
        """The classes chosen: here those of the greatest score.

        Parameters
        ----------
        scores : Tensor (..., n, K)
            Raw outputs of the network.

        Returns
        -------
        Tensor (..., n), int64
            Their positions; of equal scores that of the first.
        """
        return scores.max(-1).indices  # argmax is ten times slower where classes are strided

    def extra_repr(self) -> str:
        """The text between the brackets of ``repr``.

        Returns
        -------
        str
            The parameters.
        """
        return f"reduction={self.reduction!r}"


def loss_header(loss):
    """Entries about the trained loss in the header of a record: its name, and its facts, each None where not known."""
    return {
        "loss": loss.name,
        "loss_facts": {fact: getattr(loss, fact) for fact in (*UNKNOWN, "link")},
    }
