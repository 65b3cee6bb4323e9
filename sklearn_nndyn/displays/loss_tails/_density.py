"""Density of the losses over the epochs."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_nndyn.displays._style import (
    COLOURS,
    COLUMN,
    cell_edges,
    mark_epochs,
    mark_onset,
    panels,
    styled,
    title_over_legend,
)
from sklearn_nndyn.displays.loss_tails._log_loss import positive_losses, read
from sklearn_nndyn.utils.validation import check_count


class LossDensityDisplay:
    """How the samples are spread over the losses, epoch by epoch, the loss on a logarithmic scale.

    Parameters
    ----------
    epochs : array of shape (n_epochs,)
        Recorded epochs.
    loss_edges : array of shape (n_bins + 1,)
        Edges of the bins of the loss.
    shares : array of shape (n_bins, n_epochs)
        Share of the samples in each bin; every epoch sums to 1.
    mean, median : array of shape (n_epochs,)
        Over the samples.
    onset_epoch : int or float
        The turning epoch.
    loss_label : str, default="loss"
        Name of the loss with its unit.
    onset_name : str, default="turn"
        What ``onset_epoch`` is called, see ``LossTailAnalyzer.onset_name_``.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    ax_ : matplotlib Axes
        Axes with the picture.
    mesh_ : matplotlib QuadMesh
        The density; empty bins are blank.
    lines_ : dict of str to matplotlib Line2D
        ``"mean"`` and ``"median"``.
    colorbar_ : matplotlib Colorbar
        The scale of the density.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_nndyn.displays import LossDensityDisplay
    >>> from sklearn_nndyn.dynamics import Dynamics
    >>> record = Dynamics(y=[0, 1, 1], classes=[0, 1], epochs=[0, 1], loss=[[1.0, 0.1], [1.0, 0.01], [1.0, 2.0]])
    >>> display = LossDensityDisplay.from_dynamics(record, n_bins=2).plot()
    >>> display.shares.round(2)
    array([[0.  , 0.67],
           [1.  , 0.33]])
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        epochs: Sequence | np.ndarray,
        loss_edges: Sequence | np.ndarray,
        shares: Sequence | np.ndarray,
        mean: Sequence | np.ndarray,
        median: Sequence | np.ndarray,
        *,
        onset_epoch: float,
        loss_label: str = "loss",
        onset_name: str = "turn",
    ) -> None:
        self.epochs = epochs
        self.loss_edges = loss_edges
        self.shares = shares
        self.mean = mean
        self.median = median
        self.onset_epoch = onset_epoch
        self.loss_label = loss_label
        self.onset_name = onset_name

    @classmethod
    def from_dynamics(
        cls, dynamics: Any, *, onset: float | str = "auto", n_bins: int | str = "auto", floor: float = 1e-06
    ) -> Self:
        """Count the samples of a record in bins of the loss.

        Parameters
        ----------
        dynamics : Dynamics or fitted estimator
            The record, or a fitted model, whose validation record is read if it has one, else its training record.
        onset : "auto", int or float, default="auto"
            The turning epoch: that of least mean loss, or a recorded epoch.
        n_bins : int or "auto", default="auto"
            Number of bins, evenly spaced on a logarithmic scale between the least and the greatest loss. By itself
            twice the root of the number of samples, from 10 to 80, so that few samples make no stripes.
        floor : float, default=1e-06
            Smaller losses are counted as this, in the units of the loss: log losses below it are not resolved in
            float32.

        Returns
        -------
        display : LossDensityDisplay
            Not yet drawn.

        Raises
        ------
        TypeError, ValueError
            If there is no record of losses, a loss is not finite or negative, or ``onset`` not recorded.
        """
        record, onset_epoch, onset_name = read(dynamics, onset)
        losses, label = positive_losses(record, floor)
        edges = _loss_edges(losses, _check_bins(n_bins, len(losses)))
        shares = np.transpose([np.histogram(epoch, edges)[0] for epoch in losses.T]) / len(losses)
        return cls(
            record.epochs,
            edges,
            shares,
            losses.mean(axis=0),
            np.median(losses, axis=0),
            onset_epoch=onset_epoch,
            loss_label=label,
            onset_name=onset_name,
        )

    def plot(
        self, ax: Any = None, *, cmap: Any = "cividis_r", line_kw: dict | None = None, **style: Any
    ) -> Self:
        """Draw the density, and mean and median over it.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on; by default a new figure, as wide as one of two columns.
        cmap : str or matplotlib Colormap, default="cividis_r"
            Colours, from few samples to many; the default is safe for the colour-blind.
        line_kw : dict, default=None
            Style of mean and median: keyword arguments of ``matplotlib.axes.Axes.plot``.
        **style : keyword arguments of matplotlib.axes.Axes.pcolormesh
            Style of the density, such as ``norm`` or ``alpha``; it goes before our own.

        Returns
        -------
        self : LossDensityDisplay
            This display, with ``figure_``, ``ax_``, ``mesh_``, ``lines_`` and ``colorbar_``.

        Raises
        ------
        ValueError
            If ``ax`` is not one axes.
        """
        with panels(ax, 1, width=COLUMN, height=2.9) as (panel,):
            self.ax_, self.figure_ = panel, panel.figure
            self._draw(panel, {"cmap": cmap} | style, line_kw)
            panel.set(xlabel="epoch", ylabel=f"{self.loss_label}, logarithmic", yscale="log")
            panel.grid(visible=False)
            mark_epochs(panel, self.epochs)
            mark_onset(panel, self.onset_epoch, self.epochs, self.onset_name)
            title_over_legend(panel, "Where the losses lie", list(self.lines_.values()))
            self.colorbar_ = self.figure_.colorbar(self.mesh_, ax=panel, label="share of the samples (%)")
            self.colorbar_.ax.yaxis.set_major_formatter("{x:g}")
            self.colorbar_.ax.yaxis.set_minor_formatter("")
        return self

    def _draw(self, ax, style, line_kw):
        from matplotlib.collections import QuadMesh
        from matplotlib.colors import LogNorm

        blank = np.ma.masked_equal(100 * self.shares, 0)
        artist_kw = {"norm": LogNorm(), "rasterized": True}
        self.mesh_ = ax.pcolormesh(
            cell_edges(self.epochs), self.loss_edges, blank, **styled(artist_kw, style, QuadMesh)
        )
        mean = {"color": COLOURS["vermillion"], "label": "mean"}
        median = {"color": COLOURS["black"], "linestyle": "--", "label": "median"}
        self.lines_ = {
            "mean": ax.plot(self.epochs, self.mean, **styled(mean, line_kw))[0],
            "median": ax.plot(self.epochs, self.median, **styled(median, line_kw))[0],
        }


def _check_bins(n_bins, n_samples):
    if n_bins == "auto":
        return int(np.clip(2 * np.sqrt(n_samples), 10, 80))
    check_count("n_bins", n_bins)
    return n_bins


def _loss_edges(losses, n_bins):
    low, high = losses.min(), losses.max()
    if low == high:
        low, high = low / 2, high * 2
    return np.geomspace(low, high, n_bins + 1)
