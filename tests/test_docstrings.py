"""Documentation says what is so: names, defaults and attributes."""

import ast
import inspect
import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import MLP
from tests.public import CALLABLES, CLASSES, METHODS, PACKAGES, PUBLIC


def over(things):
    """A test for each package, of the things that are public there by their names."""
    packages = {name: {} for name in PACKAGES}
    for name, thing in things.items():
        package = max((one for one in PACKAGES if name.startswith(f"{one}.")), key=len)
        packages[package][name] = thing
    packages = {package: own for package, own in packages.items() if own}
    return pytest.mark.parametrize("things", packages.values(), ids=packages)


def section(thing, title):
    """The lines of a section of a docstring."""
    lines = inspect.getdoc(thing).splitlines()
    rules = [i for i, line in enumerate(lines) if line and set(line) == {"-"}]
    for i, following in pairwise([*rules, len(lines) + 1]):
        if lines[i - 1] == title:
            return lines[i + 1 : following - 1]
    return []


def entries(thing, title):
    """{name: what is said after the colon} of a section."""
    found = {}
    for line in section(thing, title):
        match = re.fullmatch(r"([*\w][*\w, ]*?)(?: : (.*))?", line)
        if match:
            found |= dict.fromkeys(re.split(r",\s*", match[1].lstrip("*")), match[2] or "")
    return found


# A method may do with one sentence; where it tells of its parameters, it tells of all.
DOCUMENTED = {
    name: thing for name, thing in CALLABLES.items() if name not in METHODS or section(thing, "Parameters")
}


def parameters_of(thing):
    """{name: Parameter} of a callable; for a class those of its constructor."""
    parameters = list(inspect.signature(thing).parameters.values())
    return {p.name: p for p in parameters if p.name != "self"}


def same(text, value):
    """Whether a default is what is written of it."""
    try:
        return ast.literal_eval(text) == value and type(ast.literal_eval(text)) is type(value)
    except (ValueError, SyntaxError):
        return text == getattr(value, "__name__", None)


@over(PUBLIC)
def test_every_public_name_is_there_and_documented(things):
    for name, thing in things.items():
        assert thing is not None, name
        assert inspect.getdoc(thing), name


def has_example(thing):
    return any(line.startswith(">>> ") for line in section(thing, "Examples"))


@over(CLASSES)
def test_every_class_has_an_example(things):
    assert [name for name, thing in things.items() if not has_example(thing)] == []
    assert [name for name, thing in things.items() if "Examples" not in vars(thing)["__doc__"]] == []


FORMULAS = {
    name: thing
    for name, thing in PUBLIC.items()
    if inspect.isfunction(thing) and re.match(r"sklearn_nndyn\.(analyzers\.\w+|interventions)\.", name)
}


@over(FORMULAS)
def test_every_formula_is_annotated_and_has_an_example(things):
    assert [name for name, thing in things.items() if not has_example(thing)] == []
    for name, thing in things.items():
        signature = inspect.signature(thing)
        assert signature.return_annotation is not signature.empty, name
        assert all(p.annotation is not p.empty for p in signature.parameters.values()), name


@over(DOCUMENTED)
def test_documented_parameters_are_the_real_ones(things):
    documented = {name: list(entries(thing, "Parameters")) for name, thing in things.items()}
    assert documented == {name: list(parameters_of(thing)) for name, thing in things.items()}


@over(DOCUMENTED)
def test_documented_defaults_are_the_real_ones(things):
    for name, thing in things.items():
        documented = entries(thing, "Parameters")
        for parameter in parameters_of(thing).values():
            check_default(parameter, documented[parameter.name], f"{name}: {parameter.name}")


def check_default(parameter, documented, name):
    default = re.search(r"default=(.*)$", documented)
    has_default = parameter.default is not parameter.empty
    if default:
        assert has_default, f"{name} has no default"
        assert same(default[1], parameter.default), f"{name} is {parameter.default!r}, not {default[1]}"
    else:
        optional = documented.endswith("optional")
        assert optional == has_default, f"{name}: say default=..., or optional"


def test_documented_attributes_of_the_classifier_are_there_after_fit_and_no_others():
    X, y = make_classification(40, 4, random_state=0)
    frame = pd.DataFrame(X, columns=list("abcd"))
    clf = DynamicsClassifier(
        MLP((3,)), max_epochs=2, validation_fraction=0.25, early_stopping=True, random_state=0
    )
    documented = set(entries(clf, "Attributes"))
    assert not [name for name in documented if hasattr(clf, name)]
    clf.fit(frame, y)
    assert not [name for name in documented if not hasattr(clf, name)]
    held = {name for name in vars(clf) if name.endswith("_") and not name.startswith("_")}
    assert {name for name in held - documented if f"``{name}``" not in type(clf).__doc__} == set()
    np.testing.assert_array_equal(clf.feature_names_in_, list("abcd"))
