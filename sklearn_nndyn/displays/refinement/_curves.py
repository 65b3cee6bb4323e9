"""Refinement with calibration on top of it, and the temperature."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_nndyn.analyzers import RefinementAnalyzer
from sklearn_nndyn.displays._doors import expect_fitted
from sklearn_nndyn.displays._style import (
    COLOURS,
    mark_epochs,
    mark_places,
    panels,
    second_half,
    styled,
    title_over_legend,
)
from sklearn_nndyn.utils.text import epoch_words


class RefinementDisplay:
    """Mean log loss over the epochs as refinement and, on top of it, calibration; beside it the temperature.

    Where a rise of the loss is calibration, the shaded part grows while the lower curve falls on.

    Parameters
    ----------
    epochs : array of shape (n_epochs,)
        Recorded epochs.
    loss, refinement : array of shape (n_epochs,)
        Mean log loss, and the same with the best temperature, in nats.
    temperature : array of shape (n_epochs,)
        The best temperature of each epoch; inf where equal probabilities are better than any.
    least_loss_epoch, best_epoch : int or float
        Epochs of least loss and of least refinement.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    axes_ : array of two matplotlib Axes
        Loss and refinement; the temperature.
    lines_ : dict of str to matplotlib Line2D
        ``"loss"`` and ``"refinement"`` in the first, ``"temperature"`` in the second.
    band_ : matplotlib artist
        Calibration, between loss and refinement.
    marks_ : list of matplotlib Line2D
        The two epochs in either panel; one in each where they are the same.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_nndyn.displays import RefinementDisplay
    >>> display = RefinementDisplay(
    ...     [0, 1, 2, 3], [1.1, 0.5, 0.4, 0.6], [1.1, 0.5, 0.4, 0.3], [1, 1, 1, 3], least_loss_epoch=2, best_epoch=3
    ... ).plot()
    >>> display.axes_[1].get_title(loc="left")
    'Best temperature'
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        epochs: Sequence | np.ndarray,
        loss: Sequence | np.ndarray,
        refinement: Sequence | np.ndarray,
        temperature: Sequence | np.ndarray,
        *,
        least_loss_epoch: float,
        best_epoch: float,
    ) -> None:
        self.epochs = epochs
        self.loss = loss
        self.refinement = refinement
        self.temperature = temperature
        self.least_loss_epoch = least_loss_epoch
        self.best_epoch = best_epoch

    @classmethod
    def from_analyzer(cls, refinement: RefinementAnalyzer) -> Self:
        """Take the curves of a fitted analyzer.

        Parameters
        ----------
        refinement : RefinementAnalyzer
            Fitted.

        Returns
        -------
        display : RefinementDisplay
            Not yet drawn.

        Raises
        ------
        TypeError
            If something else than a RefinementAnalyzer is given.
        sklearn.exceptions.NotFittedError
            If the analyzer is not fitted.
        """
        found = expect_fitted(refinement, RefinementAnalyzer)
        return cls(
            found.epochs_,
            found.loss_curve_,
            found.refinement_curve_,
            found.temperature_curve_,
            least_loss_epoch=found.least_loss_epoch_,
            best_epoch=found.best_epoch_,
        )

    @classmethod
    def from_dynamics(cls, dynamics: Any) -> Self:
        """Analyse a record, and take the curves.

        Parameters
        ----------
        dynamics : Dynamics, fitted estimator, or list or tuple of them
            What ``RefinementAnalyzer.fit`` takes.

        Returns
        -------
        display : RefinementDisplay
            Not yet drawn.

        Raises
        ------
        TypeError, ValueError
            As ``RefinementAnalyzer.fit``.
        """
        return cls.from_analyzer(RefinementAnalyzer().fit(dynamics))

    def plot(self, ax: Any = None, *, fill_between_kw: dict | None = None, **style: Any) -> Self:
        """Draw two panels: the loss as refinement and calibration, near its least values; and the temperature.

        The loss is solid, refinement dashed, calibration shaded between them. Dashed vertical lines mark the epoch of
        least loss and the best one once calibrated.

        Parameters
        ----------
        ax : sequence of two matplotlib Axes, optional
            Axes to draw on; by default a new figure, as wide as a page of two columns.
        fill_between_kw : dict, default=None
            Style of calibration: keyword arguments of ``matplotlib.axes.Axes.fill_between``.
        **style : keyword arguments of matplotlib.axes.Axes.plot
            Style of the curves, such as ``linewidth`` or ``color``; it goes before our own.

        Returns
        -------
        self : RefinementDisplay
            This display, with ``figure_``, ``axes_``, ``lines_``, ``band_`` and ``marks_``.

        Raises
        ------
        ValueError
            If ``ax`` is not two axes.
        """
        with panels(ax, 2) as axes:
            self.axes_, self.figure_ = axes, axes[0].figure
            self._draw_loss(axes[0], style, fill_between_kw)
            self._draw_temperature(axes[1], style)
            self._finish()
        return self

    def _draw_loss(self, ax, style, fill_between_kw):
        from matplotlib.collections import PolyCollection

        band = {"color": COLOURS["orange"], "alpha": 0.25, "linewidth": 0, "label": "calibration"}
        self.band_ = ax.fill_between(
            self.epochs, self.refinement, self.loss, **styled(band, fill_between_kw, PolyCollection)
        )
        loss = styled({"color": COLOURS["vermillion"], "label": "loss"}, style)
        refinement = styled({"color": COLOURS["blue"], "linestyle": "--", "label": "refinement"}, style)
        self.lines_ = {
            "loss": ax.plot(self.epochs, self.loss, **loss)[0],
            "refinement": ax.plot(self.epochs, self.refinement, **refinement)[0],
        }

    def _draw_temperature(self, ax, style):
        temperature = np.where(np.isfinite(self.temperature), self.temperature, np.nan)
        line = styled({"color": COLOURS["blue"]}, style)
        self.lines_["temperature"] = ax.plot(self.epochs, temperature, **line)[0]
        ax.axhline(1, color=COLOURS["grey"], linewidth=0.8, linestyle=":")

    def _finish(self):
        loss, temperature = self.axes_
        limits = _near_the_least(self.epochs, self.loss, self.refinement)
        loss.set(xlabel="epoch", ylabel="log loss (nats)", ylim=limits)
        temperature.set(xlabel="epoch", ylabel="temperature")
        for ax in self.axes_:
            mark_epochs(ax, self.epochs)
        self.marks_ = [line for ax in self.axes_ for line in self._mark(ax)]
        curves = [self.lines_["loss"], self.lines_["refinement"], self.band_]
        title_over_legend(loss, "Mean log loss near its least", curves)
        title_over_legend(temperature, "Best temperature", self.marks_[len(self.marks_) // 2 :])

    def _mark(self, ax):
        """Lines at the two epochs, or one where they are the same, with words for a legend."""
        least, best = self.least_loss_epoch, self.best_epoch
        if best == least:
            marked = {best: (f"least loss and refinement ({epoch_words(best)})", COLOURS["black"])}
        else:
            marked = {
                least: (f"least loss ({epoch_words(least)})", COLOURS["vermillion"]),
                best: (f"least refinement ({epoch_words(best)})", COLOURS["blue"]),
            }
        words, colours = zip(*marked.values(), strict=True)
        lines = mark_places(ax, list(marked), [""] * len(words), colours)
        for line, word in zip(lines, words, strict=True):
            line.set_label(word)
        return lines


def _near_the_least(epochs, loss, refinement):
    """Limits that show both curves from the least loss or half of the epochs on; what came before may leave it."""
    loss, refinement = np.asarray(loss), np.asarray(refinement)
    low, start = min(loss.min(), refinement.min()), min(int(loss.argmin()), second_half(epochs))
    top = max(loss[start:].max(), refinement[start:].max())
    around = max(top - low, 0.1 * abs(low)) or 1.0
    return max(low - around / 4, -around / 20), top + around / 2
