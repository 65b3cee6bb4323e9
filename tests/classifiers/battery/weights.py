"""Weights of 0, 2 and 3 against leaving out and repeating: ``python -m tests.classifiers.battery.weights``.

In float64 and with full batches, where a sum over samples does not depend on how they are cut. Each cell is the
greatest difference between two fits in what they give: probabilities, losses, accuracies and the best epoch.
"""

import itertools
import sys

import numpy as np
import torch
from sklearn.base import clone
from sklearn.datasets import make_classification

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.modules import MLP
from tests.classifiers.battery.callbacks import Watches

TOLERANCE = 1e-6
N, N_VAL = 60, 40


class Branches(torch.nn.Module):
    """A user's own module, with nothing random in it and no statistics of a batch."""

    def __init__(self, input_shape, n_classes):
        super().__init__()
        self.into = torch.nn.Linear(input_shape[0], 9)
        self.norm = torch.nn.LayerNorm(9)
        self.out = torch.nn.Linear(9, n_classes)

    def forward(self, x):
        return self.out(self.norm(torch.tanh(self.into(x)) + self.into(x)))


def alone(clf, **data):
    return clf.fit(**data)


def among_others(clf, **data):
    return fit_together([clf, clone(clf).set_params(random_state=5)], **data)[0]


def by_skorchs_loop(clf, **data):
    return clf.set_params(callbacks=[Watches()]).fit(**data)


def by_closures(clf, **data):
    return clf.set_params(optimizer="lbfgs", lr=0.5, max_epochs=4, optimizer_params={"max_iter": 2}).fit(
        **data
    )


def by_parts(clf, **data):
    clf.set_params(max_epochs=clf.max_epochs // 2, warm_start=True)
    return clf.fit(**data).fit(**data)


MODULES = {"MLP": MLP((10,), activation="tanh"), "own module": Branches}
LOSSES = {
    "log": "log",
    "focal": "focal",
    "torch's": torch.nn.CrossEntropyLoss(),
    "torch's, weighted": torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 3.0, 0.5])),
}
DOORS = {
    "fit": alone,
    "fit_together": among_others,
    "warm start": by_parts,
    "skorch's loop": by_skorchs_loop,
    "lbfgs": by_closures,
}
WAYS = {"0 or 1": (0, 1), "1 or 2": (1, 2), "1 or 3": (1, 3), "0 to 3": (0, 1, 2, 3)}
CLASS_WEIGHTS = {"None": None, "balanced": "balanced", "dict": {"cat": 4.0, "eel": 0.3}}
MONITORS = ("valid_acc", "valid_loss", "train_loss", "neg_log_loss", "accuracy")
NAMES = list(itertools.product(MODULES, LOSSES, DOORS))


def make_data(n, seed):
    X, y = make_classification(n, 8, n_informative=6, n_classes=3, weights=(0.6, 0.3), random_state=seed)
    return X, np.array(["cat", "dog", "eel"])[y]


def weights_of(way, n, seed):
    return np.random.default_rng(seed).choice(WAYS[way], n)


def repeated(X, y, weight):
    """Every row as often as its weight says."""
    return {"X": X.repeat(weight, axis=0), "y": y.repeat(weight)}


def difference(name, way, class_weight, monitor=None):
    """The greatest difference between the weighted fit and the one with rows left out and repeated."""
    module, loss, door = name
    X, y = make_data(N, 0)
    X_val, y_val = make_data(N_VAL, 1)
    weight, weight_val = weights_of(way, N, 2), weights_of(way, N_VAL, 3)
    settings = {"monitor": monitor, "early_stopping": True, "n_iter_no_change": 3} if monitor else {}

    def fit(**data):
        clf = DynamicsClassifier(
            MODULES[module],
            loss=LOSSES[loss],
            class_weight=CLASS_WEIGHTS[class_weight],
            batch_size="full",
            dtype="float64",
            lr=0.05,
            max_epochs=12,
            random_state=0,
            **settings,
        )
        return DOORS[door](clf, **data)

    weighted = fit(X=X, y=y, sample_weight=weight, X_val=X_val, y_val=y_val, sample_weight_val=weight_val)
    held_out = {f"{key}_val": values for key, values in repeated(X_val, y_val, weight_val).items()}
    again = fit(**repeated(X, y, weight), **held_out)
    return max(
        float(np.abs(one - other).max())
        for one, other in zip(_results(weighted, X_val), _results(again, X_val), strict=True)
    )


def _results(clf, X):
    """What two equal fits have in common."""
    lines = np.array(clf.net_.history[:, ("valid_loss", "valid_acc", "train_loss")])
    numbers = np.array([clf.n_iter_, getattr(clf, "best_epoch_", 0)])
    return [clf.predict_proba(X), numbers, lines] if len(lines) == clf.n_iter_ else [np.array(np.inf)]


def print_table(title, groups, cell):
    """A row for each name, columns for each class_weight in each of the groups; return how many are too large."""
    print(f"{title}\n\n{'':42}" + "".join(f"{group:30}" for group in groups))
    print(f"{'':42}" + "".join(f"{weights:10}" for _ in groups for weights in CLASS_WEIGHTS))
    wrong = 0
    for name in NAMES:
        found = [cell(name, group, weights) for group in groups for weights in CLASS_WEIGHTS]
        wrong += sum(not one <= TOLERANCE for one in found)
        print(f"{', '.join(name):42}" + "".join(f"{one:<10.0e}" for one in found), flush=True)
    print()
    return wrong


def main():
    wrong = print_table(
        "Weights in training and validation: the greatest difference from rows left out and repeated",
        WAYS,
        difference,
    )
    wrong += print_table(
        "The same with early stopping, weights 0 to 3, by what it watches",
        MONITORS,
        lambda name, monitor, weights: difference(name, "0 to 3", weights, monitor),
    )
    print(
        f"{len(NAMES) * len(CLASS_WEIGHTS) * (len(WAYS) + len(MONITORS))} pairs, {wrong} above {TOLERANCE:g}"
    )
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main()))
