"""The style of our pictures: colours that everyone can tell apart, and sizes for a page of two columns."""

from contextlib import contextmanager
from typing import Any

import numpy as np

from sklearn_nndyn.utils.text import epoch_words
from sklearn_nndyn.utils.validation import check_choice

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
SPLIT_NAMES = {"train": "training", "validation": "validation"}

PAPER: dict[Any, Any] = {
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
FLOOR = 1e-6  # log losses below it are not resolved in float32
THIN_SPACE = "\u2009"
COLUMN = 3.4  # inches: one of two columns
WORDS = 7  # font size of the words beside a line
LETTER = 0.53  # of the font size: width of a letter, on average


@contextmanager
def panels(ax, n_panels, width=7.0, height=2.6):
    """Axes to draw on: the user's as they are, or new ones in a row, in the style of a paper.

    ``width`` and ``height`` are those of a new figure, in inches. ValueError where ``ax`` is not ``n_panels`` axes.
    """
    if ax is not None:
        yield given_axes(ax, n_panels, "panel")
        return
    import matplotlib.pyplot as plt

    with plt.rc_context(PAPER):
        yield plt.subplots(1, n_panels, figsize=(width, height), layout="constrained", squeeze=False)[
            1
        ].ravel()


def styled(defaults, style, artist=None):
    """Keyword arguments of an artist (a line) of matplotlib: the user's over ours, in whatever alias they are."""
    from matplotlib.cbook import normalize_kwargs
    from matplotlib.lines import Line2D

    kind = artist or Line2D
    return normalize_kwargs(defaults, kind) | normalize_kwargs(style or {}, kind)


def title_over_legend(ax, title, handles, n_rows=1):
    """A title, and under it, above the axes where no curve can be hidden, the legend in one row or more."""
    ax.set_title(title, pad=8 + 12 * n_rows)
    if handles:
        place = {
            "loc": "lower left",
            "bbox_to_anchor": (-0.01, 1),
            "borderaxespad": 0.2,
            "ncols": -(-len(handles) // n_rows),
        }
        legend = ax.legend(handles=handles, columnspacing=1.4, borderpad=0.2, handletextpad=0.5, **place)
        legend.set_in_layout(False)  # the title above it already has its space


def literal(name):
    """A name of the user's as matplotlib draws it letter by letter, in one line.

    Without it, what stands between two dollar signs is set as mathematics, or fails to be, and a legend leaves out
    what begins with an underscore.
    """
    text = " ".join(str(name).split()).replace("$", r"\$")
    return f"{THIN_SPACE}{text}" if text.startswith("_") else text


def shortened(name, most):
    """A name of at most so many letters, an ellipsis among them, as `literal` has it."""
    name = " ".join(str(name).split())
    return literal(name if len(name) <= most else f"{name[: most - 1]}…")


def loss_label(loss):
    """Name of a loss with its unit, for an axis, from its `LossFacts`; "loss" where the name is not one word."""
    return literal(f"{loss.short} ({loss.unit})" if loss.unit else loss.short)


def check_loss_scale(scale, lowest, choices):
    """The scale of losses of which ``lowest`` is the least: "auto" is logarithmic unless some are negative."""
    check_choice("loss_scale", scale, choices)
    if scale == "log" and lowest < 0:
        raise ValueError(
            f"loss_scale='log' needs losses that are not negative, but their mean or median reaches {lowest:g}: use "
            "loss_scale='linear'."
        )
    return ("linear" if lowest < 0 else "log") if scale == "auto" else scale


def scale_losses(ax, scale, lowest):
    """The y axis of losses of which ``lowest`` is the least; a logarithmic one ends at `FLOOR`, and says so."""
    if scale == "linear":
        if lowest >= 0:
            ax.set_ylim(bottom=0)
        return
    below = lowest < FLOOR
    bottom = FLOOR if below else 0.7 * lowest  # a band may reach down to zero: it leaves the panel there
    ax.set_ylim(bottom, max(ax.get_ylim()[1], 10 * bottom))
    ax.set_yscale("log", nonpositive="clip")
    note = f"logarithmic, above {FLOOR:g}" if below else "logarithmic"
    ax.set_ylabel(f"{ax.get_ylabel()}\n({note})")


def mark_epochs(ax, epochs):
    """Whole numbers on the axis of epochs."""
    if len(epochs) == 1:
        ax.set_xticks(epochs)
    else:
        ax.xaxis.get_major_locator().set_params(integer=True)


def mark_onset(ax, epoch, epochs, name):
    """A dashed line at an epoch, with its name and number beside it; none at the end."""
    if epoch == epochs[-1]:
        return None
    line = _dashed(ax, epoch)
    late = epoch - epochs[0] > 0.6 * (epochs[-1] - epochs[0])
    _beside(ax, epoch, ax.get_xaxis_transform(), f"{name}: epoch {epoch_words(epoch)}", late)
    return line


def mark_places(ax, places, words, colours):
    """Dashed lines at places on the finished x axis, with words on the side that has more space, in rows.

    What does not fit there is parted before its brackets.
    """
    lines = [_dashed(ax, place, colour) for place, colour in zip(places, colours, strict=True)]
    shares = ax.transAxes.inverted().transform(ax.transData.transform([(place, 0) for place in places]))[:, 0]
    late = shares.mean() > 0.5
    beside = shares.min() if late else shares.max()  # of all lines, so that none runs through the words
    row = 0
    for word, colour in zip(words, colours, strict=True):
        if word:
            parted = word if _fits(ax, word, beside if late else 1 - beside) else word.replace(" (", "\n(")
            _beside(ax, beside, ax.transAxes, parted, late, colour, row)
            row += 1 + parted.count("\n")
    return lines


def _fits(ax, word, share):
    """Whether a word is no wider than a share of the axes, as they are or, for certain, as they will be laid out."""
    needed = 4 + LETTER * WORDS * len(word)
    if needed <= share * _points_wide(ax):
        return True
    layout = ax.figure.get_layout_engine()
    if layout is not None:
        layout.execute(ax.figure)
    return needed <= share * _points_wide(ax)


def _points_wide(ax):
    return ax.get_window_extent().width * 72 / ax.figure.dpi


def _halo():
    """To be read on any ground."""
    from matplotlib.patheffects import withStroke

    return [withStroke(linewidth=1.8, foreground="white")]


def _dashed(ax, at, colour="black"):
    artist_kw = {"color": colour, "linestyle": (0, (4, 2)), "linewidth": 0.8, "zorder": 1.5}
    return ax.axvline(at, path_effects=_halo(), **artist_kw)


def _beside(ax, at, coordinates, words, late, colour="black", row=0):
    """Words at the top, right of a place, or left of it where it is late; ``row`` lines down."""
    ax.annotate(
        words,
        (at, 1),
        xycoords=coordinates,
        xytext=(-4 if late else 4, -3 - 9 * row),
        textcoords="offset points",
        ha="right" if late else "left",
        va="top",
        color=colour,
        fontsize=WORDS,
        path_effects=_halo(),
    )


def rows_of_words(ax):
    """Rows of the words in the axes."""
    return sum(1 + text.get_text().count("\n") for text in ax.texts)


def room_above(ax, n_rows):
    """Room at the top of the finished y axis for so many rows of words."""
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + (0.03 + 0.08 * n_rows) * (high - low))


def error_axis(ax, errors):
    """The x axis as training error in percent: training runs to the right, on a logarithmic scale where it can.

    Parameters
    ----------
    ax : matplotlib Axes
    errors : array of shape (n_errors,)
        All that are drawn, as shares of the samples; an error of zero has no place among logarithms.
    """
    from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

    shown = 100 * errors[errors > 0]
    if len(shown):
        ax.set_xscale("log", nonpositive="mask")
        low, high = shown.min(), shown.max()
        several = LogLocator(subs=(1, 2, 5) if high < 1000 * low else (1,))
        few = MaxNLocator(5, steps=[1, 2, 5, 10])
        ax.xaxis.set_major_locator(few if high < 6 * low else several)
        ax.xaxis.set_minor_locator(NullLocator())
        ax.xaxis.set_major_formatter("{x:g}")
        beside = max(high / low, 1.1) ** 0.02
        ax.set_xlim(high * beside, low / beside)
    else:
        ax.xaxis.set_inverted(True)  # once, also where two panels share it
    ax.set_xlabel("training error (%, logarithmic)" if len(shown) else "training error (%)")


def second_half(epochs):
    """Position of the epoch that the second half of those recorded begins with."""
    return len(epochs) // 2


def cell_edges(centres):
    """Edges (n + 1,) of cells around increasing ``centres`` (n,), half way between them."""
    centres = np.asarray(centres, dtype=float)
    middle = (centres[1:] + centres[:-1]) / 2
    steps = (middle[:1] - centres[:1], centres[-1:] - middle[-1:]) if len(centres) > 1 else ([0.5], [0.5])
    return np.concatenate([centres[:1] - steps[0], middle, centres[-1:] + steps[1]])


def given_axes(ax, n_axes, each):
    """The axes of the user, as many as are needed."""
    axes = np.ravel(np.asarray(ax, dtype=object))
    if len(axes) != n_axes:
        raise ValueError(
            f"ax must be a sequence of {n_axes} matplotlib axes, one for each {each}, got {len(axes)}."
        )
    return axes
