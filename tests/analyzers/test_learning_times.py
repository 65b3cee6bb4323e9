"""When a sample is learned, and how often it is forgotten."""

import numpy as np
import pytest

from sklearn_nndyn.analyzers.sample_scores import epoch_learned, times_forgotten
from tests import reference

EPOCHS = np.array([0, 1, 4, 9, 16])


@pytest.mark.parametrize(
    ("correct", "learned", "forgotten"),
    [("11111", 0, 0), ("00000", np.nan, 0), ("00001", 16, 0), ("11110", np.nan, 1), ("01011", 9, 1),
     ("10101", 16, 2), ("10000", np.nan, 1), ("01111", 1, 0)],
)  # fmt: skip
def test_a_sample_by_hand(correct, learned, forgotten):
    row = np.array([[letter == "1" for letter in correct]])
    np.testing.assert_array_equal(epoch_learned(row, EPOCHS), [learned])
    assert times_forgotten(row).tolist() == [forgotten]


@pytest.mark.parametrize("n_epochs", [1, 2, 5])
def test_every_sample_equals_its_slow_definition(n_epochs):
    correct = np.random.default_rng(0).random((200, n_epochs)) < 0.7
    epochs = EPOCHS[:n_epochs]
    learned = epoch_learned(correct, epochs)
    assert learned.dtype == np.float64
    np.testing.assert_array_equal(learned, [reference.epoch_learned(row, epochs) for row in correct.tolist()])
    np.testing.assert_array_equal(
        times_forgotten(correct), [reference.times_forgotten(row) for row in correct.tolist()]
    )


def test_no_samples_have_no_times():
    none = np.zeros((0, 5), dtype=bool)
    assert epoch_learned(none, EPOCHS).shape == times_forgotten(none).shape == (0,)
