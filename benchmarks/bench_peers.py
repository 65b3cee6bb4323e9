"""Training beside others: one table of our speed and that of each peer, on the same work.

A, B, C: MLPs as in bench_fit.py, on 20,000, 10,000 and all 1,797 rows. V8: convolutions with batch normalisation, on
4,000 CIFAR-10 images. Conv2: two convolutions with pooling, on 2,000 MNIST images. What is not on disk is made up.

The same rows, batches, epochs, optimizer, first weights and threads everywhere (MLPClassifier and pytabkit draw first
weights of their own); before anything is measured all train unshuffled on some rows, and the scores must agree. All
are timed whole, from arrays to the trained network, in turns, after a first turn that does not count. A cell is the
median over the turns of the ratio in a turn, with the least and the greatest. Compiling is what the first turn of the
compiled loop takes longer than the others.

What is not installed is left out with a line: ``pip install ".[benchmarks]"`` gets all.

    python benchmarks/bench_peers.py [A B C V8 Conv2] [--repeats 7] [--threads 2]
        [--write] [--processor-time]

``--write`` puts the table into README.md beside, its figures into the README of the project and into history.csv.
"""

import os
import statistics
import time
import warnings

os.environ["TORCHINDUCTOR_FORCE_DISABLE_CACHES"] = "1"  # compiling is compiling

import numpy as np
import readme_figures
import torch
from _interleaved import THREADS, parser_of, print_table, turns
from _peers import NEED_MLP, OURS, PEERS, Problem, bare
from bench_fit import PROBLEMS as MLPS
from bench_fit import data, network
from threadpoolctl import threadpool_limits

from sklearn_nndyn.datasets import load_images
from sklearn_nndyn.modules import VGG

ROWS_AND_EPOCHS = {"A": (20_000, 3), "B": (10_000, 3), "C": (1797, 15), "V8": (4000, 2), "Conv2": (2000, 3)}
TOLERANCE = 0.05  # of scores after three batches; Keras computes a running variance by n, torch by n - 1


def mlp(name):
    """A, B or C."""
    n, hidden, batch, _ = MLPS[name]
    X, y = data(n)
    return X, y, lambda: network(X.shape[1], hidden), batch, hidden


def images(name, shape, n):
    """n images and their labels; made up where there are none."""
    try:
        found = load_images(name)
        X, y = found.X_train[:n] / np.float32(255), found.y_train[:n].astype(np.int64)
    except FileNotFoundError:
        rng = np.random.default_rng(0)
        X, y = rng.random((n, *shape), dtype=np.float32), rng.integers(0, 10, n)
    return X.reshape(-1, *shape).astype(np.float32), y


def v8():
    """The largest of the networks."""
    return *images("cifar10", (3, 32, 32), 4000), lambda: VGG("V8").build((3, 32, 32), 10), 128, None


def small_convolutions():
    """Two convolutions, each with pooling."""
    nn = torch.nn

    def make():
        first, second = nn.Conv2d(1, 16, 3, padding=1), nn.Conv2d(16, 32, 3, padding=1)
        body = (first, nn.ReLU(), nn.MaxPool2d(2), second, nn.ReLU(), nn.MaxPool2d(2))
        return nn.Sequential(*body, nn.Flatten(), nn.Linear(32 * 7 * 7, 10))

    return *images("mnist", (1, 28, 28), 2000), make, 64, None


def problem(name):
    """The problem of that name."""
    X, y, make, batch, hidden = {"V8": v8, "Conv2": small_convolutions}.get(name, lambda: mlp(name))()
    rows, epochs = ROWS_AND_EPOCHS[name]
    torch.manual_seed(0)
    return Problem(X[:rows], y[:rows], make(), batch, epochs, hidden)


def ways_of(problem, peers):
    """{name: train} of all that can train this problem."""
    makers = {"bare": bare, **OURS, **peers}
    return {
        name: make(problem)
        for name, make in makers.items()
        if problem.hidden is not None or name not in NEED_MLP
    }


def installed():
    """The peers that are there; a line for each that is not."""
    found, small = {}, Problem(np.zeros((2, 1), np.float32), np.zeros(2, int), torch.nn.Sequential(), 1, 1, 1)
    for name, make in PEERS.items():
        try:
            make(small)
        except ImportError as error:
            print(f"{name} is left out: {error}")
        else:
            found[name] = make
    return found


def check(problem, peers):
    """The greatest difference of a score from the bare loop's, after three batches in the order of the rows."""
    peers = {name: make for name, make in peers.items() if name != "torch.compile"}  # the bare loop itself
    found = {
        name: train(False) for name, train in ways_of(problem.first(3 * problem.batch, 1), peers).items()
    }
    off = {name: np.abs(own - found["bare"]).max() for name, own in found.items() if own is not None}
    assert max(off.values()) < TOLERANCE, off
    return max(off.values())


def measure(problem, peers, repeats, clock):
    """{way: [seconds an epoch of each turn]}, and the seconds of compiling."""
    ways = ways_of(problem, peers)
    first = turns(ways, 1)
    seconds = turns(ways, repeats, clock)
    compiled = seconds.get("torch.compile")
    compiling = None if compiled is None else first["torch.compile"][0] - statistics.median(compiled)
    return {name: [own / problem.epochs for own in each] for name, each in seconds.items()}, compiling


def ratio(seconds, above, below):
    """Median, least and greatest over the turns."""
    if above not in seconds:
        return None
    ratios = [a / b for a, b in zip(seconds[above], seconds[below], strict=True)]
    return statistics.median(ratios), min(ratios), max(ratios)


def row(name, seconds, compiling):
    """A row of the table, by column."""
    ratios = {f"{way} / bare": ratio(seconds, way, "bare") for way in OURS}
    ratios |= {f"{peer} / ours": ratio(seconds, peer, "ours") for peer in PEERS}
    cells = {
        column: "" if found is None else "{:.2f} ({:.2f} to {:.2f})".format(*found)
        for column, found in ratios.items()
    }
    epoch = f"{statistics.median(seconds['bare']):.4f}"
    compiling = "" if compiling is None else f"{compiling:.0f}"
    return {"problem": name, "bare, s an epoch": epoch, **cells, "compiling, s": compiling}


def conditions(arguments):
    """How the table was made."""
    clock = "processor time" if arguments.processor_time else "time by the clock"
    return (
        f"torch {torch.__version__}, {torch.get_num_threads()} threads, {arguments.repeats} turns, {clock}."
    )


def main():
    """Print the table."""
    options = {"repeats": 7, "threads": THREADS, "write": False, "processor_time": False}
    arguments = parser_of(__doc__, names=ROWS_AND_EPOCHS, **options).parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(arguments.threads)
    clock = time.process_time if arguments.processor_time else time.perf_counter
    peers, rows = installed(), []
    with threadpool_limits(arguments.threads):
        print(conditions(arguments), flush=True)
        for name in arguments.names:
            own = problem(name)
            print(f"{name}: scores differ by at most {check(own, peers):.1e}", flush=True)
            rows.append(row(name, *measure(own, peers, arguments.repeats, clock)))
    print_table(list(rows[0]), [list(own.values()) for own in rows])
    if arguments.write:
        readme_figures.write(conditions(arguments), rows)


if __name__ == "__main__":
    main()
