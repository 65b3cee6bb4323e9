"""Epochs, figures and counts as cells of tables, and the words of axes."""

import numpy as np

from sklearn_nndyn.reports._blocks import Cell, Table
from sklearn_nndyn.utils.text import epoch_words, figure, percent

MOST_ROWS = 12


def number(value, words=figure):
    """A cell of a number; a dash where there is none."""
    if value is None or not np.isfinite(value):
        return Cell(words="–", value=None)
    return Cell(words=words(value), value=float(value))


def share(value):
    """A cell of a share, in per cent."""
    return number(value, percent)


def epoch_cell(epoch):
    """A cell of an epoch."""
    return number(epoch, epoch_words)


def words(text):
    """A cell of words."""
    return Cell(words=str(text))


def epochs_to_list(n_epochs, *wanted):
    """Positions of the first, the last, evenly spaced ones between them, and those that are wanted."""
    even = np.linspace(0, n_epochs - 1, min(n_epochs, MOST_ROWS)).round().astype(int)
    return np.union1d(even, [at for at in wanted if at is not None]).astype(int)


def curve_table(key, caption, epochs, columns, *wanted):
    """Table of curves at some of the epochs; ``columns`` is {title: (values (n_epochs,), kind of cell)}."""
    rows = [
        [epoch_cell(epochs[at]), *(cell(values[at]) for values, cell in columns.values())]
        for at in epochs_to_list(len(epochs), *wanted)
    ]
    return Table(key=key, caption=caption, columns=("Epoch", *columns), rows=rows)
