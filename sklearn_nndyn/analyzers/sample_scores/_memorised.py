"""How much of what a group of training samples has gained is memory: a difference in differences."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import t as student

LEVEL = 0.95


def memorised_nats(loss: ArrayLike, held_out_loss: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """How much further the loss of training samples has fallen than that of held-out samples like them.

    [L(0) - L(t)] - [H(0) - H(t)], with L and H the mean losses of the training and of the held-out samples at an epoch:
    what training on these very samples has brought, beyond what it brings for others of their kind (Lesci et al. 2024).
    Of log losses, it is in nats a sample.

    Parameters
    ----------
    loss : array of shape (n_samples, n_epochs)
        Losses of a group of training samples; the first epoch is the network before training.
    held_out_loss : array of shape (n_held_out, n_epochs)
        Losses of held-out samples of the same kind, at the same epochs.

    Returns
    -------
    memorised : array of shape (n_epochs,)
        0 at the first epoch; in the units of the loss.
    interval : array of shape (n_epochs, 2)
        95 % interval over the samples of both groups (Welch); nan for fewer than two samples of either.

    Raises
    ------
    ValueError
        If the two are not of the same epochs, a group is empty, or a loss is not finite.

    Notes
    -----
    It holds for a group, and rests on the held-out samples being like it: without training on them, both would have
    fallen alike. For samples with wrong labels that means held-out samples with labels that are wrong in the same way;
    against right ones it measures wrongness and not memory. As a score of single samples it is poor. The interval says
    nothing of other seeds.

    References
    ----------
    Lesci, Meister, Hofmann, Vlachos, Pimentel (2024). Causal estimation of memorisation profiles. arXiv 2406.04327.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.sample_scores import memorised_nats
    >>> memorised, interval = memorised_nats([[2.0, 0.5], [2.0, 0.3]], [[2.0, 1.2], [2.0, 1.0]])
    >>> memorised.round(3)
    array([0. , 0.7])
    """
    own, others = (
        _falls(name, values) for name, values in (("loss", loss), ("held_out_loss", held_out_loss))
    )
    if own.shape[1] != others.shape[1]:
        raise ValueError(
            f"loss has {own.shape[1]} epochs, but held_out_loss has {others.shape[1]}: give both at the same epochs."
        )
    memorised = own.mean(axis=0) - others.mean(axis=0)
    half = _half_width(own, others)
    return memorised, np.stack([memorised - half, memorised + half], axis=1)


def _falls(name, values):
    """How far the loss of each sample has fallen, (n_samples, n_epochs)."""
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 2 or not values.size:
        raise ValueError(
            f"{name} must be (n_samples, n_epochs), of one sample at least; got shape {values.shape}."
        )
    if not np.isfinite(values).all():
        raise ValueError(f"{name} holds values that are not finite.")
    return values[:, :1] - values


def _half_width(own, others):
    """Half of Welch's 95 % interval of the difference of the means, (n_epochs,)."""
    counts = len(own), len(others)
    if min(counts) < 2:
        return np.full(own.shape[1], np.nan)
    squares = [values.var(axis=0, ddof=1) / n for values, n in zip((own, others), counts, strict=True)]
    total = squares[0] + squares[1]
    spread = sum(square**2 / (n - 1) for square, n in zip(squares, counts, strict=True))
    freedom = np.divide(total**2, spread, out=np.ones_like(total), where=spread > 0)
    return student.isf((1 - LEVEL) / 2, freedom) * np.sqrt(total)
