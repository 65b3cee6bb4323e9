"""Figures, counts and lists in words; a record as text, and as a table for notebooks."""

from html import escape

SOURCES = {
    "validation": "the validation record of the model",
    "train": "the training record of the model",
    "record": "a record",
    "array": "an array of losses",
}


def figure(value):
    """Three digits; from a thousand on a whole number with commas."""
    return f"{value:.3g}" if not abs(value) >= 999.5 else f"{value:,.0f}"


def percent(share):
    """A share in per cent, three digits."""
    return f"{figure(100 * share)} %"


def counted(count, noun, ending="s"):
    """The count with its noun: 1 sample, 1,797 samples."""
    return f"{count:,} {noun}{'' if count == 1 else ending}"


def samples(count):
    """The count of samples with its noun."""
    return counted(count, "sample")


def range_of(counts):
    """The least and the greatest of whole numbers: 709 to 761; one of them where they are equal."""
    low, high = int(min(counts)), int(max(counts))
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def trained_on_note(source):
    """What has to be said where a model's training record was read for want of another."""
    if source != SOURCES["train"]:
        return ""
    return " The model has no validation record, so these are samples it was trained on."


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
    return f"Dynamics of {counted(record.n_samples, 'sample')} at {counted(record.n_epochs, 'epoch')}"


def _lines(record):
    lines = {
        "epochs": shown(record.epochs),
        "classes": shown(record.classes),
        "trained loss": str(record.header.get("loss", "")),
        "fields": ", ".join(record.fields),
        "layers": ", ".join(record.layers),
    }
    return [(term, text) for term, text in lines.items() if text]
