"""Three phases of learning: how well a layer gives its input back, beside accuracy."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_nndyn.analyzers import LearningPhaseAnalyzer
from sklearn_nndyn.displays._doors import expect_fitted
from sklearn_nndyn.displays._style import (
    COLOURS,
    PAPER,
    given_axes,
    literal,
    mark_places,
    room_above,
    styled,
    title_over_legend,
)
from sklearn_nndyn.displays.learning_phases._record_axis import record_axis, when_recorded

PHASE_COLOURS = {"near constant": ("grey", 0.16), "falling": ("sky", 0.28), "rising": ("orange", 0.24)}
ACCURACY_STYLES = {
    "network": {"color": COLOURS["black"], "marker": "o"},
    "linear probe": {"color": COLOURS["vermillion"], "marker": "s", "linestyle": "--"},
}
MOST_DOTS = 40  # records that are told apart by a dot each


class LearningPhaseDisplay:
    """Reconstruction error of a layer over training, with its phases; and beneath it the accuracy.

    Parameters
    ----------
    recorded_at : array of shape (n_epochs,)
        Iterations or epochs of the records.
    reconstruction : array of shape (n_epochs,)
        Mean squared error of giving the input back, in squared units of the input.
    error : array of shape (n_epochs,), optional
        Its standard error.
    phases : dict of str to tuple of two numbers, optional
        First and last record of each phase that is there: ``"near constant"``, ``"falling"``, ``"rising"``.
    turn : number, optional
        The record at which the curve turns.
    accuracy, probe : array of shape (n_epochs,), optional
        Accuracy of the network, and of a fresh linear classifier on the layer.
    unit : {"iteration", "epoch"}, default="iteration"
        What ``recorded_at`` count.
    layer : str, default=""
        Name of the layer, for the title.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    axes_ : array of one or two matplotlib Axes
        Reconstruction; accuracy, where there is one.
    line_ : matplotlib Line2D
        The reconstruction.
    band_ : matplotlib artist or None
        Its standard error.
    accuracy_lines_ : dict of str to matplotlib Line2D
        ``"network"`` and ``"linear probe"``, those that there are.
    spans_ : dict of str to list of matplotlib Patch
        The shading of each phase, one for each of the axes.
    turn_lines_ : list of matplotlib Line2D
        The turn, one for each of the axes; empty without.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sklearn_nndyn import Dynamics, LearningPhaseAnalyzer
    >>> from sklearn_nndyn.displays import LearningPhaseDisplay
    >>> curve = np.array([1.0, 1.0, 0.99, 0.9, 0.7, 0.5, 0.6, 0.7, 0.8, 0.9])
    >>> record = Dynamics(
    ...     y=[0, 1] * 20,
    ...     classes=[0, 1],
    ...     epochs=np.append(0, 2.0 ** np.arange(-2, 7)),
    ...     iterations=np.append(0, 2 ** np.arange(1, 10)),
    ...     reconstruction={"linear1": curve + np.random.default_rng(0).normal(scale=0.01, size=(40, 10))},
    ... )
    >>> display = LearningPhaseDisplay.from_analyzer(LearningPhaseAnalyzer().fit(record)).plot()
    >>> display.phases, display.turn
    ({'near constant': (0, 8), 'falling': (8, 32), 'rising': (32, 512)}, 32)
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        recorded_at: Sequence | np.ndarray,
        reconstruction: Sequence | np.ndarray,
        *,
        error: Sequence | np.ndarray | None = None,
        phases: dict[str, tuple] | None = None,
        turn: float | None = None,
        accuracy: Sequence | np.ndarray | None = None,
        probe: Sequence | np.ndarray | None = None,
        unit: str = "iteration",
        layer: str = "",
    ) -> None:
        self.recorded_at = recorded_at
        self.reconstruction = reconstruction
        self.error = error
        self.phases = phases
        self.turn = turn
        self.accuracy = accuracy
        self.probe = probe
        self.unit = unit
        self.layer = layer

    @classmethod
    def from_analyzer(cls, analyzer: LearningPhaseAnalyzer) -> Self:
        """Take the curves of a fitted analyzer: over iterations where they were counted, else over epochs.

        Parameters
        ----------
        analyzer : LearningPhaseAnalyzer
            Fitted.

        Returns
        -------
        display : LearningPhaseDisplay
            Not yet drawn.

        Raises
        ------
        TypeError
            If something else than a LearningPhaseAnalyzer is given.
        sklearn.exceptions.NotFittedError
            If the analyzer is not fitted.
        """
        expect_fitted(analyzer, LearningPhaseAnalyzer)
        recorded_at, unit = when_recorded(analyzer.epochs_, analyzer.iterations_)
        counted = unit == "iteration"
        return cls(
            recorded_at,
            analyzer.reconstruction_curve_,
            error=analyzer.reconstruction_error_,
            phases=analyzer.phases_.iteration_spans if counted else analyzer.phases_.spans,
            turn=_turn_of(analyzer, counted),
            accuracy=analyzer.accuracy_curve_,
            probe=analyzer.probe_curve_,
            unit=unit,
            layer=analyzer.layer_,
        )

    @classmethod
    def from_dynamics(cls, dynamics: Any, **params: Any) -> Self:
        """Analyse a record, a model, or a list of runs, and take the curves.

        Parameters
        ----------
        dynamics : Dynamics, fitted estimator, or list or tuple of them
            As for ``LearningPhaseAnalyzer.fit``.
        **params : parameters of LearningPhaseAnalyzer
            Such as ``layer``.

        Returns
        -------
        display : LearningPhaseDisplay
            Not yet drawn.

        Raises
        ------
        TypeError, ValueError, sklearn.exceptions.NotFittedError
            As ``LearningPhaseAnalyzer.fit``.
        """
        return cls.from_analyzer(LearningPhaseAnalyzer(**params).fit(dynamics))

    def plot(self, ax: Any = None, *, fill_between_kw: dict | None = None, **style: Any) -> Self:
        """Draw the reconstruction error, with its standard error shaded, above the accuracy where there is one.

        The phases are shaded, and a dashed line marks the turn. Records that lie ever farther apart are drawn on a
        logarithmic axis, on which 0 has a place before the first.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of them, optional
            Axes to draw on: one for the reconstruction, and one for the accuracy where there is one. By default a new
            figure, as wide as a page of two columns.
        fill_between_kw : dict, default=None
            Style of the standard error: keyword arguments of ``matplotlib.axes.Axes.fill_between``.
        **style : keyword arguments of matplotlib.axes.Axes.plot
            Style of the curves of both panels, such as ``linewidth`` or ``color``; it goes before our own.

        Returns
        -------
        self : LearningPhaseDisplay
            This display, with ``figure_``, ``axes_``, the lines and the shading.

        Raises
        ------
        ValueError
            If ``ax`` is not as many axes as are needed.
        """
        import matplotlib.pyplot as plt

        n_axes = 2 if self._accuracies() else 1
        with plt.rc_context(PAPER if ax is None else {}):
            self.axes_ = _new_axes(plt, n_axes) if ax is None else given_axes(ax, n_axes, "panel")
            self.figure_ = self.axes_[0].figure
            self._draw_reconstruction(self.axes_[0], style, fill_between_kw)
            self._draw_accuracies(style)
            self._finish(shared=ax is None)
        return self

    def _accuracies(self):
        """{name: curve} of those that there are."""
        curves = {"network": self.accuracy, "linear probe": self.probe}
        return {name: curve for name, curve in curves.items() if curve is not None}

    def _dots(self):
        return {"markersize": 3 if len(self.recorded_at) <= MOST_DOTS else 0}

    def _draw_reconstruction(self, ax, style, fill_between_kw):
        from matplotlib.collections import PolyCollection

        artist_kw = {"color": COLOURS["blue"], "marker": "o", "label": "reconstruction error", **self._dots()}
        (self.line_,) = ax.plot(self.recorded_at, self.reconstruction, **styled(artist_kw, style))
        self.band_ = None
        if self.error is not None:
            low, high = (np.asarray(self.reconstruction) + side * np.asarray(self.error) for side in (-1, 1))
            artist_kw = {"color": COLOURS["blue"], "alpha": 0.25, "linewidth": 0, "label": "± standard error"}
            self.band_ = ax.fill_between(
                self.recorded_at, low, high, **styled(artist_kw, fill_between_kw, PolyCollection)
            )
        ax.set_ylabel("mean squared error\n(squared units of the input)")

    def _draw_accuracies(self, style):
        self.accuracy_lines_ = {
            name: self.axes_[1].plot(self.recorded_at, curve, **self._accuracy_style(name, style))[0]
            for name, curve in self._accuracies().items()
        }

    def _accuracy_style(self, name, style):
        return styled({"label": name, **ACCURACY_STYLES[name], **self._dots()}, style)

    def _finish(self, shared):
        for ax in self.axes_[-1:] if shared else self.axes_:
            record_axis(ax, np.asarray(self.recorded_at), self.unit)
        self.spans_ = {
            name: [_shade(ax, name, span) for ax in self.axes_] for name, span in (self.phases or {}).items()
        }
        self._mark_turn()
        handles = [self.line_, self.band_, *(spans[0] for spans in self.spans_.values())]
        layer = f" of layer {literal(self.layer)}" if self.layer else ""
        title = f"How well the activations{layer} give the input back"
        title_over_legend(self.axes_[0], title, [handle for handle in handles if handle is not None])
        if self.accuracy_lines_:
            self.axes_[1].set_ylabel("accuracy")
            title_over_legend(self.axes_[1], "Accuracy", list(self.accuracy_lines_.values()))

    def _mark_turn(self):
        self.turn_lines_ = []
        if self.turn is None:
            return
        room_above(self.axes_[0], 1)
        words = (
            f"turn: {self.unit} {self.turn:.3g}"
            if self.turn < 1000
            else f"turn: {self.unit} {self.turn:,.0f}"
        )
        for ax, word in zip(self.axes_, (words, ""), strict=False):
            self.turn_lines_ += mark_places(ax, [self.turn], [word], ["black"])


def _new_axes(plt, n_axes):
    figsize = (7, 2.6 if n_axes == 1 else 4.4)
    return plt.subplots(n_axes, 1, figsize=figsize, layout="constrained", sharex=True, squeeze=False)[
        1
    ].ravel()


def _shade(ax, name, span):
    """Over the whole height, beneath the curves."""
    colour, alpha = PHASE_COLOURS[name]
    return ax.axvspan(*span, color=COLOURS[colour], alpha=alpha, linewidth=0, zorder=0, label=name)


def _turn_of(analyzer, counted):
    """The turn of the curve; None where it does not fall and rise."""
    if not {"falling", "rising"} <= set(analyzer.phases_.spans):
        return None
    return analyzer.turning_iteration_ if counted else analyzer.turning_epoch_
