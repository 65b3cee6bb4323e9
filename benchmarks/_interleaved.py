"""Time several ways of doing one thing, in turns, so that a noisy machine is equally unfair to all."""

import gc
import statistics
import time

THREADS = 2


def turns(ways, repeats=5, clock=time.perf_counter):
    """Seconds of each way, turn by turn.

    Parameters
    ----------
    ways : dict of callable
        Called without arguments, in turns.
    repeats : int
        Turns.
    clock : callable
        ``time.process_time`` on a machine that others use too.

    Returns
    -------
    seconds : dict of list of float
    """
    seconds = {name: [] for name in ways}
    for _ in range(repeats):
        for name, way in ways.items():
            gc.collect()
            start = clock()
            way()
            seconds[name].append(clock() - start)
    return seconds


def interleaved(ways, repeats=5):
    """Median seconds of each way; see `turns`."""
    return {name: statistics.median(own) for name, own in turns(ways, repeats).items()}


def print_table(header, rows):
    """Print a Markdown table."""
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)
