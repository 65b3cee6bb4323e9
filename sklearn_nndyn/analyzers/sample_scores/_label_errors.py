"""Wrong labels, found by how little a network took to them while it learned."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sklearn_nndyn.analyzers.sample_scores._analyzer import after_start
from sklearn_nndyn.analyzers.sample_scores._label_count import (
    LEARNED_BY_HEART,
    LEAST_EPOCHS,
    label_error_interval,
)
from sklearn_nndyn.analyzers.sample_scores._scores import area_under_margin
from sklearn_nndyn.analyzers.sample_scores._summary import epochs_after_start
from sklearn_nndyn.analyzers.sample_scores._threshold import label_error_threshold
from sklearn_nndyn.dynamics import Dynamics, find_record
from sklearn_nndyn.utils.results import ShortRepr
from sklearn_nndyn.utils.text import counted, figure, percent, samples

SHOWN = 3


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LabelErrors(ShortRepr):
    """Result of ``find_label_errors``.

    Parameters
    ----------
    source : str
        Source of the data: ``"the training record of the model"``, or a record.
    epochs : array of shape (n_epochs,)
        Recorded epochs after the start, which count.
    y : array of shape (n_samples,)
        Labels as they were given.
    scores : array of shape (n_samples,)
        Area under the margin, in the units of the network's outputs: the lower, the more suspect.
    ranking : array of int of shape (n_samples,)
        All samples by position, the most suspect first.
    n_errors : int
        Number of samples that stand out: a point estimate of the number of wrong labels, which may be far off.
    count_interval : tuple of two int, or None
        Between which numbers the count of wrong labels lies, see ``label_error_interval``; None where this run cannot
        tell.
    end_error : float
        Share of the samples that the network gets wrong at the last epoch.
    threshold : float
        Score up to which a label counts as wrong; -inf where none does.
    suggestions : array of shape (n_samples,)
        The class predicted at most of the epochs; of several the first in the order of the classes.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn import Dynamics
    >>> from sklearn_nndyn.analyzers import find_label_errors
    >>> margin = np.tile([0.0, 2.0, 4.0], (100, 1)) + np.linspace(0, 1, 100)[:, None]
    >>> margin[[7, 30]] = [[0, -5, -4], [0, -5, -3]]
    >>> predicted = np.where(margin < 0, 1, 0)
    >>> record = Dynamics(y=["a"] * 100, classes=["a", "b"], epochs=[0, 1, 2], margin=margin, prediction=predicted)
    >>> found = find_label_errors(record)
    >>> found.n_errors, found.indices, found.suggestions[found.indices]
    (2, array([ 7, 30]), array(['b', 'b'], dtype='<U1'))
    """

    source: str
    epochs: np.ndarray
    y: np.ndarray
    scores: np.ndarray
    ranking: np.ndarray
    n_errors: int
    count_interval: tuple[int, int] | None
    end_error: float
    threshold: float
    suggestions: np.ndarray

    @property
    def indices(self) -> np.ndarray:
        """The first ``n_errors`` of the ranking: the samples whose labels look wrong."""
        return self.ranking[: self.n_errors]

    def summary(self) -> str:
        """The findings in words, with the figures of this record.

        Returns
        -------
        text : str
            A paragraph.
        """
        return f"{_read(self)} {_count(self)} {_suspects(self)}"


def find_label_errors(X: Dynamics | BaseEstimator) -> LabelErrors:
    """Which labels are wrong, from the record of one run.

    A network learns what labels have in common before it learns single wrong ones by heart: while it trains, the class
    that it prefers to a wrong label is mostly the true one. So the margin of a sample, averaged over the epochs, is low
    where its label is wrong (Pleiss et al. 2020).

    Parameters
    ----------
    X : Dynamics or fitted estimator
        A record with margins and predictions; or a model, also at the end of a Pipeline, or as the best of a search, of
        which the training record is read. A record may also come from ``replay`` of samples the model was not
        trained on.

    Returns
    -------
    found : LabelErrors
        Scores, ranking, and how many are wrong; its ``summary()`` says it in words.

    Raises
    ------
    TypeError
        If ``X`` can hold no record.
    ValueError
        If the record lacks margins or predictions, has no samples or no epoch after 0, or a margin is not finite.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    See Also
    --------
    SampleScoreAnalyzer : The same score in a table with others, as a transformer.

    Notes
    -----
    The score is the area under the margin, mean over the recorded epochs t >= 1 of z_c(t) - max of the other z(t).

    How many samples stand out is our own estimate, and may be far off: a mixture of two normal distributions is fitted
    to the scores (``label_error_threshold``); none does where no score is negative, or all are. Pleiss et al. train
    with an extra class instead. Of 10,000 images with 1,000 and 4,000 labels replaced at random it gave, over three
    draws, 1,148 to 1,207 and 4,082 to 4,121 on MNIST, and 986 to 1,339 and 4,109 to 4,307 on Fashion-MNIST
    (``benchmarks/bench_label_errors.py``); but of 4,000 samples of 20 classes with 1,600 labels moved to the next class
    263 to 565. So ``count_interval`` says between which numbers the count lies, by estimates that fail in different
    ways, or that this run cannot tell (``label_error_interval``). Trust the ranking more than either.

    What to train: the network and the loss that one would take anyway, for 10 to 20 epochs, with every epoch
    recorded (15 were used for these figures). Weight decay, dropout, the log probability instead of the margin,
    margins made comparable between epochs, and training five times on four fifths to score what was held out changed
    the average precision by 0.01 or less. What hurts are losses that are themselves robust to wrong labels, such as
    ``"expectation"`` and ``"tanimoto"``, which also give up hard samples, and a network that has long learned the wrong
    labels by heart: ``find_label_errors(clf.dynamics_.until(15))`` uses the first 15 epochs only.

    References
    ----------
    Pleiss, Zhang, Elenberg, Weinberger (2020). Identifying mislabeled data using the area under the margin ranking.
    arXiv 2001.10528.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> from sklearn_nndyn.analyzers import find_label_errors
    >>> X, y = load_digits(return_X_y=True)
    >>> y[::20] = (y[::20] + 1) % 10  # 90 wrong labels
    >>> clf = DynamicsClassifier(max_epochs=15, batch_size=32, random_state=0).fit(X / 16, y)
    >>> found = find_label_errors(clf)
    >>> bool((found.ranking[:90] % 20 == 0).mean() > 0.85)
    True
    >>> print(found.summary())
    Read from the training record of the model: the margins of 1,797 samples at the 15 epochs after the start, ...
    """
    return _find(*find_record(X, ("margin", "prediction"), "train"))


def _find(record, source):
    trained = after_start(record)
    scores = area_under_margin(trained.margin)
    threshold = label_error_threshold(scores)
    return LabelErrors(
        source=source,
        epochs=trained.epochs,
        y=record.y,
        scores=scores,
        ranking=scores.argsort(kind="stable"),
        n_errors=int(np.count_nonzero(scores <= threshold)),
        count_interval=label_error_interval(scores, np.count_nonzero(~trained.correct, axis=0)),
        end_error=float((~trained.correct[:, -1]).mean()),
        threshold=threshold,
        suggestions=record.classes[most_predicted(trained.prediction, record.n_classes)],
    )


def most_predicted(prediction: ArrayLike, n_classes: int) -> np.ndarray:
    """The class that was predicted at most of the epochs, of each sample.

    Parameters
    ----------
    prediction : array of int of shape (n_samples, n_epochs)
        Positions of the predicted classes.
    n_classes : int
        Number of classes.

    Returns
    -------
    position : array of int of shape (n_samples,)
        Position of the class predicted most often; of several the first.

    Examples
    --------
    >>> from sklearn_nndyn.analyzers.sample_scores import most_predicted
    >>> most_predicted([[2, 1, 2], [0, 1, 2]], 3)
    array([2, 0])
    """
    prediction = np.asarray(prediction)
    counts = np.zeros((len(prediction), n_classes), dtype=int)
    for column in prediction.T:
        counts[np.arange(len(prediction)), column] += 1
    return counts.argmax(axis=1)


def _read(found):
    return f"Read from {found.source}: the margins of {samples(len(found.y))} at {epochs_after_start(found.epochs)}."


def _count(found):
    if found.count_interval is not None:
        low, high = found.count_interval
        least, most = percent(low / len(found.y)), percent(high / len(found.y))
        some = f"Between {low:,} and {high:,} labels are wrong ({least} to {most})"
        some = some if low else f"At most {high:,} labels are wrong ({most})"
        return f"{some}, as far as this one run can tell."
    if found.end_error < LEARNED_BY_HEART:
        why = "the network has learned nearly all labels by heart; give fewer epochs, by record.until"
    elif len(found.epochs) < LEAST_EPOCHS:
        why = f"{counted(len(found.epochs), 'epoch')} of training are too few; train longer"
    else:
        why = (
            f"it still gets {percent(found.end_error)} of them wrong, and hard samples look like wrong labels; train "
            "longer, or a network that fits better, and compare several seeds"
        )
    return f"It cannot be told from this run how many labels are wrong: {why}."


def _suspects(found):
    if not found.n_errors:
        return f"No group of samples stands out by low margins. The most suspect is {_one(found, found.ranking[0])}."
    shown = ", ".join(_one(found, i) for i in found.indices[:SHOWN])
    return (
        f"{counted(found.n_errors, 'sample')} {'stands' if found.n_errors == 1 else 'stand'} out, by an area under the "
        f"margin of {figure(found.threshold)} or less, where the median is {figure(np.median(found.scores))}. The most "
        f"suspect: {shown}."
    )


def _one(found, i):
    return f"sample {i} (labelled {found.y[i]}, mostly predicted {found.suggestions[i]})"
