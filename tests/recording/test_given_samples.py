"""A recorder is given samples in many forms, and makes the same record of them all; what has no order is refused."""

import random
from copy import deepcopy

import numpy as np
import pytest
import torch
from skorch.helper import SliceDataset
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
)

from sklearn_nndyn.recording import Probe, Reconstruction, Recorder, Snapshots
from sklearn_nndyn.utils.rows import datasets


class Named(torch.nn.Sequential):
    """A network whose input has a name."""

    def forward(self, pixels):
        return super().forward(pixels)


class Pairs(Dataset):
    """Gives (x, y), or what ``made`` makes of them."""

    def __init__(self, X, y, made=lambda x, y: (x, y)):
        self.X, self.y, self.made = X, y, made

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return self.made(torch.tensor(self.X[i]), int(self.y[i]))


class Stream(IterableDataset):
    """No places."""

    def __iter__(self):
        return iter(())


@pytest.fixture
def module():
    torch.manual_seed(0)
    return Named(torch.nn.Linear(8, 5), torch.nn.BatchNorm1d(5), torch.nn.ReLU(), torch.nn.Linear(5, 3))


def as_dict(x, y):
    return {"pixels": x, "labels": y}


def halves(rows):
    """A collate function of one's own: texts to numbers, padding, or as here the sum of two halves."""
    return torch.stack([(a + b) for (a, b), _ in rows]), torch.tensor([y for _, y in rows])


def pairs(X, y, **settings):
    return DataLoader(TensorDataset(torch.tensor(X), torch.tensor(y)), **settings)


FORMS = {
    "arrays": lambda X, y: (X, y),
    "double precision": lambda X, y: (X.astype(np.float64), y),
    "small integers for labels": lambda X, y: (torch.tensor(X), torch.tensor(y, dtype=torch.uint8)),
    "lists": lambda X, y: (X.tolist(), y.tolist()),
    "by name": lambda X, y: ({"pixels": X}, y),
    "reversed in memory": lambda X, y: (X[::-1].copy()[::-1], y),
    "loader": lambda X, y: (pairs(X, y, batch_size=7),),
    "shuffling loader": lambda X, y: (pairs(X, y, batch_size=7, shuffle=True, drop_last=True),),
    "loader of workers": lambda X, y: (pairs(X, y, num_workers=2, persistent_workers=True),),
    "weighted loader": lambda X, y: (pairs(X, y, sampler=WeightedRandomSampler(torch.rand(len(y)), len(y))),),
    "batches cut by the user": lambda X, y: (
        pairs(X, y, batch_sampler=BatchSampler(RandomSampler(range(50)), 9, True)),
    ),
    "dataset": lambda X, y: (Pairs(X, y),),
    "dataset and labels": lambda X, y: (SliceDataset(Pairs(X, y), 0), y),
    "subset": lambda X, y: (Subset(Pairs(np.r_[X, X], np.r_[y, y]), range(50, 100)),),
    "dicts": lambda X, y: (Pairs(X, y, as_dict),),
    "loader of dicts": lambda X, y: (DataLoader(Pairs(X, y, as_dict), 16, shuffle=True),),
    "list of dicts": lambda X, y: ([as_dict(x, c) for x, c in zip(X, y, strict=True)],),
    "parts by name": lambda X, y: (Pairs(X, y, lambda x, y: ({"pixels": x}, y)),),
    "collated": lambda X, y: (DataLoader(Pairs(X, y, lambda x, y: ((x, 0 * x), y)), 16, collate_fn=halves),),
    "collated as usual": lambda X, y: (DataLoader(Pairs(X, y), 9, collate_fn=default_collate),),
}
BY_NAME = {"by name", "dicts", "loader of dicts", "list of dicts", "parts by name"}


def record_of(module, *given, epochs=(0, 1, 2), **parameters):
    """The record of a short history of a network."""
    module, recorder = deepcopy(module), Recorder(*given, **parameters)
    for epoch in epochs:
        recorder.record(module, epoch)
        with torch.no_grad():
            module[-1].weight.mul_(0.9)
    return recorder.dynamics()


def assert_same(found, expected):
    for name in ("loss", "margin", "prediction", "probability", "y"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    for layer, means in expected.centroids.items():
        np.testing.assert_array_equal(found.centroids[layer], means)


@pytest.mark.parametrize("form", FORMS)
def test_every_form_makes_the_record_of_the_tensors_to_the_bit(form, module, data):
    X, y = data
    expected = record_of(module, torch.tensor(X), torch.tensor(y))
    assert_same(record_of(module, *FORMS[form](X, y)), expected)


def test_large_samples_stay_in_their_dataset(module, data, monkeypatch):
    monkeypatch.setattr(datasets, "LARGE_BYTES", 1)
    assert isinstance(Recorder(pairs(*data, shuffle=True)).X, datasets.DatasetRows)
    found = record_of(module, pairs(*data, shuffle=True))
    assert_same(found, record_of(module, *map(torch.tensor, data)))


@pytest.mark.parametrize("kind", [Reconstruction, Probe])
@pytest.mark.parametrize("form", ["double precision", "shuffling loader", "dataset"])
def test_layers_are_decoded_from_a_loader_too(kind, form, module, data):
    record, field = ("samples", kind()), kind.field
    expected = getattr(record_of(module, *map(torch.tensor, data), record=record), field)
    found = getattr(record_of(module, *FORMS[form](*data), record=record), field)
    assert expected.keys() == found.keys()
    for layer, values in expected.items():
        np.testing.assert_allclose(found[layer], values, rtol=1e-4)


def test_a_reference_of_another_precision_teaches(module, data):
    """Readers stay those of the reference when samples move to the network."""
    X, y = data
    found = []
    for dtype in (np.float32, np.float64):
        reference = Recorder(X.astype(dtype), y, record=("reconstruction",), score=False)
        recorder = Recorder(X[:9].astype(dtype), y[:9], record=("reconstruction",), reference=reference)
        for own in (reference, recorder):
            own.record(module, 0)
        found.append(recorder.dynamics().reconstruction)
    for layer, values in found[0].items():
        np.testing.assert_allclose(found[1][layer], values, rtol=1e-5)


def seed_all(seed):
    random.seed(seed)
    np.random.seed(seed)
    torch.manual_seed(seed)


def drawn():
    return random.random(), np.random.rand(), torch.rand(1).item()


@pytest.mark.parametrize("made", [lambda x, y: (x, y), as_dict], ids=["pairs", "dicts"])
def test_a_dataset_that_seeds_generators_leaves_no_trace(made, module, data):
    def seeding(x, y):
        seed_all(y)
        return made(x, y)

    seed_all(3)
    expected = drawn()
    seed_all(3)
    recorder = Recorder(DataLoader(Pairs(*data, seeding), 8, shuffle=True))
    recorder.record(module, 0)
    assert drawn() == expected


def test_a_loop_trains_to_the_same_bits_whether_its_loader_is_recorded(data):
    weights = []
    for records in (False, True):
        torch.manual_seed(0)
        module = torch.nn.Sequential(torch.nn.Linear(8, 5), torch.nn.Dropout(0.2), torch.nn.Linear(5, 3))
        loader = pairs(*data, batch_size=8, shuffle=True)
        optimizer = torch.optim.SGD(module.parameters(), 0.1)
        recorder = Recorder(loader) if records else None
        for epoch in range(3):
            if records:
                recorder.record(module, epoch)
            for x, y in loader:
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(module(x), y).backward()
                optimizer.step()
        weights.append(module[-1].weight)
    assert recorder.dynamics().shape == (50, 3)
    assert torch.equal(*weights)


def noisy(x, y):
    return x + torch.rand_like(x), y


def noisy_dict(x, y):
    return {"pixels": x + torch.rand_like(x), "labels": y}


def three(x, y):
    return x, y, y


def without_labels(x, y):
    return {"pixels": x}


def loader(X, y, made=lambda x, y: (x, y), **settings):
    return DataLoader(Pairs(X, y, made), **settings)


REFUSED = {
    "network first": (
        lambda X, y: (torch.nn.Linear(8, 3), loader(X, y)),
        TypeError,
        r"Recorder\(loader\), and the",
    ),
    "stream": (
        lambda X, y: (DataLoader(Stream()),),
        TypeError,
        "Stream, a Dataset without a length .* same samples",
    ),
    "bare stream": (lambda X, y: (Stream(),), TypeError, "Stream, a Dataset without a length"),
    "iterator": (lambda X, y: (iter(loader(X, y)),), TypeError, "a Dataset with a length and places"),
    "part of it": (
        lambda X, y: (loader(X, y, sampler=SubsetRandomSampler(range(30))),),
        ValueError,
        r"SubsetRandomSampler gives 30 of the 50 samples .* Subset\(dataset, indices\)",
    ),
    "part in batches": (
        lambda X, y: (loader(X, y, batch_sampler=BatchSampler(SubsetRandomSampler(range(30)), 4, False)),),
        ValueError,
        "SubsetRandomSampler gives 30 of the 50",
    ),
    "no batches": (lambda X, y: (loader(X, y, batch_size=None),), ValueError, "batch_size=None"),
    "augmented": (lambda X, y: (loader(X, y, noisy),), ValueError, "other values .* without random changes"),
    "augmented dicts": (lambda X, y: (loader(X, y, noisy_dict),), ValueError, "without its random changes"),
    "three parts": (
        lambda X, y: (loader(X, y, three),),
        TypeError,
        r"gives 3 values, where it must give \(x, y\)",
    ),
    "dicts without labels": (
        lambda X, y: (loader(X, y, without_labels),),
        ValueError,
        "'pixels', and no \"labels\"",
    ),
    "samples alone": (
        lambda X, y: (loader(X, y, lambda x, y: x),),
        ValueError,
        "gives samples without labels",
    ),
    "array alone": (lambda X, y: (X,), TypeError, "X is a ndarray: give y beside it"),
    "dict alone": (lambda X, y: ({"pixels": X},), TypeError, "X is a dict: give y beside it"),
    "number alone": (lambda X, y: (3,), TypeError, "a Dataset with a length and places, .* got int"),
    "no samples": (lambda X, y: (Pairs(X[:0], y[:0]),), ValueError, "without samples: a minimum of 1"),
    "no dicts": (lambda X, y: ([],), ValueError, "a list, are none: a minimum of 1"),
    "broken": (
        lambda X, y: (loader(X, y, lambda x, y: 1 / 0),),
        ValueError,
        "Pairs that cannot be read: ZeroDiv",
    ),
    "names for labels": (
        lambda X, y: (loader(X, y, lambda x, y: (x, str(y))),),
        TypeError,
        "y must hold class positions, .* got <U1 of shape",
    ),
    "floats for labels": (
        lambda X, y: (X, y / 1),
        TypeError,
        r"class positions.* got float64 of shape \(50,\)",
    ),
    "one-hot": (lambda X, y: (torch.tensor(X), torch.eye(3)[y].long()), TypeError, r"of shape \(50, 3\)"),
    "negative": (lambda X, y: (X, y - 1), ValueError, "class positions, 0 or greater, got -1"),
    "ignored label": (lambda X, y: (loader(X, np.full(50, -100)),), ValueError, "0 or greater, got -100"),
    "lengths": (lambda X, y: (X, y[:9]), ValueError, "X has 50 samples, but y has 9"),
    "lengths of parts": (
        lambda X, y: ({"a": X, "b": X[:3]}, y),
        ValueError,
        r"one number of samples, got {'a': 50, 'b': 3}",
    ),
    "labels beside": (lambda X, y: (SliceDataset(Pairs(X, y), 0), y[:9]), ValueError, "X has 50 .* y has 9"),
    "words": (
        lambda X, y: ([["a"] * 8] * 50, y),
        TypeError,
        "X must be an array of numbers, got <U1 in a list",
    ),
    "dates": (
        lambda X, y: (np.zeros((50, 8), "M8[D]"), y),
        ValueError,
        "X must hold numbers, but holds dates",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_has_no_order_or_labels_is_refused_at_once(kind, data):
    make, error, message = REFUSED[kind]
    with pytest.raises(error, match=message):
        Recorder(*make(*data))


def test_batches_of_ones_own_are_not_decoded(data):
    with pytest.raises(
        TypeError, match="Reconstruction needs the samples as arrays, X and y, or a dataset that gives"
    ):
        Recorder(loader(*data, as_dict), record=("samples", "reconstruction"))


def test_labels_that_change_are_refused_when_they_do(module, data):
    rows = Pairs(data[0], data[1].copy(), as_dict)
    recorder = Recorder(rows)
    recorder.record(module, 0)
    rows.y[3] += 1
    with pytest.raises(ValueError, match="gives other labels, or rows in another order"):
        recorder.record(module, 1)


# ------------------------------------------------------------------------------- stored weights


def history(module, n_epochs=5):
    snapshots = Snapshots(module)
    for epoch in range(n_epochs):
        with torch.no_grad():
            module[-1].weight.mul_(0.9)
        snapshots.store(module, epoch)
    return snapshots


@pytest.mark.parametrize("form", ["arrays", "shuffling loader", "dicts", "by name"])
def test_replay_is_the_record_of_each_network(form, module, data):
    snapshots, live = history(module), Recorder(*FORMS[form](*data))
    before = {name: value.clone() for name, value in module.state_dict().items()}
    again = Recorder(*FORMS[form](*data))
    again.replay(module, snapshots)
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    for epoch in snapshots.epochs:
        module.load_state_dict(snapshots.state_dict(epoch))
        live.record(module, epoch)
    found, expected = again.dynamics(), live.dynamics()
    np.testing.assert_array_equal(found.epochs, expected.epochs)
    np.testing.assert_allclose(found.loss, expected.loss, rtol=1e-5)
    for layer, means in expected.centroids.items():
        np.testing.assert_allclose(found.centroids[layer], means, rtol=1e-4, atol=1e-6)


def test_replay_of_some_epochs(module, data):
    snapshots, recorder = history(module), Recorder(*data)
    recorder.replay(module, snapshots, epochs=[1, 3])
    assert recorder.epochs == [1, 3]
    with pytest.raises(ValueError, match=r"no snapshot of epoch 9; those kept are \[0, 1, 2, 3, 4\]"):
        recorder.replay(module, snapshots, epochs=[9])
    for epochs, last in (([2], 3), ([4, 4], 4)):
        with pytest.raises(ValueError, match=f"epoch must come after {last}, the last recorded one"):
            recorder.replay(module, snapshots, epochs)
    assert recorder.epochs == [1, 3]
