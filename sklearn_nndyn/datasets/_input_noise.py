"""Noise in the inputs."""

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils import check_random_state, gen_batches

from sklearn_nndyn.utils.validation import check_choice, check_not_negative, check_share

BLOCK = 1024  # samples at a time: the random numbers take eight times the space of uint8 pixels


def corrupt_inputs(
    X: ArrayLike,
    scale: float,
    *,
    kind: str = "gaussian",
    random_state: int | np.random.RandomState | None = None,
) -> np.ndarray:
    """Add noise to samples, or hide a part of each.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_features), (n_samples, height, width) or (n_samples, channels, height, width)
        Rows or images, floats or integers, finite. It is not written into.
    scale : float
        How much: the standard deviation of Gaussian noise, in the units of ``X``; of the other kinds the share of the
        values that is replaced, 0 to 1.
    kind : {"gaussian", "salt_and_pepper", "occlusion"}, default="gaussian"
        ``"gaussian"``: every value gets noise of its own. The dtype stays: floats are not clipped, integers are
        rounded to the nearest and clipped to what the dtype holds (0 to 255 for uint8). ``"salt_and_pepper"``: each
        value is replaced with probability ``scale``, by the least or by the greatest value in ``X``, as often the one
        as the other. ``"occlusion"``: one patch of each sample, anywhere in it, is replaced by a mean. In a row it is
        a run of round(scale * n_features) features, and each gets its mean over the samples; in an image it is
        a rectangle of round(sqrt(scale) * height) times round(sqrt(scale) * width) pixels, a square where the image is
        one, in all channels, and each channel gets its mean over all pixels of ``X``. Integer means are rounded.
    random_state : int, RandomState instance or None, default=None
        Fixes the noise.

    Returns
    -------
    X_noisy : ndarray of the shape and dtype of X
        The samples with noise.

    Raises
    ------
    TypeError
        If ``scale`` is no number.
    ValueError
        If ``scale`` is out of its range, if ``kind`` is unknown, or if ``X`` has another shape, no values, or values
        that are not finite numbers.

    See Also
    --------
    corrupt_labels : Noise in the labels.

    Notes
    -----
    Least, greatest and mean are those of the ``X`` that is given: corrupt a set as a whole, not sample by sample.

    References
    ----------
    Input noise as a test of losses: Janocha and Czarnecki (2017), arXiv 1702.05659; the kinds and levels are our own.
    Occlusion by a square: DeVries and Taylor (2017), arXiv 1708.04552.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_nndyn.datasets import corrupt_inputs
    >>> images = np.tile(np.array([0, 10], dtype=np.uint8), (5, 4, 2))
    >>> noisy = corrupt_inputs(images, 0.25, kind="occlusion", random_state=0)
    >>> noisy.dtype, (noisy == 5).sum(axis=(1, 2))
    (dtype('uint8'), array([4, 4, 4, 4, 4]))
    """
    check_choice("kind", kind, KINDS)
    (check_not_negative if kind == "gaussian" else check_share)("scale", scale)
    samples = _samples(X)
    rng = check_random_state(random_state)
    corrupt = KINDS[kind](samples, scale)
    noisy = np.empty(samples.shape, samples.dtype)
    for rows in gen_batches(len(samples), BLOCK):
        noisy[rows] = corrupt(samples[rows], rng)
    return noisy


# Each takes what it needs of the whole X, and gives a function of a block of samples.
def _gaussian(X, deviation):
    def corrupt(block, rng):
        noisy = block + deviation * rng.standard_normal(block.shape)
        if X.dtype.kind == "f":
            return noisy.astype(X.dtype)
        limits = np.iinfo(X.dtype)
        # The greatest float below max + 1: of 64 bits max itself is not a float; the cast cuts the rest off.
        return np.clip(np.rint(noisy), limits.min, np.nextafter(float(limits.max) + 1, 0)).astype(X.dtype)

    return corrupt


def _salt_and_pepper(X, share):
    low, high = X.min(), X.max()

    def corrupt(block, rng):
        drawn = rng.random_sample(block.shape)
        return np.where(drawn < share / 2, low, np.where(drawn >= 1 - share / 2, high, block))

    return corrupt


def _occlusion(X, share):
    of_images = X.ndim > 2
    sides = X.shape[-2:] if of_images else (1, X.shape[1])
    patch = [round(side * share**0.5) for side in sides] if of_images else [1, round(sides[1] * share)]
    places = [side - covered + 1 for side, covered in zip(sides, patch, strict=True)]
    mean = X.mean(axis=(0, -2, -1) if of_images else 0, keepdims=True, dtype=np.float64)
    mean = (np.rint(mean) if X.dtype.kind in "iu" else mean).astype(X.dtype)

    def corrupt(block, rng):
        corner = divmod(rng.randint(places[0] * places[1], size=len(block)), places[1])
        high, wide = (
            (np.arange(side) >= first[:, None]) & (np.arange(side) < first[:, None] + covered)
            for side, first, covered in zip(sides, corner, patch, strict=True)
        )
        hidden = high[:, :, None] & wide[:, None, :]
        hidden = {2: hidden[:, 0], 3: hidden, 4: hidden[:, None]}[X.ndim]
        return np.where(hidden, mean, block)

    return corrupt


KINDS = {"gaussian": _gaussian, "salt_and_pepper": _salt_and_pepper, "occlusion": _occlusion}


def _samples(X):
    """X as an array of rows or images."""
    X = np.asarray(X, order="C")
    if X.dtype.kind not in "fiu":
        raise ValueError(f"X must hold floats or integers, got dtype {X.dtype}.")
    if X.ndim not in (2, 3, 4):
        raise ValueError(
            "X must have shape (n_samples, n_features), (n_samples, height, width) or "
            f"(n_samples, channels, height, width), got {X.shape}."
        )
    if X.size == 0:
        raise ValueError(f"X has shape {X.shape}: there is nothing in it.")
    if not np.isfinite(X).all():
        raise ValueError("X must be finite: it holds nan or infinity.")
    return X
