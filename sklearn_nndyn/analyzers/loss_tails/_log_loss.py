"""The log loss of scores, whatever loss was trained."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import log_softmax


def sample_log_loss(scores: ArrayLike, target: ArrayLike) -> np.ndarray:
    """Log loss of each sample, l_i = - log softmax(z_i)_c of its true class c.

    Parameters
    ----------
    scores : array of shape (n_samples, n_classes) or (n_samples, n_epochs, n_classes)
        Raw outputs z of a network: logits.
    target : array of int of shape (n_samples,)
        Positions c of the true classes.

    Returns
    -------
    loss : array of shape (n_samples,) or (n_samples, n_epochs)
        In nats, float64; a constant added to all scores of a sample changes nothing.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import sample_log_loss
    >>> sample_log_loss([[0.0, 0.0], [0.0, 2.0]], [0, 1]).round(3)
    array([0.693, 0.127])
    """
    given = np.asarray(scores)
    epochs = given[:, None] if given.ndim == 2 else given
    rows = np.arange(len(epochs))
    loss = np.empty((len(epochs), epochs.shape[1]))
    with np.errstate(invalid="ignore"):  # scores of a diverged network, refused afterwards with their epoch
        for at in range(loss.shape[1]):  # an epoch at a time: a record of scores may fill half of the memory
            loss[:, at] = -log_softmax(epochs[:, at].astype(np.float64), axis=1)[rows, target]
    return loss[:, 0] if given.ndim == 2 else loss
