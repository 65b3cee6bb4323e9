"""Which image sets there are, and how each is known to be whole."""

import hashlib
from dataclasses import dataclass

import numpy as np

ARRAYS = ("X_train", "y_train", "X_test", "y_test")


@dataclass(frozen=True)
class ImageSet:
    """A set, as it lies on disk.

    Parameters
    ----------
    file : str
        Name of the NumPy archive.
    sha256 : str
        Its :func:`digest`.
    openml : str, default=None
        Name of the same images on OpenML, version 1; None where they cannot be rebuilt from there.
    """

    file: str
    sha256: str
    openml: str | None = None


IMAGE_SETS = {
    "mnist": ImageSet(
        "mnist.npz", "a9dd7b11abd6b5795be93dd3bdb31d6e0bd991830fa27c203bdf7f2c340b2798", "mnist_784"
    ),
    "fashion_mnist": ImageSet(
        "fashion_mnist.npz",
        "c0cedbf7fe44b55c67be512a0551cab0ecbc01237da40e1485cae2cedaad88ac",
        "Fashion-MNIST",
    ),
    "cifar10": ImageSet(
        "cifar10_subset.npz", "95e294e087c4543a9dffec3ae8c252ece71c6961338c9e891f15c754891ba36c"
    ),
}


def digest(arrays):
    """sha256 over the four arrays: for each its name, dtype and shape in a line of text, then its bytes, row-major.

    Parameters
    ----------
    arrays : dict of arrays
        ``X_train``, ``y_train``, ``X_test``, ``y_test``; they are hashed in this order. The line is as
        ``"X_train |u1 (60000, 28, 28)\\n"``.

    Returns
    -------
    digest : str
        64 hexadecimal digits.
    """
    total = hashlib.sha256()
    for name in ARRAYS:
        values = np.ascontiguousarray(arrays[name])
        total.update(f"{name} {values.dtype.str} {values.shape}\n".encode())
        total.update(values)
    return total.hexdigest()
