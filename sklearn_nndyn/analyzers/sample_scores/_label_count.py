"""Between which numbers the count of wrong labels lies, or that the runs cannot tell."""

import numpy as np
from numpy.typing import ArrayLike

from sklearn_nndyn.analyzers.sample_scores._threshold import label_error_threshold

STILL_FALLING = 0.2  # of the misclassified, between a third of the epochs and the end
LEARNED_BY_HEART = 0.01  # of the samples misclassified at the end
STILL_LEARNED_BY_HEART = 2 / 3  # of those misclassified at a third of the epochs
WIDEST = 0.25  # of the samples
LEAST_EPOCHS = 3
FAR = 0.75  # of the typical margin of a right label
HARD_THAT_LOOK_WRONG = 1 / 3  # of the hard samples
LEARNED_LITTLE = 0.2  # typical bounded margin of a right label


def label_error_interval(scores: ArrayLike, n_misclassified: ArrayLike) -> tuple[int, int] | None:
    """Between which numbers the count of wrong labels lies, by estimates that fail in different ways.

    Above, the greater of two: samples of negative score, and samples misclassified at a third of the epochs; both count
    hard samples too. A network that has learned nearly all labels by heart, or a third of those it got wrong at a third
    of the epochs, may have learned wrong ones before, so there the samples misclassified at the first epoch count too.
    Below, the lesser of two: samples up to ``label_error_threshold``, which misses wrong labels that overlap with right
    ones, and samples as far below zero as the typical right one is above; none where errors still fall, for then hard
    samples look like wrong labels. To either end two standard errors of a count are added.

    Parameters
    ----------
    scores : array of shape (n_samples,)
        Area under the margin of each sample.
    n_misclassified : array of int of shape (n_epochs,)
        Number of samples the network gets wrong at each recorded epoch after the start.

    Returns
    -------
    interval : tuple of two int, or None
        None for fewer than three epochs, and where it would be wider than a quarter of the samples.

    Notes
    -----
    The rule and its constants are our own. They were set on 70 runs (digits and two made sets of 4 and 20 classes;
    uniform noise, noise to the next class, and the confusions of a weak model; 0, 5, 20 and 40 %; 5 to 60 epochs), in
    which an interval is given for 73 % and holds the truth in 98 % of these. The share by which a network counts as
    still learning by heart was set on 84 runs more, of 2,000 images each. On other data the interval may hold less
    often.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.sample_scores import label_error_interval
    >>> scores = np.r_[np.linspace(-9, -2, 100), np.linspace(1, 9, 900)]
    >>> label_error_interval(scores, n_misclassified=[300, 120, 110, 100])
    (41, 142)
    >>> label_error_interval(scores, n_misclassified=[700]) is None
    True
    """
    scores, wrong = np.asarray(scores, dtype=np.float64), np.asarray(n_misclassified)
    high = max(np.count_nonzero(scores < 0), wrong[len(wrong) // 3])
    if wrong[-1] < max(LEARNED_BY_HEART * len(scores), STILL_LEARNED_BY_HEART * wrong[len(wrong) // 3]):
        high = max(high, wrong[0])
    return None if len(wrong) < LEAST_EPOCHS else _interval(_fewest(scores, wrong), high, len(scores))


def held_out_interval(held_out: ArrayLike, n_negative: int = 0) -> tuple[int, int] | None:
    """Between which numbers the count of wrong labels lies, by networks that did not see them.

    Above, the samples for which these networks prefer another class, or those of negative margin along the training,
    whichever are more: both count hard samples too. Below, the samples that they contradict nearly as clearly as they
    confirm a typical label, less those that hard samples alone would give (``looks_wrong_by_chance``). To either end
    two standard errors of a count are added.

    Parameters
    ----------
    held_out : array of shape (n_samples,)
        Bounded margin of each sample from networks that did not see it, see ``bounded_margin``.
    n_negative : int, default=0
        Number of samples whose margin along the training of a network that saw them is negative.

    Returns
    -------
    interval : tuple of two int, or None
        None where it would be wider than a quarter of the samples, and where the networks learned little: they miss
        more than half, or are sure of typical labels by less than 0.2.

    Notes
    -----
    The rule is our own. Its constants, 0.75 of the typical margin and one hard sample in three, were set on part of
    ``benchmarks/bench_label_errors.py``. In the rest, two seeds of two image sets with three kinds of wrong labels and
    0 to 40 % of them, a range is given in 65 % of 52 settings and holds the truth in all of these; the median width is
    19 % of the samples. At 40 % it is seldom given. Where classes overlap, so that a sample may rightly bear either
    label, no count of predictions tells these from wrong labels: of two made classes of which a fifth overlaps, the
    range began at 16 of 1,000 where none was wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.sample_scores import held_out_interval
    >>> held_out_interval(np.r_[np.full(90, -0.8), np.full(20, -0.1), np.full(890, 0.9)])
    (64, 132)
    >>> held_out_interval(np.r_[np.full(600, -0.1), np.full(400, 0.1)]) is None
    True
    """
    held_out = np.asarray(held_out, dtype=np.float64)
    missed = np.count_nonzero(held_out < 0)
    if 2 * missed > len(held_out) or _typical(held_out) < LEARNED_LITTLE:
        return None
    low = max(0.0, np.count_nonzero(_far(held_out)) - looks_wrong_by_chance(held_out))
    high = max(missed, n_negative)
    return _interval(low, high, len(held_out))


def looks_wrong_by_chance(held_out: ArrayLike) -> float:
    """Number of right labels that look as wrong as wrong ones: one for three hard samples.

    Parameters
    ----------
    held_out : array of shape (n_samples,)
        Bounded margin of each sample from networks that did not see it.

    Returns
    -------
    count : float
        A third of the samples that are missed by less than three quarters of a typical right label's margin.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.analyzers.sample_scores import looks_wrong_by_chance
    >>> looks_wrong_by_chance(np.r_[np.full(9, -0.8), np.full(30, -0.1), np.full(90, 0.9)])
    10.0
    """
    held_out = np.asarray(held_out, dtype=np.float64)
    hard = (held_out < 0) & ~_far(held_out)
    return float(HARD_THAT_LOOK_WRONG * np.count_nonzero(hard))


def within(count_interval, count):
    """A count, or the end of the range beyond which it lies: networks that know all by heart contradict no label."""
    low, high = count_interval or (count, count)
    return int(min(max(count, low), high))


def _far(held_out):
    """The samples that are contradicted nearly as clearly as a typical one is confirmed."""
    return held_out < -FAR * _typical(held_out)


def _typical(held_out):
    """Median margin of the samples whose label is confirmed; 0 where there are none."""
    right = held_out[held_out > 0]
    return np.median(right) if len(right) else 0.0


def _fewest(scores, wrong):
    third = wrong[len(wrong) // 3]
    if not (scores > 0).any() or third - wrong[-1] > STILL_FALLING * third:
        return 0
    far = -np.median(scores[scores > 0])
    return min(np.count_nonzero(scores <= label_error_threshold(scores)), np.count_nonzero(scores < far))


def _two_errors_off(count, side):
    return count + side * 2 * np.sqrt(count + 1)


def _interval(low, high, n_samples):
    """Two standard errors of a count beyond each end; None where that says too little."""
    low = max(0.0, _two_errors_off(low, -1))
    high = min(float(n_samples), _two_errors_off(high, 1))
    return None if high - low > WIDEST * n_samples else (int(low), int(np.ceil(high)))
