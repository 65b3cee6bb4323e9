"""What noise does to the losses: final accuracy at each level."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_nndyn.displays._doors import expect_comparison
from sklearn_nndyn.displays._style import panels, styled
from sklearn_nndyn.displays.comparison._styles_of_losses import (
    SCALES,
    accuracy_axis,
    accuracy_label,
    chosen_losses,
    height_for,
    in_percent,
    loss_styles,
    name_at_the_end,
    noise_words,
)
from sklearn_nndyn.utils.validation import check_choice

NOISES = ("label_noise", "input_noise")
AXIS = {
    "label_noise": "label noise (share of the labels drawn anew)",
    "input_noise": "input noise (deviation)",
}
DODGE = 0.12  # of the least distance between two levels, for all losses together


class NoiseRobustnessDisplay:
    """Test accuracy at the end of training against the level of noise, one line a loss, with intervals over the seeds.

    Parameters
    ----------
    losses : sequence of n_losses str
        Names.
    levels : array of shape (n_levels,)
        Noise levels, increasing.
    mean : array of shape (n_losses, n_levels)
        Accuracy, as share of the samples; nan where there is none.
    half : array of shape (n_losses, n_levels), optional
        Half width of the interval; nan where there is none, as for a single seed.
    noise : str, default="noise"
        Name of the axis of the levels.
    title : str, default="Test accuracy at the end of training"
        With the other noise, if any.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    axes_ : array of one matplotlib Axes
    lines_ : dict of str to matplotlib Line2D
        Line of each loss that has an accuracy at every level, the best at the highest level first.
    intervals_ : dict of str to matplotlib artist
        The intervals; without those of a single seed.
    labels_ : dict of str to matplotlib Text
        Its name, at the end of its line.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_nndyn.displays import NoiseRobustnessDisplay
    >>> display = NoiseRobustnessDisplay(["log", "l2"], [0, 0.4], [[0.98, 0.9], [0.97, 0.95]]).plot()
    >>> list(display.lines_)
    ['l2', 'log']
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        losses: Sequence[str],
        levels: Sequence | np.ndarray,
        mean: Sequence | np.ndarray,
        half: Sequence | np.ndarray | None = None,
        *,
        noise: str = "noise",
        title: str = "Test accuracy at the end of training",
    ) -> None:
        self.losses = losses
        self.levels = levels
        self.mean = mean
        self.half = half
        self.noise = noise
        self.title = title

    @classmethod
    def from_comparison(
        cls,
        found: Any,
        *,
        losses: Sequence[str] | None = None,
        noise: str | None = None,
        label_noise: float | None = None,
        input_noise: float | None = None,
    ) -> Self:
        """Take the final accuracies of a comparison.

        Parameters
        ----------
        found : LossComparison
            Result of ``compare_losses`` for several levels of noise.
        losses : sequence of str, default=None
            Losses to show; None is all.
        noise : {"label_noise", "input_noise"}, default=None
            The noise on the axis; None is the first that has several levels.
        label_noise, input_noise : float, default=None
            The level of the noise that is not on the axis; None is the first.

        Returns
        -------
        display : NoiseRobustnessDisplay
            Not yet drawn.

        Raises
        ------
        TypeError
            If something else than a LossComparison is given.
        ValueError
            If there are no several levels, or there is no such level or loss.
        """
        noise = _axis(expect_comparison(found), noise)
        beside = {"label_noise": label_noise, "input_noise": input_noise}
        if beside.pop(noise) is not None:
            raise ValueError(f"{noise} is on the axis: all its levels are shown.")
        levels = sorted(getattr(found, noise))
        rows = chosen_losses(found.losses, losses)
        chosen = [found.losses[row] for row in rows]
        each = [
            {loss: (mean, half) for loss, mean, half in found.intervals(**{noise: level}, **beside)}
            for level in levels
        ]
        values = np.array([[own[loss] for own in each] for loss in chosen])
        return cls(
            chosen,
            np.array(levels),
            values[..., 0],
            values[..., 1],
            noise=AXIS[noise],
            title=f"Test accuracy at the end of training{noise_words(found, beside)}",
        )

    def plot(self, ax: Any = None, *, scale: str = "log", **style: Any) -> Self:
        """Draw a line for each loss, with its intervals, and its name and last value at its end.

        Points of one level are drawn a little beside each other, so that the intervals can be told apart.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on; by default a new figure, as wide as a page of two columns.
        scale : {"log", "linear"}, default="log"
            Scale of the accuracy. On the logarithmic one equal steps divide the error by the same number.
        **style : keyword arguments of matplotlib.axes.Axes.plot
            Style of the lines, such as ``linewidth`` or ``color``; it goes before our own.

        Returns
        -------
        self : NoiseRobustnessDisplay
            This display, with ``figure_``, ``axes_``, ``lines_``, ``intervals_`` and ``labels_``.

        Raises
        ------
        ValueError
            If there is no such scale, nothing to draw, or ``ax`` is not one matplotlib axes.
        """
        check_choice("scale", scale, SCALES)
        values = in_percent(self.mean, self.half)
        there = np.flatnonzero(np.isfinite(values[0]).all(axis=1))
        if not len(there):
            raise ValueError("There is no loss with an accuracy at every level to draw.")
        best_first = there[np.argsort(-values[0][there, -1], kind="stable")]
        with panels(ax, 1, height=height_for(len(there))) as axes:
            self.axes_, self.figure_ = axes, axes[0].figure
            self.lines_: dict[str, Any] = {}
            self.intervals_: dict[str, Any] = {}
            for i, at in zip(best_first, self._beside_each_other(len(there)), strict=True):
                self._draw(axes[0], self.losses[i], at, [own[i] for own in values], style)
            accuracy_axis(
                axes[0], scale, values[0][there], padding=0.12
            )  # wide intervals may leave the panel
            axes[0].set(xlabel=self.noise, ylabel=accuracy_label(scale))
            axes[0].set_xticks(self.levels, [f"{level:g}" for level in np.asarray(self.levels)])
            banded = f"{self.title}, with 95 % intervals over the seeds" if self.intervals_ else self.title
            axes[0].set_title(banded)
            self.labels_ = name_at_the_end(axes[0], self.lines_)
        return self

    def _beside_each_other(self, n_lines):
        """Levels at which the points of each line are drawn, shape (n_lines, n_levels)."""
        levels = np.asarray(self.levels, dtype=float)
        least = np.diff(levels).min(initial=np.inf) if len(levels) > 1 else 1.0
        return levels + DODGE * least * (np.arange(n_lines)[:, None] - (n_lines - 1) / 2) / max(
            n_lines - 1, 1
        )

    def _draw(self, ax, loss, at, values, style):
        mean, low, high = values
        artist_kw = loss_styles(self.losses)[loss]
        line = {"marker": "o", "markersize": 2.5, "linewidth": 1.1, "label": loss, "zorder": 3, **artist_kw}
        (self.lines_[loss],) = ax.plot(at, mean, **styled(line, style))
        if np.isfinite(low).any():
            self.intervals_[loss] = ax.vlines(
                at, low, high, color=artist_kw["color"], linewidth=0.8, alpha=0.6
            )


def _axis(found, noise):
    several = [kind for kind in NOISES if len(getattr(found, kind)) > 1]
    if noise is None and several:
        return several[0]
    if noise not in several:
        have = f"{', '.join(several) or 'no noise'} {'have' if len(several) > 1 else 'has'}"
        raise ValueError(f"A noise with several levels is needed, and {have} them; got noise={noise!r}.")
    return noise
