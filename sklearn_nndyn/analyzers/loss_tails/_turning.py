"""The epoch from which a rise is measured."""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from sklearn_nndyn.analyzers.loss_tails._checks import check_finite_losses, onset_position


def turning_position(
    loss: ArrayLike, epochs: ArrayLike | None = None, onset: Literal["auto"] | float = "auto"
) -> int:
    """Position of the turning epoch: that of the least mean loss, or the one asked for.

    Parameters
    ----------
    loss : array of shape (n_samples, n_epochs)
        Finite, of two epochs at least.
    epochs : array of shape (n_epochs,), default=None
        Recorded epochs; None is 0, 1, ...
    onset : "auto", int or float, default="auto"
        ``"auto"`` is the epoch of least mean loss over the samples, the first of equal ones; else a recorded epoch.

    Returns
    -------
    position : int
        Among ``epochs``; the last where the mean loss falls until the end, and so has no turning epoch.

    Raises
    ------
    TypeError
        If ``onset`` is of the wrong type.
    ValueError
        If a loss is not finite, there is one epoch only, or ``onset`` is not a recorded epoch.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.loss_tails import turning_position
    >>> loss = [[1.0, 0.2, 0.1], [1.0, 0.4, 0.9]]
    >>> turning_position(loss), turning_position(loss, epochs=[0, 5, 10], onset=0)
    (1, 0)
    """
    loss = np.asarray(loss)
    epochs = np.arange(loss.shape[1]) if epochs is None else np.asarray(epochs)
    check_finite_losses(loss, epochs)
    given = onset_position(onset, epochs, last=True)
    return int(loss.mean(axis=0, dtype=np.float64).argmin()) if given is None else given


def name_of_onset(verdict, onset):
    """What the epoch is called that a rise is measured from: a turn only where the verdict on the rise is "yes"."""
    if verdict == "yes":
        return "turn"
    return "least mean" if onset == "auto" else "onset"
