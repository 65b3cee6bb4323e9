"""What it costs to record an epoch, live or replayed, against a bare forward pass; and the memory of a recorded fit.

The bare pass runs the network over the same data in batches of 4096 (A, B), all at once (C) or in batches of 128 (V8,
convolutions on 4,000 CIFAR-10 images), without gradients, and throws the scores away. An evaluation at ("samples",
"geometry") also gives loss, margin and prediction of every sample, and the class centroids of the hidden layers; a
replayed one loads the weights from snapshots before. Two torch threads, in turns; a ratio is of medians of one run.
On a machine that others use too, ``--processor-time`` counts the time of the processor, of one thread.

Reconstruction: 10,000 inputs of 3072 features given back from 512 features by the ridge decoder, penalty chosen by
five folds. The bare thing is one float32 matrix product of activations and inputs, (512 x 10,000) (10,000 x 3072),
2 n d p = 31.5 GFLOP. An evaluation needs at least three: the forward pass, H'X, and the decoding; the decompositions
and the choice of the penalty come on top. "cross-fitted": every sample is scored by a decoder of the other folds.
"train=False": 10,000 training samples to learn from, 2,000 validation samples scored.

Memory is the peak of the process above what it held before `fit`, for 60000 x 784 given as float64, hidden 256,
batch 128, with full recording and snapshots, divided by data as float32 + record + snapshots (Linux; a process of
its own).

    python benchmarks/bench_recording.py [A B C V8] [--repeats 9] [--epochs 100] [--processor-time]
"""

import argparse
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import numpy as np
import torch
from _interleaved import THREADS, interleaved, parser_of, print_table
from bench_fit import PROBLEMS, data, network
from bench_peers import v8

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.losses import get_loss
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Reconstruction, Recorder, Snapshots

NAMES = [*PROBLEMS, "V8"]


def evaluations(name):
    """Evaluations in one timing: enough of them to last."""
    return 50 if name == "C" else 1


def problem(name):
    """Samples, class positions, network, and rows of a bare pass."""
    if name == "V8":
        X, y, make, *_ = v8()
        rows = 128
    else:
        n, hidden, _, _ = PROBLEMS[name]
        X, y = data(n)
        make, rows = lambda: network(X.shape[1], hidden), 4096
    return torch.from_numpy(X), torch.from_numpy(y), make().eval(), rows


def compare(name, repeats, clock):
    """Seconds of a bare pass, of a recorded epoch and of a replayed one."""
    X, y, module, rows = problem(name)
    n = evaluations(name)
    snapshots = Snapshots(module, n)
    for epoch in range(n):
        snapshots.store(module, epoch)

    def recorder():
        return Recorder(X, y, n_classes=10, capacity=n)

    def bare():
        with torch.no_grad():
            for _ in range(n):
                for chunk in X.split(rows):
                    module(chunk)

    def record():
        recording = recorder()
        for epoch in range(n):
            recording.record(module, epoch)

    ways = {"bare": bare, "record": record, "replay": lambda: recorder().replay(module, snapshots)}
    for way in ways.values():
        way()
    return [value / n for value in interleaved(ways, repeats, clock).values()]


def compare_reconstruction(repeats):
    """Seconds of a bare product, and of an evaluation with the reconstruction of a layer."""
    generator = torch.Generator().manual_seed(0)
    X, X_val = (torch.randn(n, 3072, generator=generator) for n in (10_000, 2000))
    module = torch.nn.Sequential(torch.nn.Linear(3072, 512), torch.nn.ReLU(), torch.nn.Linear(512, 10)).eval()
    H = torch.randn(512, 10_000, generator=generator)

    def recorder(X, **options):
        y = torch.arange(len(X)) % 10
        return Recorder(X, y, get_loss("log"), n_classes=10, capacity=repeats + 1, **options)

    alone = recorder(X, record=["reconstruction"])
    only_validation = [Reconstruction(train=False)]
    train = recorder(X, record=only_validation)
    validation = recorder(X_val, record=only_validation, reference=train)

    epochs = count()

    def record_both():
        epoch = next(epochs)
        train.record(module, epoch)
        validation.record(module, epoch)

    ways = {
        "product": lambda: H @ X,
        "cross-fitted": lambda: alone.record(module, next(epochs)),
        "train=False": record_both,
    }
    for way in ways.values():
        way()
    return interleaved(ways, repeats)


def resident_bytes(field):
    """Memory of this process: ``VmRSS``, now, or ``VmHWM``, the most since it was last reset."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def report_memory(epochs):
    """Print peak above the process before fit, and data, record and snapshots, in bytes."""
    torch.set_num_threads(THREADS)
    X, y = data(60000)
    DynamicsClassifier(MLP((256,)), max_epochs=1, random_state=0).fit(X[:400], y[:400])
    X = X.astype(np.float64)
    before = resident_bytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    clf = DynamicsClassifier(MLP((256,)), batch_size=128, max_epochs=epochs, random_state=0).fit(X, y)
    record = clf.dynamics_
    held = (record.loss, record.margin, record.prediction, *record.centroids.values())
    peak = resident_bytes("VmHWM") - before
    print(peak, X.nbytes // 2, sum(array.nbytes for array in held), clf._state.snapshots.nbytes)


def main():
    """Print the tables."""
    parser = parser_of(__doc__, NAMES, repeats=9, epochs=100, processor_time=False)
    parser.add_argument("--memory-only", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.memory_only:
        report_memory(arguments.epochs)
        return
    torch.set_num_threads(1 if arguments.processor_time else THREADS)
    clock = time.process_time if arguments.processor_time else time.perf_counter
    rows = []
    for name in arguments.names:
        bare, *ours = compare(name, arguments.repeats, clock)
        milliseconds = [f"{1000 * seconds:.2f}" for seconds in (bare, *ours)]
        rows.append([name, *milliseconds, *(f"{seconds / bare:.2f}" for seconds in ours)])
    header = ["", "bare forward pass, ms", "recorded epoch, ms", "replayed epoch, ms"]
    print_table([*header, "recorded / bare", "replayed / bare"], rows)
    if arguments.names != NAMES:
        return
    seconds = compare_reconstruction(arguments.repeats)
    product = seconds.pop("product")
    print()
    print_table(
        ["reconstruction", "once, s", "20 times, s", "bare product, s", "once / product"],
        [
            [name, f"{once:.2f}", f"{20 * once:.0f}", f"{product:.2f}", f"{once / product:.1f}"]
            for name, once in seconds.items()
        ],
    )
    command = [sys.executable, __file__, "--memory-only", "--epochs", str(arguments.epochs)]
    peak, *parts = map(
        int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    )
    print()
    row = [
        arguments.epochs,
        *(f"{value / 2**20:.0f}" for value in (*parts, peak)),
        f"{peak / sum(parts):.2f}",
    ]
    print_table(
        ["epochs", "data as float32, MiB", "record", "snapshots", "peak above before", "peak / sum"], [row]
    )


if __name__ == "__main__":
    main()
