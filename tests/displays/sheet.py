"""Every display on several data and numbers of epochs, a picture each, to be looked at.

Run as ``python -m tests.displays.sheet FOLDER``; writes a picture for each display, data set and number of epochs, and
one page that shows them all.
"""

import sys
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_classification
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import scale

from sklearn_nndyn import (
    DynamicsClassifier,
    LearningPhaseAnalyzer,
    LossTailAnalyzer,
    compare_losses,
    displays,
    fit_together,
)
from sklearn_nndyn.analyzers import straggler_stability

EPOCHS = (3, 300)


def letters():
    return make_classification(
        1300, 20, n_informative=15, n_classes=26, n_clusters_per_class=1, class_sep=1.5, random_state=0
    )


def digits():
    X, y = load_digits(return_X_y=True)
    return X[:400], y[:400]


DATA = {
    "breast_cancer": lambda: load_breast_cancer(return_X_y=True),
    "iris": lambda: load_iris(return_X_y=True),
    "wine": lambda: load_wine(return_X_y=True),
    "letters": letters,
    "digits": digits,
}


def classifiers(epochs, split):
    X, X_test, y, y_test = split
    models = [
        DynamicsClassifier(
            lr=0.01,
            batch_size=32,
            max_epochs=epochs,
            random_state=seed,
            record=("samples", "scores", "geometry", "reconstruction", "probe"),
            snapshots=True,
        )
        for seed in range(3)
    ]
    return fit_together(models, X, y, X_val=X_test, y_val=y_test)


def drawings(models, split):
    """{name of a display: function that draws it}."""
    X, X_test, y = split[:3]
    clf, d = models[0], displays
    held_out = clf.validation_dynamics_
    return {
        "training_curve": lambda: d.TrainingCurveDisplay.from_estimator(clf).plot(),
        "loss_tail": lambda: d.LossTailDisplay.from_analyzer(LossTailAnalyzer().fit(held_out)).plot(),
        "loss_share": lambda: d.LossShareDisplay.from_dynamics(held_out).plot(),
        "loss_density": lambda: d.LossDensityDisplay.from_dynamics(held_out).plot(),
        "loss_heatmap": lambda: d.LossHeatmapDisplay.from_dynamics(held_out).plot(),
        "data_map": lambda: d.DataMapDisplay.from_dynamics(clf).plot(),
        "worst_samples": lambda: d.WorstSamplesDisplay.from_dynamics(held_out, X_test).plot(),
        "entanglement": lambda: d.EntanglementDisplay.from_dynamics(clf).plot(),
        "class_entanglement": lambda: d.ClassEntanglementDisplay.from_dynamics(clf).plot(),
        "straggler_gallery": lambda: d.StragglerGalleryDisplay.from_dynamics(clf, X).plot(),
        "straggler_stability": lambda: d.StragglerStabilityDisplay.from_stability(
            straggler_stability(models)
        ).plot(),
        "learning_phases": lambda: d.LearningPhaseDisplay.from_analyzer(
            LearningPhaseAnalyzer().fit(models)
        ).plot(),
        "reconstructed_images": lambda: d.ReconstructedImagesDisplay.from_estimator(
            clf, X_test[:8], X_train=X
        ).plot(),
        "refinement": lambda: d.RefinementDisplay.from_dynamics(clf).plot(),
        "decision_regions": lambda: d.DecisionRegionsDisplay.from_estimators(
            {"log": two_columns(clf, X, y)}, X[:, :2], y
        ).plot(),
        "losses": lambda: compared(clf, split).plot("curves"),
        "losses_multiples": lambda: compared(clf, split).plot("multiples"),
        "noise": lambda: compared(clf, split).plot("noise"),
    }


def two_columns(clf, X, y):
    return DynamicsClassifier(max_epochs=clf.max_epochs, random_state=0, record=()).fit(X[:, :2], y)


def compared(clf, split):
    X, X_test, y, y_test = split
    model = DynamicsClassifier(lr=0.01, max_epochs=min(clf.max_epochs, 20))
    return compare_losses(
        model,
        X,
        y,
        losses=["log", "l2"],
        label_noise=(0, 0.4),
        seeds=2,
        X_test=X_test,
        y_test=y_test,
        learning_rates={"log": 0.01, "l2": 0.01},
    )


def draw(name, function, path):
    """The message where it refuses."""
    try:
        function()
        plt.gcf().savefig(path, dpi=80, bbox_inches="tight")
        return f'<figure><img src="{path.name}"><figcaption>{name}</figcaption></figure>'
    except ValueError as refused:
        return f"<figure><figcaption>{name}: {refused}</figcaption></figure>"
    finally:
        plt.close("all")


def main(folder):
    folder.mkdir(parents=True, exist_ok=True)
    page = [
        "<style>figure {display: inline-block; width: 22em; vertical-align: top} img {width: 100%}</style>"
    ]
    for data, load in DATA.items():
        X, y = load()
        split = train_test_split(scale(X), y, stratify=y, test_size=0.3, random_state=0)
        for epochs in EPOCHS:
            page.append(f"<h1>{data}, {epochs} epochs</h1>")
            models = classifiers(epochs, split)
            for name, function in drawings(models, split).items():
                page.append(draw(name, function, folder / f"{data}_{epochs}_{name}.png"))
                print(data, epochs, name, flush=True)
    (folder / "index.html").write_text("\n".join(page))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]))
