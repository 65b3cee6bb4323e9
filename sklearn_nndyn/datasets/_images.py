"""Image sets that lie on disk."""

import os
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

FILES = {"mnist": "mnist.npz", "fashion_mnist": "fashion_mnist.npz", "cifar10": "cifar10_subset.npz"}


def load_images(name):
    """Load an image set from the folder that ``SKLEARN_NNDYN_DATA`` names, or from ``../shared/data``.

    Parameters
    ----------
    name : {"mnist", "fashion_mnist", "cifar10"}
        Which one.

    Returns
    -------
    images : Bunch
        ``X_train``, ``X_test`` uint8 (n_samples, height, width) or (n_samples, channels, height, width), pixels
        0 to 255; ``y_train``, ``y_test`` (n_samples,).

    Raises
    ------
    ValueError
        If the name is unknown.
    FileNotFoundError
        If the file is in none of the folders; they are named.

    Examples
    --------
    >>> from sklearn_nndyn.datasets import load_images
    >>> load_images("letters")
    Traceback (most recent call last):
    ...
    ValueError: Unknown images 'letters'; known are mnist, fashion_mnist, cifar10.
    """
    if name not in FILES:
        raise ValueError(f"Unknown images {name!r}; known are {', '.join(FILES)}.")
    for folder in _folders():
        path = folder / FILES[name]
        if path.is_file():
            with np.load(path, allow_pickle=False) as arrays:
                return Bunch(**{key: arrays[key] for key in ("X_train", "y_train", "X_test", "y_test")})
    places = ", ".join(str(folder) for folder in _folders())
    raise FileNotFoundError(
        f"{FILES[name]} was looked for in {places}. Set SKLEARN_NNDYN_DATA to the folder that holds it."
    )


def _folders():
    named = os.environ.get("SKLEARN_NNDYN_DATA")
    if named:
        return [Path(named)]
    project = Path(__file__).resolve().parents[2]
    return [project.parent / "shared" / "data"]
