"""The losses by name, and the conversion of a user's loss."""

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from sklearn_nndyn.losses._base import ClassificationLoss
from sklearn_nndyn.losses._cross_entropies import LabelSmoothingLoss, SymmetricCrossEntropyLoss
from sklearn_nndyn.losses._log_family import FocalLoss, GeneralizedCrossEntropyLoss, Poly1Loss
from sklearn_nndyn.losses._probability import (
    ChebyshevLoss,
    ExpectationLoss,
    LogLoss,
    RegularizedExpectationLoss,
    SquaredLogLoss,
)
from sklearn_nndyn.losses._raw import HingeLoss, L1Loss, L2Loss
from sklearn_nndyn.losses._similarity import CauchySchwarzLoss, TanimotoLoss
from sklearn_nndyn.losses.custom._custom import CustomLoss
from sklearn_nndyn.utils.losses.names import understand
from sklearn_nndyn.utils.validation import check_choice

_OF_THE_PAPER: dict[str, Callable[[], ClassificationLoss]] = {
    "log": LogLoss,
    "squared_log": SquaredLogLoss,
    "l1": L1Loss,
    "l2": L2Loss,
    "expectation": ExpectationLoss,
    "regularized_expectation": RegularizedExpectationLoss,
    "chebyshev": ChebyshevLoss,
    "hinge": partial(HingeLoss, power=1),
    "squared_hinge": partial(HingeLoss, power=2),
    "cubed_hinge": partial(HingeLoss, power=3),
    "tanimoto": TanimotoLoss,
    "cauchy_schwarz": CauchySchwarzLoss,
}
_LOSSES: dict[str, Callable[[], ClassificationLoss]] = _OF_THE_PAPER | {
    "generalized_cross_entropy": GeneralizedCrossEntropyLoss,
    "symmetric_cross_entropy": SymmetricCrossEntropyLoss,
    "focal": FocalLoss,
    "label_smoothing": LabelSmoothingLoss,
    "poly1": Poly1Loss,
}
_FAMILIES = {"all": _LOSSES, "paper": _OF_THE_PAPER}


def loss_names(family: str = "all") -> list[str]:
    """The names `get_loss` knows.

    Parameters
    ----------
    family : {"all", "paper"}, default="all"
        All names, or those of the twelve losses that Janocha and Czarnecki compared (2017, arXiv 1702.05659),
        which come first.

    Returns
    -------
    list of str
        Each may be given to `get_loss`.

    Examples
    --------
    >>> from sklearn_nndyn.losses import loss_names
    >>> loss_names()[:3]
    ['log', 'squared_log', 'l1']
    >>> loss_names()[12:]
    ['generalized_cross_entropy', 'symmetric_cross_entropy', 'focal', 'label_smoothing', 'poly1']
    >>> len(loss_names("paper"))
    12
    """
    return list(_FAMILIES[check_choice("family", family, _FAMILIES)])


def get_loss(loss: Any) -> ClassificationLoss:
    """The `ClassificationLoss` that `loss` means.

    Parameters
    ----------
    loss : str, ClassificationLoss, torch module or callable
        * one of `loss_names`: a new loss of that name, with its defaults; the names under which the log loss goes
          elsewhere, such as ``"cross_entropy"``, ``"nll"`` and ``"log_loss"``, mean ``"log"``;
        * a `ClassificationLoss`: itself;
        * a class of either kind of module: an instance made without arguments, taken as below or above;
        * another torch module, or a callable of (scores, target): a `CustomLoss` around it.

    Returns
    -------
    ClassificationLoss
        A loss with `per_sample`, `decide` and its facts.

    Raises
    ------
    ValueError
        For a name that is not known, or may mean two losses; the message says what to write.
    TypeError
        For anything that is no loss, or a class that needs arguments.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.losses import get_loss
    >>> get_loss("cubed_hinge")
    HingeLoss(power=3, reduction='mean')
    >>> get_loss(torch.nn.CrossEntropyLoss(label_smoothing=0.1))
    CustomLoss(
      reduction='mean'
      (loss): CrossEntropyLoss()
    )
    >>> get_loss("squard_log")
    Traceback (most recent call last):
        ...
    ValueError: Unknown loss 'squard_log'; the nearest name is 'squared_log'. The losses are 'log', ...
    """
    if isinstance(loss, str):
        return _LOSSES[loss if loss in _LOSSES else understand(loss, _LOSSES)]()
    if isinstance(loss, type) and issubclass(loss, torch.nn.Module):
        loss = _instance(loss)
    if isinstance(loss, ClassificationLoss):
        return loss
    if isinstance(loss, type) or not callable(loss):
        raise TypeError(
            "loss must be a name, a ClassificationLoss, a torch module or a callable of (scores, target); "
            f"got {loss!r} of type {type(loss).__name__}."
        )
    return CustomLoss(loss)


def _instance(loss):
    try:
        return loss()
    except TypeError as error:
        raise TypeError(
            f"loss {loss.__name__} cannot be made without arguments: {error}. Give an instance."
        ) from error
