"""Which labels are wrong
======================

A network learns what labels have in common before it learns single wrong ones by heart. So the record of one ordinary
training tells which labels are not to be believed: samples whose margin, averaged over the epochs, is low (Pleiss et
al. 2020). `find_label_errors` ranks them, the most suspect first, and says between which numbers the count of wrong
labels lies. Given samples and labels, it trains several networks, of which some never saw each label, and ranks better.

To see how well it does, one needs to know the truth. Here it is planted: of the digits that ship with scikit-learn a
tenth gets another label. How many of the most suspect are among those? For comparison cleanlab's score, where cleanlab
is installed: the probability of the label by networks that did not see the sample, from cross-validation. It needs
four fits' worth of training where the record needs one and ten networks nine. On more data and kinds of wrong labels
they are compared in `benchmarks/` (`bench_label_errors.py`).

The data map (Swayamdipta et al. 2020) shows why it works: a point for each sample, how sure of its label the network
was on average, and how much that varied. Wrong labels lie at the bottom left. Two pictures are written into `output/`.

    python examples/9_wrong_labels.py
"""

from pathlib import Path

import matplotlib
import numpy as np
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import average_precision_score
from sklearn.model_selection import cross_val_predict

from sklearn_nndyn import DynamicsClassifier, SampleScoreAnalyzer
from sklearn_nndyn.analyzers import find_label_errors
from sklearn_nndyn.datasets import corrupt_labels
from sklearn_nndyn.displays import DataMapDisplay, StragglerGalleryDisplay

matplotlib.use("Agg")
OUTPUT = Path("output")


def planted():
    """The digits, a tenth of them labelled as the next digit; their labels, and which of these are wrong."""
    X, y = load_digits(return_X_y=True)
    noisy, wrong = corrupt_labels(y, 0.1, kind="pair", random_state=0)
    return (X / 16).astype(np.float32), noisy, wrong


def judge(name, scores, wrong):
    """How many of the most suspect are wrong, as many as there are; and the average precision of the whole ranking."""
    hits = wrong[np.argsort(scores, kind="stable")[: wrong.sum()]].sum()
    precision = average_precision_score(wrong, -scores)
    print(f"{name:25}  of the {wrong.sum()} most suspect {hits} are wrong; average precision {precision:.3f}")


# %%
# cleanlab takes probabilities from outside; our classifier gives them as any other does.
def cleanlab_scores(clf, X, y):
    """Its scores, the lower the more suspect; None where it is not installed."""
    try:
        from cleanlab.rank import get_label_quality_scores
    except ImportError:
        return None
    needs_predictions_only = clone(clf).set_params(record=(), snapshots=False)
    return get_label_quality_scores(
        y, cross_val_predict(needs_predictions_only, X, y, cv=5, method="predict_proba")
    )


# %%
# The scores of the field are made of the same record: a table with a row for each sample. Average precision says how
# well each of them finds the wrong labels; some measure how hard a sample is, high for the hard ones.
def other_scores(clf, wrong):
    """Each score by itself."""
    scores = SampleScoreAnalyzer().fit(clf)
    table = np.nan_to_num(scores.transform(clf), nan=clf.n_iter_ + 1)  # never learned
    high_when_hard = ("el2n", "forgetting_events", "epoch_learned")
    print("\nscore                 average precision")
    for name, column in zip(scores.get_feature_names_out(), table.T, strict=True):
        suspect = column if name in high_when_hard else -column
        print(f"{name:20}  {average_precision_score(wrong, suspect):17.3f}")
    return scores


# %%
# To look at the suspects is the point of it all: a person decides. The gallery is the one of stragglers.
def suspects(X, found, scores):
    """The twelve most suspect, with their label, what was seen in them instead, and when the label was learned."""
    worst = found.ranking[:12]
    return StragglerGalleryDisplay(
        X[worst].reshape(-1, 8, 8),
        found.y[worst],
        found.suggestions[worst],
        scores.epoch_learned_[worst],
        worst,
        title="The most suspect labels",
    )


def main():
    """One training, or several; their rankings, and two pictures."""
    OUTPUT.mkdir(exist_ok=True)
    X, y, wrong = planted()
    clf = DynamicsClassifier(max_epochs=15, batch_size=32, random_state=0).fit(X, y)
    found = find_label_errors(clf)
    print(found.summary() + "\n")
    several = find_label_errors(clf, X, y, runs=10)
    print(several.summary() + "\n")
    judge("margins of one training", found.scores, wrong)
    judge("ten networks and one", several.scores, wrong)
    theirs = cleanlab_scores(clf, X, y)
    if theirs is None:
        print('cleanlab is not installed, so it is not compared with: pip install "sklearn-nndyn[examples]".')
    else:
        judge("cleanlab, five-fold", theirs, wrong)
    right = found.suggestions[wrong] == (y[wrong] - 1) % 10
    print(f"Of the wrong labels {right.mean():.0%} have their true class suggested in their place.")
    scores = other_scores(clf, wrong)
    pictures = {
        "map": DataMapDisplay.from_analyzer(scores, highlight=wrong),
        "suspects": suspects(X, found, scores),
    }
    for name, display in pictures.items():
        display.plot().figure_.savefig(OUTPUT / f"9_{name}.png", dpi=150)
    print(f"\nThe pictures are in {OUTPUT}: {', '.join(f'9_{name}.png' for name in pictures)}.")


if __name__ == "__main__":
    main()
