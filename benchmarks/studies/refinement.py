"""Refinement: which epoch is best, where the probabilities are calibrated afterwards?

Berta, Holzmueller, Jordan and Bach (2025), arXiv 2501.19195, claim that a network should be stopped by its refined
loss, the validation loss that is left at the best temperature, and calibrated then: the loss of probabilities is lower
so than with the epoch of least validation loss. Data, networks, seeds, exclusions and the rule of each claim stand in
rules/refinement.json.

    python benchmarks/studies/refinement.py [--threads 2] [--data digits,...] [--quick --out FOLDER]
"""

import time
from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch
from _claims import claim, write_claims, write_tables
from _made_table import made_table
from _options import options
from _rules import load_rules
from _tables import NAMES, flat_images, interval, shown, table
from scipy.stats import ttest_1samp
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_nndyn import DynamicsClassifier, RefinementAnalyzer, fit_together
from sklearn_nndyn.analyzers.loss_tails import sample_log_loss
from sklearn_nndyn.analyzers.refinement import temperatures
from sklearn_nndyn.datasets import load_images

CHOICES = ("accuracy", "loss", "refined loss")
RULES = load_rules("refinement")


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


def setting_of(data, quick):
    """One of the data sets of the rules."""
    n = 500 if quick else RULES["n_samples"]
    epochs = 12 if quick else RULES["epochs_of"].get(data, RULES["epochs"])
    if data == "digits":
        return Setting("digits", digits(), epochs)
    if data == "table":
        return Setting("made table", made_table(n), epochs)
    if data == "cifar10":
        return Setting(NAMES[data], colour_images(min(n, 4000)), epochs, SmallConvNet)
    return Setting(NAMES[data], flat_images(data, n), epochs)


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


def claims(found, told):
    """The entries of all data sets."""
    pairs = [(name, against) for name in found for against in ("loss", "accuracy")]
    values = {pair: gains(found[pair[0]], pair[1]) for pair in pairs}
    p_values = holm([p_value(values[pair]) for pair in pairs])
    gained = [gain_claim(*pair, values[pair], p) for pair, p in zip(pairs, p_values, strict=True)]
    return gained + [rise_claim(name, own) for name, own in told.items()]


def p_value(values):
    """Of a paired t test; 1 where all are equal."""
    return ttest_1samp(values, 0).pvalue if np.ptp(values) > 0 else 1.0


def gain_claim(name, against, values, p):
    """Whether refined loss chooses better."""
    about = f"refined loss chooses a better epoch than {against}, once calibrated"
    return claim(
        "refinement", about, name, RULES["claims"][about], runs=len(values), values=values,
        verdict=judged(values, p), note=f"nats, p = {p:.2g}",
    )  # fmt: skip


def rise_claim(name, verdicts):
    """Whether the rise is calibration, in every seed."""
    about, counts = "the rise of the mean loss is calibration", Counter(verdicts)
    words = "held" if counts["yes"] == len(verdicts) else "did not hold"
    note = f"seeds; {counts['no']} no, {counts['cannot tell']} cannot tell"
    own = claim(
        "refinement", about, name, RULES["claims"][about], runs=len(verdicts), verdict=words, note=note
    )
    return own | {"held": counts["yes"], "asked": len(verdicts)}


def judged(values, p):
    """held, contradicted, or not told."""
    return "not told" if not p < RULES["level"] else "held" if interval(values)[0] > 0 else "contradicted"


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


def main():
    """Run all of it; write claims and tables."""
    chosen = options(__doc__, RULES["data"])
    torch.set_num_threads(chosen.threads)
    seeds = RULES["seeds"][:2] if chosen.quick else RULES["seeds"]
    start, found, told = time.perf_counter(), {}, {}
    for data in chosen.data.split(","):
        setting = setting_of(data, chosen.quick)
        records = run(setting, seeds)
        found[setting.name] = [measure(record, seed) for seed, record in enumerate(records)]
        told[setting.name] = [RefinementAnalyzer().fit(record).findings_[0].verdict for record in records]
        print(f"{time.perf_counter() - start:6.0f} s  {setting.name}", flush=True)
    write_claims(chosen.out, claims(found, told))
    sections = {name: figures_table({name: own}) for name, own in found.items()}
    write_tables(chosen.out, "refinement", "Refinement", sections)


if __name__ == "__main__":
    main()
