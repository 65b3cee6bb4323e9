"""What a checkpoint costs: the time of a fit, the size on the disk, and the time to go on.

A, C: the cases of `bench_fit.py`, with record and snapshots as by default. conv: 2000 x 1 x 28 x 28, two convolutions
with batch normalisation, batch 64. Each is fitted without a checkpoint, with one as by default (at most three percent
of the time), and with a state after every epoch, in turns; ratios are of medians of one run. The last column is a whole
``fit`` that finds its result on the disk, digest of the data included.

    python benchmarks/bench_checkpoint.py [A C conv] [--repeats 5]
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np
import torch
from _interleaved import THREADS, interleaved, print_table
from bench_fit import PROBLEMS, data

from sklearn_nndyn import Checkpoint, DynamicsClassifier
from sklearn_nndyn.modules import MLP

EPOCHS = {"A": 5, "C": 60, "conv": 5}


def convolution_net(input_shape, n_classes):
    """Two convolutions with batch normalisation."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 16, 3, padding=1),
        torch.nn.BatchNorm2d(16),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Conv2d(16, 32, 3, padding=1),
        torch.nn.BatchNorm2d(32),
        torch.nn.ReLU(),
        torch.nn.MaxPool2d(2),
        torch.nn.Flatten(),
        torch.nn.Linear(32 * 7 * 7, n_classes),
    )


def problem(name):
    """Network, batch size, X, y."""
    if name == "conv":
        X, y = data(60000)
        return convolution_net, 64, X[:2000].reshape(-1, 1, 28, 28), y[:2000]
    n, hidden, batch, _ = PROBLEMS[name]
    return MLP((hidden,)), batch, *data(n)


def fitted(name, folder, every_seconds=None, keep=False):
    """A function that fits; the folder is new each time unless it is to be kept."""
    module, batch, X, y = problem(name)

    def fit():
        if folder is not None and not keep:
            shutil.rmtree(folder, ignore_errors=True)
        checkpoint = None if folder is None else Checkpoint(folder, every_seconds)
        settings = {"batch_size": batch, "max_epochs": EPOCHS[name], "random_state": 0}
        return DynamicsClassifier(module, checkpoint=checkpoint, **settings).fit(X, y)

    return fit


def megabytes(folder):
    """Size of all files."""
    return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) / 1e6


def measure(name, folder, repeats):
    """A row of the table."""
    ways = {
        "without": fitted(name, None),
        "by default": fitted(name, f"{folder}/default"),
        "every epoch": fitted(name, f"{folder}/every", 0),
    }
    seconds = interleaved(ways, repeats)
    size = megabytes(f"{folder}/every")
    going_on = interleaved({"loaded": fitted(name, f"{folder}/every", 0, keep=True)}, repeats)["loaded"]
    plain = seconds["without"]
    clf = ways["without"]()
    weights = sum(value.nbytes for value in clf.module_.state_dict().values()) / 1e6
    record = np.prod(clf.dynamics_.shape) * 13 / 1e6
    return [
        name,
        f"{plain / EPOCHS[name] * 1e3:.1f}",
        f"{seconds['by default'] / plain:.3f}",
        f"{seconds['every epoch'] / plain:.3f}",
        f"{size:.1f}",
        f"{weights:.2f}",
        f"{record:.1f}",
        f"{going_on * 1e3:.0f}",
    ]


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("problems", nargs="*", default=list(EPOCHS))
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(name, folder, arguments.repeats) for name in arguments.problems]
    header = ["", "ms an epoch", "by default / without", "every epoch / without", "MB on disk"]
    print_table([*header, "MB of weights", "MB of record", "ms to load a finished fit"], rows)


if __name__ == "__main__":
    main()
