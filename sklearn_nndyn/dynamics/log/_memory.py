"""Arrays in memory up to a limit, beyond it in temporary files."""

import tempfile

import numpy as np


class BoundedMemory:
    """Makes arrays, and counts their bytes.

    Parameters
    ----------
    limit : int
        Bytes to keep in memory; the arrays that would exceed it lie in temporary files without a name, which go
        when the arrays go, or the process is killed.
    """

    def __init__(self, limit):
        self.limit, self.used = limit, 0

    def empty(self, shape, dtype):
        """An array that is not filled.

        Parameters
        ----------
        shape : tuple of int
            Its shape.
        dtype : dtype
            Its type.

        Returns
        -------
        array : numpy.ndarray or numpy.memmap
            In memory, or in a temporary file.
        """
        n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if self.used + n_bytes <= self.limit or not n_bytes:
            self.used += n_bytes
            return np.empty(shape, dtype)
        return np.memmap(tempfile.TemporaryFile(prefix="nndyn-log-"), dtype=dtype, mode="w+", shape=shape)
