"""The data map: which samples are easy, ambiguous or hard, each as a point."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sklearn_nndyn.analyzers import SampleScoreAnalyzer
from sklearn_nndyn.displays._doors import expect_fitted
from sklearn_nndyn.displays._style import COLOURS, COLUMN, panels, styled, title_over_legend
from sklearn_nndyn.dynamics import LossFacts

AREA = (1.5, 14)  # of a point, in square points: in a crowd, and alone
# Where the map has its regions, in shares of the axes (Swayamdipta et al. 2020).
REGIONS = (
    (0.04, 0.88, "easy to learn", "left"),
    (0.97, 0.5, "ambiguous", "right"),
    (0.04, 0.06, "hard to learn", "left"),
)
CROWD = 14_000  # square points that all points together may take
NAMES = ("variability", "confidence", "correctness")


class DataMapDisplay:
    """Confidence against variability of each sample, coloured by correctness (Swayamdipta et al. 2020).

    Samples that are easy to learn lie at the top left, ambiguous ones on the right, hard ones, wrong labels among them,
    at the bottom left. Those that were right least often are drawn on top, for they are few.

    Parameters
    ----------
    variability : array of shape (n_samples,)
        Standard deviation over the epochs of the probability of the label, 0 to 0.5.
    confidence : array of shape (n_samples,)
        Its mean, 0 to 1.
    correctness : array of shape (n_samples,)
        Share of the epochs at which the sample was right, 0 to 1.
    highlight : array of bool of shape (n_samples,), optional
        Samples to put a ring around, such as those with a wrong label.
    highlight_name : str, default="wrong labels"
        What they are, for the legend.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    ax_ : matplotlib Axes
        Axes with the picture.
    points_ : matplotlib PathCollection
        The samples, the most often right first.
    rings_ : matplotlib PathCollection or None
        Around the samples of ``highlight``; None where there are none.
    colorbar_ : matplotlib Colorbar
        The scale of correctness.

    References
    ----------
    Swayamdipta, Schwartz, Lourie, Wang, Hajishirzi, Smith, Choi (2020). Dataset cartography. arXiv 2009.10795.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_nndyn.displays import DataMapDisplay
    >>> from sklearn_nndyn.dynamics import Dynamics
    >>> record = Dynamics(
    ...     y=[0, 1],
    ...     classes=[0, 1],
    ...     epochs=[0, 1, 2],
    ...     margin=[[0, 2.0, 4.0], [0, -3.0, 3.0]],
    ...     prediction=[[0, 0, 0], [0, 0, 1]],
    ...     probability=[[0.5, 0.8, 0.9], [0.5, 0.2, 0.8]],
    ... )
    >>> display = DataMapDisplay.from_dynamics(record, highlight=[False, True]).plot()
    >>> display.confidence.round(2), display.correctness
    (array([0.85, 0.5 ]), array([1. , 0.5]))
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        variability: Sequence | np.ndarray,
        confidence: Sequence | np.ndarray,
        correctness: Sequence | np.ndarray,
        *,
        highlight: Sequence | np.ndarray | None = None,
        highlight_name: str = "wrong labels",
    ) -> None:
        self.variability = variability
        self.confidence = confidence
        self.correctness = correctness
        self.highlight = highlight
        self.highlight_name = highlight_name

    @classmethod
    def from_analyzer(
        cls,
        scores: SampleScoreAnalyzer,
        dynamics: Any = None,
        *,
        highlight: ArrayLike | None = None,
        highlight_name: str = "wrong labels",
    ) -> Self:
        """Take the scores of a fitted analyzer.

        Parameters
        ----------
        scores : SampleScoreAnalyzer
            Fitted.
        dynamics : Dynamics or fitted estimator, default=None
            The samples to show, on the epochs of those it was fitted on; None is the latter themselves. Of a model the
            training record is read.
        highlight : array of bool of shape (n_samples,), default=None
            Samples to put a ring around.
        highlight_name : str, default="wrong labels"
            What they are.

        Returns
        -------
        display : DataMapDisplay
            Not yet drawn.

        Raises
        ------
        TypeError
            If something else than a SampleScoreAnalyzer is given, or ``dynamics`` can hold no record.
        ValueError
            If the record is not one the analyzer can score, or ``highlight`` is no mask of its samples.
        sklearn.exceptions.NotFittedError
            If the analyzer or the model is not fitted.
        """
        expect_fitted(scores, SampleScoreAnalyzer)
        columns = _columns(scores, dynamics)
        return cls(
            *columns,
            highlight=_mask(highlight, len(columns[0])),
            highlight_name=highlight_name,
        )

    @classmethod
    def from_dynamics(
        cls, dynamics: Any, *, highlight: ArrayLike | None = None, highlight_name: str = "wrong labels"
    ) -> Self:
        """Score the samples of a record.

        Parameters
        ----------
        dynamics : Dynamics or fitted estimator
            The record, or a fitted model, whose training record is read.
        highlight : array of bool of shape (n_samples,), default=None
            As in ``from_analyzer``.
        highlight_name : str, default="wrong labels"
            As in ``from_analyzer``.

        Returns
        -------
        display : DataMapDisplay
            Not yet drawn.

        Raises
        ------
        TypeError, ValueError, sklearn.exceptions.NotFittedError
            As ``SampleScoreAnalyzer.fit`` and ``from_analyzer``.
        """
        # EL2N is not on the map; averaged over all epochs, it asks for no early one.
        scores = SampleScoreAnalyzer(el2n_epochs=2**62).fit(dynamics)
        return cls.from_analyzer(scores, highlight=highlight, highlight_name=highlight_name)

    def plot(self, ax: Any = None, *, cmap: Any = "cividis", **style: Any) -> Self:
        """Draw a point for each sample; the more there are, the smaller.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Axes to draw on; by default a new figure, as wide as one of two columns.
        cmap : str or matplotlib Colormap, default="cividis"
            Colours of correctness, from 0 to 1; the default is safe for the colour-blind.
        **style : keyword arguments of matplotlib.axes.Axes.scatter
            Style of the points, such as ``s`` or ``alpha``; it goes before our own.

        Returns
        -------
        self : DataMapDisplay
            This display, with ``figure_``, ``ax_``, ``points_``, ``rings_`` and ``colorbar_``.

        Raises
        ------
        ValueError
            If ``ax`` is not one axes.
        """
        with panels(ax, 1, width=COLUMN, height=3.1) as (panel,):
            self.ax_, self.figure_ = panel, panel.figure
            self._draw(panel, {"cmap": cmap} | style)
            self._name_regions(panel)
            panel.set(
                xlabel="variability\n(deviation of the probability of the label)",
                ylabel="confidence\n(mean probability of the label)",
                ylim=(-0.03, 1.03),
                xlim=(-0.01, max(0.1, 1.05 * np.max(self.variability))),
            )
            named = [] if self.rings_ is None else [self.rings_]
            title_over_legend(panel, f"Data map of {len(self.confidence):,} samples", named)
            self.colorbar_ = self.figure_.colorbar(
                self.points_, ax=panel, label="correctness (% of the epochs)", aspect=30
            )
            self.colorbar_.ax.yaxis.set_major_formatter("{x:g}")
        return self

    def _name_regions(self, ax):
        artist_kw = {
            "transform": ax.transAxes,
            "fontsize": 7,
            "style": "italic",
            "color": "black",
            "zorder": 3,
            "bbox": {"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 1},
        }
        for x, y, words, ha in REGIONS:
            ax.text(x, y, words, ha=ha, va="center", **artist_kw)

    def _draw(self, ax, style):
        from matplotlib.collections import PathCollection

        place = np.column_stack([self.variability, self.confidence])
        hardest_last = np.argsort(-np.asarray(self.correctness), kind="stable")
        area = np.clip(CROWD / len(place), *AREA)
        artist_kw = {"s": area, "vmin": 0, "vmax": 100, "linewidth": 0, "rasterized": True, "zorder": 2}
        artist_kw["c"] = 100 * np.asarray(self.correctness)[hardest_last]
        self.points_ = ax.scatter(*place[hardest_last].T, **styled(artist_kw, style, PathCollection))
        self.rings_ = None
        if self.highlight is not None and np.any(self.highlight):
            marked = np.asarray(self.highlight)
            ring = {
                "facecolors": "none",
                "edgecolors": COLOURS["vermillion"],
                "linewidths": 0.03 * area + 0.3,
            }
            self.rings_ = ax.scatter(
                *place[marked].T,
                s=2.5 * area + 3, label=f"{marked.sum():,} {self.highlight_name}", zorder=3, rasterized=True, **ring,
            )  # fmt: skip


def _columns(scores, dynamics):
    """Variability, confidence and correctness, (n_samples,) each."""
    if scores.confidence_ is None:
        raise ValueError(
            "The data map needs the probability of the label, which the record does not hold: was the network trained "
            f"with a loss that has probabilities? It was {LossFacts(scores.loss_name_).in_words}."
        )
    if dynamics is None:
        return [getattr(scores, f"{name}_") for name in NAMES]
    table = dict(zip(scores.get_feature_names_out(), scores.transform(dynamics).T, strict=True))
    return [table[name] for name in NAMES]


def _mask(highlight, n_samples):
    if highlight is None:
        return None
    mask = np.asarray(highlight)
    if mask.dtype != bool or mask.shape != (n_samples,):
        raise ValueError(
            f"highlight must be True or False for each of the {n_samples} samples, got an array of {mask.dtype} of "
            f"shape {mask.shape}."
        )
    return mask
