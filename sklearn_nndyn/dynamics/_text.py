"""A record in words: as text, and as a table for notebooks."""

from html import escape

import numpy as np

from sklearn_nndyn.utils.text import counted, samples, shown


def as_text(record):
    """Title and one line an idea."""
    return "\n".join([_title(record), *(f"  {term}: {text}" for term, text in _lines(record))])


def as_html(record):
    """The same lines as a table."""
    rows = "".join(
        f"<tr><th>{escape(term)}</th><td>{escape(text)}</td></tr>" for term, text in _lines(record)
    )
    return f"<table><caption>{escape(_title(record))}</caption>{rows}</table>"


def _title(record):
    return f"Dynamics of {samples(record.n_samples)} at {counted(record.n_epochs, 'epoch')}"


def _lines(record):
    lines = {
        "epochs": shown(record.epochs),
        "classes": shown(record.classes),
        "trained loss": record.loss_facts.name,
        "fields": ", ".join(record.fields),
        "layers": ", ".join(record.layers),
        "never seen": _never_seen(record),
    }
    return [(term, text) for term, text in lines.items() if text]


def _never_seen(record):
    seen = record.seen
    missing = seen.size - np.count_nonzero(seen)
    return f"{missing:,} of {counted(seen.size, 'cell')} (a sample at an epoch)" if missing else ""
