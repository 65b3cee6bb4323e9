"""Losses: do the claims of Janocha and Czarnecki (2017) on what to train with hold?

The twelve losses of the paper, each with the same networks, seeds, noise and batches (`compare_losses`), on MNIST,
Fashion-MNIST, a CIFAR-10 subset, a checkerboard and a spiral, under two protocols: one rate for all losses, as in the
paper, and for each loss and noise level the rate that does best on a part of the training data. Also MNIST, 50,000
images, 10 epochs (5,000 steps) at a rate of 5e-4, one seed, as once measured by an independent implementation. Data,
seeds, exclusions and the rule of each claim stand in rules/losses.json.

    python benchmarks/studies/losses.py [--quick --out FOLDER] [--threads 2] [--keep FOLDER]
"""

import time
import warnings
from dataclasses import dataclass

import matplotlib

matplotlib.use("Agg")

import numpy as np
import torch
from _claims import write_claims, write_tables
from _kept import Kept
from _losses_report import PROTOCOLS, claims, figures, tables
from _options import options
from _rules import load_rules
from sklearn.exceptions import ConvergenceWarning

from sklearn_nndyn import DynamicsClassifier, compare_losses, fit_together
from sklearn_nndyn.datasets import load_images, make_checkerboard, make_spirals
from sklearn_nndyn.losses import loss_names
from sklearn_nndyn.modules import MLP, VGG

RULES = load_rules("losses")
TOYS = {"checkerboard": make_checkerboard, "spiral": make_spirals}
NARROW = VGG([(8, 2), (16, 2), (32, 2)])
QUICK = {"n": 300, "epochs": 2, "seeds": 2, "factors": (1, 3)}


@dataclass(frozen=True, kw_only=True, eq=False)
class Setting:
    """A network on a data set, at some levels of noise."""

    name: str
    kind: str
    data: str = "mnist"
    n: int = 3000
    n_test: int = 2000
    module: object = MLP((128,))
    lr: float = 1e-3
    epochs: int = 20
    seeds: int = RULES["seeds"]["mnist"]
    label_noise: tuple = (0,)
    input_noise: tuple = (0,)
    factors: tuple = (0.3, 1, 3, 10)
    protocols: tuple = PROTOCOLS

    def compare(self, protocol, quick=False):
        """All losses."""
        n, epochs, seeds, factors = self.n, self.epochs, self.seeds, self.factors
        if quick:
            n, epochs, seeds, factors = (
                QUICK["n"],
                QUICK["epochs"],
                min(seeds, QUICK["seeds"]),
                QUICK["factors"],
            )
        X, y, X_test, y_test = load(self.data, n, self.n_test)
        clf = DynamicsClassifier(self.module, lr=self.lr, batch_size=100, max_epochs=epochs)
        with warnings.catch_warnings():  # what diverges is told in the tables
            warnings.simplefilter("ignore", ConvergenceWarning)
            return compare_losses(
                clf,
                X,
                y,
                label_noise=self.label_noise,
                input_noise=self.input_noise,
                seeds=seeds,
                X_test=X_test,
                y_test=y_test,
                learning_rates=protocol,
                lr_factors=factors,
                tuning_runs=2,
            )


def settings():
    """Fixed rates everywhere; tuned ones where they can be paid for."""
    fixed = PROTOCOLS[:1]
    wide = (0.1, 0.3, 1, 3, 10)  # wrong labels ask for low rates, right ones for high
    yield Setting(name="MNIST, 1 hidden layer", kind="noise", label_noise=(0, 0.2, 0.4, 0.6), factors=wide)
    for depth in (0, 2, 3, 4, 5):
        yield Setting(
            name=f"MNIST, {depth} hidden layers",
            kind="depth",
            module=MLP((128,) * depth),
            protocols=PROTOCOLS if depth in (3, 5) else fixed,
        )
    for name in TOYS:
        yield Setting(
            name=name,
            kind="toy",
            data=name,
            n=800,
            n_test=1000,
            module=MLP((128, 128)),
            lr=3e-3,
            epochs=150,
            seeds=RULES["seeds"][name],
            factors=(0.1, 0.3, 1, 3),
        )
    yield Setting(
        name="Fashion-MNIST",
        kind="noise",
        data="fashion_mnist",
        seeds=RULES["seeds"]["fashion_mnist"],
        label_noise=(0, 0.4, 0.6),
        factors=wide,
    )
    yield Setting(
        name="CIFAR-10 subset",
        kind="noise",
        data="cifar10",
        n=2000,
        module=NARROW,
        epochs=15,
        seeds=RULES["seeds"]["cifar10"],
        label_noise=(0, 0.4),
        protocols=fixed,
    )
    yield Setting(
        name="MNIST, 1 hidden layer", kind="input noise", input_noise=(0, 0.5, 1.0), protocols=fixed
    )
    yield Setting(
        name="MNIST, 50,000 images",
        kind="measured",
        n=50000,
        n_test=10000,
        lr=5e-4,
        epochs=10,
        seeds=RULES["seeds"]["measured"],
        label_noise=(0, 0.4, 0.7),
        protocols=fixed,
    )


def load(data, n, n_test):
    """X, y, X_test, y_test; pixels between 0 and 1, flat where they have no colours."""
    if data in TOYS:
        return (*_plane(data, n, 0), *_plane(data, n_test, 1))
    images = load_images(data)
    parts = [(images.X_train, images.y_train, n), (images.X_test, images.y_test, n_test)]
    (X, y), (X_test, y_test) = (
        ((own[:m] / 255).astype(np.float32), labels[:m].astype(int)) for own, labels, m in parts
    )
    if X.ndim == 3:
        X, X_test = (own.reshape(len(own), -1) for own in (X, X_test))
    return X, y, X_test, y_test


def _plane(data, n, seed):
    X, y = TOYS[data](n, random_state=seed)
    return X.astype(np.float32), y


def run_all(quick, kept, done):
    """{(setting, protocol): LossComparison}."""
    found = {}
    for setting in settings():
        for protocol in setting.protocols:
            name = f"{setting.name}, {setting.kind}, {protocol}"
            found[setting, protocol] = kept(
                name, lambda setting=setting, protocol=protocol: setting.compare(protocol, quick)
            )
            done(name)
    return found


def toy_networks(quick):
    """{data: (X, y, {loss: fitted classifier})}: one seed, the rate of the first protocol."""
    fitted = {}
    for setting in settings():
        if setting.kind == "toy":
            X, y, _, _ = load(setting.data, setting.n, setting.n_test)
            epochs = QUICK["epochs"] if quick else setting.epochs
            networks = {
                loss: DynamicsClassifier(
                    setting.module,
                    loss=loss,
                    lr=setting.lr,
                    batch_size=100,
                    max_epochs=epochs,
                    record=(),
                    snapshots=False,
                    random_state=0,
                )
                for loss in loss_names("paper")
            }
            fit_together(list(networks.values()), X, y)
            fitted[setting.data] = X, y, networks
    return fitted


def report(found, networks, out):
    """Write claims, tables and figures."""
    write_claims(out, claims(found))
    write_tables(out, "losses", "Which loss", tables(found))
    (out / "figures").mkdir(exist_ok=True)
    for name, figure in figures(found, networks).items():
        figure.savefig(out / "figures" / f"losses_{name}.png", dpi=110)


def main():
    """Run all of it."""
    chosen = options(__doc__, keep=True)
    torch.set_num_threads(chosen.threads)
    start = time.perf_counter()

    def done(what):
        print(f"{time.perf_counter() - start:6.0f} s  {what}", flush=True)

    found = run_all(chosen.quick, Kept(chosen.keep, "losses", chosen.quick), done)
    report(found, toy_networks(chosen.quick), chosen.out)
    done("in all")


if __name__ == "__main__":
    main()
