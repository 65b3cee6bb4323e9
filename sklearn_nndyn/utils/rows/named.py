"""Rows of several arrays, each given to a module's ``forward`` under its name."""

from collections.abc import Mapping

import numpy as np
import torch
from scipy.sparse import issparse
from skorch.helper import SliceDict

from sklearn_nndyn.utils.rows.arrays import ArrayRows, Rows, take
from sklearn_nndyn.utils.rows.given import as_rows


class NamedBatch(dict):
    """Some rows of several arrays as tensors, by name; it has a length and row slices, as a tensor has."""

    @property
    def shape(self):
        """(n_samples,)."""
        return (len(next(iter(self.values()))),)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, key):
        if isinstance(key, str):
            return super().__getitem__(key)
        return NamedBatch({name: values[key] for name, values in self.items()})

    @property
    def device(self):
        """Device of all tensors."""
        return next(iter(self.values())).device

    @property
    def nbytes(self):
        """Bytes of all of them."""
        return sum(values.nbytes for values in self.values())

    @property
    def _version(self):
        """Above zero where one of them was written into."""
        return max(values._version for values in self.values())

    def cpu(self):
        """The same rows on the CPU."""
        return NamedBatch({name: values.cpu() for name, values in self.items()})

    def clone(self):
        """Tensors of their own."""
        return NamedBatch({name: values.clone() for name, values in self.items()})

    def split(self, sizes):
        """The rows in pieces of these sizes, or of one size for all."""
        parts = {name: values.split(sizes) for name, values in self.items()}
        return [NamedBatch(zip(parts, part, strict=True)) for part in zip(*parts.values(), strict=True)]


class NamedRows(Rows):
    """Rows of several arrays, by name: takes the place of a tensor of rows, and gives `NamedBatch`.

    Parameters
    ----------
    fields : dict of tensors or Rows
        Tensors or `Rows` of equal length.
    """

    def __init__(self, fields):
        first = next(iter(fields.values()))
        super().__init__((len(first),), None)
        self.fields, self.device = fields, first.device

    @property
    def input_shape(self):
        """{name: shape of one sample}."""
        return {name: tuple(values.shape[1:]) for name, values in self.fields.items()}

    @property
    def dtypes(self):
        """Pairs (name, dtype)."""
        return tuple((name, str(values.dtype).removeprefix("torch.")) for name, values in self.fields.items())

    @property
    def holds_ids(self):
        """Whether there are whole numbers among them."""
        return any(values.dtype in (torch.int64, torch.int32) for values in self.fields.values())

    def __getitem__(self, rows):
        """The rows of each."""
        return NamedBatch({name: values[_on(values, rows)] for name, values in self.fields.items()})

    def _read(self, places):
        raise TypeError("each field reads its own rows")

    def read(self, pieces):
        """Yield the rows of each of some pieces."""
        pieces = list(pieces)
        fields = [pieces_of(values, pieces) for values in self.fields.values()]
        for parts in zip(*fields, strict=True):
            yield NamedBatch(zip(self.fields, parts, strict=True))

    def subset(self, rows):
        """Some of the rows, positions or a mask."""
        return NamedRows({name: take(values, _on(values, rows)) for name, values in self.fields.items()})

    def to(self, target):
        """Copy to another device; each keeps its dtype."""
        return NamedRows({name: values.to(target) for name, values in self.fields.items()})

    @property
    def nbytes(self):
        """Bytes of the tensors among them."""
        return sum(values.nbytes for values in self.fields.values())

    def read_from_host(self):
        """The same rows, the tensors among them read a batch at a time."""
        return NamedRows({name: _rows_of(values) for name, values in self.fields.items()})

    def is_floating_point(self):
        """Never converted as a whole."""
        return False


def pieces_of(values, pieces):
    """The rows of each of some pieces, of a tensor or of `Rows`."""
    return values.read(pieces) if isinstance(values, Rows) else (values[_on(values, rows)] for rows in pieces)


def _rows_of(values):
    return values if isinstance(values, Rows) else ArrayRows(values.numpy(), values.dtype)


def _on(values, rows):
    """Positions where a tensor can be indexed with them."""
    if isinstance(rows, np.ndarray) and isinstance(values, torch.Tensor):
        return torch.from_numpy(rows).to(values.device)
    return rows


def sliceable(X):
    """A dict of arrays as one with a length and row indices, skorch's ``SliceDict``; anything else as it is."""
    if isinstance(X, Mapping) and not isinstance(X, SliceDict) and not issparse(X):
        check_names(X)
        return SliceDict(**{name: as_rows(values, f"X[{name!r}]") for name, values in X.items()})
    return X


def check_names(X):
    """Refuse a dict that does not hold arrays under names.

    Raises
    ------
    ValueError
    """
    if not X or not all(isinstance(name, str) for name in X):
        raise ValueError(
            f"X is a dict and needs names, strings, under which forward takes its arrays; got {list(X)}."
        )
