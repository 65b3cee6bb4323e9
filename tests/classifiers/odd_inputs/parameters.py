"""Every parameter with values of every kind; ``None`` in a row: it is taken."""

import numpy as np
import torch

from sklearn_nndyn import DynamicsClassifier
from tests.classifiers.odd_inputs.cases import refused, right


class Thing:
    """Nothing that any parameter takes."""


VALUES = {
    "an object": Thing(),
    "a word": "nonsense",
    "a fraction": 3.5,
    "a negative number": -1,
    "nan": np.nan,
    "a list": [1, 2],
    "a dict": {"a": 1},
    "an array": np.ones(3),
    "None": None,
    "a class": dict,
    "a tensor": torch.ones(2),
    "bytes": b"a",
    "an empty tuple": (),
}
TAKEN = {
    "None": (
        "batch_transform",
        "callbacks",
        "checkpoint",
        "class_weight",
        "module",
        "optimizer_params",
        "precision",
        "random_state",
        "record_iterations",
        "validation_fraction",
    ),
    "a fraction": ("lr", "tol", "weight_decay"),
    "an empty tuple": ("callbacks", "record"),
    "a list": ("record_epochs", "record_iterations"),
    "a word": ("checkpoint",),  # a folder
}
PARAMETERS = {
    f"{name}: {kind}": refused(name, **{name: value})
    for name in DynamicsClassifier().get_params(deep=False)
    for kind, value in VALUES.items()
    if name not in TAKEN.get(kind, ())
}
SEED = "random_state must be None, an integer from 0 to 2**32 - 1 or a numpy.random.RandomState"
SEEDS = {
    "NumPy's integer": right({"random_state": 3}, random_state=np.int64(3)),
    "True": right({"random_state": 1}, random_state=True),
    "RandomState": right({"random_state": np.random.RandomState(3)}, random_state=np.random.RandomState(3)),
    "Generator": refused(SEED, random_state=np.random.default_rng(0)),
    "torch's Generator": refused(SEED, random_state=torch.Generator()),
    "too great": refused(SEED, random_state=2**32),
    "negative": refused(SEED, random_state=-1),
    "a float": refused(SEED, random_state=1.0),
    "a tensor": refused(SEED, random_state=torch.tensor(3)),
    "digits": refused(SEED, random_state="0"),
}
