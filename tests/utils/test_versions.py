"""A result says which versions made it."""

import importlib.metadata
import platform
import re
import sys

import pytest
import torch
from sklearn.datasets import load_iris
from skorch import NeuralNetClassifier

import sklearn_nndyn
from sklearn_nndyn import DynamicsClassifier, load_dynamics
from sklearn_nndyn.recording import RecordDynamics
from sklearn_nndyn.utils.versions import versions


def test_the_package_has_a_version():
    assert re.fullmatch(r"\d+\.\d+\.\d+\w*", sklearn_nndyn.__version__)


def test_versions_are_those_that_are_installed():
    known = versions()
    assert known.pop("python") == platform.python_version()
    assert known.pop("sklearn_nndyn") == sklearn_nndyn.__version__
    assert {"numpy", "scikit-learn", "torch", "skorch"} == set(known)
    for name, version in known.items():
        assert version.partition("+")[0] == importlib.metadata.version(name).partition("+")[0]


def test_what_took_no_part_is_not_named(monkeypatch):
    monkeypatch.delitem(sys.modules, "skorch")
    assert "skorch" not in versions()
    monkeypatch.setitem(sys.modules, "torch", None)
    assert "torch" not in versions()


def fitted_classifier(X, y):
    return DynamicsClassifier(max_epochs=1, random_state=0).fit(X, y)


def fitted_net(X, y):
    return NeuralNetClassifier(
        torch.nn.Linear(4, 3),
        criterion=torch.nn.CrossEntropyLoss,
        max_epochs=1,
        train_split=None,
        callbacks=[RecordDynamics()],
        verbose=0,
    ).fit(X, y)


@pytest.mark.parametrize("fitted", [fitted_classifier, fitted_net])
def test_records_tell_the_versions_and_keep_them(fitted, tmp_path):
    X, y = load_iris(return_X_y=True)
    record = fitted(X.astype("float32"), y).dynamics_
    assert record.header["versions"] == versions()
    record.save(tmp_path / "record")
    assert load_dynamics(tmp_path / "record").header["versions"] == versions()
