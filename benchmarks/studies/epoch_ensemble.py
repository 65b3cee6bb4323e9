"""Average over epochs: is it right more often than the last epoch?

Stern, Yaacoby and Weinshall (2024), arXiv 2412.12968. Networks of one hidden layer on clean labels and with a share of
them drawn anew; probabilities averaged over all epochs, and over the last and those of most forgotten knowledge. Data,
seeds, exclusions and the rule of each claim stand in rules/epoch_ensemble.json.

    python benchmarks/studies/epoch_ensemble.py [--quick --out FOLDER] [--threads 1] [--data table,...]
"""

import time

import numpy as np
import torch
from _claims import claim, setting, write_claims, write_tables
from _loss_tails_settings import NAMES_HERE, noisy, samples
from _options import in_all_decided, options, sign
from _rules import load_rules
from _tables import shown, table
from sklearn.base import clone

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.interventions import epoch_ensemble
from sklearn_nndyn.modules import MLP

RULES = load_rules("epoch_ensemble")
FIGURES = {"last": "last epoch", "all": "all epochs", "forgotten": "last and forgotten"}


def measure(data, noise, quick):
    """{figure: a value for each seed}, accuracies and gains in percent."""
    X, y, X_test, y_test = samples(data, 400 if quick else RULES["n_samples"])
    seeds, half = RULES["seeds"][:2] if quick else RULES["seeds"], len(X_test) // 2
    clf = DynamicsClassifier(
        MLP(hidden_layer_sizes=tuple(RULES["hidden"])),
        batch_size=RULES["batch_size"],
        max_epochs=8 if quick else RULES["epochs"],
        record=("samples",),
        snapshots=True,
    )
    runs = [clone(clf).set_params(random_state=seed) for seed in seeds]
    labels = [noisy(y, noise, seed) for seed in seeds]
    fit_together(runs, X, labels, X_val=X_test[:half], y_val=y_test[:half])
    found = [
        epoch_ensemble(run, X_test[half:], y_test[half:], n_forgotten=RULES["n_forgotten"]) for run in runs
    ]
    return {name: 100 * np.array([own.accuracy[name] for own in found]) for name in FIGURES}


def claims(data, found):
    """The entries of a data set, from {noise: figures}."""
    names = list(RULES["claims"])
    gains = [{noise: own[way] - own["last"] for noise, own in found.items()} for way in ("all", "forgotten")]
    clean, noisy_gain = (gains[0][noise] for noise in RULES["noise"])
    more = noisy_gain - clean
    judged = [[setting(told(noise), own, sign(own)) for noise, own in gain.items()] for gain in gains]
    about = {"study": "epoch_ensemble", "data": NAMES_HERE[data], "runs": len(more)}
    return [
        *(
            claim(name=name, rule=RULES["claims"][name], settings=own, verdict=in_all_decided(verdicts(own)), **about)
            for name, own in zip(names, judged, strict=False)
        ),
        claim(
            name=names[2], rule=RULES["claims"][names[2]], values=more, verdict=sign(more), note="points", **about
        ),
    ]  # fmt: skip


def verdicts(settings):
    """Of all of them."""
    return [own["verdict"] for own in settings]


def told(noise):
    """A level of label noise."""
    return f"{noise:.0%} of the labels drawn anew" if noise else "clean labels"


def section(found):
    """Accuracies of a data set."""
    rows = [
        [told(noise), *(shown(own[name], "{:.2f}") for name in FIGURES)]
        + [shown(own[name] - own["last"], "{:+.2f}") for name in ("all", "forgotten")]
        for noise, own in found.items()
    ]
    return table(["accuracy, %", *FIGURES.values(), "gain of all epochs", "gain of last and forgotten"], rows)


def main():
    """Run all of it; write claims and tables, a data set at a time."""
    chosen = options(__doc__, RULES["data"])
    torch.set_num_threads(chosen.threads)
    start = time.perf_counter()
    for data in chosen.data.split(","):
        found = {noise: measure(data, noise, chosen.quick) for noise in RULES["noise"]}
        write_claims(chosen.out, claims(data, found))
        write_tables(chosen.out, "epoch_ensemble", "Average over epochs", {NAMES_HERE[data]: section(found)})
        print(f"{time.perf_counter() - start:6.0f} s  {NAMES_HERE[data]}", flush=True)


if __name__ == "__main__":
    main()
