"""Many fits as one program, against a batched loop written by hand and against one fit after the other.

Inversion: ten seeds of the set-up of Ciceri et al. (8192 MNIST images, odd or even, 20 tanh units, full-batch
gradient descent at rate 0.1, 150 epochs). The loop written by hand stacks the ten networks as well, and computes
and keeps the same: loss, margin and prediction of each sample, class centroids, weight norms and weights of each
epoch.

One after the other: where stacking pays, and where it does not.

Convolution nets: two convolutions with pooling, ten networks, each its own order of the rows; stacked by grouped
convolutions, by ``vmap`` as other modules are, and one after the other. Processor time of one thread.

    python benchmarks/bench_together.py [--repeats 5] [--only inversion,mlps,convolutions]

Without MNIST on disk random pixels take its place.
"""

import statistics
import time
from unittest import mock

import numpy as np
import torch
from _interleaved import THREADS, interleaved, parser_of, print_table, turns
from sklearn.base import clone

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.datasets import load_images
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.training.stacked._grouped import GroupedConvolutions

SEEDS = range(10)
EPOCHS = 150


def images():
    """MNIST, or as many random pixels."""
    try:
        images = load_images("mnist")
        return (images.X_train / np.float32(255)).reshape(-1, 784), images.y_train.astype(np.int64), "MNIST"
    except FileNotFoundError:
        rng = np.random.default_rng(0)
        return rng.random((60000, 784), dtype=np.float32), rng.integers(0, 10, 60000), "random pixels"


def inversion_data(X, y):
    """The first 8192 images, each pixel standardised; odd or even."""
    X = X[:8192].astype(np.float64)
    deviation = X.std(0, ddof=1)
    deviation[deviation == 0] = 1
    return ((X - X.mean(0)) / deviation).astype(np.float32), y[:8192] % 2


def by_hand(X, y):
    """Ten networks in one loop; what is computed is kept."""
    X, y = torch.from_numpy(X), torch.from_numpy(y)
    n, d = X.shape
    m = len(SEEDS)
    parameters = []
    for seed in SEEDS:
        torch.manual_seed(seed)
        first, second = torch.nn.Linear(d, 20), torch.nn.Linear(20, 2)
        parameters.append([p.detach() for p in (first.weight, first.bias, second.weight, second.bias)])
    W1, b1, W2, b2 = (torch.stack(own).requires_grad_() for own in zip(*parameters, strict=True))
    kept = {
        "loss": np.empty((m, EPOCHS + 1, n), np.float32),
        "margin": np.empty((m, EPOCHS + 1, n), np.float32),
        "prediction": np.empty((m, EPOCHS + 1, n), np.int8),
        "centroids": np.empty((m, EPOCHS + 1, 2, 20), np.float32),
        "norms": np.empty((m, EPOCHS + 1, 2), np.float32),
    }
    weights = []
    membership = torch.nn.functional.one_hot(y, 2).float()
    membership /= membership.sum(0)
    sign = (2 * y - 1).float()
    for epoch in range(EPOCHS + 1):
        h = torch.tanh(torch.addmm(b1.flatten(), X, W1.flatten(0, 1).t())).view(n, m, 20).transpose(0, 1)
        scores = torch.baddbmm(b2[:, None], h, W2.transpose(1, 2))
        loss = torch.nn.functional.cross_entropy(scores.reshape(-1, 2), y.repeat(m), reduction="none").view(
            m, n
        )
        with torch.no_grad():
            difference = scores[..., 1] - scores[..., 0]
            unit = h / h.norm(dim=-1, keepdim=True)
            kept["loss"][:, epoch] = loss.detach().numpy()
            kept["margin"][:, epoch] = (difference * sign).numpy()
            kept["prediction"][:, epoch] = (difference > 0).numpy()
            kept["centroids"][:, epoch] = (membership.t() @ unit).numpy()
            kept["norms"][:, epoch] = torch.stack(
                [W1.flatten(1).norm(dim=1), W2.flatten(1).norm(dim=1)], 1
            ).numpy()
            weights.append([p.detach().clone() for p in (W1, b1, W2, b2)])
        if epoch == EPOCHS:
            return kept, weights
        gradients = torch.autograd.grad(loss.mean(1).sum(), (W1, b1, W2, b2))
        with torch.no_grad():
            for parameter, gradient in zip((W1, b1, W2, b2), gradients, strict=True):
                parameter -= 0.1 * gradient
    return None


def inversion_classifier():
    """The set-up as a classifier."""
    return DynamicsClassifier(
        MLP(hidden_layer_sizes=(20,), activation="tanh"),
        optimizer="sgd",
        lr=0.1,
        batch_size="full",
        max_epochs=EPOCHS,
        shuffle=False,
    )


def seeds_of(clf):
    """A clone for each seed."""
    return [clone(clf).set_params(random_state=seed) for seed in SEEDS]


def inversion(X, y, repeats):
    """Ten seeds, everything recorded."""
    X, y = inversion_data(X, y)
    return interleaved(
        {
            "by hand": lambda: by_hand(X, y),
            "fit_together": lambda: fit_together(seeds_of(inversion_classifier()), X, y),
        },
        repeats,
    )


SIZES = [
    # rows, hidden units, batch size, epochs, networks
    (1797, 100, 32, 10, 60),
    (10000, 20, 100, 2, 20),
    (10000, 100, 100, 2, 20),
    (10000, 300, 100, 2, 10),
    (10000, 1000, 100, 1, 4),
    (60000, 1000, 200, 1, 2),
]


def against_one_by_one(X, y, repeats):
    """Seconds of ``networks`` fits, together and one after the other."""
    for n, width, batch, epochs, networks in SIZES:
        few = X[:n] if n > 2000 else X[:n, 200:264].copy()
        clf = DynamicsClassifier(
            MLP(hidden_layer_sizes=(width,)), batch_size=batch, max_epochs=epochs, record=(), snapshots=False
        )

        def runs(clf=clf, networks=networks):
            return [clone(clf).set_params(random_state=seed) for seed in range(networks)]

        seconds = interleaved(
            {
                "together": lambda few=few, n=n, runs=runs: fit_together(runs(), few, y[:n]),
                "one by one": lambda few=few, n=n, runs=runs: [own.fit(few, y[:n]) for own in runs()],
            },
            repeats,
        )
        yield (n, few.shape[1], width, batch, networks), seconds


IMAGES = [(8, 32), (8, 128), (28, 32), (28, 128)]  # pixels of a side, batch size


def convolution_net(side, width=8, channels=1):
    """Two convolutions, each with pooling."""
    nn = torch.nn
    first, second = nn.Conv2d(channels, width, 3, padding=1), nn.Conv2d(width, 2 * width, 3, padding=1)
    body = (first, nn.ReLU(), nn.MaxPool2d(2), second, nn.ReLU(), nn.MaxPool2d(2))
    return nn.Sequential(*body, nn.Flatten(), nn.Linear(2 * width * (side // 4) ** 2, 10))


def convolutions(X, y, repeats, n=640):
    """Processor seconds of two epochs of ten convolution nets."""
    for side, batch in IMAGES:
        start = (28 - side) // 2
        rows = X[:n].reshape(n, 1, 28, 28)[..., start : start + side, start : start + side].copy()
        settings = {"batch_size": batch, "max_epochs": 2, "record": (), "snapshots": False}
        clf = DynamicsClassifier(convolution_net(side), **settings)
        fit = lambda rows=rows, clf=clf: fit_together(seeds_of(clf), rows, y[:n])  # noqa: E731

        def by_vmap(fit=fit):
            with mock.patch.object(GroupedConvolutions, "supports", return_value=False):
                fit()

        ways = {
            "grouped": fit,
            "vmap": by_vmap,
            "one by one": lambda rows=rows, clf=clf: [own.fit(rows, y[:n]) for own in seeds_of(clf)],
        }
        turns(ways, 1)
        seconds = turns(ways, repeats, time.process_time)
        yield (side, batch), {name: statistics.median(own) for name, own in seconds.items()}


def print_convolutions(X, y, repeats):
    """Where stacking pays for convolution nets."""
    torch.set_num_threads(1)
    rows = (
        (*size, *(f"{s:.2f}" for s in found.values()), f"{found['one by one'] / found['grouped']:.2f}")
        for size, found in convolutions(X, y, repeats)
    )
    header = ("side", "batch", "grouped (s)", "vmap (s)", "one by one (s)", "one by one / grouped")
    print_table(header, rows)


def main():
    """Print the tables."""
    arguments = parser_of(__doc__, repeats=5, only="inversion,mlps,convolutions").parse_args()
    torch.set_num_threads(THREADS)
    X, y, source = images()
    print(f"{source}, {THREADS} torch threads, medians of {arguments.repeats}")
    tables = {"inversion": print_inversion, "mlps": print_mlps, "convolutions": print_convolutions}
    for name in arguments.only.split(","):
        print()
        tables[name](X, y, arguments.repeats)


def print_inversion(X, y, repeats):
    """Ten seeds as one program, and the loop by hand."""
    seconds = inversion(X, y, repeats)
    print_table(
        ("ten seeds of the inversion set-up", "seconds", "ratio to the loop by hand"),
        [(way, f"{s:.2f}", f"{s / seconds['by hand']:.2f}") for way, s in seconds.items()],
    )


def print_mlps(X, y, repeats):
    """Where stacking pays for MLPs."""
    rows = [
        (*size, f"{s['together']:.2f}", f"{s['one by one']:.2f}", f"{s['together'] / s['one by one']:.2f}")
        for size, s in against_one_by_one(X, y, repeats)
    ]
    print_table(
        ("rows", "features", "hidden", "batch", "networks", "together (s)", "one by one (s)", "ratio"), rows
    )


if __name__ == "__main__":
    main()
