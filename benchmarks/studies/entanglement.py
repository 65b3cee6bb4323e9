"""Entanglement: do the claims of Ciceri, Cassani, Osella, Rotondo, Valle and Gherardi (2024) hold?

The authors' four experiments on MNIST parity (8,192 images, 20 tanh units, full-batch gradient descent):

1. Radii and distance of the two classes against epoch and training error, at rates 0.1 and 0.2.
2. The stragglers deleted, and as many random samples; trained again from the same initial weights.
3. What is misclassified after t steps deleted, for t spaced evenly in its logarithm; 500 epochs; test error, clean and
   with Gaussian input noise of deviation 1.
4. What two runs misclassify in common, against chance, by training error; and the stragglers beside the hardest samples
   of other epochs, as many of each class.

Then the training error at the inversion, eps*, elsewhere: subsamples, widths, optimisers, momentum, other networks
(two hidden layers, a convolution net, each in its first and last hidden layer), Fashion-MNIST, ten classes, and
mini-batches against full batches. Two classes are judged by the radius of label 0, ten by the mean radius. Seeds,
exclusions and the rule of each claim stand in rules/entanglement.json.

    python benchmarks/studies/entanglement.py [--quick] [--threads 2] [--parts stability,...] [--keep FOLDER]
"""

import time
from dataclasses import replace
from functools import lru_cache

import matplotlib

matplotlib.use("Agg")

import numpy as np
import torch
from _claims import write_claims, write_tables
from _entanglement_claims import deletion_claims, removal_claims, settings_claims, stability_claims
from _entanglement_hardest import against_hardest
from _entanglement_report import (
    draw_robustness,
    first_table,
    fourth_table,
    hardest_table,
    removal_table,
    robustness_table,
    third_table,
)
from _entanglement_settings import N_SAMPLES, REFERENCE, RULES, SEEDS, settings
from _kept import Kept
from _options import options
from _tables import flat_images, shown
from sklearn.base import clone

from sklearn_nndyn import EntanglementAnalyzer, fit_together
from sklearn_nndyn.analyzers import straggler_stability
from sklearn_nndyn.displays import EntanglementDisplay, StragglerStabilityDisplay
from sklearn_nndyn.interventions import remove_and_refit

LAYER_NAMES = {0: ", first layer", 1: ", second layer", -1: ", last layer"}


@lru_cache(maxsize=2)
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
    """For each layer {figure: one value for each seed}; and the analyzers of the first layer."""
    X, y, X_test, y_test = standardised(
        setting.data, setting.n, setting.classes, images=not isinstance(setting.module, tuple)
    )
    clf = setting.classifier(**({"max_epochs": 20} if quick else {}))
    runs = fit_together(seeded(clf, setting.seeds), X, y)
    test_errors = [1 - run.score(X_test, y_test) for run in runs]
    by_layer = [
        [EntanglementAnalyzer(layer, reference=reference_of(setting)).fit(run) for run in runs]
        for layer in setting.layers
    ]
    return [values_of(analyzers, test_errors) for analyzers in by_layer], by_layer[0]


def values_of(analyzers, test_errors):
    """{figure: one value for each seed}."""
    figures = [
        figures_of(found) | {"test": error} for found, error in zip(analyzers, test_errors, strict=True)
    ]
    return {name: np.array([own[name] for own in figures], dtype=float) for name in figures[0]}


def named(setting):
    """The setting for each layer that is asked, its name with the layer's where there are two."""
    if len(setting.layers) == 1:
        return [setting]
    return [replace(setting, name=setting.name + LAYER_NAMES[layer]) for layer in setting.layers]


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
        REFERENCE.classifier(max_epochs=20 if quick else RULES["epochs"]["removal"]),
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
    epochs = 20 if quick else RULES["epochs"]["deletion"]
    clf = REFERENCE.classifier(max_epochs=epochs)
    whole = fit_together(seeded(clf, SEEDS), X, y)
    turns = [EntanglementAnalyzer(reference=0).fit(run).inversion_epoch_ for run in whole]
    noise = np.random.default_rng(0).normal(size=X_test.shape).astype(np.float32)
    bare = clone(clf).set_params(record=())
    found = {}
    for t in (*(t for t in RULES["deleted_at"] if t <= epochs), "inversion"):
        at = [turn if t == "inversion" else t for turn in turns]
        if None in at:
            continue
        deleted = [misclassified(run, epoch) for run, epoch in zip(whole, at, strict=True)]
        drawn = [
            np.random.default_rng(seed).choice(len(y), len(own), replace=False)
            for seed, own in zip(SEEDS, deleted, strict=True)
        ]
        stay = [np.setdiff1d(np.arange(len(y)), own) for own in (*deleted, *drawn)]
        runs = fit_together([*seeded(bare, SEEDS), *seeded(bare, SEEDS)], X, y, indices=stay)
        errors = np.array([[1 - run.score(Z, y_test) for Z in (X_test, X_test + noise)] for run in runs])
        found[t] = {
            "epoch": np.array(at),
            "deleted": np.array([len(own) for own in deleted]),
            "training error then": np.array([len(own) / len(y) for own in deleted]),
            "clean": errors[: len(SEEDS), 0],
            "clean, random": errors[len(SEEDS) :, 0],
            "noisy": errors[: len(SEEDS), 1],
            "noisy, random": errors[len(SEEDS) :, 1],
        }
    return found


def misclassified(run, epoch):
    """Positions of the samples that are wrong as of an epoch."""
    record = run.dynamics_
    return np.flatnonzero(record.prediction[:, epoch] != record.target)


def main():
    """Run all of it; write claims, tables and figures, a part at a time."""
    chosen = options(__doc__, RULES["parts"], choice="parts", threads=2, keep=True)
    torch.set_num_threads(chosen.threads)
    start = time.perf_counter()
    (chosen.out / "figures").mkdir(parents=True, exist_ok=True)
    kept = Kept(chosen.keep, "entanglement", chosen.quick)
    for part in chosen.parts.split(","):
        entries, sections, figures = PARTS[part](chosen.quick, kept)
        write_claims(chosen.out, entries)
        write_tables(chosen.out, "entanglement", "Entanglement", sections)
        for name, figure in figures.items():
            figure.savefig(chosen.out / "figures" / f"{name}.png", dpi=110)
        print(f"{time.perf_counter() - start:6.0f} s  {part}", flush=True)


def fourth_experiment(quick):
    """What runs have in common, and the stragglers beside others."""
    runs = parity_runs(quick)
    found = straggler_stability(runs, analyzer=EntanglementAnalyzer(reference=0))
    epochs = [e for e in RULES["hardest_at"] if e <= runs[0].n_iter_]
    return found, against_hardest([run.dynamics_ for run in runs], found, epochs)


def stability_part(quick, kept):
    """Experiment 4."""
    found, like = kept("stability", lambda: fourth_experiment(quick))
    figure = StragglerStabilityDisplay.from_stability(found).plot().figure_
    text = f"{fourth_table(found)}\n\n{hardest_table(like)}\n\n{found.summary()}"
    return (
        stability_claims(found, like),
        {"Experiment 4: what runs share": text},
        {"entanglement_stability": figure},
    )


def removal_part(quick, kept):
    """Experiment 2."""
    found = kept("removal", lambda: second_experiment(quick))
    names = {"all": "all samples", "removed": "without stragglers", "random": "without random ones"}
    groups = {name: found.analyzers[key] for key, name in names.items()}
    figure = EntanglementDisplay.from_analyzer(groups).plot().figure_
    sections = {"Experiment 2: without the stragglers": removal_table(found)}
    return removal_claims(found), sections, {"entanglement_removal": figure}


def deletion_part(quick, kept):
    """Experiment 3."""
    found = kept("deletion", lambda: third_experiment(quick))
    return deletion_claims(found), {"Experiment 3: what is wrong at an epoch deleted": third_table(found)}, {}


def settings_part(quick, kept):
    """Experiment 1, and eps* elsewhere."""
    found, start = {}, time.perf_counter()
    for setting in settings():
        values, analyzers = kept(
            f"{setting.kind} {setting.name}", lambda setting=setting: measure(setting, quick)
        )
        if setting is REFERENCE:
            figure = EntanglementDisplay.from_analyzer(analyzers).plot().figure_
        for own, by_layer in zip(named(setting), values, strict=True):
            found[own] = by_layer
            told = (
                f"{time.perf_counter() - start:6.0f} s  {own.name}: eps* {shown(by_layer['eps'], '{:.4f}')}"
            )
            print(f"        {told}", flush=True)
    sections = {
        "Experiment 1: radii and distance": first_table(found),
        "eps* elsewhere": robustness_table(found),
    }
    figures = {
        "entanglement_runs": figure,
        "entanglement_elsewhere": draw_robustness(found),
    }
    return settings_claims(found), sections, figures


def parity_runs(quick):
    """Ten runs of the reference, 150 epochs."""
    X, y, _, _ = standardised("mnist", N_SAMPLES, 2)
    return fit_together(
        seeded(REFERENCE.classifier(max_epochs=20 if quick else RULES["epochs"]["stability"]), SEEDS), X, y
    )


PARTS = {
    "stability": stability_part,
    "removal": removal_part,
    "deletion": deletion_part,
    "settings": settings_part,
}


if __name__ == "__main__":
    main()
