"""What one call of ``fit`` is to do: its rows, labels and weights, checked."""

from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.utils import check_random_state

from sklearn_nndyn.classifiers._parameters import find_device
from sklearn_nndyn.classifiers._validation import (
    check_once,
    check_sample_weight,
    check_two_classes,
    combine_weights,
    encode,
    settle_dtype,
    split_off,
)
from sklearn_nndyn.training._data import TrainingData, as_tensor


@dataclass
class FitInputs:
    """What one call of ``fit`` is to train on and to watch.

    ``data`` holds the rows that are trained on (those of positive weight); ``watched`` and ``labels`` all rows, in
    the user's order, under ``"train"`` and, where there are some, ``"validation"``.
    """

    data: TrainingData
    watched: dict
    labels: dict


def validate_inputs(
    estimator, X, y, sample_weight, X_val, y_val, *, again, classes=None, partial=False, shared=None
):
    """Check the data and lay them out; on the way ``classes_`` and the like are born, and the seed is drawn.

    ``shared`` is a dict kept between the tasks of several estimators: the same ``X`` is then checked once.
    """
    shared = {} if shared is None else shared
    X, y = check_once(shared, estimator, X, y, reset=not again)
    if not again:
        estimator._seed = check_random_state(estimator.random_state).randint(np.iinfo(np.int32).max)
    _find_classes(estimator, y, classes, again, partial)
    X = X if again else settle_dtype(shared, estimator, X)
    positions = encode(y, estimator.classes_)
    sample_weight = check_sample_weight(sample_weight, X)
    rows = {"train": np.arange(len(X))}
    if estimator.validation_fraction is not None and not partial:
        rows = _hold_out(estimator, positions, X_val)
    train = rows["train"]
    weight = combine_weights(
        sample_weight[train],
        estimator.class_weight,
        positions[train],
        estimator.classes_,
        one_class_will_do=partial,
    )
    device = estimator._device if again else find_device(estimator.device)
    watched = {name: _on_device(shared, device, X, positions, chosen) for name, chosen in rows.items()}
    labels = {name: y[chosen] for name, chosen in rows.items()}
    if X_val is not None:
        X_val, labels["validation"] = _named(
            "X_val, y_val", check_once, shared, estimator, X_val, y_val, reset=False
        )
        watched["validation"] = _on_device(
            shared, device, X_val, encode(labels["validation"], estimator.classes_, "y_val")
        )
    return FitInputs(_trained(watched["train"], weight), watched, labels)


def _find_classes(estimator, y, classes, again, partial):
    if classes is not None:
        classes = np.unique(classes)
    if again:
        if classes is not None and not np.array_equal(classes, estimator.classes_):
            raise ValueError(
                f"classes={classes} differs from the classes of the first call, {estimator.classes_}."
            )
        return
    what = "y" if classes is None else "classes"
    estimator.classes_ = np.unique(y) if classes is None else classes
    hint = " Give all labels that will come in classes=." if partial and what == "y" else ""
    check_two_classes(estimator.classes_, what, hint)


def _hold_out(estimator, positions, X_val):
    if X_val is not None:
        raise ValueError("Give either X_val and y_val or validation_fraction, not both.")
    train, validation = split_off(positions, estimator.validation_fraction, estimator._seed)
    estimator.train_indices_, estimator.validation_indices_ = train, validation
    return {"train": train, "validation": validation}


@contextmanager
def rollback_on_error(estimator):
    """What was computed before stays if what happens inside fails."""
    before = dict(vars(estimator))
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        raise


def _on_device(shared, device, X, positions, rows=None):
    positions = as_tensor(positions.astype(np.int64), device)
    if rows is not None and len(rows) < len(X):
        return TrainingData(as_tensor(X[rows], device), positions[as_tensor(rows, device)])
    key = "tensor", id(X), device
    if key not in shared:
        shared[key] = X, as_tensor(X, device)
    return TrainingData(shared[key][1], positions)


def _trained(data, weight):
    """The rows of positive weight."""
    if weight is None:
        return data
    weight = torch.as_tensor(weight, device=data.X.device)
    used = weight > 0
    if used.all():
        return TrainingData(data.X, data.y, weight)
    return TrainingData(data.X[used], data.y[used], weight[used])


def _named(name, check, *args, **kwargs):
    """Run a check whose message is to say what it is about."""
    try:
        return check(*args, **kwargs)
    except (ValueError, TypeError) as error:
        raise type(error)(f"{name}: {error}") from error
