"""Records in which it is known when a layer begins to keep more of its input, and when less."""

import numpy as np

from sklearn_nndyn import LearningPhaseAnalyzer
from sklearn_nndyn.dynamics import Dynamics

ITERATIONS = np.array([0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024])
EPOCHS = ITERATIONS / 64
# It falls by 4, of which a twentieth is 0.2: no longer near 8 at position 3, and near 4 until position 7. Half of the
# fall is given back between positions 9 and 10.
CURVE = np.array([8, 7.9375, 7.875, 7, 6, 5, 4, 4.125, 5, 5.75, 7, 10])
BOUNDARIES = (3, 6, 7)
CLASSES = ("ant", "bee", "cow")
NEVER = 99


def phase_record(values=None, learned=None, *, layer="last", **changes):
    """The record of values (n_samples, n_epochs); sample i becomes right at position ``learned[i]``, for good.

    Without values, 48 samples have the planted curve, each in its own size.
    """
    values = planted_values() if values is None else np.asarray(values, dtype=float)
    n_samples, n_epochs = values.shape
    target = np.arange(n_samples) % 3
    learned = np.arange(n_samples) % (n_epochs + 1) if learned is None else np.asarray(learned)
    wrong = np.arange(n_epochs) < learned[:, None]
    fields = {
        "y": np.array(CLASSES)[target],
        "classes": CLASSES,
        "epochs": EPOCHS[:n_epochs],
        "iterations": ITERATIONS[:n_epochs],
        "prediction": np.where(wrong, (target[:, None] + 1) % 3, target[:, None]),
        "reconstruction": {"first": np.ones_like(values), layer: values},
        "probe_accuracy": {layer: np.linspace(0.25, 0.75, n_epochs)},
    }
    return Dynamics(**{name: value for name, value in (fields | changes).items() if value is not None})


def planted_values(n_samples=48, noise=0.0, seed=0, curve=CURVE):
    """Each sample has the curve in its own size, 0.5 to 1.5 with mean 1, and noise of its own at every look."""
    size = np.linspace(0.5, 1.5, n_samples)
    own = np.random.default_rng(seed).normal(scale=noise, size=(n_samples, len(curve)))
    return size[:, None] * np.asarray(curve) + own


def equal_slices(curves, noise=0.0):
    """A record for each curve."""
    return [phase_record(planted_values(noise=noise, seed=i, curve=curve)) for i, curve in enumerate(curves)]


def two_runs(curve, **parameters):
    """An analyzer fitted on two equal runs of a curve, which have no noise."""
    return LearningPhaseAnalyzer(**parameters).fit(equal_slices([curve, curve]))
