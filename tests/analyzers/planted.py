"""Records in which it is known what an analyzer has to find."""

import numpy as np

from sklearn_nndyn.dynamics import Dynamics
from sklearn_nndyn.losses import get_loss, loss_header

RISERS = np.arange(20, 30)
CARRIERS = np.array([20, 21])
TRANSITIONS = {"CC": 184, "CW": 8, "WC": 5, "WW": 3}


def planted_losses():
    """200 samples, 4 epochs: all fall to the turn at epoch 2; then 2 rise by 64, 8 by a half, 190 fall on.

    Powers of two, so that sums are exact: the net rise is 2 * 64 + 8 / 2 - 190 / 4 = 84.5.
    """
    loss = np.tile([2.0, 1.0, 0.5, 0.25], (200, 1))
    loss[RISERS, 3] = 1.0
    loss[CARRIERS, 3] = 64.5
    return loss


def planted_record():
    """The same with predictions and margins: the two carriers and sample 0 stay wrong, the other risers become
    wrong, samples 1 to 5 become right; wrong samples end at a margin of -8, right ones at 8."""
    correct = np.ones((200, 4), dtype=bool)
    correct[[0, *CARRIERS]] = False
    correct[RISERS[2:], 3] = False
    correct[1:6, :3] = False
    y = np.arange(200) % 3
    return Dynamics(
        y=y,
        classes=[0, 1, 2],
        epochs=[0, 1, 2, 3],
        loss=planted_losses(),
        margin=np.where(correct, 1.0, -1.0) * [1.0, 2.0, 4.0, 8.0],
        prediction=np.where(correct, y[:, None], (y[:, None] + 1) % 3),
        header=header_of("log"),
    )


def scores_record(scores, y, **changes):
    """Log loss, margin and prediction of scores (n_samples, n_epochs, n_classes), float64."""
    y = np.asarray(y)
    own = np.take_along_axis(scores, np.broadcast_to(y[:, None, None], (*scores.shape[:2], 1)), 2)[..., 0]
    others = np.where(np.arange(scores.shape[2]) == y[:, None, None], -np.inf, scores).max(axis=2)
    top = scores.max(axis=2, keepdims=True)
    fields = {
        "y": y,
        "classes": np.arange(scores.shape[2]),
        "epochs": 2 * np.arange(scores.shape[1]),
        "loss": np.log(np.exp(scores - top).sum(axis=2)) + top[..., 0] - own,
        "margin": own - others,
        "prediction": scores.argmax(axis=2),
        "header": header_of("log"),
    }
    fields["probability"] = np.exp(-fields["loss"])
    return Dynamics(**(fields | changes))


def header_of(name):
    """What a record tells of a loss of the library."""
    return loss_header(get_loss(name))


def tailed_record(n_samples=150, n_epochs=7, seed=0, **changes):
    """Scores that grow for ever: right for most samples, wrong for one in ten, whose losses grow with them."""
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 3, n_samples)
    direction = np.eye(3)[np.where(rng.random(n_samples) < 0.1, (y + 1) % 3, y)]
    growth = np.linspace(0, 6, n_epochs)[None, :, None] * rng.gamma(3, 1 / 3, (n_samples, 1, 1))
    scores = growth * direction[:, None] + rng.normal(scale=0.7, size=(n_samples, n_epochs, 3))
    return scores_record(scores, y, **changes)
