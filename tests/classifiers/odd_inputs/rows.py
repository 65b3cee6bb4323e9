"""X in unusual forms."""

import decimal

import numpy as np
import pandas as pd
import torch
from scipy import sparse

from tests.classifiers.odd_inputs.cases import IDS, N, X, refused, right, y

ABCD = list("abcd")
SPARSE = ("csr", "csc", "coo", "lil", "dok", "dia", "bsr")
NAN = X.copy()
NAN[3, 1] = np.nan
READ_ONLY = X.copy()
READ_ONLY.flags.writeable = False
FLAGS = X > 0
FLOATS = {"X": IDS.astype(float)}
F = {"X": X}
CELLS = "X must hold a number in each cell, but holds lists or arrays"
OF_ARRAYS = np.empty((N, 1), dtype=object)
OF_ARRAYS[:, 0] = list(X)


class Wrapped:
    """Can be made an array, and nothing else."""

    def __init__(self, values):
        self.values = values

    def __array__(self, dtype=None, copy=None):
        return np.array(self.values, dtype=dtype)


def frame(values=X, names=ABCD, **options):
    return pd.DataFrame(values, columns=names, **options)


def with_na():
    table = frame(IDS).astype("Int64")
    table.iloc[2, 1] = pd.NA
    return table


ROWS = {
    "masked array, nothing masked": right(F, X=np.ma.masked_array(X, mask=False)),
    "masked array": refused("X is a masked array with 8 masked entries", X=np.ma.masked_array(X, mask=X > 1)),
    "dates": refused("X must hold numbers, but holds dates or times", X=IDS.astype("M8[D]")),
    "times": refused("X must hold numbers, but holds dates or times", X=IDS.astype("m8[s]")),
    "table with a date": refused(
        "X must hold numbers, but holds dates or times", X=frame().assign(d=pd.date_range("2020", periods=N))
    ),
    "objects that are integers": right(FLOATS, X=IDS.astype(object)),
    "objects that are floats": right(F, X=X.astype(object)),
    "objects with None": refused("Input X contains NaN", X=np.where(X > 1, None, X)),
    "Decimal": right(FLOATS, X=[[decimal.Decimal(int(v)) for v in row] for row in IDS]),
    "strings of numbers": right(F, X=X.astype(str)),
    "words": refused("X must hold numbers: could not convert string to float", X=np.full((N, 2), "a")),
    "booleans": right({"X": FLAGS.astype(float)}, X=FLAGS),
    "complex": refused("X: Complex data not supported (dtype complex128): give the real part", X=X + 1j),
    "0-d": refused("Expected 2D array, got scalar array instead", X=np.array(3.0)),
    "a number": refused("X must be an array, a table or a list, got 3.0", X=3.0),
    "None": refused("X must be an array, a table or a list, got None", X=None),
    "one axis": refused("Expected 2D array, got 1D array instead", X=X[:, 0]),
    "empty list": refused("Expected 2D array, got 1D array instead", X=[]),
    "no rows": refused("Found array with 0 sample(s)", X=X[:0], y=y[:0]),
    "one row": refused("at least 2 classes, but y holds one class only: [0]", X=X[:1], y=y[:1]),
    "two rows": right(X=X[:2], y=y[:2]),
    "nan": refused("Input X contains NaN", X=NAN),
    "infinite": refused("Input X contains infinity", X=np.where(np.isnan(NAN), np.inf, NAN)),
    "float16": right({"X": X.astype("f2").astype(float)}, X=X.astype("f2")),
    "longdouble": right(F, X=X.astype(np.longdouble)),
    "big-endian": right(F, X=X.astype(">f8")),
    "big-endian integers": right(FLOATS, X=IDS.astype(">i4")),
    "every second column": right(F, X=np.repeat(X, 2, axis=1)[:, ::2]),
    "reversed": right(F, X=X[::-1].copy()[::-1]),
    "read-only": right(F, X=READ_ONLY),
    "Fortran": right(F, X=np.asfortranarray(X)),
    "structured array": refused(
        "a structured array with fields a, b", X=np.zeros(N, [("a", float), ("b", float)])
    ),
    "tensor": right(F, X=torch.tensor(X)),
    "tensor with gradient": right(F, X=torch.tensor(X, requires_grad=True)),
    "list of tensors": right(F, X=[torch.tensor(row, requires_grad=True) for row in X]),
    "bfloat16": right({"X": torch.tensor(X).bfloat16().double()}, X=torch.tensor(X).bfloat16()),
    "floats of eight bits": right(
        {"X": torch.tensor(X).to(torch.float8_e4m3fn).double()}, X=torch.tensor(X).to(torch.float8_e4m3fn)
    ),
    "sparse tensor": refused("X is a sparse tensor: give X.to_dense()", X=torch.tensor(X).to_sparse()),
    "meta tensor": refused("X is a tensor on the meta device", X=torch.empty(N, 4, device="meta")),
    "anything with __array__": right(F, X=Wrapped(X)),
    "list of arrays": right(F, X=list(X)),
    "nested lists": right(F, X=X.tolist()),
    "nested tuples": right(F, X=tuple(map(tuple, X))),
    "ragged lists": refused("X must have rows of one length", X=[[1.0, 2.0], [3.0]] * 6),
    "generator": refused("got a generator: give list(X)", X=iter(row for row in X)),
    "zip": refused("got a zip: give list(X)", X=zip(*X.T, strict=True)),
    "set": refused("got a set: give list(X)", X={1, 2, 3}),
    "view of a dict": refused("got a dict_values: give list(X)", X=dict(enumerate(X)).values()),
    "Series of lists": refused(CELLS, X=pd.Series(X.tolist())),
    "column of lists": refused(CELLS, X=pd.DataFrame({"a": X.tolist()})),
    "objects that are arrays": refused(CELLS, X=OF_ARRAYS),
    "range": refused("Expected 2D array, got 1D array instead", X=range(N)),
    "name of a file": refused("X must be an array, a table or a list, got 'data.csv'", X="data.csv"),
    "list of strings": refused("X must hold numbers: could not convert string to float: 'a'", X=["a"] * N),
    "list of dicts": refused("X is a list of dicts: give one dict of arrays", X=[{"a": 1.0}] * N),
    "numpy itself": refused("X must be an array, a table or a list, got a module", X=np),
    "DataFrame": right(F, X=frame()),
    "repeated names": refused(
        "X has several columns of the name 'a', 'b': rename them", X=frame(names=list("aabb"))
    ),
    "names of two kinds": refused(
        "only supported if all input features have string names", X=frame(names=["a", 1, 2, 3])
    ),
    "nullable integers": right(FLOATS, X=frame(IDS).astype("Int64")),
    "nullable floats": right(F, X=frame().astype("Float64")),
    "nullable booleans": right({"X": FLAGS.astype(float)}, X=frame(FLAGS).astype("boolean")),
    "missing integers": refused("Input X contains NaN", X=with_na()),
    "categories of words": refused(
        "X must hold numbers", X=pd.DataFrame({"a": pd.Categorical(["x", "y"] * 6)})
    ),
    "categories of numbers": right(FLOATS, X=frame(IDS).astype("category")),
    "sparse columns": right(F, X=pd.DataFrame.sparse.from_spmatrix(sparse.csr_array(X))),
    "Series": refused("Expected a 2-dimensional container but got <class 'pandas", X=pd.Series(X[:, 0])),
    **{f"sparse {kind}": right(F, X=getattr(sparse, f"{kind}_array")(X)) for kind in SPARSE},
    **{f"sparse {kind} matrix": right(F, X=getattr(sparse, f"{kind}_matrix")(X)) for kind in SPARSE},
    "sparse integers": right(FLOATS, X=sparse.csr_array(IDS)),
    "sparse booleans": right({"X": FLAGS.astype(float)}, X=sparse.csr_array(FLAGS)),
    "sparse complex": refused("X: Complex data not supported", X=sparse.csr_array(X + 1j)),
    "sparse nan": refused("Input X contains NaN", X=sparse.csr_array(NAN)),
    "sparse of one axis": refused("Expected 2D input", X=sparse.coo_array(X[:, 0])),
    "integers beyond int64": right({"X": np.full((N, 4), 1e30)}, X=[[10**30] * 4] * N),
}
