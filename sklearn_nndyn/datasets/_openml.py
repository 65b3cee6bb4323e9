"""Image sets from OpenML."""

import warnings
from importlib.util import find_spec

import numpy as np
from sklearn.datasets import fetch_openml

N_TRAIN = 60000
SIDE = 28

# Labels are read as numbers too: as categories, scikit-learn 1.9 cannot read them with pandas 3.1 and later
# (github.com/scikit-learn/scikit-learn/pull/34902).
NO_CATEGORIES = {"dtype": None}


def fetch_rows(openml_name):
    """Pixels (n_samples, 784) and labels of a set, version 1, through the cache of scikit-learn.

    Labels are numbers, or numbers written as text: it depends on the reader.
    """
    reader = "auto" if find_spec("pandas") else "liac-arff"  # slower, and comes with scikit-learn
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of retries, and of the set's standing: what comes is checked
        rows = fetch_openml(
            openml_name, version=1, as_frame=False, parser=reader, read_csv_kwargs=NO_CATEGORIES, n_retries=1
        )
    return rows.data, rows.target


def as_images(pixels, labels):
    """The arrays as they lie on disk, by name: the training images come first, each part in its official order."""
    with np.errstate(invalid="ignore"):  # what is no pixel becomes one here, and is found out by the checksum
        images = np.asarray(pixels).astype(np.uint8).reshape(-1, SIDE, SIDE)
    targets = np.asarray(labels).astype(np.uint8)
    return {
        "X_train": images[:N_TRAIN],
        "y_train": targets[:N_TRAIN],
        "X_test": images[N_TRAIN:],
        "y_test": targets[N_TRAIN:],
    }
