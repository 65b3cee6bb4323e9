"""Wrong labels, found by how little networks took to them while they learned, or without having seen them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator

from sklearn_nndyn.analyzers._findings import Finding
from sklearn_nndyn.analyzers.sample_scores._analyzer import after_start
from sklearn_nndyn.analyzers.sample_scores._label_count import (
    held_out_interval,
    label_error_interval,
    looks_wrong_by_chance,
    within,
)
from sklearn_nndyn.analyzers.sample_scores._label_findings import label_findings
from sklearn_nndyn.analyzers.sample_scores._label_runs import LabelRuns, bounded_margin, label_scores
from sklearn_nndyn.analyzers.sample_scores._scores import area_under_margin
from sklearn_nndyn.analyzers.sample_scores._threshold import label_error_threshold
from sklearn_nndyn.dynamics import Dynamics, find_record
from sklearn_nndyn.utils.lazy import later_stage
from sklearn_nndyn.utils.results import ShortRepr
from sklearn_nndyn.utils.text import counted, figure, in_words, summary_of


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class LabelErrors(ShortRepr):
    """Result of ``find_label_errors``.

    Parameters
    ----------
    source : str
        Source of the data: ``"the training record of the model"``, a record, or several networks.
    epochs : array of shape (n_epochs,)
        Recorded epochs after the start, which count.
    y : array of shape (n_samples,)
        Labels as they were given.
    scores : array of shape (n_samples,)
        The lower, the more suspect. From one run the area under the margin, in the units of the network's outputs; from
        several see ``label_scores``, -1 to 1.
    ranking : array of int of shape (n_samples,)
        All samples by position, the most suspect first.
    n_errors : int
        Number of samples that stand out: a point estimate of the number of wrong labels, which may be far off.
    count_interval : tuple of two int, or None
        Between which numbers the count of wrong labels lies, see ``label_error_interval`` and ``held_out_interval``;
        None where the runs cannot tell.
    end_error : float
        Share of the samples that the network gets wrong at the last epoch; with several, those that did not see them.
    threshold : float
        Score up to which a label counts as wrong; -inf where none does.
    suggestions : array of shape (n_samples,)
        The class predicted at most of the epochs, of several the first in the order of the classes; with several
        networks, the class that those that did not see the sample find the most probable.
    suggestion_shares : array of shape (n_samples,)
        Share of the epochs at which it was predicted; with several networks, its mean probability from those.
    n_runs : int, default=1
        Number of networks it rests on.
    n_fits : float, default=1.0
        What they cost, in fits on all samples.
    expected_by_chance : float or None, default=None
        Number of hard samples with right labels that look as wrong, see ``looks_wrong_by_chance``; None for one run.

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
    suggestion_shares: np.ndarray
    n_runs: int = 1
    n_fits: float = 1.0
    expected_by_chance: float | None = None

    @property
    def indices(self) -> np.ndarray:
        """The first ``n_errors`` of the ranking: the samples whose labels look wrong."""
        return self.ranking[: self.n_errors]

    @property
    def findings_(self) -> tuple[Finding, ...]:
        """Whether labels are wrong and how many, whether that can be told, and which stand out."""
        return label_findings(self)

    def summary(self) -> str:
        """The findings in words, with the figures of these runs.

        Returns
        -------
        text : str
            A paragraph.
        """
        cost = "" if self.n_runs == 1 else f", at the cost of {figure(self.n_fits)} fits"
        epochs = f"{counted(len(self.epochs), 'recorded epoch')} after the start"
        return summary_of(self.findings_, f"Read from {self.source}, {epochs}{cost}.")


def find_label_errors(
    model: Dynamics | BaseEstimator | LabelRuns,
    X: Any = None,
    y: ArrayLike | None = None,
    *,
    runs: Any = None,
) -> LabelErrors:
    """Which labels are wrong, from the record of one run, or from several networks.

    A network learns what labels have in common before it learns single wrong ones by heart: while it trains, the class
    that it prefers to a wrong label is mostly the true one. So the margin of a sample, averaged over the epochs, is low
    where its label is wrong (Pleiss et al. 2020). That is read from any record, and costs nothing more. Several
    networks, of which some never saw the label, rank better, and miss less often how many labels are wrong.

    Parameters
    ----------
    model : Dynamics, fitted estimator, or LabelRuns; with ``X`` a DynamicsClassifier
        A record with margins and predictions; or a model, also at the end of a Pipeline, or as the best of a search, of
        which the training record is read. A record may also come from ``replay`` of samples the model was not
        trained on. With ``X`` and ``y`` a classifier, fitted or not, of which clones are trained.
    X : array-like of shape (n_samples, n_features) or (n_samples, ...), default=None
        Samples to train on.
    y : array-like of shape (n_samples,), default=None
        Their labels, of which some may be wrong.
    runs : int, cross-validation splitter or iterable of (train, test), default=None
        Networks to train on parts of the samples, besides one on all, see ``train_label_runs``; None is 10.

    Returns
    -------
    found : LabelErrors
        Scores, ranking, and how many are wrong; its ``summary()`` says it in words, ``findings_`` as data.

    Raises
    ------
    TypeError
        If ``model`` can hold no record; or, with ``X``, is no DynamicsClassifier.
    ValueError
        If the record lacks margins or predictions, has no samples or no epoch after 0, or a margin is not finite; or if
        ``X``, ``y`` and ``runs`` do not go together.
    sklearn.exceptions.NotFittedError
        If the model is not fitted, and there are no samples to train it on.

    See Also
    --------
    SampleScoreAnalyzer : The score of one run in a table with others, as a transformer.
    sklearn_nndyn.interventions.train_label_runs : The networks by themselves.

    Notes
    -----
    One run: the score is the area under the margin, mean over the recorded epochs t >= 1 of z_c(t) - max of the other
    z(t). How many samples stand out is an estimate of our own: a mixture of two normal distributions is fitted to the
    scores (``label_error_threshold``); none does where no score is negative, or all are. Pleiss et al. train with an
    extra class instead. It may be far off: of 4,000 samples of 20 classes with 1,600 labels moved to the next class it
    gave 263 to 565. So ``count_interval`` says between which numbers the count lies, by estimates that fail in
    different ways, or that the run cannot tell (``label_error_interval``). Trust the ranking more than either.

    Several networks: the score is the mean of three margins (``label_scores``): of the networks that did not see the
    label, of those that did, and along the training of one on all. Those stand out whose score is negative, within the
    range of the count, ``held_out_interval``. By default that costs nine fits, against four for five folds. In 103 of
    108 settings (three data sets, three kinds of wrong labels, four rates, three seeds) its average precision was at
    least that of the better of cleanlab's two default scores from the same network in five folds; that of one run in 84
    (``benchmarks/bench_label_errors.py``).

    What to train: the network and the loss that one would take anyway, for 10 to 20 epochs, with every epoch
    recorded. Weight decay, dropout, the log probability instead of the margin, and
    margins made comparable between epochs changed the average precision by 0.01 or less. What hurts are losses that are
    themselves robust to wrong labels, such as ``"expectation"`` and ``"tanimoto"``, which also give up hard samples,
    and a network that has long learned the wrong labels by heart: ``find_label_errors(clf.dynamics_.until(15))`` uses
    the first 15 epochs only.

    References
    ----------
    Northcutt, Jiang, Chuang (2021). Confident learning: estimating uncertainty in dataset labels. arXiv 1911.00068.

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
    >>> low, high = find_label_errors(clf, X / 16, y, runs=5).count_interval
    >>> low <= 90 <= high
    True
    """
    if isinstance(model, LabelRuns):
        _refuse_samples(X, y, runs, "the networks are trained already")
        return _from_runs(model)
    if X is None and y is None and runs is None:
        return _from_record(*find_record(model, ("margin", "prediction"), "train"))
    if isinstance(model, Dynamics):
        _refuse_samples(X, y, runs, "a record is read as it is")
    if X is None or y is None:
        raise ValueError(
            "Several networks are trained on samples and labels: find_label_errors(clf, X, y, runs=10)."
        )
    train = later_stage("sklearn_nndyn.interventions", "train_label_runs")
    return _from_runs(train(model, X, y) if runs is None else train(model, X, y, runs=runs))


def _refuse_samples(X, y, runs, why):
    given = [name for name, value in (("X", X), ("y", y), ("runs", runs)) if value is not None]
    if given:
        raise ValueError(f"{in_words(given)}: leave out what is to be trained on, for {why}.")


def _from_record(record, source):
    trained = after_start(record)
    scores = area_under_margin(trained.margin)
    threshold = label_error_threshold(scores)
    suggested = most_predicted(trained.prediction, record.n_classes)
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
        suggestions=record.classes[suggested],
        suggestion_shares=(trained.prediction == suggested[:, None]).mean(axis=1),
    )


def _from_runs(runs):
    scores, probabilities = label_scores(runs), np.asarray(runs.held_out)
    held_out = bounded_margin(runs.held_out, np.searchsorted(runs.classes, runs.y))
    n_negative = np.count_nonzero(np.tanh(runs.margin / 2).mean(axis=1) < 0)
    count_interval, ranking = held_out_interval(held_out, n_negative), scores.argsort(kind="stable")
    n_errors = within(count_interval, np.count_nonzero(scores < 0))
    return LabelErrors(
        source=f"{counted(runs.n_runs, 'network')} on parts of the samples and one on all",
        epochs=np.arange(1, runs.margin.shape[1] + 1),
        y=runs.y,
        scores=scores,
        ranking=ranking,
        n_errors=n_errors,
        count_interval=count_interval,
        end_error=float((held_out < 0).mean()),
        threshold=float(scores[ranking[:n_errors]].max(initial=-np.inf)),
        suggestions=runs.classes[probabilities.argmax(axis=1)],
        suggestion_shares=probabilities.max(axis=1),
        n_runs=runs.n_runs + 1,
        n_fits=runs.n_fits,
        expected_by_chance=looks_wrong_by_chance(held_out),
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
