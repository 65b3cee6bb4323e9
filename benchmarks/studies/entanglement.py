"""Entanglement: do the claims of Ciceri, Cassani, Osella, Rotondo, Valle and Gherardi (2024) hold?

The authors' four experiments on MNIST parity (8,192 images, 20 tanh units, full-batch gradient descent), ten seeds:

1. Radii and distance of the two classes against epoch and training error, at rates 0.1 and 0.2.
2. The stragglers deleted, and as many random samples; trained again from the same initial weights.
3. What is misclassified after t steps deleted, for t spaced evenly in its logarithm; 500 epochs; test error, clean and
   with Gaussian input noise of deviation 1. Five seeds.
4. What two runs misclassify in common, against chance, by training error.

Then the training error at the inversion, eps*, elsewhere: subsamples, widths, optimisers, momentum, other networks
(two hidden layers, a convolution net, each in its first and last hidden layer), Fashion-MNIST, ten classes, and
mini-batches against full batches. Two classes are judged by the radius of label 0, ten by the mean radius.

The claims, each with the rule by which it is judged here (all our own; intervals are 95 %, Student's t over seeds):

1. Classes first come apart and then mix again. Held in a setting if every seed has an inversion.
2. Its training error is stable. Held between seeds if their standard deviation is below a tenth of eps* in every
   setting with an inversion; under a change of rate, optimiser, width or network, or of the number of samples, if eps*
   differs by less than a tenth from that of the reference.
3. Of all sets of misclassified samples that of the stragglers is the most reproducible. Held if z at eps* is at least
   nine tenths of the greatest z of all training errors, in part if half.
4. The stragglers cause the inversion. Held if without them no run inverts, and without as many random samples all do,
   at an eps* that differs by less than 0.003.
5. They matter most for generalisation. Held if of all sets deleted in experiment 3 that nearest to the inversion
   changes the test error most, against as many random samples and for each sample deleted; with noise and without.

    python benchmarks/studies/entanglement.py [--quick] [--threads 2]
"""

import argparse
import time
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import numpy as np
import torch
from _entanglement_report import (
    claims_table,
    draw_robustness,
    first_table,
    fourth_table,
    removal_table,
    robustness_table,
    third_table,
)
from _tables import NAMES, flat_images, shown
from sklearn.base import clone

from sklearn_nndyn import DynamicsClassifier, EntanglementAnalyzer, fit_together
from sklearn_nndyn.analyzers import straggler_stability
from sklearn_nndyn.displays import EntanglementDisplay, StragglerStabilityDisplay
from sklearn_nndyn.interventions import remove_and_refit
from sklearn_nndyn.modules import MLP

HERE = Path(__file__).parent
N_SAMPLES = 8192
SEEDS = tuple(range(10))
FEW = SEEDS[:5]
LAYER_NAMES = {0: ", first layer", 1: ", second layer", -1: ", last layer"}
DELETED_AT = (2, 4, 8, 16, 32, 64, 128, 256, 500)


def convolution(input_shape, n_classes):
    """Two convolutions of stride two and a hidden layer of 20."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(input_shape[0], 6, 5, stride=2),
        torch.nn.Tanh(),
        torch.nn.Conv2d(6, 12, 5, stride=2),
        torch.nn.Tanh(),
        torch.nn.Flatten(),
        torch.nn.Linear(12 * 16, 20),
        torch.nn.Tanh(),
        torch.nn.Linear(20, n_classes),
    )


GRADIENT_DESCENT = {"optimizer": "sgd", "lr": 0.1, "batch_size": "full", "max_epochs": 500}
MOMENTUM = {**GRADIENT_DESCENT, "lr": 0.01, "optimizer_params": {"momentum": 0.9}}
ADAM = {**GRADIENT_DESCENT, "optimizer": "adam", "lr": 1e-3}
SMALL_BATCHES = {**GRADIENT_DESCENT, "lr": 0.01, "batch_size": 100, "max_epochs": 60}


@dataclass(frozen=True, eq=False)
class Setting:
    """Where eps* is looked for."""

    name: str
    kind: str
    training: dict
    data: str = "mnist"
    n: int = N_SAMPLES
    classes: int = 2
    module: object = (20,)
    seeds: tuple = SEEDS
    layers: tuple = (-1,)

    def classifier(self, **changes):
        """Untrained."""
        module = MLP(self.module, activation="tanh") if isinstance(self.module, tuple) else self.module
        shuffled = self.training["batch_size"] != "full"
        return DynamicsClassifier(module, shuffle=shuffled, snapshots=False, **{**self.training, **changes})


REFERENCE = Setting("8,192 images, 20 tanh units, rate 0.1", "reference", GRADIENT_DESCENT)


def settings():
    """Each differs from the reference in one thing."""
    parity = [
        REFERENCE,
        Setting("rate 0.2", "rate", {**GRADIENT_DESCENT, "lr": 0.2, "max_epochs": 300}),
        Setting("momentum 0.9, rate 0.01", "optimiser", MOMENTUM),
        Setting("Adam, rate 0.001", "optimiser", ADAM),
        Setting("batches of 100, rate 0.01", "batches", SMALL_BATCHES),
        Setting("width 5", "network", GRADIENT_DESCENT, module=(5,)),
        Setting("width 100", "network", GRADIENT_DESCENT, module=(100,), seeds=FEW),
        Setting("two layers of 20", "network", GRADIENT_DESCENT, module=(20, 20), layers=(0, 1)),
        Setting(
            "convolution net, 250 epochs",
            "network",
            {**GRADIENT_DESCENT, "max_epochs": 250},
            module=convolution,
            seeds=SEEDS[:3],
            layers=(0, -1),
        ),
    ]
    samples = [Setting(f"{n:,} images", "samples", GRADIENT_DESCENT, n=n) for n in (512, 1024, 2048, 4096)]
    fashion = [Setting("Fashion-MNIST parity", "data", GRADIENT_DESCENT, data="fashion_mnist")]
    ten = [
        Setting(f"{NAMES[data]}, ten classes, {how}", "data", training, data=data, classes=10, seeds=FEW)
        for data in ("mnist", "fashion_mnist")
        for how, training in (
            ("full batch", {**GRADIENT_DESCENT, "lr": 0.5, "max_epochs": 800}),
            ("batches of 100", {**ADAM, "batch_size": 100, "max_epochs": 60}),
        )
    ]
    return parity + samples + fashion + ten


def standardised(data, n, classes, images=False):
    """The first n training images and all test images, each pixel standardised by the former; labels."""
    X, y, X_test, y_test = flat_images(data)
    X, y = X[:n].astype(np.float64), y[:n]
    mean, deviation = X.mean(0), X.std(0, ddof=1)
    constant = deviation == 0
    deviation[constant] = 1
    both = [((own - mean) / deviation).astype(np.float32) for own in (X, X_test)]
    for own in both:
        own[:, constant] = 0
    if images:
        both = [own.reshape(len(own), 1, 28, 28) for own in both]
    labels = [own % 2 if classes == 2 else own for own in (y, y_test)]
    return both[0], labels[0], both[1], labels[1]


def reference_of(setting):
    """Two classes: the radius of label 0, as the authors; ten: the mean radius."""
    return 0 if setting.classes == 2 else "mean"


def seeded(clf, seeds):
    """A clone for each seed."""
    return [clone(clf).set_params(random_state=seed) for seed in seeds]


def measure(setting, quick):
    """For each layer the setting, {figure: one value for each seed}, and the analyzers."""
    X, y, X_test, y_test = standardised(
        setting.data, setting.n, setting.classes, images=not isinstance(setting.module, tuple)
    )
    clf = setting.classifier(**({"max_epochs": 20} if quick else {}))
    runs = fit_together(seeded(clf, setting.seeds), X, y)
    test_errors = [1 - run.score(X_test, y_test) for run in runs]
    for layer in setting.layers:
        named = (
            replace(setting, name=setting.name + LAYER_NAMES[layer]) if len(setting.layers) > 1 else setting
        )
        analyzers = [EntanglementAnalyzer(layer, reference=reference_of(setting)).fit(run) for run in runs]
        figures = [
            figures_of(found) | {"test": error} for found, error in zip(analyzers, test_errors, strict=True)
        ]
        yield (
            named,
            {name: np.array([own[name] for own in figures], dtype=float) for name in figures[0]},
            analyzers,
        )


def figures_of(found):
    """What one run says."""
    at_distance = found.distance_inversion_epoch_
    inverts = found.inversion_epoch_ is not None
    return {
        "eps": found.inversion_error_,
        "epoch": found.inversion_epoch_ if inverts else np.nan,
        "eps of label 1": found.class_inversion_errors_[1],
        "eps of D": np.nan if at_distance is None else found.training_error_[found.epochs_ == at_distance][0],
        "stragglers": len(found.straggler_indices_) if inverts else np.nan,
        "train": found.training_error_[-1],
        "R at 1": found.radii_[1, 0],
        "R least": found.radii_[:, 0].min(),
        "R end": found.radii_[-1, 0],
        "D at 1": found.mean_distance_[1],
        "D greatest": found.mean_distance_.max(),
        "D end": found.mean_distance_[-1],
    }


def second_experiment(quick):
    """The removal of stragglers, 300 epochs."""
    X, y, X_test, y_test = standardised("mnist", N_SAMPLES, 2)
    return remove_and_refit(
        REFERENCE.classifier(max_epochs=20 if quick else 300),
        X,
        y,
        seeds=SEEDS,
        remove=5 if quick else "stragglers",
        analyzer=EntanglementAnalyzer(reference=0),
        X_val=X_test,
        y_val=y_test,
    )


def third_experiment(quick):
    """Test errors without S(t), and without as many random samples: {t: {figure: values over seeds}}."""
    X, y, X_test, y_test = standardised("mnist", N_SAMPLES, 2)
    epochs = 20 if quick else 500
    clf = REFERENCE.classifier(max_epochs=epochs)
    whole = fit_together(seeded(clf, FEW), X, y)
    turns = [EntanglementAnalyzer(reference=0).fit(run).inversion_epoch_ for run in whole]
    noise = np.random.default_rng(0).normal(size=X_test.shape).astype(np.float32)
    bare = clone(clf).set_params(record=())
    found = {}
    for t in (*(t for t in DELETED_AT if t <= epochs), "inversion"):
        at = [turn if t == "inversion" else t for turn in turns]
        if None in at:
            continue
        deleted = [misclassified(run, epoch) for run, epoch in zip(whole, at, strict=True)]
        drawn = [
            np.random.default_rng(seed).choice(len(y), len(own), replace=False)
            for seed, own in zip(FEW, deleted, strict=True)
        ]
        stay = [np.setdiff1d(np.arange(len(y)), own) for own in (*deleted, *drawn)]
        runs = fit_together([*seeded(bare, FEW), *seeded(bare, FEW)], X, y, indices=stay)
        errors = np.array([[1 - run.score(Z, y_test) for Z in (X_test, X_test + noise)] for run in runs])
        found[t] = {
            "epoch": np.array(at),
            "deleted": np.array([len(own) for own in deleted]),
            "training error then": np.array([len(own) / len(y) for own in deleted]),
            "clean": errors[: len(FEW), 0],
            "clean, random": errors[len(FEW) :, 0],
            "noisy": errors[: len(FEW), 1],
            "noisy, random": errors[len(FEW) :, 1],
        }
    return found


def misclassified(run, epoch):
    """Positions of the samples that are wrong as of an epoch."""
    record = run.dynamics_
    return np.flatnonzero(record.prediction[:, epoch] != record.target)


def main():
    """Run all of it; print the tables and write the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--quick", action="store_true", help="20 epochs: whether it runs")
    arguments = parser.parse_args()
    quick = arguments.quick
    torch.set_num_threads(arguments.threads)
    start, found, analyzers = time.perf_counter(), {}, None

    def done(what):
        print(f"{time.perf_counter() - start:6.0f} s  {what}", flush=True)

    for setting in settings():
        for named, own, fitted in measure(setting, quick):
            found[named], analyzers = own, analyzers or fitted
            done(f"{named.name}: eps* {shown(own['eps'], '{:.4f}')}")
    runs = parity_runs(quick)
    stability = straggler_stability(runs, analyzer=EntanglementAnalyzer(reference=0))
    done("experiment 4")
    removal = second_experiment(quick)
    done("experiment 2")
    deletion = third_experiment(quick)
    done("experiment 3")
    print("\n" + claims_table(found, removal, stability, deletion))
    print("\n### The four experiments\n\n" + first_table(found))
    print("\n" + removal_table(removal) + "\n\n" + third_table(deletion) + "\n\n" + fourth_table(stability))
    print("\n" + stability.summary())
    print("\n### eps* elsewhere\n\n" + robustness_table(found))
    where = Path("output") if quick else HERE / "figures"
    where.mkdir(exist_ok=True)
    names = {"all": "all samples", "removed": "without stragglers", "random": "without random ones"}
    groups = {name: removal.analyzers[key] for key, name in names.items()}
    figures = {
        "entanglement_runs": EntanglementDisplay.from_analyzer(analyzers).plot().figure_,
        "entanglement_removal": EntanglementDisplay.from_analyzer(groups).plot().figure_,
        "entanglement_stability": StragglerStabilityDisplay.from_stability(stability).plot().figure_,
        "entanglement_elsewhere": draw_robustness(found),
    }
    for name, figure in figures.items():
        figure.savefig(where / f"{name}.png", dpi=110)
    done("in all")


def parity_runs(quick):
    """Ten runs of the reference, 150 epochs."""
    X, y, _, _ = standardised("mnist", N_SAMPLES, 2)
    return fit_together(seeded(REFERENCE.classifier(max_epochs=20 if quick else 150), SEEDS), X, y)


if __name__ == "__main__":
    main()
