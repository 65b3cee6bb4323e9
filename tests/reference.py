"""Every formula again, slowly: float64 NumPy, one sample at a time, as the papers write it.

Nothing here is shared with the library, and nothing is made stable: use it at moderate scores.
"""

from itertools import pairwise

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


def cross_entropy(weights, log_p):
    """- sum_j weights_j log p_j"""
    return -sum(w_j * log_p_j for w_j, log_p_j in zip(weights, log_p, strict=True))


def smoothed(y, smoothing):
    """(1 - s) y + s / K"""
    return np.array([(1 - smoothing) * y_j + smoothing / len(y) for y_j in y])


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
    "generalized_cross_entropy": lambda p, y, q=0.7: (1 - (p @ y) ** q) / q,
    "symmetric_cross_entropy": lambda p, y, alpha=0.1, beta=1.0, log_zero=-4.0: (
        alpha * cross_entropy(y, np.log(p)) + beta * cross_entropy(p, [0.0 if y_j else log_zero for y_j in y])
    ),
    "focal": lambda p, y, gamma=2.0: -((1 - p @ y) ** gamma) * np.log(p @ y),
    "label_smoothing": lambda p, y, smoothing=0.1: cross_entropy(smoothed(y, smoothing), np.log(p)),
    "poly1": lambda p, y, epsilon=1.0: -np.log(p @ y) + epsilon * (1 - p @ y),
}


def sample_loss(name, o, c, link="softmax", **settings):
    """The loss of one sample with scores o (n_classes,) and true class c; settings as in its paper where not given."""
    y = one_hot(c, len(o))
    if name in LOSSES_ON_SCORES:
        return LOSSES_ON_SCORES[name](o, y)
    return LOSSES_ON_PROBABILITIES[name](LINKS[link](o), y, **settings)


def losses(name, scores, target, link="softmax", **settings):
    """The loss (n_samples,) of each sample."""
    rows = zip(np.asarray(scores, dtype=np.float64), np.asarray(target), strict=True)
    return np.array([sample_loss(name, o, c, link, **settings) for o, c in rows])


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
    "generalized_cross_entropy": lambda p, y: (p @ y) ** 0.7 * (p - y),
    "symmetric_cross_entropy": lambda p, y: (0.1 + 4 * (p @ y)) * (p - y),
    "focal": lambda p, y: ((1 - p @ y) ** 2 - 2 * (1 - p @ y) * (p @ y) * np.log(p @ y)) * (p - y),
    "label_smoothing": lambda p, y: p - smoothed(y, 0.1),
    "poly1": lambda p, y: (1 + p @ y) * (p - y),
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


def wander_correlation(curve):
    """Correlation of one value with the next about the best line, bent at the least mean of a fifth of the epochs."""
    n = len(curve)
    width = max(1, int(0.2 * n))
    means = [mean(curve[at : at + width]) for at in range(n - width + 1)]
    turn = means.index(min(means))
    start = min(turn, n - max(n // 3, 6))
    shapes = [[1.0, at, max(turn - at, 0)] for at in range(start, n)]
    after = curve[start:]
    weights = np.linalg.lstsq(shapes, after, rcond=None)[0]
    left = [value - shape @ weights for value, shape in zip(after, np.array(shapes), strict=True)]
    return sum(one * other for one, other in pairwise(left)) / sum(one**2 for one in left)


def crossfitted_turns(loss):
    """The turn of each sample: by first loss, then last loss, then place, samples go to two halves in turn."""
    order = sorted(range(len(loss)), key=lambda i: (loss[i][0], loss[i][-1], i))
    halves = order[0::2], order[1::2]
    return [least_mean_epoch(loss, halves[0] if i in halves[1] else halves[1]) for i in range(len(loss))]


def rises(loss, turns):
    """d_i = l_i(end) - l_i(turn)."""
    return [row[-1] - row[turn] for row, turn in zip(loss, turns, strict=True)]


def standard_error(values):
    """Standard error of the mean."""
    n, centre = len(values), mean(values)
    return (sum((v - centre) ** 2 for v in values) / (n - 1) / n) ** 0.5


def gross_rise_share(d, fraction):
    """Share of sum max(d_i, 0) that the worst carry."""
    rose = sorted((max(d_i, 0.0) for d_i in d), reverse=True)
    return sum(rose[: max(1, round(fraction * len(d)))]) / sum(rose)


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


# Entanglement (Ciceri et al. 2024, Methods). h[i] are the activations of sample i, y[i] the position of its class.


def unit(h_i):
    """h/||h||; a zero activation stays zero."""
    norm = sum(value**2 for value in h_i) ** 0.5
    return [value / norm if norm else 0.0 for value in h_i]


def centroid(h, y, c):
    """m_c, the mean of u = h/||h|| over class c."""
    own = [unit(h_i) for h_i, y_i in zip(h, y, strict=True) if y_i == c]
    return [mean(column) for column in zip(*own, strict=True)] if own else [np.nan] * len(h[0])


def radius(h, y, c):
    """R_c = sqrt(mean ||u - m_c||^2); a zero activation counts as a unit vector at right angles to m_c."""
    m = centroid(h, y, c)
    spread = []
    for h_i, y_i in zip(h, y, strict=True):
        if y_i == c and any(h_i):
            spread.append(sum((u_j - m_j) ** 2 for u_j, m_j in zip(unit(h_i), m, strict=True)))
        elif y_i == c:
            spread.append(1 + sum(m_j**2 for m_j in m))
    return mean(spread) ** 0.5


def distance(h, y, a, b):
    """D = ||m_a - m_b||"""
    return sum((x - z) ** 2 for x, z in zip(centroid(h, y, a), centroid(h, y, b), strict=True)) ** 0.5


def cosine(one, other):
    """The cosine of the angle between two vectors; 0 where one is zero."""
    return sum(x * z for x, z in zip(unit(one), unit(other), strict=True))


def own_and_other_similarity(h_i, c, centroids):
    """Cosines with the centroid of class c, and with the nearest other; nan where there is none."""
    others = [cosine(h_i, m) for k, m in enumerate(centroids) if k != c and not any(np.isnan(m))]
    return cosine(h_i, centroids[c]), max(others) if others else np.nan


def lasting_turn(curve, least):
    """Lowest position that lies more than ``least`` under something before, is never undercut later, and ends so."""
    turns = [
        t
        for t, value in enumerate(curve)
        if max(curve[: t + 1]) - value > least and min(curve[t:]) >= value and curve[-1] - value > least
    ]
    return min(turns, key=lambda t: (curve[t], t)) if turns else None


def first_rise(curve, start=0):
    """The first position from ``start`` on at which the curve stops falling."""
    return next((t for t in range(start, len(curve) - 1) if curve[t + 1] >= curve[t]), None)


def epoch_learned(correct_i, epochs):
    """The first epoch from which a sample is never wrong."""
    return next((epoch for t, epoch in enumerate(epochs) if all(correct_i[t:])), np.nan)


def times_forgotten(correct_i):
    """Changes from right to wrong."""
    return sum(before and not after for before, after in pairwise(correct_i))


def deviation(values):
    """Standard deviation, with n - 1."""
    return (sum((v - mean(values)) ** 2 for v in values) / (len(values) - 1)) ** 0.5


# Scores of a sample from its own curves: margins m[t], probabilities p[t] of its class, whether it was right.


def after_start(values_i, epochs):
    """What belongs to the epochs after the first update."""
    return [value for value, epoch in zip(values_i, epochs, strict=True) if epoch > 0]


def area_under_margin(margin_i, epochs):
    """Pleiss et al. (2020): the mean margin."""
    return mean(after_start(margin_i, epochs))


def confidence(p_i, epochs):
    """Swayamdipta et al. (2020): the mean probability of the true class."""
    return mean(after_start(p_i, epochs))


def variability(p_i, epochs):
    """Swayamdipta et al. (2020): its standard deviation, with n."""
    return mean([(p - confidence(p_i, epochs)) ** 2 for p in after_start(p_i, epochs)]) ** 0.5


def correctness(correct_i, epochs):
    """Swayamdipta et al. (2020): the share of epochs at which the sample is right."""
    return mean([float(right) for right in after_start(correct_i, epochs)])


def el2n(o_i, c, epochs, last):
    """Paul et al. (2021): ||p - y|| of the softmax of scores o_i[t], mean over the epochs from 1 to the last."""
    norms = [
        sum((softmax(o) - one_hot(c, len(o))) ** 2) ** 0.5
        for o, epoch in zip(o_i, epochs, strict=True)
        if 1 <= epoch <= last
    ]
    return mean(norms)


def forgetting_events(correct_i, epochs):
    """Toneva et al. (2019): changes from right to wrong; of a sample that is never right, the number of epochs."""
    right = after_start(correct_i, epochs)
    return times_forgotten(right) if any(right) else len(right)


def normal(x, center, spread):
    """Density of a normal distribution, times sqrt(2 pi)."""
    return np.exp(-(((x - center) / spread) ** 2) / 2) / spread


def label_error_threshold(scores, rounds=300):
    """Greatest score below zero that more likely is of the lower of two normals, by expectation and maximisation."""
    belief = [(scores < 0).astype(float), (scores >= 0).astype(float)]  # where it begins: two groups
    for _ in range(rounds):
        share = [b.mean() for b in belief]
        center = [(b * scores).sum() / b.sum() for b in belief]
        spread = [
            ((b * (scores - m) ** 2).sum() / b.sum()) ** 0.5 for b, m in zip(belief, center, strict=True)
        ]
        parts = [s * normal(scores, m, d) for s, m, d in zip(share, center, spread, strict=True)]
        belief = [part / sum(parts) for part in parts]
    low = center.index(min(center))
    return max(s for s, b in zip(scores, belief[low], strict=True) if s < 0 and b > 0.5 and s < max(center))


# Learning phases (question of Schneider 2022, rule of the design). curve[t]: mean reconstruction error of record t.


def phase_boundaries(curve, margin):
    """End of the first phase, end of the second, start of the third: positions."""
    records, m = range(len(curve)), list(curve).index(min(curve))
    fall = curve[0] - curve[m]
    first_end = next((t for t in records if curve[t] < curve[0] - margin * fall), 0)
    near = [t for t in records if curve[t] < curve[m] + margin * fall or curve[t] == curve[m]]
    return first_end, m, max(near)


def exceeds_two_errors(differences):
    """Whether their mean is more than two standard errors."""
    return mean(differences) > 2 * standard_error(differences)


def phases_there(rows, margin):
    """Which phases the mean of the rows has."""
    curve = [mean(column) for column in zip(*rows, strict=True)]
    first_end, m, third_start = phase_boundaries(curve, margin)
    falls = exceeds_two_errors([row[0] - row[m] for row in rows])
    rises = exceeds_two_errors([row[-1] - row[m] for row in rows])
    return falls and first_end > 1, falls, rises and third_start < len(curve) - 1


def rank_interval(r, n):
    """Bonett and Wright (2000): on the scale of Fisher's z, 1.96 standard errors to either side."""
    z, error = np.log((1 + r) / (1 - r)) / 2, ((1 + r**2 / 2) / (n - 3)) ** 0.5
    ends = [np.exp(2 * (z + side * 1.959964 * error)) for side in (-1, 1)]
    return [(end - 1) / (end + 1) for end in ends]


def share_of_worst_rounded_up(values, share):
    """What the worst of the samples have of the sum: as many as make at least that share of the samples."""
    count = next(k for k in range(1, len(values) + 1) if k / len(values) >= share - 1e-12)
    return sum(sorted(values)[-count:]) / sum(values)


# ------------------------------------------------------------------------- refinement and calibration


def log_loss_at(scores, target, temperature):
    """- log softmax(z_i / T)_c (n_samples,), one sample after the other."""
    return np.array(
        [-np.log(softmax(z / temperature)[c]) for z, c in zip(np.asarray(scores, float), target, strict=True)]
    )


def laplace_loss(scores, target, temperature, prior=1.0):
    """Mean log loss of the samples and of ``prior`` more, each of whose classes is as likely as the others."""
    of_samples = log_loss_at(scores, target, temperature)
    n_classes = len(scores[0])
    of_any_class = [
        np.mean([-np.log(softmax(np.asarray(z, float) / temperature)[k]) for k in range(n_classes)])
        for z in scores
    ]
    return (of_samples.sum() + prior * np.mean(of_any_class)) / (len(target) + prior)


def best_temperature(scores, target, prior=1.0):
    """The temperature of least loss, searched on an ever finer grid of its logarithm."""
    low, high = -3.0, 3.0
    for _ in range(12):
        grid = np.linspace(low, high, 21)
        values = [laplace_loss(scores, target, np.exp(log_t), prior) for log_t in grid]
        best, step = grid[int(np.argmin(values))], grid[1] - grid[0]
        low, high = best - step, best + step
    return float(np.exp(best))


def refined_losses(scores, target, second):
    """Log loss (n_samples, n_epochs), each half at the temperature that the other one chose."""
    scores, target, second = np.asarray(scores), np.asarray(target), np.asarray(second)
    refined = np.empty(scores.shape[:2])
    for epoch in range(scores.shape[1]):
        for own in (second, ~second):
            temperature = best_temperature(scores[~own, epoch], target[~own])
            refined[own, epoch] = log_loss_at(scores[own, epoch], target[own], temperature)
    return refined


def label_score(held_out, trained_on, margin, c):
    """The score of one label from several networks: probabilities without and with it, margins along a training."""

    def difference(p):
        return p[c] - max(value for j, value in enumerate(p) if j != c)

    along = sum(2 / (1 + np.exp(-m)) - 1 for m in margin) / len(margin)
    return (difference(held_out) + along + difference(trained_on) / 2) / 2.5


# ------------------------------------------------------------------------------------ neural collapse


def traces_ratio(u, target):
    """tr S_W / tr S_B of activations u (n_samples, width) of length 1, from the samples themselves."""
    means = {c: u[target == c].mean(axis=0) for c in set(target.tolist())}
    within = np.mean([np.sum((own - means[c]) ** 2) for own, c in zip(u, target.tolist(), strict=True)])
    between = np.mean([np.sum((means[c] - u.mean(axis=0)) ** 2) for c in target.tolist()])
    return within / between


def simplex_deviations(means):
    """Variation of the lengths, and mean deviation of the cosines, of K centroids (n_classes, width)."""
    centred = [m - np.mean(means, axis=0) for m in means]
    lengths = [np.sqrt(w @ w) for w in centred]
    cosines = [
        centred[a] @ centred[b] / (lengths[a] * lengths[b]) for a in range(len(means)) for b in range(a)
    ]
    return np.std(lengths) / np.mean(lengths), np.mean([abs(c + 1 / (len(means) - 1)) for c in cosines])


# ---------------------------------------------------------------------------------- forgotten knowledge


def forgotten(correct):
    """F_e: of each epoch, how many samples were right there and wrong at the end, as a share."""
    n_samples, n_epochs = len(correct), len(correct[0])
    return [sum(own[e] and not own[-1] for own in correct) / n_samples for e in range(n_epochs)]


# ------------------------------------------------------------------------------------------ memory


def difference_in_differences(train, held_out, epoch):
    """[L(0) - L(t)] - [H(0) - H(t)] of losses as lists of lists."""
    means = [
        [sum(own[e] for own in losses) / len(losses) for e in (0, epoch)] for losses in (train, held_out)
    ]
    (train_start, train_now), (held_start, held_now) = means
    return (train_start - train_now) - (held_start - held_now)
