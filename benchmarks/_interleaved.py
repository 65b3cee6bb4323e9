"""Time several ways of doing one thing, in turns, so that a noisy machine is equally unfair to all."""

import gc
import statistics
import time

THREADS = 2


def interleaved(ways, repeats=5):
    """Median seconds of each way.

    Parameters
    ----------
    ways : dict of callable
        Called without arguments, in turns.
    repeats : int
        Turns.

    Returns
    -------
    medians : dict of float
    """
    seconds = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            gc.collect()
            start = time.perf_counter()
            way()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values) for name, values in seconds.items()}


def print_table(header, rows):
    """Print a Markdown table."""
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)
