"""Every sample a row: a map of the losses over the epochs."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_nndyn.displays._style import COLUMN, cell_edges, mark_epochs, mark_onset, panels, styled
from sklearn_nndyn.displays.loss_tails._log_loss import positive_losses, read


class LossHeatmapDisplay:
    """The losses of the samples over the epochs, in colours, the samples sorted by their loss at the end.

    Ranks are on a logarithmic scale: the worst ten samples take as much space as the ninety after them, so that a
    tail of few is seen. A row holds neighbouring ranks, and shows the geometric mean of their losses.

    Parameters
    ----------
    epochs : array of shape (n_epochs,)
        Recorded epochs.
    rank_edges : array of shape (n_rows + 1,)
        Row r holds the samples of rank ``rank_edges[r]`` up to but not including ``rank_edges[r + 1]``; the worst
        at the end has rank 1.
    values : array of shape (n_rows, n_epochs)
        Geometric mean of the losses of a row.
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
        The map.
    colorbar_ : matplotlib Colorbar
        Its scale.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_nndyn.displays import LossHeatmapDisplay
    >>> from sklearn_nndyn.dynamics import Dynamics
    >>> record = Dynamics(y=[0, 1, 1], classes=[0, 1], epochs=[0, 1], loss=[[1.0, 0.1], [1.0, 0.01], [1.0, 2.0]])
    >>> display = LossHeatmapDisplay.from_dynamics(record).plot()
    >>> display.values
    array([[1.  , 2.  ],
           [1.  , 0.1 ],
           [1.  , 0.01]])
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        epochs: Sequence | np.ndarray,
        rank_edges: Sequence | np.ndarray,
        values: Sequence | np.ndarray,
        *,
        onset_epoch: float,
        loss_label: str = "loss",
        onset_name: str = "turn",
    ) -> None:
        self.epochs = epochs
        self.rank_edges = rank_edges
        self.values = values
        self.onset_epoch = onset_epoch
        self.loss_label = loss_label
        self.onset_name = onset_name

    @classmethod
    def from_dynamics(
        cls, dynamics: Any, *, onset: float | str = "auto", n_rows: int = 150, floor: float = 0.0001
    ) -> Self:
        """Sort the samples of a record, and bring them into rows.

        Parameters
        ----------
        dynamics : Dynamics or fitted estimator
            The record, or a fitted model, whose validation record is read if it has one, else its training record.
        onset : "auto", int or float, default="auto"
            The turning epoch: that of least mean loss, or a recorded epoch.
        n_rows : int, default=150
            The most rows there are to be.
        floor : float, default=0.0001
            Smaller losses are shown as this, in the units of the loss.

        Returns
        -------
        display : LossHeatmapDisplay
            Not yet drawn.

        Raises
        ------
        TypeError, ValueError
            If there is no record of losses, a loss is not finite or negative, or ``onset`` not recorded.
        """
        record, onset_epoch, onset_name = read(dynamics, onset)
        losses, label = positive_losses(record, floor)
        edges = _rank_edges(len(losses), n_rows)
        worst_first = np.log(losses[np.argsort(-record.loss[:, -1], kind="stable")])
        sums = np.add.reduceat(worst_first, edges[:-1] - 1, axis=0)
        values = np.exp(sums / np.diff(edges)[:, None])
        return cls(
            record.epochs, edges, values, onset_epoch=onset_epoch, loss_label=label, onset_name=onset_name
        )

    def plot(self, ax: Any = None, *, cmap: Any = "viridis", **style: Any) -> Self:
        """Draw the map, the worst samples on top, with the scale of its colours.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on; by default a new figure, as wide as one of two columns.
        cmap : str or matplotlib Colormap, default="viridis"
            Colours, from low to high; the default is safe for the colour-blind.
        **style : keyword arguments of matplotlib.axes.Axes.pcolormesh
            Style of the map, such as ``norm`` or ``alpha``; it goes before our own.

        Returns
        -------
        self : LossHeatmapDisplay
            This display, with ``figure_``, ``ax_``, ``mesh_`` and ``colorbar_``.

        Raises
        ------
        ValueError
            If ``ax`` is not one axes.
        """
        from matplotlib.collections import QuadMesh
        from matplotlib.colors import LogNorm

        with panels(ax, 1, width=COLUMN, height=2.9) as (panel,):
            self.ax_, self.figure_ = panel, panel.figure
            self.mesh_ = panel.pcolormesh(
                cell_edges(self.epochs),
                self.rank_edges,
                self.values,
                **styled({"norm": LogNorm(), "cmap": cmap, "rasterized": True}, style, QuadMesh),
            )
            panel.set(xlabel="epoch", ylabel="rank by loss at the end (logarithmic)", yscale="log")
            panel.set_ylim(self.rank_edges[-1], self.rank_edges[0])
            panel.yaxis.set_major_formatter("{x:,.0f}")
            panel.grid(visible=False)
            mark_epochs(panel, self.epochs)
            mark_onset(panel, self.onset_epoch, self.epochs, self.onset_name)
            panel.set_title("Loss of every sample")
            self.colorbar_ = self.figure_.colorbar(self.mesh_, ax=panel, label=self.loss_label)
        return self


def _rank_edges(n_samples, n_rows):
    """Increasing ranks from 1 to n_samples + 1, evenly spaced on a logarithmic scale where there is space."""
    edges = np.geomspace(1, n_samples + 1, min(n_rows, n_samples) + 1)
    return np.unique(np.round(edges).astype(int))
