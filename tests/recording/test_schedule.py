"""When to record."""

import numpy as np
import pytest

from sklearn_nndyn.recording import make_schedule


def chosen(record_epochs, epochs=40):
    schedule = make_schedule(record_epochs)
    return [epoch for epoch in range(epochs) if schedule(epoch)]


def test_all_is_every_epoch():
    assert chosen("all") == list(range(40))


def test_log_is_the_beginning_and_the_powers_of_two():
    assert chosen("log", 2000) == [0, *(2**k for k in range(11))]


@pytest.mark.parametrize("step", [1, 2, 7, 100, np.int64(5)])
def test_a_step_counts_from_the_beginning(step):
    assert chosen(step) == list(range(0, 40, step))


@pytest.mark.parametrize("kind", [list, tuple, set, np.array], ids=lambda kind: kind.__name__)
def test_a_list_names_the_epochs(kind):
    assert chosen(kind([7, 3, 3, 100])) == [3, 7]


def test_a_callable_decides():
    assert chosen(lambda epoch: epoch in (1, 5)) == [1, 5]
    assert make_schedule(lambda epoch: np.bool_(epoch > 2))(3) is True


@pytest.mark.parametrize(
    "record_epochs",
    [
        None,
        True,
        False,
        0,
        -1,
        1.5,
        "every",
        b"all",
        [],
        (),
        [-1],
        [1.5],
        [True],
        ["1"],
        np.array([0.5]),
        [[1]],
        iter([1, 2]),  # would be used up by the first to read it
    ],
    ids=lambda value: repr(value).partition(" at 0x")[0],
)
def test_nothing_else_is_a_schedule(record_epochs):
    with pytest.raises(
        ValueError, match='record_epochs must be "all", "log", a positive step, a list of epochs'
    ) as told:
        make_schedule(record_epochs)
    assert str(told.value).endswith(f"got {record_epochs!r}.")
