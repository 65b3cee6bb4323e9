"""A loss the user brings: a torch loss, or any callable."""

import copy
from collections.abc import Callable

import torch
from sklearn.utils.metaestimators import available_if
from torch import Tensor

from sklearn_nndyn.losses._base import ClassificationLoss, Depending
from sklearn_nndyn.losses.custom._facts import SOFTMAX_LOSSES, describe


def _has_probabilities(custom):
    return isinstance(custom.loss, SOFTMAX_LOSSES) or hasattr(custom.loss, "predict_proba")


def _described(fact, default=None):
    return Depending(default, lambda custom: describe(custom.loss)[fact])


def _check_values(values, n_samples):
    """A user's loss must have given a torch tensor (n_samples,)."""
    if not torch.is_tensor(values):
        raise TypeError(
            f"The loss must give a torch tensor of one value per sample, got {type(values).__name__}."
        )
    if values.shape != (n_samples,):
        raise ValueError(
            f"The loss gave values of shape {tuple(values.shape)} for {n_samples} samples; expected "
            f"({n_samples},): one value per sample, not averaged (torch's functions take reduction='none')."
        )


def _on_rows(function, scores):
    """`function` of rows (n, K) applied to `scores` (..., n, K), leading axes kept."""
    rows = function(scores.flatten(0, -2).clone())
    if scores.ndim == 2:
        return rows
    return rows.reshape(scores.shape[:-1] + rows.shape[1:])


class CustomLoss(ClassificationLoss):
    """A torch loss or a callable, made a `ClassificationLoss`.

    Probabilities are there if `loss` has a method ``predict_proba(scores)``, or is a
    ``torch.nn.CrossEntropyLoss`` or ``torch.nn.NLLLoss`` (softmax); else this object has no `predict_proba`. A method
    ``decide(scores)`` of `loss` is used if there. All of them are called on rows (n, K), also where the
    scores have leading axes.

    Its facts are those of `loss`: torch's cross-entropy is ``"log"``, or with smoothing ``"label_smoothing"``, unless
    it has class weights or classes that it ignores. What is not known is read from attributes of `loss`, `name`,
    `lower_bound`, `unit` and `proper`, where it has them; else the name is that of its class or function, and the rest
    None.

    Parameters
    ----------
    loss : torch loss or callable
        A module with a `reduction` attribute, such as ``torch.nn.CrossEntropyLoss(label_smoothing=0.1)``, of
        which a copy with ``reduction="none"`` is held; or a callable of scores (n, K) and target (n,) that
        gives values (n,), each from its own row alone. It is given copies, which it may write to.
    reduction : {"mean", "sum", "none"}, default=None
        As in `ClassificationLoss`; None takes that of `loss`, or "mean" if it has none. "mean" divides by the
        number of samples, also where torch's class weights would divide by the sum of their weights.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import CustomLoss
    >>> scores, target = torch.tensor([[2.0, 0.0], [0.0, 0.0]]), torch.tensor([0, 1])
    >>> smooth = CustomLoss(torch.nn.CrossEntropyLoss(label_smoothing=0.1))
    >>> smooth.per_sample(scores, target)
    tensor([0.2269, 0.6931])
    >>> smooth.predict_proba(scores)
    tensor([[0.8808, 0.1192],
            [0.5000, 0.5000]])
    >>> hasattr(CustomLoss(torch.nn.MultiMarginLoss()), "predict_proba")
    False
    >>> smooth.name, CustomLoss(torch.nn.CrossEntropyLoss()).name, CustomLoss(torch.nn.MultiMarginLoss()).name
    ('label_smoothing', 'log', 'MultiMarginLoss')
    """

    name = _described("name", default="CustomLoss")
    lower_bound, unit = _described("lower_bound"), _described("unit")
    proper, link = _described("proper"), _described("link")

    def __init__(
        self, loss: torch.nn.Module | Callable[[Tensor, Tensor], Tensor], *, reduction: str | None = None
    ) -> None:
        super().__init__(reduction=getattr(loss, "reduction", "mean") if reduction is None else reduction)
        if hasattr(loss, "reduction"):
            loss = copy.deepcopy(loss)
            loss.reduction = "none"
        self.loss = loss
        self.scores_dtype = None

    def per_sample(self, scores: Tensor, target: Tensor) -> Tensor:
        dtype = self.scores_dtype or scores.dtype
        # Copies: what it writes in place must reach neither the record nor the labels.
        values = self.loss(scores.flatten(0, -2).to(dtype, copy=True), target.flatten().clone())
        _check_values(values, target.numel())
        return values.reshape(target.shape).to(scores.dtype)

    @available_if(_has_probabilities)
    def predict_proba(self, scores: Tensor) -> Tensor:
        """Probabilities of the classes: those of `loss`, or the softmax of torch's losses.

        Parameters
        ----------
        scores : Tensor (..., n, K)
            Raw outputs of the network.

        Returns
        -------
        Tensor (..., n, K)
            Rows sum to one.
        """
        if hasattr(self.loss, "predict_proba"):
            return _on_rows(self.loss.predict_proba, scores)
        return scores.softmax(-1)

    def decide(self, scores: Tensor) -> Tensor:
        # By `loss` if it decides, else the greatest score.
        if hasattr(self.loss, "decide"):
            return _on_rows(self.loss.decide, scores)
        return super().decide(scores)

    def extra_repr(self) -> str:
        shown = "" if isinstance(self.loss, torch.nn.Module) else f"{self.loss!r}, "
        return shown + super().extra_repr()
