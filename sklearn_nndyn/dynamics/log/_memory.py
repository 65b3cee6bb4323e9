"""Arrays in memory up to a limit, beyond it in temporary files."""

import tempfile

import numpy as np

FILE_BYTES = 2**27  # many arrays share a file, for each file that is mapped is an open one
ALIGNED = 64


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
        self.rest = np.empty(0, np.uint8)  # of the file that is being filled

    def empty(self, shape, dtype):
        """An array that is not filled, in memory or in a temporary file."""
        n_bytes = int(np.prod(shape)) * np.dtype(dtype).itemsize
        if self.used + n_bytes <= self.limit or not n_bytes:
            self.used += n_bytes
            return np.empty(shape, dtype)
        if n_bytes > len(self.rest):
            self.rest = _mapped(max(n_bytes, FILE_BYTES))
        block, self.rest = self.rest[:n_bytes], self.rest[-(-n_bytes // ALIGNED) * ALIGNED :]
        return block.view(dtype).reshape(shape)


def _mapped(n_bytes):
    with tempfile.TemporaryFile(prefix="nndyn-log-") as file:
        file.truncate(n_bytes)  # takes no space before it is written to
        return np.asarray(np.memmap(file, dtype=np.uint8, mode="r+", shape=(n_bytes,)))
