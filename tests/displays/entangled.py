"""Records in which it is known where each class's radius turns, who is wrong there, and by how much."""

import numpy as np
from sklearn.base import BaseEstimator

from sklearn_nndyn.dynamics import Dynamics

NEVER = 99
LAST = 8  # position of the last of nine epochs: a turn there is none
# Position of the epoch at which each sample becomes right, for good.
LEARNED = np.array([NEVER, 7, 6, 5, 4, 4, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0])


def lengths(turns, n_epochs):
    """Lengths of the centroids (n_epochs, n_classes): 0.9 at the turn, less by 0.05 for each epoch before or after."""
    return 0.9 - 0.05 * np.abs(np.arange(n_epochs)[:, None] - np.asarray(turns))


def entangled_record(turns=(3, 3), n_epochs=9, learned=LEARNED, classes=None, **changes):
    """20 samples, epochs 0, 2, 4, ...; the radius of class c is least at position ``turns[c]``.

    Centroids are at right angles, so R_c = sqrt(1 - length^2). Sample i is wrong, read as the next class, until
    position ``learned[i]``, with margin i - 20; then right. A turn at the last position is none.
    """
    n_classes = len(turns)
    target = np.arange(len(learned)) % n_classes
    classes = np.arange(n_classes) if classes is None else np.asarray(classes)
    wrong = np.arange(n_epochs) < np.asarray(learned)[:, None]
    margin = np.where(wrong, np.arange(len(learned))[:, None] - 20.0, 1.0)
    fields = {
        "y": classes[target],
        "classes": classes,
        "epochs": 2 * np.arange(n_epochs),
        "margin": margin,
        "prediction": np.where(wrong, (target[:, None] + 1) % n_classes, target[:, None]),
        "centroids": {"hidden": lengths(turns, n_epochs)[..., None] * np.eye(n_classes)},
    }
    return Dynamics(**{name: value for name, value in (fields | changes).items() if value is not None})


class Fitted(BaseEstimator):
    """Stands in for a classifier that records."""

    def __init__(self, record=("samples", "geometry")):
        self.record = record

    def fit(self, X, y=None):
        self.dynamics_ = X
        return self


def assert_same(one, other):
    """Two displays hold the same."""
    np.testing.assert_equal(vars(one), vars(other))


def texts(ax):
    return [text.get_text() for text in ax.texts]
