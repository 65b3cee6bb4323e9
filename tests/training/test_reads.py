"""How often Python reads a number from a tensor: on an accelerator it waits for the device each time."""

import numpy as np
import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import MLP


class Scalars(TorchDispatchMode):
    """Counts numbers read from tensors one by one: ``item``, ``float``, ``bool``."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


class Lists(TorchFunctionMode):
    """Counts tensors read as lists."""

    count = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.Tensor.tolist
        return func(*args, **(kwargs or {}))


def deep_mlp(n_layers):
    return MLP((6,) * n_layers)


def deep_convolution(n_layers):
    def make(input_shape, n_classes):
        maps = [torch.nn.Conv2d(4 if i else 1, 4, 3, padding=1) for i in range(n_layers)]
        return torch.nn.Sequential(*maps, torch.nn.Flatten(), torch.nn.Linear(64, n_classes))

    return make


def count_reads(module, n_epochs, record):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(24, 1, 4, 4)).astype("float32"), np.arange(24) % 3
    X = X.reshape(24, 16) if isinstance(module, MLP) else X
    clf = DynamicsClassifier(
        module=module, max_epochs=n_epochs, batch_size=8, record=record, early_stopping=True, random_state=0
    )
    with Scalars() as scalars, Lists() as lists:
        clf.fit(X, y, X_val=X, y_val=y)
    assert clf.n_iter_ == n_epochs
    return scalars.count + lists.count


@pytest.mark.parametrize("n_layers", [2, 20])
@pytest.mark.parametrize("make", [deep_mlp, deep_convolution], ids=["mlp", "convolution"])
@pytest.mark.parametrize(
    ("record", "reads"), [((), 3), (("samples", "geometry"), 5)], ids=["bare", "recorded"]
)
def test_an_epoch_reads_as_often_however_many_layers(make, n_layers, record, reads):
    """Loss, finite parameters, steps of the optimizer; recorded also the norms of two records."""
    few, many = (count_reads(make(n_layers), n_epochs, record) for n_epochs in (3, 5))
    assert many - few == 2 * reads
