"""Scores of which it is known what is refinement and what is calibration."""

import numpy as np

from sklearn_nndyn import Dynamics

EPOCHS = 24
APART = np.concatenate([np.linspace(0.2, 2, 12), np.linspace(2, 2.3, 12)])  # how far the classes lie apart
AGAIN = np.concatenate([np.linspace(0.2, 2, 12), np.linspace(2, 1, 12)])  # and nearer again
SURE = np.concatenate([np.ones(12), np.linspace(1, 4, 12)])  # how much too large the scores are


def planted_scores(apart=APART, sure=SURE, n_samples=1500, n_classes=3, seed=0):
    """Scores (n_samples, n_epochs, n_classes) whose best temperature is ``sure``, and their classes.

    With x = apart y + noise, the scores apart x are the true log odds: refinement depends on ``apart`` alone.
    """
    rng = np.random.default_rng(seed)
    y = np.arange(n_samples) % n_classes
    noise = rng.normal(size=(n_samples, 1, n_classes))
    x = noise + apart[:, None] * np.eye(n_classes)[y][:, None]
    return x * (apart * sure)[:, None], y


def planted_record(**changes):
    """A record of such scores."""
    return Dynamics.from_scores(*planted_scores(**changes))
