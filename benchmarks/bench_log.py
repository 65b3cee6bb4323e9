"""What it costs to log a training: `DynamicsLog.add` against the same numbers written into arrays made beforehand.

1,000,000 samples of 10 classes, 20 epochs, batches of 1000 in shuffled order. The bare way measures each batch (loss,
margin, prediction and probability of the true class, by NumPy) and writes them where they belong: what a loop has to
do at least that wants them. The log checks ids, scores and epochs besides. One thread, in turns by epochs; a ratio is
of medians.

    python benchmarks/bench_log.py [--samples 1000000] [--epochs 20]

Asserts a ratio of at most 1.5.
"""

import argparse

import numpy as np
from _interleaved import interleaved, print_table

from sklearn_nndyn import DynamicsLog
from sklearn_nndyn.dynamics.arrays._measure import empty_rows, measure_samples
from sklearn_nndyn.utils.array_losses import array_loss

N_CLASSES, BATCH, MOST = 10, 1000, 1.5


def batches(n, epoch):
    """Positions, batch by batch, in the order of an epoch."""
    return np.random.default_rng(epoch).permutation(n).reshape(-1, BATCH)


def main():
    """Time both, epoch by epoch."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1_000_000)
    parser.add_argument("--epochs", type=int, default=20)
    given = parser.parse_args()
    n, n_epochs = given.samples // BATCH * BATCH, given.epochs
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

    seconds = interleaved({"bare": bare, "log": logged}, n_epochs)
    ratio = seconds["log"] / seconds["bare"]
    print_table(
        ["samples", "epochs", "bare, s/epoch", "log, s/epoch", "ratio"],
        [[f"{n:,}", n_epochs, f"{seconds['bare']:.3f}", f"{seconds['log']:.3f}", f"{ratio:.2f}"]],
    )
    assert ratio <= MOST, f"the log takes {ratio:.2f} times the bare way"


if __name__ == "__main__":
    main()
