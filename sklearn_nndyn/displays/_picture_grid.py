"""Samples as pictures in a grid, with words above and below each."""

from math import isqrt
from textwrap import wrap

import numpy as np

from sklearn_nndyn.displays._style import PAPER, given_axes, shortened, styled

N_COLUMNS = 6
TITLE_LETTERS = 18  # that fit over one column
NAME_LETTERS = 19
LEAST_SIDE = 8  # pixels of a picture that comes in a row: fewer are features
ALIKE, MANY = 0.9, 20  # how much less neighbours differ; samples from which that shows


def draw_pictures(ax, images, above, below, title, style):
    """Draw pictures (n_pictures, height, width) or (n_pictures, height, width, 3) in rows of six, or on given axes.

    A new figure is as wide as a page of two columns. ``above`` and ``below`` are the texts of each picture, ``style``
    keyword arguments of ``Axes.imshow``. Returns the axes and the images.
    """
    import matplotlib.pyplot as plt

    given = ax is not None
    with plt.rc_context({} if given else PAPER):
        axes = given_axes(ax, len(images), "picture") if given else _new_axes(plt, len(images), above, title)
        drawn = [draw_picture(*each, style) for each in zip(axes, images, above, below, strict=True)]
    return axes, drawn


def _new_axes(plt, n_pictures, above, title):
    n_columns = min(N_COLUMNS, n_pictures)
    n_rows = -(-n_pictures // n_columns)
    row = 1.5 + 0.15 * max(words.count("\n") for words in above)
    figure, axes = plt.subplots(
        n_rows,
        n_columns,
        figsize=(7 * n_columns / N_COLUMNS, 0.3 + 0.15 * title.count("\n") + row * n_rows),
        layout="constrained",
        squeeze=False,
    )
    figure.suptitle(title, x=0.01, ha="left", fontsize=9)
    for unused in axes.ravel()[n_pictures:]:
        unused.remove()
    return axes.ravel()[:n_pictures]


def draw_picture(ax, image, above, below, style):
    """One picture without axes, with words above and below it."""
    from matplotlib.image import AxesImage

    artist_kw = {"cmap": "gray_r", "interpolation": "nearest"}
    picture = ax.imshow(image, **styled(artist_kw, style, AxesImage))
    ax.set_title(above, fontsize=8, loc="center")
    ax.set_xlabel(below, fontsize=7)
    ax.set(xticks=[], yticks=[])
    ax.grid(visible=False)
    ax.spines[:].set_visible(False)
    return picture


def wrapped_title(title, n_pictures):
    """The title of a grid, in as many lines as it needs."""
    return "\n".join(wrap(title, TITLE_LETTERS * min(N_COLUMNS, n_pictures)))


def wrapped_names(true_names, predicted_names):
    """What each picture is, and as what it was read; in two lines for all where one is too long."""
    names = [
        (shortened(true, NAME_LETTERS - 1), shortened(predicted, NAME_LETTERS - len("read as ")))
        for true, predicted in zip(true_names, predicted_names, strict=True)
    ]
    one_line = [f"{true}, read as {predicted}" for true, predicted in names]
    if max(map(len, one_line)) <= NAME_LETTERS:
        return one_line
    return [f"{true},\nread as {predicted}" for true, predicted in names]


def check_pictures(n_analysed, record, images):
    """The record that was analysed, and a picture for each of its samples."""
    if n_analysed != len(record):
        raise ValueError(
            f"The analyzer was fitted on {n_analysed} samples, but the record has {len(record)}: give the record "
            "that was analysed."
        )
    if len(images) != len(record):
        raise ValueError(f"X has {len(images)} samples, but the record has {len(record)}.")


def as_images(X, least_side=LEAST_SIDE):
    """Pictures (n, height, width) or (n, height, width, 3), of rows of pixels or of arrays with channels.

    Rows are pixels of squares of at least ``least_side``, and those of many samples where neighbours are alike.
    """
    X = np.asarray(X)
    if X.ndim == 2:
        X = _from_rows(X, least_side)
    if X.ndim == 4 and X.shape[1] in (1, 3):
        X = np.moveaxis(X, 1, -1)
        X = X[..., 0] if X.shape[-1] == 1 else _colours(X)
    if X.ndim != 3 and not (X.ndim == 4 and X.shape[-1] == 3):
        raise ValueError(
            "X must be pictures: (n_samples, height, width), (n_samples, 1 or 3 channels, height, width), or square "
            f"ones in rows of pixels; got shape {X.shape}.{_no_square(X)}"
        )
    return X


def _no_square(X):
    """Why rows that would fill a square were not taken for pictures."""
    side = isqrt(X.shape[-1])
    if X.ndim != 2 or side**2 != X.shape[1]:
        return ""
    return (
        f" These {X.shape[1]} features look like no pixels: values beside each other are not alike, or they are few. "
        f"If they are pictures all the same, give X.reshape(-1, {side}, {side})."
    )


def _from_rows(X, least_side):
    """Square pictures of rows of pixels; whatever is no picture stays as it is."""
    for channels in (1, 3):
        side = isqrt(X.shape[1] // channels)
        pictures = X.reshape(len(X), channels, side, side) if channels * side**2 == X.shape[1] else None
        if pictures is not None and side >= least_side and _neighbours_are_alike(pictures):
            return pictures
    return X


def _neighbours_are_alike(pictures):
    """Whether pixels beside each other differ less than those of other places: what else would make a picture?"""
    values = pictures.astype(np.float64)
    values = (values - values.mean(axis=0)) / np.where(values.std(axis=0) > 0, values.std(axis=0), 1)
    beside = np.abs(np.diff(values, axis=-1)).mean()
    shuffled = np.random.default_rng(0).permuted(values.reshape(len(values), -1), axis=1)
    return len(values) < MANY or beside <= ALIKE * np.abs(np.diff(shuffled, axis=-1)).mean()


def _colours(X):
    """To the range of colours, 0 to 1, whatever the range of the pixels."""
    low, high = X.min(), X.max()
    return (X - low) / (high - low) if high > low else np.zeros(X.shape)
