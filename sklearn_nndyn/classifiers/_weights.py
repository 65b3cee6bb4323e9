"""Weights of the samples, checked and combined; and rows held out, in which every class has its share."""

from collections.abc import Mapping

import numpy as np
from sklearn.model_selection import train_test_split

from sklearn_nndyn.classifiers._validation import check_two_classes, some
from sklearn_nndyn.utils.private_names import _check_sample_weight
from sklearn_nndyn.utils.rows.given import as_numbers
from sklearn_nndyn.utils.validation import is_number


def check_sample_weight(sample_weight, X, name="sample_weight"):
    """Weights (n_samples,) in float64, ones for None."""
    if sample_weight is not None and not is_number(sample_weight):
        sample_weight = as_numbers(sample_weight, name)
    try:
        weight = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
        if not weight.any():  # scikit-learn says so from 1.9 on
            raise ValueError("sample_weight must contain at least one non-zero number.")
        return weight
    except ValueError as error:
        if "could not convert" in str(error):
            raise ValueError(f"{name} must hold numbers: {error}.") from error
        raise ValueError(str(error).replace("sample_weight", name).replace("Sample weights", name)) from error


def combine_weights(sample_weight, class_weight, y_encoded, classes, one_class_will_do=False):
    """Weights of the samples, float64 and with a mean of one over the positive ones; None for equal ones.

    Raises
    ------
    ValueError
        For no positive weight, positive ones in one class only, or a ``class_weight`` of other classes.
    """
    sample_weight = near_one(sample_weight)
    weight = near_one(sample_weight * _weights_of_classes(class_weight, y_encoded, classes, sample_weight))
    used = weight > 0
    if not used.any():
        raise ValueError("Every sample has weight zero: there is nothing to learn from.")
    if not one_class_will_do:
        check_two_classes(classes[np.unique(y_encoded[used])], "y, where weights are greater than zero,")
    return None if np.ptp(weight) == 0 else weight / weight[used].mean()


def near_one(weight):
    """The weights times a power of two, which rounds nothing, so that their sum is finite."""
    _, exponent = np.frexp(weight.max(initial=0))
    return np.ldexp(weight, -exponent)


def _weights_of_classes(class_weight, y_encoded, classes, sample_weight):
    if class_weight is None:
        return np.ones(len(y_encoded))
    if not isinstance(
        class_weight, Mapping
    ):  # balanced: each class there is weighs the same, as in scikit-learn
        weights = np.bincount(y_encoded, weights=sample_weight, minlength=len(classes))
        present = weights > 0
        return np.divide(weights.sum(), present.sum() * weights, out=np.zeros(len(classes)), where=present)[
            y_encoded
        ]
    labels = classes.tolist()
    unknown = [label for label in class_weight if label not in labels]
    if unknown and len(class_weight) - len(unknown) < len(labels):
        raise ValueError(f"class_weight names {some(unknown)}, but the classes are {some(classes)}.")
    return np.array([float(class_weight.get(label, 1)) for label in labels])[y_encoded]


def split_off(y_encoded, fraction, seed):
    """Rows to train on and rows to validate with, in order and stratified.

    Raises
    ------
    ValueError
        If a class would have no sample to train on.
    """
    rows = np.arange(len(y_encoded))
    try:
        train, validation = train_test_split(rows, test_size=fraction, stratify=y_encoded, random_state=seed)
    except ValueError:
        train = rows[:0]
    if not np.isin(y_encoded, y_encoded[train]).all():
        raise ValueError(
            f"validation_fraction={fraction} cannot be held out of {len(rows)} samples, of which the smallest class "
            f"has {np.unique(y_encoded, return_counts=True)[1].min()}: every class needs samples on either side. Take "
            "another fraction, or give X_val and y_val."
        )
    return np.sort(train), np.sort(validation)
