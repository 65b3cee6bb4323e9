"""Wrong labels of three kinds: are they found as well as by cleanlab's scores, and does the range hold their number?

Noise that is uniform, that takes the next class, and that follows the confusions of a weak model. The ways to find
wrong labels are those of benchmarks/bench_label_errors.py. Data, seeds, exclusions and the rule of each claim stand in
rules/label_noise.json.

    python benchmarks/studies/label_noise.py [--quick --out FOLDER] [--threads 1] [--data digits,...] [--keep FOLDER]
"""

import sys
import time
from pathlib import Path

import numpy as np
import torch
from _claims import claim, in_all, setting, write_claims, write_tables
from _kept import Kept
from _made_table import made_table
from _options import in_all_decided, options, sign
from _rules import load_rules
from _tables import shown, table
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.analyzers.sample_scores import bounded_margin
from sklearn_nndyn.datasets import load_images
from sklearn_nndyn.modules import MLP

sys.path.append(str(Path(__file__).parents[1]))
from bench_label_errors import held_out_by_folds, one_run, ten_networks, wrong_labels

RULES = load_rules("label_noise")
NAMES = {"digits": "digits", "table": "made table", "mnist": "MNIST", "fashion_mnist": "Fashion-MNIST"}
IMAGES = slice(4000, 6000)  # those before had a part in the weights of the score
OURS = {"ten networks": ten_networks, "one run": one_run}


def load(data, quick):
    """Samples and right labels."""
    if data == "table":
        return made_table(300 if quick else RULES["n_rows"])[:2]
    if data == "digits":
        X, y = load_digits(return_X_y=True)
        X = (X / 16).astype(np.float32)
    else:
        images = load_images(data)
        X, y = images.X_train[IMAGES].reshape(2000, -1) / np.float32(255), images.y_train[IMAGES].astype(int)
    n = 300 if quick else len(y)
    return X[:n], y[:n]


def measure(X, y, kind, seed, quick):
    """Average precision by each way, and the ranges of ours with the true number."""
    clf = DynamicsClassifier(
        MLP(tuple(RULES["hidden"])), record=("samples",), snapshots=False, random_state=seed,
        batch_size=RULES["batch_size"], max_epochs=5 if quick else RULES["epochs"],
    )  # fmt: skip
    given = wrong_labels(X, y, kind, RULES["rate"], seed)
    wrong = given != y
    found = {name: way(clf, X, given, seed) for name, way in OURS.items()}
    p = held_out_by_folds(clf, X, given, seed)
    scores = {name: [own.scores] for name, own in found.items()}
    scores["cleanlab's"] = [p[np.arange(len(y)), given], bounded_margin(p, given)]
    precision = {
        name: max(average_precision_score(wrong, -score) for score in own) for name, own in scores.items()
    }
    return precision, {name: (own.count_interval, int(wrong.sum())) for name, own in found.items()}


def ranking(number, name, found):
    """Claims 1 and 2, from {kind: [(average precisions, ranges) of the seeds]}."""
    gains = {kind: of(own, name) - of(own, "cleanlab's") for kind, own in found.items()}
    settings = [setting(kind, gain, sign(gain)) for kind, gain in gains.items()]
    return entry(number, found, settings, in_all_decided([own["verdict"] for own in settings]))


def ranges(number, name, found):
    """Claims 3 and 4: the value is in how many of the seeds the range is given and holds."""
    settings = []
    for kind, own in found.items():
        given = [(ends, wrong) for ends, wrong in (ranges[name] for _, ranges in own) if ends is not None]
        holds = [ends[0] <= wrong <= ends[1] for ends, wrong in given]
        held = 2 * len(given) >= len(own) and sum(holds) >= 0.9 * len(holds)
        settings.append(
            {
                "name": f"{kind}: given in {len(given)} of {len(own)}, holds in {sum(holds)}",
                "value": None,
                "interval": None,
                "verdict": "held" if held else "did not hold",
            }
        )
    return entry(number, found, settings, in_all([own["verdict"] for own in settings]))


def of(own, name):
    """Average precisions of a way, a value for each seed."""
    return np.array([precision[name] for precision, _ in own])


def entry(number, found, settings, verdict):
    """A claim by its number; its data is filled in later."""
    name = list(RULES["claims"])[number - 1]
    runs = len(next(iter(found.values())))
    return claim(
        "label_noise", name, None, RULES["claims"][name], runs=runs, verdict=verdict, settings=settings
    )


def claims(data, found):
    """The entries of a data set."""
    ten, one = OURS
    entries = [ranking(1, ten, found), ranking(2, one, found), ranges(3, ten, found), ranges(4, one, found)]
    return [own | {"data": NAMES[data]} for own in entries]


def section(found):
    """Average precisions of a data set."""
    ways = [*OURS, "cleanlab's"]
    rows = [[kind, *(shown(of(own, name), "{:.3f}") for name in ways)] for kind, own in found.items()]
    return table([f"average precision, {RULES['rate']:.0%} wrong", *ways], rows)


def main():
    """Run all of it; write claims and tables, a data set at a time."""
    chosen = options(__doc__, RULES["data"], keep=True)
    kept = Kept(chosen.keep, "label_noise", chosen.quick)
    torch.set_num_threads(chosen.threads)
    start = time.perf_counter()
    for data in chosen.data.split(","):
        X, y = load(data, chosen.quick)
        found = {}
        for kind in RULES["kinds"]:
            seeds = RULES["seeds"][:2] if chosen.quick else RULES["seeds"]
            found[kind] = [
                kept(f"{data} {kind} {seed}", lambda: measure(X, y, kind, seed, chosen.quick))  # noqa: B023
                for seed in seeds
            ]
            print(f"{time.perf_counter() - start:6.0f} s  {NAMES[data]}, {kind}", flush=True)
        write_claims(chosen.out, claims(data, found), instead_of=[("label_noise", NAMES[data])])
        write_tables(chosen.out, "label_noise", "Wrong labels of three kinds", {NAMES[data]: section(found)})


if __name__ == "__main__":
    main()
