"""A search over twelve losses and five folds: all at once, and one fit after the other.

Digits (1797 x 64, float32), hidden 100, ReLU, batch 32, 20 epochs, Adam: 60 fits in each way, and no refit.
BatchedGridSearchCV trains them as one program in one process with two torch threads, or as two programs in two
processes (n_jobs=2); the others are GridSearchCV with two processes: over plain skorch with the same losses, over
DynamicsClassifier as it comes and without its record, and over MLPClassifier, which has one loss and is given twelve
values of alpha instead. Processes are warm after a first round that is not timed. All are timed whole, in turns; a
ratio is of medians of one run. MLPClassifier computes in float32 too.

Under the table: the greatest difference of a score of a fold between both searches over DynamicsClassifier.

A second table has other grids of twelve candidates, in processor time of one thread, so that a busy machine does not
change it: BatchedGridSearchCV and GridSearchCV over DynamicsClassifier, in turns. Candidates that differ in layers or
batches do not share a program: each is trained with its five folds.

    python benchmarks/bench_search.py [ways grids] [--repeats 5] [--epochs 20]
"""

import time
import warnings
from functools import partial

import numpy as np
import torch
from _interleaved import THREADS, interleaved, parser_of, print_table
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import GridSearchCV
from sklearn.neural_network import MLPClassifier
from skorch import NeuralNetClassifier

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier
from sklearn_nndyn.losses import get_loss, loss_names
from sklearn_nndyn.modules import MLP

HIDDEN, BATCH, FOLDS = 100, 32, 5
OURS = "BatchedGridSearchCV"
GRIDS = {
    "loss": {"loss": loss_names("paper")},
    "lr": {"lr": np.logspace(-4, -2, 12).tolist()},
    "lr, weight_decay": {"lr": [1e-4, 1e-3, 3e-3, 1e-2], "weight_decay": [0.0, 1e-4, 1e-3]},
    "hidden units": {"module": [MLP((width,)) for width in range(20, 260, 20)]},
    "batch_size": {"batch_size": [*range(16, 64, 8), *range(64, 160, 16)]},
}


def data():
    """X (1797, 64) float32, y (1797,)."""
    X, y = load_digits(return_X_y=True)
    return (X / 16).astype(np.float32), y.astype(np.int64)


class Network(torch.nn.Sequential):
    """The network of skorch."""

    def __init__(self):
        super().__init__(torch.nn.Linear(64, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, 10))


def over_skorch(epochs):
    """GridSearchCV over plain skorch, with the library's losses as criterion."""
    net = NeuralNetClassifier(
        Network,
        criterion=partial(get_loss, "log"),
        optimizer=torch.optim.Adam,
        lr=1e-3,
        batch_size=BATCH,
        max_epochs=epochs,
        train_split=None,
        iterator_train__shuffle=True,
        verbose=0,
    )
    return GridSearchCV(
        net, {"criterion": [partial(get_loss, name) for name in loss_names("paper")]}, **one_by_one()
    )


def over_mlp(epochs):
    """GridSearchCV over scikit-learn's own network, with as many candidates."""
    mlp = MLPClassifier(
        (HIDDEN,), batch_size=BATCH, max_iter=epochs, tol=0.0, n_iter_no_change=epochs, random_state=0
    )
    return GridSearchCV(mlp, {"alpha": np.logspace(-6, -1, 12)}, **one_by_one())


def one_by_one(n_jobs=THREADS):
    """How GridSearchCV is run."""
    return {"cv": FOLDS, "n_jobs": n_jobs, "refit": False, "scoring": "accuracy"}


def searches(epochs):
    """The ways, by name."""
    clf = DynamicsClassifier(
        MLP((HIDDEN,)), batch_size=BATCH, max_epochs=epochs, record=(), snapshots=False, random_state=0
    )
    watched = DynamicsClassifier(MLP((HIDDEN,)), batch_size=BATCH, max_epochs=epochs, random_state=0)
    grid = {"loss": loss_names("paper")}
    together = {"cv": FOLDS, "refit": False, "scoring": "accuracy"}
    return {
        OURS: BatchedGridSearchCV(watched, grid, **together),
        f"{OURS}, n_jobs=2": BatchedGridSearchCV(watched, grid, n_jobs=THREADS, **together),
        f"{OURS}, return_dynamics=True": BatchedGridSearchCV(watched, grid, return_dynamics=True, **together),
        "GridSearchCV, DynamicsClassifier": GridSearchCV(watched, grid, **one_by_one()),
        "GridSearchCV, DynamicsClassifier without record": GridSearchCV(clf, grid, **one_by_one()),
        "GridSearchCV, MLPClassifier": over_mlp(epochs),
        "GridSearchCV, skorch": over_skorch(epochs),
    }


def fold_scores(search):
    """(12, 5) scores."""
    return np.stack([search.cv_results_[f"split{fold}_test_score"] for fold in range(FOLDS)], axis=1)


def greatest_difference(one, other):
    """Of the scores of all folds."""
    return np.abs(fold_scores(one) - fold_scores(other)).max()


def compare_ways(X, y, epochs, repeats):
    """Print the table of ways."""
    torch.set_num_threads(THREADS)
    found = searches(epochs)
    ways = {name: lambda search=search: search.fit(X, y) for name, search in found.items()}
    interleaved(ways, 1)
    seconds = interleaved(ways, repeats)
    both = seconds[OURS], seconds[f"{OURS}, n_jobs=2"]
    rows = [(name, f"{s:.2f}", *(f"{s / own:.2f}" for own in both)) for name, s in seconds.items()]
    print_table([f"12 candidates x {FOLDS} folds", "seconds", "/ ours", "/ ours, n_jobs=2"], rows)
    difference = greatest_difference(found[OURS], found["GridSearchCV, DynamicsClassifier"])
    print(f"\nGreatest difference of a score: {difference:.4f} (one sample is {FOLDS / len(y):.4f}).\n")


def compare_grids(X, y, epochs, repeats):
    """Print the table of grids."""
    torch.set_num_threads(1)
    rows = []
    for name, grid in GRIDS.items():
        clf = DynamicsClassifier(MLP((HIDDEN,)), batch_size=BATCH, max_epochs=epochs, random_state=0)
        together = BatchedGridSearchCV(clf, grid, **one_by_one(None))
        alone = GridSearchCV(clf, grid, **one_by_one(None))
        ways = {
            "ours": lambda search=together: search.fit(X, y),
            "alone": lambda search=alone: search.fit(X, y),
        }
        seconds = interleaved(ways, repeats, time.process_time)
        ratio = seconds["alone"] / seconds["ours"]
        difference = greatest_difference(together, alone)
        rows.append((name, *(f"{s:.2f}" for s in seconds.values()), f"{ratio:.2f}", f"{difference:.4f}"))
    print_table(["grid", "ours, s", "one by one, s", "one by one / ours", "scores differ by"], rows)


def main():
    """Print both tables."""
    tables = {"ways": compare_ways, "grids": compare_grids}
    arguments = parser_of(__doc__, names=tables, repeats=5, epochs=20).parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    X, y = data()
    for name in arguments.names:
        tables[name](X, y, arguments.epochs, arguments.repeats)


if __name__ == "__main__":
    main()
