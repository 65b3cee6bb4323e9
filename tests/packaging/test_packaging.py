"""What is packaged, and what it says of itself."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.packaging.oldest_versions import lower_bounds, oldest
from tests.packaging.prereleases import described, prereleases

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_dependency_has_a_lower_bound():
    project = PROJECT["project"]
    for requirements in (project["dependencies"], *project["optional-dependencies"].values()):
        assert len(lower_bounds(requirements)) == len(requirements)
    assert set(lower_bounds(project["dependencies"])) <= set(oldest())


def test_a_requirement_without_a_lower_bound_is_refused():
    for requirement in ("numpy", "numpy<3", "numpy>=1,<3"):
        with pytest.raises(ValueError, match=re.escape(repr(requirement))):
            lower_bounds([requirement])


def test_alpha_beta_candidate_and_development_builds_are_prereleases_and_patches_are_not():
    versions = {
        "a": "2.0a1",
        "b": "2.0b1",
        "c": "2.0rc1",
        "d": "2.0.dev0+git1",
        "e": "2.0.1",
        "f": "2.0.post1",
    }
    assert list(prereleases(versions)) == ["a", "b", "c", "d"]
    assert described({"numpy": "2.0", "scipy": "1.15"}) == "numpy 2.0, scipy 1.15"


def test_every_file_that_is_no_module_is_packaged():
    packages = ROOT / "sklearn_nndyn"
    data = PROJECT["tool"]["setuptools"]["package-data"]["sklearn_nndyn"]
    packaged = {path for pattern in data for path in packages.glob(pattern)}
    others = {p for p in packages.rglob("*") if p.is_file() and p.suffix not in (".py", ".pyc")}
    assert others == packaged


def test_the_author_python_and_licence_are_named():
    project = PROJECT["project"]
    assert project["authors"]
    assert project["keywords"]
    assert any(line.startswith("Programming Language :: Python :: 3.") for line in project["classifiers"])
    assert (ROOT / project["license-files"][0]).exists()


def test_the_example_of_an_installation_runs_from_the_source_but_for_where_it_lies(capsys):
    code = (ROOT / "tests/packaging/installed.py").read_text(encoding="utf-8")
    kept = [line for line in code.splitlines() if not line.startswith("assert")]
    exec("\n".join(kept), {})
    assert "is installed and works" in capsys.readouterr().out


def test_the_targets_of_the_makefile_are_told():
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    phony = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split()
    described = re.findall(r"^([a-z-]+):.*## ", text, re.MULTILINE)
    assert sorted(phony) == sorted(described)
