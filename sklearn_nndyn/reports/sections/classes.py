"""The classes: how many samples each has, how well it is learned, and what it is taken for."""

import numpy as np

from sklearn_nndyn.reports._blocks import Cell, Note, Section, Table
from sklearn_nndyn.reports._words import epoch_cell, number, share, words

MANY = 30


def section(material):
    """A row for each class."""
    record = material.held_out
    if record.prediction is None or not len(record):
        note = 'The record holds no predictions. Record them with DynamicsClassifier(record=("samples",)).'
        return Section(key="classes", title="Classes", blocks=[Note(words=note)])
    columns = columns_of(material, record)
    rows = [
        [words(name), *(cells[c] for cells in columns.values())]
        for c, name in enumerate(record.classes.tolist())
    ]
    table = Table(
        key="class-table",
        caption=f"The {record.n_classes:,} classes of the {record.n_samples:,} {material.held_out_words}, at the end",
        columns=("Class", *columns),
        rows=rows,
        sortable=True,
        folded=record.n_classes > MANY,
    )
    return Section(key="classes", title="Classes", blocks=[table])


def columns_of(material, record):
    """{title: a cell for each class}."""
    confusion = confusions(record)
    counts = confusion.sum(axis=1)
    with np.errstate(invalid="ignore"):
        right = np.diag(confusion) / counts
    columns = {
        "Samples": [number(count, lambda n: f"{n:,.0f}") for count in counts],
        "Correct": [share(value) for value in right],
    }
    if record.loss is not None:
        sums = np.bincount(record.target, record.loss[:, -1], record.n_classes)
        with np.errstate(invalid="ignore"):
            columns["Mean loss"] = [number(value) for value in sums / counts]
    columns["Most often taken for"] = [
        _taken_for(confusion, c, record.classes) for c in range(record.n_classes)
    ]
    found = material.entanglement.found
    if found is not None and len(found.class_inversion_epochs_) == record.n_classes:
        columns["Turn of its radius"] = [epoch_cell(epoch) for epoch in found.class_inversion_epochs_]
    return columns


def confusions(record):
    """Counts (n_classes, n_classes) of true class and class predicted at the last epoch; unseen samples left out."""
    predicted = record.prediction[:, -1].astype(np.int64)
    seen = predicted >= 0
    cells = record.target[seen] * record.n_classes + predicted[seen]
    return np.bincount(cells, minlength=record.n_classes**2).reshape(record.n_classes, record.n_classes)


def _taken_for(confusion, c, classes):
    wrong = confusion[c].copy()
    wrong[c] = 0
    if not wrong.any():
        return Cell(words="–", value=0.0)
    other = int(wrong.argmax())
    return Cell(words=f"{classes[other]} ({wrong[other]:,})", value=float(wrong[other]))
