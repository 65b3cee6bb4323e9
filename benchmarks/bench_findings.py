"""Findings in worlds whose truth is known: how often a claim that does not hold is told, and one that does.

No network is trained: losses, centroids and reconstruction errors are made, 200 worlds of each kind, and given to the
analyzers as records. A row for each kind of world and code: how often the verdict is yes, no, or cannot tell. Where
the claim does not hold, a yes is a false alarm; of curves that wander 10 % are allowed, of others 5 %. Where it holds
by three times the noise, 90 % of yes are wanted.

    python benchmarks/bench_findings.py [worlds of each kind [first seed]]

The levels were chosen in worlds of seeds below 1200; the table is of others.
"""

import sys
from collections import Counter

import numpy as np
from planted_worlds import WORLDS

N_WORLDS, FIRST_SEED = 200, 2000
ALLOWED, ALLOWED_OF_WANDER, WANTED = 0.05, 0.10, 0.90


def verdicts_of(world, n_worlds, first_seed):
    """{code: Counter of verdicts} over worlds of one kind."""
    found = {code: Counter() for code in world.truth}
    for seed in range(first_seed, first_seed + n_worlds):
        given = {one.code: one.verdict for one in world.make(np.random.default_rng(seed))}
        for code in found:
            found[code][all_of([given[one] for one in code.split("+")])] += 1
    return found


def all_of(verdicts):
    """Yes if all are, no if one is, and else it cannot be told."""
    if "no" in verdicts:
        return "no"
    return "cannot tell" if "cannot tell" in verdicts else "yes"


def judged(world, code, share):
    """Whether the target is met; empty where there is none."""
    if world.truth[code]:
        return "" if share >= WANTED else "missed"
    return "" if share <= (ALLOWED_OF_WANDER if world.wanders else ALLOWED) else "missed"


def main(n_worlds=N_WORLDS, first_seed=FIRST_SEED):
    """Print a table."""
    print(f"{'world':44} {'code':8} {'holds':5} {'yes':>7} {'no':>7} {'cannot tell':>12}")
    for world in WORLDS:
        for code, found in verdicts_of(world, n_worlds, first_seed).items():
            yes, no, unknown = (found[verdict] / n_worlds for verdict in ("yes", "no", "cannot tell"))
            holds = "yes" if world.truth[code] else "no"
            row = f"{world.name:44} {code:8} {holds:5} {yes:7.1%} {no:7.1%} {unknown:12.1%}"
            print(f"{row}  {judged(world, code, yes)}".rstrip(), flush=True)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
