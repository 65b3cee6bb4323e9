"""How fast and how well each loss learns: one curve a loss, together or each in a panel of its own."""

import numpy as np
from sklearn.isotonic import isotonic_regression

from sklearn_nndyn.displays._style import COLOURS, PAPER, given_axes, mark_epochs, panels

HUES = ("blue", "vermillion", "green", "orange", "purple", "sky", "black", "grey")
DASHES = ("-", (0, (5, 1.5)), (0, (1.2, 1.2)), (0, (6, 1.5, 1.2, 1.5)))
# Losses that learn alike lie upon each other: they differ in colour and in dashes.
KNOWN = {
    "log": ("black", 0), "squared_log": ("vermillion", 1), "l1": ("purple", 2), "l2": ("blue", 0),
    "expectation": ("green", 0), "regularized_expectation": ("sky", 1), "chebyshev": ("orange", 2),
    "hinge": ("purple", 0), "squared_hinge": ("vermillion", 0), "cubed_hinge": ("sky", 0),
    "tanimoto": ("green", 1), "cauchy_schwarz": ("blue", 2), "focal": ("grey", 0), "poly1": ("orange", 1),
    "label_smoothing": ("black", 2), "generalized_cross_entropy": ("grey", 1), "symmetric_cross_entropy": ("orange", 0),
}  # fmt: skip
N_COLUMNS = 4
LABEL_SIZE, LABEL_GAP = 7, 1.25  # points; lines of text
BEFORE = 0.1  # share of the epochs, of which the curves may leave the panel


class LossComparisonDisplay:
    """Test accuracy over the epochs for each loss, mean and interval over the seeds.

    Parameters
    ----------
    losses : sequence of n_losses str
        Names.
    epochs : array of shape (n_epochs,)
        From epoch 0.
    mean : array of shape (n_losses, n_epochs)
        Accuracy, as share of the samples; nan where there is none.
    half : array of shape (n_losses, n_epochs), optional
        Half width of the interval; nan where there is none, as for a single seed.
    title : str, default="Test accuracy"
        With the noise, if any.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    axes_ : array of matplotlib Axes
        One, or one for each loss, the best first.
    lines_ : dict of str to matplotlib Line2D
        The curve of each loss that has one, the best first.
    bands_ : dict of str to matplotlib artist
        Its interval; without those of a single seed.
    labels_ : dict of str to matplotlib Text
        Its name: at the end of its curve, or above its panel.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_nndyn.displays import LossComparisonDisplay
    >>> display = LossComparisonDisplay(["log", "l2"], [0, 1, 2], [[0.1, 0.6, 0.8], [0.1, 0.7, 0.9]]).plot()
    >>> list(display.lines_)
    ['l2', 'log']
    >>> display.labels_["l2"].get_text()
    'l2 90.0 %'
    >>> plt.close(display.figure_)
    """

    def __init__(self, losses, epochs, mean, half=None, *, title="Test accuracy"):
        self.losses = losses
        self.epochs = epochs
        self.mean = mean
        self.half = half
        self.title = title

    @classmethod
    def from_comparison(cls, found, *, losses=None, label_noise=None, input_noise=None):
        """Take the curves of a comparison, at one level of noise.

        Parameters
        ----------
        found : LossComparison
            What ``compare_losses`` found.
        losses : sequence of str, default=None
            Those to show; None is all.
        label_noise, input_noise : float, default=None
            The noise level; None is the first.

        Returns
        -------
        display : LossComparisonDisplay
            Not yet drawn.

        Raises
        ------
        ValueError
            If there is no such level or loss.
        """
        mean, half = found.learning_curves(label_noise=label_noise, input_noise=input_noise)
        rows = chosen_losses(found.losses, losses)
        levels = {"label_noise": label_noise, "input_noise": input_noise}
        return cls(
            [found.losses[row] for row in rows],
            found.epochs,
            mean[rows],
            half[rows],
            title=f"Test accuracy{noise_words(found, levels)}",
        )

    def plot(self, ax=None, *, kind="together"):
        """Draw the curves, with their intervals shaded where there are several seeds.

        What curves do in the first tenth of the epochs may lie below the panel, so that one sees who is ahead of whom
        later.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of them, optional
            Where to draw: one, or one for each loss; by default a new figure, as wide as a page of two columns.
        kind : {"together", "multiples"}, default="together"
            All in one panel, each with its name and last value at its end; or a panel for each loss, the best first,
            with the others in grey behind it.

        Returns
        -------
        self : LossComparisonDisplay
            With ``figure_``, ``axes_``, ``lines_``, ``bands_`` and ``labels_``.

        Raises
        ------
        ValueError
            If there is no such kind, nothing to draw, or ``ax`` is not as many axes as are needed.
        """
        if kind not in ("together", "multiples"):
            raise ValueError(f"kind must be 'together' or 'multiples', got {kind!r}.")
        self._curves = _sorted_curves(self.losses, self.mean, self.half)
        self.lines_, self.bands_, self.labels_ = {}, {}, {}
        (self._plot_together if kind == "together" else self._plot_multiples)(ax)
        del self._curves
        return self

    def _plot_together(self, ax):
        with panels(ax, 1, height=height_for(len(self._curves))) as axes:
            self.axes_, self.figure_ = axes, axes[0].figure
            for loss, look in loss_looks(self.losses).items():
                if loss in self._curves:
                    self._draw(axes[0], loss, look)
            self.lines_ = {loss: self.lines_[loss] for loss in self._curves}
            self._finish(axes[0])
            axes[0].set(xlabel="epoch", ylabel="test accuracy (%)")
            axes[0].set_title(self.title)
            self.labels_ = name_at_the_end(axes[0], self.lines_)

    def _plot_multiples(self, ax):
        import matplotlib.pyplot as plt

        given = ax is not None
        n_panels = len(self._curves)
        with plt.rc_context({} if given else PAPER):
            self.axes_ = given_axes(ax, n_panels, "loss") if given else _new_axes(plt, n_panels, self.title)
            self.figure_ = self.axes_[0].figure
            looks = loss_looks(self.losses)
            for panel, loss in zip(self.axes_, self._curves, strict=True):
                others = [100 * mean for other, (mean, _) in self._curves.items() if other != loss]
                if others:
                    panel.plot(self.epochs, np.transpose(others), color="#C8C8C8", linewidth=0.6, zorder=1.5)
                self._draw(panel, loss, looks[loss] | {"linestyle": "-"})
                self._finish(panel)
                self.labels_[loss] = panel.set_title(_with_value(loss, self.lines_[loss]), fontsize=8)
                if given:
                    panel.set(xlabel="epoch", ylabel="test accuracy (%)")

    def _draw(self, ax, loss, look):
        mean, half = (100 * values for values in self._curves[loss])
        (self.lines_[loss],) = ax.plot(self.epochs, mean, label=loss, zorder=3, **look)
        if np.isfinite(half).any():
            self.bands_[loss] = ax.fill_between(
                self.epochs, mean - half, mean + half, color=look["color"], alpha=0.12, linewidth=0
            )

    def _finish(self, ax):
        ax.set_ylim(*self._limits())
        ax.set_xlim(self.epochs[0], self.epochs[-1] if len(self.epochs) > 1 else self.epochs[0] + 1)
        mark_epochs(ax, self.epochs)

    def _limits(self):
        """From where most curves are after the first epochs, and all at the end, to the best."""
        curves = 100 * np.array([mean for mean, _ in self._curves.values()])
        early = min(int(np.ceil(BEFORE * (curves.shape[1] - 1))), curves.shape[1] - 1)
        low, high = min(np.median(curves[:, early]), curves[:, -1].min()), curves.max()
        room = 0.08 * max(high - low, 1.0)
        return low - room, high + room


def _sorted_curves(losses, mean, half):
    """{loss: (mean, half)} of those that have a mean, the best at the end first."""
    mean = np.asarray(mean, dtype=float)
    half = np.full(mean.shape, np.nan) if half is None else np.asarray(half, dtype=float)
    there = {
        loss: (own, width)
        for loss, own, width in zip(losses, mean, half, strict=True)
        if np.isfinite(own).all()
    }
    if not there:
        raise ValueError("There is no loss with an accuracy to draw.")
    return dict(sorted(there.items(), key=lambda item: -item[1][0][-1]))


def chosen_losses(known, losses):
    """Positions of the losses asked for among those known; all for None."""
    if isinstance(losses, str):
        raise ValueError(f"losses must be a list of names, got {losses!r}.")
    losses = known if losses is None else list(losses)
    strange = [loss for loss in losses if loss not in known]
    if strange or not len(losses):
        raise ValueError(
            f"losses must be some of {', '.join(known)}; got {', '.join(map(str, strange)) or 'none'}."
        )
    return [known.index(loss) for loss in losses]


def noise_words(found, levels):
    """Where the levels are not zero, what they are; None is the first."""
    levels = {kind: getattr(found, kind)[0] if level is None else level for kind, level in levels.items()}
    words = [f"{kind.replace('_', ' ')} {level:g}" for kind, level in levels.items() if level]
    return f", {', '.join(words)}" if words else ""


def loss_looks(losses):
    """{loss: colour and dashes}, no two alike; those of this package have the same in every picture."""
    free = [(hue, i) for i in range(len(DASHES)) for hue in HUES]
    free = [pair for pair in free if pair not in KNOWN.values()]
    unknown = [loss for loss in losses if loss not in KNOWN]
    pairs = {loss: free[i % len(free)] for i, loss in enumerate(unknown)} | KNOWN
    return {loss: {"color": COLOURS[pairs[loss][0]], "linestyle": DASHES[pairs[loss][1]]} for loss in losses}


def height_for(n_labels):
    """Inches in which so many names have room beside each other."""
    return max(2.8, 0.6 + n_labels * LABEL_SIZE * LABEL_GAP / 72)


def name_at_the_end(ax, lines):
    """Names right of the finished axes, as near to the ends of the lines as there is room.

    Parameters
    ----------
    ax : matplotlib Axes
    lines : dict of str to matplotlib Line2D
        The greatest last value first.

    Returns
    -------
    labels : dict of str to matplotlib Text
    """
    low, high = ax.get_ylim()
    ends = np.array([line.get_ydata()[-1] for line in lines.values()])
    points = 72 * ax.get_window_extent().height / ax.figure.dpi
    places = spread((ends - low) / (high - low), LABEL_SIZE * LABEL_GAP / points)
    labels = {}
    for (loss, line), end, place in zip(lines.items(), ends, places, strict=True):
        colour = line.get_color()
        labels[loss] = ax.annotate(
            _with_value(loss, line),
            (line.get_xdata()[-1], end),
            xytext=(1.05, place),
            textcoords=ax.transAxes,
            va="center",
            fontsize=LABEL_SIZE,
            color=colour,
            annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colour, "linewidth": 0.6, "shrinkA": 1, "shrinkB": 1,
                        "relpos": (0, 0.5)},
        )  # fmt: skip
    return labels


def _with_value(loss, line):
    return f"{loss.replace('_', ' ')} {line.get_ydata()[-1]:.1f} %"


def spread(places, gap):
    """Places (n,) moved apart by at least ``gap``, as little as can be (least squares), within 0 and 1 if they fit."""
    order = np.argsort(places, kind="stable")
    steps = gap * np.arange(len(places))
    room = max(1 - steps[-1], 0)
    moved = np.empty(len(places))
    moved[order] = isotonic_regression(np.asarray(places)[order] - steps, y_min=0, y_max=room) + steps
    return moved


def _new_axes(plt, n_panels, title):
    n_columns = min(N_COLUMNS, n_panels)
    n_rows = -(-n_panels // n_columns)
    figure, axes = plt.subplots(
        n_rows, n_columns, figsize=(7, 0.6 + 1.35 * n_rows), layout="constrained", sharex=True, sharey=True,
        squeeze=False,
    )  # fmt: skip
    figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    figure.supxlabel("epoch", fontsize=8)
    figure.supylabel("test accuracy (%)", fontsize=8)
    for unused in axes.ravel()[n_panels:]:
        unused.remove()
    return axes.ravel()[:n_panels]
