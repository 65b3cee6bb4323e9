"""The radius of every class: which turn, and when."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from sklearn_nndyn.analyzers import EntanglementAnalyzer
from sklearn_nndyn.displays._style import COLOURS, COLUMN, PAPER, given_axes, mark_epochs, shortened, styled
from sklearn_nndyn.displays.entanglement._runs import check_analyzer, verdict_of
from sklearn_nndyn.utils.text import epoch_words, listed

MOST_CLASSES = 20
N_COLUMNS = 5
LONGEST_NAME = 18  # letters that fit above a panel


class ClassEntanglementDisplay:
    """The radius of each class over the epochs, one panel a class, with its own turn marked.

    Parameters
    ----------
    epochs : array of shape (n_epochs,)
        Recorded epochs.
    radii : array of shape (n_epochs, n_classes)
        Radius of each class, 0 to 1.
    mean_radius : array of shape (n_epochs,)
        Mean of the radii of all classes, also of those that are not shown.
    class_names : array of shape (n_classes,)
        The classes, as given by the user.
    turns : array of shape (n_classes,)
        Epoch of each turn; nan for a class without.
    errors : array of shape (n_classes,)
        Training error there, as a share of all samples.
    clear : bool, default=True
        Whether the turns can be told from noise: of few epochs they cannot, as finding EN4 says. Else they are drawn
        hollow, and called unclear.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    axes_ : array of n_classes matplotlib Axes
        One for each class.
    radius_lines_, mean_lines_ : list of n_classes matplotlib Line2D
        The class; the mean behind it.
    turns_ : list of n_classes matplotlib Line2D, or None
        A dot at the turn; None for a class without.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> from sklearn_nndyn.displays import ClassEntanglementDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = DynamicsClassifier(max_epochs=20, random_state=0).fit(X / 16, y)
    >>> display = ClassEntanglementDisplay.from_dynamics(clf, classes=[3, 8, 9]).plot()
    >>> display.radii.shape, len(display.axes_)
    ((21, 3), 3)
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        epochs: Sequence | np.ndarray,
        radii: Sequence | np.ndarray,
        mean_radius: Sequence | np.ndarray,
        class_names: Sequence | np.ndarray,
        turns: Sequence | np.ndarray,
        errors: Sequence | np.ndarray,
        *,
        clear: bool = True,
    ) -> None:
        self.epochs = epochs
        self.radii = radii
        self.mean_radius = mean_radius
        self.class_names = class_names
        self.turns = turns
        self.errors = errors
        self.clear = clear

    @classmethod
    def from_analyzer(
        cls, analyzer: EntanglementAnalyzer, *, classes: Sequence | np.ndarray | None = None
    ) -> Self:
        """Take the radii of a fitted analyzer.

        Parameters
        ----------
        analyzer : EntanglementAnalyzer
            Fitted.
        classes : sequence of classes, optional
            Which to show, in this order; by default all. Twenty at most.

        Returns
        -------
        display : ClassEntanglementDisplay
            Not yet drawn.

        Raises
        ------
        TypeError
            If something else than an EntanglementAnalyzer is given.
        ValueError
            If there is no such class, or there are more than twenty to show.
        sklearn.exceptions.NotFittedError
            If the analyzer is not fitted.
        """
        chosen = _positions(classes, check_analyzer(analyzer).classes_)
        return cls(
            analyzer.epochs_,
            analyzer.radii_[:, chosen],
            analyzer.mean_radius_,
            analyzer.classes_[chosen],
            analyzer.class_inversion_epochs_[chosen],
            analyzer.class_inversion_errors_[chosen],
            clear=verdict_of(analyzer, "EN4") != "cannot tell",
        )

    @classmethod
    def from_dynamics(
        cls, dynamics: Any, *, classes: Sequence | np.ndarray | None = None, **params: Any
    ) -> Self:
        """Analyse a record, and take the radii.

        Parameters
        ----------
        dynamics : Dynamics or fitted estimator
            The record, or a fitted model, whose training record is read.
        classes : sequence of classes, optional
            Which to show, in this order; by default all. Twenty at most.
        **params : parameters of EntanglementAnalyzer
            Parameters such as ``layer`` or ``rule``.

        Returns
        -------
        display : ClassEntanglementDisplay
            Not yet drawn.

        Raises
        ------
        TypeError, ValueError, sklearn.exceptions.NotFittedError
            As ``EntanglementAnalyzer.fit`` and ``from_analyzer``.
        """
        return cls.from_analyzer(EntanglementAnalyzer(**params).fit(dynamics), classes=classes)

    def plot(self, ax: Any = None, **style: Any) -> Self:
        """Draw a panel for each class: its radius, the mean of all in grey behind, and a dot where it turns.

        The panels have the same axes; above each is the name of the class, with the epoch of its turn and the
        training error there.

        Parameters
        ----------
        ax : sequence of n_classes matplotlib Axes, optional
            Axes to draw on; by default a new figure, as wide as a page of two columns at most.
        **style : keyword arguments of matplotlib.axes.Axes.plot
            Style of the radii, such as ``linewidth`` or ``color``; it goes before our own.

        Returns
        -------
        self : ClassEntanglementDisplay
            This display, with ``figure_``, ``axes_``, the lines and the turns.

        Raises
        ------
        ValueError
            If ``ax`` is not as many axes as there are classes.
        """
        import matplotlib.pyplot as plt

        given = ax is not None
        with plt.rc_context({} if given else PAPER):
            self.axes_ = given_axes(ax, len(self.class_names), "class") if given else self._new_axes(plt)
            self.figure_ = self.axes_[0].figure
            drawn = [self._draw(position, panel, style) for position, panel in enumerate(self.axes_)]
            self.mean_lines_, self.radius_lines_, self.turns_ = (
                list(each) for each in zip(*drawn, strict=True)
            )
            self._finish(words="all" if given else "outer")
        return self

    def _new_axes(self, plt):
        n_classes = len(self.class_names)
        n_rows = -(-n_classes // N_COLUMNS)
        n_columns = -(-n_classes // n_rows)
        size = (np.clip(1.7 * n_columns, COLUMN, 7.0), 0.5 + 1.45 * n_rows)
        figure, axes = plt.subplots(
            n_rows, n_columns, figsize=size, layout="constrained", squeeze=False, sharex=True, sharey=True
        )
        between = " " if n_columns > 3 else "\n"
        title = (
            f"Radius of each class (grey: mean of all),{between}with its turn and the training error there"
        )
        figure.suptitle(title, x=0.01, ha="left", fontsize=9)
        for unused in axes.ravel()[n_classes:]:
            unused.remove()
        for lowest in axes.ravel()[max(0, n_classes - n_columns) : n_classes]:
            lowest.xaxis.set_tick_params(labelbottom=True)  # also where the row below it is not full
        return axes.ravel()[:n_classes]

    def _draw(self, position, ax, style):
        radius, turn = self.radii[:, position], self.turns[position]
        mean = ax.plot(self.epochs, self.mean_radius, color="#A6A6A6", linewidth=1.2)[0]
        line = ax.plot(self.epochs, radius, **styled({"color": COLOURS["blue"]}, style))[0]
        dot, description = None, "no turn"
        if not np.isnan(turn):
            at = np.searchsorted(self.epochs, turn)
            hollow = {} if self.clear else {"markerfacecolor": "white"}
            red = COLOURS["vermillion"]
            dot = ax.plot(turn, radius[at], "o", color=red, markersize=4, zorder=3, **hollow)[0]
            description = self._turn_words(position)
        name = shortened(self.class_names[position], LONGEST_NAME)
        ax.set_title(
            name, pad=13 if self.clear or np.isnan(self.turns).all() else 22, fontsize=8.5, loc="left"
        )
        place = {"xycoords": "axes fraction", "xytext": (0, 3), "textcoords": "offset points"}
        ax.annotate(description, (0, 1), fontsize=7, **place).set_in_layout(
            False
        )  # the title already has its space
        return mean, line, dot

    def _turn_words(self, position):
        where = f"epoch {epoch_words(self.turns[position])}, error {100 * self.errors[position]:.2g} %"
        return where if self.clear else f"unclear turn:\n{where}"

    def _finish(self, words):
        every = np.column_stack([self.radii, self.mean_radius])
        low, high = np.nanmin(every), np.nanmax(every)
        padding = 0.06 * (high - low) or 0.05
        for ax in self.axes_:
            ax.set_ylim(low - padding, high + padding)
            mark_epochs(ax, self.epochs)
            if words == "all":
                ax.set(xlabel="epoch", ylabel="radius R")
        if words == "outer":
            self.figure_.supxlabel("epoch", fontsize=8)
            self.figure_.supylabel("radius R", fontsize=8)


def _positions(classes, known):
    names = known.tolist()
    wanted = names if classes is None else list(classes)
    missing = [name for name in wanted if name not in names]
    if missing or not wanted:
        raise ValueError(
            f"classes must be among {listed(names, MOST_CLASSES)}; got {listed(missing) or 'none'}."
        )
    if len(wanted) > MOST_CLASSES:
        raise ValueError(
            f"There are {len(wanted)} classes, but room for {MOST_CLASSES}: choose with classes=[{names[0]!r}, ...]."
        )
    return [names.index(name) for name in wanted]
