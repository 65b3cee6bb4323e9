"""The page: sections put through the templates into one HTML text that asks for nothing from anywhere."""

import base64
import hashlib
from importlib.resources import files

from sklearn_nndyn.reports._charts import draw
from sklearn_nndyn.reports.sections import (
    again,
    classes,
    entanglement,
    findings,
    glossary,
    learning_curves,
    learning_phases,
    loss_tails,
    provenance,
    refinement,
    samples,
    verdict,
)

SECTIONS = (
    verdict,
    findings,
    learning_curves,
    loss_tails,
    refinement,
    entanglement,
    learning_phases,
    samples,
    classes,
    provenance,
    again,
    glossary,
)


def page_of(material, title):
    """The HTML of a report, a whole document; everything that comes from the record is escaped."""
    style, script = (_template_text(name) for name in ("style.css", "script.js"))
    environment = _environment()
    return environment.get_template("page.html").render(
        title=title,
        sections=[one.section(material) for one in SECTIONS],
        style=style,
        script=script,
        policy=_policy(style, script),
    )


def _environment():
    try:
        import jinja2
    except ImportError as error:
        raise ImportError('A report needs Jinja2: pip install "jinja2>=3.1".') from error
    loader = jinja2.FunctionLoader(_template_text)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["draw"] = draw
    return environment


def _template_text(name):
    return files("sklearn_nndyn.reports").joinpath("templates", name).read_text(encoding="utf-8")


def _policy(style, script):
    """Nothing but our own style and script, and pictures that lie in the page."""
    return (
        f"default-src 'none'; img-src data:; style-src {_source(style)}; script-src {_source(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _source(text):
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
