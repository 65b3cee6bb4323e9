"""Rows that become tensors a few at a time, for data that are not to be copied whole."""

import copy
from abc import ABC, abstractmethod
from itertools import accumulate
from math import prod

import numpy as np
import torch

from sklearn_nndyn.utils.networks.devices import copies_pinned, free_memory
from sklearn_nndyn.utils.rows.memory_maps import can_forget, forget_pages, memory_map_of

CHUNK_BYTES = 4 * 2**20
BYTES_AT_ONCE = 2**13


class Rows(ABC):
    """Takes the place of a dense tensor (n_samples, ...), as far as rows of it are taken.

    Parameters
    ----------
    shape : tuple of int
        (n_samples, ...), as the tensor would have.
    dtype : torch.dtype
        The dtype to which rows are converted.
    """

    def __init__(self, shape, dtype):
        self.n_samples, self.sample_shape, self.dtype = shape[0], tuple(shape[1:]), dtype
        self.first_dtype = dtype  # a tensor in another dtype was one in this before
        self.device, self.chosen = torch.device("cpu"), None

    @abstractmethod
    def _read(self, places):
        """Rows of the source at ``places``, a slice or an array of positions, as a tensor of any dtype."""

    def __len__(self):
        return self.n_samples

    @property
    def shape(self):
        """Shape of the tensor."""
        return self.n_samples, *self.sample_shape

    @property
    def input_shape(self):
        """Shape of one sample."""
        return self.sample_shape

    @property
    def ndim(self):
        """Number of axes."""
        return 1 + len(self.sample_shape)

    def __getitem__(self, rows):
        """The tensor of some rows: a slice, positions, or a mask."""
        return self._finished(self._read(self._places(rows)))

    def _places(self, rows):
        rows = rows.cpu().numpy() if torch.is_tensor(rows) else rows
        return rows if self.chosen is None else self.chosen[rows]

    def _finished(self, values):
        values = _moved(values, self.device, self.first_dtype)
        return values.to(self.dtype).reshape(-1, *self.sample_shape)

    def read(self, pieces):
        """Yield the tensor of each of some pieces, slices or positions, in their order."""
        return (self[rows] for rows in pieces)

    def split(self, sizes):
        """Yield the rows in pieces of these sizes, or of one size for all."""
        if isinstance(sizes, int):
            sizes = [min(sizes, len(self) - start) for start in range(0, len(self), sizes)]
        return self.read(
            slice(stop - size, stop) for size, stop in zip(sizes, accumulate(sizes), strict=True)
        )

    def index_select(self, axis, rows):
        """The tensor of rows at some positions; ``axis`` is 0."""
        return self[rows]

    def subset(self, rows):
        """Some of the rows, positions or a mask, without a copy."""
        rows = rows.cpu().numpy() if torch.is_tensor(rows) else rows
        chosen = (np.arange(len(self)) if self.chosen is None else self.chosen)[rows]
        return self._with(chosen=chosen, n_samples=len(chosen))

    def to(self, target):
        """The same rows in another dtype or on another device."""
        if isinstance(target, torch.dtype):
            return self._with(dtype=target)
        return self._with(device=torch.device(target))

    def flatten(self, start):
        """The same rows, flat; ``start`` is 1."""
        return self._with(sample_shape=(prod(self.sample_shape),))

    def _with(self, **changes):
        other = copy.copy(self)
        for name, value in changes.items():
            setattr(other, name, value)
        return other

    def is_floating_point(self):
        """Whether rows are floats."""
        return self.dtype.is_floating_point

    def element_size(self):
        """Bytes of a number."""
        return self.dtype.itemsize

    def new_empty(self, *shape):
        """Memory for some numbers, as of a tensor."""
        return torch.empty(*shape, dtype=self.dtype, device=self.device)

    def data_ptr(self):
        """A number that tells it from other rows."""
        return id(self)

    @property
    def nbytes(self):
        """Bytes of what goes to a device as a whole."""
        return 0

    def read_from_host(self):
        """The same rows, nothing of which goes to a device as a whole."""
        return self


class ArrayRows(Rows):
    """Rows of an array of another dtype, or of one that lies in a file.

    Parameters
    ----------
    array : ndarray of shape (n_samples, ...)
    dtype : torch.dtype

    Examples
    --------
    >>> import numpy as np, torch
    >>> rows = ArrayRows(np.array([[0, 255], [1, 2]], dtype="uint8"), torch.float32)
    >>> rows[:1]
    tensor([[  0., 255.]])
    """

    def __init__(self, array, dtype):
        super().__init__(array.shape, dtype)
        self.array, self.mapped = array, memory_map_of(array)

    def _read(self, places):
        if not can_forget(self.mapped):
            return tensor_of(np.ascontiguousarray(self.array[places]))
        return tensor_of(self._read_and_forget(places))

    def _read_and_forget(self, places):
        """Read a few rows at a time, and let go of the pages of the file that hold them.

        The system keeps them as long as it has memory, but the process is not charged. A page may be as large as two
        megabytes, so that some hundred rows in random order would map all of the file.
        """
        places = _positions(places, len(self.array))
        rows = np.empty((len(places), *self.array.shape[1:]), self.array.dtype)
        at_once = max(8, BYTES_AT_ONCE // max(1, rows[:1].nbytes))
        for start in range(0, len(places), at_once):
            rows[start : start + at_once] = self.array[places[start : start + at_once]]
            forget_pages(self.mapped)
        return rows


def _positions(rows, n_samples):
    """Positions, also where a slice or a mask is given."""
    if isinstance(rows, slice):
        return np.arange(*rows.indices(n_samples))
    return np.flatnonzero(rows) if rows.dtype == bool else rows


class SparseRows(Rows):
    """Rows of a sparse matrix, made dense.

    Parameters
    ----------
    matrix : scipy.sparse matrix or array of shape (n_samples, n_features)
        In CSR format.
    dtype : torch.dtype
    """

    def __init__(self, matrix, dtype):
        super().__init__(matrix.shape, dtype)
        self.matrix = matrix

    def _read(self, places):
        return tensor_of(self.matrix[places].toarray(order="C"))


def whole(X):
    """All rows as one tensor."""
    return X[:] if isinstance(X, Rows) else X


def chunks_of(X):
    """Yield all rows: a tensor as it is, of `Rows` a few at a time."""
    return X.split(max(1, CHUNK_BYTES // max(1, X[:1].nbytes))) if isinstance(X, Rows) else iter([X])


def joined(chunks, n_samples):
    """``torch.cat`` of results, written into one tensor as they come.

    Small tensors kept between large ones that come and go would keep the allocator from using the memory of those
    again.
    """
    result, start = None, 0
    for chunk in chunks:
        if result is None:
            if len(chunk) == n_samples:
                return chunk
            result = chunk.new_empty(n_samples, *chunk.shape[1:])
        result[start : start + len(chunk)] = chunk
        start += len(chunk)
    return result


def take(X, rows):
    """Some rows, positions or a mask, without a copy where these are `Rows`."""
    return X.subset(rows) if isinstance(X, Rows) else X[rows]


def fits_torch(dtype):
    """Whether torch has numbers of this dtype of NumPy: in the machine's byte order, of eight bytes at most."""
    return dtype.isnative and dtype.itemsize <= 8


def tensor_of(array):
    """The array as a tensor that shares its memory.

    A read-only array (memory mapped by joblib, say) is shared too: nothing here writes into data.
    """
    if not array.flags.writeable:
        array = np.asarray(_Writeable(array))
    return torch.from_numpy(array)


def as_tensor(array, device):
    """The array on the device, without a copy where the memory can be shared; `Rows` stay what they are."""
    return array.to(device) if isinstance(array, Rows) else tensor_of(array).to(device)


def samples_on(array, device):
    """As `as_tensor`; what takes more than half of an accelerator's free memory stays on the host, as `Rows`."""
    device = torch.device(device)
    if device.type == "cpu" or 2 * array.nbytes <= free_memory(device):
        return as_tensor(array, device)
    rows = array.read_from_host() if isinstance(array, Rows) else ArrayRows(array, tensor_of(array).dtype)
    return rows.to(device)


def _moved(values, device, dtype):
    """On the device, in the dtype; from pinned memory, so that Python need not wait, where the device can."""
    if copies_pinned(device):
        return values.pin_memory().to(device, non_blocking=True).to(dtype)
    return values.to(device, dtype)


class _Writeable:
    """The same memory without the flag, at which torch would warn."""

    def __init__(self, array):
        self.array = array
        address, _ = array.__array_interface__["data"]
        self.__array_interface__ = {**array.__array_interface__, "data": (address, False)}
