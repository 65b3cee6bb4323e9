"""Why the mean loss rises while accuracy holds
============================================

Train long enough, and the mean loss on held-out samples turns and rises; accuracy does not fall. Is the network
getting worse? One call on the fitted model answers for your own data: which samples rise, how few of them carry the
whole rise, and whether they lie at the border between two classes or are wrong by far. Another tells how much of the
rise is calibration, and which epoch is best once that is mended. Two more ask for the cause: is it that all scores
grow, or that a few hidden units do?

Here the question is put twice: to the digits that ship with scikit-learn, where a small network does not get that far
in 100 epochs and the answer is that nothing of the kind happens; and, where MNIST lies on disk, to 10,000 of its
images. For each set you get a paragraph, and pictures in `output/`.

    python examples/5_loss_tails.py
"""

from pathlib import Path

import matplotlib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_nndyn import DynamicsClassifier, LossTailAnalyzer, RefinementAnalyzer
from sklearn_nndyn.datasets import load_images
from sklearn_nndyn.displays import (
    LossDensityDisplay,
    LossHeatmapDisplay,
    LossShareDisplay,
    LossTailDisplay,
    RefinementDisplay,
    WorstSamplesDisplay,
)
from sklearn_nndyn.interventions import feature_growth, scale_test

matplotlib.use("Agg")
OUTPUT = Path("output")


def small_digits():
    """1,797 images of 8 x 8 pixels, a third of them held back."""
    X, y = load_digits(return_X_y=True)
    return train_test_split(X / 16, y, test_size=1 / 3, stratify=y, random_state=0)


def mnist():
    """The first 10,000 training images and the 10,000 test images, 28 x 28 pixels."""
    images = load_images("mnist")
    X_train, X_test = (
        X.reshape(len(X), -1) / np.float32(255) for X in (images.X_train[:10000], images.X_test)
    )
    return X_train, X_test, images.y_train[:10000], images.y_test


# %%
# The analyzer takes the fitted model and reads its validation record. The epoch from which a rise is measured is not
# chosen on the samples it is measured on: half of the samples choose it for the other half.
def analyse(clf):
    """The paragraph, and where the rise falls, in figures."""
    tails = LossTailAnalyzer().fit(clf)
    print(tails.summary())
    print("\nfrom the turn to the end    samples    rise of the loss, in all    median margin at the end")
    for name, row in tails.transitions_.items():
        before, after = ("right" if letter == "C" else "wrong" for letter in name)
        print(
            f"{before} to {after:17s}    {row['count']:7d}    {row['rise_sum']:24.1f}    {row['margin_at_end']:24.2f}"
        )
    return tails


# %%
# The analyzer is a transformer: a row for each sample. What sets the few apart can be asked of any model that takes a
# table.
def table(tails, record):
    """The first rows of the table, the greatest rises first."""
    rows = tails.transform(record)
    names = tails.get_feature_names_out()
    greatest = np.argsort(-rows[:, list(names).index("rise")])[:5]
    print("\nsample    " + "    ".join(names))
    for sample in greatest:
        cells = (f"{value:{len(name)}.4g}" for name, value in zip(names, rows[sample], strict=True))
        print(f"{sample:6d}    " + "    ".join(cells))


# %%
# Is the network getting worse, or only too sure? The loss of each epoch falls into refinement, what is left when its
# scores are divided by the temperature that suits them, and calibration.


def refine(clf):
    """The paragraph on refinement and calibration."""
    refinement = RefinementAnalyzer().fit(clf)
    print(f"\n{refinement.summary()}")
    return refinement


# %%
# Why do they rise? Two tests. The first divides the scores at the end by one number, so that they are as large as at
# the turn: what vanishes of the rise came from their growth. The second does so for a tenth of the hidden units, those
# whose outgoing weights grew most, against as many at random.
def why(tails, clf, X_test, y_test):
    """Both tests, in words; the second only where there is a rise to explain."""
    print(f"\n{scale_test(clf).summary()}")
    if tails.mean_rise_ > 0:
        print(f"\n{feature_growth(clf, X_test, y_test, onset=tails.onset_epoch_).summary()}")


# %%
# Six pictures. The first tells it all: the mean near its turn, and the mean among the losses of all samples.
def draw(name, tails, refinement, clf, X_test):
    """Write the pictures of one set."""
    record = clf.validation_dynamics_
    pictures = {
        "curves": LossTailDisplay.from_analyzer(tails),
        "refinement": RefinementDisplay.from_analyzer(refinement),
        "shares": LossShareDisplay.from_analyzer(tails),
        "samples": LossHeatmapDisplay.from_dynamics(record),
        "density": LossDensityDisplay.from_dynamics(record),
        "worst": WorstSamplesDisplay.from_analyzer(tails, record, X_test, by="rise"),
    }
    for kind, display in pictures.items():
        display.plot().figure_.savefig(OUTPUT / f"5_{name}_{kind}.png", dpi=150)
    print(f"\nThe pictures are in {OUTPUT}: {', '.join(f'5_{name}_{kind}.png' for kind in pictures)}.")


def main():
    """Both sets, one after the other."""
    OUTPUT.mkdir(exist_ok=True)
    for name, load, epochs in (("digits", small_digits, 100), ("mnist", mnist, 60)):
        try:
            X_train, X_test, y_train, y_test = load()
        except FileNotFoundError as error:
            print(f"\nLeaving out {name}: {error}")
            continue
        print(f"\n== {name}: {len(X_train)} training and {len(X_test)} test images ==\n")
        clf = DynamicsClassifier(max_epochs=epochs, record=("samples", "scores"), random_state=0)
        clf.fit(X_train, y_train, X_val=X_test, y_val=y_test)
        tails = analyse(clf)
        table(tails, clf.validation_dynamics_)
        refinement = refine(clf)
        why(tails, clf, X_test, y_test)
        draw(name, tails, refinement, clf, X_test)


if __name__ == "__main__":
    main()
