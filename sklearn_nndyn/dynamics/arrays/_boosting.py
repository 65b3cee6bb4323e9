"""Rounds of XGBoost and LightGBM, read from their classifiers; neither is imported."""

import numpy as np
from sklearn.base import is_classifier


class XGBoostRounds:
    """The rounds of a fitted ``XGBClassifier``.

    Parameters
    ----------
    model : xgboost.XGBClassifier
        Fitted.
    """

    def __init__(self, model):
        self.model, self.n_rounds = model, model.get_booster().num_boosted_rounds()

    def margins(self, X):
        """Yield the raw scores after each round: those before it, and what its trees add."""
        margin = None
        for k in range(self.n_rounds):
            margin = self.model.predict(X, output_margin=True, iteration_range=(k, k + 1), base_margin=margin)
            yield margin

    def probability(self, X, k):
        """The probabilities after ``k`` rounds, (n_samples, n_classes)."""
        return self.model.predict_proba(X, iteration_range=(0, k))


class LightGBMRounds:
    """The rounds of a fitted ``LGBMClassifier``.

    Parameters
    ----------
    model : lightgbm.LGBMClassifier
        Fitted.
    """

    def __init__(self, model):
        self.model, self.n_rounds = model, model.booster_.current_iteration()

    def margins(self, X):
        """Yield the raw scores after each round: those before it, and what its trees add."""
        margin = 0.0
        for k in range(self.n_rounds):
            margin = margin + self.model.predict(X, raw_score=True, start_iteration=k, num_iteration=1)
            yield margin

    def probability(self, X, k):
        """The probabilities after ``k`` rounds, (n_samples, n_classes)."""
        return self.model.predict_proba(X, num_iteration=k)


ROUNDS = {"get_booster": XGBoostRounds, "booster_": LightGBMRounds}


def boosting_rounds(model):
    """The rounds of a fitted classifier of XGBoost or LightGBM; None for any other model.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If it is not fitted.
    """
    kinds = [kind for name, kind in ROUNDS.items() if name in dir(type(model))]
    return kinds[0](model) if kinds and is_classifier(model) else None


def boosted_scores(rounds, X, columns, log):
    """Scores after each round, a list of arrays (n_samples, n_classes).

    They are the raw scores, where their softmax is what ``predict_proba`` says; else the logarithms of the
    probabilities. ``columns`` and ``log`` make scores of raw scores and of probabilities.
    """
    scores = [columns(margin) for margin in rounds.margins(X)]
    odds = np.exp(scores[-1] - scores[-1].max(axis=1, keepdims=True))
    if np.allclose(odds / odds.sum(axis=1, keepdims=True), rounds.probability(X, rounds.n_rounds), atol=1e-6):
        return scores
    return [log(rounds.probability(X, k)) for k in range(1, rounds.n_rounds + 1)]
