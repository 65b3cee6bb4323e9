"""Refinement: how long its analysis takes, and how often its findings are right on planted runs.

Planted runs have 500 samples of three classes at 24 epochs; with x = a y + noise the scores a x are the true log odds,
so that refinement depends on a alone, and a factor is the temperature. The worlds: refinement falls and nothing is too
sure; refinement rises again; it wanders on a plateau; the temperature wanders; and the true one, where the rise is
calibration.

    python benchmarks/bench_refinement.py [--runs 200]
"""

import time
from collections import Counter

import numpy as np
from _interleaved import parser_of

from sklearn_nndyn import Dynamics, RefinementAnalyzer

EPOCHS, SAMPLES, CLASSES = 24, 500, 3
RISES = np.concatenate([np.linspace(0.2, 2, 12), np.linspace(2, 2.3, 12)])
FALLS = np.concatenate([np.linspace(0.2, 2, 12), np.linspace(2, 1, 12)])
FLAT = np.concatenate([np.linspace(0.2, 2, 8), np.full(16, 2.0)])
SURE = np.concatenate([np.ones(12), np.linspace(1, 4, 12)])


def scores_of(apart, sure, seed, n_samples=SAMPLES, n_classes=CLASSES):
    """Scores whose best temperature is ``sure``, and their classes."""
    rng = np.random.default_rng(seed)
    y = np.arange(n_samples) % n_classes
    x = rng.normal(size=(n_samples, 1, n_classes)) + apart[:, None] * np.eye(n_classes)[y][:, None]
    return x * (apart * sure)[:, None], y


def worlds(seed):
    """{name: (apart, sure)} of one seed."""
    rng = np.random.default_rng(1000 + seed)
    none = np.ones(EPOCHS)
    wander = np.concatenate([np.zeros(8), 0.05 * rng.normal(size=16)])
    return {
        "refinement falls": (RISES, none),
        "refinement rises": (FALLS, none),
        "refinement wanders": (FLAT + wander, none),
        "temperature wanders": (FLAT, np.exp(0.1 * rng.normal(size=EPOCHS))),
        "the rise is calibration": (RISES, SURE),
    }


def main():
    """Print both tables."""
    n_runs = parser_of(__doc__, runs=200).parse_args().runs
    told = {name: {code: Counter() for code in ("RF1", "RF2", "RF3")} for name in worlds(0)}
    for seed in range(n_runs):
        for name, planted in worlds(seed).items():
            found = RefinementAnalyzer().fit(Dynamics.from_scores(*scores_of(*planted, seed)))
            for finding in found.findings_:
                told[name][finding.code][finding.verdict] += 1
    print(f"\nOf {n_runs} runs, yes / no / cannot tell\n\n| planted | RF1 | RF2 | RF3 |\n|---|---|---|---|")
    for name, codes in told.items():
        cells = (" / ".join(str(own[v]) for v in ("yes", "no", "cannot tell")) for own in codes.values())
        print(f"| {name} | {' | '.join(cells)} |")
    print("\n| samples x epochs x classes | seconds |\n|---|---|")
    for n_samples, n_classes in ((1000, 3), (10_000, 10)):
        apart = np.linspace(0.2, 2.3, 60)
        record = Dynamics.from_scores(*scores_of(apart, np.ones(60), 0, n_samples, n_classes))
        start = time.perf_counter()
        RefinementAnalyzer().fit(record)
        print(f"| {n_samples:,} x 60 x {n_classes} | {time.perf_counter() - start:.2f} |")


if __name__ == "__main__":
    main()
