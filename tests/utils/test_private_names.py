"""Private names of others: in one file, all there in this environment, and with a way out or a message each."""

import ast
import importlib

import pytest
from sklearn.model_selection._search import BaseSearchCV

from sklearn_nndyn.utils import private_names
from sklearn_nndyn.utils.private_names import (
    OF_BASE_SEARCH,
    OF_SCIKIT_LEARN,
    OF_TORCH,
    OF_TORCH_MODES,
    of_scikit_learn,
)
from tests.classifiers.test_laws import assert_same_record, assert_same_weights
from tests.problems import PROBLEMS
from tests.test_architecture import TREES, imports

OTHERS = ("sklearn", "skorch", "torch")


@pytest.mark.parametrize("name", OF_SCIKIT_LEARN)
def test_scikit_learn_has_it(name):
    assert of_scikit_learn(name) is getattr(private_names, name)


@pytest.mark.parametrize("name", OF_BASE_SEARCH)
def test_the_base_of_searches_has_it(name):
    assert callable(getattr(BaseSearchCV, name))


@pytest.mark.parametrize("name", OF_TORCH)
def test_torch_has_it(name):
    assert callable(private_names.kernel(name))


@pytest.mark.parametrize("name", OF_TORCH_MODES)
def test_torch_has_it_for_its_modes(name):
    assert callable(private_names.mode(name, None))


def test_no_other_file_uses_one():
    for path, tree in TREES.items():
        if path.name == "private_names.py":
            continue
        for name, _ in imports(tree):
            first, *rest = name.split(".")
            is_private = first in OTHERS and any(part.startswith("_") for part in rest)
            assert not is_private, f"{path}: {name} is private"
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Attribute)
                and node.attr.startswith("_")
                and not node.attr.startswith("__")
            ):
                whole = ast.unparse(node)
                assert not whole.startswith(tuple(f"{other}." for other in OTHERS)), (
                    f"{path}: {whole} is private"
                )


@pytest.mark.parametrize("name", OF_SCIKIT_LEARN)
def test_one_that_is_missing_is_named(name, monkeypatch):
    monkeypatch.delattr(importlib.import_module(OF_SCIKIT_LEARN[name]), name)
    with pytest.raises(ImportError, match=rf"has no {OF_SCIKIT_LEARN[name]}\.{name}, which .* Install"):
        of_scikit_learn(name)


@pytest.mark.parametrize(
    "settings", [{"optimizer": "adam"}, {"optimizer": "adamw"}, {"optimizer": "sgd"}], ids=str
)
def test_without_torchs_kernels_the_result_is_the_same(settings, monkeypatch):
    X, y = PROBLEMS[0].data()
    settings["batch_size"] = "full"  # in double precision, by copies
    whole = PROBLEMS[0].classifier(**settings).fit(X, y)
    monkeypatch.setattr(private_names, "kernel", lambda name: None)
    monkeypatch.setattr("sklearn_nndyn.training._fused_step.kernel", lambda name: None)
    clf = PROBLEMS[0].classifier(**settings).fit(X, y)
    assert_same_weights(clf, whole)
    assert_same_record(clf.dynamics_, whole.dynamics_)
