"""Image sets, from disk or from OpenML."""

import os
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from sklearn_nndyn.datasets._image_sets import ARRAYS, IMAGE_SETS, digest
from sklearn_nndyn.datasets._openml import as_images, fetch_rows


def load_images(name: str, *, download_if_missing: bool = False) -> Bunch:
    """Load an image set from the folder that ``SKLEARN_NNDYN_DATA`` names, or from ``../shared/data``.

    Parameters
    ----------
    name : {"mnist", "fashion_mnist", "cifar10"}
        Which one. ``"cifar10"`` is a subset: 1,000 training and 200 test images a class.
    download_if_missing : bool, default=False
        Whether to fetch a set that is not in the folder from OpenML, by
        :func:`sklearn.datasets.fetch_openml`: some 20 MB, kept in scikit-learn's data folder. Nothing is asked of the
        network otherwise.

    Returns
    -------
    images : Bunch
        ``X_train``, ``X_test`` uint8 (n_samples, height, width) or (n_samples, channels, height, width), pixels
        0 to 255; ``y_train``, ``y_test`` uint8 (n_samples,), labels 0 to 9. The same bytes wherever they come from.

    Raises
    ------
    ValueError
        If the name is unknown, or if what was found is not the set: the sha256 of its arrays is compared with a known
        one.
    FileNotFoundError
        If the file is in none of the folders, and was not or could not be fetched; the folders are named, and what
        kept the set from being fetched is the cause.

    Notes
    -----
    The CIFAR-10 subset cannot be fetched: which images were drawn for it was not kept.

    What is hashed is, for ``X_train``, ``y_train``, ``X_test`` and ``y_test`` in this order, a line of text with
    name, dtype and shape, then the bytes of the array, row-major.

    Examples
    --------
    >>> from sklearn_nndyn.datasets import load_images
    >>> load_images("letters")
    Traceback (most recent call last):
    ...
    ValueError: Unknown images 'letters'; known are mnist, fashion_mnist, cifar10.
    """
    if name not in IMAGE_SETS:
        raise ValueError(f"Unknown images {name!r}; known are {', '.join(IMAGE_SETS)}.")
    for folder in _folders():
        path = folder / IMAGE_SETS[name].file
        if path.is_file():
            return _checked(_read(path, name), name, path)
    return _fetch(name, download_if_missing)


def _folders():
    named = os.environ.get("SKLEARN_NNDYN_DATA")
    if named:
        return [Path(named)]
    project = Path(__file__).resolve().parents[2]
    return [project.parent / "shared" / "data"]


def _read(path, name):
    with path.open("rb") as file:  # np.load by name would leave a damaged one open
        try:
            with np.load(file, allow_pickle=False) as archive:
                return {key: archive[key] for key in ARRAYS}
        except Exception as error:  # the zip, its compression, the headers: each has errors of its own
            raise ValueError(
                f"{path} cannot be read as the images {name!r}: {type(error).__name__}: {error}"
            ) from error


def _fetch(name, wanted):
    known = IMAGE_SETS[name]
    sought = f"{known.file} was looked for in {', '.join(map(str, _folders()))}"
    remedy = "Set SKLEARN_NNDYN_DATA to the folder that holds it"
    if known.openml is None:
        reason = "it is a random subset, and which images were drawn for it was not kept"
        raise FileNotFoundError(f"{sought}. It cannot be rebuilt from OpenML: {reason}. {remedy}.")
    if not wanted:
        call = f"load_images({name!r}, download_if_missing=True)"
        raise FileNotFoundError(f"{sought}. {remedy}, or fetch it from OpenML: {call}.")
    source = f"OpenML's {known.openml!r}, version 1,"
    try:
        rows = fetch_rows(known.openml)
    except Exception as error:  # the network, the answer, the cache, the reader: each has errors of its own
        raise FileNotFoundError(
            f"{sought}, and {source} could not be fetched. {remedy}. {type(error).__name__}: {error}"
        ) from error
    try:
        arrays = as_images(*rows)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{source} cannot be read as the images {name!r}: {error}") from error
    return _checked(arrays, name, source)


def _checked(arrays, name, source):
    found, expected = digest(arrays), IMAGE_SETS[name].sha256
    if found != expected:
        raise ValueError(
            f"{source} does not hold the images {name!r}: the sha256 of its arrays is {found}, not {expected}."
        )
    return Bunch(**arrays)
