"""How fast and how well each loss learns: one curve a loss, together or each in a panel of its own."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any, Self

import numpy as np

from sklearn_nndyn.displays._doors import expect_comparison
from sklearn_nndyn.displays._style import PAPER, given_axes, mark_epochs, panels, styled
from sklearn_nndyn.displays.comparison._styles_of_losses import (
    SCALES,
    accuracy_axis,
    accuracy_label,
    chosen_losses,
    height_for,
    in_percent,
    in_words,
    loss_styles,
    name_at_the_end,
    noise_words,
)
from sklearn_nndyn.utils.validation import check_choice

KINDS = ("together", "multiples")
N_COLUMNS = 4
LINE_LENGTH = 27  # letters of a name above a panel
BEHIND = {"color": "#C4C4C4", "linewidth": 0.6, "zorder": 1.5}


class LossComparisonDisplay:
    """Test accuracy over the epochs for each loss, mean and interval over the seeds.

    Parameters
    ----------
    losses : sequence of n_losses str
        Names.
    epochs : array of shape (n_epochs,)
        Epochs, from 0.
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
        Its name: with the last value at the end of its curve, or above its panel.

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

    def __init__(
        self,
        losses: Sequence[str],
        epochs: Sequence | np.ndarray,
        mean: Sequence | np.ndarray,
        half: Sequence | np.ndarray | None = None,
        *,
        title: str = "Test accuracy",
    ) -> None:
        self.losses = losses
        self.epochs = epochs
        self.mean = mean
        self.half = half
        self.title = title

    @classmethod
    def from_comparison(
        cls,
        found: Any,
        *,
        losses: Sequence[str] | None = None,
        label_noise: float | None = None,
        input_noise: float | None = None,
    ) -> Self:
        """Take the curves of a comparison, at one level of noise.

        Parameters
        ----------
        found : LossComparison
            Result of ``compare_losses``.
        losses : sequence of str, default=None
            Losses to show; None is all.
        label_noise, input_noise : float, default=None
            The noise level; None is the first.

        Returns
        -------
        display : LossComparisonDisplay
            Not yet drawn.

        Raises
        ------
        TypeError
            If something else than a LossComparison is given.
        ValueError
            If there is no such level or loss.
        """
        expect_comparison(found)
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

    def plot(
        self,
        ax: Any = None,
        *,
        kind: str = "together",
        scale: str = "log",
        fill_between_kw: dict | None = None,
        **style: Any,
    ) -> Self:
        """Draw the curves, with their intervals shaded where there are several seeds.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of them, optional
            Axes to draw on: one, or one for each loss; by default a new figure, as wide as a page of two columns.
        kind : {"together", "multiples"}, default="together"
            All in one panel, each with its name and last value at its end; or a panel for each loss, the best first,
            with the others in grey behind it.
        scale : {"log", "linear"}, default="log"
            Scale of the accuracy. On the logarithmic one equal steps divide the error by the same number, so that
            losses can be told apart at 98 % as well as at 80 %.
        fill_between_kw : dict, default=None
            Style of the intervals: keyword arguments of ``matplotlib.axes.Axes.fill_between``.
        **style : keyword arguments of matplotlib.axes.Axes.plot
            Style of the curves, such as ``linewidth`` or ``color``; it goes before our own.

        Returns
        -------
        self : LossComparisonDisplay
            This display, with ``figure_``, ``axes_``, ``lines_``, ``bands_`` and ``labels_``.

        Raises
        ------
        ValueError
            If there is no such kind or scale, nothing to draw, or ``ax`` is not as many axes as are needed.
        """
        check_choice("kind", kind, KINDS)
        check_choice("scale", scale, SCALES)
        curves = _best_first(self.losses, *in_percent(self.mean, self.half))
        self.lines_: dict[str, Any] = {}
        self.bands_: dict[str, Any] = {}
        plot = self._plot_together if kind == "together" else self._plot_multiples
        plot(ax, curves, scale, (style, fill_between_kw))
        return self

    def _plot_together(self, ax, curves, scale, styles):
        styles_of_losses = loss_styles(self.losses)
        with panels(ax, 1, height=height_for(len(curves))) as axes:
            self.axes_, self.figure_ = axes, axes[0].figure
            for loss, curve in curves.items():
                self._draw(
                    axes[0], loss, curve, styles_of_losses[loss], min(0.15, 0.6 / len(curves)), *styles
                )
            self._finish(axes[0], curves, scale)
            axes[0].set(xlabel="epoch", ylabel=accuracy_label(scale))
            axes[0].set_title(self._titled())
            self.labels_ = name_at_the_end(axes[0], self.lines_)

    def _plot_multiples(self, ax, curves, scale, styles):
        import matplotlib.pyplot as plt

        given, styles_of_losses = ax is not None, loss_styles(self.losses)
        with plt.rc_context({} if given else PAPER):
            words = self._titled(), accuracy_label(scale)
            self.axes_ = given_axes(ax, len(curves), "loss") if given else _new_axes(plt, len(curves), *words)
            self.figure_, self.labels_ = self.axes_[0].figure, {}
            for panel, loss in zip(self.axes_, curves, strict=True):
                behind = [mean for other, (mean, _, _) in curves.items() if other != loss]
                if behind:
                    panel.plot(self.epochs, np.transpose(behind), **BEHIND)
                self._draw(
                    panel, loss, curves[loss], styles_of_losses[loss] | {"linestyle": "-"}, 0.2, *styles
                )
                self._finish(panel, curves, scale)
                self._name_panel(panel, loss, styles_of_losses[loss]["color"])
                if given:
                    panel.set(xlabel="epoch", ylabel=accuracy_label(scale))

    def _draw(self, ax, loss, curve, artist_kw, alpha, style, fill_between_kw):
        from matplotlib.collections import PolyCollection

        mean, low, high = curve
        line = styled({"label": loss, "zorder": 3, **artist_kw}, style)
        (self.lines_[loss],) = ax.plot(self.epochs, mean, **line)
        if np.isfinite(low).any():
            band = {"color": artist_kw["color"], "alpha": alpha, "linewidth": 0}
            band = styled(band, fill_between_kw, PolyCollection)
            self.bands_[loss] = ax.fill_between(self.epochs, low, high, **band)

    def _titled(self):
        """The title, and what the bands are where there are some."""
        banded = self.half is not None and np.isfinite(np.asarray(self.half, dtype=float)).any()
        return f"{self.title}, with 95 % intervals over the seeds" if banded else self.title

    def _finish(self, ax, curves, scale):
        accuracy_axis(ax, scale, [mean for mean, _, _ in curves.values()])
        ax.set_xlim(self.epochs[0], max(self.epochs[-1], self.epochs[0] + 1))
        mark_epochs(ax, self.epochs)

    def _name_panel(self, ax, loss, colour):
        self.labels_[loss] = ax.set_title("\n".join(wrap(in_words(loss), LINE_LENGTH)), fontsize=7.5, pad=3)
        artist_kw = {"ha": "right", "va": "bottom", "color": colour, "fontsize": 7.5}
        ax.text(0.98, 0.03, f"{self.lines_[loss].get_ydata()[-1]:.1f} %", transform=ax.transAxes, **artist_kw)


def _best_first(losses, mean, low, high):
    """{loss: (mean, low, high)} of those that have a mean at all epochs, the best at the end first."""
    curves = {
        loss: own for loss, *own in zip(losses, mean, low, high, strict=True) if np.isfinite(own[0]).all()
    }
    if not curves:
        raise ValueError("There is no loss with an accuracy at every epoch to draw.")
    return dict(sorted(curves.items(), key=lambda item: -item[1][0][-1]))


def _new_axes(plt, n_panels, title, label):
    n_columns = min(N_COLUMNS, n_panels)
    n_rows = -(-n_panels // n_columns)
    figure, axes = plt.subplots(
        n_rows,
        n_columns,
        figsize=(7, 0.6 + 1.35 * n_rows),
        layout="constrained",
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    figure.supxlabel("epoch", fontsize=8)
    figure.supylabel(label.replace(", ", ",\n"), fontsize=8, ha="center")
    for unused in axes.ravel()[n_panels:]:
        unused.remove()
    for lowest in axes.ravel()[n_panels - n_columns : n_panels]:
        lowest.tick_params("x", labelbottom=True)
    return axes.ravel()[:n_panels]
