"""What an analysis costs: LossTailAnalyzer.fit on a record against one sort of its losses.

The losses are float32, of 60,000 samples at 100 epochs, drawn as log losses of a network are: most near zero, few
large. The sort is `np.sort(loss, axis=0)` of the same array. Two layouts: the epochs of a sample side by side, and the
samples of an epoch side by side, as a fit records them. In turns; a ratio is of medians of one run.

Memory is the peak of arrays above what was held before `fit` (tracemalloc), divided by the array of losses.

    python benchmarks/bench_analyzers.py [--repeats 7] [--samples 60000] [--epochs 100]
"""

import tracemalloc

import numpy as np
from _interleaved import interleaved, parser_of, print_table

from sklearn_nndyn import Dynamics, LossTailAnalyzer

LAYOUTS = {"the epochs of a sample": "C", "the samples of an epoch": "F"}


def record_of(n_samples, n_epochs, order):
    """Losses, margins and predictions as they might be: one sample in fifteen ends up wrong."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, 10, n_samples)
    margin = rng.normal(3, 2, size=(n_samples, 1)) * np.linspace(0.1, 3, n_epochs) + rng.normal(
        size=(n_samples, n_epochs)
    )
    return Dynamics(
        y=y,
        classes=np.arange(10),
        epochs=np.arange(n_epochs),
        loss=np.asarray(np.logaddexp(0, -margin), dtype=np.float32, order=order),
        margin=np.asarray(margin, dtype=np.float32, order=order),
        prediction=np.where(margin > 0, y[:, None], (y[:, None] + 1) % 10),
        header={"loss": "log"},
    )


def ways(record):
    """The sort, and the analysis."""
    loss = record.loss
    return {"sort": lambda: np.sort(loss, axis=0), "fit": lambda: LossTailAnalyzer().fit(record)}


def peak_of(call):
    """Bytes of arrays at most, above what was there."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak - before


def main():
    """Print the table, a row for each layout."""
    arguments = parser_of(__doc__, repeats=7, samples=60000, epochs=100).parse_args()
    rows = []
    for layout, order in LAYOUTS.items():
        record = record_of(arguments.samples, arguments.epochs, order)
        seconds = interleaved(ways(record), arguments.repeats)
        sort, fit = seconds["sort"], seconds["fit"]
        memory = peak_of(ways(record)["fit"]) / record.loss.nbytes
        rows.append([layout, f"{1000 * sort:.0f}", f"{1000 * fit:.0f}", f"{fit / sort:.2f}", f"{memory:.2f}"])
    header = ["side by side", "np.sort, ms", "LossTailAnalyzer.fit, ms", "fit / sort", "peak memory / losses"]
    print_table(header, rows)


if __name__ == "__main__":
    main()
