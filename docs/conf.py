"""The site: `make docs`. Pages of the API and of the glossary are written from the package: they cannot drift."""

import os
import re
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]
# The gallery is the same everywhere: the larger sets, where they lie on a disk, are left out.
os.environ["SKLEARN_NNDYN_DATA"] = tempfile.mkdtemp()

import written_from_the_package  # noqa: E402

import sklearn_nndyn  # noqa: E402

project = "sklearn_nndyn"
author = "The sklearn_nndyn authors"
copyright = "the sklearn_nndyn authors, BSD-3-Clause"
release = version = sklearn_nndyn.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build"]
default_role = "code"
templates_path = ["_templates"]
autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
toc_object_entries = False

html_theme = "furo"
html_title = "sklearn_nndyn"
html_copy_source = False
html_show_sphinx = False

sphinx_gallery_conf = {
    "examples_dirs": str(HERE.parent / "examples"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"/[0-9]",
    "within_subsection_order": "FileNameSortKey",
    "ignore_pattern": r"__init__\.py",
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "min_reported_time": 1e9,
    "write_computation_times": False,
    "show_signature": False,
    "copyfile_regex": r".*\.rst",
}


def plain_mathematics(app, what, name, obj, options, lines):
    """Let |x|, names_ and terms of scikit-learn's own glossary be text: docstrings are written for ``help()``."""
    for at, line in enumerate(lines):
        parts = re.split(r"(``.*?``|`[^`]*`)", re.sub(r":term:`(.*?)`", r"\1", line))
        parts[::2] = [_escaped(part) for part in parts[::2]]
        lines[at] = "".join(parts)


def _escaped(text):
    text = re.sub(r"(?<=[a-z])_(?=[,\s]|$)", r"\_", text.replace("|", r"\|"))
    return re.sub(r"(?<![*\w\\])\*(?=\w+\))", r"\*", text)


def leave_out_routing(app, what, name, obj, skip, options):
    """Leave out the methods that scikit-learn writes for the routing of metadata; their text points to its site."""
    return True if re.fullmatch(r"set_\w+_request", name) else None


def setup(app):
    """Write the pages that come from the package before the others are read."""
    written_from_the_package.write(HERE)
    app.connect("autodoc-process-docstring", plain_mathematics, priority=900)
    app.connect("autodoc-skip-member", leave_out_routing)
