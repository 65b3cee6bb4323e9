"""Numbers that Python reads from tensors in an epoch: on an accelerator it waits for the device each time.

Counted, not timed: the table is the same on every machine. Early stopping and validation are on; recorded are samples
and geometry of the training and the validation rows.

    python benchmarks/bench_reads.py
"""

import sys
from pathlib import Path

from _interleaved import print_table

sys.path.insert(0, str(Path(__file__).parents[1]))  # the test that holds the table counts in the same way
from tests.training.reads import deep_convolution, deep_mlp, reads_of_an_epoch

RECORDS = (), ("samples", "geometry")


def main():
    """Print the table."""
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


if __name__ == "__main__":
    main()
