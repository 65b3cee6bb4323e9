"""Loss and accuracy over the epochs of training."""

from typing import Any, Self

import numpy as np

from sklearn_nndyn.displays._split_curves import TrainingCurves, training_curves
from sklearn_nndyn.displays._style import (
    COLOURS,
    SPLIT_COLOURS,
    SPLIT_NAMES,
    check_loss_scale,
    loss_label,
    mark_epochs,
    panels,
    scale_losses,
    styled,
    title_over_legend,
)
from sklearn_nndyn.dynamics import check_dynamics

MANY_EPOCHS = 100  # of which thick lines would run together
NEEDS = ("loss", "prediction")


class TrainingCurveDisplay:
    """Mean and median loss of the samples, and accuracy, over the epochs.

    Mean and median part where a few samples carry the loss: the picture asks why, and the analyzers answer.

    Parameters
    ----------
    train : TrainingCurves
        Curves of the training samples.
    validation : TrainingCurves, optional
        Curves of the validation samples.
    quantiles : tuple of two floats or None, default=(0.05, 0.95)
        Quantiles between which the bands lie.
    loss_label : str, default="loss"
        Name of the loss with its unit, for the axis.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    axes_ : array of two matplotlib Axes
        Loss and accuracy.
    lines_ : dict of {"train", "validation"} to dict of str to matplotlib Line2D
        The curves ``"loss_mean"``, ``"loss_median"`` and ``"accuracy"`` of each split.
    bands_ : dict of {"train", "validation"} to matplotlib artist
        The bands; empty without.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_nndyn.displays import TrainingCurveDisplay
    >>> from sklearn_nndyn.dynamics import Dynamics
    >>> record = Dynamics(
    ...     y=[0, 1],
    ...     classes=[0, 1],
    ...     epochs=[0, 1, 2],
    ...     loss=[[0.7, 0.3, 0.1], [0.7, 0.9, 0.5]],
    ...     prediction=[[1, 0, 0], [1, 0, 1]],
    ...     header={"loss": "log", "loss_facts": {"unit": "nats"}},
    ... )
    >>> display = TrainingCurveDisplay.from_dynamics(record).plot()
    >>> display.train.accuracy
    array([0.5, 0.5, 1. ])
    >>> display.axes_[0].get_ylabel()
    'log loss (nats)'
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        train: TrainingCurves,
        validation: TrainingCurves | None = None,
        *,
        quantiles: tuple[float, float] | None = (0.05, 0.95),
        loss_label: str = "loss",
    ) -> None:
        self.train = train
        self.validation = validation
        self.quantiles = quantiles
        self.loss_label = loss_label

    @classmethod
    def from_dynamics(
        cls, dynamics: Any, *, validation: Any = None, quantiles: tuple[float, float] | None = (0.05, 0.95)
    ) -> Self:
        """Compute the curves of a record, and of another beside it.

        Parameters
        ----------
        dynamics : Dynamics
            Record of the training samples.
        validation : Dynamics, optional
            Record of the validation samples.
        quantiles : tuple of two floats or None, default=(0.05, 0.95)
            Lower and upper quantile of the bands of the loss; None for no bands.

        Returns
        -------
        display : TrainingCurveDisplay
            Not yet drawn.

        Raises
        ------
        ValueError
            If a record lacks loss or prediction, or the quantiles are not two increasing numbers from 0 to 1.
        """
        _check_quantiles(quantiles)
        dynamics = check_dynamics(dynamics, needs=NEEDS)
        if validation is not None:
            validation = training_curves(
                check_dynamics(validation, needs=NEEDS, split="validation"), quantiles
            )
        return cls(
            training_curves(dynamics, quantiles),
            validation,
            quantiles=quantiles,
            loss_label=loss_label(dynamics.loss_facts),
        )

    @classmethod
    def from_estimator(cls, model: Any, *, quantiles: tuple[float, float] | None = (0.05, 0.95)) -> Self:
        """Compute the curves of a fitted model that holds a record.

        Parameters
        ----------
        model : estimator
            A fitted DynamicsClassifier, a Pipeline that ends in one, or a search over one. Its validation
            record is shown where it has one.
        quantiles : tuple of two floats or None, default=(0.05, 0.95)
            As in ``from_dynamics``.

        Returns
        -------
        display : TrainingCurveDisplay
            Not yet drawn.

        Raises
        ------
        ValueError
            If the model holds no record of loss and prediction, or the quantiles are not two increasing
            numbers from 0 to 1.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        train = check_dynamics(model, needs=NEEDS)
        validation = check_dynamics(model, needs=NEEDS, split="validation", optional=True)
        return cls.from_dynamics(train, validation=validation, quantiles=quantiles)

    def plot(
        self, ax: Any = None, *, loss_scale: str = "linear", fill_between_kw: dict | None = None, **style: Any
    ) -> Self:
        """Draw two panels: the loss (mean solid, median dashed, band shaded) and the accuracy.

        Parameters
        ----------
        ax : sequence of two matplotlib Axes, optional
            Axes to draw on; by default a new figure, as wide as a page of two columns.
        loss_scale : {"linear", "log"}, default="linear"
            Scale of the loss. The logarithmic one ends at 1e-6, below which log losses are not resolved in float32.
        fill_between_kw : dict, default=None
            Style of the bands: keyword arguments of ``matplotlib.axes.Axes.fill_between``.
        **style : keyword arguments of matplotlib.axes.Axes.plot
            Style of the curves of both panels, such as ``linewidth`` or ``color``; it goes before our own.

        Returns
        -------
        self : TrainingCurveDisplay
            This display, with ``figure_``, ``axes_``, ``lines_`` and ``bands_``.

        Raises
        ------
        ValueError
            If ``ax`` is not two axes, or the logarithmic scale is asked for and a mean or median is negative.
        """
        splits = {name: getattr(self, name) for name in SPLIT_COLOURS if getattr(self, name) is not None}
        lowest = min(_lowest(one) for one in splits.values())
        scale = check_loss_scale(loss_scale, lowest, ("linear", "log"))
        with panels(ax, 2) as axes:
            self.axes_, self.figure_ = axes, axes[0].figure
            self.lines_ = {split: _draw_lines(axes, split, curves, style) for split, curves in splits.items()}
            self.bands_ = {
                split: _draw_band(axes[0], split, curves, fill_between_kw)
                for split, curves in splits.items()
                if curves.loss_band is not None
            }
            self._finish_loss(axes[0], scale, lowest)
            self._finish_accuracy(axes[1])
        return self

    def _finish_loss(self, ax, scale, lowest):
        ax.set(xlabel="epoch", ylabel=self.loss_label)
        scale_losses(ax, scale, lowest if scale == "log" else ax.dataLim.ymin)
        mark_epochs(ax, self.train.epochs)
        styles = _loss_styles(self.lines_["train"], self.quantiles if self.bands_ else None)
        title_over_legend(ax, "Loss of the samples", styles)

    def _finish_accuracy(self, ax):
        ax.set(xlabel="epoch", ylabel="accuracy (share of samples)")
        mark_epochs(ax, self.train.epochs)
        splits = [lines["accuracy"] for lines in self.lines_.values()]
        title_over_legend(ax, "Samples classified correctly", splits if len(splits) > 1 else [])


def _check_quantiles(quantiles):
    if quantiles is not None and not (len(quantiles) == 2 and 0 <= quantiles[0] < quantiles[1] <= 1):
        raise ValueError(f"quantiles must be two increasing numbers from 0 to 1, or None; got {quantiles!r}.")


def _lowest(curves):
    return min(np.min(curves.loss_mean), np.min(curves.loss_median))


def _draw_lines(axes, split, curves, style):
    loss, accuracy = axes
    artist_kw = {"color": SPLIT_COLOURS[split], "label": SPLIT_NAMES[split]}
    if len(curves.epochs) > MANY_EPOCHS:
        artist_kw["linewidth"] = 0.9
    if len(curves.epochs) == 1:
        artist_kw |= {"marker": "o", "markersize": 4}
    hollow = {"linestyle": "--", "markerfacecolor": "white"}
    return {
        "loss_mean": loss.plot(curves.epochs, curves.loss_mean, **styled(artist_kw, style))[0],
        "loss_median": loss.plot(curves.epochs, curves.loss_median, **styled(artist_kw | hollow, style))[0],
        "accuracy": accuracy.plot(curves.epochs, curves.accuracy, **styled(artist_kw, style))[0],
    }


def _draw_band(ax, split, curves, style):
    from matplotlib.collections import PolyCollection

    colour = SPLIT_COLOURS[split]
    if len(curves.epochs) == 1:
        return ax.vlines(curves.epochs, *curves.loss_band, color=colour, alpha=0.2, linewidth=8, zorder=1)
    ax.plot(curves.epochs, np.transpose(curves.loss_band), color=colour, alpha=0.5, linewidth=0.6)
    artist_kw = {"color": colour, "alpha": 0.1, "linewidth": 0}
    return ax.fill_between(curves.epochs, *curves.loss_band, **styled(artist_kw, style, PolyCollection))


def _loss_styles(lines, quantiles):
    """Legend entries that tell mean, median and band apart, whatever the split."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    grey = COLOURS["grey"]
    handles = [Line2D([], []), Line2D([], [])]
    for handle, name in zip(handles, ("mean", "median"), strict=True):
        handle.update_from(lines[f"loss_{name}"])
        handle.set(color=grey, markeredgecolor=grey, label=name)
    if quantiles is not None:
        low, high = (f"{100 * quantile:g}" for quantile in quantiles)
        handles.append(Patch(facecolor=(grey, 0.2), edgecolor="none", label=f"{low}–{high} % of samples"))
    return handles
