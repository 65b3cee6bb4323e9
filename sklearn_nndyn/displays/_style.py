"""How our pictures look: colours that everyone can tell apart, and sizes for a page of two columns."""

from contextlib import contextmanager

import numpy as np

# Okabe and Ito (2008): distinct for the common kinds of colour blindness, and in grey.
COLOURS = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky": "#56B4E9",
    "green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "purple": "#CC79A7",
    "grey": "#595959",
}
SPLIT_COLOURS = {"train": COLOURS["blue"], "validation": COLOURS["vermillion"]}
UNITS = {"log": "nats", "squared_log": "nats²", "cauchy_schwarz": "nats"}
SPLIT_NAMES = {"train": "training", "validation": "validation"}

PAPER = {
    "font.size": 8,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelcolor": "#333333",
    "axes.edgecolor": "#808080",
    "axes.linewidth": 0.7,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "grid.color": "#E3E3E3",
    "grid.linewidth": 0.6,
    "xtick.color": "#808080",
    "ytick.color": "#808080",
    "xtick.labelcolor": "#333333",
    "ytick.labelcolor": "#333333",
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "ytick.major.size": 0,
    "xtick.labelsize": 7.5,
    "ytick.labelsize": 7.5,
    "axes.xmargin": 0.02,
    "lines.linewidth": 1.4,
    "legend.fontsize": 7.5,
    "figure.constrained_layout.wspace": 0.06,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "figure.dpi": 150,
    "savefig.dpi": 300,
}
COLUMN = 3.4  # inches: one of two columns


@contextmanager
def panels(ax, n_panels, width=7.0, height=2.6):
    """Axes to draw on: the user's as they are, or new ones in a row, in the style of a paper.

    Parameters
    ----------
    ax : matplotlib Axes, sequence of them, or None
        Where to draw; None makes a new figure.
    n_panels : int
        Number of axes that are needed.
    width, height : float
        Size of a new figure in inches.

    Yields
    ------
    axes : array of n_panels matplotlib Axes

    Raises
    ------
    ValueError
        If ``ax`` is not that many axes.
    """
    if ax is not None:
        yield _given(ax, n_panels)
        return
    import matplotlib.pyplot as plt

    with plt.rc_context(PAPER):
        yield plt.subplots(1, n_panels, figsize=(width, height), layout="constrained", squeeze=False)[
            1
        ].ravel()


def title_over_legend(ax, title, handles):
    """A title, and under it, above the axes where no curve can be hidden, the legend in one row."""
    ax.set_title(title, pad=20)
    if handles:
        place = {
            "loc": "lower left",
            "bbox_to_anchor": (-0.01, 1),
            "borderaxespad": 0.2,
            "ncols": len(handles),
        }
        legend = ax.legend(handles=handles, columnspacing=1.4, borderpad=0.2, handletextpad=0.5, **place)
        legend.set_in_layout(False)  # the title above it already keeps its room


def loss_label(name):
    """Name of a loss with its unit, for an axis; "loss" where the name is not one word."""
    if not isinstance(name, str) or not name.isidentifier():
        return "loss"
    unit = f" ({UNITS[name]})" if name in UNITS else ""
    return f"{name.replace('_', ' ')} loss{unit}"


def mark_epochs(ax, epochs):
    """Whole numbers on the axis of epochs."""
    if len(epochs) == 1:
        ax.set_xticks(epochs)
    else:
        ax.xaxis.get_major_locator().set_params(integer=True)


def mark_turn(ax, epoch, epochs):
    """A dashed line at the turn, with its epoch beside it; none where the turn is the last epoch."""
    if epoch == epochs[-1]:
        return None
    from matplotlib.patheffects import withStroke

    halo = [withStroke(linewidth=1.8, foreground="white")]  # to be read on any ground
    look = {"color": "black", "linestyle": (0, (4, 2)), "linewidth": 0.8, "zorder": 1.5}
    line = ax.axvline(epoch, path_effects=halo, **look)
    late = epoch - epochs[0] > 0.6 * (epochs[-1] - epochs[0])
    ax.annotate(
        f"turn: epoch {epoch}",
        (epoch, 1),
        xycoords=ax.get_xaxis_transform(),
        xytext=(-4 if late else 4, -3),
        textcoords="offset points",
        ha="right" if late else "left",
        va="top",
        fontsize=7,
        path_effects=halo,
    )
    return line


def cell_edges(centres):
    """Edges (n + 1,) of cells around increasing ``centres`` (n,), half way between them."""
    centres = np.asarray(centres, dtype=float)
    middle = (centres[1:] + centres[:-1]) / 2
    steps = (middle[:1] - centres[:1], centres[-1:] - middle[-1:]) if len(centres) > 1 else ([0.5], [0.5])
    return np.concatenate([centres[:1] - steps[0], middle, centres[-1:] + steps[1]])


def _given(ax, n_panels):
    axes = np.ravel(np.asarray(ax, dtype=object))
    if len(axes) != n_panels:
        raise ValueError(
            f"ax must be a sequence of {n_panels} matplotlib axes, one for each panel, got {len(axes)}."
        )
    return axes
