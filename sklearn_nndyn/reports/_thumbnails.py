"""Small pictures of samples, where the samples are pictures."""

import base64
import io
from math import isqrt

import numpy as np

SIDE = 32  # pixels at most
LEAST_SIDE = 8  # of a square that rows of pixels are taken for
COLOURS = 64


def pictures_of(X):
    """Pictures (n, height, width) or (n, height, width, 3) where ``X`` holds some, else None.

    They have channels first, last or none; or are squares in rows of at least 8 x 8 pixels, none negative.
    """
    is_array = isinstance(X, (list, tuple)) or hasattr(X, "__array__") or hasattr(X, "__array_interface__")
    if hasattr(X, "tocsr") or not is_array:
        return None
    X = np.asarray(X)
    if X.dtype.kind not in "buif":
        return None
    if X.ndim == 2:
        return _from_rows(X)
    if X.ndim == 4 and X.shape[1] in (1, 3):
        X = np.moveaxis(X, 1, -1)
    if X.ndim == 4 and X.shape[-1] == 1:
        X = X[..., 0]
    return X if X.ndim == 3 or (X.ndim == 4 and X.shape[-1] == 3) else None


def _from_rows(X):
    side = isqrt(X.shape[1])
    square = side >= LEAST_SIDE and side**2 == X.shape[1] and len(X) and X.min() >= 0
    return X.reshape(len(X), side, side) if square else None


def thumbnail(picture):
    """The picture as a data URI of a small PNG, stretched to the range of its pixels."""
    from PIL import Image

    pixels = np.asarray(picture, dtype=float)
    finite = pixels[np.isfinite(pixels)]
    low, high = (finite.min(), finite.max()) if finite.size else (0.0, 1.0)
    scaled = np.clip(np.nan_to_num((pixels - low) / ((high - low) or 1.0)), 0, 1)
    image = Image.fromarray((255 * scaled).round().astype(np.uint8))
    if max(image.size) > SIDE:
        image.thumbnail((SIDE, SIDE), Image.Resampling.BOX)
    if image.mode == "RGB":
        image = image.quantize(COLOURS)
    file = io.BytesIO()
    image.save(file, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
