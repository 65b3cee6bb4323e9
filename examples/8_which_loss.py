"""Which loss to train with
========================

Most people take the log loss. Janocha and Czarnecki (2017) compared twelve and advise otherwise: the squared hinge for
speed and accuracy, losses on the expectation where labels are noisy. Does that hold for your data and your network?
`compare_losses` trains all of them, with several seeds, as one program, and tells: who learns fastest, who ends best,
who stands wrong labels, and which differences the seeds cannot tell from chance.

The catch in such comparisons is the learning rate. One rate for all, as in the paper, compares losses whose gradients
differ in size; what looks like a better loss may be a better rate. By default each loss gets the rate that does best
on a part of the training data that is held out, all losses with the same budget. Both ways are shown here, with clean
labels and with 40 % of them drawn anew, on the digits that ship with scikit-learn.

Then the same question to the eye: spiral arms in the plane, and where networks trained with four of the losses decide
for which arm. The pictures are written into `output/`.

    python examples/8_which_loss.py
"""

from pathlib import Path

import matplotlib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_nndyn import DynamicsClassifier, compare_losses, fit_together
from sklearn_nndyn.datasets import make_spirals
from sklearn_nndyn.displays import DecisionRegionsDisplay
from sklearn_nndyn.modules import MLP

matplotlib.use("Agg")
OUTPUT = Path("output")
LOSSES = ("log", "squared_hinge", "l1", "expectation", "regularized_expectation", "cauchy_schwarz")
NOISE = (0, 0.4)


# %%
# The estimator says what network it is and how it is trained; the comparison sets loss, seed and rate.
def compare(learning_rates):
    """Six losses, three seeds, two levels of label noise."""
    X, y = load_digits(return_X_y=True)
    X, X_test, y, y_test = train_test_split(
        (X / 16).astype(np.float32), y, test_size=0.5, stratify=y, random_state=0
    )
    clf = DynamicsClassifier(MLP((50,)), batch_size=50, max_epochs=15, lr=1e-3)
    return compare_losses(
        clf,
        X,
        y,
        losses=LOSSES,
        label_noise=NOISE,
        seeds=3,
        X_test=X_test,
        y_test=y_test,
        learning_rates=learning_rates,
        lr_factors=(1, 3, 10, 30),
        tuning_runs=2,
    )


# %%
# Means come with 95 % intervals over the seeds. Seeds are few and shared by the losses, so differences are paired:
# `ranks` gives, for each loss, a p value of being the best after all.
def show(found):
    """A table, and the paragraph."""
    print("loss                       " + "".join(f"label noise {level:<15g}" for level in NOISE) + "rates")
    for loss, _, _ in found.intervals():
        cells = [
            (100 * mean, 100 * half)
            for level in NOISE
            for name, mean, half in found.intervals(label_noise=level)
            if name == loss
        ]
        rates = ", ".join(f"{rate:g}" for rate in np.unique(found.runs["lr"][found.select(loss=loss)]))
        print(f"{loss:25}  " + "".join(f"{mean:5.1f} ± {half:<19.1f}" for mean, half in cells) + rates)
    print(f"\n{found.summary()}")


# %%
# A network for each of four losses, from the same first weights, with the same batches.
def regions():
    """What they make of four spiral arms."""
    X, y = make_spirals(400, random_state=0)
    clf = {
        loss: DynamicsClassifier(
            MLP((50, 50)), loss=loss, lr=0.01, batch_size=50, max_epochs=40, random_state=0
        )
        for loss in ("log", "squared_hinge", "expectation", "l1")
    }
    fit_together(list(clf.values()), X.astype(np.float32), y)
    return DecisionRegionsDisplay.from_estimators(clf, X, y).plot()


def main():
    """One rate for all; tuned rates; regions."""
    OUTPUT.mkdir(exist_ok=True)
    pictures = {}
    for rates, words in (("fixed", "one rate for all"), ("tuned", "rates tuned, the same budget for each")):
        print(f"\n== {words} ==\n")
        found = compare(rates)
        show(found)
        pictures[f"{rates}_curves"] = found.plot("multiples")
        pictures[f"{rates}_noise"] = found.plot("noise")
    pictures["regions"] = regions()
    for name, display in pictures.items():
        display.figure_.savefig(OUTPUT / f"8_{name}.png", dpi=150)
    print(f"\nThe pictures are in {OUTPUT}: {', '.join(f'8_{name}.png' for name in pictures)}.")


if __name__ == "__main__":
    main()
