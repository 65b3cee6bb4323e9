"""The temperature that the scores of some samples are best divided by, and the log loss that is left.

With scores z of K classes, the true class c and z_k less the largest of them as d_k, the log loss of z / T is
log sum_k exp(b d_k) - b d_c with b = 1 / T. Its mean is convex in b, so Newton steps within a bracket find the least
value, for all epochs at once. Classes come first: sums over few classes then run across many samples, in parts that
stay in the cache.
"""

from typing import NamedTuple

import numpy as np

LARGEST = (
    1e3  # times the mean distance between scores: samples that are all right would be divided by nothing
)
FIRST = 4.0  # in the same units
PRECISION = 1e-6  # of the last step, which squares it
MANY = 4096  # samples, from which on the first guess is that of every so-and-so-many-th of them
STRIDE = 16
MOST_STEPS = 100
CELLS = 2**16  # of a part of the scores: what is computed of them stays in a core's cache


class ScoreDistances(NamedTuple):
    """How far scores lie below the largest one of their sample; none is above 0.

    Parameters
    ----------
    below : array of shape (n_classes, n_epochs, n_samples)
        d_k, float64.
    true : array of shape (n_epochs, n_samples)
        d_c, that of the true class.
    """

    below: np.ndarray
    true: np.ndarray

    def of(self, samples):
        """Those of some samples."""
        return ScoreDistances(self.below[:, :, samples], self.true[:, samples])


def score_distances(scores, y_encoded):
    """The `ScoreDistances` of finite scores (n_samples, n_epochs, n_classes), in float64."""
    below = np.array(np.moveaxis(scores, 0, 2).swapaxes(0, 1), dtype=np.float64, order="C")
    below -= below.max(axis=0)
    return ScoreDistances(below, np.take_along_axis(below, np.asarray(y_encoded)[None, None], axis=0)[0])


def tempered_losses(distances, inverse):
    """Log loss of each sample with scores times ``inverse`` b = 1 / T: log sum_k exp(b d_k) - b d_c, in nats.

    It has the shape (n_epochs, n_samples), to which ``inverse`` broadcasts.
    """
    below, true = distances
    inverse = np.broadcast_to(inverse, true.shape)
    loss = -inverse * true
    for part in _parts(below):
        p = below[:, :, part] * inverse[:, part]
        loss[:, part] += np.log(np.exp(p, out=p).sum(axis=0))
    return loss


def inverse_temperatures(distances, weight=None, prior=0.0, first=None):
    """b = 1 / T of the least mean log loss, for each epoch.

    Parameters
    ----------
    distances : ScoreDistances
        Of n_samples at n_epochs.
    weight : array of shape (n_samples,), default=None
        Weights of the samples, not all 0; None for equal ones.
    prior : float, default=0.0
        Laplace's rule: so many samples more, with scores like those of all others and a label of any class alike. With
        it there is a temperature for samples that are all right too.
    first : array of shape (n_epochs,), default=None
        A first guess, 0 where there is none: it saves steps, and changes nothing to speak of.

    Returns
    -------
    inverse : array of shape (n_epochs,)
        0 where no positive temperature is better than equal probabilities. Without a prior, and for samples that are
        all right, `LARGEST` in units of the mean distance between a sample's largest score and all of them.
    """
    below, true = distances
    weight = np.ones(below.shape[2]) if weight is None else np.asarray(weight, dtype=np.float64)
    share = weight / weight.sum()
    scale, of_true = -(below.mean(axis=0) @ share), -(true @ share)
    slope_at_none = of_true - scale
    found, high = np.zeros(len(scale)), LARGEST / np.where(scale > 0, scale, 1)
    moves = slope_at_none < 0
    if not prior:
        all_right = moves & (of_true == 0)
        found[all_right], moves = high[all_right], moves & ~all_right
    at = np.flatnonzero(moves)
    if first is None:
        first = _first_guess(distances, weight, prior)
    guess = np.where(first > 0, first, FIRST / np.where(scale > 0, scale, 1))
    slope = prior / (weight.sum() + prior) * slope_at_none - of_true
    found[at] = _minimise(_at(below, at), share, slope[at], np.minimum(guess, high)[at], high[at])
    return found


def _first_guess(distances, weight, prior):
    """b (n_epochs,) of every `STRIDE`-th of many samples; 0 where these have none."""
    some = slice(None, None, STRIDE)
    if len(weight) < MANY or not weight[some].any():
        return np.zeros(len(distances.true))
    few = ScoreDistances(*map(np.ascontiguousarray, distances.of(some)))
    return inverse_temperatures(few, weight[some], prior / STRIDE)


def _minimise(below, share, slope, found, high):
    """b (n_epochs,) between 0 and ``high`` where the mean of log sum_k exp(b d_k) has a slope, from a first guess."""
    low, moves = np.zeros(len(found)), np.arange(len(found))
    for _ in range(MOST_STEPS):
        if not len(moves):
            break
        at = found[moves]
        first, curvature = _slopes(_at(below, moves), at, share)
        first -= slope[moves]
        low[moves] = np.where(first < 0, at, low[moves])
        high[moves] = np.where(first > 0, at, high[moves])
        found[moves] = _next(at, first, curvature, low[moves], high[moves])
        moves = moves[np.abs(found[moves] - at) > PRECISION * at]
    return found


def _at(below, epochs):
    """Distances at some of the epochs; not copied where these are all."""
    return below if len(epochs) == below.shape[1] else below[:, epochs]


def _slopes(below, inverse, share):
    """First and second derivative in b of the mean of log sum_k exp(b d_k), each (n_epochs,)."""
    slopes = np.zeros((2, len(inverse)))
    for part in _parts(below):
        own = below[:, :, part]
        p = own * inverse[:, None]
        total = np.exp(p, out=p).sum(axis=0)
        mean = np.multiply(p, own, out=p).sum(axis=0) / total
        square = np.einsum("ken,ken->en", p, own) / total
        slopes += mean @ share[part], (square - mean**2) @ share[part]
    return slopes


def _parts(below):
    """Slices of the samples, each with few scores."""
    n_classes, n_epochs, n_samples = below.shape
    step = max(1, CELLS // max(1, n_classes * n_epochs))
    return [slice(start, start + step) for start in range(0, n_samples, step)]


def _next(at, slope, curvature, low, high):
    """A Newton step; within the bracket by halves (of the logarithm) where it would leave it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        newton = at - slope / curvature
    inside = (newton > low) & (newton < high)
    between = np.sqrt(np.maximum(low, at / 16) * high)
    return np.where(slope == 0, at, np.where(inside, newton, between))


def refined_loss(scores, y_encoded, weight=None):
    """Mean log loss, in nats, of scores (n_samples, n_classes) divided by the temperature that suits them best.

    ``weight`` (n_samples,) are weights of the samples, not all 0; None for equal ones.
    """
    distances = score_distances(np.asarray(scores)[:, None], y_encoded)
    inverse = inverse_temperatures(distances, weight)
    return float(np.average(tempered_losses(distances, inverse[:, None])[0], weights=weight))
