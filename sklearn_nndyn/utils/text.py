"""A record in words: as text, and as a table for notebooks."""

from html import escape


def shown(values, most=6):
    """The values of an array, or where there are many the first and the last."""
    texts = [_short(value) for value in values.tolist()]
    return ", ".join(texts if len(texts) <= most else [*texts[: most - 1], "...", texts[-1]])


def _short(value):
    return f"{value:.6g}" if isinstance(value, float) and value % 1 else repr(value)


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
    return f"Dynamics of {_counted(record.n_samples, 'sample')} at {_counted(record.n_epochs, 'epoch')}"


def _lines(record):
    lines = {
        "epochs": shown(record.epochs),
        "classes": shown(record.classes),
        "trained loss": str(record.header.get("loss", "")),
        "fields": ", ".join(record.fields),
        "layers": ", ".join(record.layers),
    }
    return [(term, text) for term, text in lines.items() if text]


def _counted(n, noun):
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"
