"""Labels, classes and sample ids in a file: text as JSON, labels as positions in the classes."""

import re

import numpy as np

from sklearn_nndyn.dynamics._fields import plain
from sklearn_nndyn.dynamics._validation import LABEL_KINDS

MOST_LABEL_BYTES = 64  # of memory for each byte of the file: labels come out of it longer than they lie in it


def pack_labels(y, y_encoded, classes, sample_ids):
    """The description of labels and ids, and the arrays {str: array} that hold them."""
    described = {"classes": plain(classes), "label_types": {"y": y.dtype.str, "classes": classes.dtype.str}}
    arrays = {"y": y_encoded.astype(np.min_scalar_type(-len(classes)))}
    if sample_ids is not None and sample_ids.dtype.kind in "UO":
        described |= {"sample_ids": plain(sample_ids)}
        described["label_types"] |= {"sample_ids": sample_ids.dtype.str}
    elif sample_ids is not None:
        arrays |= {"sample_ids": sample_ids}
    return described, arrays


def unpack_labels(described, arrays):
    """``y``, ``classes`` and ``sample_ids``, where there are ids, by name."""
    types = {name: _label_type(text) for name, text in described["label_types"].items()}
    y_encoded = arrays["y"]
    if y_encoded.dtype.kind != "i" or (y_encoded.size and y_encoded.min() < 0):
        raise ValueError("its labels are not positions in the classes.")
    with np.errstate(all="raise"):  # a number that its type cannot hold
        classes = np.array(described["classes"], dtype=types["classes"])
        labels = {"y": _labels_at(y_encoded, classes, types["y"]), "classes": classes}
        if "sample_ids" in types:
            return {**labels, "sample_ids": np.array(described["sample_ids"], dtype=types["sample_ids"])}
    return {**labels, "sample_ids": arrays.get("sample_ids")}


def _labels_at(y_encoded, classes, dtype):
    """The labels at these positions; classes without samples need not fit their type."""
    with np.errstate(all="ignore"):
        labels = classes.astype(dtype)
    unfit = np.flatnonzero(labels != classes)
    if len(unfit) and np.isin(y_encoded, unfit).any():
        raise ValueError(f"its labels are not among its classes, as {dtype} does not hold them all.")
    return labels[y_encoded]


def check_label_bytes(described, arrays, stored_bytes):
    """Refuse labels that would take far more memory than the file: a short file must not fill it.

    Parameters
    ----------
    described, arrays : dict
        As `pack_labels` makes them.
    stored_bytes : int
        Bytes of the file.
    """
    counts = {name: len(described[name]) for name in ("classes", "sample_ids") if name in described}
    counts["y"] = arrays["y"].size
    wanted = sum(counts[name] * _label_type(text).itemsize for name, text in described["label_types"].items())
    if wanted > MOST_LABEL_BYTES * stored_bytes:
        raise ValueError(
            f"the labels take {wanted} bytes of memory, over {MOST_LABEL_BYTES} times the {stored_bytes} bytes that "
            "are stored: give shorter labels, or integers."
        )


def _label_type(text):
    if not re.fullmatch(rf"[<>|=][{LABEL_KINDS}]\d{{0,9}}", text):
        raise ValueError(f"{text!r} is no type of labels.")
    return np.dtype(text)
