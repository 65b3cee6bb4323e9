"""The same rows, stored in every way that is taken as X; and the networks that take them."""

import numpy as np
import scipy.sparse as sp
import torch
from sklearn.datasets import make_classification
from skorch.callbacks import Callback
from torch import nn
from torch.utils.data import Dataset

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.dynamics._fields import named_arrays
from sklearn_nndyn.modules import MLP

RNG = np.random.default_rng(0)
VALUES, Y = make_classification(101, 16, n_informative=8, n_classes=3, random_state=0)
# Numbers that a byte holds, and that are mostly zero.
BYTES = (np.clip(128 + 40 * VALUES, 0, 255) * (RNG.random(VALUES.shape) < 0.4)).astype("uint8")
FLOATS = BYTES.astype("float32")
WEIGHTS = RNG.uniform(0, 2, 101) * (np.arange(101) % 5 > 0)


class Listed(Dataset):
    """Gives the items of a list."""

    def __init__(self, items):
        self.items = items

    def __len__(self):
        return len(self.items)

    def __getitem__(self, i):
        return self.items[i]


def mapped(values, folder, kind, mode="r"):
    """The values in a file, mapped."""
    path = folder / f"{kind}{len(list(folder.iterdir()))}"
    values.astype(kind).tofile(path)
    return np.memmap(path, kind, mode, shape=values.shape)


def halves(values):
    """A dict of two arrays."""
    return {"left": values[:, :9], "right": values[:, 9:]}


def items(values):
    """Samples by name, as a Dataset gives them."""
    return [{name: part[i] for name, part in halves(values).items()} for i in range(len(values))]


# name: function of the rows, as floats, and a folder
KINDS = {
    "dict": lambda values, folder: halves(values),
    "dict of a file and a sparse matrix": lambda values, folder: {
        "left": sp.csr_matrix(values[:, :9]),
        "right": mapped(values[:, 9:], folder, "float64"),
    },
    "sparse": lambda values, folder: sp.csr_matrix(values.astype("float64")),
    "sparse array of float32": lambda values, folder: sp.csr_array(values),
    "Dataset": lambda values, folder: Listed(list(values)),
    "Dataset of bytes": lambda values, folder: Listed(list(values.astype("uint8"))),
    "Dataset of dicts": lambda values, folder: Listed(items(values)),
    "uint8": lambda values, folder: values.astype("uint8"),
    "mapped uint8": lambda values, folder: mapped(values, folder, "uint8"),
    "mapped int16": lambda values, folder: mapped(values, folder, "int16"),
    "mapped float32": lambda values, folder: mapped(values, folder, "float32"),
    "mapped float64": lambda values, folder: mapped(values, folder, "float64"),
    "mapped copy-on-write": lambda values, folder: mapped(values, folder, "float32", "c"),
}


def is_named(kind):
    """Whether a kind gives arrays by name."""
    return "dict" in kind


class Normed(nn.Module):
    """Linear layers, with normalisation and dropout."""

    def __init__(self, n_classes):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(16, 8), nn.LayerNorm(8), nn.Tanh(), nn.Dropout(0.2), nn.Linear(8, n_classes)
        )

    def forward(self, left, right=None):
        return self.layers(left if right is None else torch.cat([left, right], 1))


class Convolution(Normed):
    """A convolution, with normalisation by the batch and dropout."""

    def __init__(self, n_classes):
        super().__init__(n_classes)
        self.layers = nn.Sequential(
            nn.Unflatten(1, (1, 4, 4)), nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.ReLU(), nn.Flatten(),
            nn.Dropout(0.2), nn.Linear(12, n_classes),
        )  # fmt: skip


NETWORKS = {"mlp": MLP((9,), dropout=0.3), "normed": Normed, "convolution": Convolution}


class WatchesBatches(Callback):
    """Makes skorch's own loop run."""

    def on_batch_end(self, net, **kwargs):
        pass


def classifier(module=NETWORKS["mlp"], **changes):
    """A classifier with shuffled batches, some of which are not full."""
    settings = {"max_epochs": 3, "lr": 0.01, "batch_size": 16, "random_state": 0, **changes}
    return DynamicsClassifier(module, **settings)


def assert_same_weights(a, b):
    for u, v in zip(a.module_.state_dict().values(), b.module_.state_dict().values(), strict=True):
        assert torch.equal(u, v)


def assert_same_record(a, b):
    for (_, name, u), (_, _, v) in zip(named_arrays(a), named_arrays(b), strict=True):
        assert np.array_equal(u, v, equal_nan=u.dtype.kind == "f"), name


def assert_same_fit(a, b):
    """Weights and records, to the bit."""
    assert_same_weights(a, b)
    for name in ("dynamics_", "validation_dynamics_"):
        assert hasattr(a, name) == hasattr(b, name)
        if hasattr(a, name):
            assert_same_record(getattr(a, name), getattr(b, name))
