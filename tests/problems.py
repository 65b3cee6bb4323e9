"""Small problems on which every law must hold."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from sklearn.datasets import make_classification

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import MLP


def convolution_net(input_shape, n_classes):
    """A small convolution net with batch normalisation, and dropout on its features."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(input_shape[0], 4, 3, padding=1),
        torch.nn.BatchNorm2d(4),
        torch.nn.ReLU(),
        torch.nn.Conv2d(4, 6, 3, stride=2),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Dropout(0.2),
        torch.nn.Linear(6, n_classes),
    )


class ThreeKinds(torch.nn.Module):
    """A user's own module: nonlinearities as functions, a residual branch, layer normalisation."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.into = torch.nn.Linear(input_shape[0], 12)
        self.inner = torch.nn.Linear(12, 12)
        self.norm = torch.nn.LayerNorm(12)
        self.out = torch.nn.Linear(12, n_classes)

    def forward(self, x):
        h = torch.relu(self.into(x))
        h = self.norm(h + torch.nn.functional.dropout(torch.tanh(self.inner(h)), 0.1, self.training))
        return self.out(h)


@dataclass(frozen=True)
class Problem:
    """A network and how it is trained."""

    name: str
    module: object = None
    images: bool = False
    shuffle: bool = True
    dtype: str = "float32"
    batch_size: int = 16

    def data(self, n=61, seed=0):
        """X, y: 61 samples, so that the last batch is shorter; labels are strings."""
        X, y = make_classification(n, 16, n_informative=8, n_classes=3, random_state=seed)
        X = X.reshape(n, 1, 4, 4) if self.images else X
        return X.astype(self.dtype), np.array(["cat", "dog", "eel"])[y]

    def classifier(self, **changes):
        """A classifier of four epochs."""
        settings = {
            "shuffle": self.shuffle,
            "dtype": self.dtype,
            "batch_size": self.batch_size,
            "max_epochs": 4,
            "lr": 0.01,
            "random_state": 3,
        }
        return DynamicsClassifier(**{"module": self.module, **settings, **changes})


PROBLEMS = [
    Problem("mlp", MLP((10,))),
    Problem("mlp-tanh-in-order-float64", MLP((10, 7), activation="tanh"), shuffle=False, dtype="float64"),
    Problem("mlp-dropout", MLP((10,), dropout=0.3)),
    Problem("mlp-dropout-in-order-float64", MLP((9,), dropout=0.5), shuffle=False, dtype="float64"),
    Problem("mlp-batch-norm", MLP((10,), batch_norm=True)),
    Problem("conv-batch-norm-dropout", convolution_net, images=True),
    Problem("conv-in-order-float64", convolution_net, images=True, shuffle=False, dtype="float64"),
    Problem("own-module", ThreeKinds),
    Problem("linear-full-batch", MLP(()), batch_size="full"),
]
IDS = [problem.name for problem in PROBLEMS]

# Each kind of layer, precision, order and batch: all others are for the slow run, where a test is no law.
CHIEF = (
    "mlp-tanh-in-order-float64",
    "mlp-dropout",
    "conv-batch-norm-dropout",
    "own-module",
    "linear-full-batch",
)
chief_problems = pytest.mark.parametrize(
    "problem",
    [
        pytest.param(problem, id=problem.name, marks=() if problem.name in CHIEF else pytest.mark.slow)
        for problem in PROBLEMS
    ],
)
