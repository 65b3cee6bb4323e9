"""When a layer stops keeping its input, and when pre-training for another task should stop
========================================================================================

At first a network learns what its inputs have in common, and its last hidden layer gives them back better and better;
later it learns the few samples that it still gets wrong, and the layer gives up what the task does not need. The turn
between the two is the earliest sensible stop for pre-training. One word in `record` has the layer decoded while it
learns; one call on the fitted models finds the phases.

Here the digits that ship with scikit-learn: the network learns odd against even, and the question is what its last
hidden layer still knows of the image, and of which digit it shows. You get paragraphs, a table, and pictures in
`output/`.

    python examples/7_learning_phases.py
"""

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split

from sklearn_nndyn import DynamicsClassifier, LearningPhaseAnalyzer
from sklearn_nndyn.analyzers import worst_shares
from sklearn_nndyn.displays import LearningPhaseDisplay, ReconstructedImagesDisplay
from sklearn_nndyn.modules import MLP

matplotlib.use("Agg")
OUTPUT = Path("output")
SEEDS = range(3)

# %%
# Much of it happens within the first epoch, so records are counted in updates of the weights: 0, 1, 2, 4, 8, ...
# At each a fresh linear decoder learns from the training images to give an image back from the last hidden layer, and
# is scored on the test images; so is a fresh linear classifier, the probe.
CLASSIFIER = DynamicsClassifier(
    MLP(hidden_layer_sizes=(64, 32)),
    batch_size=32,
    max_epochs=61,
    record=("samples", "reconstruction", "probe", "gradients"),
    record_iterations="log",
)


def save(display, name):
    """Draw, and write the picture."""
    display.plot().figure_.savefig(OUTPUT / f"7_{name}.png", dpi=150)


# %%
# Three seeds, one question: are there phases, and where is the turn? Each sample has a row: how much its own
# reconstruction got worse after the turn, and when it was learned.
def find_phases(X, odd, X_test, odd_test):
    """The curve, its phases, and the samples."""
    runs = [clone(CLASSIFIER).set_params(random_state=seed) for seed in SEEDS]
    for run in runs:
        run.fit(X, odd, X_val=X_test, y_val=odd_test)
    phases = LearningPhaseAnalyzer().fit(runs)
    print(phases.summary())
    print(f"\n{phases.phases_}")
    save(LearningPhaseDisplay.from_analyzer(phases), "phases")
    return runs, phases


# %%
# As training goes on, fewer samples carry the gradient: the majority is done.
def show_gradients(run):
    """Share of all gradient norms that the worst samples have, over the updates."""
    fractions = (0.01, 0.05, 0.1)
    carried = worst_shares(run, of="gradient_norm", fractions=fractions)
    _, ax = plt.subplots(figsize=(3.4, 2.6), layout="constrained")
    ax.plot(
        run.dynamics_.iterations,
        100 * carried,
        label=[f"worst {100 * fraction:g} %" for fraction in fractions],
    )
    ax.set(xlabel="iteration", ylabel="share of all gradient norms (%)", ylim=(0, 100))
    ax.set_xscale("symlog", linthresh=1)
    ax.legend()
    ax.figure.savefig(OUTPUT / "7_gradients.png", dpi=150)


# %%
# What the layer knows of a digit, as an image: at the start, at the turn, at the end.
def show_images(run, phases, X, X_test):
    """Reconstructed test images."""
    recorded = [run.dynamics_.epochs[at] for at in (0, phases.lowest_, -1)]
    pictures = ReconstructedImagesDisplay.from_estimator(run, X_test[:6], X_train=X, epochs=recorded)
    save(pictures, "images")


# %%
# Does the turn help another task? Here: which of the ten digits is it, from the frozen layer? The authors found that it
# does, far before the network itself is best. Look at the table before you believe it for data of your own.
def transfer(runs, phases, X, y, X_test, y_test):
    """Accuracy of a linear classifier of ten digits on the frozen layer, at each recorded epoch."""
    epochs = phases.epochs_
    accuracy = np.zeros((len(runs), len(epochs)))
    for i, run in enumerate(runs):
        for at, epoch in enumerate(epochs):
            probe = LogisticRegression(max_iter=2000).fit(run.activations(X, epoch=epoch), y)
            accuracy[i, at] = probe.score(run.activations(X_test, epoch=epoch), y_test)
    print("\niteration   given back, R   odd or even   which digit (transfer)")
    for at, iteration in enumerate(phases.iterations_):
        marks = "  <- turn" if at == phases.lowest_ else ""
        print(
            f"{iteration:9}{phases.reconstruction_curve_[at]:16.4f}{phases.accuracy_curve_[at]:14.3f}"
            f"{accuracy[:, at].mean():15.3f} ± {accuracy[:, at].std(ddof=1) / len(runs) ** 0.5:.3f}{marks}"
        )


# %%
# To stop there without looking at curves: `early_stopping=True, monitor="reconstruction"` restores the weights of the
# turn.
def stop_at_the_turn(X, odd, X_test, odd_test):
    """One fit that ends by itself."""
    clf = clone(CLASSIFIER).set_params(early_stopping=True, monitor="reconstruction", random_state=0)
    clf.fit(X, odd, X_val=X_test, y_val=odd_test)
    print(
        f'\nmonitor="reconstruction": stopped after {clf.n_iter_} of {clf.max_epochs} epochs, with the '
        f"weights of epoch {clf.best_epoch_:.2f}."
    )


def main():
    """Phases, images, transfer, early stopping."""
    OUTPUT.mkdir(exist_ok=True)
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(X / 16, y, test_size=0.4, stratify=y, random_state=0)
    odd, odd_test = (np.where(own % 2, "odd", "even") for own in (y, y_test))
    runs, phases = find_phases(X, odd, X_test, odd_test)
    show_gradients(runs[0])
    show_images(runs[0], phases, X, X_test)
    transfer(runs, phases, X, y, X_test, y_test)
    stop_at_the_turn(X, odd, X_test, odd_test)
    print(
        f"\nThe pictures are in {OUTPUT}: {', '.join(sorted(path.name for path in OUTPUT.glob('7_*.png')))}."
    )


if __name__ == "__main__":
    main()
