"""What a user's own loss takes and gives, checked: scores, probabilities and decisions."""

import torch

from sklearn_nndyn.losses.custom._for_fit import is_known
from sklearn_nndyn.utils.networks.copying import copy_module
from sklearn_nndyn.utils.validation import reraise_as

TOLERANCE = 1e-3


def probabilities(loss, scores):
    """Probabilities of scores (n_samples, n_classes), checked where they come from a formula of the user's own."""
    if is_known(loss):
        return loss.predict_proba(scores)
    with reraise_as(
        f"{_named(loss)}: predict_proba cannot be computed from scores of shape {tuple(scores.shape)}"
    ):
        p = loss.predict_proba(scores)
    mistake = _unlike_scores(p, scores.shape) or _unlike_probabilities(p)
    if mistake:
        raise ValueError(
            f"{_named(loss)}: predict_proba must give the probability of each class, shape {tuple(scores.shape)} for "
            f"{len(scores)} samples, 0 or greater and with rows that sum to one, but gives {mistake}."
        )
    return p


def check_outputs(loss, scores):
    """Refuse a user's loss, of which a copy is tried, whose probabilities or decisions of scores are none."""
    if is_known(loss):
        return
    loss = copy_module(loss, "loss")
    if hasattr(loss, "predict_proba"):
        probabilities(loss, scores)
    with reraise_as(f"{_named(loss)}: decide cannot be computed from scores of shape {tuple(scores.shape)}"):
        chosen = loss.decide(scores)
    mistake = _unlike_scores(chosen, scores.shape[:1]) or _unlike_positions(chosen, scores.shape[1])
    if mistake:
        raise ValueError(
            f"{_named(loss)}: decide must give the position of a class for each sample, whole numbers of shape "
            f"({len(scores)},) for {len(scores)} samples, but gives {mistake}."
        )


def check_scores(loss, scores):
    """Raise ValueError where scores (n, K) are not what a torch loss takes: NLLLoss takes log probabilities."""
    takes_log_p = isinstance(getattr(loss, "loss", None), torch.nn.NLLLoss)
    if takes_log_p and not torch.allclose(scores.exp().sum(-1), torch.ones(()).to(scores), atol=1e-3):
        raise ValueError(
            "NLLLoss takes log probabilities, but the exponentials of the module's outputs do not sum to one: end the "
            'module with torch.nn.LogSoftmax(-1), or take loss="log", which acts on raw scores.'
        )


def _named(loss):
    return f"loss {getattr(loss, 'name', '') or type(loss).__name__}"


def _unlike_scores(values, shape):
    if not torch.is_tensor(values):
        return f"a {type(values).__name__} in place of a torch tensor"
    return f"shape {tuple(values.shape)}" if values.shape != shape else None


def _unlike_probabilities(p):
    """The first value, or sum of a row, that is wrong."""
    if not p.is_floating_point():
        return str(p.dtype)
    sums = p.sum(-1)
    for values, wrong, words in (
        (p, ~torch.isfinite(p), ""),
        (p, p < -TOLERANCE, ""),
        (sums, (sums - 1).abs() > TOLERANCE, "a row that sums to "),
    ):
        if wrong.any():
            return f"{words}{values[wrong][0].item():.4g}"
    return None


def _unlike_positions(chosen, n_classes):
    if chosen.is_floating_point() or chosen.is_complex() or chosen.dtype == torch.bool:
        return str(chosen.dtype)
    wrong = (chosen < 0) | (chosen >= n_classes)
    return f"{chosen[wrong][0].item()} of {n_classes} classes" if wrong.any() else None
