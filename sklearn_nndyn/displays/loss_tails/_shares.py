"""How few samples carry the loss."""

import itertools
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_nndyn.analyzers import LossTailAnalyzer
from sklearn_nndyn.displays._doors import expect_fitted, expect_record_or_losses
from sklearn_nndyn.displays._style import COLOURS, mark_epochs, mark_onset, panels, styled, title_over_legend
from sklearn_nndyn.utils.text import epoch_words, in_words

# From the fewest to the most samples; dark to light, so that the order is seen in grey too.
SHARE_COLOURS = [COLOURS[name] for name in ("black", "blue", "vermillion", "orange")]


class LossShareDisplay:
    """The share of the total loss that the worst samples carry: over the epochs, at the turning epoch and at the end.

    Parameters
    ----------
    epochs : array of shape (n_epochs,)
        Recorded epochs.
    shares : array of shape (n_epochs, n_shares)
        Share of the total loss that the worst carry at each epoch.
    worst : array of shape (n_shares,)
        How large a share of the samples these worst are.
    concentration : array of shape (2, n_samples)
        Share of the total loss that the worst 1, 2, ..., n_samples carry, at the turning epoch and at the end.
    onset_epoch : int or float
        The turning epoch.
    onset_name : str, default="turn"
        What ``onset_epoch`` is called, see ``LossTailAnalyzer.onset_name_``.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    axes_ : array of two matplotlib Axes
        Over the epochs; over the share of the samples.
    share_lines_ : list of matplotlib Line2D
        One for each of ``worst``; one for several that are the same samples, where there are few.
    concentration_lines_ : list of matplotlib Line2D
        At the turning epoch, at the end; one alone where these are the same.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_nndyn.displays import LossShareDisplay
    >>> display = LossShareDisplay.from_dynamics([[1.0, 0.5, 0.1], [1.0, 0.4, 0.1], [1.0, 0.9, 3.0]]).plot()
    >>> display.concentration.round(2)
    array([[0.5 , 0.78, 1.  ],
           [0.94, 0.97, 1.  ]])
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        epochs: Sequence | np.ndarray,
        shares: Sequence | np.ndarray,
        worst: Sequence | np.ndarray,
        concentration: Sequence | np.ndarray,
        *,
        onset_epoch: float,
        onset_name: str = "turn",
    ) -> None:
        self.epochs = epochs
        self.shares = shares
        self.worst = worst
        self.concentration = concentration
        self.onset_epoch = onset_epoch
        self.onset_name = onset_name

    @classmethod
    def from_analyzer(cls, tails: LossTailAnalyzer) -> Self:
        """Take the shares of a fitted analyzer.

        Parameters
        ----------
        tails : LossTailAnalyzer
            Fitted.

        Returns
        -------
        display : LossShareDisplay
            Not yet drawn.

        Raises
        ------
        TypeError
            If something else than a LossTailAnalyzer is given.
        ValueError
            If losses are negative: shares of their total have no meaning.
        sklearn.exceptions.NotFittedError
            If the analyzer is not fitted.
        """
        expect_fitted(tails, LossTailAnalyzer)
        if np.isnan(tails.share_curves_).any():
            raise ValueError("Losses are negative in part: shares of their total have no meaning.")
        return cls(
            tails.epochs_,
            tails.share_curves_,
            tails.fractions_,
            tails.concentration_,
            onset_epoch=tails.onset_epoch_,
            onset_name=tails.onset_name_,
        )

    @classmethod
    def from_dynamics(cls, dynamics: Any, *, onset: float | str = "auto") -> Self:
        """Analyse a record, and take the shares.

        Parameters
        ----------
        dynamics : Dynamics, fitted estimator, or array of shape (n_samples, n_epochs)
            What ``LossTailAnalyzer.fit`` takes.
        onset : "auto", int or float, default="auto"
            The turning epoch: that of least mean loss, or a recorded epoch.

        Returns
        -------
        display : LossShareDisplay
            Not yet drawn.

        Raises
        ------
        TypeError, ValueError
            As ``LossTailAnalyzer.fit`` and ``from_analyzer``.
        """
        return cls.from_analyzer(LossTailAnalyzer(onset=onset).fit(expect_record_or_losses(dynamics)))

    def plot(self, ax: Any = None, **style: Any) -> Self:
        """Draw two panels: the worst shares over the epochs; and all shares, at the turning epoch and at the end.

        Parameters
        ----------
        ax : sequence of two matplotlib Axes, optional
            Axes to draw on; by default a new figure, as wide as a page of two columns.
        **style : keyword arguments of matplotlib.axes.Axes.plot
            Style of the curves of both panels, such as ``linewidth`` or ``color``; it goes before our own.

        Returns
        -------
        self : LossShareDisplay
            This display, with ``figure_``, ``axes_``, ``share_lines_`` and ``concentration_lines_``.

        Raises
        ------
        ValueError
            If ``ax`` is not two axes.
        """
        with panels(ax, 2) as axes:
            self.axes_, self.figure_ = axes, axes[0].figure
            self._draw_shares(axes[0], style)
            self._draw_concentration(axes[1], style)
        return self

    def _draw_shares(self, ax, style):
        curves = _distinct(np.transpose(self.shares), self.worst)
        self.share_lines_ = [
            ax.plot(self.epochs, 100 * share, **styled({"color": colour, "label": name}, style))[0]
            for (name, share), colour in zip(curves.items(), SHARE_COLOURS, strict=False)
        ]
        ax.set(xlabel="epoch", ylabel="share of the total loss (%)", ylim=(0, 110), yticks=range(0, 101, 20))
        mark_epochs(ax, self.epochs)
        mark_onset(ax, self.onset_epoch, self.epochs, self.onset_name)
        title_over_legend(ax, "What the worst of the samples carry", self.share_lines_)

    def _draw_concentration(self, ax, style):
        n_samples = self.concentration.shape[1]
        part = 100 * np.arange(1, n_samples + 1) / n_samples
        turn, end = self.onset_epoch, self.epochs[-1]
        first = int(turn == end)
        when = [(self.onset_name, turn, "--"), ("end", end, "-")][first:]
        self.concentration_lines_ = [
            ax.plot(part, 100 * share, **styled(_line(name, epoch, linestyle), style))[0]
            for share, (name, epoch, linestyle) in zip(self.concentration[first:], when, strict=True)
        ]
        ax.set(
            xlabel="worst share of the samples (%, logarithmic)",
            ylabel="share of the total loss (%)",
            xscale="log",
        )
        ax.set(ylim=(0, 110), yticks=range(0, 101, 20))
        ax.xaxis.set_major_formatter("{x:g}")
        title = "At the end" if first else f"{self.onset_name.capitalize()} and end compared"
        title_over_legend(ax, title, self.concentration_lines_)


def _distinct(shares, worst):
    """{name: share (n_epochs,)}, one for shares of the samples so small that they are the same samples."""
    names = [f"{100 * one:g}" for one in worst]
    same = [np.array_equal(share, following) for share, following in itertools.pairwise(shares)]
    curves, together = {}, []
    for name, share, more in zip(names, shares, [*same, False], strict=True):
        together.append(name)
        if not more:
            curves[f"{in_words(together)} %"] = share
            together = []
    return curves


def _line(name, epoch, linestyle):
    label = f"{name} (epoch {epoch_words(epoch)})"
    return {"color": COLOURS["blue"], "linestyle": linestyle, "label": label}
