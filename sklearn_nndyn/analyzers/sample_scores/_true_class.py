"""How probable the true class was to the network, from what a record holds; and what stands in where it cannot tell."""

import numpy as np
from scipy.special import expit, log_softmax

from sklearn_nndyn.utils.text import loss_name

STAND_IN = "in place of a probability"
OF_SCORES = "the softmax of the scores"
# Losses of the library that act on a softmax, by their names; of an instance the record does not know the link.
SOFTMAX = (
    "log",
    "squared_log",
    "expectation",
    "regularized_expectation",
    "chebyshev",
    "tanimoto",
    "cauchy_schwarz",
    "generalized_cross_entropy",
    "symmetric_cross_entropy",
    "focal",
    "label_smoothing",
    "poly1",
)
# Those that are functions of p_c alone, turned round.
P_FROM_LOSS = {
    "log": lambda loss: np.exp(-loss),
    "squared_log": lambda loss: np.exp(-np.sqrt(loss)),
    "expectation": lambda loss: 1 - loss / 2,
    "chebyshev": lambda loss: 1 - loss,
}


def true_class_probability(record):
    """p_c of each sample at each epoch, and where it comes from.

    Parameters
    ----------
    record : Dynamics
        With margins; scores come first where there are some, then losses that tell p_c.

    Returns
    -------
    p : array of shape (n_samples, n_epochs)
        float64, 0 to 1.
    source : str
        Ends in ``STAND_IN`` where it is not the probability by which the network was trained.
    """
    name = loss_name(record)
    if record.scores is not None:
        p = np.empty(record.shape)
        for at in range(record.n_epochs):
            p[:, at] = probabilities(record, at)[np.arange(len(record)), record.target]
        return p, OF_SCORES if name in SOFTMAX else f"{OF_SCORES}, {STAND_IN}"
    if record.loss is not None and name in P_FROM_LOSS:
        return np.clip(P_FROM_LOSS[name](record.loss.astype(np.float64)), 0, 1), f"the {_words(name)} loss"
    return expit(record.margin.astype(np.float64)), f"the sigmoid of the margin, {STAND_IN}"


def error_norm(record, p):
    """||p - y||_2 of each sample at each epoch, and where it comes from.

    Parameters
    ----------
    record : Dynamics
    p : array of shape (n_samples, n_epochs)
        Probability of the true class, of ``true_class_probability``.

    Returns
    -------
    norm : array of shape (n_samples, n_epochs)
        float64, 0 to sqrt(2).
    source : str
        Where it comes from; of p alone comes a bound, which two classes reach.
    """
    name = loss_name(record)
    if record.scores is not None:
        norm = np.empty(record.shape)
        for at in range(record.n_epochs):
            wrong = probabilities(record, at)
            wrong[np.arange(len(record)), record.target] -= 1
            norm[:, at] = np.linalg.norm(wrong, axis=1)
        return norm, OF_SCORES
    if record.loss is not None and name == "regularized_expectation":
        return np.sqrt(record.loss.astype(np.float64)), f"the {_words(name)} loss"
    return np.sqrt(2) * (1 - p), "exact for two classes" if record.n_classes == 2 else "an upper bound"


def probabilities(record, at):
    """Softmax (n_samples, n_classes) of the scores at a position among the epochs, float64."""
    return np.exp(log_softmax(record.scores[:, at].astype(np.float64), axis=1))


def _words(name):
    return name.replace("_", " ")
