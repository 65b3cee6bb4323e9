"""Every formula again, slowly: float64 NumPy, one sample at a time, as the papers write it.

Nothing here is shared with the library, and nothing is made stable: use it at moderate scores.
"""

import numpy as np


def softmax(o):
    """exp(o_j) / sum exp(o)"""
    return np.exp(o) / sum(np.exp(o_j) for o_j in o)


def sigmoid(o):
    """1 / (1 + exp(-o_j))"""
    return 1 / (1 + np.exp(-o))


LINKS = {"softmax": softmax, "sigmoid": sigmoid}


def one_hot(c, n_classes):
    """y: zeros, and a one at c."""
    return np.array([float(j == c) for j in range(n_classes)])


def _hinge(power):
    def loss(o, y):
        return sum(max(0.0, 0.5 - (2 * y_j - 1) * o_j) ** power for o_j, y_j in zip(o, y, strict=True))

    return loss


LOSSES_ON_SCORES = {
    "l1": lambda o, y: sum(abs(y_j - o_j) for o_j, y_j in zip(o, y, strict=True)),
    "l2": lambda o, y: sum((y_j - o_j) ** 2 for o_j, y_j in zip(o, y, strict=True)),
    "hinge": _hinge(1),
    "squared_hinge": _hinge(2),
    "cubed_hinge": _hinge(3),
}

LOSSES_ON_PROBABILITIES = {
    "log": lambda p, y: -np.log(p @ y),
    "squared_log": lambda p, y: np.log(p @ y) ** 2,
    "expectation": lambda p, y: sum(abs(y_j - p_j) for p_j, y_j in zip(p, y, strict=True)),
    "regularized_expectation": lambda p, y: sum((y_j - p_j) ** 2 for p_j, y_j in zip(p, y, strict=True)),
    "chebyshev": lambda p, y: max(abs(p_j - y_j) for p_j, y_j in zip(p, y, strict=True)),
    "tanimoto": lambda p, y: -(p @ y) / (p @ p + y @ y - p @ y),
    "cauchy_schwarz": lambda p, y: -np.log(p @ y / (np.sqrt(p @ p) * np.sqrt(y @ y))),
}


def sample_loss(name, o, c, link="softmax"):
    """The loss of one sample with scores o (n_classes,) and true class c."""
    y = one_hot(c, len(o))
    if name in LOSSES_ON_SCORES:
        return LOSSES_ON_SCORES[name](o, y)
    return LOSSES_ON_PROBABILITIES[name](LINKS[link](o), y)


def losses(name, scores, target, link="softmax"):
    """The loss (n_samples,) of each sample."""
    rows = zip(np.asarray(scores, dtype=np.float64), np.asarray(target), strict=True)
    return np.array([sample_loss(name, o, c, link) for o, c in rows])


# Gradients in the scores o_k, of the losses on scores and, with softmax, of those on probabilities.

GRADIENTS_ON_SCORES = {
    "l1": lambda o, y: np.sign(o - y),
    "l2": lambda o, y: 2 * (o - y),
}

GRADIENTS_ON_PROBABILITIES = {
    "log": lambda p, y: p - y,
    "squared_log": lambda p, y: 2 * -np.log(p @ y) * (p - y),
    "expectation": lambda p, y: 2 * (p @ y) * (p - y),
    "regularized_expectation": lambda p, y: 2 * p * ((p - y) - p @ (p - y)),
    "chebyshev": lambda p, y: (p @ y) * (p - y),
    "cauchy_schwarz": lambda p, y: (p - y) + p * (p / (p @ p) - 1),
}


def sample_gradient(name, o, c):
    """The gradient (n_classes,) of one sample's loss in its scores o."""
    y = one_hot(c, len(o))
    if name in GRADIENTS_ON_SCORES:
        return GRADIENTS_ON_SCORES[name](o, y)
    return GRADIENTS_ON_PROBABILITIES[name](softmax(o), y)


def gradients(name, scores, target):
    """The gradients (n_samples, n_classes)."""
    rows = zip(np.asarray(scores, dtype=np.float64), np.asarray(target), strict=True)
    return np.array([sample_gradient(name, o, c) for o, c in rows])


# Class centroids of a layer (Ciceri et al. 2024): means of the unit-normalised activations.


def centroids(activations, target, n_classes):
    """The means (n_classes, width); a zero activation stays zero, a class without samples is nan."""
    means = np.full((n_classes, activations[0].size), np.nan)
    for c in range(n_classes):
        own = [h.ravel() for h, c_i in zip(activations, target, strict=True) if c_i == c]
        if own:
            means[c] = sum(h / np.linalg.norm(h) if np.linalg.norm(h) > 0 else h for h in own) / len(own)
    return means


# Margin and prediction of one sample.


def margin(o, c):
    """The score of the true class minus the best other."""
    return o[c] - max(o_j for j, o_j in enumerate(o) if j != c)


def prediction(o):
    """The class of the greatest score, the first of equal ones."""
    return min(j for j, o_j in enumerate(o) if o_j == max(o))
