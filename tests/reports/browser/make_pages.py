"""Write reports of many kinds of record for the browser: ``python -m tests.reports.browser.make_pages FOLDER``."""

import sys
from pathlib import Path

import numpy as np

from sklearn_nndyn import report
from tests.reports.records import made_record

PICTURES = np.random.default_rng(0).random((60, 8, 8))
PAGES = {
    "pictures": lambda: report(made_record(), PICTURES, validation=made_record(n_samples=30, seed=1)),
    "two_classes": lambda: report(made_record(classes=("no", "yes"))),
    "many_classes": lambda: report(made_record(n_samples=600, classes=tuple(range(200)))),
    "nasty_labels": lambda: report(made_record(classes=("&", "<img src=//x>", "<script>alert(1)</script>"))),
    "one_epoch": lambda: report(made_record(n_epochs=1)),
    "no_margin": lambda: report(made_record(leave_out=("margin",))),
    "no_scores": lambda: report(made_record(leave_out=("scores",))),
    "loss_only": lambda: report(
        made_record(leave_out=("margin", "prediction", "scores", "centroids", "reconstruction"))
    ),
    "large": lambda: report(made_record(n_samples=60_000, n_epochs=100, classes=tuple(range(10)))),
}

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in PAGES.items():
        make().save(folder / f"{name}.html")
