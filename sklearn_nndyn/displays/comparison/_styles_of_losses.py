"""How many losses are told apart in one picture: their styles, their names, and the scale of accuracy."""

import numpy as np
from sklearn.isotonic import isotonic_regression

from sklearn_nndyn.displays._style import COLOURS, literal

HUES = ("blue", "vermillion", "green", "orange", "purple", "sky", "black", "grey")
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
LABEL_SIZE, LABEL_GAP = 7, 1.25  # points; lines of text
SAMPLE, WORDS = (
    (1.035, 1.07),
    1.08,
)  # shares of the width of the axes: ends of the piece of line, and begin of its name
TICKS = (50, 80, 90, 95, 98, 99, 99.5, 99.8, 99.9)
LEAST_ERROR = 0.05  # percent: so near to 100 % the logarithmic scale becomes linear
SCALES = ("log", "linear")


def loss_styles(losses):
    """{loss: colour and dashes}, no two of 32 alike; neighbours differ in both, for curves may lie upon each other."""
    hues, dashes = len(HUES), len(DASHES)
    return {
        loss: {"color": COLOURS[HUES[i % hues]], "linestyle": DASHES[(i + i // hues) % dashes]}
        for i, loss in enumerate(losses)
    }


def in_words(loss):
    """Its name, without underscores, as matplotlib draws it."""
    return literal(loss.replace("_", " "))


def chosen_losses(known, losses):
    """Positions of the losses asked for among those known; all for None."""
    if isinstance(losses, str):
        raise ValueError(f"losses must be a list of names, got {losses!r}.")
    losses = known if losses is None else list(losses)
    strange = [str(loss) for loss in losses if loss not in known]
    if strange or not len(losses):
        raise ValueError(f"losses must be some of {', '.join(known)}; got {', '.join(strange) or 'none'}.")
    return [known.index(loss) for loss in losses]


def noise_words(found, levels):
    """The levels of noise that are not zero, in words; None is the first of the comparison."""
    levels = {kind: getattr(found, kind)[0] if level is None else level for kind, level in levels.items()}
    words = [f"{in_words(kind)} {level:g}" for kind, level in levels.items() if level]
    return f", {', '.join(words)}" if words else ""


def in_percent(mean, half):
    """Means, and lower and upper ends of their intervals, within 0 and 100; intervals are nan for None."""
    mean = 100 * np.asarray(mean, dtype=float)
    half = np.full(mean.shape, np.nan) if half is None else 100 * np.asarray(half, dtype=float)
    return mean, np.maximum(mean - half, 0), np.minimum(mean + half, 100)


def accuracy_label(scale):
    """What the y axis is, and that it is stretched towards 100 % where it is."""
    return "test accuracy (%), log scale of the error" if scale == "log" else "test accuracy (%)"


def accuracy_axis(ax, scale, shown, padding=0.05):
    """The y axis as accuracy in percent, with a share of empty space below and above all that is shown.

    On the logarithmic scale equal steps divide the error by the same number: 90, 95 and 97.5 % are equally far apart.
    """
    from matplotlib.ticker import FixedLocator, NullLocator

    low, high = np.nanmin(shown), np.nanmax(shown)
    if scale == "linear":
        padding *= max(high - low, 1.0)
        ax.set_ylim(max(low - padding, 0), high + padding)
        return
    ax.set_yscale("function", functions=(_forward, _backward))
    low, high = _forward(low), _forward(high)
    padding *= max(high - low, 0.2)
    low, high = max(_backward(low - padding), 0), _backward(high + padding)
    ticks = [tick for tick in TICKS if low <= tick <= high]
    if len(ticks) > 1:
        ax.yaxis.set_major_locator(FixedLocator(ticks))
    ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter("{x:g}")
    ax.set_ylim(low, high)


def _forward(accuracy):
    return -np.arcsinh((100 - np.asarray(accuracy)) / LEAST_ERROR)


def _backward(place):
    return 100 - LEAST_ERROR * np.sinh(-np.asarray(place))


def height_for(n_labels):
    """Inches of a figure in which so many names fit above each other."""
    return max(2.8, 0.7 + n_labels * LABEL_SIZE * LABEL_GAP / 72)


def name_at_the_end(ax, lines):
    """Right of the finished axes a piece of each line, its name and last value, as near to its end as there is room."""
    from matplotlib.lines import Line2D

    to_axes = ax.transData + ax.transAxes.inverted()
    ends = np.array([to_axes.transform(line.get_xydata()[-1]) for line in lines.values()])
    points = 72 * ax.get_window_extent().height / ax.figure.dpi
    places = spread(ends[:, 1], LABEL_SIZE * LABEL_GAP / points)
    labels = {}
    for (loss, line), end, place in zip(lines.items(), ends, places, strict=True):
        artist_kw = {"color": line.get_color(), "transform": ax.transAxes, "clip_on": False}
        ax.add_artist(Line2D([end[0], SAMPLE[0]], [end[1], place], linewidth=0.4, **artist_kw))
        piece = Line2D([], [])
        piece.update_from(line)  # get_linestyle does not tell one kind of dashes from another
        piece.set(data=(SAMPLE, [place, place]), linewidth=1.4, marker="", label="", **artist_kw)
        ax.add_artist(piece)
        words = f"{in_words(loss)} {line.get_ydata()[-1]:.1f} %"
        labels[loss] = ax.text(WORDS, place, words, va="center", fontsize=LABEL_SIZE, **artist_kw)
    return labels


def spread(places, gap):
    """Places (n,) moved apart by at least ``gap``, as little as can be (least squares), within 0 and 1 if they fit."""
    order = np.argsort(places, kind="stable")
    steps = gap * np.arange(len(places))
    moved = np.empty(len(places))
    least_squares = isotonic_regression(
        np.asarray(places)[order] - steps, y_min=0, y_max=max(1 - steps[-1], 0)
    )
    moved[order] = least_squares + steps
    return moved
