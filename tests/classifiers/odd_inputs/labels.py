"""Labels and weights in unusual forms."""

import decimal

import numpy as np
import pandas as pd
import torch
from scipy import sparse

from tests.classifiers.odd_inputs.cases import NAMES, N, refused, right, y

OF_NAMES, OF_FLAGS = {"y": NAMES}, {"y": y == 1}
KINDS = "y must hold strings, numbers or booleans, of one kind; got"
MISSING = "some of y are missing"
WEIGHTS = np.arange(1.0, N + 1)
W = {"sample_weight": WEIGHTS}


def categories(**options):
    return pd.Series(pd.Categorical(NAMES, **options))


# NumPy's strings of any length, from NumPy 2 on.
ANY_LENGTH = getattr(np.dtypes, "StringDType", lambda: "U1")()

LABELS = {
    "strings of any length": right(OF_NAMES, y=NAMES.astype(ANY_LENGTH)),
    "None": refused("requires y to be passed, but the target y is None", y=None),
    "objects that are integers": right({"y": y}, y=y.astype(object)),
    "Series of objects that are integers": right({"y": y}, y=pd.Series(y, dtype=object)),
    "tensor of bfloat16": right({"y": y.astype(float)}, y=torch.tensor(y).bfloat16()),
    "objects that are booleans": right(OF_FLAGS, y=(y == 1).astype(object)),
    "objects that are strings": right(OF_NAMES, y=NAMES.astype(object)),
    "objects with NA": refused(f"{KINDS} NAType, str", y=np.array(["a", pd.NA] * 6, dtype=object)),
    "objects with nan": refused(f"{KINDS} float, str", y=np.array(["a", np.nan] * 6, dtype=object)),
    "list with None": refused(f"{KINDS} NoneType, str", y=["a", None] * 6),
    "list of two kinds": refused(f"{KINDS} int, str", y=[1, "a"] * 6),
    "nullable integers": right({"y": y}, y=pd.Series(y, dtype="Int64")),
    "nullable integers, an array": right({"y": y}, y=pd.array(y, dtype="Int8")),
    "nullable integers with NA": refused(MISSING, y=pd.Series([1, pd.NA] * 6, dtype="Int64")),
    "nullable booleans": right(OF_FLAGS, y=pd.Series(y == 1, dtype="boolean")),
    "nullable booleans with NA": refused(MISSING, y=pd.Series([True, pd.NA] * 6, dtype="boolean")),
    "string dtype": right(OF_NAMES, y=pd.Series(NAMES, dtype="string")),
    "string dtype with NA": refused(MISSING, y=pd.Series(["a", pd.NA] * 6, dtype="string")),
    "categories": right(OF_NAMES, y=categories()),
    "categories, one unused": right(OF_NAMES, y=categories(categories=["z", "b", "a"])),
    "categories in an order": right(OF_NAMES, y=categories(categories=["b", "a"], ordered=True)),
    "categories with a missing one": refused(MISSING, y=pd.Series(["a", None, "b"] * 4, dtype="category")),
    "complex": refused("Complex data not supported", y=y + 0j),
    "dates": refused(f"{KINDS} date", y=y.astype("M8[D]")),
    "bytes": refused(f"{KINDS} bytes", y=np.array([b"a", b"b"])[y]),
    "Decimal": refused(f"{KINDS} Decimal", y=[decimal.Decimal(1), decimal.Decimal(2)] * 6),
    "whole floats": right(y=y.astype(float)),
    "other floats": refused("Unknown label type: continuous", y=y + 0.5),
    "infinite": refused("Input y contains infinity", y=np.where(y, np.inf, 0)),
    "nan": refused("Input y contains NaN", y=np.where(y, np.nan, 0)),
    "longdouble": right({"y": y.astype(float)}, y=y.astype(np.longdouble)),
    "float16": right({"y": y.astype(float)}, y=y.astype("f2")),
    "big-endian": right({"y": y}, y=y.astype(">i4")),
    "negative": right(y=y - 5),
    "unsigned, greatest": right(y=y.astype("u8") * np.uint64(2**64 - 1)),
    "all different": right(y=np.arange(N)),
    "empty string": right(y=np.array(["", "b"])[y]),
    "one-hot": refused(
        "y should be a 1d array, got an array of shape (12, 2): it must hold one", y=np.eye(2)[y]
    ),
    "several labels": refused("several labels for a sample cannot be learned", y=np.ones((N, 3), int)),
    "two columns": refused("y should be a 1d array", y=pd.DataFrame({"y": y, "z": y})),
    "three axes": refused("y should be a 1d array, got an array of shape (12, 1, 1)", y=y[:, None, None]),
    "tuples": refused("y should be a 1d array", y=[(1, 2), (3, 4)] * 6),
    "sparse": refused("Sparse data was passed for y", y=sparse.csr_array(y[:, None])),
    "tensor": right({"y": y}, y=torch.tensor(y)),
    "tensor of booleans": right(OF_FLAGS, y=torch.tensor(y == 1)),
    "tensor with gradient": right({"y": y.astype(float)}, y=torch.tensor(y, dtype=float).requires_grad_()),
    "masked": refused("y is a masked array with 6 masked entries", y=np.ma.masked_array(y, mask=y == 1)),
    "generator": refused(
        "y must be an array, a table or a list, got a generator: give list(y)", y=iter(v for v in y)
    ),
    "a string": refused("y must be an array, a table or a list, got 'abababababab'", y="ab" * 6),
    "a number": refused("y must be an array, a table or a list, got 1", y=1),
    "dict": refused("y must be an array, a table or a list, got a dict.", y=dict(enumerate(y))),
    "set": refused("got a set", y={0, 1}),
    "ragged": refused("y must have rows of one length", y=[[1], [1, 2]] * 6),
    "one class": refused("at least 2 classes, but y holds one class only: [0]", y=np.zeros(N, int)),
    "too many": refused("inconsistent numbers of samples: [12, 24]", y=np.r_[y, y]),
}


def weigh(values):
    return {"sample_weight": values}


SAMPLE_WEIGHTS = {
    "nan": refused("Input sample_weight contains NaN", **weigh(np.full(N, np.nan))),
    "infinite": refused("Input sample_weight contains infinity", **weigh(np.r_[np.inf, WEIGHTS[1:]])),
    "huge and equal": right(weigh(None), **weigh(np.full(N, 1e308))),
    "huge": right(W, **weigh(WEIGHTS * 2.0**1020)),
    "tiny and equal": right(weigh(None), **weigh(np.full(N, 5e-324))),
    "tiny": right(W, **weigh(WEIGHTS * 2.0**-1070)),
    "huge, balanced": right(W, class_weight="balanced", **weigh(WEIGHTS * 2.0**1020)),
    "huge class weights": right(
        {"class_weight": {0: 1, 1: 3}}, class_weight={0: 2.0**1022, 1: 3 * 2.0**1022}
    ),
    "huge, of both kinds": right(
        {**W, "class_weight": {0: 1, 1: 3}},
        class_weight={0: 2.0**1022, 1: 3 * 2.0**1022},
        **weigh(WEIGHTS * 2.0**1020),
    ),
    "zeros": refused("sample_weight must contain at least one non-zero number", **weigh(np.zeros(N))),
    "negative": refused("Negative values in data passed to `sample_weight`", **weigh(-WEIGHTS)),
    "too short": refused("sample_weight.shape == (3,), expected (12,)", **weigh(np.ones(3))),
    "too long": refused("sample_weight.shape == (13,), expected (12,)", **weigh(np.ones(N + 1))),
    "column": refused("sample_weight must be 1D array or scalar, got 2D array", **weigh(WEIGHTS[:, None])),
    "one number": right(weigh(None), **weigh(2.0)),
    "strings": refused("sample_weight must hold numbers: could not convert string", **weigh(["a"] * N)),
    "Nones": refused("Input sample_weight contains NaN", **weigh([None] * N)),
    "objects": right(W, **weigh(WEIGHTS.astype(object))),
    "booleans": right(weigh((WEIGHTS > 3).astype(float)), **weigh(WEIGHTS > 3)),
    "complex": refused("sample_weight: Complex data not supported", **weigh(WEIGHTS + 0j)),
    "Series": right(W, **weigh(pd.Series(WEIGHTS))),
    "nullable": right(W, **weigh(pd.Series(WEIGHTS, dtype="Float64"))),
    "nullable with NA": refused(
        "Input sample_weight contains NaN", **weigh(pd.Series([1, pd.NA] * 6, dtype="Float64"))
    ),
    "tensor": right(W, **weigh(torch.tensor(WEIGHTS, requires_grad=True))),
    "list": right(W, **weigh(WEIGHTS.tolist())),
    "generator": refused("got a generator: give list(sample_weight)", **weigh(iter(v for v in WEIGHTS))),
    "dict": refused(
        "sample_weight must be an array, a table or a list, got a dict", **weigh({0: 1.0, 1: 2.0})
    ),
    "a word": refused(
        "sample_weight must be an array, a table or a list, got 'balanced'", **weigh("balanced")
    ),
    "sparse": refused(
        "Sparse data was passed for sample_weight", **weigh(sparse.csr_array(WEIGHTS[:, None]))
    ),
    "masked": refused(
        "sample_weight is a masked array", **weigh(np.ma.masked_array(WEIGHTS, mask=WEIGHTS == 2))
    ),
    "dates": refused(
        "sample_weight must hold numbers, but holds dates", **weigh(np.arange(N).astype("M8[D]"))
    ),
    "of one sample": refused(
        "where weights are greater than zero, holds one class only", **weigh(np.eye(N)[0])
    ),
}
