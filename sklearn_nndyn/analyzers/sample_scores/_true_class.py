"""How probable the true class was to the network, and how far all of its probabilities were from the label."""

import numpy as np
from scipy.special import log_expit, log_softmax

from sklearn_nndyn.analyzers.sample_scores._scores import el2n

RECORDED = "the recorded probability"
OF_SCORES = {
    "softmax": "the softmax of the scores",
    "sigmoid": "the sigmoids of the scores, divided by their sum",
}


def true_class_probability(record):
    """p_c of each sample at each epoch, float64, and in words where it comes from; None where the record tells neither.

    It takes the probabilities of the record, or its scores and the link of its loss.
    """
    if record.probability is not None:
        return record.probability.astype(np.float64), RECORDED
    if not _tells_all(record):
        return None, None
    p = np.empty(record.shape)
    for at in range(record.n_epochs):
        p[:, at] = probabilities(record, at)[np.arange(len(record)), record.target]
    return p, OF_SCORES[record.loss_facts.link]


def error_norm(record, p):
    """||p - y||_2 of each sample at each epoch, float64 from 0 to sqrt(2), and in words where it comes from.

    Of ``p`` alone, of ``true_class_probability``, comes a bound, which two classes reach.
    """
    if not _tells_all(record):
        return np.sqrt(2) * (1 - p), "exact for two classes" if record.n_classes == 2 else "an upper bound"
    norm = np.empty(record.shape)
    for at in range(record.n_epochs):
        norm[:, at] = el2n(probabilities(record, at), record.target)
    return norm, OF_SCORES[record.loss_facts.link]


def probabilities(record, at):
    """All probabilities (n_samples, n_classes) at a position among the epochs, float64, by the link of the loss."""
    scores = record.scores[:, at].astype(np.float64)
    return np.exp(log_softmax(scores if record.loss_facts.link == "softmax" else log_expit(scores), axis=1))


def _tells_all(record):
    """Whether the probabilities of all classes follow from the scores."""
    return record.scores is not None and record.loss_facts.link in OF_SCORES
