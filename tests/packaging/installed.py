"""What a user does first, with the installed package alone: run it by ``python -I`` far from the source."""

import tempfile
from importlib.metadata import metadata, version
from importlib.resources import files
from pathlib import Path

from sklearn.datasets import load_iris

import sklearn_nndyn
from sklearn_nndyn import DynamicsClassifier, load_dynamics, report

assert "site-packages" in sklearn_nndyn.__file__, sklearn_nndyn.__file__
assert version("sklearn-nndyn") == sklearn_nndyn.__version__
assert {"Author", "Summary", "Keywords", "License-Expression"} <= set(metadata("sklearn-nndyn"))
assert files("sklearn_nndyn").joinpath("py.typed").is_file()

clf = DynamicsClassifier(max_epochs=3, validation_fraction=0.2, random_state=0).fit(
    *load_iris(return_X_y=True)
)
with tempfile.TemporaryDirectory() as folder:
    clf.dynamics_.save(Path(folder) / "run.safetensors")
    page = report(load_dynamics(Path(folder) / "run.safetensors"))
    page.save(Path(folder) / "report.html")
print(f"sklearn_nndyn {sklearn_nndyn.__version__} is installed and works: {page!r}")
