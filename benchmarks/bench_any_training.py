"""Wrong labels and loss tails of models that are not ours: boosting, and scikit-learn's own network.

A tenth of the labels of breast cancer and of the digits are wrong (uniform noise, three seeds). Each model is trained
on them as it comes, with its rounds or epochs recorded. Printed are the average precision of the ranking of wrong
labels by `find_label_errors` and by the final loss (chance is the share of wrong labels), the accuracy on the given
labels at the end, and the share of the total loss that the worst tenth carries. Our own classifier, trained for 30
epochs, stands beside them.

    python benchmarks/bench_any_training.py [--seeds 3]

XGBoost and LightGBM are left out where they are not installed. Asserts that every model ranks three times better
than chance.
"""

import argparse
import importlib
import warnings
from functools import partial

import numpy as np
from _interleaved import print_table
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import average_precision_score
from sklearn.neural_network import MLPClassifier
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import Dynamics, DynamicsClassifier, LossTailAnalyzer
from sklearn_nndyn.analyzers import find_label_errors
from sklearn_nndyn.datasets import corrupt_labels

NOISE, EPOCHS = 0.1, 30
SETS = {"breast cancer": load_breast_cancer, "digits": load_digits}


def ours(X, y, seed):
    """The record of our classifier."""
    return DynamicsClassifier(max_epochs=EPOCHS, random_state=seed).fit(X, y).dynamics_


def mlp(X, y, seed):
    """scikit-learn's network, an epoch at a time."""
    net = MLPClassifier(random_state=seed)
    scores = [net.partial_fit(X, y, classes=np.unique(y)).predict_log_proba(X) for _ in range(EPOCHS)]
    return Dynamics.from_scores(np.stack(scores, axis=1), y, epochs=range(1, EPOCHS + 1))


def staged(make):
    """A boosted model, its rounds the epochs."""
    return lambda X, y, seed: Dynamics.from_staged(make(random_state=seed).fit(X, y), X, y)


def models():
    """{name: function of (X, y, seed) that gives a record}."""
    made = {
        "DynamicsClassifier": ours,
        "MLPClassifier": mlp,
        "GradientBoosting": staged(lambda **own: GradientBoostingClassifier(max_features="sqrt", **own)),
        "HistGradientBoosting": staged(HistGradientBoostingClassifier),
    }
    for name, kind, own in (
        ("xgboost", "XGBClassifier", {}),
        ("lightgbm", "LGBMClassifier", {"verbose": -1}),
    ):
        try:
            package = importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        made[kind] = staged(partial(getattr(package, kind), **own))
    return made


def figures(record, wrong):
    """What is printed of one run."""
    return [
        average_precision_score(wrong, -find_label_errors(record).scores),
        average_precision_score(wrong, record.loss[:, -1]),
        record.accuracy[-1],
        LossTailAnalyzer(tail=NOISE).fit(record).tail_share_,
    ]


def main():
    """Train all, and print a table for each set."""
    warnings.simplefilter("ignore", ConvergenceWarning)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    n_seeds = parser.parse_args().seeds
    header = ["", "find_label_errors", "final loss", "accuracy", "worst 10 % carry"]
    for name, load in SETS.items():
        X, true = load(return_X_y=True)
        X = StandardScaler().fit_transform(X).astype(np.float32)
        print(f"\n{name}, {len(true):,} samples, {NOISE:.0%} of the labels wrong\n")
        rows = []
        for model, train in models().items():
            runs = []
            for seed in range(n_seeds):
                y, wrong = corrupt_labels(true, NOISE, random_state=seed)
                runs.append(figures(train(X, y, seed), wrong))
            means = np.mean(runs, axis=0)
            assert means[0] > 3 * NOISE, f"{model} ranks little better than chance"
            rows.append([model, *(f"{value:.3f}" for value in means)])
        print_table(header, rows)


if __name__ == "__main__":
    main()
