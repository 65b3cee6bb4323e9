"""How often a fit reads a number from a tensor: on an accelerator Python waits for the device each time."""

import numpy as np
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.modules import MLP

WAITING = (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)


class Scalars(TorchDispatchMode):
    """Counts numbers read from tensors one by one (``item``, ``float``, ``bool``), and sizes that depend on values."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func in WAITING
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


def count_reads(module, n_epochs, record, n_networks):
    """Reads of a whole fit of one network, or of several together."""
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(24, 1, 4, 4)).astype("float32"), np.arange(24) % 3
    X = X.reshape(24, 16) if isinstance(module, MLP) else X
    classifiers = [
        DynamicsClassifier(
            module=module,
            max_epochs=n_epochs,
            batch_size=8,
            record=record,
            early_stopping=True,
            random_state=seed,
        )
        for seed in range(n_networks)
    ]
    with Scalars() as scalars, Lists() as lists:
        if n_networks == 1:
            classifiers[0].fit(X, y, X_val=X, y_val=y)
        else:
            fit_together(classifiers, X, y, X_val=X, y_val=y)
    assert all(clf.n_iter_ == n_epochs for clf in classifiers)
    return scalars.count + lists.count


def reads_of_an_epoch(module, record, n_networks=1):
    """Reads of an epoch after the second."""
    few, many = (count_reads(module, n_epochs, record, n_networks) for n_epochs in (2, 3))
    return many - few
