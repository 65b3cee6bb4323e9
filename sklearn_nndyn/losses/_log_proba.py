"""The logarithm of a loss's probabilities."""

from sklearn_nndyn.losses._probability_base import ProbabilityLoss
from sklearn_nndyn.losses.custom._custom import CustomLoss
from sklearn_nndyn.losses.custom._facts import SOFTMAX_LOSSES
from sklearn_nndyn.losses.custom._outputs import probabilities


def log_proba(loss, scores):
    """Log of ``loss.predict_proba(scores)`` (..., n, K), finite where that is a softmax, however small it is."""
    logits = _logits(loss, scores)
    return probabilities(loss, scores).log() if logits is None else logits.log_softmax(-1)


def _logits(loss, scores):
    """Logits whose softmax is `predict_proba`; None where a user's own formula gives the probabilities."""
    own = type(loss).predict_proba
    if own is ProbabilityLoss.predict_proba:
        return loss.logits(scores)
    is_softmax = isinstance(loss, CustomLoss) and isinstance(loss.loss, SOFTMAX_LOSSES)
    return scores if is_softmax and not hasattr(loss.loss, "predict_proba") else None
