"""Pages written from the package: the API from the ``__all__`` lists, the glossary, and the codes of findings."""

import importlib
import inspect
import re
from pathlib import Path

from sklearn_nndyn.analyzers.catalogue._table import PHENOMENA
from sklearn_nndyn.reports.sections.glossary import GLOSSARY
from tests.public import PACKAGES

TOP = "sklearn_nndyn"
READ_A_FINDING = """\
A finding is one claim of an analysis: :class:`~sklearn_nndyn.analyzers.Finding`. It has a code, short and stable,
so that it can be asked for, counted and linked; a verdict, which is `yes`, `no` or `cannot tell`; the figure it
rests on, its 95 % interval, and what chance would give. Every analyzer and every result has a tuple of them,
`findings_`, and its `summary()` is made of these.

A verdict of `yes` means that the figure lies beyond what chance gives, and its interval beyond what the claim
denies. `cannot tell` is an answer too: there are too few samples, epochs or runs, and the advice says what would
settle it. A finding rests on the runs it was made from; of other seeds it says something only where `n_runs` is
more than one. False alarms are verdicts of `yes` in worlds that were made so that the claim does not hold, 200 of
each kind (`benchmarks/bench_findings.py`).

"""
SUMMARY = ".. autosummary::\n   :toctree: generated\n   :nosignatures:\n"


def write(folder: Path) -> None:
    """Write ``api/*.rst``, ``glossary.rst`` and ``findings.rst`` into the folder of the site."""
    (folder / "api").mkdir(exist_ok=True)
    for name, text in api_pages().items():
        _write_changed(folder / "api" / f"{name}.rst", text)
    _write_changed(folder / "glossary.rst", glossary_page())
    _write_changed(folder / "findings.rst", findings_page())


def _write_changed(path, text):
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def homes():
    """{identity of a public thing: package that documents it}: the highest one, below the top, that it lives in."""
    found = {}
    for package in sorted(PACKAGES, key=lambda name: (name == TOP, name.count("."), name)):
        module = importlib.import_module(package)
        for name in module.__all__:
            thing = getattr(module, name)
            known = found.get(id(thing))
            if known is None or (_lives_in(thing, package) and not _lives_in(thing, known)):
                found[id(thing)] = package
    return found


def _lives_in(thing, package):
    return package != TOP and getattr(thing, "__module__", "").startswith(f"{package}.")


def api_pages():
    """{name of a page: its text}: one a package, and an index."""
    documented_in = homes()
    pages = {package: package_page(package, documented_in) for package in PACKAGES}
    listed = "\n".join(f"   {package}" for package in PACKAGES)
    pages["index"] = f"{_title('API')}Everything public, package by package.\n\n.. toctree::\n\n{listed}\n"
    return pages


def package_page(package, documented_in):
    """The page of a package: a table of what it holds, and links to what it takes from others."""
    module = importlib.import_module(package)
    here = [name for name in module.__all__ if documented_in[id(getattr(module, name))] == package]
    elsewhere = [name for name in module.__all__ if name not in here]
    parts = [_title(package), f"{inspect.getdoc(module)}\n\n"]
    if here:
        names = "\n".join(f"   {name}" for name in here)
        parts += [f".. currentmodule:: {package}\n\n", f"{SUMMARY}\n{names}\n\n"]
    if elsewhere:
        parts.append("Also importable from here:\n\n")
        parts += [
            f"* :py:obj:`{name} <{documented_in[id(getattr(module, name))]}.{name}>`\n" for name in elsewhere
        ]
    return "".join(parts)


def glossary_page():
    """All terms of the report's glossary."""
    terms = "\n".join(f"   {term}\n      {meaning}\n" for term, meaning in GLOSSARY.items())
    return f"{_title('Glossary')}.. glossary::\n\n{terms}"


def findings_page():
    """Every code by phenomenon: what it means, how it is computed, what chance gives, what to do, false alarms."""
    parts = [_title("Findings"), READ_A_FINDING]
    for phenomenon, kinds in PHENOMENA.items():
        parts += [_title(phenomenon, "-"), *(_code(kind) for kind in kinds)]
    return "".join(parts)


def _code(kind):
    told = {
        "Meaning": kind.meaning,
        "Computed": kind.computed,
        "By chance": kind.chance,
        "What to do": kind.to_do,
        "False alarms": kind.false_alarms or "Not measured.",
    }
    fields = "".join(f":{name}: {_with_names(text)}\n" for name, text in told.items())
    return f".. _{kind.code}:\n\n{_title(f'{kind.code}: {kind.title}', '~')}{fields}\n"


def _with_names(text):
    """Attributes and parameters of the package as code; a trailing underscore would be a link."""
    return re.sub(r"\b(\w+_(?=[\s,.:;()]|$)|\w+=\"\w+\")", r"``\1``", text)


def _title(words, under="="):
    return f"{words}\n{under * len(words)}\n\n"
