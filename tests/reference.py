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


# Loss tails (questions of Venter, Theunissen and Davel 2021; definitions our own). loss[i][t] of sample i at epoch t.


def mean(values):
    """The sum over the number; nan of none."""
    return sum(values) / len(values) if len(values) else np.nan


def trimmed_mean(values):
    """The mean without the lowest and the highest tenth."""
    cut = len(values) // 10
    return mean(sorted(values)[cut : len(values) - cut])


def quantile(values, q):
    """The value below which a share q lies, on the straight line between neighbours."""
    ordered, place = sorted(values), q * (len(values) - 1)
    low = int(place)
    high = min(low + 1, len(values) - 1)
    return (1 - (place - low)) * ordered[low] + (place - low) * ordered[high]


def share_of_worst(values, share):
    """What the worst of the samples have of the sum: the nearest whole number of them, at least one."""
    count = max(1, round(share * len(values) + 1e-9))
    return sum(sorted(values)[-count:]) / sum(values)


def gini(values):
    """Mean absolute difference of all pairs, over twice the mean."""
    n = len(values)
    return sum(abs(a - b) for a in values for b in values) / (2 * n**2 * mean(values))


def least_mean_epoch(loss, chosen):
    """Position of the epoch at which the mean over the chosen samples is least."""
    means = [mean([loss[i][t] for i in chosen]) for t in range(len(loss[0]))]
    return means.index(min(means))


def crossfitted_turns(loss):
    """The turn of each sample: by first loss, then last loss, then place, samples go to two halves in turn."""
    order = sorted(range(len(loss)), key=lambda i: (loss[i][0], loss[i][-1], i))
    halves = order[0::2], order[1::2]
    return [least_mean_epoch(loss, halves[0] if i in halves[1] else halves[1]) for i in range(len(loss))]


def rises(loss, turns):
    """d_i = l_i(end) - l_i(turn)."""
    return [row[-1] - row[turn] for row, turn in zip(loss, turns, strict=True)]


def standard_error(values):
    """Of the mean."""
    n, centre = len(values), mean(values)
    return (sum((v - centre) ** 2 for v in values) / (n - 1) / n) ** 0.5


def n_carriers(d):
    """The smallest k such that the k largest d_i sum to the net rise."""
    ordered = sorted(d, reverse=True)
    return next(k for k in range(len(d) + 1) if sum(ordered[:k]) >= sum(d) - 1e-12)


def transition(correct_at_turn, correct_at_end):
    """Two letters."""
    return "WC"[int(correct_at_turn)] + "WC"[int(correct_at_end)]


def borderline_shares(transitions, d, margin):
    """Shares of all that rose: on borderline samples, and on samples wrong by far; and what is near."""
    near = quantile([abs(m) for m in margin], 0.5) / 10
    rose = sum(d_i for d_i in d if d_i > 0)
    borderline = by_far = 0.0
    for name, d_i, m in zip(transitions, d, margin, strict=True):
        if d_i > 0 and (name == "WC" or (name == "CC" and abs(m) < near)):
            borderline += d_i
        if d_i > 0 and name in ("WW", "CW") and abs(m) >= near:
            by_far += d_i
    return borderline / rose, by_far / rose, near


# Scale test and growth of features. z[i] are the scores of sample i, h[i] its activations, w[k][j] weights of unit j.


def score_scale(z):
    """mean_i ||z_i - mean(z_i)||"""
    return mean([sum((z_k - mean(z_i)) ** 2 for z_k in z_i) ** 0.5 for z_i in z])


def scale_test(z_turn, z_end, y):
    """Temperature, rise, rise at the scale of the turn, share that vanishes."""
    temperature = score_scale(z_end) / score_scale(z_turn)
    start, end = (mean(losses("log", z, y)) for z in (z_turn, z_end))
    cooled = mean(losses("log", [[z_k / temperature for z_k in z_i] for z_i in z_end], y))
    return temperature, end - start, cooled - start, 1 - (cooled - start) / (end - start)


def share_on_correct(h, correct, j):
    """a_j: of what unit j is active in all, what falls on samples correct at the turn."""
    return sum(abs(h_i[j]) for h_i, right in zip(h, correct, strict=True) if right) / sum(
        abs(h_i[j]) for h_i in h
    )


def outgoing_norm(w, j):
    """Norm of the weights that leave unit j."""
    return sum(w_k[j] ** 2 for w_k in w) ** 0.5


def ranks(values):
    """1 to n; equal values share the mean of their ranks."""
    return [mean([r + 1 for r, v in enumerate(sorted(values)) if v == own]) for own in values]


def rank_correlation(one, other):
    """The correlation of the ranks."""
    a, b = ([r - mean(ranks(values)) for r in ranks(values)] for values in (one, other))
    return (
        sum(x * y for x, y in zip(a, b, strict=True)) / (sum(x * x for x in a) * sum(y * y for y in b)) ** 0.5
    )


def scores_restored(h, w_turn, w_end, b, units):
    """Scores H W' + b at the end, with the units' outgoing weights at their norm of the turn."""
    w = [
        [
            w_kj * outgoing_norm(w_turn, j) / outgoing_norm(w_end, j) if j in units else w_kj
            for j, w_kj in enumerate(row)
        ]
        for row in w_end
    ]
    return [
        [
            sum(h_ij * w_kj for h_ij, w_kj in zip(h_i, row, strict=True)) + b_k
            for row, b_k in zip(w, b, strict=True)
        ]
        for h_i in h
    ]
