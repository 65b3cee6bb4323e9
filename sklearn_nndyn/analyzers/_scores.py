"""What scores alone tell: their log loss, whatever loss was trained, and their scale."""

import numpy as np
from scipy.special import log_softmax

from sklearn_nndyn.analyzers._checks import check_losses, onset_position
from sklearn_nndyn.dynamics import Dynamics


def log_loss(scores, target):
    """l_i = - log softmax(z_i)_c for the true class c, in nats.

    Parameters
    ----------
    scores : array of shape (n_samples, n_classes)
    target : array of int of shape (n_samples,)
        Positions of the true classes.

    Returns
    -------
    loss : array of shape (n_samples,)
        float64; a constant added to all scores of a sample changes nothing.
    """
    with np.errstate(invalid="ignore"):  # scores of a diverged network, refused afterwards with their epoch
        return -log_softmax(scores.astype(np.float64), axis=1)[np.arange(len(scores)), target]


def log_losses(record):
    """Log loss (n_samples, n_epochs) of the scores of a record, checked to be finite."""
    epochs = [log_loss(record.scores[:, at], record.target) for at in range(record.n_epochs)]
    loss = np.stack(epochs, axis=1)
    check_losses(Dynamics(y=record.y, classes=record.classes, epochs=record.epochs, loss=loss))
    return loss


def find_turn(loss, onset, epochs):
    """Position of the epoch of least mean of ``loss`` (n_samples, n_epochs), or of the one asked for."""
    given = onset_position(onset, epochs)
    return int(loss.mean(axis=0).argmin()) if given is None else given


def centred(scores):
    """Scores (n_samples, n_classes) of each sample minus their mean over the classes, float64."""
    scores = scores.astype(np.float64)
    return scores - scores.mean(axis=1, keepdims=True)


def score_scale(scores):
    """s = mean_i ||z_i - mean(z_i)||, in the units of the scores (n_samples, n_classes)."""
    return float(np.linalg.norm(centred(scores), axis=1).mean())


def loss_name(record):
    """Name of the trained loss, or what else the record says of it; empty where it says nothing."""
    return str(record.header.get("loss", ""))


def trained_with(name):
    """A sentence for records of networks trained with another loss than the one that is looked at."""
    if name == "log":
        return ""
    if not name:
        return "What is looked at is the log loss of the scores, whatever loss was trained."
    trained = f"the {name.replace('_', ' ')} loss" if name.isidentifier() else f"another loss, {name}"
    return f"The network was trained with {trained}; what is looked at is the log loss of its scores all the same."
