"""Modules that cannot be trained or do not fit the data, and dicts of arrays."""

import numpy as np
import pandas as pd
import torch
from scipy import sparse
from torch import nn

from tests.classifiers.odd_inputs.cases import IDS, NAMES, N, X, refused, right, y


class Linear(nn.Module):
    """A linear network whose scores are changed."""

    change = staticmethod(lambda scores: scores)

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, x):
        return self.change(self.linear(x))


def giving(change):
    """A class of linear networks with these scores."""
    return type("Linear", (Linear,), {"change": staticmethod(change)})


class Recurrent(nn.Module):
    """Made for sequences first, and given samples first."""

    def __init__(self):
        super().__init__()
        self.cell = nn.LSTM(4, 2)

    def forward(self, x):
        return self.cell(x)[0]


class Lookup(nn.Module):
    """Looks ids up in a table of five."""

    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(5, 2)

    def forward(self, x):
        return self.table(x).sum(1)


class GreatestOfSparse(nn.Module):
    """Looks ids up in a table that torch refuses, whatever it is given."""

    def __init__(self):
        super().__init__()
        self.table = nn.EmbeddingBag(5, 2, mode="max", sparse=True)

    def forward(self, x):
        return self.table(x)


class TwoInputs(nn.Module):
    """Takes two arrays by name."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, a, b):
        return self.linear(a) + b[:, None]


def linear(**options):
    torch.manual_seed(0)
    return nn.Linear(4, 2, **options)


def with_nan():
    module = linear()
    nn.init.constant_(module.bias, torch.nan)
    return module


SCORES = "module must give a score for each of the 2 classes, shape (2, 2) for 2 samples, but gives"
KIND = "module must give scores as a dense tensor of floating-point numbers, but gives"
NO_MODULE = "module must be None, an architecture such as MLP(), a torch.nn.Module class or instance"
MIXES = "module mixes samples: in evaluation mode the scores of a sample change"
NOTHING = "has no parameters: there is nothing to train"
BATCH = "module cannot process a batch of"
MODULES = {
    "meta device": refused("module: 'weight' is on the meta device", module=linear(device="meta")),
    "complex parameters": refused("module: 'weight' is complex", module=linear(dtype=torch.complex64)),
    "half precision": right(module=linear().half()),
    "double precision": right(module=linear().double()),
    "frozen": refused("every parameter is frozen", module=linear().requires_grad_(False)),
    "nan in it": refused("module gives nan for the first 2 samples", module=with_nan()),
    "no parameters": refused(NOTHING, module=nn.Flatten()),
    "empty": refused(NOTHING, module=nn.Sequential()),
    "the bare class": refused(NOTHING, module=nn.Module),
    "lazy": right(module=nn.LazyLinear(2)),
    "in parallel": right({"module": linear()}, module=nn.DataParallel(linear())),
    "wrong width": refused(f"{SCORES} (2, 3)", module=nn.Linear(4, 3)),
    "wrong input": refused(f"{BATCH} shape (2, 4): RuntimeError", module=nn.Linear(5, 2)),
    "of images": refused(f"{BATCH} shape (2, 4): RuntimeError", module=nn.Conv2d(1, 2, 3)),
    "integers": refused(f"{KIND} torch.int64", module=giving(lambda s: s.long())),
    "complex": refused(f"{KIND} torch.complex64", module=giving(lambda s: s + 0j)),
    "sparse": refused(f"{KIND} torch.sparse_coo", module=giving(lambda s: s.to_sparse())),
    "doubles": right(module=giving(lambda s: s.double())),
    "nan": refused("module gives nan for the first 2 samples", module=giving(lambda s: s * torch.nan)),
    "infinite": refused(
        "loss gives nan for the first 2 samples", module=giving(lambda s: s.exp() * torch.inf)
    ),
    "flat": refused(f"{SCORES} (4, 2)", module=giving(lambda s: s.flatten())),
    "three axes": refused(f"{SCORES} (2, 1, 2)", module=giving(lambda s: s[:, None])),
    "transposed": refused("shape (3, 2) for 3 samples, but gives (2, 3)", module=giving(lambda s: s.T)),
    "nothing": refused(f"{SCORES} NoneType", module=giving(lambda s: None)),
    "array": refused(f"{SCORES} ndarray", module=giving(lambda s: s.detach().numpy())),
    "string": refused(f"{SCORES} str", module=giving(lambda s: "a")),
    "list": right({"module": Linear}, module=giving(lambda s: [s])),
    "empty tuple": refused("module gives an empty tuple in place of scores", module=giving(lambda s: ())),
    "empty dict": refused("module gives an empty dict in place of scores", module=giving(lambda s: {})),
    "dict without logits": refused("module gives a dict of 'scores'", module=giving(lambda s: {"scores": s})),
    "dict": right({"module": Linear}, module=giving(lambda s: {"logits": s})),
    "mean of the batch": refused(f"{SCORES} (1, 2)", module=giving(lambda s: s.mean(0, keepdim=True))),
    "minus that mean": refused(MIXES, module=giving(lambda s: s - s.mean(0))),
    "sequences first": refused(MIXES, module=Recurrent),
    "detached": refused("look for detach, no_grad or argmax", module=giving(lambda s: s.detach())),
    "fails": refused(f"{BATCH} shape (2, 4): ZeroDivisionError", module=giving(lambda s: 1 / 0)),
    "a list": refused(NO_MODULE, module=[linear()]),
    "a word": refused(f"{NO_MODULE}, or a callable", module="mlp"),
    "function of nothing": refused("takes 0 positional arguments but 2 were given", module=lambda: linear()),
    "function that fails": refused("failed: ZeroDivisionError", module=lambda shape, k: 1 / 0),
    "function that makes a class": refused(
        "module must make a torch.nn.Module", module=lambda shape, k: Linear
    ),
    "ids": right(module=Lookup, X=IDS),
    "ids too great": refused(
        "X: the module looks up id 5 in 'table', which holds ids 0 to 4", module=Lookup, X=IDS + 1
    ),
    "ids below 0": refused("X: the module looks up id -1 in 'table'", module=Lookup, X=IDS - 1),
    "ids for a table that takes none": refused(
        f"{BATCH} shape (2, 4): ValueError: max mode does not support sparse weights",
        module=GreatestOfSparse,
        X=IDS,
    ),
    "ids as floats": refused(f"{BATCH} shape (2, 4)", module=Lookup, X=IDS.astype(float)),
}


def named(**arrays):
    return {"module": TwoInputs, "X": {"a": X, "b": y, **arrays}}


USUAL = {"X": {"a": X, "b": y}}
DICTS = {
    "usual": right(**named()),
    "tables": right(USUAL, **named(a=pd.DataFrame(X), b=pd.Series(y))),
    "tensors": right(USUAL, **named(a=torch.tensor(X), b=torch.tensor(y))),
    "nullable": right(USUAL, **named(b=pd.array(y, dtype="Int64"))),
    "nullable table": right(USUAL, **named(a=pd.DataFrame(X).astype("Float64"))),
    "missing in a nullable table": refused(
        "Input X['a'] contains NaN: some values are missing",
        **named(a=pd.DataFrame(X).astype("Float64").mask(X > 1)),
    ),
    "sparse longdouble": right(USUAL, **named(a=sparse.csr_array(X.astype(np.longdouble)))),
    "sparse by keys": right(USUAL, **named(a=sparse.dok_array(X))),
    "unequal lengths": refused("one row for each sample each, got a 12, b 3", **named(b=y[:3])),
    "missing": refused("missing 1 required positional argument: 'b'", module=TwoInputs, X={"a": X}),
    "one too many": refused("unexpected keyword argument 'c'", **named(c=y)),
    "wrong name": refused("unexpected keyword argument 'z'", module=TwoInputs, X={"a": X, "z": y}),
    "empty": refused("X is a dict and needs names, strings", module=TwoInputs, X={}),
    "numbers as names": refused("X is a dict and needs names, strings", module=TwoInputs, X={1: X, 2: y}),
    "strings in it": refused("X['b'] must hold numbers, a row for each sample; got dtype", **named(b=NAMES)),
    "None in it": refused("X['b'] must be an array, a table or a list, got None", **named(b=None)),
    "one number": refused("X['b'] must be an array, a table or a list, got 3", **named(b=3)),
    "0-d": refused("X['b'] must hold a row for each sample", **named(b=np.array(3))),
    "nan in it": refused("Input X['a'] contains NaN", **named(a=np.where(X > 1, np.nan, X))),
    "ragged": refused("X['b'] must have rows of one length", **named(b=[[1], [2, 3]] * 6)),
    "no rows": refused("X['a'] must hold a row for each sample", **named(a=X[:0], b=y[:0])),
    "complex": refused("X['a']: Complex data not supported", **named(a=X + 1j)),
    "dates": refused(
        "X['b'] must hold numbers, but holds dates or times", **named(b=np.arange(N).astype("M8[D]"))
    ),
    "masked": refused("X['a'] is a masked array", **named(a=np.ma.masked_array(X, mask=X > 1))),
    "dict in it": refused("X['a'] must be an array, a table or a list, got a dict", **named(a={"c": X})),
    "meta device": refused(
        "X['a'] is a tensor on the meta device", **named(a=torch.empty(N, 4, device="meta"))
    ),
    "self": refused("multiple values for argument 'self'", module=TwoInputs, X={"a": X, "self": y}),
}
