"""Training speed against a bare torch loop, plain skorch and MLPClassifier.

A: 60000 x 784, hidden 256, batch 128.  B: 60000 x 784, hidden 1000, batch 64.  C: 1797 x 64, hidden 100, batch 32.
A and B are MNIST where it lies on disk, otherwise a made-up problem of the same size; C is scikit-learn's digits.
Adam 1e-3, ReLU, float32, two torch threads, nothing recorded. All are timed whole, from arrays to the fitted
model, in turns; a ratio is of medians of one run. The bare loop indexes a batch, and does forward, loss, backward
and a fused Adam step. MLPClassifier computes in the dtype of its input: it is given float32, and once more float64,
which is what most users have; the other three compute in float32 in either case.

    python benchmarks/bench_fit.py [A B C] [--repeats 5] [--epochs 2]
"""

import warnings

import numpy as np
import torch
from _interleaved import THREADS, interleaved, parser_of, print_table
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from skorch import NeuralNetClassifier

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.datasets import load_images
from sklearn_nndyn.modules import MLP

PROBLEMS = {"A": (60000, 256, 128, 3), "B": (60000, 1000, 64, 1), "C": (1797, 100, 32, 30)}


def data(n):
    """Real images where there are some; X (n, n_pixels) float32, y (n,)."""
    if n == 1797:
        X, y = load_digits(return_X_y=True)
        return (X / 16).astype(np.float32), y
    try:
        images = load_images("mnist")
        return images.X_train.reshape(n, -1) / np.float32(255), images.y_train.astype(np.int64)
    except FileNotFoundError:
        rng = np.random.default_rng(0)
        y = rng.integers(0, 10, n)
        strokes = rng.random((10, 784), dtype=np.float32) * (rng.random((10, 784)) < 0.2)
        return np.clip(strokes[y] + 0.3 * rng.standard_normal((n, 784), dtype=np.float32), 0, 1), y


def network(n_features, hidden):
    """The network of the bare loop and of skorch."""
    return torch.nn.Sequential(
        torch.nn.Linear(n_features, hidden), torch.nn.ReLU(), torch.nn.Linear(hidden, 10)
    )


def bare_loop(X, y, hidden, batch, epochs):
    """What one writes by hand."""
    module = network(X.shape[1], hidden)
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3, fused=True)
    criterion = torch.nn.CrossEntropyLoss()
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    for _ in range(epochs):
        order = torch.randperm(len(X))
        for start in range(0, len(X), batch):
            rows = order[start : start + batch]
            optimizer.zero_grad()
            criterion(module(X[rows]), y[rows]).backward()
            optimizer.step()


def ways(X, y, hidden, batch, epochs):
    """The four ways to the same model."""
    ours = DynamicsClassifier(
        MLP((hidden,)), batch_size=batch, max_epochs=epochs, record=(), snapshots=False, random_state=0
    )
    skorch = NeuralNetClassifier(
        network(X.shape[1], hidden),
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=1e-3,
        batch_size=batch,
        max_epochs=epochs,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    )
    X64 = X.astype(np.float64)
    mlp = MLPClassifier(
        (hidden,), batch_size=batch, max_iter=epochs, alpha=0.0, tol=0.0, n_iter_no_change=epochs
    )
    return {
        "bare torch": lambda: bare_loop(X, y, hidden, batch, epochs),
        "DynamicsClassifier": lambda: ours.fit(X, y),
        "skorch": lambda: skorch.fit(X, y),
        "MLPClassifier": lambda: mlp.fit(X, y),
        "MLPClassifier, float64": lambda: mlp.fit(X64, y),
    }


def main():
    """Print the table."""
    arguments = parser_of(__doc__, names=PROBLEMS, repeats=5).parse_args()
    torch.set_num_threads(THREADS)
    warnings.simplefilter("ignore", ConvergenceWarning)
    rows = []
    for name in arguments.names:
        n, hidden, batch, epochs = PROBLEMS[name]
        seconds = interleaved(ways(*data(n), hidden, batch, epochs), arguments.repeats)
        ours, bare = seconds["DynamicsClassifier"], seconds["bare torch"]
        rows.append(
            [name, *(f"{value / epochs:.3f}" for value in seconds.values()), f"{ours / bare:.2f}"]
            + [f"{seconds[other] / ours:.2f}" for other in list(seconds)[2:]]
        )
    header = [
        "s an epoch",
        "bare torch",
        "DynamicsClassifier",
        "skorch",
        "MLPClassifier",
        "MLPClassifier, float64",
    ]
    ratios = ["ours / bare", "skorch / ours", "MLPClassifier / ours", "MLPClassifier, float64 / ours"]
    print_table([*header, *ratios], rows)


if __name__ == "__main__":
    main()
