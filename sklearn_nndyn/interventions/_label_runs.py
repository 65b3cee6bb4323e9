"""Train the networks that say which labels are wrong: some without each label, some with it, and one on all."""

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import softmax
from sklearn.base import clone
from sklearn.model_selection import RepeatedStratifiedKFold
from sklearn.utils import check_random_state, column_or_1d

from sklearn_nndyn.analyzers import LabelRuns
from sklearn_nndyn.classifiers import DynamicsClassifier, fit_together
from sklearn_nndyn.utils.text import in_words
from sklearn_nndyn.utils.validation import check_instance, is_count

FOLDS = 5
MOST_SEED = 2**31 - 1


def train_label_runs(
    estimator: DynamicsClassifier, X: Any, y: ArrayLike, *, runs: Any = 2 * FOLDS
) -> LabelRuns:
    """Train several networks on parts of the samples and one on all, for ``find_label_errors``.

    Parameters
    ----------
    estimator : DynamicsClassifier
        Cloned for each run; it need not be fitted. The network on all samples is what its own ``fit`` would make; the
        others have seeds of their own, drawn from its ``random_state``.
    X : array-like of shape (n_samples, n_features) or (n_samples, ...)
        Samples, in any form that ``fit`` takes.
    y : array-like of shape (n_samples,)
        Their labels, of which some may be wrong.
    runs : int, cross-validation splitter or iterable of (train, test), default=10
        How many networks are trained on parts, a multiple of five: each round of five has a partition of its own into
        stratified fifths, of which each network leaves out one. A splitter, or pairs of positions, say it otherwise;
        where samples come in groups, give ``GroupKFold().split(X, y, groups)``.

    Returns
    -------
    runs : LabelRuns
        Mean probabilities of each sample with and without its label, and its margins along the training on all. The
        networks themselves are not kept.

    Raises
    ------
    TypeError
        If ``estimator`` is no DynamicsClassifier, or ``runs`` is neither a number nor splits.
    ValueError
        If ``runs`` is no multiple of five, a class has a single sample, or some sample is never left out, or always.
        Mistakes in parameters and data are refused before anything is trained.

    See Also
    --------
    sklearn_nndyn.analyzers.find_label_errors : Calls it, given samples and labels.

    Notes
    -----
    The cost in fits is 1 + 4/5 ``runs``; small networks are trained side by side (``fit_together``), which takes less
    time than that. A loss without probabilities gives the softmax of its scores in their place.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> from sklearn_nndyn.analyzers import find_label_errors
    >>> from sklearn_nndyn.interventions import train_label_runs
    >>> X, y = load_digits(return_X_y=True)
    >>> y[::20] = (y[::20] + 1) % 10  # 90 wrong labels
    >>> clf = DynamicsClassifier(max_epochs=15, batch_size=32, random_state=0)
    >>> runs = train_label_runs(clf, X / 16, y, runs=5)
    >>> runs.n_fits, runs.held_out.shape, runs.margin.shape
    (5.0, (1797, 10), (1797, 15))
    >>> bool((find_label_errors(runs).ranking[:90] % 20 == 0).mean() > 0.85)
    True
    """
    check_instance("estimator", estimator, DynamicsClassifier)
    labels = column_or_1d(y)
    rng = check_random_state(estimator.random_state)
    parts = _training_parts(runs, labels, rng)
    whole = clone(estimator).set_params(record=("samples",), record_epochs="all", record_iterations=None)
    seeds = rng.randint(MOST_SEED, size=len(parts))
    some = [clone(estimator).set_params(record=(), random_state=int(seed)) for seed in seeds]
    networks = [network.set_params(snapshots=False) for network in (whole, *some)]
    fit_together(networks, X, labels, indices=[np.arange(len(labels)), *parts])
    held_out, trained_on = _mean_probabilities(some, parts, X, len(labels))
    return LabelRuns(
        y=labels,
        classes=whole.classes_,
        held_out=held_out,
        trained_on=trained_on,
        margin=_margins(whole, len(labels)),
        n_runs=len(some),
        n_fits=1 + sum(map(len, parts)) / len(labels),
    )


def _training_parts(runs, y, rng):
    """The rows that each network is trained on; every sample is in some of them, and left out of others."""
    classes, counts = np.unique(y, return_counts=True)
    if counts.min() < 2:
        raise ValueError(
            f"Class {classes[counts.argmin()]} has a single sample, so no network can judge its label: leave it out."
        )
    splits = _rounds(runs, rng).split(y, y) if is_count(runs, -np.inf) else _pairs(runs, y)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        pairs = [(_positions(train), _positions(test)) for train, test in splits]
    _check_parts(pairs, y, classes)
    return [train for train, _ in pairs]


def _rounds(runs, rng):
    if runs < FOLDS or runs % FOLDS:
        raise ValueError(
            f"runs must be a multiple of {FOLDS}, for each round leaves out one fifth after the other; got {runs!r}."
        )
    return RepeatedStratifiedKFold(n_splits=FOLDS, n_repeats=runs // FOLDS, random_state=rng)


def _pairs(runs, y):
    if hasattr(runs, "split") and not isinstance(runs, str):
        return runs.split(y, y)
    if isinstance(runs, str) or not np.iterable(runs):
        raise TypeError(
            f"runs must be a number of networks, a cross-validation splitter, or pairs of positions (train, test); got "
            f"{runs!r}."
        )
    return runs


def _positions(rows):
    rows = np.asarray(rows)
    return np.flatnonzero(rows) if rows.dtype == bool else rows


def _check_parts(pairs, y, classes):
    seen, left_out = np.zeros(len(y), dtype=bool), np.zeros(len(y), dtype=bool)
    for number, (train, test) in enumerate(pairs):
        if np.intersect1d(train, test).size:
            raise ValueError(f"runs: split {number} trains on samples that it leaves out.")
        missing = np.setdiff1d(classes, y[train])
        if len(missing):
            raise ValueError(f"runs: split {number} trains on no sample of class {in_words(missing)}.")
        seen[train] = True
        left_out[np.setdiff1d(np.arange(len(y)), train)] = True
    for known, what in ((left_out, "left out"), (seen, "trained on")):
        if not known.all():
            raise ValueError(f"runs: sample {known.argmin()} is never {what}.")


def _mean_probabilities(networks, parts, X, n_samples):
    """(held out, trained on), each (n_samples, n_classes)."""
    sums = np.zeros((2, n_samples, len(networks[0].classes_)))
    counts = np.zeros((2, n_samples, 1))
    for network, train in zip(networks, parts, strict=True):
        trained_on = np.isin(np.arange(n_samples), train)
        p = _probabilities(network, X)
        for which, rows in enumerate((~trained_on, trained_on)):
            sums[which, rows] += p[rows]
            counts[which, rows] += 1
    return sums / counts


def _probabilities(network, X):
    if hasattr(network, "predict_proba"):
        return network.predict_proba(X)
    scores = network.decision_function(X)
    return softmax(scores if scores.ndim == 2 else np.column_stack([-scores / 2, scores / 2]), axis=1)


def _margins(network, n_samples):
    """Margins after each epoch, of rows that ``validation_fraction`` held out too."""
    record = network.dynamics_
    trained = record.epochs > 0
    margin = np.empty((n_samples, np.count_nonzero(trained)))
    held = [(record, getattr(network, "train_indices_", np.arange(n_samples)))]
    if network.validation_fraction:
        held.append((network.validation_dynamics_, network.validation_indices_))
    for own, rows in held:
        margin[rows] = own.margin[:, trained]
    return margin
