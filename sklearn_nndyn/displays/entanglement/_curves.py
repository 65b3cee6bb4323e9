"""Radius and distance of the classes of a hidden layer: over the epochs, and against the training error.

Longer than 300 lines: one picture of four panels, and half of the file documents it.
"""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_nndyn.analyzers import EntanglementAnalyzer
from sklearn_nndyn.displays._style import (
    COLOURS,
    PAPER,
    error_axis,
    given_axes,
    literal,
    mark_epochs,
    room_above,
    rows_of_words,
    styled,
    title_over_legend,
)
from sklearn_nndyn.displays.entanglement._inversion_marks import (
    mark_dots,
    mark_means,
    mean_inversion,
    rows_of_legend,
)
from sklearn_nndyn.displays.entanglement._run_groups import GROUP_STYLES, RunGroups
from sklearn_nndyn.displays.entanglement._runs import (
    MOST_CLASSES,
    check_analyzer,
    few_radii_of,
    radius_name_of,
    radius_of,
    runs_and_labels,
    verdict_of,
)

CLASS_COLOURS = [COLOURS[name] for name in ("sky", "orange", "green")]
MOST_WORDS = 3  # as many inversions are named in words


class EntanglementDisplay:
    """Radius of the classes and distance between them, over the epochs and against the training error.

    Where classes come apart and then mix again, the radius falls and rises, and the distance rises and falls. Of
    several runs the turns lie apart over the epochs, and together against the training error.

    Parameters
    ----------
    epochs : list of n_runs arrays of shape (n_epochs,)
        Recorded epochs of each run; runs may differ in their number.
    radius : list of n_runs arrays of shape (n_epochs,)
        Radius R: mean of the classes, or of one of them; 0 to 1.
    distance : list of n_runs arrays of shape (n_epochs,)
        Mean distance D between the centroids of two classes; 0 to 2.
    training_error : list of n_runs arrays of shape (n_epochs,)
        Share of the samples that are misclassified.
    inversions : list of n_runs int or None, optional
        Position of each run's inversion among its epochs; None for a run without.
    verdicts : list of n_runs {"yes", "no", "cannot tell"}, optional
        Whether the classes mix again, as finding EN1 says of each run; "yes" of all by default. Other inversions are
        drawn hollow, and called unclear.
    labels : list of n_runs str, optional
        Runs with the same label have one colour and one legend entry; seven labels at most.
    radius_name : str, default="mean radius R"
        Label of the radius axis.
    class_radii : dict of str to array of shape (n_epochs,), optional
        Further radii, drawn thin, by what they are; of the first run. Three at most.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    axes_ : array of four matplotlib Axes
        The radius over the epochs, and against the training error; the distance over the epochs, and against the
        training error.
    radius_lines_, distance_lines_ : list of n_runs pairs of matplotlib Line2D
        Each run over the epochs, and against the training error.
    class_lines_ : dict of str to pair of matplotlib Line2D
        The further radii over the epochs, and against the training error.
    marks_ : list of n_runs lists of four matplotlib Line2D
        A dot at the inversion in each panel; an empty list for a run without.
    inversion_lines_ : dict of str to list of matplotlib Line2D
        The mean inversion of the runs of each label in each panel; of label ``""`` where there are none.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_nndyn import DynamicsClassifier, EntanglementAnalyzer
    >>> from sklearn_nndyn.displays import EntanglementDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = DynamicsClassifier(max_epochs=20, random_state=0).fit(X / 16, y % 2)
    >>> entanglement = EntanglementAnalyzer().fit(clf)
    >>> display = EntanglementDisplay.from_analyzer(entanglement).plot()
    >>> [ax.get_xlabel() for ax in display.axes_[2:]], [ax.get_ylabel() for ax in display.axes_[::2]]
    (['epoch', 'training error (%, logarithmic)'], ['mean radius R', 'mean distance D'])
    >>> plt.close(display.figure_)

    Of several runs, those with the same label have one colour:

    >>> display = EntanglementDisplay.from_analyzer([entanglement, None], labels=["all samples", "fewer"]).plot()
    >>> display.labels
    ['all samples']
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        epochs: Sequence[np.ndarray],
        radius: Sequence[np.ndarray],
        distance: Sequence[np.ndarray],
        training_error: Sequence[np.ndarray],
        *,
        inversions: Sequence[int | None] | None = None,
        verdicts: Sequence[str] | None = None,
        labels: Sequence[str] | None = None,
        radius_name: str = "mean radius R",
        class_radii: dict[str, np.ndarray] | None = None,
    ) -> None:
        self.epochs = epochs
        self.radius = radius
        self.distance = distance
        self.training_error = training_error
        self.inversions = inversions
        self.verdicts = verdicts
        self.labels = labels
        self.radius_name = radius_name
        self.class_radii = class_radii

    @classmethod
    def from_analyzer(cls, analyzers: Any, *, labels: str | Sequence[str] | None = None) -> Self:
        """Take the curves of one or several fitted analyzers.

        The radius is the one whose turn is the inversion: that of the class which is ``reference``, or else the mean
        of all. One run of up to three classes, without a label, shows theirs as well.

        Parameters
        ----------
        analyzers : EntanglementAnalyzer, list of them and None, or dict of label to either
            Fitted, one for each run; None stands for a run that does not exist, and is passed over. A dict gives
            groups of runs, such as the ``analyzers`` of ``remove_and_refit``.
        labels : str or list of str, optional
            A name for each entry of ``analyzers``, None among them, or one for all.

        Returns
        -------
        display : EntanglementDisplay
            Not yet drawn.

        Raises
        ------
        TypeError
            If something else than an EntanglementAnalyzer is given.
        ValueError
            If there is no run, or not one label for each.
        sklearn.exceptions.NotFittedError
            If an analyzer is not fitted.
        """
        runs, labels = runs_and_labels(analyzers, labels)
        names = {radius_name_of(check_analyzer(run)) for run in runs}
        return cls(
            [run.epochs_ for run in runs],
            [radius_of(run) for run in runs],
            [run.mean_distance_ for run in runs],
            [run.training_error_ for run in runs],
            inversions=[run.inversion_ for run in runs],
            verdicts=[verdict_of(run) for run in runs],
            labels=labels,
            radius_name=names.pop() if len(names) == 1 else "radius R",
            class_radii=few_radii_of(runs[0]) if len(runs) == 1 and labels is None else {},
        )

    @classmethod
    def from_dynamics(
        cls, dynamics: Any, *, labels: str | Sequence[str] | None = None, **params: Any
    ) -> Self:
        """Analyse one or several records, and take the curves.

        Parameters
        ----------
        dynamics : Dynamics or fitted estimator, or list of them and None
            The record, or a fitted model, whose training record is read; or one for each run, None for no run.
        labels : str or list of str, optional
            A name for each entry of ``dynamics``, or one for all.
        **params : parameters of EntanglementAnalyzer
            Parameters such as ``layer`` or ``reference``.

        Returns
        -------
        display : EntanglementDisplay
            Not yet drawn.

        Raises
        ------
        TypeError, ValueError, sklearn.exceptions.NotFittedError
            As ``EntanglementAnalyzer.fit`` and ``from_analyzer``.
        """
        runs, labels = runs_and_labels(dynamics, labels)
        return cls.from_analyzer([EntanglementAnalyzer(**params).fit(run) for run in runs], labels=labels)

    def plot(self, ax: Any = None, **style: Any) -> Self:
        """Draw the radius above the distance, over the epochs and against the training error.

        The error falls from left to right, on a logarithmic scale, on which an error of zero has no place: such
        epochs are left out there. A dot marks the inversion of each run, hollow where it may be chance, and a vertical
        line their mean, for each label. Beside it are the epochs, and the error with its range over the runs, where no
        more than three labels have an inversion.

        Parameters
        ----------
        ax : sequence of four matplotlib Axes, optional
            Axes to draw on, in the order of ``axes_``; by default a new figure, as wide as a page of two columns.
        **style : keyword arguments of matplotlib.axes.Axes.plot
            Style of radius and distance, such as ``linewidth``; it goes before our own.

        Returns
        -------
        self : EntanglementDisplay
            This display, with ``figure_``, ``axes_``, the lines and the marks.

        Raises
        ------
        ValueError
            If ``ax`` is not four axes, or there are more than seven labels or three further radii.
        """
        import matplotlib.pyplot as plt

        self._check_numbers()
        given = ax is not None
        with plt.rc_context({} if given else PAPER):
            self.axes_ = given_axes(ax, 4, "panel") if given else _new_axes(plt)
            self.figure_ = self.axes_[0].figure
            self._draw_curves(style)
            self._finish_axes(inner=given)
            self._mark_inversions()
            self._make_room(each=given)
            self._name()
        return self

    def _check_numbers(self):
        self._groups = RunGroups(len(self.epochs), self.labels, self.inversions, self.verdicts)
        if len(self.class_radii or {}) > MOST_CLASSES:
            raise ValueError(
                f"class_radii: there is room for {MOST_CLASSES}, got {len(self.class_radii)}; "
                "ClassEntanglementDisplay shows more."
            )

    def _across(self, run):
        """The values on the x axes: epochs, and errors in percent."""
        return self.epochs[run], 100 * np.asarray(self.training_error[run])

    def _draw_curves(self, style):
        above, below = self.axes_[:2], self.axes_[2:]
        radii = (self.class_radii or {}).items()
        self.class_lines_ = {
            name: self._pair(above, 0, radius, color=colour, linewidth=0.9)
            for (name, radius), colour in zip(radii, CLASS_COLOURS, strict=False)
        }
        self.radius_lines_, self.distance_lines_ = [None] * len(self.epochs), [None] * len(self.epochs)
        for label, runs in self._groups.runs.items():
            artist_kw = styled(
                self._groups.styles[label] | {"linewidth": 1.4 if len(runs) == 1 else 0.8, "label": label},
                style,
            )
            for run in runs:
                self.radius_lines_[run] = self._pair(above, run, self.radius[run], **artist_kw)
                self.distance_lines_[run] = self._pair(below, run, self.distance[run], **artist_kw)

    def _pair(self, axes, run, curve, **artist_kw):
        return tuple(ax.plot(x, curve, **artist_kw)[0] for ax, x in zip(axes, self._across(run), strict=True))

    def _finish_axes(self, inner):
        """Names and scales of the axes; of the ``inner`` ones too where they are not known to be aligned."""
        errors = np.concatenate(self.training_error)
        for row, name in enumerate((self.radius_name, "mean distance D")):
            over, against = self.axes_[2 * row : 2 * row + 2]
            mark_epochs(over, max(self.epochs, key=len))
            error_axis(against, errors)
            over.set(ylabel=name, xlabel="epoch")
            if inner:
                against.set_ylabel(name)
            elif row == 0:
                over.set_xlabel(None)
                against.set_xlabel(None)

    def _mark_inversions(self):
        self.marks_ = [[] for _ in self.epochs]
        means, errors = {}, {}
        groups = self._groups
        for label, runs in groups.runs.items():
            inverting = groups.inverting[label]
            artist_kw = {"color": groups.mark_colours[label], "markersize": 4 if len(runs) == 1 else 2.5}
            for run in inverting:
                hollow = {} if groups.clear[run] else {"markerfacecolor": "white"}
                self.marks_[run] = self._dots(run, artist_kw | hollow)
            if inverting:
                at = [(self.epochs[run], self.training_error[run], self.inversions[run]) for run in inverting]
                n_clear = sum(groups.clear[run] for run in inverting)
                means[label], errors[label] = mean_inversion(at, len(runs), n_clear)
        self.inversion_lines_ = {label: [] for label in means}
        for panel, ax in enumerate(self.axes_):
            in_words = panel < 2 and len(means) <= MOST_WORDS
            for label, line in mark_means(
                ax, errors if panel % 2 else means, groups.mark_colours, in_words
            ).items():
                self.inversion_lines_[label].append(line)

    def _make_room(self, each):
        """Room for the words above the radii: in ``each`` panel, or once where they share an axis."""
        rows = [rows_of_words(ax) for ax in self.axes_[:2]]
        for ax, n_rows in zip(self.axes_[:2], rows, strict=True) if each else [(self.axes_[0], max(rows))]:
            room_above(ax, n_rows)

    def _dots(self, run, artist_kw):
        """Mark the inversion in each panel."""
        at = self.inversions[run]
        heights = [self.radius[run][at]] * 2 + [self.distance[run][at]] * 2
        return mark_dots(self.axes_, [x[at] for x in self._across(run)] * 2, heights, artist_kw)

    def _name(self):
        from matplotlib.lines import Line2D

        handles = []
        if self.labels is not None:
            handles = [
                Line2D([], [], label=literal(label), **artist_kw)
                for label, artist_kw in self._groups.styles.items()
            ]
        elif self.class_lines_:
            handles = [Line2D([], [], label=self.radius_name, **GROUP_STYLES[0])]
        handles += [
            Line2D([], [], color=lines[0].get_color(), linewidth=0.9, label=literal(name))
            for name, lines in self.class_lines_.items()
        ]
        n_rows = rows_of_legend(handles)
        title_over_legend(self.axes_[0], "Radius and distance over the epochs", handles, n_rows)
        title_over_legend(self.axes_[1], "The same against the training error", [], n_rows)


def _new_axes(plt):
    return plt.subplots(2, 2, figsize=(7, 4), layout="constrained", sharex="col", sharey="row")[1].ravel()
