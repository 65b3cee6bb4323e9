"""What it costs to log a training: `DynamicsLog.add` against the same numbers written into arrays made beforehand.

1,000,000 samples of 10 classes, 20 epochs, batches of 1000 in shuffled order. The bare way measures each batch (loss,
margin, prediction and probability of the true class, by NumPy) and writes them where they belong: what a loop has to
do at least that wants them. The log checks ids, scores and epochs besides. One thread, in turns by epochs; a ratio of
seconds is one of medians. Memory is the most that a process of its own has held at any time (peak resident set),
less what it held before the first batch.

    python benchmarks/bench_log.py [--samples 1000000] [--epochs 20]

Asserts ratios of at most 1.5, of seconds and of memory.
"""

import argparse
import resource
import subprocess
import sys

import numpy as np
from _interleaved import interleaved, print_table

from sklearn_nndyn import DynamicsLog
from sklearn_nndyn.dynamics.arrays._measure import empty_rows, measure_samples
from sklearn_nndyn.utils.losses.arrays import array_loss

N_CLASSES, BATCH, MOST = 10, 1000, 1.5


def batches(n, epoch):
    """Positions, batch by batch, in the order of an epoch."""
    return np.random.default_rng(epoch).permutation(n).reshape(-1, BATCH)


def make_ways(n, n_epochs):
    """Labels, and {way: an epoch of it as a function}."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, N_CLASSES, n)
    scores = rng.normal(size=(BATCH, N_CLASSES)).astype(np.float32)
    loss, log = array_loss("log"), DynamicsLog(y, classes=np.arange(N_CLASSES))
    rows = empty_rows(loss, (n_epochs + 1, n), N_CLASSES)
    turn = {"bare": 0, "log": 0}

    def bare():
        for some in batches(n, turn["bare"]):
            for name, values in measure_samples(scores, y[some], loss).items():
                rows[name][turn["bare"], some] = values
        turn["bare"] += 1

    def logged():
        for some in batches(n, turn["log"]):
            log.add(turn["log"], some, scores)
        turn["log"] += 1

    return {"bare": bare, "log": logged}


def peak():
    """The most memory that this process has held, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def measure_memory(way, n, n_epochs):
    """What one way needs for all epochs, in MB, in this process."""
    run = make_ways(n, n_epochs)[way]
    batches(n, 0)
    before = peak()
    for _ in range(n_epochs):
        run()
    print(peak() - before)


def memory_of(way, n, n_epochs):
    """The same in a process of its own."""
    program = [sys.executable, __file__, "--samples", str(n), "--epochs", str(n_epochs), "--memory-of", way]
    return float(subprocess.run(program, capture_output=True, text=True, check=True).stdout)


def main():
    """Measure the memory of each, then time both, epoch by epoch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--memory-of", choices=["bare", "log"], help=argparse.SUPPRESS)
    given = parser.parse_args()
    n, n_epochs = given.samples // BATCH * BATCH, given.epochs
    if given.memory_of:
        return measure_memory(given.memory_of, n, n_epochs)
    # Memory first: what a process has held at most is handed down to those that it starts.
    megabytes = {way: memory_of(way, n, n_epochs) for way in ("bare", "log")}
    seconds = interleaved(make_ways(n, n_epochs), n_epochs)
    rows = [
        [f"{n:,}", n_epochs, what, *(f"{found[way]:.3g}" for way in ("bare", "log")), f"{_ratio(found):.2f}"]
        for what, found in (("seconds an epoch", seconds), ("peak memory, MB", megabytes))
    ]
    print_table(["samples", "epochs", "", "bare", "log", "ratio"], rows)
    for what, found in (("time", seconds), ("memory", megabytes)):
        assert _ratio(found) <= MOST, f"the log takes {_ratio(found):.2f} times the {what} of the bare way"


def _ratio(found):
    return found["log"] / found["bare"]


if __name__ == "__main__":
    main()
