"""Channels last against the usual order in memory: whole fits and predictions of single convolution nets.

Small: two convolutions of `width` and twice as many channels, each with ReLU and pooling, on digits (8 x 8), MNIST (28
x 28) and CIFAR-10 (32 x 32, three channels). ResNet: three stages of one block, 16 to 64 channels. V8: five
convolutions of 32 to 512 channels. Adam, nothing recorded. The classifier chooses by the parts of a network
(`sklearn_nndyn/utils/networks/memory_format.py`); here each way is forced, in turns. Processor time, medians; made-up
images where there are none on disk.

    python benchmarks/bench_memory_format.py [--repeats 7] [--threads 1] [names]
"""

import statistics
import time
from unittest import mock

import numpy as np
import torch
from _interleaved import parser_of, print_table, turns
from bench_peers import images
from bench_together import convolution_net
from sklearn.datasets import load_digits

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import VGG, ResNet
from sklearn_nndyn.utils.networks import memory_format

BATCHES = (32, 128)
NETWORKS = {
    # name: (network, data, rows, epochs)
    "small, 8 channels": (lambda: convolution_net(8), "digits", 1536, 3),
    "small, 8 channels, 28 x 28": (lambda: convolution_net(28), "mnist", 1024, 2),
    "small, 16 channels, 28 x 28": (lambda: convolution_net(28, 16), "mnist", 1024, 1),
    "small, 16 channels, 32 x 32": (lambda: convolution_net(32, 16, 3), "cifar10", 512, 1),
    "ResNet": (lambda: ResNet([(16, 1), (32, 1), (64, 1)]).build((3, 32, 32), 10), "cifar10", 256, 1),
    "V8": (lambda: VGG("V8").build((3, 32, 32), 10), "cifar10", 512, 1),
}


def data(name, n):
    """The first n images of a set, and their labels."""
    if name == "digits":
        X, y = load_digits(return_X_y=True)
        return (X[:n] / 16).astype(np.float32).reshape(-1, 1, 8, 8), y[:n]
    return images(name, {"mnist": (1, 28, 28), "cifar10": (3, 32, 32)}[name], n)


def forced(way, pays):
    """Call a function with channels last, or without."""

    def call():
        with mock.patch.object(memory_format, "pays_with_channels_last", return_value=pays):
            way()

    return call


def measure(name, batch, repeats):
    """Median seconds of fits and predictions, in the usual order and with channels last."""
    make, source, n, epochs = NETWORKS[name]
    X, y = data(source, n)
    settings = {"batch_size": batch, "max_epochs": epochs, "record": (), "snapshots": False}
    clf = DynamicsClassifier(make(), random_state=0, **settings)
    fitted = DynamicsClassifier(make(), random_state=0, **settings | {"max_epochs": 1}).fit(X[:256], y[:256])
    ways = {
        (what, pays): forced(way, pays)
        for what, way in {"fit": lambda: clf.fit(X, y), "scores": lambda: fitted.decision_function(X)}.items()
        for pays in (False, True)
    }
    turns(ways, 1)
    return {way: statistics.median(own) for way, own in turns(ways, repeats, time.process_time).items()}


def main():
    """Print the table."""
    arguments = parser_of(__doc__, NETWORKS, repeats=7, threads=1).parse_args()
    torch.set_num_threads(arguments.threads)
    rows = []
    for name in arguments.names:
        chosen = "last" if memory_format.pays_with_channels_last(NETWORKS[name][0]()) else "first"
        for batch in BATCHES:
            seconds = measure(name, batch, arguments.repeats)
            fits = [f"{seconds['fit', pays]:.2f}" for pays in (False, True)]
            ratios = [f"{seconds[what, False] / seconds[what, True]:.2f}" for what in ("fit", "scores")]
            rows.append([name, batch, *fits, *ratios, chosen])
            print(rows[-1], flush=True)
    ratios = ["fit: first / last", "decision_function: first / last"]
    print_table(["network", "batch", "fit, s: channels first", "last", *ratios, "chosen"], rows)


if __name__ == "__main__":
    main()
