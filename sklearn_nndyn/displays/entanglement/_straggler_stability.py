"""Whether several runs have the same stragglers: run by run, and against the training error."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_nndyn.analyzers import EntanglementAnalyzer, StragglerStability, straggler_stability
from sklearn_nndyn.displays._doors import expect
from sklearn_nndyn.displays._style import (
    COLOURS,
    PAPER,
    error_axis,
    given_axes,
    mark_places,
    room_above,
    styled,
    title_over_legend,
)
from sklearn_nndyn.displays.entanglement._overlap_matrix import draw_overlaps
from sklearn_nndyn.displays.entanglement._runs import verdict_of
from sklearn_nndyn.utils.text import percent


class StragglerStabilityDisplay:
    """Overlap of the stragglers of several runs, and of what they misclassify at other training errors.

    Parameters
    ----------
    jaccard : array of shape (n_runs, n_runs)
        Share of the stragglers of either of two runs that are stragglers in both; 0 to 1, nan for none to compare.
    errors : array of shape (n_levels,)
        Training errors, as shares of the samples.
    jaccard_curve : array of shape (n_levels,)
        Mean overlap of what two runs misclassify at such an error.
    z_curve : array of shape (n_levels,)
        How far that is above chance, in standard deviations over the pairs of runs; nan where there is none.
    z_pairs_curve : array of shape (n_levels,), optional
        The same in standard deviations of chance.
    chance_curve : array of shape (n_levels,), optional
        Overlap of as many random samples.
    inversion_errors : array of shape (n_runs,), optional
        Training error at the inversion of each run; nan for a run without.
    labels : list of n_runs str, optional
        Names of the runs; by default their numbers, from 0.
    clear : bool, default=True
        Whether an inversion is beyond chance; without one it is called an unclear turn.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    axes_ : array of three matplotlib Axes
        The runs; the overlap against the training error; z against the training error.
    image_ : matplotlib AxesImage
        The overlaps of the runs, in percent.
    colorbar_ : matplotlib Colorbar
        Its scale.
    lines_ : dict of str to matplotlib Line2D
        ``"jaccard"``, ``"chance"``, ``"z"`` and ``"z_pairs"``, those that there are.
    inversion_lines_ : list of matplotlib Line2D
        The mean inversion error in the second and third panel; empty without inversion.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_nndyn.displays import StragglerStabilityDisplay
    >>> display = StragglerStabilityDisplay(
    ...     jaccard=[[1.0, 0.8, 0.7], [0.8, 1.0, 0.9], [0.7, 0.9, 1.0]],
    ...     errors=[0.3, 0.1, 0.05],
    ...     jaccard_curve=[0.5, 0.8, 0.7],
    ...     z_curve=[10.0, 50.0, 40.0],
    ...     inversion_errors=[0.11, 0.09, 0.1],
    ... ).plot()
    >>> [text.get_text() for text in display.axes_[0].texts[:2]]
    ['80', '70']
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        jaccard: Sequence | np.ndarray,
        errors: Sequence | np.ndarray,
        jaccard_curve: Sequence | np.ndarray,
        z_curve: Sequence | np.ndarray,
        *,
        z_pairs_curve: Sequence | np.ndarray | None = None,
        chance_curve: Sequence | np.ndarray | None = None,
        inversion_errors: Sequence | np.ndarray | None = None,
        labels: Sequence[str] | None = None,
        clear: bool = True,
    ) -> None:
        self.jaccard = jaccard
        self.errors = errors
        self.jaccard_curve = jaccard_curve
        self.z_curve = z_curve
        self.z_pairs_curve = z_pairs_curve
        self.chance_curve = chance_curve
        self.inversion_errors = inversion_errors
        self.labels = labels
        self.clear = clear

    @classmethod
    def from_stability(cls, found: StragglerStability, *, labels: Sequence[str] | None = None) -> Self:
        """Take what ``straggler_stability`` found.

        A run without inversion has no stragglers, and nothing to compare.

        Parameters
        ----------
        found : StragglerStability
            Stability of the stragglers of two or more runs.
        labels : list of n_runs str, optional
            Names of the runs; by default their numbers, from 0.

        Returns
        -------
        display : StragglerStabilityDisplay
            Not yet drawn.

        Raises
        ------
        TypeError
            If something else than a StragglerStability is given.
        ValueError
            If there is not one label for each run.
        """
        expect(found, StragglerStability, "a StragglerStability, as straggler_stability returns it")
        n_runs, n_samples = found.masks.shape
        if labels is not None and len(labels) != n_runs:
            raise ValueError(f"labels: there are {n_runs} runs, but {len(labels)} labels.")
        without = np.isnan(found.inversion_errors)
        return cls(
            np.where(without[:, None] | without, np.nan, found.jaccard),
            found.errors,
            found.jaccard_curve,
            found.z_curve,
            z_pairs_curve=found.z_pairs_curve,
            chance_curve=_chance(found.expected_curve, n_samples),
            inversion_errors=found.inversion_errors,
            labels=labels,
            clear=any(verdict_of(run) == "yes" for run in found.analyzers),
        )

    @classmethod
    def from_dynamics(
        cls,
        runs: Any,
        *,
        analyzer: EntanglementAnalyzer | None = None,
        errors: Any = "auto",
        labels: Sequence[str] | None = None,
    ) -> Self:
        """Compare the stragglers of several runs of the same samples.

        Parameters
        ----------
        runs : list of Dynamics or fitted estimators
            Two or more, of the same samples in the same order. Of a model the training record is read.
        analyzer : EntanglementAnalyzer, default=None
            With the layer, rule and reference to use. None is ``EntanglementAnalyzer()``.
        errors : "auto" or array of shape (n_levels,), default="auto"
            Training errors, between 0 and 1, at which what is misclassified is compared.
        labels : list of n_runs str, optional
            As in ``from_stability``.

        Returns
        -------
        display : StragglerStabilityDisplay
            Not yet drawn.

        Raises
        ------
        TypeError, ValueError, sklearn.exceptions.NotFittedError
            As ``straggler_stability`` and ``from_stability``.
        """
        found = straggler_stability(runs, analyzer=analyzer, errors=errors)
        return cls.from_stability(found, labels=labels)

    def plot(
        self, ax: Any = None, *, cmap: Any = "cividis", line_kw: dict | None = None, **style: Any
    ) -> Self:
        """Draw three panels: the overlap of each two runs; the mean overlap, and z, against the training error.

        A cell is blank where there is nothing to compare; overlaps of up to twelve runs are written into theirs. The
        error falls from left to right, on a logarithmic scale, on which an error of zero has no place. A dashed line
        marks the mean inversion error.

        Parameters
        ----------
        ax : sequence of three matplotlib Axes, optional
            Axes to draw on; by default a new figure, as wide as a page of two columns.
        cmap : str or matplotlib Colormap, default="cividis"
            Colours of the overlaps, from 0 to 100 %; the default is safe for the colour-blind.
        line_kw : dict, default=None
            Style of the curves: keyword arguments of ``matplotlib.axes.Axes.plot``.
        **style : keyword arguments of matplotlib.axes.Axes.imshow
            Style of the overlaps of the runs; it goes before our own.

        Returns
        -------
        self : StragglerStabilityDisplay
            This display, with ``figure_``, ``axes_``, ``image_``, ``colorbar_`` and the lines.

        Raises
        ------
        ValueError
            If ``ax`` is not three axes.
        """
        import matplotlib.pyplot as plt

        given = ax is not None
        with plt.rc_context({} if given else PAPER):
            self.axes_ = given_axes(ax, 3, "panel") if given else _new_axes(plt)
            self.figure_ = self.axes_[0].figure
            self._draw_runs({"cmap": cmap} | style)
            self._draw_overlap(line_kw)
            self._draw_z(line_kw)
            self._finish_curves()
        return self

    def _draw_runs(self, style):
        ax = self.axes_[0]
        n_runs = len(self.jaccard)
        labels = [str(label) for label in (range(n_runs) if self.labels is None else self.labels)]
        self.image_ = draw_overlaps(ax, self.jaccard, labels, style)
        self.colorbar_ = self.figure_.colorbar(
            self.image_, ax=ax, label="in both, of those in either (%)", shrink=0.8, pad=0.03
        )

    def _draw_overlap(self, style):
        ax, across = self.axes_[1], 100 * np.asarray(self.errors)
        artist_kw = styled({"color": COLOURS["blue"], "label": "of two runs"}, style)
        self.lines_ = {"jaccard": ax.plot(across, 100 * np.asarray(self.jaccard_curve), **artist_kw)[0]}
        if self.chance_curve is not None:
            artist_kw = {"color": COLOURS["grey"], "linestyle": ":", "label": "of random samples"}
            self.lines_["chance"] = ax.plot(
                across, 100 * np.asarray(self.chance_curve), **styled(artist_kw, style)
            )[0]
        ax.set(ylabel="overlap (%)", ylim=(0, 100))

    def _draw_z(self, style):
        ax, across = self.axes_[2], 100 * np.asarray(self.errors)
        if not np.isnan(self.z_curve).all():
            artist_kw = {"color": COLOURS["vermillion"], "label": "of the pairs of runs"}
            self.lines_["z"] = ax.plot(across, self.z_curve, **styled(artist_kw, style))[0]
        if self.z_pairs_curve is not None:
            artist_kw = {"color": COLOURS["green"], "linestyle": "--", "label": "of chance"}
            self.lines_["z_pairs"] = ax.plot(across, self.z_pairs_curve, **styled(artist_kw, style))[0]
        ax.set_ylabel("z (deviations)")
        ax.set_ylim(bottom=min(0, ax.get_ylim()[0]))

    def _finish_curves(self):
        overlap, z = self.axes_[1:]
        for ax in (overlap, z):
            error_axis(ax, np.append(self.errors, self._mean_inversion()))
        room_above(overlap, 2)
        self._mark_inversion(overlap, z)
        own = [self.lines_[name] for name in ("jaccard", "chance") if name in self.lines_]
        both = [self.lines_[name] for name in ("z", "z_pairs") if name in self.lines_]
        title_over_legend(overlap, "Overlap of what is misclassified", own)
        title_over_legend(z, "Overlap above chance", both)

    def _mark_inversion(self, overlap, z):
        self.inversion_lines_ = []
        for error in self._mean_inversion():
            name = "inversion" if self.clear else "unclear turn"
            self.inversion_lines_ = [
                *mark_places(overlap, [100 * error], [f"{name}: error {percent(error)}"], ["black"]),
                *mark_places(z, [100 * error], [""], ["black"]),
            ]

    def _mean_inversion(self):
        """The mean inversion error, in a list; an empty one where there is none, or no place for it."""
        errors = np.asarray([] if self.inversion_errors is None else self.inversion_errors, dtype=float)
        there = errors[~np.isnan(errors)]
        return [there.mean()] if (there > 0).any() else []


def _new_axes(plt):
    axes = plt.subplot_mosaic(
        [["runs", "overlap"], ["runs", "z"]], figsize=(7, 3.6), width_ratios=(1.1, 1), layout="constrained"
    )[1]
    return np.array([axes[name] for name in ("runs", "overlap", "z")])


def _chance(expected, n_samples):
    """Overlap of two random sets of equal size that have so many samples in common."""
    size = np.sqrt(np.asarray(expected) * n_samples)
    either = 2 * size - expected
    return np.divide(expected, either, out=np.full(size.shape, np.nan), where=either > 0)
