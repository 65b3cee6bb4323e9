"""The weights as of each recorded epoch."""

import tempfile
import warnings
import weakref
from contextlib import suppress

import numpy as np
import torch

MEMORY_LIMIT = 512 * 2**20
ALIGNMENT = 64


class Snapshots:
    """The state of one network at several epochs, one row of bytes each.

    Rows lie in memory up to ``memory_limit``; a larger history goes, row by row, to a temporary file that is
    mapped when read and vanishes with the object. If the disk is full the rows kept so far stay, a warning
    says where they end, and training goes on.

    Parameters
    ----------
    module : torch.nn.Module
        Its ``state_dict`` sets the layout: weights and buffers, each in its own dtype.
    capacity : int
        Number of snapshots to make room for; more than that moves the rows to a larger place.
    memory_limit : int, default=512 MiB
        Bytes held in memory.
    """

    def __init__(self, module, capacity, memory_limit=MEMORY_LIMIT):
        self.layout, self.row_size = _layout(module)
        self.epochs = []
        self.complete = True
        self._file = tempfile.TemporaryFile() if capacity * self.row_size > memory_limit else None
        self._rows = np.empty((0 if self._file else capacity, self.row_size), np.uint8)
        if self.spilled:
            weakref.finalize(self, _close, self._file)

    @property
    def nbytes(self):
        """Bytes held, in memory or in the file."""
        return len(self.epochs) * self.row_size

    @property
    def spilled(self):
        """Whether the rows lie in a file."""
        return self._file is not None

    def keep(self, module, epoch):
        """Keep the state of ``module`` as of ``epoch``."""
        if not self.complete:
            return
        row = np.zeros(self.row_size, np.uint8) if self.spilled else self._next_row()
        for (_, _, _, start, stop), value in zip(self.layout, module.state_dict().values(), strict=True):
            row[start:stop] = value.detach().reshape(-1).cpu().view(torch.uint8).numpy()
        if self.spilled and not self._append(row, epoch):
            return
        self.epochs.append(epoch)

    def _next_row(self):
        if len(self.epochs) == len(self._rows):
            self._rows = np.concatenate([self._rows, np.empty_like(self._rows, shape=(len(self._rows) + 1, self.row_size))])
        return self._rows[len(self.epochs)]

    def _append(self, row, epoch):
        try:
            self._file.seek(self.nbytes)
            self._file.write(row)
            self._file.flush()
        except OSError as error:
            self.complete = False
            warnings.warn(
                f"The snapshot of epoch {epoch} could not be written to {tempfile.gettempdir()}: {error}. Training "
                f"goes on and the record is complete; replay ends at epoch {self.epochs[-1] if self.epochs else None}.",
                RuntimeWarning,
                stacklevel=2,
            )
        return self.complete

    def state_dict(self, epoch):
        """The state as of ``epoch``, for ``load_state_dict``."""
        return {name: values[0] for name, values in self.stacked([epoch]).items()}

    def stacked(self, epochs):
        """The states of several epochs: {name: tensor of shape (n_epochs, ...)}.

        Views of what is kept, where the epochs follow one another: not to be written to.
        """
        positions = [self.epochs.index(epoch) for epoch in epochs]
        first, last = positions[0], positions[-1] + 1
        together = positions == list(range(first, last))
        rows = torch.from_numpy(self._read()[first:last] if together else self._read()[positions])
        return {
            name: rows[:, start:stop].view(dtype).view(len(epochs), *shape)
            for name, dtype, shape, start, stop in self.layout
        }

    def _read(self):
        if not self.spilled:
            return self._rows
        return np.memmap(self._file, np.uint8, mode="c", shape=(len(self.epochs), self.row_size))

    def until(self, epoch):
        """A copy that ends at ``epoch``."""
        kept = sum(e <= epoch for e in self.epochs)
        shorter = object.__new__(type(self))
        shorter.__setstate__({**self.__dict__, "epochs": self.epochs[:kept], "_rows": self._read()[:kept].copy()})
        return shorter

    def __getstate__(self):
        return {**self.__dict__, "_rows": np.array(self._read()[: len(self.epochs)]), "_file": None}

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._file = None


def _close(file):
    with suppress(OSError):  # rows that a full disk did not take
        file.close()


def _layout(module):
    layout, start = [], 0
    for name, value in module.state_dict().items():
        stop = start + value.numel() * value.element_size()
        layout.append((name, value.dtype, tuple(value.shape), start, stop))
        start = -(-stop // ALIGNMENT) * ALIGNMENT
    return layout, max(start, ALIGNMENT)
