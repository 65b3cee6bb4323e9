"""Mean and median part: the spread of the losses over the epochs."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_nndyn.analyzers import LossTailAnalyzer
from sklearn_nndyn.displays._doors import expect_fitted, expect_record_or_losses
from sklearn_nndyn.displays._style import (
    COLOURS,
    check_loss_scale,
    loss_label,
    mark_epochs,
    mark_onset,
    panels,
    scale_losses,
    second_half,
    styled,
    title_over_legend,
)
from sklearn_nndyn.dynamics import LossFacts


class LossTailDisplay:
    """Mean, median and quantiles of the samples' losses over the epochs, with the turning epoch marked.

    Where a few samples carry the rise, the mean goes up while the median and nearly the whole band go down.

    Parameters
    ----------
    epochs : array of shape (n_epochs,)
        Recorded epochs.
    mean, median : array of shape (n_epochs,)
        Over the samples, in the units of the loss.
    band : array of shape (2, n_epochs)
        Lower and upper quantile over the samples.
    onset_epoch : int or float
        The turning epoch.
    quantiles : tuple of two floats, default=(0.01, 0.99)
        What the band is.
    loss_label : str, default="loss"
        Name of the loss with its unit, for the axis.
    onset_name : str, default="turn"
        What ``onset_epoch`` is called, see ``LossTailAnalyzer.onset_name_``.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    axes_ : array of two matplotlib Axes
        The mean alone; the mean among all.
    lines_ : dict of str to matplotlib Line2D
        ``"mean_alone"`` in the first, ``"mean"`` and ``"median"`` in the second.
    band_ : matplotlib artist
        The band.
    turns_ : list of two matplotlib Line2D
        The line at ``onset_epoch`` in either; None where that is the end.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_nndyn.displays import LossTailDisplay
    >>> display = LossTailDisplay.from_dynamics([[1.0, 0.5, 0.1], [1.0, 0.4, 0.1], [1.0, 0.9, 3.0]]).plot()
    >>> display.onset_epoch, display.median
    (1, array([1. , 0.5, 0.1]))
    >>> display.axes_[1].get_title(loc="left")
    'Loss of the samples'
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        epochs: Sequence | np.ndarray,
        mean: Sequence | np.ndarray,
        median: Sequence | np.ndarray,
        band: Sequence | np.ndarray,
        *,
        onset_epoch: float,
        quantiles: tuple[float, float] = (0.01, 0.99),
        loss_label: str = "loss",
        onset_name: str = "turn",
    ) -> None:
        self.epochs = epochs
        self.mean = mean
        self.median = median
        self.band = band
        self.onset_epoch = onset_epoch
        self.quantiles = quantiles
        self.loss_label = loss_label
        self.onset_name = onset_name

    @classmethod
    def from_analyzer(cls, tails: LossTailAnalyzer, *, quantiles: tuple[float, float] = (0.01, 0.99)) -> Self:
        """Take the curves of a fitted analyzer.

        Parameters
        ----------
        tails : LossTailAnalyzer
            Fitted.
        quantiles : tuple of two floats, default=(0.01, 0.99)
            Lower and upper edge of the band, among its ``quantiles_``.

        Returns
        -------
        display : LossTailDisplay
            Not yet drawn.

        Raises
        ------
        TypeError
            If something else than a LossTailAnalyzer is given.
        ValueError
            If the quantiles are not two increasing ones of the analyzer.
        sklearn.exceptions.NotFittedError
            If the analyzer is not fitted.
        """
        known = expect_fitted(tails, LossTailAnalyzer).quantiles_.tolist()
        if len(quantiles) != 2 or not set(quantiles) <= set(known) or quantiles[0] >= quantiles[1]:
            raise ValueError(f"quantiles must be two increasing ones of {known}, got {quantiles!r}.")
        return cls(
            tails.epochs_,
            tails.mean_curve_,
            tails.median_curve_,
            tails.quantile_curves_[:, [known.index(quantile) for quantile in quantiles]].T,
            onset_epoch=tails.onset_epoch_,
            onset_name=tails.onset_name_,
            quantiles=quantiles,
            loss_label=loss_label(LossFacts(tails.loss_name_, unit=tails.loss_unit_)),
        )

    @classmethod
    def from_dynamics(
        cls, dynamics: Any, *, onset: float | str = "auto", quantiles: tuple[float, float] = (0.01, 0.99)
    ) -> Self:
        """Analyse a record, and take the curves.

        Parameters
        ----------
        dynamics : Dynamics, fitted estimator, or array of shape (n_samples, n_epochs)
            What ``LossTailAnalyzer.fit`` takes.
        onset : "auto", int or float, default="auto"
            The turning epoch: that of least mean loss, or a recorded epoch.
        quantiles : tuple of two floats, default=(0.01, 0.99)
            Lower and upper edge of the band, among 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999.

        Returns
        -------
        display : LossTailDisplay
            Not yet drawn.

        Raises
        ------
        TypeError, ValueError
            As ``LossTailAnalyzer.fit`` and ``from_analyzer``.
        """
        return cls.from_analyzer(
            LossTailAnalyzer(onset=onset).fit(expect_record_or_losses(dynamics)), quantiles=quantiles
        )

    def plot(
        self, ax: Any = None, *, loss_scale: str = "auto", fill_between_kw: dict | None = None, **style: Any
    ) -> Self:
        """Draw two panels: the mean by itself, near its turn and its end; and the mean among the losses of all samples.

        In both the mean is solid and the turning epoch a vertical line; in the second the median is dashed and the band
        shaded.

        Parameters
        ----------
        ax : sequence of two matplotlib Axes, optional
            Axes to draw on; by default a new figure, as wide as a page of two columns.
        loss_scale : {"auto", "linear", "log"}, default="auto"
            Scale of the second panel; by itself logarithmic unless a mean or median is negative. It ends at 1e-6, below
            which log losses are not resolved in float32.
        fill_between_kw : dict, default=None
            Style of the band: keyword arguments of ``matplotlib.axes.Axes.fill_between``.
        **style : keyword arguments of matplotlib.axes.Axes.plot
            Style of mean and median, such as ``linewidth`` or ``color``; it goes before our own.

        Returns
        -------
        self : LossTailDisplay
            This display, with ``figure_``, ``axes_``, ``lines_`` and ``band_``.

        Raises
        ------
        ValueError
            If ``ax`` is not two axes, the scale is unknown, or the logarithmic one is asked for and a mean or
            median is negative.
        """
        lowest = min(np.min(self.mean), np.min(self.median))
        scale = check_loss_scale(loss_scale, lowest, ("auto", "linear", "log"))
        with panels(ax, 2) as axes:
            self.axes_, self.figure_ = axes, axes[0].figure
            self._draw(axes, style, fill_between_kw)
            axes[0].set_ylim(*_near_the_turn(self.epochs, np.asarray(self.mean), self.onset_epoch))
            self._finish()
            scale_losses(axes[1], scale, lowest if scale == "log" else axes[1].dataLim.ymin)
        return self

    def _draw(self, axes, style, fill_between_kw):
        from matplotlib.collections import PolyCollection

        alone, among = axes
        low, high = (f"{100 * quantile:g}" for quantile in self.quantiles)
        blue, red = COLOURS["blue"], COLOURS["vermillion"]
        among.plot(self.epochs, np.transpose(self.band), color=blue, alpha=0.5, linewidth=0.6)
        band = {"color": blue, "alpha": 0.12, "linewidth": 0, "label": f"{low}–{high} % of samples"}
        self.band_ = among.fill_between(
            self.epochs, *self.band, **styled(band, fill_between_kw, PolyCollection)
        )
        mean = styled({"color": red, "label": "mean"}, style)
        median = styled({"color": blue, "linestyle": "--", "label": "median"}, style)
        self.lines_ = {
            "mean_alone": alone.plot(self.epochs, self.mean, **mean)[0],
            "mean": among.plot(self.epochs, self.mean, **mean)[0],
            "median": among.plot(self.epochs, self.median, **median)[0],
        }

    def _finish(self):
        alone, among = self.axes_
        for ax in self.axes_:
            ax.set(xlabel="epoch", ylabel=self.loss_label)
            mark_epochs(ax, self.epochs)
        self.turns_ = [mark_onset(ax, self.onset_epoch, self.epochs, self.onset_name) for ax in self.axes_]
        title_over_legend(alone, f"Mean loss{_where(self)}", [])
        title_over_legend(
            among, "Loss of the samples", [self.lines_["mean"], self.lines_["median"], self.band_]
        )


def _near_the_turn(epochs, mean, onset_epoch):
    """Limits that show what follows the turning epoch, and half of the epochs; what came before may leave the panel."""
    onset = min(np.searchsorted(epochs, onset_epoch), second_half(epochs))
    least, top = mean[onset:].min(), mean[onset:].max()
    around = max(top - least, 0.25 * abs(least)) or 1.0
    before = mean[:onset].max(initial=top)
    low = max(least - around / 2, min(least, 0) - around / 20)
    return low, max(min(before, top + 2 * around), least + around / 2)


def _where(display):
    return (
        " near its turn" if display.onset_name == "turn" and display.onset_epoch != display.epochs[-1] else ""
    )
