"""What the README shows runs, block after block."""

import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import sklearn
import skorch
import torch
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import BatchedGridSearchCV, fit_together
from sklearn_nndyn.losses import loss_names

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def names(tmp_path, monkeypatch):
    """What the blocks take for granted."""
    monkeypatch.chdir(tmp_path)
    X, y = load_digits(n_class=4, return_X_y=True)
    X = X[:120].astype(np.float32) / 16
    X_train, X_test, y_train, y_test = train_test_split(X, y[:120], stratify=y[:120], random_state=0)
    return {
        "X": X, "y": y[:120], "X_train": X_train, "y_train": y_train, "X_test": X_test, "y_test": y_test,
        "X_val": X_test, "y_val": y_test, "X_new": X_test, "y_new": y_test,
        "GridSearchCV": GridSearchCV, "Pipeline": Pipeline, "StandardScaler": StandardScaler,
        "BatchedGridSearchCV": BatchedGridSearchCV, "clone": clone, "fit_together": fit_together,
        "loss_names": loss_names, "np": np, "skorch": skorch, "sklearn": sklearn, "torch": torch,
        "module": torch.nn.Sequential(torch.nn.Linear(64, 4), torch.nn.Softmax(-1)),
    }  # fmt: skip


def test_every_block_runs(names):
    blocks = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert len(blocks) >= 6
    matplotlib.use("Agg")
    with sklearn.config_context():
        for block in blocks:
            exec(block, names)
    assert names["clf"].early_stopping
    assert names["net"].dynamics_.n_classes == 4
    images = names["X"].reshape(-1, 1, 8, 8)
    fitted = names["DynamicsClassifier"](names["network"], loss=names["hellinger"], max_epochs=1).fit(
        images, names["y"]
    )
    assert fitted.dynamics_.layers


def test_every_file_it_points_to_exists():
    links = re.findall(r"\]\(([^)#:]+)\)", TEXT)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
