"""Many fits trained as one program, each with the result of its own."""

from collections.abc import Sequence
from itertools import pairwise
from numbers import Integral

import numpy as np
from numpy.typing import ArrayLike

from sklearn_nndyn.classifiers._classifier import DynamicsClassifier
from sklearn_nndyn.classifiers.together._groups import train_in_groups
from sklearn_nndyn.classifiers.together._programs import prepare
from sklearn_nndyn.utils.networks.evaluation import keeps_modes
from sklearn_nndyn.utils.private_names import _num_samples, _safe_indexing
from sklearn_nndyn.utils.rows.datasets import open_labelled
from sklearn_nndyn.utils.rows.named import sliceable
from sklearn_nndyn.utils.signals import Terminated
from sklearn_nndyn.utils.validation import check_n_jobs
from sklearn_nndyn.utils.warnings import warn_user


@keeps_modes
def fit_together(
    estimators: list[DynamicsClassifier],
    X: ArrayLike,
    y: ArrayLike | list[ArrayLike] | None = None,
    *,
    sample_weight: ArrayLike | list[ArrayLike | None] | None = None,
    indices: Sequence[ArrayLike] | None = None,
    X_val: ArrayLike | None = None,
    y_val: ArrayLike | None = None,
    sample_weight_val: ArrayLike | None = None,
    memory_limit: int | None = None,
    n_jobs: int | None = None,
) -> list[DynamicsClassifier]:
    """Fit many classifiers as one program, each with the result of its own ``fit``.

    The networks' parameters are stacked and trained side by side, which for small networks is many times faster
    than one after the other. Estimators may differ in every parameter, in rows and in labels; those that differ in
    no more than ``loss``, ``lr``, ``weight_decay``, ``random_state``, ``class_weight``, early stopping, rows and
    labels share a program.

    Parameters
    ----------
    estimators : list of DynamicsClassifier
        Fitted in place.
    X : array-like of shape (n_samples, n_features) or (n_samples, ...), or as in ``fit``
        Training samples; a Dataset is read into memory.
    y : array-like of shape (n_samples,), or a list of one for each estimator, default=None
        Labels; None for a Dataset that gives them.
    sample_weight : array-like of shape (n_samples,), or a list of one for each estimator, default=None
        Weights, 0 or greater.
    indices : list of arrays, default=None
        The rows of ``X`` (positions, or a mask) that each estimator is fitted on; None is all rows for all.
    X_val, y_val : array-like, default=None
        Validation samples and their labels, for all estimators.
    sample_weight_val : array-like of shape (n_val_samples,), default=None
        Weights of the validation samples, for all estimators.
    memory_limit : int, default=None
        Bytes that a program may take while it runs, beside the data and what the estimators keep (records,
        snapshots, weights): more networks than that go into several programs, one after the other. None is 1 GiB.
    n_jobs : int, default=None
        Workers of joblib, each of which trains its share of the estimators as one program; -1 is as many as there are
        processors. None is 1, or what ``joblib.parallel_config`` says, which also names a backend, such as Dask's.

    Returns
    -------
    estimators : list of DynamicsClassifier
        The same list, fitted.

    Raises
    ------
    ValueError, TypeError
        Where parameters or data of some estimators cannot be used: before any is trained, with all estimators as
        they were.
    KeyboardInterrupt
        Where an interrupt comes before all estimators have a model; those that have none are as they were. Later it is
        a ``UserWarning``, and all are as they were after their last whole epoch. Always where SIGTERM comes, which the
        program does not handle.

    See Also
    --------
    sklearn_nndyn.model_selection.BatchedGridSearchCV : A search that trains all its candidates at once.

    Notes
    -----
    After it each estimator is what its own ``fit`` would have made: the same initial weights and batches in the
    same order, to the last bit, and the same record, snapshots and ``loss_curve_`` up to rounding. With dropout
    each network draws from its own stream of random numbers, as in its own ``fit``.

    Rounding stays rounding where training is smooth: 1e-6 of the greatest value after twenty epochs for most losses
    in single precision. Where it is not (the gradient of ``"l1"`` is a sign, and Adam makes a step of any gradient
    however small) the last bit grows, as it does between two fits whose initial weights differ in the last bit; in
    double precision it stays below 1e-9.

    Trained one by one, with the same result, are: modules other than chains of linear layers that draw random
    numbers in training (dropout), that have batch normalisation with running statistics, or that ``torch.func``
    cannot batch; optimizers that are not element-wise (LBFGS, Adafactor) or custom; estimators with
    ``callbacks``, ``batch_transform``, ``precision`` or a warm start; and networks so large that side by side is no
    faster.

    With ``n_jobs`` what is trained in another process comes back whole, records and weights included; estimators with
    a warm start, scikit-learn's callbacks or a ``fit`` of their own are trained in this one.

    Examples
    --------
    Ten runs that differ in their seed:

    >>> from sklearn.base import clone
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_nndyn import DynamicsClassifier, fit_together
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = DynamicsClassifier(max_epochs=20, lr=0.01)
    >>> runs = fit_together([clone(clf).set_params(random_state=s) for s in range(10)], X, y)
    >>> len({run.dynamics_.accuracy[-1] for run in runs}) > 1
    True
    """
    _check_memory_limit(memory_limit)
    check_n_jobs(n_jobs)
    fits = _prepare_all(
        estimators,
        X,
        y,
        sample_weight,
        indices,
        X_val=X_val,
        y_val=y_val,
        sample_weight_val=sample_weight_val,
    )
    try:
        errors = train_in_groups(fits, n_jobs, memory_limit=memory_limit)
    except KeyboardInterrupt as interrupt:
        if isinstance(interrupt, Terminated) or not all(hasattr(own, "net_") for own in estimators):
            raise
        epochs = [estimator.n_iter_ for estimator in estimators]
        warn_user(
            f"Training was interrupted; the estimators are as they were after their last whole epoch, "
            f"{min(epochs)} to {max(epochs)}.",
            UserWarning,
        )
        return estimators
    _raise_first(errors, fits)
    return estimators


def _check_memory_limit(memory_limit):
    if memory_limit is not None and not (isinstance(memory_limit, Integral) and memory_limit > 0):
        raise ValueError(f"memory_limit must be None or a number of bytes, 1 or more, got {memory_limit!r}.")


def _raise_first(errors, fits):
    """Raise the first of the errors that ended training, with a note of whose it is, and of the others."""
    failed = {}
    for i, error in enumerate(errors):
        if error is not None:
            failed.setdefault(id(error), (error, []))[1].append(i)
    if failed:
        (first, numbers), *others = failed.values()
        now = (
            "as before this fit"
            if getattr(fits[numbers[0]], "keeps_old", False)
            else "as after their last whole epoch"
        )
        first.add_note(
            f"In the training of estimators{numbers}, now {now}; those without an error are fitted."
        )
        for error, numbers in others:
            first.add_note(f"And in that of estimators{numbers}: {type(error).__name__}: {error}")
        raise first


def _prepare_all(estimators, X, y, sample_weight, indices, **validation):
    _check_estimators(estimators)
    n = len(estimators)
    num_workers = max(estimator.num_workers for estimator in estimators)
    X, y = open_labelled(X, y, keep=False, num_workers=num_workers)
    validation["X_val"], validation["y_val"] = open_labelled(
        validation["X_val"], validation["y_val"], "X_val", num_workers=num_workers
    )
    parts = _Parts(X, indices, n)
    labels = _one_for_each(y, n, "y", len(parts))
    weights = _one_for_each(sample_weight, n, "sample_weight", len(parts))
    fits, mistakes, shared = [], {}, {}
    for i, estimator in enumerate(estimators):
        try:
            own = (
                parts.rows(i),
                parts.values(i, labels[i], "y"),
                parts.values(i, weights[i], "sample_weight"),
            )
            fits.append(prepare(estimator, *own, **validation, shared=shared))
        except (ValueError, TypeError) as error:
            mistakes[i] = error
    if mistakes:
        _raise_all(mistakes)
    return fits


def _check_estimators(estimators):
    if not isinstance(estimators, (list, tuple)) or not estimators:
        raise TypeError(f"estimators must be a list of classifiers, got {estimators!r}.")
    for i, estimator in enumerate(estimators):
        if not isinstance(estimator, DynamicsClassifier):
            kind = estimator.__name__ if isinstance(estimator, type) else type(estimator).__name__
            raise TypeError(f"estimators[{i}] must be a DynamicsClassifier, got {kind}.")
    for (i, a), (j, b) in pairwise(sorted(enumerate(estimators), key=lambda item: id(item[1]))):
        if a is b:
            raise ValueError(
                f"estimators[{min(i, j)}] and estimators[{max(i, j)}] are the same object: give each its own, by "
                "sklearn.base.clone."
            )


def _raise_all(mistakes):
    """Raise what is wrong with some estimators, all at once."""
    groups = {}
    for i, error in mistakes.items():
        groups.setdefault(str(error), []).append(i)
    lines = [f"estimators{numbers}: {text}" for text, numbers in groups.items()]
    first = next(iter(mistakes.values()))
    kind = TypeError if len(groups) == 1 and isinstance(first, TypeError) else ValueError
    raise kind("\n".join(lines)) from first


class _Parts:
    """The rows of X for each estimator; equal selections are cut out once."""

    def __init__(self, X, indices, n):
        if indices is not None and not hasattr(indices, "__len__"):
            raise TypeError(f"indices must be a list of the rows of each estimator, got {indices!r}.")
        if indices is not None and len(indices) != n:
            raise ValueError(
                f"indices must hold the rows of each of {n} estimators, got {len(indices)} entries."
            )
        self.X, self.indices = sliceable(X), None if indices is None else [np.asarray(own) for own in indices]
        self.cut = {}

    def __len__(self):
        return _num_samples(self.X)

    def rows(self, i):
        if self.indices is None:
            return self.X
        own = self.indices[i]
        if own.ndim != 1 or own.dtype.kind not in "iub":
            raise ValueError(
                f"indices[{i}] must be positions of rows, as integers, or a mask; got an array of shape {own.shape} "
                f"and dtype {own.dtype}."
            )
        key = own.dtype.str, own.tobytes()
        if key not in self.cut:
            self.cut[key] = self._select(i, self.X)
        return self.cut[key]

    def values(self, i, values, name):
        if self.indices is None or values is None:
            return values
        if _num_samples(values) != len(self):
            raise ValueError(f"{name} has {_num_samples(values)} values, but X has {len(self)} samples.")
        return self._select(i, values)

    def _select(self, i, values):
        try:
            return _safe_indexing(values, self.indices[i])
        except (IndexError, ValueError, KeyError) as error:
            raise ValueError(f"indices[{i}] does not fit {len(self)} samples: {error}") from error


def _one_for_each(values, n, name, n_samples):
    """A list of ``n``: the same values for all, or each one's own."""
    shape = np.shape(values) if hasattr(values, "shape") else None
    several = len(shape) == 2 and shape[1] != 1 if shape is not None else _holds_arrays(values)
    if not several:
        return [values] * n
    if _num_samples(values) != n:
        raise ValueError(
            f"{name} must be one vector of {n_samples} values, or one for each of {n} estimators; got "
            f"{_num_samples(values)} vectors."
        )
    return list(values)


def _holds_arrays(values):
    if not isinstance(values, (list, tuple)):
        return False
    given = [own for own in values if own is not None]  # weights may be given for some estimators alone
    return len(given) > 0 and all(map(_is_array, given))


def _is_array(value):
    """Whether this holds several values; an array or tensor without axes has a ``__len__`` all the same."""
    return hasattr(value, "__len__") and not isinstance(value, (str, bytes)) and getattr(value, "ndim", 1) > 0
