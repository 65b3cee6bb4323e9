"""Fits to kill: a name, and how to make and fit it in a process of its own.

    python -m tests.classifiers.checkpoint.setups NAME FOLDER

fits it there, and says when training begins.
"""

import sys
from functools import partial

from sklearn_nndyn import Checkpoint, fit_together
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Reconstruction, _snapshots
from tests.problems import Problem, convolution_net

VECTORS, IMAGES = Problem("vectors", MLP((20,))), Problem("images", convolution_net, images=True)


def one(problem, folder, **settings):
    X, y = problem.data(200)
    validation = dict(zip(("X_val", "y_val"), problem.data(50, seed=1), strict=True))
    clf = problem.classifier(**{"max_epochs": 12, "checkpoint": checkpoint(folder), **settings})
    return [clf.fit(X, y, **validation)]


def ten(folder, **settings):
    X, y = VECTORS.data(200)
    made = [
        VECTORS.classifier(max_epochs=12, random_state=seed, checkpoint=checkpoint(folder), **settings)
        for seed in range(10)
    ]
    return fit_together(made, X, y)


def spilled(folder):
    _snapshots.MEMORY_LIMIT = 0
    try:
        return one(VECTORS, folder)
    finally:
        _snapshots.MEMORY_LIMIT = 512 * 2**20


def checkpoint(folder):
    return None if folder is None else Checkpoint(folder, every_seconds=0)


SETUPS = {
    "mlp": partial(one, VECTORS),
    "convolution": partial(one, IMAGES),
    "momentum": partial(one, VECTORS, optimizer="sgd", optimizer_params={"momentum": 0.9}),
    "adam": partial(
        one, VECTORS, module=MLP((8,), dropout=0.2), optimizer="adamw", record=("samples", "scores")
    ),
    "reconstruction": partial(
        one, VECTORS, record=("samples", Reconstruction(layers=0)), record_epochs="all", max_epochs=6
    ),
    "early-stopping": partial(one, VECTORS, early_stopping=True, n_iter_no_change=4, max_epochs=30),
    "spilled": spilled,
    "ten": ten,
}


def data_of(name):
    """X of a set-up."""
    return (IMAGES if name == "convolution" else VECTORS).data(200)[0]


if __name__ == "__main__":
    print("begins", flush=True)
    SETUPS[sys.argv[1]](sys.argv[2])
    print("ends", flush=True)
