"""The cutting of an epoch into batches, gathered a chunk of them at a time."""

import torch

from sklearn_nndyn.utils.private_names import BatchNorm
from sklearn_nndyn.utils.rows.arrays import Rows, whole

CHUNK_BYTES = 4 * 2**20


class Batches:
    """Cut an epoch into batches, gathering a chunk of them at a time.

    Parameters
    ----------
    data : TrainingData
    size : int
        Rows of a batch; the last one may be shorter.
    dtype : torch.dtype
        The dtype of the sample weights and of the rows, unless the rows are integer ids.
    merge_last : bool, default=False
        Give a last batch of one row to the batch before it.

    Attributes
    ----------
    steps : int
        Number of batches.
    """

    def __init__(self, data, size, dtype, merge_last=False):
        self.data, self.size, self.merge_last = data, size, merge_last
        self.steps = len(cut(len(data.X), size, merge_last))
        self._buffers = None
        self.convert(dtype)

    def convert(self, dtype):
        """Hand out rows and weights in this dtype."""
        self.columns = [in_floats(self.data.X, dtype), self.data.y]
        if self.data.weight is not None:
            self.columns.append(self.data.weight.to(dtype))

    def __call__(self, order):
        """Yield (X, y, weight) of each batch; the tensors are overwritten by later chunks."""
        if self.size >= len(self.columns[0]):
            yield (*map(whole, self.columns), None)[:3]
            return
        for chunk in self._chunks(order):
            sizes = cut(len(chunk[0]), self.size, self.merge_last)
            for batch in zip(*(column.split(sizes) for column in chunk), strict=True):
                yield (*batch, None)[:3]

    def _chunks(self, order):
        if order is None:
            yield self.columns
            return
        rows = self._rows_of_chunk()
        if self._buffers is None:
            self._buffers = [_buffer(column, rows + 1) for column in self.columns]
        pieces = order.split(cut(len(order), rows, self.merge_last))
        columns = zip(self.columns, self._buffers, strict=True)
        yield from zip(*(_gather(column, pieces, buffer) for column, buffer in columns), strict=True)

    def _rows_of_chunk(self):
        row = self.columns[0][:1].nbytes
        return self.size * max(1, CHUNK_BYTES // max(1, row * self.size))


def _buffer(column, rows):
    return None if isinstance(column, Rows) else column.new_empty(rows, *column.shape[1:])


def _gather(column, pieces, buffer):
    """Yield the rows of each piece, written to the buffer; newly allocated where there is none."""
    if buffer is None:
        return column.read(pieces)
    return (torch.index_select(column, 0, rows, out=buffer[: len(rows)]) for rows in pieces)


def in_floats(X, dtype):
    """Rows converted to this dtype; integer ids stay integers."""
    return X.to(dtype) if X.is_floating_point() else X


def cut(n, size, merge_last):
    """Sizes of the pieces of n rows; ``merge_last`` gives a last piece of one row to the one before it."""
    whole, rest = divmod(n, size)
    if rest == 1 and whole and merge_last:
        return [size] * (whole - 1) + [size + 1]
    return [size] * whole + ([rest] if rest else [])


def count_steps(module, n, size):
    """Updates of an epoch of n rows."""
    return len(cut(n, size, needs_two_rows(module)))


def needs_two_rows(module):
    """Whether a training batch of one row is an error: batch normalisation has no variance there."""
    return any(isinstance(part, BatchNorm) for part in module.modules())
