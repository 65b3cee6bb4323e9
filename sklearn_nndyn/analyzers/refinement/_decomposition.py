"""The log loss of scores as refinement and calibration, epoch by epoch.

Berta, Holzmueller, Jordan and Bach (2025, arXiv 2501.19195): what is left of the loss when the scores are divided by
the best temperature is refinement, how well the classes are told apart; the rest is calibration, how well the
probabilities are scaled. The temperature is chosen on one half of the samples and used on the other, and the other way
round.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sklearn_nndyn.utils.losses.refinement import inverse_temperatures, score_distances, tempered_losses
from sklearn_nndyn.utils.results import ShortRepr

PRIOR = 1.0  # samples: Laplace's rule
CELLS = 2**17  # of a chunk of scores in float64: what a core has at hand
READ = 2**22  # scores read at once: those of one epoch lie apart, each beside those of others


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LossDecomposition(ShortRepr):
    """Log loss of each sample, as it is and with the best temperature.

    Parameters
    ----------
    loss : array of shape (n_samples, n_epochs)
        Log loss of the scores, in nats.
    refined : array of shape (n_samples, n_epochs)
        The same of the scores divided by the temperature that the other half of the samples chose.
    temperature : array of shape (n_epochs,)
        The best one for all samples; inf where equal probabilities are better than any.
    second : array of bool of shape (n_samples,)
        Whether a sample is in the second half, which is no larger than the first.
    half_curves : array of shape (2, n_epochs)
        Mean log loss of each half with the temperature of its own: what it chooses the best epoch by.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.refinement import decompose_loss
    >>> scores = [[[0.0, 0.0], [9.0, 0.0]], [[0.0, 0.0], [8.0, 0.0]], [[0.0, 0.0], [0.0, 7.0]]]
    >>> found = decompose_loss(scores, [0, 1, 1])
    >>> found.loss.shape, found.loss[1].round(2)
    ((3, 2), array([0.69, 8.  ]))
    """

    loss: np.ndarray
    refined: np.ndarray
    temperature: np.ndarray
    second: np.ndarray
    half_curves: np.ndarray


def temperatures(scores: ArrayLike, target: ArrayLike) -> np.ndarray:
    """The temperature of each epoch that scores are best divided by.

    The least of the mean log loss of scores / T over T, with one sample more whose scores are like those of all others
    and whose label is any class alike (Laplace's rule). So there is a temperature for samples that are all right too;
    of many samples, it changes nothing to speak of.

    Parameters
    ----------
    scores : array of shape (n_samples, n_epochs, n_classes)
        Raw outputs z of a network: logits, finite.
    target : array of int of shape (n_samples,)
        Positions of the true classes.

    Returns
    -------
    temperature : array of shape (n_epochs,)
        Above 1 where the scores are too sure, below 1 where they are not sure enough; inf where equal probabilities are
        better than any. Scores times a constant have the temperature times the constant.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.refinement import temperatures
    >>> once = np.array([[[1.0, -1.0]], [[1.0, -1.0]], [[1.0, -1.0]], [[0.5, -0.5]]])
    >>> T = temperatures(np.concatenate([once, 3 * once], axis=1), [0, 0, 1, 0])
    >>> (T / T[0]).round(6)
    array([1., 3.])
    """
    found = [
        inverse_temperatures(distances, prior=PRIOR)
        for distances in _chunks(np.asarray(scores), np.asarray(target))
    ]
    return as_temperature(np.concatenate(found))


def decompose_loss(scores: ArrayLike, target: ArrayLike) -> LossDecomposition:
    """Log loss of each sample and epoch, as it is and refined, cross-fitted.

    Parameters
    ----------
    scores : array of shape (n_samples, n_epochs, n_classes)
        Raw outputs z of a network: logits, finite; of two samples at least.
    target : array of int of shape (n_samples,)
        Positions of the true classes.

    Returns
    -------
    found : LossDecomposition
        Means over the samples of ``refined`` and of ``loss - refined`` are refinement and calibration.

    Notes
    -----
    The halves are drawn, always in the same way, from the samples in the order of their mean distance between the
    scores and that of the true class at the first epoch: the order in which they come, and the scale of the scores, do
    not matter.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.refinement import decompose_loss
    >>> rng = np.random.default_rng(0)
    >>> target = rng.integers(0, 2, 1000)
    >>> z = rng.normal(size=(1000, 1, 2)) + 2 * np.eye(2)[target][:, None]  # their true log odds, doubled
    >>> found = decompose_loss(np.concatenate([z, 5 * z], axis=1), target)
    >>> found.temperature.round(1), found.refined.mean(axis=0).round(2)
    (array([0.5, 2.6]), array([0.2, 0.2]))
    """
    scores, target = np.asarray(scores), np.asarray(target)
    second = _second_half(score_distances(scores[:, [0, -1]], target))
    order = np.argsort(second, kind="stable")
    n_first, back = np.count_nonzero(~second), np.argsort(order)
    parts = [_decompose(distances, n_first, back) for distances in _chunks(scores, target, order)]
    loss, refined, inverse, curves = (np.concatenate(part).T for part in zip(*parts, strict=True))
    return LossDecomposition(
        loss=loss, refined=refined, temperature=as_temperature(inverse), second=second, half_curves=curves
    )


def _second_half(distances):
    """Whether each sample is in the second half; the halves say nothing of each other, as those of equal losses
    would."""
    first, last = distances.below.mean(axis=0) - distances.true
    order, n = np.lexsort((last, first)), len(first)
    second = np.zeros(n, dtype=bool)
    second[order[np.random.default_rng(0).permutation(n)[: n // 2]]] = True
    return second


def _decompose(distances, n_first, back):
    """Loss and refined loss (n_epochs, n_samples), b (n_epochs,) of all samples, curves of the halves (n_epochs, 2).

    The first half comes first; ``back`` are the positions of the samples in the order of the losses.
    """
    own = [distances.of(slice(n_first)), distances.of(slice(n_first, None))]
    of_all = inverse_temperatures(distances, prior=PRIOR)
    inverse = [inverse_temperatures(half, prior=PRIOR, first=of_all) for half in own]
    curves = [tempered_losses(half, b[:, None]).mean(axis=1) for half, b in zip(own, inverse, strict=True)]
    refined = [tempered_losses(half, b[:, None]) for half, b in zip(own, inverse[::-1], strict=True)]
    loss, refined = tempered_losses(distances, 1.0), np.concatenate(refined, axis=1)
    return loss[:, back], refined[:, back], of_all, np.transpose(curves)


def as_temperature(inverse):
    """1 / b; inf for b = 0."""
    with np.errstate(divide="ignore"):
        return 1 / inverse


def _chunks(scores, target, order=slice(None)):
    """Distances of the scores of few epochs at a time, the samples in some order."""
    step, read = (max(1, cells // max(1, scores[:, 0].size)) for cells in (CELLS, READ))
    for start in range(0, scores.shape[1], read):
        rows = scores[:, start : start + read][order]
        for at in range(0, rows.shape[1], step):
            yield score_distances(rows[:, at : at + step], target[order])
