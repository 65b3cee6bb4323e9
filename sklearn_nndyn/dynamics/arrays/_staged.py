"""Scores of the stages of an ensemble, such as the rounds of gradient boosting."""

from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from sklearn_nndyn.dynamics._inner import inner_of
from sklearn_nndyn.dynamics.arrays._boosting import boosted_scores, boosting_rounds
from sklearn_nndyn.utils.text import in_words

METHODS = ("staged_decision_function", "staged_predict_proba")


def staged_scores(estimator: Any, X: Any, n_samples: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores of ``X`` after each stage, (n_samples, n_stages, n_classes), and the classes of the estimator.

    The decision function, where its softmax is what ``predict_proba`` says, or where there are no probabilities; else
    the logarithms of the probabilities. ``estimator`` is fitted, with ``staged_predict_proba`` or
    ``staged_decision_function``, or a classifier of XGBoost or LightGBM; or a Pipeline that
    ends in one, or a search over one.
    """
    estimator, before = inner_of(estimator)
    _refuse_others(estimator)
    for steps in before:
        X = steps.transform(X)
    scores = _scores_of_rounds(estimator, X)
    if len(scores[0]) != n_samples:
        raise ValueError(f"X has {len(scores[0])} samples, y has {n_samples}.")
    return np.stack(scores, axis=1), np.asarray(estimator.classes_)


def _refuse_others(estimator):
    if isinstance(estimator, type):
        raise TypeError(f"estimator must be a fitted estimator, got the class {estimator.__name__}.")
    if hasattr(estimator, "replay"):
        raise TypeError(
            f"{type(estimator).__name__} has epochs in place of stages: their record is estimator.replay(X, y)."
        )


def _scores_of_rounds(estimator, X):
    rounds = boosting_rounds(estimator)
    if rounds is not None:
        return boosted_scores(rounds, X, _columns, _log)
    if not any(hasattr(estimator, method) for method in METHODS):
        raise TypeError(
            f"{type(estimator).__name__} has no stages: neither {in_words(METHODS, 'nor')}. Log the scores of each "
            "epoch by DynamicsLog, or give them to Dynamics.from_scores."
        )
    if not hasattr(estimator, "classes_"):
        raise NotFittedError(f"This {type(estimator).__name__} has no classes_: call fit first.")
    method = METHODS[0] if _decides_by_log_odds(estimator, X) else METHODS[1]
    as_scores = _columns if method == METHODS[0] else _log
    return [as_scores(stage) for stage in getattr(estimator, method)(X)]


def _decides_by_log_odds(estimator, X):
    """Whether the decision function is there, and a softmax away from the probabilities, if there are any."""
    if not hasattr(estimator, METHODS[0]):
        return False
    if not hasattr(estimator, METHODS[1]):
        return True
    scores = _columns(estimator.decision_function(X))
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.allclose(odds / odds.sum(axis=1, keepdims=True), estimator.predict_proba(X), atol=1e-6)


def _columns(decision):
    """A column for each class, where two classes have one between them."""
    if decision.ndim == 1 or decision.shape[1] == 1:
        decision = decision.reshape(-1)
        return np.stack([np.zeros_like(decision), decision], axis=1)
    return decision.copy()  # some estimators give the same array at each stage, and add to it


def _log(probability):
    """Logarithms of probabilities; one that is 0 counts as the least there is."""
    return np.log(np.maximum(probability, np.finfo(probability.dtype).tiny))
