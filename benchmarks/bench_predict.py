"""Probabilities of many rows against a bare forward pass, and of one row against MLPClassifier.

60,000 x 784 float32, hidden 256: `predict_proba` whole, validation of the input included, against the network over
the same rows in batches of 4096, without gradients, and softmax of nothing; skorch's `predict_proba` beside it. One row
of 64: the latency of a call. Two torch threads, in turns; a ratio is of medians of one run.

    python benchmarks/bench_predict.py [--repeats 9]
"""

import warnings

import torch
from _interleaved import THREADS, interleaved, parser_of, print_table
from bench_fit import data, network
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from skorch import NeuralNetClassifier

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import MLP

CALLS = 200


def many_rows(repeats):
    """Seconds for 60,000 rows."""
    X, y = data(60000)
    clf = DynamicsClassifier(MLP((256,)), max_epochs=1, record=(), snapshots=False).fit(X[:2000], y[:2000])
    net = NeuralNetClassifier(
        network(784, 256), criterion=torch.nn.CrossEntropyLoss, max_epochs=1, train_split=None, verbose=0
    ).fit(X[:2000], y[:2000])
    tensor = torch.from_numpy(X)

    def bare():
        with torch.no_grad():
            for chunk in tensor.split(4096):
                clf.module_(chunk)

    ways = {"bare": bare, "ours": lambda: clf.predict_proba(X), "skorch": lambda: net.predict_proba(X)}
    return interleaved(ways, repeats)


def one_row(repeats):
    """Seconds a call for one row."""
    X, y = data(1797)
    ours = DynamicsClassifier(max_epochs=2, record=(), snapshots=False).fit(X, y)
    mlp = MLPClassifier(max_iter=2).fit(X, y)
    row = X[:1]
    ways = {
        name: lambda model=model: [model.predict_proba(row) for _ in range(CALLS)]
        for name, model in (("MLPClassifier", mlp), ("ours", ours))
    }
    return {name: seconds / CALLS for name, seconds in interleaved(ways, repeats).items()}


def main():
    """Print both tables."""
    arguments = parser_of(__doc__, repeats=9).parse_args()
    torch.set_num_threads(THREADS)
    warnings.simplefilter("ignore", ConvergenceWarning)
    many = many_rows(arguments.repeats)
    print_table(
        [
            "60,000 rows",
            "bare forward pass, s",
            "DynamicsClassifier",
            "skorch",
            "ours / bare",
            "skorch / bare",
        ],
        [
            [
                "",
                *(f"{s:.3f}" for s in many.values()),
                *(f"{many[w] / many['bare']:.2f}" for w in ("ours", "skorch")),
            ]
        ],
    )
    print()
    one = one_row(arguments.repeats)
    print_table(
        ["one row", "MLPClassifier, us", "DynamicsClassifier", "ours / MLPClassifier"],
        [["", *(f"{1e6 * s:.0f}" for s in one.values()), f"{one['ours'] / one['MLPClassifier']:.2f}"]],
    )


if __name__ == "__main__":
    main()
