"""When the classes begin to mix again, and the samples behind it
==============================================================

Training first draws the classes of a hidden layer apart; then, slowly, they mix again. At the turn, the inversion
point, most samples are right; those that are not are the stragglers, few and nearly the same in every run. One call on
a fitted model finds both; three more ask whether other runs agree, what becomes of the turn without the stragglers, and
what they look like.

Here the digits that ship with scikit-learn, first odd against even, then all ten; you get paragraphs, a table, and
pictures in `output/`.

    python examples/6_entanglement.py
"""

from pathlib import Path

import matplotlib
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import DynamicsClassifier, EntanglementAnalyzer, fit_together
from sklearn_nndyn.analyzers import straggler_stability
from sklearn_nndyn.displays import (
    ClassEntanglementDisplay,
    EntanglementDisplay,
    StragglerGalleryDisplay,
    StragglerStabilityDisplay,
)
from sklearn_nndyn.interventions import remove_and_refit
from sklearn_nndyn.modules import MLP

matplotlib.use("Agg")
OUTPUT = Path("output")
SEEDS = range(5)

# %%
# Plain gradient descent over all rows at once, one step an epoch, shows the turn most clearly. Centred pixels matter:
# where all are positive, all activations point one way at first, and the radii of the classes say little.
CLASSIFIER = DynamicsClassifier(
    MLP(hidden_layer_sizes=(20,), activation="tanh"),
    optimizer="sgd",
    lr=0.1,
    batch_size="full",
    max_epochs=500,
    record_epochs=5,  # the classes mix slowly: every fifth epoch shows it
    random_state=0,
)


def save(display, name):
    """Draw, and write the picture."""
    display.plot().figure_.savefig(OUTPUT / f"6_{name}.png", dpi=150)


# %%
# One run: the paragraph, and a row for each sample. With `samples` their activations are replayed: how alike each one
# is to its own class and to the nearest other, at the turn and at the end.
def one_run(X, y):
    """The inversion of a single fit."""
    clf = clone(CLASSIFIER).fit(X, y)
    entanglement = EntanglementAnalyzer().fit(clf)
    print(entanglement.summary())
    rows = entanglement.transform(clf, samples=X)
    straggler = rows[:, 0] == 1
    print(f"\n{'':28}stragglers    other samples")
    for name, column in zip(entanglement.get_feature_names_out()[2:], rows[:, 2:].T, strict=True):
        print(
            f"{'mean ' + name:28}{np.nanmean(column[straggler]):10.2f}{np.nanmean(column[~straggler]):17.2f}"
        )
    return clf, entanglement


# %%
# Five runs are one line. Do they turn at the same training error, and have they the same stragglers?
def five_runs(X, y):
    """Whether other seeds agree."""
    runs = fit_together([clone(CLASSIFIER).set_params(random_state=seed) for seed in SEEDS], X, y)
    stability = straggler_stability(runs)
    print(f"\n{stability.summary()}")
    save(EntanglementDisplay.from_analyzer(stability.analyzers), "runs")
    save(StragglerStabilityDisplay.from_stability(stability), "stability")
    return stability


# %%
# Left out and trained again from the same initial weights: without its stragglers a run has no turn, without as many
# random samples it has the same one.
def without_stragglers(X, y):
    """The experiment of the paper, three seeds."""
    removal = remove_and_refit(CLASSIFIER, X, y, seeds=(0, 1, 2))
    print(f"\n{removal.summary()}")
    names = {"all": "all samples", "removed": "without stragglers", "random": "without random ones"}
    groups = {name: removal.analyzers[key] for key, name in names.items()}
    save(EntanglementDisplay.from_analyzer(groups), "removal")


# %%
# Ten classes: each has a turn of its own, and some pairs mix again more than others.
def ten_classes(X, y):
    """The radii class by class."""
    clf = clone(CLASSIFIER).set_params(max_epochs=2000, lr=0.3).fit(X, y)
    entanglement = EntanglementAnalyzer().fit(clf)
    print(f"\n{entanglement.summary()}")
    save(ClassEntanglementDisplay.from_analyzer(entanglement), "ten_classes")


def main():
    """Parity, then all ten digits."""
    OUTPUT.mkdir(exist_ok=True)
    X, y = load_digits(return_X_y=True)
    images, X = X, StandardScaler().fit_transform(X)
    odd = np.where(y % 2, "odd", "even")
    clf, entanglement = one_run(X, odd)
    stability = five_runs(X, odd)
    persistent = stability.persistent_indices[:12]
    save(StragglerGalleryDisplay.from_analyzer(entanglement, clf, images, indices=persistent), "stragglers")
    without_stragglers(X, odd)
    ten_classes(X, y)
    print(
        f"\nThe pictures are in {OUTPUT}: {', '.join(sorted(path.name for path in OUTPUT.glob('6_*.png')))}."
    )


if __name__ == "__main__":
    main()
