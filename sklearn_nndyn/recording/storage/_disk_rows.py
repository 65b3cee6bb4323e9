"""An array that grows row by row in a file."""

import tempfile
import weakref
from math import prod

import numpy as np

from sklearn_nndyn.utils.rows.memory_maps import forget_pages

ZEROS = bytes(2**20)


class DiskRows:
    """Rows of one shape and type in a temporary file without a name, which vanishes with the last view of it.

    Parameters
    ----------
    capacity : int
        Rows to map. The file has a hole in place of each until it is reserved.
    shape : tuple of int
        Shape of a row.
    dtype : numpy.dtype

    Attributes
    ----------
    array : numpy.memmap of shape (capacity, *shape)
    """

    def __init__(self, capacity, shape, dtype):
        self.shape, self.dtype = shape, np.dtype(dtype)
        self._row_bytes, self._reserved = prod(shape) * self.dtype.itemsize, 0
        # Unbuffered: what a full disk does not take is not kept for later either.
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (it lives as long as this)
        weakref.finalize(self, self._file.close)  # views keep a descriptor of their own
        self.grow(capacity)

    def grow(self, capacity):
        """Map more rows; those that were written stay."""
        self._file.truncate(capacity * self._row_bytes)
        self.array = np.memmap(self._file, self.dtype, mode="r+", shape=(capacity, *self.shape))
        return self.array

    def reserve(self, n_rows):
        """Take the disk space of the first ``n_rows``, so that writing to them cannot fail; let go of the pages.

        Raises
        ------
        OSError
            If the disk is full.
        """
        forget_pages(self.array)
        self._file.seek(self._reserved)
        while self._reserved < n_rows * self._row_bytes:
            rest = n_rows * self._row_bytes - self._reserved
            self._reserved += self._file.write(ZEROS[:rest])
