"""Facts about a user's loss."""

from functools import partial
from numbers import Real

import torch

from sklearn_nndyn.losses._base import FACTS, UNKNOWN, ClassificationLoss
from sklearn_nndyn.losses._cross_entropies import LabelSmoothingLoss
from sklearn_nndyn.losses._probability import LogLoss

SOFTMAX_LOSSES = (torch.nn.CrossEntropyLoss, torch.nn.NLLLoss)
KINDS = {"name": str, "lower_bound": Real, "unit": str, "proper": bool}


def describe(loss):
    """The facts and the link of a user's loss, by name."""
    if isinstance(loss, ClassificationLoss):
        return _facts_of(loss)
    if type(loss) in SOFTMAX_LOSSES:
        return _of_torch(loss)
    link = "softmax" if isinstance(loss, SOFTMAX_LOSSES) and not hasattr(loss, "predict_proba") else None
    return {"name": _own_name(loss), **UNKNOWN, "link": link, **_stated(loss)}


def _facts_of(loss):
    return {fact: getattr(loss, fact) for fact in (*FACTS, "link")}


def _of_torch(loss):
    """Cross-entropy of scores, or of log probabilities; the same formula as ours where all samples count alike."""
    if loss.weight is not None or loss.ignore_index >= 0:
        unlike = {"lower_bound": 0.0, "unit": None, "proper": False}
        return {"name": type(loss).__name__, **unlike, "link": "softmax"}
    smoothing = getattr(loss, "label_smoothing", 0)
    return _facts_of(LabelSmoothingLoss(smoothing=smoothing) if smoothing else LogLoss())


def _own_name(loss):
    """Name of the function, or of the class."""
    while isinstance(loss, partial):
        loss = loss.func
    return getattr(loss, "__name__", None) or type(loss).__name__


def _stated(loss):
    """The facts that a user's object states of itself."""
    found = {fact: getattr(loss, fact, None) for fact in FACTS}
    return {
        fact: float(value) if fact == "lower_bound" else value
        for fact, value in found.items()
        if isinstance(value, KINDS[fact])
    }
