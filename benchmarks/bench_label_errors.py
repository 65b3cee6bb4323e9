"""Finding wrong labels: one recorded run against cleanlab's score from five-fold cross-validation.

The first 10,000 training images of MNIST and Fashion-MNIST, pixels divided by 255; 10 % and 40 % of the labels wrong:
samples drawn at random without replacement, each with a label drawn uniformly among the nine other classes. Three
draws, each with its own seed of the networks too.

Ours: `find_label_errors` of `DynamicsClassifier(MLP((256,)), batch_size=100, max_epochs=15)` with Adam at 1e-3, log
loss, every epoch recorded (`record=("samples",)`, no snapshots); the time is of fit and search together. One rule for
all rows.

cleanlab's: `MLPClassifier((256,), batch_size=100, max_iter=20)`, the same network and optimizer, `cross_val_predict`
with `cv=5` and `method="predict_proba"`, and the score "self_confidence", the held-out probability of the given label.
It is the default of `cleanlab.rank.get_label_quality_scores`, computed here by that formula: cleanlab is not needed.
Computed by cleanlab 2.9.0 from the same probabilities it has the same average precision, and the other methods and
`adjust_pred_probs=True` have less, or at most 0.001 more. The time is that of `cross_val_predict`.

Average precision is of the wrong labels, by minus the score; a cell is the mean over the draws, and in brackets least
and greatest. Seconds are medians over the draws, on which the two take turns; the ratio is of these. The last two
columns are numbers of labels: how many were found to be wrong, and how many are.

One thread for torch and for BLAS unless `--threads` says another number: on a machine that others use as well, two
threads that wait for each other cost either way up to ten times as much.

    python benchmarks/bench_label_errors.py [--seeds 3] [--samples 10000] [--threads 1] [--epochs 15]
"""

import argparse
import time
import warnings

import numpy as np
import torch
from _interleaved import print_table
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_predict
from sklearn.neural_network import MLPClassifier
from threadpoolctl import threadpool_limits

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.analyzers import find_label_errors
from sklearn_nndyn.datasets import load_images
from sklearn_nndyn.modules import MLP

RATES = (0.1, 0.4)


def with_wrong_labels(y, rate, seed):
    """Labels of which a share is wrong, uniformly among the other nine classes; and which."""
    rng = np.random.default_rng(seed)
    wrong = np.zeros(len(y), dtype=bool)
    wrong[rng.choice(len(y), round(rate * len(y)), replace=False)] = True
    return np.where(wrong, (y + rng.integers(1, 10, len(y))) % 10, y), wrong


def ours(X, y, seed, epochs):
    """Scores and count of one recorded run."""
    clf = DynamicsClassifier(
        MLP((256,)),
        batch_size=100,
        max_epochs=epochs,
        record=("samples",),
        snapshots=False,
        random_state=seed,
    )
    found = find_label_errors(clf.fit(X, y))
    return found.scores, found.n_errors


def self_confidence(X, y, seed, _):
    """cleanlab's score: the held-out probability of the given label."""
    clf = MLPClassifier((256,), batch_size=100, max_iter=20, random_state=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        p = cross_val_predict(clf, X, y, cv=5, method="predict_proba")
    return p[np.arange(len(y)), y], np.nan


def timed(way, *data):
    """What a way finds, and the seconds it takes."""
    start = time.perf_counter()
    found = way(*data)
    return *found, time.perf_counter() - start


def measure(X, y, rate, arguments):
    """(2, n_seeds, 3): average precision, count and seconds of the two ways, in turns."""
    rows = [[], []]
    for seed in range(arguments.seeds):
        noisy, wrong = with_wrong_labels(y, rate, seed)
        for way, row in zip((ours, self_confidence), rows, strict=True):
            scores, count, seconds = timed(way, X, noisy, seed, arguments.epochs)
            row.append([average_precision_score(wrong, -scores), count, seconds])
    return np.array(rows)


def spread(values):
    """Mean, least and greatest."""
    return f"{values.mean():.3f} ({values.min():.3f} to {values.max():.3f})"


def rows(arguments):
    """A row for each data set and rate, as they are found."""
    for name in ("mnist", "fashion_mnist"):
        images = load_images(name)
        X = images.X_train[: arguments.samples].reshape(arguments.samples, -1).astype(np.float32) / 255
        y = images.y_train[: arguments.samples].astype(int)
        for rate in RATES:
            (precision, found, own), (theirs, _, long) = measure(X, y, rate, arguments).transpose(0, 2, 1)
            seconds = np.median(own), np.median(long)
            yield [
                name, f"{rate:.0%}", spread(precision), spread(theirs), spread(precision - theirs),
                f"{seconds[0]:.1f}", f"{seconds[1]:.1f}", f"{seconds[0] / seconds[1]:.2f}",
                f"{found.mean():,.0f} ({found.min():,.0f} to {found.max():,.0f})", f"{rate * len(y):,.0f}",
            ]  # fmt: skip


def main():
    """Print the table, a row for each data set and rate."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--samples", type=int, default=10000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=15)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    header = [
        "images", "wrong", "AP, ours", "AP, cleanlab's", "gain", "ours, s", "cleanlab's, s", "ours / cleanlab's",
        "found", "there are",
    ]  # fmt: skip
    with threadpool_limits(arguments.threads, user_api="blas"):
        print_table(header, rows(arguments))


if __name__ == "__main__":
    main()
