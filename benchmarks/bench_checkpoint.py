"""What a checkpoint costs: the time of an epoch and of a fit's beginning and end, the size on the disk, going on.

A, C: the cases of `bench_fit.py`, with record and snapshots as by default. conv: 2000 x 1 x 28 x 28, two convolutions
with batch normalisation, batch 64. Each is fitted without a checkpoint, with one as by default (at most three percent
of the time), and with a state after every epoch, in turns; seconds are medians of one run.

"Beyond the bytes" is the time of a state without the bare cost of its bytes: plain Python writes as many to as many
files with the same syncs, to a new file that is synced, renamed, and synced by its folder, and to one that grows and is
synced. What a fit pays once stands in a table of its
own: the digest of its data, and the last state; to go on is a whole ``fit`` that finds its result on the disk.

    python benchmarks/bench_checkpoint.py [A C conv] [--repeats 5]
"""

import os
import shutil
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import torch
from _interleaved import THREADS, interleaved, parser_of, print_table
from bench_fit import PROBLEMS, data

from sklearn_nndyn import Checkpoint, DynamicsClassifier
from sklearn_nndyn.classifiers import checkpoint as places
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.training.checkpoint import CheckpointWriter

EPOCHS = {"A": 10, "C": 200, "conv": 10}
EPOCH_COLUMNS = [
    "",
    "ms an epoch",
    "ms a state",
    "of it the bytes",
    "beyond the bytes / epoch",
    "every epoch / without",
    "states by default",
    "they take",
    "by default / without",
]
ONCE_COLUMNS = [
    "",
    "epochs",
    "ms to begin",
    "ms of the last state",
    "MB on disk",
    "ms to load a finished fit",
]


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


class Stopwatch:
    """Seconds of each call of a function, found by its place and name."""

    def __init__(self, owner, name):
        self.seconds, self.owner, self.name, self.original = [], owner, name, getattr(owner, name)

    def __enter__(self):
        def timed(*args, **kwargs):
            begun = time.perf_counter()
            try:
                return self.original(*args, **kwargs)
            finally:
                self.seconds.append(time.perf_counter() - begun)

        setattr(self.owner, self.name, timed)
        return self

    def __exit__(self, *error):
        setattr(self.owner, self.name, self.original)


@contextmanager
def watched(found):
    """Add what states and the digest of the data take to two lists."""
    with (
        Stopwatch(CheckpointWriter, "save") as saves,
        Stopwatch(places._opening, "_identity") as digests,
    ):
        yield
    found["saves"].append(saves.seconds)
    found["digests"] += digests.seconds


def watching(fit):
    """The function, and what its calls found."""
    found = {"saves": [], "digests": []}

    def watched_fit():
        with watched(found):
            return fit()

    return watched_fit, found


def seconds_of_bytes(folder, epochs):
    """Seconds that plain Python takes for the bytes of one epoch of a fit whose place is there."""
    (place,) = Path(folder).iterdir()
    state = bytes((place / "state-0.safetensors").stat().st_size)
    gained = bytes((place / "journal").stat().st_size // epochs)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        return median(_write(Path(own), state, gained) for _ in range(20))


def _write(folder, state, gained):
    begun = time.perf_counter()
    with open(folder / "journal", "ab") as file:
        _synced(file, gained)
    with open(folder / "draft", "wb") as file:
        _synced(file, state)
    os.replace(folder / "draft", folder / "state")
    descriptor = os.open(folder, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    return time.perf_counter() - begun


def _synced(file, data):
    file.write(data)
    file.flush()
    os.fsync(file.fileno())


def megabytes(folder):
    """Size of all files."""
    return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) / 1e6


def measure(name, folder, repeats):
    """A row of each table."""
    epochs, every = EPOCHS[name], f"{folder}/every"
    by_default, found_by_default = watching(fitted(name, f"{folder}/default"))
    every_epoch, found = watching(fitted(name, every, 0))
    seconds = interleaved(
        {"without": fitted(name, None), "by default": by_default, "every epoch": every_epoch}, repeats
    )
    plain, on_bytes = seconds["without"], seconds_of_bytes(every, epochs)
    state = median(one for saves in found["saves"] for one in saves[:-1])
    few = [saves[:-1] for saves in found_by_default["saves"]]
    loaded = interleaved({"loaded": fitted(name, every, 0, keep=True)}, repeats)["loaded"]
    of_epochs = [
        f"{plain / epochs * 1e3:.1f}",
        f"{state * 1e3:.2f}",
        f"{on_bytes * 1e3:.2f}",
        f"{max(0, state - on_bytes) * epochs / plain:.1%}",
        f"{seconds['every epoch'] / plain:.3f}",
        f"{median(map(len, few)):g} of {epochs}",
        f"{median(map(sum, few)) / plain:.1%}",
        f"{seconds['by default'] / plain:.3f}",
    ]
    once = [
        f"{epochs}",
        f"{median(found['digests']) * 1e3:.0f}",
        f"{median(saves[-1] for saves in found['saves']) * 1e3:.1f}",
        f"{megabytes(every):.1f}",
        f"{loaded * 1e3:.0f}",
    ]
    return [name, *of_epochs], [name, *once]


def main():
    """Print the tables."""
    arguments = parser_of(__doc__, names=EPOCHS, repeats=5).parse_args()
    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as folder:
        rows = [measure(name, f"{folder}/{name}", arguments.repeats) for name in arguments.names]
    print_table(EPOCH_COLUMNS, [of_epochs for of_epochs, _ in rows])
    print_table(ONCE_COLUMNS, [once for _, once in rows])


if __name__ == "__main__":
    main()
