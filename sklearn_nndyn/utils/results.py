"""Results as text and as a table for notebooks: a title, and a line for each field, never its thousands of values."""

from collections.abc import Iterable
from dataclasses import fields
from html import escape
from typing import Any

import numpy as np

from sklearn_nndyn.utils.text import counted, figure, shown

MOST = 60  # letters of a value


def lines_as_text(title: str, lines: Iterable[tuple[str, str]]) -> str:
    """Title and one line a term."""
    return "\n".join([title, *(f"  {term}: {text}" for term, text in lines)])


def lines_as_html(title: str, lines: Iterable[tuple[str, str]]) -> str:
    """The same as a table."""
    rows = "".join(f"<tr><th>{escape(term)}</th><td>{escape(text)}</td></tr>" for term, text in lines)
    return f"<table><caption>{escape(title)}</caption>{rows}</table>"


class ShortRepr:
    """Mixin of dataclasses that hold arrays: figures are shown, of arrays the shape."""

    def __repr__(self) -> str:
        return lines_as_text(type(self).__name__, self._lines())

    def _repr_html_(self) -> str:
        return lines_as_html(type(self).__name__, self._lines())

    def _lines(self):
        return [(field.name, in_short(getattr(self, field.name))) for field in fields(self)]


def in_short(value: Any) -> str:
    """A value in one short line: a figure, a few values, or how many there are of what."""
    if isinstance(value, np.ndarray):
        return _array_in_short(value)
    if isinstance(value, (float, np.floating)):
        return figure(value)
    if isinstance(value, dict):
        text = ", ".join(map(str, value))
    elif isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        text = _sequence_in_short(value)
    else:
        text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return text if len(text) <= MOST else f"{text[: MOST - 3]}..."


def _array_in_short(values):
    if values.ndim == 1 and values.size <= 6:
        return shown(values)
    kind = "str" if values.dtype.kind in "US" else values.dtype.name
    return f"{kind} of shape {values.shape}"


def _sequence_in_short(values):
    if all(value is None or np.isscalar(value) for value in values):
        return ", ".join(f"{value:.6g}" if isinstance(value, float) else repr(value) for value in values)
    kinds = sorted({type(value).__name__ for value in values if value is not None})
    return counted(len(values), " or ".join(kinds) or "value")
