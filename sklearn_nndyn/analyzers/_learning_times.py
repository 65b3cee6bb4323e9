"""When a sample is learned, and how often it is forgotten."""

import numpy as np


def epoch_learned(correct, epochs):
    """First recorded epoch from which a sample stays correct.

    Parameters
    ----------
    correct : array of bool of shape (n_samples, n_epochs)
    epochs : array of shape (n_epochs,)

    Returns
    -------
    learned : array of shape (n_samples,)
        float64; nan for a sample that is wrong at the end.
    """
    from_here = np.logical_and.accumulate(correct[:, ::-1], axis=1)[:, ::-1]
    return np.where(correct[:, -1], epochs[from_here.argmax(axis=1)], np.nan)


def times_forgotten(correct):
    """How often a sample is wrong at a recorded epoch after it was correct at the one before, shape (n_samples,)."""
    return np.count_nonzero(correct[:, :-1] & ~correct[:, 1:], axis=1)
