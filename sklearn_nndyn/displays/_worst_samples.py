"""The worst samples, as pictures."""

from math import isqrt

import numpy as np

from sklearn_nndyn.analyzers import LossTailAnalyzer
from sklearn_nndyn.analyzers._base import find_record
from sklearn_nndyn.displays._style import PAPER

N_COLUMNS = 6


class WorstSamplesDisplay:
    """A grid of the samples with the greatest loss at the end, or the greatest rise, with their names.

    Parameters
    ----------
    images : array of shape (n_pictures, height, width) or (n_pictures, height, width, 3)
        The pictures, worst first.
    true_names, predicted_names : array of shape (n_pictures,)
        Labels, as the user gave them; at the end.
    before, after : array of shape (n_pictures,)
        Loss at the turn and at the end.
    indices : array of int of shape (n_pictures,)
        Which samples they are.
    title : str, default="The worst samples"
        Above the grid.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    axes_ : array of n_pictures matplotlib Axes
        One for each picture.
    images_ : list of matplotlib AxesImage
        The pictures.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn_nndyn.displays import WorstSamplesDisplay
    >>> from sklearn_nndyn.dynamics import Dynamics
    >>> record = Dynamics(
    ...     y=["cat", "dog", "dog"],
    ...     classes=["cat", "dog"],
    ...     epochs=[0, 1, 2],
    ...     loss=[[0.7, 0.3, 0.1], [0.7, 0.5, 2.5], [0.7, 0.3, 0.1]],
    ...     prediction=[[0, 0, 0], [0, 0, 0], [1, 1, 1]],
    ... )
    >>> images = [[[0, 1], [1, 0]]] * 3
    >>> display = WorstSamplesDisplay.from_dynamics(record, images, n_pictures=1).plot()
    >>> display.indices, display.axes_[0].get_title()
    (array([1]), 'dog, read as cat')
    >>> plt.close(display.figure_)
    """

    def __init__(
        self, images, true_names, predicted_names, before, after, indices, *, title="The worst samples"
    ):
        self.images = images
        self.true_names = true_names
        self.predicted_names = predicted_names
        self.before = before
        self.after = after
        self.indices = indices
        self.title = title

    @classmethod
    def from_analyzer(cls, tails, dynamics, X, *, by="loss", n_pictures=12):
        """Pick the worst samples that a fitted analyzer found.

        Parameters
        ----------
        tails : LossTailAnalyzer
            Fitted on ``dynamics``.
        dynamics : Dynamics or fitted estimator
            What the analyzer was fitted on.
        X : array of shape (n_samples, ...)
            The samples as pictures: (n_samples, height, width), (n_samples, channels, height, width), or square
            ones in rows (n_samples, n_pixels); 1 or 3 channels.
        by : {"loss", "rise"}, default="loss"
            Greatest loss at the end, or greatest rise since the turn.
        n_pictures : int, default=12
            How many, at most.

        Returns
        -------
        display : WorstSamplesDisplay
            Not yet drawn.

        Raises
        ------
        TypeError
            If ``dynamics`` can hold no record.
        ValueError
            If the record has no predictions or is not the one that was analysed, ``X`` has other samples or is
            no pictures, or ``by`` is unknown.
        """
        record, _ = find_record(dynamics, ["loss", "prediction"])
        images = as_images(X)
        _check_lengths(tails, record, images)
        worst = _worst_first(tails, record, by)[:n_pictures]
        return cls(
            images[worst],
            record.y[worst],
            record.classes[record.prediction[worst, -1]],
            record.loss[worst, tails.turn_[worst]],
            record.loss[worst, -1],
            worst,
            title="Greatest loss at the end" if by == "loss" else "Greatest rise of the loss",
        )

    @classmethod
    def from_dynamics(cls, dynamics, X, *, onset="auto", by="loss", n_pictures=12):
        """Analyse a record, and pick its worst samples.

        Parameters
        ----------
        dynamics : Dynamics or fitted estimator
            Of a model the validation record is read where there is one, else the training record.
        X : array of shape (n_samples, ...)
            The samples of that record as pictures, see ``from_analyzer``.
        onset : "auto" or int, default="auto"
            The turn: the epoch of least mean loss, or a recorded epoch.
        by : {"loss", "rise"}, default="loss"
            Greatest loss at the end, or greatest rise since the turn.
        n_pictures : int, default=12
            How many, at most.

        Returns
        -------
        display : WorstSamplesDisplay
            Not yet drawn.

        Raises
        ------
        TypeError, ValueError
            As ``LossTailAnalyzer.fit`` and ``from_analyzer``.
        """
        tails = LossTailAnalyzer(onset=onset).fit(dynamics)
        return cls.from_analyzer(tails, dynamics, X, by=by, n_pictures=n_pictures)

    def plot(self, ax=None):
        """Draw the pictures in rows of six: above each its true and its predicted name, below it its loss.

        Parameters
        ----------
        ax : sequence of n_pictures matplotlib Axes, optional
            Where to draw; by default a new figure, as wide as a page of two columns.

        Returns
        -------
        self : WorstSamplesDisplay
            With ``figure_``, ``axes_`` and ``images_``.

        Raises
        ------
        ValueError
            If ``ax`` is not as many axes as there are pictures.
        """
        import matplotlib.pyplot as plt

        given = ax is not None
        with plt.rc_context({} if given else PAPER):
            self.axes_ = _given(ax, len(self.images)) if given else self._new_axes(plt)
            self.figure_ = self.axes_[0].figure
            self.images_ = [self._draw(*numbered) for numbered in enumerate(self.axes_)]
        return self

    def _new_axes(self, plt):
        n_columns = min(N_COLUMNS, len(self.images))
        n_rows = -(-len(self.images) // n_columns)
        figure, axes = plt.subplots(
            n_rows,
            n_columns,
            figsize=(7 * n_columns / N_COLUMNS, 0.3 + 1.5 * n_rows),
            layout="constrained",
            squeeze=False,
        )
        figure.suptitle(self.title, x=0.01, ha="left", fontsize=9)
        for unused in axes.ravel()[len(self.images) :]:
            unused.remove()
        return axes.ravel()[: len(self.images)]

    def _draw(self, position, ax):
        picture = ax.imshow(self.images[position], cmap="gray_r", interpolation="nearest")
        ax.set_title(
            f"{self.true_names[position]}, read as {self.predicted_names[position]}", fontsize=8, loc="center"
        )
        ax.set_xlabel(f"loss {self.before[position]:.2g} → {self.after[position]:.2g}", fontsize=7)
        ax.set(xticks=[], yticks=[])
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
        return picture


def as_images(X):
    """Pictures (n, height, width) or (n, height, width, 3), of rows of pixels or of arrays with channels."""
    X = np.asarray(X)
    if X.ndim == 2:
        X = _from_rows(X)
    if X.ndim == 4 and X.shape[1] in (1, 3):
        X = np.moveaxis(X, 1, -1)
        X = X[..., 0] if X.shape[-1] == 1 else _colours(X)
    if X.ndim != 3 and not (X.ndim == 4 and X.shape[-1] == 3):
        raise ValueError(
            "X must be pictures: (n_samples, height, width), (n_samples, 1 or 3 channels, height, width), or square "
            f"ones in rows of pixels; got shape {X.shape}."
        )
    return X


def _from_rows(X):
    for channels in (1, 3):
        side = isqrt(X.shape[1] // channels)
        if channels * side**2 == X.shape[1]:
            return X.reshape(len(X), channels, side, side)
    return X


def _colours(X):
    """To the range of colours, 0 to 1, whatever the range of the pixels."""
    low, high = X.min(), X.max()
    return (X - low) / (high - low) if high > low else np.zeros(X.shape)


def _check_lengths(tails, record, images):
    if len(tails.rise_) != len(record):
        raise ValueError(
            f"The analyzer was fitted on {len(tails.rise_)} samples, but the record has {len(record)}: give the record "
            "that was analysed."
        )
    if len(images) != len(record):
        raise ValueError(f"X has {len(images)} samples, but the record has {len(record)}.")


def _worst_first(tails, record, by):
    if by not in ("loss", "rise"):
        raise ValueError(f"by must be 'loss' or 'rise', got {by!r}.")
    return np.argsort(-(record.loss[:, -1] if by == "loss" else tails.rise_), kind="stable")


def _given(ax, n_axes):
    axes = np.ravel(np.asarray(ax, dtype=object))
    if len(axes) != n_axes:
        raise ValueError(
            f"ax must be a sequence of {n_axes} matplotlib axes, one for each picture, got {len(axes)}."
        )
    return axes
