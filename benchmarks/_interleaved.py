"""Time several ways of doing one thing, in turns, so that a noisy machine is equally unfair to all."""

import argparse
import gc
import statistics
import time

THREADS = 2


def parser_of(doc, names=None, **defaults):
    """The command line of a benchmark, whose help is its docstring.

    Parameters
    ----------
    doc : str
    names : iterable of str, default=None
        What it can measure: all, or what is named.
    **defaults : int, str or bool
        Options and their defaults; False makes a flag.

    Returns
    -------
    parser : argparse.ArgumentParser
    """
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    if names is not None:
        parser.add_argument("names", nargs="*", default=list(names))
    for name, default in defaults.items():
        kind = {"action": "store_true"} if default is False else {"type": type(default), "default": default}
        parser.add_argument(f"--{name.replace('_', '-')}", **kind)
    return parser


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


def interleaved(ways, repeats=5, clock=time.perf_counter):
    """Median seconds of each way; see `turns`."""
    return {name: statistics.median(own) for name, own in turns(ways, repeats, clock).items()}


def print_table(header, rows):
    """Print a Markdown table."""
    print("| " + " | ".join(header) + " |")
    print("|" + "---|" * len(header))
    for row in rows:
        print("| " + " | ".join(str(cell) for cell in row) + " |", flush=True)
