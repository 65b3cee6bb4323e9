"""The weights as of each epoch come back as they were, wherever they were kept."""

import copy
import pickle
import tempfile

import numpy as np
import pytest
import torch
from torch import nn

from sklearn_nndyn.recording import Snapshots, _snapshots


class OfAllKinds(nn.Module):
    """Parameters and buffers of every dtype and shape."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.scale = nn.Parameter(torch.tensor(1.0))
        self.in_double = nn.Parameter(torch.zeros(5, dtype=torch.float64))
        self.in_half = nn.Parameter(torch.zeros(3, dtype=torch.float16))
        self.in_bfloat = nn.Parameter(torch.zeros(7, dtype=torch.bfloat16))
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("mask", torch.zeros(9, dtype=torch.bool))
        self.register_buffer("counts", torch.zeros(2, 3, dtype=torch.int64))
        self.register_buffer("bytes", torch.zeros(3, dtype=torch.uint8))
        self.register_buffer("empty", torch.zeros(0, 4))
        self.register_buffer("columns", torch.zeros(4, 3).t())
        self.register_buffer("momentary", torch.zeros(2), persistent=False)


def at_random(module, epoch):
    """The module with values that belong to ``epoch``."""
    generator = torch.Generator().manual_seed(epoch)
    for value in module.state_dict().values():
        value.copy_(100 * torch.randn(value.shape, generator=generator))
    return {name: value.clone() for name, value in module.state_dict().items()}


def kept(epochs, **settings):
    """Snapshots at ``epochs``, and what they should hold."""
    module, expected = OfAllKinds(), {}
    snapshots = Snapshots(module, **{"capacity": len(epochs), **settings})
    for epoch in epochs:
        expected[epoch] = at_random(module, epoch)
        snapshots.store(module, epoch)
    return snapshots, expected


def assert_same_state(found, expected):
    assert list(found) == list(expected)
    for name, value in expected.items():
        assert found[name].dtype == value.dtype, name
        assert found[name].shape == value.shape, name
        assert torch.equal(found[name], value), name


EPOCHS = [0, 1, 2, 5, 9]
PLACES = {
    "memory": {},
    "file": {"memory_limit": 0},
    "grown": {"capacity": 0},
    "grown-into-file": {"capacity": 1, "memory_limit": 2500},
}
everywhere = pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)


def test_the_places_are_what_they_say():
    spilled = {name: kept(EPOCHS, **place)[0].spilled for name, place in PLACES.items()}
    assert spilled == {"memory": False, "file": True, "grown": False, "grown-into-file": True}
    row_size = Snapshots(OfAllKinds(), 1).row_size
    assert 2 * row_size <= 2500 < 5 * row_size


@everywhere
def test_what_was_kept_comes_back(place):
    snapshots, expected = kept(EPOCHS, **place)
    assert snapshots.epochs == EPOCHS
    assert snapshots.complete
    assert snapshots.nbytes == 5 * snapshots.row_size
    for epoch in EPOCHS:
        assert_same_state(snapshots.state_dict(epoch), expected[epoch])
        fresh = OfAllKinds()
        fresh.load_state_dict(snapshots.state_dict(epoch))
        assert_same_state(fresh.state_dict(), expected[epoch])


@everywhere
@pytest.mark.parametrize("epochs", [[0], [1, 2, 5], EPOCHS, [0, 9], [5, 1]], ids=str)
def test_several_epochs_are_stacked(place, epochs):
    snapshots, expected = kept(EPOCHS, **place)
    for name, values in snapshots.stacked(epochs).items():
        assert torch.equal(values, torch.stack([expected[epoch][name] for epoch in epochs])), name


@everywhere
def test_what_was_kept_is_not_what_the_module_becomes(place):
    snapshots, expected = kept([0], **place)
    module = OfAllKinds()
    module.load_state_dict(snapshots.state_dict(0))
    at_random(module, 1)
    assert_same_state(snapshots.state_dict(0), expected[0])


@everywhere
@pytest.mark.parametrize(
    "again", [copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))], ids=["copied", "pickled"]
)
def test_copies_hold_the_same_and_go_on_by_themselves(place, again):
    snapshots, expected = kept(EPOCHS, **place)
    other = again(snapshots)
    module = OfAllKinds()
    later = at_random(module, 11)
    other.store(module, 11)
    assert snapshots.epochs == EPOCHS
    assert other.epochs == [*EPOCHS, 11]
    for epoch in EPOCHS:
        assert_same_state(snapshots.state_dict(epoch), expected[epoch])
        assert_same_state(other.state_dict(epoch), expected[epoch])
    assert_same_state(other.state_dict(11), later)


def test_a_copy_holds_no_more_than_was_kept():
    snapshots, _ = kept([0, 1], capacity=1000)
    assert len(pickle.dumps(snapshots)) < 2 * snapshots.row_size + 5000


@everywhere
@pytest.mark.parametrize(("epoch", "left"), [(9, EPOCHS), (5, [0, 1, 2, 5]), (4, [0, 1, 2]), (0, [0])])
def test_until_an_epoch(place, epoch, left):
    snapshots, expected = kept(EPOCHS, **place)
    shorter = snapshots.until(epoch)
    assert shorter.epochs == left
    assert not np.shares_memory(shorter._rows, snapshots._rows)  # or it would hold the longer one for ever
    assert_same_state(shorter.state_dict(left[-1]), expected[left[-1]])
    module = OfAllKinds()
    later = at_random(module, 20)
    shorter.store(module, 20)
    assert_same_state(shorter.state_dict(20), later)
    assert_same_state(snapshots.state_dict(9), expected[9])
    assert snapshots.epochs == EPOCHS


@everywhere
def test_nothing_was_kept_yet(place):
    snapshots, _ = kept([], **{"capacity": 5, **place})
    assert snapshots.until(3).epochs == []
    assert pickle.loads(pickle.dumps(snapshots)).epochs == []


def test_growing_takes_the_time_of_a_few_copies():
    """Room doubles: 300 rows are moved some nine times, not 300."""
    module, moves = nn.Linear(2, 2), []
    snapshots = Snapshots(module, 1)
    for epoch in range(300):
        before = snapshots._rows
        snapshots.store(module, epoch)
        moves.append(snapshots._rows is not before)
    assert sum(moves) < 12


def test_room_is_found_up_to_the_limit_and_not_beyond():
    module = nn.Linear(2, 2)
    row_size = Snapshots(module, 1).row_size
    snapshots = Snapshots(module, 4, memory_limit=5 * row_size)
    for epoch in range(5):
        snapshots.store(module, epoch)
        assert not snapshots.spilled
    snapshots.store(module, 5)
    assert snapshots.spilled
    assert snapshots._rows.nbytes == 0


def test_the_limit_is_half_a_gibibyte(monkeypatch):
    assert Snapshots(OfAllKinds(), 1).memory_limit == 512 * 2**20
    monkeypatch.setattr(_snapshots, "MEMORY_LIMIT", 10)
    assert Snapshots(OfAllKinds(), 1).spilled


def test_the_file_vanishes_with_its_owner(monkeypatch):
    files = []

    def remember(*args, original=tempfile.TemporaryFile, **kwargs):
        files.append(original(*args, **kwargs))
        return files[-1]

    monkeypatch.setattr(tempfile, "TemporaryFile", remember)
    snapshots, _ = kept(EPOCHS, memory_limit=0)
    rows = snapshots.stacked([0, 1])
    assert not files[0].closed
    del snapshots
    assert files[0].closed
    np.testing.assert_array_equal(
        rows["linear.weight"].shape, [2, 2, 3]
    )  # still mapped, for who still holds it
    assert len(files) == 1


def test_a_row_is_the_module_and_little_more():
    module = nn.Sequential(nn.Linear(100, 100), nn.Linear(100, 10))
    held = sum(value.numel() * value.element_size() for value in module.state_dict().values())
    assert held <= Snapshots(module, 1).row_size < held + 64 * len(module.state_dict())
