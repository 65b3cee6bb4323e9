"""What `fit` takes in memory beside data that are large: files of 512 MiB, and a sparse matrix.

Each fit runs in a process of its own, which first does a small one. The figure is the peak of the process above what it
held before `fit` (Linux), the pages of the file that are mapped included; record and network are in it. Files hold
1024 features: 131,072 samples of float32, 65,536 of float64, 524,288 of uint8, mapped by ``numpy.memmap``; "Dataset" is
one of torch that reads the file of uint8, sample by sample. The sparse matrix is 100,000 x 50,000, of which 0.1 % is
set. One epoch of an MLP of 32 hidden units, recorded before and after. Plain; with ``validation_fraction=0.2``; and
with a sample of weight zero.

A network of 20 million parameters: weights, gradients and the two moments of Adam, 305 MiB; what a failed epoch is
undone from lies on the disk.

Asserted: at most 1.5 times that; at most 150 MiB beside a file, and for the sparse matrix at most 5 times its own size.

    python benchmarks/bench_memory.py [--mebibytes 512] [--threads 2] [--only float32 ... sparse network]
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from _interleaved import THREADS, parser_of, print_table
from scipy import sparse
from torch.utils.data import Dataset

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import MLP

FEATURES = 1024
BLOCK = 4096
MOST_MEBIBYTES = 150
MOST_TIMES = 5
FILES = {"float32": "float32", "float64": "float64", "uint8": "uint8", "Dataset": "uint8"}
SOURCES = (*FILES, "sparse", "network")
WAYS = ("plain", "validation_fraction", "zero weight")


class OnDisk(Dataset):
    """The rows of a file of bytes, read sample by sample."""

    def __init__(self, path):
        self.path, self.n_samples = path, Path(path).stat().st_size // FEATURES

    def __len__(self):
        return self.n_samples

    def __getitem__(self, i):
        return np.fromfile(self.path, np.uint8, FEATURES, offset=i * FEATURES), i % 4


def write(path, dtype, mebibytes):
    """Write a file of random numbers, a block of rows at a time."""
    rng = np.random.default_rng(0)
    rows = mebibytes * 2**20 // (FEATURES * np.dtype(dtype).itemsize)
    with open(path, "wb") as file:
        for start in range(0, rows, BLOCK):
            shape = min(BLOCK, rows - start), FEATURES
            values = rng.integers(0, 256, shape) if dtype == "uint8" else rng.normal(size=shape)
            file.write(values.astype(dtype).tobytes())


def from_file(given):
    """Samples of a mapped file, and labels."""
    if given.source == "Dataset":
        return OnDisk(given.path), None
    X = np.memmap(given.path, FILES[given.source], "r").reshape(-1, FEATURES)
    return X, np.arange(len(X)) % 4


def sparse_matrix(given):
    """A matrix of which 0.1 % is set, and labels."""
    rng, (n_samples, width), set_in_row = np.random.default_rng(0), (100_000, 50_000), 50
    columns = rng.integers(0, width, n_samples * set_in_row, dtype=np.int32)
    starts = np.arange(0, len(columns) + 1, set_in_row, dtype=np.int32)
    X = sparse.csr_matrix((np.ones(len(columns), np.float32), columns, starts), shape=(n_samples, width))
    X.sum_duplicates()
    return X, np.arange(n_samples) % 4


def memory(field):
    """Memory of this process in bytes: ``VmRSS``, now, or ``VmHWM``, the most so far."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) * 1024


def fit(given):
    """Fit, and print the peak above what was held before, and the size of a sparse matrix, in bytes."""
    X, y = sparse_matrix(given) if given.source == "sparse" else from_file(given)
    weight, settings = None, {"max_epochs": 1, "random_state": 0}
    if given.batch_size:
        settings["batch_size"] = given.batch_size
    if given.way == "validation_fraction":
        settings["validation_fraction"] = 0.2
    small = np.random.default_rng(0).normal(size=(2000, 8))
    DynamicsClassifier(MLP((32,)), **settings).fit(small, np.arange(2000) % 4)
    if given.way == "zero weight":
        weight = np.ones(len(X) if y is None else len(y))
        weight[0] = 0
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = memory("VmRSS")
    DynamicsClassifier(MLP((32,)), **settings).fit(X, y, weight)
    size = sum(part.nbytes for part in (X.data, X.indices, X.indptr)) if given.source == "sparse" else 0
    print(memory("VmHWM") - before, size)


def fit_large(given):
    """Fit a network of 20 million parameters under Adam, not recorded; its copies are weights, gradients, moments."""
    X = np.random.default_rng(0).normal(size=(256, 1000)).astype("float32")
    settings = {"batch_size": 64, "max_epochs": 2, "random_state": 0, "record": (), "snapshots": False}
    DynamicsClassifier(MLP((32,)), **settings).fit(X[:, :8], np.arange(256) % 10)
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    clf = DynamicsClassifier(MLP((4000, 4000)), **settings).fit(X, np.arange(256) % 10)
    weights = sum(p.nbytes for p in clf.module_.parameters())
    print(memory("VmHWM") - before, 4 * weights)


def main():
    """Run each fit in a process of its own, print the table, and assert."""
    parser = parser_of(__doc__, mebibytes=512, threads=THREADS)
    parser.add_argument("--batch-size", type=int)
    parser.add_argument("--only", nargs="+", choices=SOURCES, default=list(SOURCES))
    for hidden in ("--source", "--way", "--path"):
        parser.add_argument(hidden, help=argparse.SUPPRESS)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    if given.source:
        (fit_large if given.source == "network" else fit)(given)
        return

    def run(source, way, path):
        command = [sys.executable, __file__, f"--source={source}", f"--way={way}", f"--path={path}"]
        command += [f"--threads={given.threads}"]
        command += [f"--batch-size={given.batch_size}"] if given.batch_size else []
        return map(int, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())

    rows, too_much = [], []
    if "network" in given.only:
        given.only.remove("network")
        peak, needed = (size / 2**20 for size in run("network", "plain", ""))
        print(
            f"a network of 20 million parameters under Adam: peak {peak:.0f} MiB, of which it needs {needed:.0f}\n"
        )
        assert peak < 1.5 * needed, "a second copy of weights and moments"
    for source in given.only:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "values"
            if source in FILES:
                write(path, FILES[source], given.mebibytes)
            peaks, sizes = zip(*(run(source, way, path) for way in WAYS), strict=True)
        most = MOST_TIMES * sizes[0] if source == "sparse" else MOST_MEBIBYTES * 2**20
        size = sizes[0] / 2**20 if source == "sparse" else given.mebibytes
        rows.append(
            [source, f"{size:.0f}", *(f"{peak / 2**20:.0f}" for peak in peaks), f"{most / 2**20:.0f}"]
        )
        too_much += [source] if max(peaks) > most else []
    if rows:
        print_table(["X", "size, MiB", *(f"peak, MiB: {way}" for way in WAYS), "at most"], rows)
    assert not too_much, f"more memory than asked for: {', '.join(too_much)}"


if __name__ == "__main__":
    main()
