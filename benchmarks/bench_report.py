"""How long the report of a large record takes, and how large the page is.

Sixty thousand samples of ten classes, 100 epochs, scores that grow ever surer; with the scores in the record, and
without. Seconds are of the processor; the page is made twice, and must be the same.

    python benchmarks/bench_report.py [--samples 60000] [--epochs 100]
"""

import dataclasses
import time

import numpy as np
from _interleaved import parser_of, print_table

from sklearn_nndyn import Dynamics, report

CLASSES = 10


def scores_of(n_samples, n_epochs):
    """Scores (n_samples, n_epochs, CLASSES), from the middle on too sure, and the classes."""
    rng = np.random.default_rng(0)
    y = rng.integers(0, CLASSES, n_samples)
    own = rng.standard_normal((n_samples, CLASSES), np.float32)
    apart = np.linspace(0.2, 3.5, n_epochs, dtype=np.float32)
    sure = np.interp(np.arange(n_epochs), [0, n_epochs / 2, n_epochs], [1, 1, 3]).astype(np.float32)
    scores = np.empty((n_samples, n_epochs, CLASSES), np.float32)
    for t in range(n_epochs):
        noise = 0.3 * rng.standard_normal((n_samples, CLASSES), np.float32)
        scores[:, t] = own + noise
        scores[np.arange(n_samples), t, y] += apart[t]
        scores[:, t] *= apart[t] * sure[t]
    return scores, y


def measure(record):
    """Processor seconds of a page, the better of two, and its bytes."""
    pages, seconds = [], []
    for _ in range(2):
        start = time.process_time()
        pages.append(report(record).html)
        seconds.append(time.process_time() - start)
    if pages[0] != pages[1]:
        raise SystemExit("The same record gave two pages.")
    return min(seconds), len(pages[0].encode())


def main():
    """Print the table."""
    asked = parser_of(__doc__, samples=60_000, epochs=100).parse_args()
    scores, y = scores_of(asked.samples, asked.epochs)
    rows = []
    record = Dynamics.from_scores(scores, y)
    for name, given in (("with", record), ("without", dataclasses.replace(record, scores=None))):
        seconds, size = measure(given)
        rows.append([name, f"{seconds:.2f}", f"{size / 1000:,.0f}"])
    print_table(["scores", "seconds", "kB"], rows)


if __name__ == "__main__":
    main()
