"""The field's known scores of a sample: how hard it was, how often forgotten, whether its label is to be believed."""

import numpy as np
from sklearn.utils import gen_batches

from sklearn_nndyn.analyzers._base import RecordAnalyzer
from sklearn_nndyn.analyzers.sample_scores._findings import sample_score_findings, sample_score_source
from sklearn_nndyn.analyzers.sample_scores._learning_times import epoch_learned, forgetting_events
from sklearn_nndyn.analyzers.sample_scores._scores import area_under_margin
from sklearn_nndyn.analyzers.sample_scores._true_class import error_norm, true_class_probability
from sklearn_nndyn.dynamics import refuse_unpredicted, refuse_unseen
from sklearn_nndyn.utils.rows.memory_maps import blocks_of
from sklearn_nndyn.utils.text import epoch_words
from sklearn_nndyn.utils.validation import check_count

COLUMNS = (
    "area_under_margin",
    "confidence",
    "variability",
    "correctness",
    "el2n",
    "forgetting_events",
    "epoch_learned",
)
OF_PROBABILITIES = ("confidence", "variability", "el2n")
USED = ("margin", "probability", "scores")
BLOCK_CELLS = 2**22


class SampleScoreAnalyzer(RecordAnalyzer):
    """How each sample was learned, in the scores that are in use: seven numbers a sample, from one record.

    Area under the margin (Pleiss et al. 2020), confidence, variability and correctness (Swayamdipta et al. 2020),
    EL2N (Paul et al. 2021), forgetting events (Toneva et al. 2019), and the epoch from which a sample stays right.
    They sort samples into easy, hard, ambiguous, and wrongly labelled.

    Parameters
    ----------
    el2n_epochs : int, default=10
        EL2N is averaged over the recorded epochs from 1 to this one: a score of early training.

    Attributes
    ----------
    source_ : str
        Source of the data: ``"the training record of the model"``, or a record.
    loss_name_ : str
        Name of the trained loss; empty where the record does not tell.
    n_classes_ : int
        Number of classes.
    guess_error_ : float
        The error of always naming the largest class.
    probability_source_ : str or None
        Source of the probability of the true class; None where the record has none.
    el2n_source_ : str or None
        Where ||p - y|| comes from, or in which sense it holds: ``"an upper bound"`` without scores. None without
        probabilities.
    epochs_ : array of shape (n_epochs,)
        Recorded epochs.
    el2n_epochs_ : array
        Epochs that EL2N is averaged over.
    n_features_in_ : int
        Number of recorded epochs.
    area_under_margin_ : array of shape (n_samples,)
        Mean margin, in the units of the scores.
    confidence_, variability_ : array of shape (n_samples,) or None
        Mean, and standard deviation (with n), of the probability of the true class; 0 to 1, and 0 to 0.5. None where
        the record has no probabilities.
    correctness_ : array of shape (n_samples,)
        Share of the epochs at which the sample was right.
    el2n_ : array of shape (n_samples,) or None
        Mean of ||p - y||_2 over the early epochs, 0 to 1.41. None without probabilities.
    forgetting_events_ : array of int of shape (n_samples,)
        How often the sample was wrong after it had been right an epoch before. For one that was never right, the number
        of epochs that count, which is more than any other sample can have.
    epoch_learned_ : array of shape (n_samples,)
        First recorded epoch from which the sample stays right; nan for one that is wrong at the end.
    findings_ : tuple of Finding
        SS1 to SS4: whether samples are still wrong at the end, never learned, closer to another class, or forgotten.

    See Also
    --------
    find_label_errors : Which labels are wrong.
    EntanglementAnalyzer : Which samples are behind the turn of the classes' geometry.

    Notes
    -----
    Of sample i of true class c, with scores z, margin m = z_c - max of the others, and the n recorded epochs t after
    the start: area under the margin = mean of m(t); confidence mu = mean of p_c(t); variability =
    sqrt(mean of (p_c(t) - mu)^2); correctness = mean of [right at t]; EL2N = mean of ||p(t) - y||_2; forgetting
    events = number of t at which the sample is wrong and was right at the recorded epoch before.

    Epoch 0, the network before its first update, does not count, for a chance hit is nothing learned; but for
    ``epoch_learned``, which is 0 for a sample that is right from there on. A sample that is never learned has
    forgetting events without number in the paper; here it has as many as there are epochs, as in the code of
    Toneva et al.

    The papers look at each sample when its batch is trained on, or once an epoch; the record looks at all samples at
    the end of an epoch, in evaluation mode. Where not every epoch is recorded, all are means over those that are:
    with ``record_epochs="log"`` early ones weigh more, and what is forgotten and learned again in between is not seen,
    so that forgetting events are a lower bound. Paul et al. average EL2N over ten networks as well: average the
    tables.

    p is what ``predict_proba`` gives: the record holds p_c of every sample where the trained loss has probabilities. In
    a record made elsewhere p follows from scores, by the link that its header names (``header["loss_facts"]["link"]``).
    A network trained with a loss that has no probabilities, such as a hinge, has no confidence, variability and EL2N:
    these are then None, and have no columns. EL2N needs all of p: it is exact where scores are recorded
    (``record=("samples", "scores")``), and for two classes; else sqrt(2) (1 - p_c) stands in, which is its upper bound
    for that p_c, and at most sqrt(2 - 2 / n_classes) times too large. ``probability_source_`` and ``el2n_source_`` say
    which it is.

    ``transform`` has a row for each sample, with these seven scores, or with the four that need no probabilities.

    References
    ----------
    Paul, Ganguli, Dziugaite (2021). Deep learning on a data diet. arXiv 2107.07075.

    Pleiss, Zhang, Elenberg, Weinberger (2020). Identifying mislabeled data using the area under the margin ranking.
    arXiv 2001.10528.

    Swayamdipta, Schwartz, Lourie, Wang, Hajishirzi, Smith, Choi (2020). Dataset cartography. arXiv 2009.10795.

    Toneva, Sordoni, Tachet des Combes, Trischler, Bengio, Gordon (2019). An empirical study of example forgetting
    during deep neural network learning. arXiv 1812.05159.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_nndyn import DynamicsClassifier, SampleScoreAnalyzer
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = DynamicsClassifier(max_epochs=20, random_state=0).fit(X / 16, y)
    >>> scores = SampleScoreAnalyzer().fit(clf)
    >>> scores.area_under_margin_.argsort()[:3].shape  # the hardest three
    (3,)
    >>> print(scores.summary())
    102 samples (5.68 %) are still wrong at the end. 69 samples (3.84 %) were never right ...
    """

    _needs = ("margin", "prediction")
    _prefers = "train"

    def __init__(self, el2n_epochs=10):
        self.el2n_epochs = el2n_epochs

    def _fit(self, record):
        check_count("el2n_epochs", self.el2n_epochs, of="epochs")
        trained = after_start(record, USED)
        self.loss_name_, self.n_classes_ = record.loss_facts.name, record.n_classes
        self.guess_error_ = 1 - float(np.bincount(record.target).max()) / len(record)
        self.el2n_epochs_ = early_epochs(trained.epochs, self.el2n_epochs)
        self.probability_source_, self.el2n_source_ = self._sources(trained)
        for name, column in (dict.fromkeys(COLUMNS) | self._columns(record)).items():
            setattr(self, f"{name}_", column)

    def _sources(self, trained):
        one = trained.select_epochs(trained.epochs[:1])
        p, source = true_class_probability(one)
        return source, None if p is None else error_norm(one, p)[1]

    def _names(self):
        known = self.probability_source_ is not None
        return tuple(name for name in COLUMNS if known or name not in OF_PROBABILITIES)

    def _columns(self, record):
        trained = after_start(record, USED)
        self._check_sources(self._sources(trained))
        size = max(1, BLOCK_CELLS // record.n_epochs)
        blocks = [self._columns_of_block(record[rows]) for rows in gen_batches(len(record), size)]
        return {name: np.concatenate([block[name] for block in blocks]) for name in blocks[0]}

    def _columns_of_block(self, record):
        """The same of so few samples that several arrays of their cells take little memory."""
        trained = record.select_epochs(record.epochs[record.epochs > 0])
        correct = trained.correct
        columns = {
            "area_under_margin": area_under_margin(trained.margin),
            "correctness": correct.mean(axis=1),
            "forgetting_events": forgetting_events(correct),
            "epoch_learned": epoch_learned(record.correct, record.epochs),
        }
        return columns | self._columns_of_probabilities(trained)

    def _columns_of_probabilities(self, trained):
        p, _ = true_class_probability(trained)
        if p is None:
            return {}
        early = np.isin(trained.epochs, self.el2n_epochs_)
        norm, _ = error_norm(trained.select_epochs(self.el2n_epochs_), p[:, early])
        return {"confidence": p.mean(axis=1), "variability": p.std(axis=1), "el2n": norm.mean(axis=1)}

    def _check_sources(self, found):
        fitted = self.probability_source_, self.el2n_source_
        if found != fitted:
            raise ValueError(
                f"This record has {_in_words(*found)}, but the analyzer was fitted on one with {_in_words(*fitted)}: "
                "fit on this record."
            )

    def _findings(self):
        return sample_score_findings(self)

    def _source_words(self):
        return sample_score_source(self)


def _in_words(probability, el2n):
    return "no probabilities" if probability is None else f"probabilities from {probability} (EL2N: {el2n})"


def after_start(record, fields=("margin",)):
    """The record of the epochs after 0, checked: samples, an epoch, and nothing in the fields that is not finite."""
    if not len(record):
        raise ValueError("The record has no samples, so there is nothing to score.")
    trained = record.epochs[record.epochs > 0]
    if not len(trained):
        raise ValueError(
            "The record has epoch 0 only, the network before its first update: there is nothing to score. Fit again "
            'with DynamicsClassifier(record_epochs="all"); in another loop, record after each epoch.'
        )
    record = record.select_epochs(trained)
    for field in fields:
        _check_finite(record, field)
    refuse_unpredicted(record)
    return record


def _check_finite(record, field):
    values = getattr(record, field)
    if values is None or all(np.isfinite(block).all() for block in blocks_of(values)):
        return
    refuse_unseen(record)
    bad = ~np.isfinite(values).reshape(*record.shape, -1).all(axis=2)
    at = bad.any(axis=0).argmax()
    what = "A score" if field == "scores" else f"The {field}"
    raise ValueError(
        f"{what} of sample {bad[:, at].argmax()} is not finite at epoch {epoch_words(record.epochs[at])}, the "
        "first epoch of which "
        f"that is so; there are {np.count_nonzero(bad.any(axis=0))}. Give the epochs before it, by record.until."
    )


def early_epochs(trained, last):
    """The epochs up to ``last``; raises where there is none."""
    early = trained[trained <= last]
    if not len(early):
        raise ValueError(
            f"No epoch from 1 to el2n_epochs={last} is recorded; the first after the start is {trained[0]}: give that "
            "or more."
        )
    return early
