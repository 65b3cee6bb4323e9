"""A record in words: as text, and as a table for notebooks."""

import numpy as np

from sklearn_nndyn.utils.results import lines_as_html, lines_as_text
from sklearn_nndyn.utils.text import counted, samples, shown

IN_TRAINING = {"when": "training"}  # in the header of a record of samples as their batches passed
HOW = "recorded in training as each sample's batch passed, dropout and all"


def how_recorded(record):
    """What has to be said with everything that is read from a record of the network as it went, else nothing."""
    return HOW if IN_TRAINING.items() <= record.header.items() else ""


def as_text(record):
    """Title and one line an idea."""
    return lines_as_text(_title(record), _lines(record))


def as_html(record):
    """The same lines as a table."""
    return lines_as_html(_title(record), _lines(record))


def _title(record):
    return f"Dynamics of {samples(record.n_samples)} at {counted(record.n_epochs, 'epoch')}"


def _lines(record):
    lines = {
        "epochs": shown(record.epochs),
        "classes": shown(record.classes),
        "trained loss": record.loss_facts.name,
        "fields": ", ".join(record.fields),
        "layers": ", ".join(record.layers),
        "samples": how_recorded(record),
        "never seen": _never_seen(record),
    }
    return [(term, text) for term, text in lines.items() if text]


def _never_seen(record):
    seen = record.seen
    missing = seen.size - np.count_nonzero(seen)
    return f"{missing:,} of {counted(seen.size, 'cell')} (a sample at an epoch)" if missing else ""
