"""The code that makes the run and the page again."""

import ast

from sklearn_nndyn.reports._blocks import Code, Section, Text

MODEL = "DynamicsClassifier"


def section(material):
    """The call of the fit where the record tells it, and that of the report."""
    header = material.record.header
    fitted = header.get("estimator") == MODEL and hasattr(header.get("parameters"), "items")
    lines = fit_lines(header, material) if fitted else record_lines(material)
    introduction = "The record tells how it was made:" if fitted else "The page from a record in a file:"
    return Section(
        key="again",
        title="The code that makes it again",
        blocks=[Text(words=introduction), Code(name="Code", lines=lines)],
    )


def fit_lines(header, material):
    """Import, construct, fit, report."""
    arguments = [argument(name, value) for name, value in sorted(header["parameters"].items())]
    fit = "X, y" if material.validation is None else "X_train, y_train, X_val=X_val, y_val=y_val"
    return "\n".join(
        [
            f"from sklearn_nndyn import {MODEL}, report",
            "",
            f"clf = {MODEL}(",
            *(f"    {line}" for line in arguments),
            ")",
            f"clf.fit({fit})",
            'report(clf).save("report.html")',
        ]
    )


def record_lines(material):
    """Load and report."""
    beside = "" if material.validation is None else ', validation=load_dynamics("validation.safetensors")'
    return "\n".join(
        [
            "from sklearn_nndyn import load_dynamics, report",
            "",
            f'report(load_dynamics("run.safetensors"){beside}).save("report.html")',
        ]
    )


def argument(name, value):
    """An argument as it is written in code; what is no plain value as a comment, to be given again."""
    if isinstance(value, str) and not value.isidentifier():
        try:
            value = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            return f"# {name}: {' '.join(value.split())}"
    return f"{name}={value!r},"
