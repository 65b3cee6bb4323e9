"""Decision regions of several networks, side by side: data in the plane."""

from collections.abc import Sequence
from textwrap import wrap
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d

from sklearn_nndyn.displays._doors import expect_classifier
from sklearn_nndyn.displays._style import COLOURS, PAPER, given_axes, literal, shortened, styled

N_COLUMNS = 4
MOST_NAMED = 20
LINE_LENGTH = 27  # letters of a title above a panel
HUES = ("blue", "orange", "green", "purple", "sky", "vermillion", "yellow", "grey")
PALE = 0.35  # of a region, where its points are 1
MARGIN = 0.05  # of the widest range of a feature, around the points


class DecisionRegionsDisplay:
    """Which class each of several classifiers decides for, over the plane of two features: a panel for each.

    Made to see what losses make of the same data; any fitted classifiers will do.

    Parameters
    ----------
    regions : dict of str to array of shape (n_rows, n_columns)
        For each panel, by its name, the class that is decided for at the places of a grid, as position in ``classes``.
    xx0, xx1 : array of shape (n_rows, n_columns)
        First and second feature of these places.
    X : array of shape (n_samples, 2)
        Points that are drawn on top.
    y : array of shape (n_samples,)
        Their labels.
    accuracies : dict of str to float
        For each panel the share of the points that are right.
    classes : array of shape (n_classes,)
        All labels, sorted.
    feature_names : sequence of two str, optional
        Names of the axes.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    axes_ : array of matplotlib Axes
        One for each panel.
    regions_ : dict of str to matplotlib QuadMesh
    points_ : dict of str to matplotlib PathCollection
    legend_ : matplotlib Legend or None
        Legend of the classes, below the panels; None where there are more than twenty.

    See Also
    --------
    sklearn.inspection.DecisionBoundaryDisplay : One classifier; the regions come from there.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> from sklearn_nndyn.datasets import make_spirals
    >>> from sklearn_nndyn.displays import DecisionRegionsDisplay
    >>> X, y = make_spirals(80, n_arms=2, random_state=0)
    >>> networks = [DynamicsClassifier(loss=loss, max_epochs=5, random_state=0).fit(X, y) for loss in ("log", "l2")]
    >>> display = DecisionRegionsDisplay.from_estimators(networks, X, y, grid_resolution=20).plot()
    >>> list(display.regions_)
    ['log', 'l2']
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        regions: dict[str, np.ndarray],
        xx0: Sequence | np.ndarray,
        xx1: Sequence | np.ndarray,
        X: Sequence | np.ndarray,
        y: Sequence | np.ndarray,
        accuracies: dict[str, float],
        classes: Sequence | np.ndarray,
        *,
        feature_names: Sequence[str] | None = None,
    ) -> None:
        self.regions = regions
        self.xx0 = xx0
        self.xx1 = xx1
        self.X = X
        self.y = y
        self.accuracies = accuracies
        self.classes = classes
        self.feature_names = feature_names

    @classmethod
    def from_estimators(
        cls, estimators: Any, X: ArrayLike, y: ArrayLike, *, grid_resolution: int = 200
    ) -> Self:
        """Ask each classifier for its decision over the plane.

        Parameters
        ----------
        estimators : dict of str to fitted classifier, or sequence of fitted classifiers
            By the names of their panels. In a sequence they are called by their loss, where they have one, or else
            by their kind; with a number where that is not enough.
        X : array-like of shape (n_samples, 2)
            Points to draw on top, such as the training samples; the plane is that around them.
        y : array-like of shape (n_samples,)
            Their labels.
        grid_resolution : int, default=200
            Places along each feature.

        Returns
        -------
        display : DecisionRegionsDisplay
            Not yet drawn.

        Raises
        ------
        TypeError
            If something else than a classifier is given.
        ValueError
            If there are no classifiers, or not two features, or ``y`` has another length.
        sklearn.exceptions.NotFittedError
            If a classifier is not fitted.
        """
        named = _named(estimators)
        points, labels = _points(X, y)
        names = [str(name) for name in X.columns] if hasattr(X, "columns") else None
        X = X if names else points
        for name, estimator in named.items():
            _check(name, estimator)
        classes = np.unique(np.concatenate([labels, *(own.classes_ for own in named.values())]))
        regions: dict[str, np.ndarray] = {}
        grid: Any = None
        for name, estimator in named.items():
            grid = _decisions(estimator, X, np.ptp(points, axis=0).max() * MARGIN, grid_resolution)
            # The display counts in classes of its own estimator.
            regions[name] = np.searchsorted(classes, estimator.classes_)[np.asarray(grid.response, dtype=int)]
        accuracies = {name: float(np.mean(own.predict(X) == labels)) for name, own in named.items()}
        return cls(regions, grid.xx0, grid.xx1, points, labels, accuracies, classes, feature_names=names)

    def plot(self, ax: Any = None, *, scatter_kw: dict | None = None, **style: Any) -> Self:
        """Draw regions, and the points on top, each class in a colour.

        Parameters
        ----------
        ax : matplotlib Axes or sequence of them, optional
            Axes to draw on, one for each panel; by default a new figure, as wide as a page of two columns.
        scatter_kw : dict, default=None
            Style of the points: keyword arguments of ``matplotlib.axes.Axes.scatter``.
        **style : keyword arguments of matplotlib.axes.Axes.pcolormesh
            Style of the regions, such as ``alpha``; it goes before our own.

        Returns
        -------
        self : DecisionRegionsDisplay
            This display, with ``figure_``, ``axes_``, ``regions_``, ``points_`` and ``legend_``.

        Raises
        ------
        ValueError
            If ``ax`` is not as many axes as there are panels.
        """
        import matplotlib.pyplot as plt

        with plt.rc_context({} if ax is not None else PAPER):
            n_panels = len(self.regions)
            self.axes_ = (
                given_axes(ax, n_panels, "classifier") if ax is not None else _new_axes(plt, n_panels)
            )
            self.figure_ = self.axes_[0].figure
            self.regions_: dict[str, Any] = {}
            self.points_: dict[str, Any] = {}
            colours = class_colours(len(self.classes))
            for panel, name in zip(self.axes_, self.regions, strict=True):
                self._draw(panel, name, colours, style, scatter_kw)
            self._name_axes(outer_only=ax is None)
            self._name_classes(colours)
        return self

    def _name_axes(self, outer_only):
        first, second = self.feature_names or ("first feature", "second feature")
        n_columns = min(N_COLUMNS, len(self.axes_))
        for i, ax in enumerate(self.axes_):
            if not outer_only or i + n_columns >= len(self.axes_):
                ax.set_xlabel(shortened(first, LINE_LENGTH), fontsize=7)
            if not outer_only or i % n_columns == 0:
                ax.set_ylabel(shortened(second, LINE_LENGTH), fontsize=7)

    def _name_classes(self, colours):
        """A legend of the classes below the panels; the colour bar of too many would tell no more."""
        from matplotlib.lines import Line2D

        self.legend_ = None
        if len(colours) <= MOST_NAMED:
            dot = {"marker": "o", "linestyle": "none", "markersize": 4}
            names = [shortened(name, LINE_LENGTH) for name in self.classes]
            handles = [
                Line2D([], [], color=c, label=name, **dot) for c, name in zip(colours, names, strict=True)
            ]
            place = {"loc": "outside lower left", "ncols": min(len(names), 3 * len(self.axes_), 10)}
            self.legend_ = self.figure_.legend(
                handles=handles, title="class", fontsize=7, title_fontsize=7, **place
            )

    def _draw(self, ax, name, colours, style, scatter_kw):
        from matplotlib.collections import PathCollection, QuadMesh
        from matplotlib.colors import ListedColormap

        scale = {"vmin": -0.5, "vmax": len(colours) - 0.5, "rasterized": True}
        pale = ListedColormap(1 - PALE * (1 - colours))
        artist_kw = styled({"cmap": pale, "shading": "nearest", "zorder": 0, **scale}, style, QuadMesh)
        self.regions_[name] = ax.pcolormesh(self.xx0, self.xx1, self.regions[name], **artist_kw)
        size = np.clip(3000 / len(self.X), 2, 14)
        artist_kw = {"s": size, "edgecolor": "white", "linewidth": 0.15, **scale}
        artist_kw |= {"c": np.searchsorted(self.classes, self.y), "cmap": ListedColormap(colours)}
        self.points_[name] = ax.scatter(*self.X.T, **styled(artist_kw, scatter_kw, PathCollection))
        title = f"{literal(name.replace('_', ' '))}, {100 * self.accuracies[name]:.1f} % right"
        ax.set_title("\n".join(wrap(title, LINE_LENGTH)), fontsize=7.5, pad=3)
        ax.set(box_aspect=1)
        ax.locator_params(nbins=4)
        ax.grid(visible=False)
        ax.tick_params(labelsize=6.5)


def class_colours(n_classes):
    """Red, green and blue (n_classes, 3): those that everyone can tell apart as long as they last, then any."""
    from matplotlib import colormaps
    from matplotlib.colors import to_rgb

    if n_classes <= len(HUES):
        return np.array([to_rgb(COLOURS[hue]) for hue in HUES[:n_classes]])
    return colormaps["turbo"](np.linspace(0.02, 0.98, n_classes))[:, :3]


def _decisions(estimator, X, margin, grid_resolution):
    """scikit-learn's display: ``xx0``, ``xx1`` and ``response`` of a grid around the points."""
    from matplotlib.figure import Figure
    from sklearn.inspection import DecisionBoundaryDisplay

    return DecisionBoundaryDisplay.from_estimator(
        estimator,
        X,
        response_method="predict",
        grid_resolution=grid_resolution,
        eps=margin,
        plot_method="pcolormesh",
        ax=Figure().subplots(),  # it draws at once; this one is never seen
    )


def _new_axes(plt, n_panels):
    n_columns = min(N_COLUMNS, n_panels)
    n_rows = -(-n_panels // n_columns)
    cell = min(7 / n_columns, 2.6)
    size = (cell * n_columns, 0.75 + (cell + 0.15) * n_rows)
    axes = plt.subplots(n_rows, n_columns, figsize=size, layout="constrained", squeeze=False)[1].ravel()
    for unused in axes[n_panels:]:
        unused.remove()
    return axes[:n_panels]


def _named(estimators):
    """{name: classifier}."""
    if hasattr(estimators, "items"):
        named = dict(estimators.items())
    else:
        estimators = list(estimators) if np.iterable(estimators) else [estimators]
        names = [_name_of(estimator) for estimator in estimators]
        named = {
            name if names.count(name) == 1 else f"{name} {names[:i].count(name) + 1}": estimators[i]
            for i, name in enumerate(names)
        }
    if not named:
        raise ValueError("estimators: give at least one fitted classifier.")
    return named


def _name_of(estimator):
    return getattr(getattr(estimator, "loss_", None), "name", type(estimator).__name__)


def _points(X, y):
    """(n_samples, 2) points and their labels (n_samples,)."""
    points, labels = np.asarray(X), column_or_1d(y)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points):
        raise ValueError(
            f"X must have two features, shape (n_samples, 2), to be drawn; got shape {points.shape}."
        )
    check_consistent_length(points, labels)
    return points, labels


def _check(name, estimator):
    expect_classifier(estimator)
    check_is_fitted(estimator, msg=f"{name} is not fitted: call fit first.".replace("%", "%%"))
    n_features = getattr(estimator, "n_features_in_", 2)
    if n_features != 2:
        raise ValueError(f"{name} was fitted on {n_features} features: only those of two can be drawn.")
