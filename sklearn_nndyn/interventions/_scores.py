"""The scale of scores, and what a temperature makes of it."""

import numpy as np
from numpy.typing import ArrayLike


def score_scale(scores: ArrayLike) -> float:
    """Scale of the scores, s = mean_i ||z_i - mean(z_i)||, the inner mean over the classes.

    Parameters
    ----------
    scores : array of shape (n_samples, n_classes)
        Raw outputs z of a network: logits.

    Returns
    -------
    scale : float
        In the units of the scores; a constant added to all scores of a sample changes nothing.

    Examples
    --------
    >>> from sklearn_nndyn.interventions import score_scale
    >>> score_scale([[3.0, -3.0, 0.0], [5.0, -3.0, 1.0]]).__round__(3)
    4.95
    """
    return float(np.linalg.norm(_centred(scores), axis=1).mean())


def rescale_scores(scores: ArrayLike, scale: float) -> np.ndarray:
    """Scores divided by the one temperature that gives them this scale, the mean of each sample taken off.

    Parameters
    ----------
    scores : array of shape (n_samples, n_classes)
        Raw outputs z of a network: logits.
    scale : float
        The target of ``score_scale``, in the units of the scores.

    Returns
    -------
    rescaled : array of shape (n_samples, n_classes)
        float64. Scores that are all equal have no scale, and stay so.

    Examples
    --------
    >>> from sklearn_nndyn.interventions import rescale_scores, score_scale
    >>> rescaled = rescale_scores([[3.0, -3.0], [5.0, 1.0]], 1.0)
    >>> round(score_scale(rescaled), 3)
    1.0
    """
    own = score_scale(scores)
    return _centred(scores) * (scale / own if own > 0 else 1.0)


def _centred(scores):
    """Scores (n_samples, n_classes) of each sample minus their mean over the classes, float64."""
    scores = np.asarray(scores, dtype=np.float64)
    return scores - scores.mean(axis=1, keepdims=True)


def trained_with(loss):
    """A sentence for records of networks trained with another loss than the one that is measured."""
    if loss.is_log_of_softmax:
        return ""
    if not loss.name:
        return "What is measured is the log loss of the scores, whatever loss was trained."
    trained = loss.in_words if loss.name.isidentifier() else f"another loss, {loss.name}"
    trained += " of sigmoids" if loss.link == "sigmoid" else ""
    return f"The network was trained with {trained}; what is measured is the log loss of its scores all the same."
