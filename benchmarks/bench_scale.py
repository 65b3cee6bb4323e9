"""What a large record costs: memory, time, bytes, opening, and every analyzer on it.

1,000,000 samples of 50 features in 10 classes, hidden 16, batch 4096, recorded for 200 epochs: 2.6 GB, which lie in
temporary files. Seconds are of the processor, beside those of the fit without a record. Memory is the peak of the
process above what it held before `fit`, data included (Linux). The record is saved, opened by ``load_dynamics(path,
lazy=True)``, and read by each analyzer in a process of its own; the memory of these is the peak of arrays above what
was there (tracemalloc), without the pages of the file, which the system takes back when it needs them.

``Samples(when="training")``: fits with it against fits without a record, in turns, as a ratio of medians: A (60000 x
784, hidden 256, batch 128) and a convolution net (2000 images of 28 x 28, batch 64). Entanglement: 1,000 classes x 64
features x 50 epochs.

    python benchmarks/bench_scale.py [--samples 1000000] [--epochs 200] [--repeats 5] [--threads 2]
"""

import argparse
import subprocess
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import numpy as np
import torch
from _interleaved import THREADS, interleaved, parser_of, print_table

from sklearn_nndyn import (
    Dynamics,
    DynamicsClassifier,
    EntanglementAnalyzer,
    LossTailAnalyzer,
    SampleScoreAnalyzer,
    load_dynamics,
)
from sklearn_nndyn.analyzers import find_label_errors
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Samples

FEATURES = 50
ANALYZERS = {
    "LossTailAnalyzer": lambda record: LossTailAnalyzer().fit(record),
    "SampleScoreAnalyzer": lambda record: SampleScoreAnalyzer().fit(record),
    "EntanglementAnalyzer": lambda record: EntanglementAnalyzer().fit(record),
    "find_label_errors": find_label_errors,
    "record.error": lambda record: record.error,
}


def resident_bytes(field):
    """Memory of this process: ``VmRSS``, now, or ``VmHWM``, the most so far."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def data(n_samples):
    """Samples whose class shows in the first ten features; one label in twenty is wrong."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(n_samples, FEATURES)).astype(np.float32)
    y = X[:, :10].argmax(1)
    wrong = rng.random(n_samples) < 0.05
    y[wrong] = rng.integers(0, 10, np.count_nonzero(wrong))
    return X, y


def fit(given):
    """Fit, and print seconds, bytes of memory above those before, and of the record."""
    X, y = data(given.samples)
    record = ("samples", "geometry") if given.job == "recorded" else ()
    settings = {"batch_size": 4096, "record": record, "snapshots": bool(record), "random_state": 0}
    DynamicsClassifier(MLP((16,)), max_epochs=1, **settings).fit(X[:5000], y[:5000])
    before, start = resident_bytes("VmRSS"), time.process_time()
    clf = DynamicsClassifier(MLP((16,)), max_epochs=given.epochs, **settings).fit(X, y)
    seconds, peak = time.process_time() - start, resident_bytes("VmHWM") - before
    size = 0
    if record:
        fields = [getattr(clf.dynamics_, name) for name in ("loss", "margin", "prediction", "probability")]
        size = sum(field.nbytes for field in fields)
        clf.dynamics_.save(given.path)
    print(seconds, peak, size)


def load(given):
    """Open the record twice, the second time from a warm start, and print milliseconds."""
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        load_dynamics(given.path, lazy=True)
        seconds.append(time.perf_counter() - start)
    print(*(1000 * s for s in seconds))


def analyse(given):
    """Run one analyzer, twice, and print its seconds and its peak of arrays."""
    record, run = load_dynamics(given.path, lazy=True), ANALYZERS[given.job]
    start = time.process_time()
    run(record)
    seconds = time.process_time() - start
    tracemalloc.start()
    run(record)
    print(seconds, tracemalloc.get_traced_memory()[1])


def entangle(given):
    """Entanglement of many classes: print seconds."""
    rng = np.random.default_rng(0)
    n_classes, n_epochs = 1000, 50
    record = Dynamics(
        y=np.arange(5 * n_classes) % n_classes,
        classes=np.arange(n_classes),
        epochs=np.arange(n_epochs),
        prediction=rng.integers(0, n_classes, size=(5 * n_classes, n_epochs)),
        centroids={"hidden": rng.normal(scale=0.1, size=(n_epochs, n_classes, 64)).astype(np.float32)},
    )
    print(interleaved({"fit": lambda: EntanglementAnalyzer().fit(record)}, 3)["fit"])


def convolutions(input_shape, n_classes):
    """Two convolutions and dropout."""
    body = [torch.nn.Conv2d(1, 16, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2)]
    body += [torch.nn.Conv2d(16, 32, 3), torch.nn.ReLU(), torch.nn.MaxPool2d(2), torch.nn.Flatten()]
    return torch.nn.Sequential(*body, torch.nn.Dropout(0.3), torch.nn.Linear(800, n_classes))


def in_training(given):
    """Print, for both networks, seconds of a fit without a record and of one as batches pass, by medians."""
    rng = np.random.default_rng(0)
    fits = {
        "A": (MLP((256,)), (60000, 784), 128, 2),
        "convolutions": (convolutions, (2000, 1, 28, 28), 64, 2),
    }
    for module, shape, batch_size, epochs in fits.values():
        X = rng.normal(size=shape).astype(np.float32)
        y = rng.integers(0, 10, len(X))
        settings = {"batch_size": batch_size, "max_epochs": epochs, "random_state": 0, "snapshots": False}

        def run(record, module=module, X=X, y=y, settings=settings):
            return lambda: DynamicsClassifier(module, record=record, **settings).fit(X, y)

        ways = {"bare": run(()), "in training": run((Samples(when="training"),)), "passes": run(("samples",))}
        print(*interleaved(ways, given.repeats).values())


JOBS = {
    "bare": fit,
    "recorded": fit,
    "load": load,
    "entangle": entangle,
    "in training": in_training,
    **dict.fromkeys(ANALYZERS, analyse),
}


def main():
    """Run each job in a process of its own, and print the tables."""
    parser = parser_of(__doc__, samples=1_000_000, epochs=200, repeats=5, threads=THREADS)
    parser.add_argument("--job", choices=JOBS, help=argparse.SUPPRESS)
    parser.add_argument("--path", help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.job:
        JOBS[given.job](given)
        return

    def run(job):
        sizes = [f"--{name}={getattr(given, name)}" for name in ("samples", "epochs", "repeats", "threads")]
        command = [sys.executable, "-W", "ignore", __file__, *sizes, f"--job={job}", f"--path={path}"]
        lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        return [[float(value) for value in line.split()] for line in lines]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "record.safetensors"
        (bare, bare_peak, _), (recorded, peak, size) = run("bare")[0], run("recorded")[0]
        cells = given.samples * (given.epochs + 1)
        print_table(
            [
                "samples",
                "epochs",
                "bare fit, s",
                "recorded",
                "ratio",
                "peak, MiB: bare",
                "recorded",
                "bytes a cell",
            ],
            [
                [
                    f"{given.samples:,}",
                    given.epochs,
                    *(f"{value:.0f}" for value in (bare, recorded)),
                    f"{recorded / bare:.2f}",
                    *(f"{value / 2**20:.0f}" for value in (bare_peak, peak)),
                    f"{size / cells:.1f}",
                ]
            ],
        )
        first, second = run("load")[0]
        print(f"\nopened lazily: {first:.0f} ms, again {second:.0f} ms\n")
        rows = [(name, *run(name)[0]) for name in ANALYZERS]
        print_table(
            ["on the record in its file", "s", "peak of arrays, MiB", "/ losses"],
            [
                [name, f"{seconds:.1f}", f"{peak / 2**20:.0f}", f"{peak / (4 * cells):.2f}"]
                for name, seconds, peak in rows
            ],
        )
    print()
    print_table(
        ["fit", "bare, s", 'Samples(when="training")', "ratio", "samples by passes", "ratio"],
        [
            [name, f"{bare:.2f}", f"{way:.2f}", f"{way / bare:.3f}", f"{passes:.2f}", f"{passes / bare:.3f}"]
            for name, (bare, way, passes) in zip(("A", "convolutions"), run("in training"), strict=True)
        ],
    )
    print(f"\nentanglement of 1,000 classes x 64 features x 50 epochs: {run('entangle')[0][0]:.2f} s")


if __name__ == "__main__":
    main()
