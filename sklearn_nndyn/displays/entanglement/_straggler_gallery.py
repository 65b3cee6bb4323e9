"""The stragglers, as pictures."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sklearn_nndyn.analyzers import EntanglementAnalyzer
from sklearn_nndyn.displays._picture_grid import (
    as_images,
    check_pictures,
    draw_pictures,
    wrapped_names,
    wrapped_title,
)
from sklearn_nndyn.displays.entanglement._runs import check_analyzer, verdict_of
from sklearn_nndyn.dynamics import find_record
from sklearn_nndyn.utils.text import epoch_words, percent
from sklearn_nndyn.utils.validation import check_count


class StragglerGalleryDisplay:
    """A grid of the samples that are still misclassified at the inversion, with their names.

    Parameters
    ----------
    images : array of shape (n_pictures, height, width) or (n_pictures, height, width, 3)
        The pictures.
    true_names, predicted_names : array of shape (n_pictures,)
        Labels, as the user gave them; at the inversion.
    epochs_learned : array of shape (n_pictures,)
        Epoch from which each is correct for good; nan for one that is wrong at the end.
    indices : array of int of shape (n_pictures,)
        Which samples they are.
    title : str, default="Stragglers"
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
    >>> from sklearn_nndyn.displays import StragglerGalleryDisplay
    >>> from sklearn_nndyn.dynamics import Dynamics
    >>> record = Dynamics(
    ...     y=["cat", "dog", "dog"],
    ...     classes=["cat", "dog"],
    ...     epochs=[0, 1, 2],
    ...     prediction=[[1, 0, 0], [0, 0, 1], [1, 1, 1]],
    ...     centroids={"hidden": [[[0.1, 0], [0, 0.1]], [[0.8, 0], [0, 0.8]], [[0.5, 0], [0, 0.5]]]},
    ... )
    >>> images = [[[0, 1], [1, 0]]] * 3
    >>> display = StragglerGalleryDisplay.from_dynamics(record, images).plot()
    >>> display.indices, display.axes_[0].get_title(), display.axes_[0].get_xlabel()
    (array([1]), 'dog, read as cat', 'learned: epoch 2')
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        images: Sequence | np.ndarray,
        true_names: Sequence | np.ndarray,
        predicted_names: Sequence | np.ndarray,
        epochs_learned: Sequence | np.ndarray,
        indices: Sequence | np.ndarray,
        *,
        title: str = "Stragglers",
    ) -> None:
        self.images = images
        self.true_names = true_names
        self.predicted_names = predicted_names
        self.epochs_learned = epochs_learned
        self.indices = indices
        self.title = title

    @classmethod
    def from_analyzer(
        cls,
        analyzer: EntanglementAnalyzer,
        dynamics: Any,
        X: ArrayLike,
        *,
        n_pictures: int = 12,
        indices: ArrayLike | None = None,
    ) -> Self:
        """Pick stragglers that a fitted analyzer found.

        Parameters
        ----------
        analyzer : EntanglementAnalyzer
            Fitted on ``dynamics``.
        dynamics : Dynamics or fitted estimator
            What the analyzer was fitted on. Of a model the training record is read.
        X : array of shape (n_samples, ...)
            The samples as pictures: (n_samples, height, width), (n_samples, channels, height, width), or square
            ones in rows (n_samples, n_pixels); 1 or 3 channels.
        n_pictures : int, default=12
            How many, at most.
        indices : array of int, optional
            Which samples to show, in this order, such as the persistent stragglers of several runs. By default the
            stragglers, those with the lowest margin at the inversion first; in the order of the samples where the
            record has no margins.

        Returns
        -------
        display : StragglerGalleryDisplay
            Not yet drawn.

        Raises
        ------
        TypeError
            If ``dynamics`` can hold no record, or something else than an EntanglementAnalyzer is given.
        ValueError
            If there is no inversion or there are no stragglers, the record is not the one that was analysed, ``X``
            has other samples or is no pictures, or there is no such sample.
        sklearn.exceptions.NotFittedError
            If the analyzer or the model is not fitted.
        """
        n_samples = len(check_analyzer(analyzer).straggler_mask_)
        check_count("n_pictures", n_pictures)
        record, _ = find_record(dynamics, ["prediction"], "train")
        images = as_images(X)
        check_pictures(n_samples, record, images)
        _check_inversion(analyzer)
        table = dict(zip(analyzer.get_feature_names_out(), analyzer.transform(record).T, strict=True))
        _check_same(table["straggler"], analyzer)
        shown = _shown(indices, analyzer, table["margin_at_turn"])[:n_pictures]
        return cls(
            images[shown],
            record.y[shown],
            record.classes[np.asarray(record.prediction)[shown, analyzer.inversion_]],
            table["epoch_learned"][shown],
            shown,
            title=_title(analyzer, indices, table["margin_at_turn"]),
        )

    @classmethod
    def from_dynamics(
        cls,
        dynamics: Any,
        X: ArrayLike,
        *,
        n_pictures: int = 12,
        indices: ArrayLike | None = None,
        **params: Any,
    ) -> Self:
        """Analyse a record, and pick its stragglers.

        Parameters
        ----------
        dynamics : Dynamics or fitted estimator
            The record, or a fitted model, whose training record is read.
        X : array of shape (n_samples, ...)
            The samples of that record as pictures, see ``from_analyzer``.
        n_pictures : int, default=12
            As in ``from_analyzer``.
        indices : array of int, optional
            As in ``from_analyzer``.
        **params : parameters of EntanglementAnalyzer
            Such as ``layer`` or ``reference``.

        Returns
        -------
        display : StragglerGalleryDisplay
            Not yet drawn.

        Raises
        ------
        TypeError, ValueError, sklearn.exceptions.NotFittedError
            As ``EntanglementAnalyzer.fit`` and ``from_analyzer``.
        """
        analyzer = EntanglementAnalyzer(**params).fit(dynamics)
        return cls.from_analyzer(analyzer, dynamics, X, n_pictures=n_pictures, indices=indices)

    def plot(self, ax: Any = None, **style: Any) -> Self:
        """Draw the pictures in rows of six: above each its true and its predicted name, below it when it is learned.

        Parameters
        ----------
        ax : sequence of n_pictures matplotlib Axes, optional
            Axes to draw on; by default a new figure, as wide as a page of two columns.
        **style : keyword arguments of matplotlib.axes.Axes.imshow
            Style of the pictures, such as ``cmap``; it goes before our own.

        Returns
        -------
        self : StragglerGalleryDisplay
            This display, with ``figure_``, ``axes_`` and ``images_``.

        Raises
        ------
        ValueError
            If ``ax`` is not as many axes as there are pictures.
        """
        self.axes_, self.images_ = draw_pictures(
            ax,
            self.images,
            wrapped_names(self.true_names, self.predicted_names),
            [
                "learned: never" if np.isnan(epoch) else f"learned: epoch {epoch_words(epoch)}"
                for epoch in self.epochs_learned
            ],
            wrapped_title(self.title, len(self.images)),
            style,
        )
        self.figure_ = self.axes_[0].figure
        return self


def _check_inversion(analyzer):
    if analyzer.inversion_ is None:
        raise ValueError(
            "There is no inversion in this record, so there are no stragglers to show; summary() of the analyzer "
            "tells more."
        )


def _check_same(stragglers, analyzer):
    if not np.array_equal(stragglers, analyzer.straggler_mask_):
        raise ValueError(
            f"The record has {int(stragglers.sum())} samples misclassified at epoch "
            f"{epoch_words(analyzer.inversion_epoch_)}, but not the {len(analyzer.straggler_indices_)} stragglers of "
            "the analyzer: give the record that was analysed."
        )


def _shown(indices, analyzer, margins):
    """Positions of the samples to show, shape (n_shown,)."""
    if indices is None:
        stragglers = analyzer.straggler_indices_
        if not len(stragglers):
            raise ValueError(
                f"No sample is misclassified at the inversion, epoch {epoch_words(analyzer.inversion_epoch_)}: there "
                "are no stragglers to show."
            )
        return stragglers[np.argsort(margins[stragglers], kind="stable")]
    given, n_samples = np.asarray(indices), len(margins)
    if given.ndim != 1 or given.dtype.kind not in "iu" or not len(given):
        raise ValueError(
            f"indices must be positions of samples, whole numbers, at least one; got {indices!r}."
        )
    if given.min() < 0 or given.max() >= n_samples:
        raise ValueError(
            f"indices: there are {n_samples} samples, numbered from 0; got {given.min()} to {given.max()}."
        )
    return given


def _title(analyzer, indices, margins):
    error = percent(analyzer.inversion_error_)
    name = "the inversion" if verdict_of(analyzer) == "yes" else "an unclear turn"
    inversion = f"{name} (epoch {epoch_words(analyzer.inversion_epoch_)}, training error {error})"
    if indices is not None:
        return f"At {inversion}"
    order = "" if np.isnan(margins).all() else ", the lowest margins first"
    who = "Stragglers" if verdict_of(analyzer) == "yes" else "Misclassified"
    return f"{who} at {inversion}{order}"
