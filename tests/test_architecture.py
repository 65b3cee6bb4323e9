"""The one-way line: who may import whom."""

import ast
import importlib
from pathlib import Path

import pytest

import sklearn_nndyn
from sklearn_nndyn.losses import loss_names

ROOT = Path(sklearn_nndyn.__file__).parent
TREES = {path: ast.parse(path.read_text()) for path in sorted(ROOT.rglob("*.py"))}
FILES = list(TREES)

# Each folder, in the order of the line, and the folders before it that it may import.
LINE = {
    "utils": (),
    "losses": ("utils",),
    "modules": ("utils", "losses"),
    "datasets": ("utils",),
    "dynamics": ("utils",),
    "recording": ("utils", "losses", "modules", "dynamics"),
    "training": ("utils", "losses", "modules", "dynamics", "recording"),
    "classifiers": ("utils", "losses", "modules", "dynamics", "recording", "training"),
    "analyzers": ("utils", "dynamics"),
    "displays": ("utils", "dynamics", "analyzers"),
    "reports": ("utils", "dynamics", "analyzers", "displays"),
    "model_selection": ("utils", "losses", "datasets", "dynamics", "classifiers", "analyzers", "displays"),
    "interventions": ("utils", "dynamics", "recording", "classifiers", "analyzers"),
}
# A record draws itself; what draws it comes later in the line, and is imported when it is asked for.
DRAWN_WHEN_ASKED = {("_dynamics.py", "sklearn_nndyn.displays.TrainingCurveDisplay")}
WITHOUT_TORCH = {"torch", "torchvision", "skorch"}


def in_folder(path):
    """The folder of the package that a file is in; for a file beside the folders its name."""
    return path.relative_to(ROOT).parts[0]


by_folder = pytest.mark.parametrize("folder", sorted({in_folder(path) for path in FILES}))


def files_of(folder):
    """(path, tree, path below the package as text) of each file."""
    return [
        (path, tree, str(path.relative_to(ROOT))) for path, tree in TREES.items() if in_folder(path) == folder
    ]


def imports(tree):
    """(full name, whether at the top of the file) of everything that is imported."""
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, id(node) in top) for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            yield from ((f"{node.module}.{alias.name}", id(node) in top) for alias in node.names)


def test_the_line_runs_one_way():
    names = list(LINE)
    assert all(
        names.index(earlier) < names.index(folder) for folder, uses in LINE.items() for earlier in uses
    )
    assert {path.relative_to(ROOT).parts[0] for path in FILES} - {"__init__.py", "__main__.py"} <= set(LINE)


@by_folder
def test_a_file_imports_only_what_its_folder_may(folder):
    for path, name, at_the_top in [
        (path, *found) for path, tree, _ in files_of(folder) for found in imports(tree)
    ]:
        first, second, *_ = [*name.split("."), ""]
        if first == ROOT.name and folder in LINE and (path.name, name) not in DRAWN_WHEN_ASKED:
            assert second in (folder, *LINE[folder]), f"{path}: {folder} may not import {name}"
        assert not (at_the_top and (path.name, name) in DRAWN_WHEN_ASKED)
        if folder in ("dynamics", "analyzers", "displays", "reports", "datasets"):
            assert first not in WITHOUT_TORCH, f"{folder} is made of arrays; {name} is not for it"
        if first == "matplotlib":
            assert folder == "displays", f"pictures are drawn in displays, not in {folder}"
            assert not at_the_top, "matplotlib is imported when something is drawn"
        assert first not in ("pickle", "cPickle", "dill", "cloudpickle"), "records are kept without pickle"
        assert not name.startswith("sklearn.callback") or path.name == "_sklearn_callbacks.py", (
            "one adapter knows it"
        )


@by_folder
def test_analyzers_and_interventions_are_entered_by_their_doors(folder):
    """By a package, never by a private file of it."""
    for name, _ in [found for _, tree, _ in files_of(folder) for found in imports(tree)]:
        first, second, *rest = [*name.split("."), ""]
        if first == ROOT.name and second in ("analyzers", "interventions") and second != folder:
            assert not any(part.startswith("_") for part in rest), f"{folder} opens a private file: {name}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "analyzers").glob("*/*.py")), ids=lambda p: f"{p.parent.name}-{p.stem}"
)
def test_no_analyzer_opens_a_private_file_of_another(path):
    """What two of them share lies beside them, in files of ``analyzers`` itself."""
    for name, _ in imports(TREES[path]):
        _, folder, phenomenon, *rest = [*name.split("."), "", ""]
        if folder == "analyzers" and phenomenon != path.parent.name and not phenomenon.startswith("_"):
            assert not any(part.startswith("_") for part in rest), f"{path.parent.name} opens {name}"


@pytest.mark.parametrize(
    "path", [path for path in FILES if path.name == "__init__.py"], ids=lambda p: p.parent.name
)
def test_a_package_names_what_is_public_and_does_nothing_else(path):
    docstring, *statements = TREES[path].body
    assert isinstance(docstring.value, ast.Constant)
    assert all(isinstance(line, (ast.ImportFrom, ast.Assign)) for line in statements)
    assigned = {ast.unparse(line.targets[0]) for line in statements if isinstance(line, ast.Assign)}
    assert assigned <= {"__all__", "__version__", "(__getattr__, __dir__)"}
    package = importlib.import_module(".".join(["sklearn_nndyn", *path.parent.relative_to(ROOT).parts]))
    public = getattr(package, "__all__", [])
    assert len(set(public)) == len(public)
    assert all(getattr(package, name) is not None for name in public)


def private_names_of_the_estimator():
    """Methods and attributes of its own that begin with an underscore."""
    names = {"_state"}
    for file in ("_classifier.py", "_replay.py"):
        for node in ast.walk(TREES[ROOT / "classifiers" / file]):
            names |= {node.name} if isinstance(node, ast.FunctionDef) else set()
    return {name for name in names if name.startswith("_") and not name.endswith("__")}


@by_folder
def test_what_is_private_to_the_estimator_stays_in_its_package(folder):
    if folder == "classifiers":
        return
    private = private_names_of_the_estimator()
    assert {"_state", "_keep", "_train"} <= private
    for _, tree, file in files_of(folder):
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in private:
                owner = getattr(node.value, "id", None)
                assert owner in ("self", "cls"), f"{file}: {ast.unparse(node)} is private to the classifier"


AFTER_THE_LOSSES = [name for name in LINE if name not in ("utils", "losses", "modules", "datasets")]


@pytest.mark.parametrize("folder", AFTER_THE_LOSSES)
def test_no_loss_is_looked_up_by_its_name_after_the_losses(folder):
    """What a loss is travels in the header of a record: no table of names, no look into the header but in one place."""
    names = set(loss_names()) - {"log"}  # a scale, and a schedule, are called so too
    for path, tree, file in files_of(folder):
        for node in ast.walk(tree):
            named = isinstance(node, ast.Constant) and node.value in names
            assert not named, f"{file}: {node.value!r} names a loss"
            if path.name != "_loss_facts.py":
                assert asked_of_header(node) not in ("loss", "loss_facts"), f"{file}: ask record.loss_facts"


def asked_of_header(node):
    """The name that is asked of something called header, by [...] or get(...)."""
    if isinstance(node, ast.Subscript):
        held, key = node.value, node.slice
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "get"
        and node.args
    ):
        held, key = node.func.value, node.args[0]
    else:
        return None
    named = getattr(held, "attr", getattr(held, "id", None))
    return key.value if named == "header" and isinstance(key, ast.Constant) else None
