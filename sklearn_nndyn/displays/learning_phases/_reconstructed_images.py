"""What a layer still knows of its input, as pictures."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike

from sklearn_nndyn.displays._picture_grid import as_images, draw_picture
from sklearn_nndyn.displays._style import PAPER, given_axes
from sklearn_nndyn.dynamics import find_record, unwrap_estimator
from sklearn_nndyn.utils.text import figure

LEAST_SIDE = 3  # pixels of a picture that comes in a row: whoever calls this has pictures, but not of 2 x 2
N_EPOCHS = 5  # of those recorded, where none are asked for
CELL = 1.1  # inches, at most
WIDE = 7  # columns in which words fit in one line


class ReconstructedImagesDisplay:
    """Images, and what was given back of them from a layer at several epochs, side by side.

    Parameters
    ----------
    images : array of shape (n_images, ...)
        The originals: (n_images, height, width), with 1 or 3 channels before or after these, or square ones in rows of
        pixels.
    reconstructions : array of shape (n_epochs, n_images, ...)
        What was given back of them at each epoch.
    epochs : array of shape (n_epochs,)
        The epochs.
    errors : array of shape (n_epochs, n_images), optional
        Mean squared error of each, written below it.
    image_shape : tuple of int, optional
        Shape of one image, where they come in rows of pixels and are not square.

    Attributes
    ----------
    figure_ : matplotlib Figure
        The figure, after ``plot``.
    axes_ : array of shape (n_images, 1 + n_epochs) of matplotlib Axes
        A row for each image: the original, then each epoch.
    images_ : array of shape (n_images, 1 + n_epochs) of matplotlib AxesImage
        The pictures.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sklearn_nndyn.displays import ReconstructedImagesDisplay
    >>> images = np.array([[[0.0, 1.0], [1.0, 0.0]]] * 2)
    >>> display = ReconstructedImagesDisplay(images, [images / 2, images], epochs=[0, 0.5]).plot()
    >>> [ax.get_title() for ax in display.axes_[0]]
    ['original', 'epoch 0', 'epoch 0.5']
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        images: Sequence | np.ndarray,
        reconstructions: Sequence | np.ndarray,
        epochs: Sequence | np.ndarray,
        errors: Sequence | np.ndarray | None = None,
        *,
        image_shape: tuple[int, ...] | None = None,
    ) -> None:
        self.images = images
        self.reconstructions = reconstructions
        self.epochs = epochs
        self.errors = errors
        self.image_shape = image_shape

    @classmethod
    def from_estimator(
        cls,
        estimator: Any,
        X: ArrayLike,
        *,
        X_train: ArrayLike,
        epochs: Sequence | np.ndarray | None = None,
        layer: int | str = -1,
        image_shape: tuple[int, ...] | None = None,
    ) -> Self:
        """Let a fitted model give images back as of several epochs.

        Parameters
        ----------
        estimator : fitted estimator
            A DynamicsClassifier with snapshots, a Pipeline that ends in one, or a search over one. Of a Pipeline, what
            is shown is what its last step receives.
        X : array of shape (n_images, ...)
            The images.
        X_train : array of shape (n_samples, ...)
            Samples to fit the decoder on, which should not be those of ``X``.
        epochs : sequence of numbers, optional
            Recorded epochs; by default five of them at most, evenly spaced among those recorded.
        layer : int or str, default=-1
            Hidden layer: position in the order of the forward pass, or name.
        image_shape : tuple of int, optional
            Shape of one image, where they come in rows of pixels and are not square.

        Returns
        -------
        display : ReconstructedImagesDisplay
            Not yet drawn.

        Raises
        ------
        TypeError
            If ``estimator`` is no such model.
        ValueError
            If an epoch was not recorded, there is no such layer, or ``X`` is no pictures.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        model, X = unwrap_estimator(estimator, X, methods=["reconstruct"])
        _, X_train = unwrap_estimator(estimator, X_train)
        X = np.asarray(X)
        _as_pictures(X, image_shape)  # before the work
        epochs = _some(find_record(model, prefers="train")[0].epochs) if epochs is None else list(epochs)
        given_back = [model.reconstruct(X, X_train=X_train, layer=layer, epoch=epoch) for epoch in epochs]
        errors = [((own - X) ** 2).reshape(len(X), -1).mean(axis=1) for own in given_back]
        return cls(X, np.array(given_back), np.array(epochs), np.array(errors), image_shape=image_shape)

    def plot(self, ax: Any = None, **style: Any) -> Self:
        """Draw a row for each image: the original, and what was given back at each epoch.

        All share one scale of brightness, the range of the originals; what lies beyond it is drawn at its ends.

        Parameters
        ----------
        ax : array of n_images * (1 + n_epochs) matplotlib Axes, optional
            Axes to draw on, row by row; by default a new figure.
        **style : keyword arguments of matplotlib.axes.Axes.imshow
            Style of the pictures, such as ``cmap``; it goes before our own.

        Returns
        -------
        self : ReconstructedImagesDisplay
            This display, with ``figure_``, ``axes_`` and ``images_``.

        Raises
        ------
        ValueError
            If the images are no pictures, shapes do not fit together, or ``ax`` is not as many axes as are needed.
        """
        import matplotlib.pyplot as plt

        pictures = self._pictures()
        shape = pictures.shape[1], pictures.shape[0]
        limits = {"vmin": pictures[0].min(), "vmax": pictures[0].max()} if pictures.ndim == 4 else {}
        with plt.rc_context(PAPER if ax is None else {}):
            axes = _new_axes(plt, *shape) if ax is None else given_axes(ax, shape[0] * shape[1], "picture")
            self.axes_ = axes.reshape(shape)
            self.figure_ = axes.ravel()[0].figure
            self.images_ = np.array(
                [
                    [
                        draw_picture(ax, picture, "", "", limits | style)
                        for ax, picture in zip(row, own, strict=True)
                    ]
                    for row, own in zip(self.axes_, np.swapaxes(pictures, 0, 1), strict=True)
                ],
                dtype=object,
            )
            self._name()
        return self

    def _pictures(self):
        """The originals, then what was given back at each epoch: (1 + n_epochs, n_images, height, width[, 3])."""
        images, given_back = np.asarray(self.images), np.asarray(self.reconstructions)
        _check_shapes(images, given_back, self.epochs, self.errors)
        clipped = np.clip(given_back, images.min(), images.max())
        together = np.concatenate([images[None], clipped]).reshape(-1, *images.shape[1:])
        pictures = _as_pictures(together, self.image_shape)
        return pictures.reshape(-1, len(images), *pictures.shape[1:])

    def _name(self):
        between = " " if self.axes_.shape[1] <= WIDE else "\n"
        titles = ["original", *(f"epoch{between}{epoch:.3g}" for epoch in self.epochs)]
        for ax, title in zip(self.axes_[0], titles, strict=True):
            ax.set_title(title, fontsize=8 if between == " " else 7, loc="center")
        if self.errors is not None:
            for row, errors in zip(self.axes_, np.transpose(self.errors), strict=True):
                for ax, words in zip(row, [f"mean sq.{between}error", *map(figure, errors)], strict=True):
                    ax.set_xlabel(words, fontsize=7)


def _some(epochs):
    """Five of them at most, evenly spaced, the first and the last among them."""
    at = np.linspace(0, len(epochs) - 1, min(N_EPOCHS, len(epochs)))
    return epochs[np.round(at).astype(int)].tolist()


def _as_pictures(X, image_shape):
    """Pictures (n, height, width) or (n, height, width, 3), the latter in the range 0 to 1."""
    if image_shape is not None:
        wanted = tuple(image_shape)
        if np.prod(wanted) != np.prod(X.shape[1:]):
            raise ValueError(
                f"image_shape {wanted} has {np.prod(wanted)} values, but an image has {np.prod(X.shape[1:])}."
            )
        X = X.reshape(len(X), *wanted)
    if X.ndim == 4 and X.shape[1] not in (1, 3) and X.shape[-1] in (1, 3):
        X = np.moveaxis(X, -1, 1)
    return as_images(X, LEAST_SIDE)


def _check_shapes(images, given_back, epochs, errors):
    wanted = (len(epochs), *images.shape)
    if given_back.shape != wanted:
        raise ValueError(
            f"reconstructions must have shape {wanted}, an entry for each epoch and image; got {given_back.shape}."
        )
    if errors is not None and np.shape(errors) != wanted[:2]:
        raise ValueError(
            f"errors must have shape {wanted[:2]}, one for each epoch and image; got {np.shape(errors)}."
        )


def _new_axes(plt, n_rows, n_columns):
    cell, n_lines = min(CELL, 7 / n_columns), 1 if n_columns <= WIDE else 2
    figsize = cell * n_columns, 0.2 * n_lines + (cell + 0.14 * n_lines) * n_rows
    return plt.subplots(n_rows, n_columns, figsize=figsize, layout="constrained", squeeze=False)[1]
