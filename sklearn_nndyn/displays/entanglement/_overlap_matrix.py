"""How much the stragglers of each two runs overlap: a square of cells."""

import numpy as np

from sklearn_nndyn.displays._style import styled

MOST_NUMBERS = 12  # runs whose overlaps can be written into their cells


def draw_overlaps(ax, jaccard, labels, style):
    """Draw the overlap of each two runs, shares (n_runs, n_runs) or nan for none to compare, in percent.

    The diagonal is left out. ``style`` are keyword arguments of ``Axes.imshow``.
    """
    from matplotlib.image import AxesImage

    values = 100 * np.asarray(jaccard, dtype=float)
    np.fill_diagonal(values, np.nan)
    artist_kw = {"vmin": 0, "vmax": 100, "interpolation": "nearest"}
    image = ax.imshow(values, **styled(artist_kw, style, AxesImage))
    if len(values) <= MOST_NUMBERS:
        _write_numbers(ax, image, values)
    if not np.isfinite(values).any():
        ax.text(0.5, 0.5, "no two runs with stragglers", transform=ax.transAxes, ha="center", va="center")
    _name_runs(ax, labels)
    return image


def _write_numbers(ax, image, values):
    size = 7.5 if len(values) < 9 else 6
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            red, green, blue, _ = image.cmap(image.norm(value))
            dark = 0.299 * red + 0.587 * green + 0.114 * blue < 0.5
            artist_kw = {
                "ha": "center",
                "va": "center",
                "fontsize": size,
                "color": "white" if dark else "black",
            }
            ax.text(column, row, f"{value:.0f}", **artist_kw)


def _name_runs(ax, labels):
    shown = np.arange(0, len(labels), -(-len(labels) // MOST_NUMBERS))
    ax.set_xticks(shown, [labels[i] for i in shown])
    ax.set_yticks(shown, [labels[i] for i in shown])
    if max(map(len, labels)) > 3:
        ax.tick_params("x", labelrotation=90)
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="run", ylabel="run")
    ax.set_title("Stragglers that two runs share")
