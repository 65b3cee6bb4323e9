"""The worst samples, as pictures."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sklearn_nndyn.analyzers import LossTailAnalyzer
from sklearn_nndyn.displays._doors import expect_fitted
from sklearn_nndyn.displays._picture_grid import (
    as_images,
    check_pictures,
    draw_pictures,
    wrapped_names,
    wrapped_title,
)
from sklearn_nndyn.dynamics import find_record
from sklearn_nndyn.utils.validation import check_choice, check_count


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
        self,
        images: Sequence | np.ndarray,
        true_names: Sequence | np.ndarray,
        predicted_names: Sequence | np.ndarray,
        before: Sequence | np.ndarray,
        after: Sequence | np.ndarray,
        indices: Sequence | np.ndarray,
        *,
        title: str = "The worst samples",
    ) -> None:
        self.images = images
        self.true_names = true_names
        self.predicted_names = predicted_names
        self.before = before
        self.after = after
        self.indices = indices
        self.title = title

    @classmethod
    def from_analyzer(
        cls, tails: LossTailAnalyzer, dynamics: Any, X: ArrayLike, *, by: str = "loss", n_pictures: int = 12
    ) -> Self:
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
            If ``dynamics`` can hold no record, or something else than a LossTailAnalyzer is given.
        ValueError
            If the record has no predictions or is not the one that was analysed, ``X`` has other samples or is
            no pictures, or ``by`` is unknown.
        sklearn.exceptions.NotFittedError
            If the analyzer or the model is not fitted.
        """
        n_samples = len(expect_fitted(tails, LossTailAnalyzer).rise_)
        check_choice("by", by, ("loss", "rise"))
        check_count("n_pictures", n_pictures)
        record, _ = find_record(dynamics, ["loss", "prediction"])
        images = as_images(X)
        check_pictures(n_samples, record, images)
        worst = _worst_first(tails, record, by)[:n_pictures]
        loss, prediction = np.asarray(record.loss), np.asarray(record.prediction)
        return cls(
            images[worst],
            record.y[worst],
            record.classes[prediction[worst, -1]],
            loss[worst, tails.turn_[worst]],
            loss[worst, -1],
            worst,
            title=_title(by, tails, worst),
        )

    @classmethod
    def from_dynamics(
        cls,
        dynamics: Any,
        X: ArrayLike,
        *,
        onset: float | str = "auto",
        by: str = "loss",
        n_pictures: int = 12,
    ) -> Self:
        """Analyse a record, and pick its worst samples.

        Parameters
        ----------
        dynamics : Dynamics or fitted estimator
            The record, or a fitted model, whose validation record is read if it has one, else its training record.
        X : array of shape (n_samples, ...)
            The samples of that record as pictures, see ``from_analyzer``.
        onset : "auto", int or float, default="auto"
            The turn: the epoch of least mean loss, or a recorded epoch.
        by : {"loss", "rise"}, default="loss"
            As in ``from_analyzer``.
        n_pictures : int, default=12
            As in ``from_analyzer``.

        Returns
        -------
        display : WorstSamplesDisplay
            Not yet drawn.

        Raises
        ------
        TypeError, ValueError
            As ``LossTailAnalyzer.fit`` and ``from_analyzer``.
        """
        record, _ = find_record(dynamics, ["loss", "prediction"])
        tails = LossTailAnalyzer(onset=onset).fit(record)
        return cls.from_analyzer(tails, record, X, by=by, n_pictures=n_pictures)

    def plot(self, ax: Any = None, **style: Any) -> Self:
        """Draw the pictures in rows of six: above each its true and its predicted name, below it its loss.

        Parameters
        ----------
        ax : sequence of n_pictures matplotlib Axes, optional
            Axes to draw on; by default a new figure, as wide as a page of two columns.
        **style : keyword arguments of matplotlib.axes.Axes.imshow
            Style of the pictures, such as ``cmap``; it goes before our own.

        Returns
        -------
        self : WorstSamplesDisplay
            This display, with ``figure_``, ``axes_`` and ``images_``.

        Raises
        ------
        ValueError
            If ``ax`` is not as many axes as there are pictures.
        """
        losses = [_losses(*each) for each in zip(self.before, self.after, strict=True)]
        self.axes_, self.images_ = draw_pictures(
            ax,
            self.images,
            wrapped_names(self.true_names, self.predicted_names),
            losses,
            wrapped_title(self.title, len(self.images)),
            style,
        )
        self.figure_ = self.axes_[0].figure
        return self


def _worst_first(tails, record, by):
    return np.argsort(-(record.loss[:, -1] if by == "loss" else tails.rise_), kind="stable")


def _title(by, tails, worst):
    title = "Greatest loss at the end" if by == "loss" else "Greatest rise of the loss"
    risen = (tails.turn_[worst] != len(tails.epochs_) - 1).any()
    return f"{title} (loss at the {tails.onset_name_} → at the end)" if risen else title


def _losses(before, after):
    """Before and after in words; one of them where they are the same."""
    words = dict.fromkeys(map(_in_two_digits, (before, after)))
    return f"loss {' → '.join(words)}"


def _in_two_digits(loss):
    return "<0.001" if 0 <= loss < 0.0005 else f"{loss:.2g}"
