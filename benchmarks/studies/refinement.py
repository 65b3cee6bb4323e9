"""Refinement: which epoch is best, where the probabilities are calibrated afterwards?

Berta, Holzmueller, Jordan and Bach (2025), arXiv 2501.19195, claim that a network should be stopped by its refined
loss, the validation loss that is left at the best temperature, and calibrated then: the loss of probabilities is lower
so than with the epoch of least validation loss. Written before the run: data, networks, seeds and rules.

Data and networks, `log` loss, Adam at 1e-3, batches of 100, 60 epochs (CIFAR-10: 40), seeds 0 to 9 for initial weights
and the order of the samples:

- MNIST and Fashion-MNIST: the first 10,000 training images, the 10,000 test images; the default network, one layer of
  100;
- CIFAR-10 subset: 4,000 training images, the 2,000 test images; two convolutions (16 and 32 channels, 3 x 3, stride 2,
  ReLU), one linear layer;
- digits of scikit-learn: 1,797 images, one half (stratified, seed 0) trains, the other is held out; one layer of 100.

Choosing and scoring: the held-out images fall into two random halves (the seed of the run). On one half an epoch is
chosen, by accuracy (the first of equal ones), by loss, and by refined loss, epoch 0 included; and for each of these the
temperature. The other half gives the calibrated log loss, the plain one and the accuracy. Both directions are averaged.
A seed has one figure of each kind.

Rules. The gain is the calibrated log loss of the epoch chosen otherwise less that of the epoch chosen by refined loss,
seed by seed. 95 % intervals are Student's t over ten seeds. p values of the eight comparisons (four data sets; loss,
accuracy) are those of a paired t test, adjusted by Holm. The claim is held on a data set against a choice if the
adjusted p value is below 0.05 and the mean gain is above 0; contradicted if it is below 0; else not told. And of the
rise: the run of each seed is given to a RefinementAnalyzer, and it is counted how often it says that the rise of the
mean loss is calibration (RF1). No run is left out.

    python benchmarks/studies/refinement.py [--seeds 10] [--threads 2] [--quick]
"""

import argparse
import hashlib
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from _tables import NAMES, flat_images, interval, shown, table
from scipy.stats import ttest_1samp
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_nndyn import DynamicsClassifier, RefinementAnalyzer, fit_together
from sklearn_nndyn.analyzers.loss_tails import sample_log_loss
from sklearn_nndyn.analyzers.refinement import temperatures
from sklearn_nndyn.datasets import load_images

CHOICES = ("accuracy", "loss", "refined loss")
LEVEL = 0.05


class SmallConvNet(torch.nn.Sequential):
    """Two convolutions and a linear layer, for images of 3 x 32 x 32."""

    def __init__(self):
        super().__init__(
            torch.nn.Conv2d(3, 16, 3, stride=2, padding=1),
            torch.nn.ReLU(),
            torch.nn.Conv2d(16, 32, 3, stride=2, padding=1),
            torch.nn.ReLU(),
            torch.nn.Flatten(),
            torch.nn.Linear(32 * 8 * 8, 10),
        )


@dataclass(frozen=True)
class Setting:
    """Data, network and number of epochs."""

    name: str
    images: tuple
    epochs: int = 60
    module: object = None

    def classifier(self, seed):
        """The classifier of one seed."""
        clf = DynamicsClassifier(
            batch_size=100,
            max_epochs=self.epochs,
            record=("samples", "scores"),
            snapshots=False,
            random_state=seed,
        )
        return clf if self.module is None else clf.set_params(module=self.module)


def settings(quick):
    """The four of them, one at a time in memory."""
    n, epochs = (500, 12) if quick else (10_000, 60)
    yield Setting("digits", digits(), epochs)
    for name in ("mnist", "fashion_mnist"):
        yield Setting(NAMES[name], flat_images(name, n), epochs)
    yield Setting(NAMES["cifar10"], colour_images(min(n, 4000)), 12 if quick else 40, SmallConvNet)


def digits():
    """X_train, y_train, X_test, y_test."""
    X, y = load_digits(return_X_y=True)
    X = (X / 16).astype(np.float32)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.5, stratify=y, random_state=0)
    return X_train, y_train, X_test, y_test


def colour_images(n):
    """The first ``n`` images of the CIFAR-10 subset in an order of their own, for they come class by class."""
    images = load_images("cifar10")
    order = np.random.default_rng(0).permutation(len(images.y_train))[:n]
    X_train, X_test = (X.astype(np.float32) / 255 for X in (images.X_train[order], images.X_test))
    return X_train, images.y_train[order].astype(int), X_test, images.y_test.astype(int)


def run(setting, seeds):
    """The records of the held-out images, one a seed; a convolution net is trained faster by itself."""
    X, y, X_test, y_test = setting.images
    runs = [setting.classifier(seed) for seed in seeds]
    if setting.module is None:
        fit_together(runs, X, y, X_val=X_test, y_val=y_test)
    else:
        runs = [one.fit(X, y, X_val=X_test, y_val=y_test) for one in runs]
    return [one.validation_dynamics_ for one in runs]


def measure(record, seed):
    """{choice: {figure: value}} of one run, mean of both directions."""
    order = np.random.default_rng(seed).permutation(len(record))
    one, other = np.array_split(order, 2)
    both = [choose_and_score(record, *halves) for halves in ((one, other), (other, one))]
    return {
        choice: {name: np.mean([own[choice][name] for own in both]) for name in both[0][choice]}
        for choice in CHOICES
    }


def choose_and_score(record, chooses, scores):
    """An epoch by each choice, chosen on one part of the samples and scored on another."""
    own, target = record.scores[chooses], record.target[chooses]
    T = temperatures(own, target)
    chosen = {
        "accuracy": record.correct[chooses].mean(axis=0).argmax(),
        "loss": sample_log_loss(own, target).mean(axis=0).argmin(),
        "refined loss": sample_log_loss(own / T[:, None], target).mean(axis=0).argmin(),
    }
    held, target = record.scores[scores], record.target[scores]
    return {
        choice: {
            "epoch": float(record.epochs[at]),
            "temperature": T[at],
            "calibrated": sample_log_loss(held[:, at] / T[at], target).mean(),
            "plain": sample_log_loss(held[:, at], target).mean(),
            "accuracy": record.correct[scores, at].mean(),
        }
        for choice, at in chosen.items()
    }


def gains(figures, against):
    """Gain of each seed over another choice."""
    return np.array([own[against]["calibrated"] - own["refined loss"]["calibrated"] for own in figures])


def holm(p_values):
    """p values adjusted for being several."""
    adjusted, largest = np.empty(len(p_values)), 0.0
    for rank, at in enumerate(np.argsort(p_values)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[at]))
        adjusted[at] = largest
    return adjusted


def claims_table(found):
    """A row for each data set: the gains, and what they say of the claim."""
    pairs = [(name, against) for name in found for against in ("loss", "accuracy")]
    values = {pair: gains(found[pair[0]], pair[1]) for pair in pairs}
    several = all(len(own) > 1 and np.ptp(own) > 0 for own in values.values())
    p_values = (
        holm([ttest_1samp(values[pair], 0).pvalue for pair in pairs]) if several else [1.0] * len(pairs)
    )
    words = {pair: judged(values[pair], p) for pair, p in zip(pairs, p_values, strict=True)}
    rows = [
        [name]
        + [
            f"{shown(values[name, against], '{:+.4f}')}: {words[name, against]}"
            for against in ("loss", "accuracy")
        ]
        for name in found
    ]
    return table(
        ["gain of refined loss, in nats", "over the epoch by loss", "over the epoch by accuracy"], rows
    )


def judged(values, p):
    """held, contradicted, or not told, with the adjusted p value."""
    words = "not told" if not p < LEVEL else "held" if interval(values)[0] > 0 else "contradicted"
    return f"{words} (p = {p:.2g})"


def figures_table(found):
    """A row for each data set and choice."""
    columns = {
        "epoch": ("epoch", "{:.1f}"),
        "temperature": ("temperature", "{:.2f}"),
        "plain": ("log loss", "{:.4f}"),
        "calibrated": ("calibrated", "{:.4f}"),
        "accuracy": ("accuracy", "{:.4f}"),
    }
    rows = [
        [
            name,
            choice,
            *(shown([run[choice][key] for run in own], form) for key, (_, form) in columns.items()),
        ]
        for name, own in found.items()
        for choice in CHOICES
    ]
    return table(["data", "epoch chosen by", *(title for title, _ in columns.values())], rows)


def rises_table(told):
    """How often the rise of the mean loss is said to be calibration."""
    verdicts = "yes", "no", "cannot tell"
    rows = [[name, *(str(Counter(own)[verdict]) for verdict in verdicts)] for name, own in told.items()]
    return table(["the rise of the mean loss is calibration (RF1), seeds", *verdicts], rows)


def main():
    """Run all of it; print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="500 images, 12 epochs: whether it runs")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    digest = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    start, found, told = time.perf_counter(), {}, {}
    for setting in settings(arguments.quick):
        records = run(setting, range(arguments.seeds))
        found[setting.name] = [measure(record, seed) for seed, record in enumerate(records)]
        told[setting.name] = [RefinementAnalyzer().fit(record).findings_[0].verdict for record in records]
        print(f"{time.perf_counter() - start:6.0f} s  {setting.name}", flush=True)
    print("\n" + claims_table(found) + "\n\n" + figures_table(found) + "\n\n" + rises_table(told))
    print(f"\nRules and seeds: {Path(__file__).name}, sha256 {digest}; {arguments.seeds} seeds.")
    print(f"{time.perf_counter() - start:.0f} s in all.")


if __name__ == "__main__":
    main()
