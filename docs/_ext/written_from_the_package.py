"""Pages written from the package: the API from the ``__all__`` lists, the glossary from the report's."""

import importlib
import inspect
from pathlib import Path

from sklearn_nndyn.reports._glossary import GLOSSARY
from tests.public import PACKAGES

TOP = "sklearn_nndyn"
SUMMARY = ".. autosummary::\n   :toctree: generated\n   :nosignatures:\n"


def write(folder: Path) -> None:
    """Write ``api/*.rst`` and ``glossary.rst`` into the folder of the site."""
    (folder / "api").mkdir(exist_ok=True)
    for name, text in api_pages().items():
        _write_changed(folder / "api" / f"{name}.rst", text)
    _write_changed(folder / "glossary.rst", glossary_page())


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


def _title(words):
    return f"{words}\n{'=' * len(words)}\n\n"
