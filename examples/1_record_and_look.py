"""Record how every sample is learned, and look
============================================

A classifier usually forgets its training: what is left is a score. `DynamicsClassifier` is used like any
scikit-learn classifier, and afterwards still knows the loss, the margin and the prediction of every sample as of
every epoch. Here it learns handwritten digits, once those that ship with scikit-learn and, where MNIST lies on
disk, once more on 10,000 of its images. For each set you get a table over the epochs, a paragraph, and a picture
in `output/`.

    python examples/1_record_and_look.py
"""

from pathlib import Path

import matplotlib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from sklearn_nndyn import DynamicsClassifier, LossTailAnalyzer
from sklearn_nndyn.datasets import load_images
from sklearn_nndyn.displays import TrainingCurveDisplay

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
# The record of the validation samples has a row for each sample and a column for each epoch, as an array. Mean and
# median over the rows are two different stories: the median is what most samples do.
def table(clf):
    """A line for each of a few epochs."""
    train, test = clf.dynamics_, clf.validation_dynamics_
    print("         training set              test set")
    print("epoch    mean loss    accuracy    mean loss    median loss    accuracy    learned    forgotten")
    chosen = np.unique(np.geomspace(1, train.n_epochs, 8).astype(int) - 1)
    for e in chosen:
        before = test.correct[:, max(e - 1, 0)]
        now = test.correct[:, e]
        print(
            f"{train.epochs[e]:5d}    {train.loss[:, e].mean():9.4f}    {train.accuracy[e]:8.3f}    "
            f"{test.loss[:, e].mean():9.4f}    {np.median(test.loss[:, e]):11.6f}    {test.accuracy[e]:8.3f}    "
            f"{(now & ~before).sum():7d}    {(before & ~now).sum():9d}"
        )


# %%
# Sample by sample: when did each one come out right for good, and which lost ground since the mean was least?
def paragraph(clf):
    """What the record says of the test samples, in words."""
    test = clf.validation_dynamics_
    wrong = ~test.correct
    learned = np.where(wrong[:, -1], -1, test.n_epochs - np.argmax(wrong[:, ::-1], axis=1))
    learned[~wrong.any(axis=1)] = 0
    for_good = learned >= 0
    late = int(np.argmax(np.where(for_good, learned, -1)))
    print(
        f"\n{for_good.mean():.1%} of the {test.n_samples} test samples end up right; half of these were right for good "
        f"by epoch {int(np.median(test.epochs[learned[for_good]]))}, the last one, sample {late} (a "
        f"{test.y[late]}), by epoch {test.epochs[learned[late]]}.\n"
    )
    print(LossTailAnalyzer().fit(clf).summary())


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
        clf = DynamicsClassifier(max_epochs=epochs, random_state=0)
        clf.fit(X_train, y_train, X_val=X_test, y_val=y_test)
        table(clf)
        paragraph(clf)
        picture = OUTPUT / f"1_{name}.png"
        TrainingCurveDisplay.from_estimator(clf).plot(loss_scale="log").figure_.savefig(picture, dpi=150)
        print(f"\nThe picture is in {picture}.")


if __name__ == "__main__":
    main()
