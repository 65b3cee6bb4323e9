"""From when the mean loss rises, which samples rise, and how few carry the rise.

The turn is an epoch chosen for its low mean: measured on the samples it was chosen on, the rise after it looks too
large. So it is chosen on one half of the samples and used on the other, and the other way round. These
definitions are our own.
"""

import numpy as np

THRESHOLDS = (0.0, 0.01, 0.1, 1.0)


def halves(loss):
    """Two halves of the samples, by a rule that has no chance in it and does not depend on their order.

    Samples are taken in the order of their loss at the first epoch (where these are equal, at the last; where
    these are equal too, as they stand), and go to the two halves in turn.

    Parameters
    ----------
    loss : array of shape (n_samples, n_epochs)

    Returns
    -------
    second : array of bool of shape (n_samples,)
        Whether a sample is in the second half, which is no larger than the first.
    """
    second = np.zeros(len(loss), dtype=bool)
    second[np.lexsort((loss[:, -1], loss[:, 0]))[1::2]] = True
    return second


def crossfitted_turns(loss):
    """The turn of each sample, chosen on the half of the samples that it is not in.

    Parameters
    ----------
    loss : array of shape (n_samples, n_epochs)

    Returns
    -------
    turn : array of int of shape (n_samples,)
        Position of the epoch at which the mean loss of the other half is least, the first of equal ones. A
        single sample has no other half, and its own turn.
    """
    second = halves(loss)
    if len(loss) == 1:
        return loss.argmin(axis=1)
    return np.where(second, least_mean(loss, ~second), least_mean(loss, second))


def least_mean(loss, chosen):
    """Position of the epoch of least mean loss over the ``chosen`` samples (n_samples,) of bool."""
    weights = chosen.astype(np.float64)
    return int(np.argmin([weights @ loss[:, epoch].astype(np.float64) for epoch in range(loss.shape[1])]))


def at_turn(values, turn):
    """``values`` (n_samples, n_epochs) of each sample at its own turn (n_samples,)."""
    return values[np.arange(len(values)), turn]


def rise_since(loss, turn):
    """d_i = l_i(end) - l_i(turn), shape (n_samples,), in the units of the loss."""
    return loss[:, -1].astype(np.float64) - at_turn(loss, turn)


def rising_fractions(rise, thresholds=THRESHOLDS):
    """Share of the samples whose loss rose by more than each threshold: {threshold: share}."""
    return {threshold: float(np.mean(rise > threshold)) for threshold in thresholds}


def carriers(rise):
    """The fewest samples whose rises sum to the whole rise of all.

    Parameters
    ----------
    rise : array of shape (n_samples,)
        d_i; those that fell are negative.

    Returns
    -------
    indices : array of int of shape (k,)
        The k samples of greatest rise, greatest first, where k is the least number with d_(1) + ... + d_(k) >=
        sum_i d_i; none where that sum is not positive.
    """
    order = np.argsort(-rise, kind="stable")
    reached = np.cumsum(rise[order])
    return order[: np.argmax(reached >= reached[-1]) + 1] if reached[-1] > 0 else order[:0]
