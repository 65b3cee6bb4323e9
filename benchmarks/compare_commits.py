"""Is this tree slower than an earlier commit? Both are timed in turns, each in a process of its own that stays warm.

fit A, B, C: the problems of bench_fit.py, nothing recorded. fit C recorded, fit A recorded: with the default record.
convolution net: V8 on 2000 CIFAR-sized images. search: twelve losses and five folds of digits. together: ten seeds
of the inversion set-up. Two torch threads; a ratio is the median over the turns of this tree over the earlier one,
turn by turn, with the least and the greatest beside it.

    python benchmarks/compare_commits.py REVISION [case ...] [--repeats 9]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from _interleaved import print_table

ROOT = Path(__file__).resolve().parent.parent
CASES = {
    "fit A": "fit('A')",
    "fit B": "fit('B')",
    "fit C": "fit('C')",
    "fit A recorded": "fit('A', record=('samples', 'geometry'), snapshots=True)",
    "fit C recorded": "fit('C', record=('samples', 'geometry'), snapshots=True)",
    "convolution net": "convolution()",
    "search": "search()",
    "together": "together()",
}
WORKER = """
import gc, os, sys, time, warnings
sys.path[:0] = [os.getcwd(), os.path.join(os.getcwd(), "benchmarks")]
import numpy as np, torch
import bench_fit, bench_search, bench_together
from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.modules import MLP, VGG

torch.set_num_threads(2)
warnings.simplefilter("ignore")
kept = {}


def data(name, make):
    if name not in kept:
        kept[name] = make()
    return kept[name]


def fit(name, record=(), snapshots=False):
    n, hidden, batch, epochs = bench_fit.PROBLEMS[name]
    X, y = data(n, lambda: bench_fit.data(n))
    clf = DynamicsClassifier(
        MLP((hidden,)), batch_size=batch, max_epochs=epochs, record=record, snapshots=snapshots, random_state=0
    )
    return lambda: clf.fit(X, y)


def convolution():
    rng = np.random.default_rng(0)
    X, y = data("images", lambda: (rng.normal(size=(2000, 3, 32, 32)).astype(np.float32), rng.integers(0, 10, 2000)))
    clf = DynamicsClassifier(
        VGG("V8"), batch_size=128, max_epochs=1, record=(), snapshots=False, random_state=0
    )
    return lambda: clf.fit(X, y)


def search():
    X, y = data("digits", bench_search.data)
    own = bench_search.searches(10)[bench_search.OURS]
    return lambda: own.fit(X, y)


def together():
    X, y = data("inversion", lambda: bench_together.inversion_data(*bench_together.images()[:2]))
    return lambda: fit_together([c.set_params(max_epochs=40) for c in
                                 bench_together.seeds_of(bench_together.inversion_classifier())], X, y)


print("ready", flush=True)
for line in sys.stdin:
    run = eval(line)
    gc.collect()
    start = time.perf_counter()
    run()
    print(time.perf_counter() - start, flush=True)
"""


class Worker:
    """A process that times cases in one tree."""

    def __init__(self, tree):
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER], cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.process.stdout.readline()

    def seconds(self, case):
        """Seconds of one run."""
        print(CASES[case], file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("revision")
    parser.add_argument("cases", nargs="*", default=list(CASES))
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        earlier = Path(folder) / "earlier" / "tree"
        git = ["git", "-C", ROOT, "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", earlier, arguments.revision], check=True)
        (earlier.parent / "shared").symlink_to(ROOT.parent / "shared")
        try:
            workers = Worker(ROOT), Worker(earlier)
            rows = []
            for case in arguments.cases:
                for worker in workers:
                    worker.seconds(case)  # warm
                turns = [[worker.seconds(case) for worker in workers] for _ in range(arguments.repeats)]
                ratios = sorted(now / before for now, before in turns)
                now, before = (statistics.median(own) for own in zip(*turns, strict=True))
                spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
                rows.append((case, f"{now:.3f}", f"{before:.3f}", f"{statistics.median(ratios):.3f}", spread))
            for worker in workers:
                worker.close()
        finally:
            subprocess.run([*git, "remove", "--force", earlier], check=True)
    print_table(("case", "this tree, s", f"{arguments.revision}, s", "ratio", "least to greatest"), rows)


if __name__ == "__main__":
    main()
