"""What one call of ``fit`` is to do: its rows, labels and weights, checked and found; nothing is set on the way."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from numbers import Integral

import numpy as np
import torch
from sklearn.utils import check_random_state

from sklearn_nndyn.classifiers._parameters import find_device
from sklearn_nndyn.classifiers._validation import (
    IDS,
    check_rows_and_labels,
    check_two_classes,
    encode,
    settle_dtype,
)
from sklearn_nndyn.classifiers._weights import check_sample_weight, combine_weights, near_one, split_off
from sklearn_nndyn.recording import chosen_samples
from sklearn_nndyn.training import TrainingData
from sklearn_nndyn.utils.networks.devices import sum_dtype
from sklearn_nndyn.utils.rows.arrays import Rows, as_tensor, samples_on, take
from sklearn_nndyn.utils.rows.given import as_labels


@dataclass
class FitInputs:
    """What one call of ``fit`` is to train on and to record.

    ``random_state`` is the number that repeats the fit where it is given as such, ``seed`` that of torch's generators.
    ``data`` holds the rows that are trained on (those of positive weight); ``watched`` and ``labels`` all rows, in
    the user's order, under ``"train"`` and, where there are some, ``"validation"``. ``seen`` holds the attributes
    that scikit-learn finds in ``X``, ``dtype`` what its rows are converted to, ``rows`` the numbers of the rows of each
    part where some are held out. Where only some rows are recorded, ``watched["train"]`` holds these alone, and
    ``sample_ids["train"]`` their numbers; ``places`` are the positions in the record of the rows that are trained on
    where they are recorded on the way (None where they are the same).
    """

    classes: np.ndarray
    input_shape: tuple
    dtype: str
    random_state: int
    seed: int
    seen: dict
    rows: dict = field(default_factory=dict)
    data: TrainingData | None = None
    watched: dict = field(default_factory=dict)
    labels: dict = field(default_factory=dict)
    sample_ids: dict = field(default_factory=dict)
    places: np.ndarray | None = None

    @property
    def may_hold_ids(self):
        """Whether rows may hold whole numbers that the module looks up."""
        return self.dtype == IDS or isinstance(self.input_shape, Mapping)


def validate_inputs(
    estimator,
    X,
    y,
    sample_weight,
    X_val,
    y_val,
    sample_weight_val=None,
    *,
    again,
    classes=None,
    partial=False,
    shared,
):
    """Check the data and lay them out, draw the seed, and hold rows out.

    Parameters
    ----------
    estimator : DynamicsClassifier
    X, y, sample_weight, X_val, y_val, sample_weight_val, classes
        As in ``fit`` and ``partial_fit``.
    again : bool
        Whether the data must be like those of an earlier call.
    partial : bool
        Whether a single class will do, and nothing is held out.
    shared : dict
        Kept between the calls for several estimators: the same ``X`` is then checked once.

    Returns
    -------
    inputs : FitInputs
    """
    # scikit-learn writes what it sees in X on the estimator it is given, which here is a copy.
    scratch = copy.copy(estimator)
    dtype = estimator._state.dtype if again else estimator.dtype
    X, y = check_rows_and_labels(scratch, X, y, dtype=dtype, reset=not again, shared=shared)
    classes, y_encoded = _classes_once(shared, estimator, y, classes, again, partial)
    if not again:
        X, dtype = settle_dtype(estimator, X, len(classes), shared)
    random_state = estimator._state.random_state if again else as_number(estimator.random_state)
    inputs = FitInputs(
        classes,
        X.input_shape if isinstance(X, Rows) else X.shape[1:],
        dtype,
        random_state,
        draw_seed(random_state),
        {
            name: getattr(scratch, name)
            for name in ("n_features_in_", "feature_names_in_")
            if hasattr(scratch, name)
        },
    )
    if sample_weight is not None:
        sample_weight = check_sample_weight(sample_weight, X)
    if estimator.validation_fraction is not None and not partial:
        inputs.rows = _hold_out(estimator.validation_fraction, y_encoded, inputs.seed, X_val)
    device = estimator._device if again else find_device(estimator.device)
    for name, rows in (inputs.rows or {"train": None}).items():
        inputs.watched[name] = _on_device(shared, device, X, y_encoded, rows)
        inputs.labels[name] = y.copy() if rows is None else y[rows]
    weight = _weight_of_trained(estimator, inputs, y_encoded, sample_weight, partial)
    inputs.data = _trained(inputs.watched["train"], weight)
    _choose_samples(inputs, chosen_samples(estimator.record), X, y, y_encoded, weight)
    if sample_weight is not None and "validation" in inputs.rows:
        _weigh_validation(inputs, sample_weight[inputs.rows["validation"]])
    if X_val is not None:
        scratch.input_shape_ = inputs.input_shape
        _add_validation(inputs, scratch, X_val, y_val, dtype, device, shared)
        if sample_weight_val is not None:
            _weigh_validation(inputs, check_sample_weight(sample_weight_val, X_val, "sample_weight_val"))
    return inputs


def _weight_of_trained(estimator, inputs, y_encoded, sample_weight, partial):
    """Weights of the rows to train on, or None for equal ones."""
    if sample_weight is None and estimator.class_weight is None:
        return None
    train = inputs.rows.get("train", slice(None))
    weight = np.ones(len(y_encoded)) if sample_weight is None else sample_weight
    return combine_weights(
        weight[train],
        estimator.class_weight,
        y_encoded[train],
        inputs.classes,
        one_class_will_do=partial,
    )


def _choose_samples(inputs, samples, X, y, y_encoded, weight):
    """Record the chosen rows alone; and note where those that are trained on are to be recorded."""
    if samples.is_default:
        return
    rows = inputs.rows.get("train", np.arange(len(X)))
    trained = rows if weight is None else rows[weight > 0]
    if samples.indices is not None:
        chosen = samples.positions(len(X))
        rows = chosen[np.isin(chosen, rows)]
        if not len(rows):
            raise ValueError(
                "Samples: validation_fraction holds out every row of indices, so there is none to record."
            )
        inputs.watched["train"] = _on_device({}, inputs.data.X.device, X, y_encoded, rows)
        inputs.labels["train"], inputs.sample_ids["train"] = y[rows], rows
    if samples.in_training and not np.array_equal(rows, trained):
        inputs.places = np.full(len(X), -1)
        inputs.places[rows] = np.arange(len(rows))
        inputs.places = inputs.places[trained]


def check_validation_pair(X_val, y_val, sample_weight_val=None):
    """Validation data come in pairs, and weights with them."""
    if (X_val is None) != (y_val is None):
        given, missing = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
        raise ValueError(f"{given} was given without {missing}: validation needs both.")
    if sample_weight_val is not None and X_val is None:
        raise ValueError(
            "sample_weight_val was given without X_val and y_val, whose weights it holds. Rows that "
            "validation_fraction holds out have theirs from sample_weight."
        )


def as_number(random_state):
    """The number that stands for a ``random_state``: itself, or one that is drawn from it."""
    if isinstance(random_state, Integral):
        return int(random_state)
    return check_random_state(random_state).randint(np.iinfo(np.int32).max)


@lru_cache
def draw_seed(number):
    """The seed of torch's generators; kept, for to draw it takes long, and the fits of a search mostly share one."""
    return as_number(np.random.RandomState(number))


def _add_validation(inputs, scratch, X_val, y_val, dtype, device, shared):
    try:
        X_val, y_val = check_rows_and_labels(scratch, X_val, y_val, dtype=dtype, reset=False, shared=shared)
    except (ValueError, TypeError) as error:
        raise type(error)(f"X_val, y_val: {error}") from error
    y_encoded = encode(y_val, inputs.classes, "y_val")
    inputs.watched["validation"] = _on_device(shared, device, X_val, y_encoded)
    inputs.labels["validation"] = y_val


def _weigh_validation(inputs, weight):
    """Weights of the validation samples, for their mean loss and accuracy."""
    if not weight.any():
        raise ValueError("Every validation sample has weight zero: there is nothing to measure.")
    data, weight = inputs.watched["validation"], near_one(weight)
    inputs.watched["validation"] = TrainingData(data.X, data.y, _weights_on(data.X.device, weight))


def _classes_once(shared, estimator, y, classes, again, partial):
    """As `_find_classes`; once for the same labels, where they alone tell."""
    if again or classes is not None:
        return _find_classes(estimator, y, classes, again, partial)
    key = "classes", id(y), partial
    if key not in shared:
        shared[key] = y, *_find_classes(estimator, y, classes, again, partial)
    _, found, y_encoded = shared[key]
    return found.copy(), y_encoded


def _find_classes(estimator, y, classes, again, partial):
    """The classes, and the position of each label among them."""
    if classes is not None:
        classes = np.unique(as_labels(classes, "classes"))
    if again:
        if classes is not None and not np.array_equal(classes, estimator.classes_):
            raise ValueError(
                f"classes={classes} differs from the classes of the first call, {estimator.classes_}."
            )
        y_encoded = encode(y, estimator.classes_)
        if not partial:
            check_two_classes(np.unique(y))
        return estimator.classes_, y_encoded
    if classes is None:
        classes, y_encoded = np.unique(y, return_inverse=True)
        hint = " Give all labels that will come in classes=." if partial else ""
        check_two_classes(classes, "y", hint)
        return classes, y_encoded
    check_two_classes(classes, "classes")
    return classes, encode(y, classes)


def _hold_out(fraction, y_encoded, seed, X_val):
    if X_val is not None:
        raise ValueError("Give either X_val and y_val or validation_fraction, not both.")
    train, validation = split_off(y_encoded, fraction, seed)
    return {"train": train, "validation": validation}


def _on_device(shared, device, X, y_encoded, rows=None):
    y_encoded = _target(shared, device, y_encoded)
    if rows is not None and (len(rows) < len(X) or (np.diff(rows) < 0).any()):
        return TrainingData(samples_on(take(X, rows), device), y_encoded[as_tensor(rows, device)])
    key = "tensor", id(X), device
    if key not in shared:
        shared[key] = X, samples_on(X, device)
    return TrainingData(shared[key][1], y_encoded)


def _target(shared, device, y_encoded):
    """The positions of the classes on the device; one tensor for the same labels."""
    key = "target", id(y_encoded), device
    if key not in shared:
        shared[key] = y_encoded, as_tensor(y_encoded.astype(np.int64), device)
    return shared[key][1]


def _weights_on(device, weight):
    return torch.as_tensor(weight, dtype=sum_dtype(device), device=device)


def _trained(data, weight):
    """The rows of positive weight."""
    if weight is None:
        return data
    weight = _weights_on(data.X.device, weight)
    used = weight > 0
    if used.all():
        return TrainingData(data.X, data.y, weight)
    return TrainingData(take(data.X, used), data.y[used], weight[used])
