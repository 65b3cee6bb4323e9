"""What is trained everywhere: images, a network with given initial weights, and batches in the order of the samples."""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import torch
from sklearn.datasets import load_digits

from sklearn_nndyn.datasets import load_images

ACTIVATIONS = {"tanh": torch.nn.Tanh, "relu": torch.nn.ReLU}


@dataclass(frozen=True, eq=False)
class Task:
    """Data, initial weights [(W, b), (W, b)] as arrays, and how to train: plain gradient steps, batches in order.

    ``X`` and the weights are of one dtype, in which everything is computed.
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    state: list
    activation: str = "tanh"
    lr: float = 0.05
    batch_size: int = 64
    n_epochs: int = 3

    def module(self):
        """A fresh network of torch, with the initial weights."""
        (first_weight, first_bias), (last_weight, last_bias) = self.state
        if first_weight.ndim == 2:
            first = torch.nn.Linear(*reversed(first_weight.shape))
        else:
            first = torch.nn.Conv2d(first_weight.shape[1], first_weight.shape[0], 3, stride=2)
        last = torch.nn.Linear(*reversed(last_weight.shape))
        for layer, weight, bias in ((first, first_weight, first_bias), (last, last_weight, last_bias)):
            layer.to(torch.tensor(weight).dtype).load_state_dict(
                {"weight": torch.tensor(weight), "bias": torch.tensor(bias)}
            )
        return torch.nn.Sequential(first, ACTIVATIONS[self.activation](), torch.nn.Flatten(), last)

    def in_precision(self, dtype):
        """The same in another dtype."""
        state = [tuple(values.astype(dtype) for values in layer) for layer in self.state]
        return replace(self, X=self.X.astype(dtype), state=state)


@cache
def images(name):
    """Images (n, 1, h, w) from 0 to 1, and labels.

    Raises
    ------
    FileNotFoundError
        If Fashion-MNIST is not on this machine.
    """
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        X = X.reshape(-1, 1, 8, 8) / 16
    else:
        found = load_images("fashion_mnist")
        X, y = found.X_train[:1000].reshape(-1, 1, 28, 28) / 255, found.y_train[:1000].astype(np.int64)
    return X.astype(np.float32), y


def make_task(data, network, activation="tanh"):
    """``"digits"`` or ``"fashion"``, with an ``"mlp"`` or a ``"conv"`` of ``"tanh"`` or ``"relu"``."""
    X, y = images(data)
    rng = np.random.default_rng(0)
    size = X.shape[-1]
    if network == "mlp":
        X = X.reshape(len(X), -1)
        first, width = (32, size**2), 32
    else:
        first, width = (4, 1, 3, 3), 4 * ((size - 3) // 2 + 1) ** 2
    state = [_layer(rng, first), _layer(rng, (10, width))]
    return Task(f"{data}, {network}, {activation}", X, y, state, activation)


def _layer(rng, shape):
    bound = np.prod(shape[1:]) ** -0.5
    return rng.uniform(-bound, bound, shape).astype(np.float32), rng.uniform(-bound, bound, shape[0]).astype(
        np.float32
    )
