"""What the site shows runs, page by page, and what it says of the package is so."""

import importlib
import re
import sys
import textwrap
from pathlib import Path

import matplotlib.pyplot as plt
import pytest

import sklearn_nndyn
from sklearn_nndyn.analyzers.catalogue._table import TABLE
from tests.public import PUBLIC
from tests.readme_blocks import with_fewer_epochs

DOCS = Path(__file__).parents[2] / "docs"
WRITTEN = ("api", "gallery", "findings.rst", "glossary.rst")
PAGES = sorted(path for path in DOCS.rglob("*.rst") if path.relative_to(DOCS).parts[0] not in WRITTEN)
BLOCK = re.compile(r"^( *)\.\. code-block:: python\n\n((?:\1   .*\n|\n)+)", re.MULTILINE)


def blocks(path):
    """The blocks of Python on a page."""
    return [textwrap.dedent(code) for _, code in BLOCK.findall(path.read_text(encoding="utf-8"))]


WITH_CODE = [path for path in PAGES if blocks(path)]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(with_fewer_epochs, id="few-epochs"),
        pytest.param(str, id="as-written", marks=pytest.mark.slow),
    ],
)
@pytest.mark.parametrize("page", WITH_CODE, ids=lambda path: path.stem)
def test_every_block_of_a_page_runs_in_the_order_written(page, change, tmp_path, monkeypatch, capsys):
    """As they stand, or with fewer epochs."""
    monkeypatch.chdir(tmp_path)
    plt.switch_backend("Agg")
    names = {}
    for block in blocks(page):
        exec(compile(change(block), str(page), "exec"), names)
    plt.close("all")
    if "print(" in "".join(blocks(page)):
        assert capsys.readouterr().out.strip()


def test_no_block_is_overlooked():
    assert len(WITH_CODE) >= 8
    for page in PAGES:
        assert page.read_text(encoding="utf-8").count("code-block:: python") == len(blocks(page))


@pytest.fixture
def written(monkeypatch):
    """The module that writes pages from the package."""
    monkeypatch.setattr(sys, "path", [str(DOCS / "_ext"), *sys.path])
    return importlib.import_module("written_from_the_package")


def test_every_page_names_things_by_the_package_that_documents_them(written):
    homes = written.homes()
    for page in PAGES:
        for name in re.findall(r":(?:class|func):`~?([\w.]+)`", page.read_text(encoding="utf-8")):
            assert name.rpartition(".")[0] == homes[id(PUBLIC[name])]


def test_the_version_to_cite_is_this_one():
    text = (DOCS / "cite.rst").read_text(encoding="utf-8")
    assert re.search(r"version = \{(.*?)\}", text)[1] == sklearn_nndyn.__version__


def test_the_api_lists_everything_public_once(written):
    pages = written.api_pages()
    for full in PUBLIC:
        package, _, name = full.rpartition(".")
        assert re.search(rf"^(   {name}|\* :py:obj:`{name} <.*>`)$", pages[package], re.MULTILINE)
    listed = [line for page in pages.values() for line in re.findall(r"^   (\w+)$", page, re.MULTILINE)]
    documented = [line for line in listed if not line.startswith("sklearn_nndyn")]
    assert len(documented) == len({id(thing) for thing in PUBLIC.values()})
    assert "   Margin\n      " in written.glossary_page()


def test_the_page_of_findings_has_every_code_with_all_that_the_table_says(written):
    page = written.findings_page()
    for code, kind in TABLE.items():
        assert page.count(f"\n{code}: {kind.title}\n") == 1
        section = page[page.index(f".. _{code}:") :].split(".. _", 2)[1]
        for text in (
            kind.meaning,
            kind.computed,
            kind.chance,
            kind.to_do,
            kind.false_alarms or "Not measured.",
        ):
            assert text in section.replace("``", "")
    assert "``carrier_indices_``" in page


def test_a_link_that_leads_nowhere_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(DOCS), *sys.path])
    from check_links import broken

    (tmp_path / "b.html").write_text('<h1 id="here">B</h1>')
    (tmp_path / "a.html").write_text(
        '<a href="b.html#here"></a><a href="b.html"></a><a href="https://example.org/x"></a><a href="#top"></a>'
        '<a href="b.html#there"></a><img src="none.png">'
    )
    assert broken(tmp_path) == ["a.html: #top", "a.html: b.html#there", "a.html: none.png"]
