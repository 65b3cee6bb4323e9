"""The one door to what follows a record."""

import os
from collections.abc import Sequence
from typing import Any, Literal

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sklearn_nndyn.dynamics._dynamics import Dynamics
from sklearn_nndyn.dynamics._fields import RECORDED_BY, require_fields
from sklearn_nndyn.dynamics._inner import hint_of_models, inner_of
from sklearn_nndyn.dynamics._text import how_recorded
from sklearn_nndyn.utils.text import SOURCES, in_words

ATTRIBUTES = {"train": "dynamics_", "validation": "validation_dynamics_"}


def check_dynamics(
    record_or_model: Any,
    *,
    needs: str | Sequence[str] = (),
    split: Literal["train", "validation"] = "train",
    optional: bool = False,
) -> Dynamics | None:
    """The record in what was given, checked to hold what is needed.

    Parameters
    ----------
    record_or_model : Dynamics or estimator
        A record, which is returned as it is; or a fitted model that holds one in ``dynamics_``, also at the
        end of a Pipeline, as the ``best_estimator_`` of a search, or in a FrozenEstimator, a FixedThresholdClassifier,
        a TunedThresholdClassifierCV or a CalibratedClassifierCV with one classifier, however nested.
    needs : sequence of str, default=()
        Fields the record has to hold, such as ``("loss", "centroids")``.
    split : {"train", "validation"}, default="train"
        Which record of a model: ``dynamics_`` or ``validation_dynamics_``.
    optional : bool, default=False
        If True, a fitted model that holds no such record gives None instead of a ValueError.

    Returns
    -------
    record : Dynamics
        Or None, see ``optional``.

    Raises
    ------
    TypeError
        If the argument is neither a record nor an estimator that could hold one.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    ValueError
        If the model holds no record, or the record lacks a needed field; the message gives the call that
        would have recorded it. Also for an unknown field or split.

    Examples
    --------
    >>> from sklearn_nndyn.dynamics import Dynamics, check_dynamics
    >>> record = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0], loss=[[0.5], [1.5]])
    >>> check_dynamics(record, needs=["loss"]) is record
    True
    >>> check_dynamics(record, needs=["centroids"])
    Traceback (most recent call last):
    ...
    ValueError: This record has no centroids: it holds loss. Fit again with
    DynamicsClassifier(record=('samples', 'geometry')); in another loop, give DynamicsLog.add the activations too.
    """
    needs = [needs] if isinstance(needs, str) else list(needs)
    _check_names("needs", needs, RECORDED_BY)
    _check_names("split", [split], ATTRIBUTES)
    record = record_or_model if isinstance(record_or_model, Dynamics) else _held(record_or_model, split)
    if record is not None:
        require_fields(record, needs)
    elif not optional:
        raise ValueError(_absence(split))
    return record


def find_record(
    record_or_model: Any, needs: Sequence[str] = (), prefers: Literal["validation", "train"] = "validation"
) -> tuple[Dynamics, str]:
    """The record in what was given, and in words where it was found.

    Parameters
    ----------
    record_or_model : Dynamics or estimator
        As for ``check_dynamics``.
    needs : sequence of str, default=()
        Fields the record has to hold.
    prefers : {"validation", "train"}, default="validation"
        The record to take from a model with two: the validation record, else the training record; or only the latter.

    Returns
    -------
    record : Dynamics
        A record with all fields of ``needs``.
    source : str
        ``"a record"``, ``"the validation record of the model"`` or ``"the training record of the model"``; and that its
        samples were recorded in training, where they were.

    Raises
    ------
    TypeError, ValueError, sklearn.exceptions.NotFittedError
        As ``check_dynamics``.

    Examples
    --------
    >>> from sklearn_nndyn.dynamics import Dynamics, find_record
    >>> record = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0], loss=[[0.5], [1.5]])
    >>> find_record(record, needs=["loss"])[1]
    'a record'
    """
    record, split = _find(record_or_model, needs, prefers)
    how = how_recorded(record)
    return record, f"{SOURCES[split]}, {how}" if how else SOURCES[split]


def _find(record_or_model, needs, prefers):
    if isinstance(record_or_model, Dynamics):
        require_fields(record_or_model, list(needs))
        return record_or_model, "record"
    if prefers == "validation":
        found = check_dynamics(record_or_model, needs=needs, split="validation", optional=True)
        if found is not None:
            return found, "validation"
    train: Any = check_dynamics(record_or_model, needs=needs)
    return train, "train"


def unwrap_estimator(model: Any, X: ArrayLike | None = None, *, methods: Sequence[str] = ()) -> tuple:
    """The fitted model inside of a Pipeline, a search or another estimator, and samples as it receives them.

    Parameters
    ----------
    model : estimator
        A fitted model that holds a record, or what `check_dynamics` opens, however nested.
    X : array-like of shape (n_samples, ...), default=None
        Samples as they are given to ``model``; None where there are none to hand on.
    methods : sequence of str, default=()
        Methods the inner model has to have, such as ``("replay", "activations")``.

    Returns
    -------
    inner : estimator
        The model itself.
    X : array-like of shape (n_samples, ...) or None
        What the steps before it make of the samples.

    Raises
    ------
    TypeError
        If the inner model lacks a method; or, where none is asked for, holds no record.
    sklearn.exceptions.NotFittedError
        If the model is not fitted.

    Examples
    --------
    >>> from sklearn.datasets import make_classification
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> from sklearn_nndyn.dynamics import unwrap_estimator
    >>> X, y = make_classification(random_state=0)
    >>> model = make_pipeline(StandardScaler(), DynamicsClassifier(max_epochs=1)).fit(X, y)
    >>> inner, scaled = unwrap_estimator(model, X)
    >>> type(inner).__name__, bool(abs(scaled.mean()) < 1e-6)
    ('DynamicsClassifier', True)
    """
    inner, before = inner_of(model)
    if isinstance(inner, BaseEstimator):
        check_is_fitted(inner)
    able = all(hasattr(inner, method) for method in methods) if methods else _holds_record(inner)
    if isinstance(inner, type) or not able:
        raise TypeError(_accepted(inner, model, "a fitted model") + _lacking(inner, methods))
    for steps in before if X is not None else ():
        X = steps.transform(X)
    return inner, X


def _check_names(argument, names, known):
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"{argument} must be among {', '.join(known)}; got {', '.join(map(repr, unknown))}.")


def _held(given, split):
    model, _ = inner_of(given)
    record = getattr(model, ATTRIBUTES[split], None)
    if isinstance(record, Dynamics):
        return record
    if _holds_record(model):  # of the other split
        return None
    if not isinstance(model, BaseEstimator) or not hasattr(model, "fit"):
        raise TypeError(_accepted(model, given))
    check_is_fitted(model)
    if "record" not in model.get_params(deep=False):
        raise TypeError(_accepted(model, given))
    return None


def _holds_record(model):
    return any(isinstance(getattr(model, name, None), Dynamics) for name in ATTRIBUTES.values())


def _accepted(model, given, what="a Dynamics, or a fitted model that holds one"):
    refit = (
        " A search needs refit=True to keep its best model." if getattr(model, "refit", None) is False else ""
    )
    called = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
    return (
        f"Expected {what}: a DynamicsClassifier, a Pipeline that ends in one, or a search over one; got "
        f"{called}.{refit}{_instead_of(given) or hint_of_models(model, _holds_record)}"
    )


def _lacking(model, methods):
    """Which methods a model that holds a record has not, such as ``predict_proba`` after a hinge loss."""
    lacks = [method for method in methods if not hasattr(model, method)]
    return f" It has no {in_words(lacks, 'and no')}." if lacks and _holds_record(model) else ""


def _instead_of(given):
    """What to give in place of what is close to a record."""
    if isinstance(given, type):
        return " Make an object of it, and fit it."
    if isinstance(given, str | os.PathLike):
        return " Read a file by load_dynamics(path)."
    if isinstance(given, list | tuple):
        return " Give one run at a time."
    return " Give the record of a log, log.dynamics()." if hasattr(given, "dynamics") else ""


def _absence(split):
    if split == "validation":
        return (
            "The model has no validation record. Give validation samples to fit(X, y, X_val=..., y_val=...), "
            'or set validation_fraction; and record at least "samples".'
        )
    return 'The model recorded nothing. Fit again with DynamicsClassifier(record=("samples", "geometry")).'
