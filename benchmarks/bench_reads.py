"""Numbers that Python reads from tensors in an epoch: on an accelerator it waits for the device each time.

Counted, not timed: the tables are the same on every machine. Early stopping and validation are on; recorded are samples
and geometry of the training and the validation rows.

The second table counts copies of arrays on a device that is made of the CPU: an epoch is to take as many, however many
layers there are and in however many chunks the rows are recorded.

    python benchmarks/bench_reads.py
"""

import sys
from pathlib import Path

import numpy as np
from _interleaved import print_table

sys.path.insert(0, str(Path(__file__).parents[1]))  # the test that holds the table counts in the same way
from sklearn_nndyn import DynamicsClassifier
from tests.training.reads import deep_convolution, deep_mlp, reads_of_an_epoch
from tests.utils.networks.counted import NAME, copies_of_an_epoch, install

RECORDS = (), ("samples", "geometry")


def main():
    """Print the tables."""
    install()  # before anything is trained: torch asks for devices once
    print_reads()
    print_copies()


def print_reads():
    """Numbers read in an epoch."""
    rows = [
        (
            name,
            n_layers,
            n_networks,
            *(reads_of_an_epoch(make(n_layers), record, n_networks) for record in RECORDS),
        )
        for name, make in (("MLP", deep_mlp), ("convolution", deep_convolution))
        for n_layers in (2, 20)
        for n_networks in (1, 10)
    ]
    assert all(reads <= 4 for row in rows for reads in row[3:])
    print_table(("network", "hidden layers", "networks", "unrecorded", "recorded"), rows)


def print_copies():
    """Arrays copied to and from the device in an epoch."""
    rows = [
        (name, n_layers, n_samples, *copies(make(n_layers), n_samples))
        for name, make in (("MLP", deep_mlp), ("convolution", deep_convolution))
        for n_layers in (2, 8)
        for n_samples in (100, 10_000)
    ]
    assert all(to_host <= 4 for *_, to_host, _ in rows)
    print_table(("network", "hidden layers", "samples", "to the host", "to the device"), rows)


def copies(module, n_samples):
    """Copies to the host and to the device in an epoch."""
    X, y = (
        np.random.default_rng(0).normal(size=(n_samples, 1, 4, 4)).astype("float32"),
        np.arange(n_samples) % 3,
    )

    def fit(max_epochs):
        clf = DynamicsClassifier(module, max_epochs=max_epochs, device=NAME, random_state=0)
        clf.fit(X.reshape(-1, 16) if hasattr(module, "hidden_layer_sizes") else X, y)

    counts = copies_of_an_epoch(fit)
    return counts["to host"], counts["to device"]


if __name__ == "__main__":
    main()
