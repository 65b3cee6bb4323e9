"""The one door to what follows a record."""

from sklearn.base import BaseEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from sklearn_nndyn.dynamics._dynamics import Dynamics
from sklearn_nndyn.dynamics._fields import RECORDED_BY, require_fields

ATTRIBUTES = {"train": "dynamics_", "validation": "validation_dynamics_"}


def check_dynamics(record_or_model, *, needs=(), split="train", optional=False):
    """The record in what was given, checked to hold what is needed.

    Parameters
    ----------
    record_or_model : Dynamics or estimator
        A record, which is returned as it is; or a fitted model that holds one in ``dynamics_``, also at the
        end of a Pipeline, or as the ``best_estimator_`` of a search, however nested.
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
    DynamicsClassifier(record=('samples', 'geometry')).
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


def _check_names(argument, names, known):
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"{argument} must be among {', '.join(known)}; got {', '.join(map(repr, unknown))}.")


def _held(model, split):
    model = _innermost(model)
    record = getattr(model, ATTRIBUTES[split], None)
    if isinstance(record, Dynamics):
        return record
    if not isinstance(model, BaseEstimator) or not hasattr(model, "fit"):
        raise TypeError(_accepted(model))
    check_is_fitted(model)
    if "record" not in model.get_params(deep=False):
        raise TypeError(_accepted(model))
    return None


def _innermost(model):
    while True:
        if isinstance(model, Pipeline):
            model = model.steps[-1][1]
        elif hasattr(model, "best_estimator_"):
            model = model.best_estimator_
        else:
            return model


def _accepted(model):
    refit = (
        " A search needs refit=True to keep its best model." if getattr(model, "refit", None) is False else ""
    )
    return (
        "Expected a Dynamics, or a fitted model that holds one: a DynamicsClassifier, a Pipeline that ends "
        f"in one, or a search over one; got {type(model).__name__}.{refit}"
    )


def _absence(split):
    if split == "validation":
        return (
            "The model has no validation record. Give validation samples to fit(X, y, X_val=..., y_val=...), "
            'or set validation_fraction; and record at least "samples".'
        )
    return 'The model recorded nothing. Fit again with DynamicsClassifier(record=("samples", "geometry")).'
