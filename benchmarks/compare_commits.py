"""Is this tree slower than an earlier commit? Both are timed in turns, each in a process of its own that stays warm.

A, B, C: the problems of bench_fit.py (an epoch of A, a quarter of one of B, 15 of C), nothing recorded. A recorded,
C recorded: with the default record. convolutions: V8 on 1000 CIFAR-sized images. search: twelve losses and five folds
of digits. together: ten seeds of the inversion set-up, 20 epochs.

Processor time of one torch thread, so that what else the machine does hardly counts; a ratio is the median over the
turns of this tree over the earlier one, turn by turn, with the least and the greatest beside it. ``calls`` are
the Python functions that a run calls in each tree: no machine changes those.

    python benchmarks/compare_commits.py REVISION [--only search,together] [--repeats 5]
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

from _interleaved import parser_of, print_table

ROOT = Path(__file__).resolve().parent.parent
RECORDED = "record=('samples', 'geometry'), snapshots=True"
CASES = {
    "A": "fit('A', 1, 60000)",
    "B": "fit('B', 1, 15000)",
    "C": "fit('C', 15, 1797)",
    "A recorded": f"fit('A', 1, 60000, {RECORDED})",
    "C recorded": f"fit('C', 15, 1797, {RECORDED})",
    "convolutions": "convolutions()",
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

torch.set_num_threads(1)
warnings.simplefilter("ignore")
kept = {}


def once(name, make):
    if name not in kept:
        kept[name] = make()
    return kept[name]


def fit(name, epochs, rows, record=(), snapshots=False):
    n, hidden, batch, _ = bench_fit.PROBLEMS[name]
    X, y = once(n, lambda: bench_fit.data(n))
    clf = DynamicsClassifier(
        MLP((hidden,)), batch_size=batch, max_epochs=epochs, record=record, snapshots=snapshots, random_state=0
    )
    return lambda: clf.fit(X[:rows], y[:rows])


def convolutions():
    rng = np.random.default_rng(0)
    X, y = once("images", lambda: (rng.normal(size=(1000, 3, 32, 32)).astype(np.float32), rng.integers(0, 10, 1000)))
    clf = DynamicsClassifier(VGG("V8"), batch_size=128, max_epochs=1, record=(), snapshots=False, random_state=0)
    return lambda: clf.fit(X, y)


def search():
    X, y = once("digits", bench_search.data)
    own = bench_search.searches(5)[bench_search.OURS]
    return lambda: own.fit(X, y)


def together():
    X, y = once("inversion", lambda: bench_together.inversion_data(*bench_together.images()[:2]))
    clf = bench_together.inversion_classifier().set_params(max_epochs=20)
    return lambda: fit_together(bench_together.seeds_of(clf), X, y)


def seconds(run):
    gc.collect()
    start = time.process_time()
    run()
    return time.process_time() - start


def calls(run):
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        run()
    finally:
        sys.setprofile(None)
    return count


print("ready", flush=True)
for line in sys.stdin:
    measure, case = line.split(" ", 1)
    print({"seconds": seconds, "calls": calls}[measure](eval(case)), flush=True)
"""


class Worker:
    """A process that runs cases in one tree."""

    def __init__(self, tree):
        self.process = subprocess.Popen(
            [sys.executable, "-c", WORKER], cwd=tree, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.process.stdout.readline()

    def measure(self, what, case):
        """``"seconds"`` or ``"calls"`` of one run."""
        print(what, CASES[case], file=self.process.stdin, flush=True)
        return float(self.process.stdout.readline())

    def close(self):
        """End the process."""
        self.process.stdin.close()
        self.process.wait()


@contextmanager
def tree_of(revision):
    """A folder with the files of a commit."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "earlier" / "tree"
        git = ["git", "-C", ROOT, "worktree"]
        subprocess.run([*git, "add", "--quiet", "--detach", tree, revision], check=True)
        (tree.parent / "shared").symlink_to(ROOT.parent / "shared")
        try:
            yield tree
        finally:
            subprocess.run([*git, "remove", "--force", tree], check=True)


def compared(case, workers, repeats):
    """A row of the table."""
    for worker in workers:
        worker.measure("seconds", case)  # warm
    calls = [worker.measure("calls", case) for worker in workers]
    turns = [[worker.measure("seconds", case) for worker in workers] for _ in range(repeats)]
    ratios = sorted(now / before for now, before in turns)
    medians = [f"{statistics.median(own):.3f}" for own in zip(*turns, strict=True)]
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
    return (case, *medians, f"{statistics.median(ratios):.3f}", spread, *(f"{own:,.0f}" for own in calls))


def cases(text):
    """The names in a list with commas."""
    names = text.split(",")
    for name in names:
        if name not in CASES:
            raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(CASES)}")
    return names


def main():
    """Print the table."""
    parser = parser_of(__doc__, repeats=5)
    parser.add_argument("revision")
    parser.add_argument("--only", type=cases, default=list(CASES))
    arguments = parser.parse_args()
    with tree_of(arguments.revision) as earlier:
        workers = Worker(ROOT), Worker(earlier)
        rows = [compared(case, workers, arguments.repeats) for case in arguments.only]
        for worker in workers:
            worker.close()
    print_table(
        (
            "case",
            "this tree, s",
            f"{arguments.revision}, s",
            "ratio",
            "least to greatest",
            "calls",
            "earlier",
        ),
        rows,
    )


if __name__ == "__main__":
    main()
