"""How the time of a recorded fit grows: with samples, epochs, members and classes.

A power is fitted through the last three of five sizes, a factor of three to ten apart, where what a fit costs at all
has become small: 1.0 is time in proportion. Processor time of one torch thread, the least of the repeats; everything
is recorded as it comes (samples and geometry, snapshots of the epochs).

    python benchmarks/bench_growth.py [--only samples,epochs,members,classes] [--repeats 2]
"""

import gc
import time

import numpy as np
import torch
from _interleaved import parser_of, print_table

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.modules import MLP

SIZES = {
    "samples": (10_000, 30_000, 100_000, 300_000, 1_000_000),
    "epochs": (10, 30, 100, 300, 1000),
    "members": (1, 3, 10, 30, 100),
    "classes": (2, 10, 100, 300, 1000),
}
MOST = {"samples": 1.05, "epochs": 1.05, "members": 1.05, "classes": 1.3}
LAST = 3


def data(n_samples, n_classes=3):
    """X (n_samples, 10) float32, y (n_samples,), every class equally often."""
    rng = np.random.default_rng(0)
    y = np.arange(n_samples) % n_classes
    return (rng.normal(size=(n_samples, 10)) + y[:, None] / n_classes).astype(np.float32), y


def classifier(**settings):
    """A small network, recorded as it comes."""
    settings = {"batch_size": 100, "max_epochs": 2, "random_state": 0, **settings}
    return DynamicsClassifier(MLP((16,)), **settings)


def samples(n):
    """A fit to so many samples."""
    X, y = data(n)
    return lambda: classifier(batch_size=1000).fit(X, y)


def epochs(n):
    """A fit of so many epochs."""
    X, y = data(300)
    return lambda: classifier(max_epochs=n).fit(X, y)


def members(n):
    """So many fits together."""
    X, y = data(1000)
    return lambda: fit_together([classifier(random_state=seed, max_epochs=5) for seed in range(n)], X, y)


def classes(n):
    """A fit to so many classes, of as many samples."""
    X, y = data(10_000, n)
    return lambda: classifier(batch_size=500).fit(X, y)


def seconds(run, repeats):
    """The least processor time of a run."""
    found = []
    for _ in range(repeats):
        gc.collect()
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return min(found)


def power(sizes, times):
    """The slope of log time over log size."""
    return np.polyfit(np.log(sizes), np.log(times), 1)[0]


def growth(name, repeats):
    """A row of the table."""
    sizes = SIZES[name]
    make = {"samples": samples, "epochs": epochs, "members": members, "classes": classes}[name]
    times = [seconds(make(size), repeats) for size in sizes]
    shown = ", ".join(f"{size:,}: {time:.3g}" for size, time in zip(sizes, times, strict=True))
    return name, shown, f"{power(sizes[-LAST:], times[-LAST:]):.2f}", MOST[name]


def main():
    """Print the table."""
    arguments = parser_of(__doc__, only=",".join(SIZES), repeats=2).parse_args()
    torch.set_num_threads(1)
    classifier().fit(*data(100))  # warm
    rows = [growth(name, arguments.repeats) for name in arguments.only.split(",")]
    print_table(("of what", "seconds", "power", "at most"), rows)


if __name__ == "__main__":
    main()
