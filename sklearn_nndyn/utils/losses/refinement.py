"""The temperature that the scores of some samples are best divided by, and the log loss that is left.

With scores z of K classes and the true class c, d_k = z_k - z_c, the log loss of z / T is log sum_k exp(b d_k) with
b = 1 / T. Its mean is convex in b, so Newton steps within a bracket find the least value, for all epochs at once.
Classes come first: sums over few classes then run across many samples.
"""

import numpy as np

LARGEST = (
    1e3  # times the mean distance between scores: samples that are all right would be divided by nothing
)
FIRST = 4.0  # in the same units
PRECISION = 1e-6  # of the last step, which squares it
MANY = 4096  # samples, from which on the first guess is that of every so-and-so-many-th of them
STRIDE = 16
MOST_STEPS = 100


def score_differences(scores, y_encoded):
    """d_k = z_k - z_c, classes first.

    Parameters
    ----------
    scores : array of shape (n_samples, n_epochs, n_classes)
        Scores z, finite.
    y_encoded : array of int of shape (n_samples,)
        Positions c of the true classes.

    Returns
    -------
    differences : array of shape (n_classes, n_epochs, n_samples)
        float64.
    """
    differences = np.array(np.moveaxis(scores, 0, 2).swapaxes(0, 1), dtype=np.float64, order="C")
    true = np.take_along_axis(differences, np.asarray(y_encoded)[None, None], axis=0)
    return np.subtract(differences, true, out=differences)


def tempered_losses(differences, inverse):
    """Log loss of each sample with scores times ``inverse``, that is, divided by a temperature.

    Parameters
    ----------
    differences : array of shape (n_classes, n_epochs, n_samples)
        What `score_differences` gives.
    inverse : float, or array that broadcasts to (n_epochs, n_samples)
        b = 1 / T.

    Returns
    -------
    loss : array of shape (n_epochs, n_samples)
        log sum_k exp(b d_k), in nats.
    """
    scaled = differences * inverse
    top = scaled.max(axis=0)
    return top + np.log(np.exp(np.subtract(scaled, top, out=scaled), out=scaled).sum(axis=0))


def inverse_temperatures(differences, weight=None, prior=0.0):
    """b = 1 / T of the least mean log loss, for each epoch.

    Parameters
    ----------
    differences : array of shape (n_classes, n_epochs, n_samples)
        What `score_differences` gives.
    weight : array of shape (n_samples,), default=None
        Weights of the samples, not all 0; None for equal ones.
    prior : float, default=0.0
        Laplace's rule: so many samples more, with scores like those of all others and a label of any class alike. With
        it there is a temperature for samples that are all right too.

    Returns
    -------
    inverse : array of shape (n_epochs,)
        0 where no positive temperature is better than equal probabilities. Without a prior, and for samples that are
        all right, `LARGEST` in units of the mean distance between scores.
    """
    weight = np.ones(differences.shape[2]) if weight is None else np.asarray(weight, dtype=np.float64)
    share = weight / weight.sum()
    slope_at_none = differences.mean(axis=0) @ share
    scale = np.abs(differences).mean(axis=0) @ share
    found, high = np.zeros(len(scale)), LARGEST / np.where(scale > 0, scale, 1)
    moves = slope_at_none < 0
    if not prior:
        all_right = moves & (differences.max(axis=0) @ share == 0)
        found[all_right], moves = high[all_right], moves & ~all_right
    at = np.flatnonzero(moves)
    pull = prior / (weight.sum() + prior) * slope_at_none[at]
    first = _first_guess(differences[:, at], weight, prior, scale[at])
    found[at] = _minimise(differences[:, at], share, pull, np.minimum(first, high[at]), high[at])
    return found


def _first_guess(differences, weight, prior, scale):
    """b (n_epochs,) of every `STRIDE`-th of many samples, and of a scale where these have none."""
    some = slice(None, None, STRIDE)
    if len(weight) < MANY or not weight[some].any():
        return FIRST / scale
    found = inverse_temperatures(differences[:, :, some], weight[some], prior / STRIDE)
    return np.where(found > 0, found, FIRST / scale)


def _minimise(differences, share, pull, found, high):
    """b (n_epochs,) between 0 and ``high`` at which the slope of the mean loss is ``pull``, from a first guess.

    The largest d_k of a sample is the largest whatever b is, so it is taken off once.
    """
    top = differences.max(axis=0)
    below, pull = differences - top, pull - top @ share
    low, moves = np.zeros(len(found)), np.arange(len(found))
    for _ in range(MOST_STEPS):
        if not len(moves):
            break
        at = found[moves]
        slope, curvature = _slopes(below if len(moves) == len(found) else below[:, moves], at, share)
        slope -= pull[moves]
        low[moves] = np.where(slope < 0, at, low[moves])
        high[moves] = np.where(slope > 0, at, high[moves])
        found[moves] = _next(at, slope, curvature, low[moves], high[moves])
        moves = moves[np.abs(found[moves] - at) > PRECISION * at]
    return found


def _slopes(below, inverse, share):
    """First and second derivative in b of the mean of log sum_k exp(b d_k), each (n_epochs,); no d_k is above 0."""
    p = below * inverse[:, None]
    total = np.exp(p, out=p).sum(axis=0)
    mean = np.multiply(p, below, out=p).sum(axis=0) / total
    square = np.einsum("ken,ken->en", p, below) / total
    return mean @ share, (square - mean**2) @ share


def _next(at, slope, curvature, low, high):
    """A Newton step; within the bracket by halves (of the logarithm) where it would leave it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        newton = at - slope / curvature
    inside = (newton > low) & (newton < high)
    between = np.sqrt(np.maximum(low, at / 16) * high)
    return np.where(slope == 0, at, np.where(inside, newton, between))


def refined_loss(scores, y_encoded, weight=None):
    """Mean log loss of scores that are divided by the temperature that suits them best.

    Parameters
    ----------
    scores : array of shape (n_samples, n_classes)
        Scores, finite.
    y_encoded : array of int of shape (n_samples,)
        Positions of the true classes.
    weight : array of shape (n_samples,), default=None
        Weights of the samples, not all 0; None for equal ones.

    Returns
    -------
    loss : float
        In nats.
    """
    differences = score_differences(np.asarray(scores)[:, None], y_encoded)
    inverse = inverse_temperatures(differences, weight)
    return float(np.average(tempered_losses(differences, inverse[:, None])[0], weights=weight))
