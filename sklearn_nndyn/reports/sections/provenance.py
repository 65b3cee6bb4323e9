"""Provenance of the figures: seed, versions, parameters, and digests of the records."""

import hashlib
from dataclasses import fields

import numpy as np

from sklearn_nndyn.reports._blocks import Section, Table, Terms
from sklearn_nndyn.reports._words import words
from sklearn_nndyn.utils.text import epoch_words, figure

LISTED_APART = ("parameters", "seconds_per_epoch")


def section(material):
    """What the records hold and what their header says."""
    blocks = [Terms(pairs=pairs(material))]
    parameters = material.record.header.get("parameters")
    if hasattr(parameters, "items") and len(parameters):
        rows = [[words(name), words(repr(value))] for name, value in sorted(parameters.items())]
        caption = f"The {len(rows)} parameters of the fit"
        blocks.append(
            Table(key="parameters", caption=caption, columns=("Parameter", "Value"), rows=rows, folded=True)
        )
    return Section(key="provenance", title="Provenance", blocks=blocks)


def pairs(material):
    """(what, value), in reading order."""
    header = material.record.header
    found = [
        (name.replace("_", " ").capitalize(), _said(value))
        for name, value in header.items()
        if name not in LISTED_APART
    ]
    seconds = header.get("seconds_per_epoch")
    if isinstance(seconds, tuple) and seconds:
        found.append(("Training took", f"{figure(sum(seconds))} seconds"))
    found += _record_pairs("Record", material.record)
    if material.validation is not None:
        found += _record_pairs("Held-out record", material.validation)
    return found


def _said(value):
    if not hasattr(value, "items"):
        return str(value)
    return ", ".join(f"{name.replace('_', ' ')} {one}" for name, one in value.items() if one is not None)


def _record_pairs(name, record):
    first, last = epoch_words(record.epochs[0]), epoch_words(record.epochs[-1])
    size = f"{record.n_samples:,} samples, {record.n_classes:,} classes, {record.n_epochs:,} epochs ({first} to {last})"
    return [(name, f"{size}: {', '.join(record.fields) or 'nothing'}"), ("Digest of it", digest_of(record))]


def digest_of(record):
    """Digest of the arrays and the header of a record, 32 hexadecimal digits; the same wherever it is kept."""
    digest = hashlib.sha256()
    for field in fields(record):
        value = getattr(record, field.name)
        for name, array in _named(field.name, value):
            digest.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            digest.update(_bytes(array))
    digest.update(repr(sorted(record.header.items())).encode())
    return digest.hexdigest()[:32]


def _named(name, value):
    if isinstance(value, np.ndarray):
        yield name, value
    elif hasattr(value, "items") and name != "header":
        yield from ((f"{name}/{layer}", array) for layer, array in value.items())


def _bytes(array):
    if array.dtype.kind in "OU":
        return "\n".join(map(str, array.ravel().tolist())).encode()
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8)
