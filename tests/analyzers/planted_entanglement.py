"""Records of which the radii are given, so that the turns are known."""

import numpy as np

from sklearn_nndyn.dynamics import Dynamics

N_EPOCHS = 25
EPOCHS = (
    np.arange(N_EPOCHS) * np.arange(1, N_EPOCHS + 1) // 2
)  # 0, 1, 3, 6, ..., 300: further and further apart
CLASSES = ("ant", "bee", "cow")
# Position and radius at the bends; straight lines between them.
BENDS = {
    "ant": {0: 0.9, 10: 0.5, 24: 0.85},
    "bee": {0: 0.95, 14: 0.35, 24: 0.3},
    "cow": {0: 0.6, 4: 0.8, 18: 0.55, 24: 0.7},  # it rises before it falls
}
TURNS = {"ant": 10, "bee": None, "cow": 18, "mean": 14}
ABRUPT = {0: 0.9, 10: 0.5, 24: 0.85}


def curve(bends, n_epochs=N_EPOCHS):
    """Straight lines between the bends {position: value}."""
    return np.interp(np.arange(n_epochs), list(bends), list(bends.values()))


def planted_radii(names=CLASSES):
    """Shape (25, n_classes)."""
    return np.transpose([curve(BENDS[name]) for name in names])


def centroids_of(radii):
    """Centroids at right angles to one another, as long as the radii (n_epochs, n_classes) ask."""
    return np.sqrt(1 - radii**2)[:, :, None] * np.eye(radii.shape[1])


def learned_in_turn(n_samples=60, n_epochs=N_EPOCHS):
    """Sample i is right from position i % 30 on; sample 3 is forgotten at the mean's turn, sample 4 twice later."""
    correct = np.arange(n_epochs) >= np.arange(n_samples)[:, None] % 30
    correct[3, 13:17] = False
    correct[4, [20, 22]] = False
    return correct


def record_of(radii, correct, classes=CLASSES, **changes):
    """A record of these radii (n_epochs, n_classes), and of what is correct (n_samples, n_epochs)."""
    n_samples, n_epochs = correct.shape
    target = np.arange(n_samples) % len(classes)
    fields = {
        "y": np.array(classes)[target],
        "classes": np.array(classes),
        "epochs": EPOCHS[:n_epochs],
        "loss": np.where(correct, 0.1, 2.0),
        "margin": np.where(correct, 1.0, -1.0) * (1 + np.arange(n_epochs)),
        "prediction": np.where(correct, target[:, None], (target[:, None] + 1) % len(classes)),
        "centroids": {"first": centroids_of(0 * radii), "last": centroids_of(radii)},
    }
    return Dynamics(**(fields | changes))


def planted_record(**changes):
    """Three classes with the bends above, in the second of two layers; nothing happens in the first."""
    return record_of(planted_radii(), learned_in_turn(), **changes)


def run_with_stragglers(stragglers, seed=0, inverts=True):
    """40 samples of two classes: these are wrong at the turn, at position 10, and some of them to the end."""
    rng = np.random.default_rng(seed)
    learned = rng.integers(0, 11, 40)
    learned[list(stragglers)] = rng.integers(11, 30, len(stragglers))
    bends = ABRUPT if inverts else {0: 0.9, 24: 0.4}
    return record_of(
        np.transpose(2 * [curve(bends)]), np.arange(N_EPOCHS) >= learned[:, None], classes=(False, True)
    )
