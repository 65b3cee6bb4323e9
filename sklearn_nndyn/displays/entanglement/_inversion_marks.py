"""Inversions in a picture: a dot for each run, a line at their mean, and the words beside it."""

import numpy as np

from sklearn_nndyn.displays._style import mark_places
from sklearn_nndyn.utils.text import epoch_words, percent

LEGEND_WIDTH = 480  # points, over both columns


def mark_dots(axes, places, heights, artist_kw):
    """A dot in each panel: matplotlib Line2D, one for each of the axes."""
    return [
        ax.plot(x, y, marker="o", linestyle="none", zorder=3, **artist_kw)[0]
        for ax, x, y in zip(axes, places, heights, strict=True)
    ]


def mean_inversion(inversions, n_runs, n_clear):
    """Mean inversion of the runs of one label: its epoch and its error in percent, each with the words beside it.

    ``inversions`` are (epochs, training_error, position) of each of the ``n_runs`` runs that has one. ``n_clear`` of
    them are beyond chance; without one they are called turns.
    """
    epochs = np.array([epochs[at] for epochs, _, at in inversions])
    errors = np.array([errors[at] for _, errors, at in inversions])
    name, few = ("inversion" if n_clear else "unclear turn"), _how_many(len(inversions), n_runs, n_clear)
    return (
        (epochs.mean(), f"{name}: {_span(epochs)}{few}"),
        (100 * errors.mean(), f"{name}: {_mean_and_range(errors)}{few}"),
    )


def mark_means(ax, means, colours, in_words):
    """A line for each label in one panel, {label: Line2D}; none at an error of zero on a logarithmic axis."""
    shown = {label: mean for label, mean in means.items() if mean[0] > 0 or ax.get_xscale() != "log"}
    if not shown:
        return {}
    places, words = zip(*shown.values(), strict=True)
    lines = mark_places(
        ax, places, words if in_words else [""] * len(words), [colours[label] for label in shown]
    )
    return dict(zip(shown, lines, strict=True))


def rows_of_legend(handles):
    """Rows that a legend needs over both columns, by the length of its words."""
    width = sum(28 + 3.7 * len(handle.get_label()) for handle in handles)
    return int(np.ceil(width / LEGEND_WIDTH))


def _how_many(n_inversions, n_runs, n_clear):
    """In brackets, which runs have no inversion, or one that may be chance."""
    few = [f"{n_inversions} of {n_runs} runs"] if n_inversions < n_runs else []
    unclear = [f"{n_inversions - n_clear} unclear"] if 0 < n_clear < n_inversions else []
    return f" ({', '.join(few + unclear)})" if few or unclear else ""


def _span(epochs):
    first, last = epochs.min(), epochs.max()
    if first == last:
        return f"epoch {epoch_words(first)}"
    return f"epochs {epoch_words(first)}–{epoch_words(last)}"


def _mean_and_range(errors):
    if len(errors) == 1:
        return f"error {percent(errors[0])}"
    low, high = 100 * errors.min(), 100 * errors.max()
    return f"error {100 * errors.mean():.2f} %" + (f" ({low:.2f}–{high:.2f})" if low < high else "")
