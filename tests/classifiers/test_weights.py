"""A weight is a number of repetitions, in training and validation; ``make weights`` prints the whole table."""

import numpy as np
import pytest

from tests.classifiers.battery import weights
from tests.pairwise import pairwise

# The second half of a warm start may have nothing left to do.
pytestmark = pytest.mark.filterwarnings("ignore:No epoch was trained:UserWarning")
ALL = [
    (name, way, class_weight, monitor)
    for name in weights.NAMES
    for way, monitor in [
        *((way, None) for way in weights.WAYS),
        *(("0 to 3", one) for one in weights.MONITORS),
    ]
    for class_weight in weights.CLASS_WEIGHTS
]


@pairwise(
    module={name: name for name in weights.MODULES},
    door={name: name for name in weights.DOORS},
    class_weight={name: name for name in weights.CLASS_WEIGHTS},
)
def test_a_weight_is_a_number_of_repetitions(module, door, class_weight):
    name = module, "log", door
    assert weights.difference(name, "0 to 3", class_weight, "valid_loss") <= weights.TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize(("name", "way", "class_weight", "monitor"), ALL, ids=str)
def test_so_it_is_for_every_loss_and_whatever_early_stopping_watches(name, way, class_weight, monitor):
    assert weights.difference(name, way, class_weight, monitor) <= weights.TOLERANCE


@pytest.mark.parametrize("n", [weights.N, weights.N_VAL], ids=["training", "validation"])
def test_a_lost_weight_is_seen(n, monkeypatch):
    """The oracle of this file: one row more or less, in training or validation, makes a difference."""
    right = weights.repeated

    def one_is_lost(X, y, weight):
        lost = np.arange(len(y)) == weight.argmax()
        return right(X, y, np.where(lost & (len(y) == n), 0, weight))

    monkeypatch.setattr(weights, "repeated", one_is_lost)
    assert weights.difference(("MLP", "log", "fit"), "0 to 3", "None") > 1e-3
