"""The weights at each recorded epoch.

Longer than 300 lines: one store with three places (memory, a temporary file, a folder), and its documentation.
"""

from __future__ import annotations

import os
import tempfile
import warnings
import weakref
from collections.abc import Sequence

import numpy as np
import torch

from sklearn_nndyn.losses import ClassificationLoss, changing_state, load_changing_state
from sklearn_nndyn.recording.storage._folder import FolderSnapshots
from sklearn_nndyn.utils.files import user_path, write_at
from sklearn_nndyn.utils.networks.devices import to_host
from sklearn_nndyn.utils.rows.memory_maps import memory_map_of
from sklearn_nndyn.utils.validation import is_count, is_flag, is_one_of, reraise_as

MEMORY_LIMIT = 512 * 2**20
ALIGNMENT = 64
OF_MODULE, OF_LOSS = "module", "loss"


class Snapshots:
    """The state of one network at several epochs, one row of bytes each.

    Rows lie in memory up to ``memory_limit``; a larger history goes, row by row, to a temporary file that is
    memory-mapped when read, and deleted with the object. If the disk is full, the rows stored so far stay, a warning
    says where they end, and training goes on.

    Parameters
    ----------
    module : torch.nn.Module
        Its ``state_dict`` sets the layout: weights and buffers, each in its own dtype.
    capacity : int, default=32
        Number of snapshots to allocate memory for; with more of them, all are copied to a larger array.
    memory_limit : int, default=None
        Bytes held in memory; None is 512 MiB.
    loss : ClassificationLoss, default=None
        The trained loss, whose learned parameters and buffers are kept too.
    only_trainable : bool, default=False
        Whether parameters that are frozen (``requires_grad=False``) are kept once, and not at each epoch. Where one of
        them is unfrozen or changed in training, a warning says so, and the snapshots end.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.recording import Snapshots
    >>> net = torch.nn.Linear(1, 1, bias=False)
    >>> snapshots = Snapshots(net, capacity=2)
    >>> for epoch in (0, 1):
    ...     _ = torch.nn.init.constant_(net.weight, epoch)
    ...     snapshots.store(net, epoch)
    >>> snapshots.epochs
    [0, 1]
    >>> snapshots.state_dict(1)["weight"]
    tensor([[1.]])
    """

    def __init__(
        self,
        module: torch.nn.Module,
        capacity: int = 32,
        memory_limit: int | None = None,
        loss: ClassificationLoss | None = None,
        only_trainable: bool = False,
    ) -> None:
        self.only_trainable = only_trainable
        self._fixed = _frozen(module) if only_trainable else {}
        self._marks: dict[str, object] = {}
        self._names = list(module.state_dict())
        states = _states(module, loss, self._fixed)
        self.layout, self.row_size = _layout(states)
        self._keeps_loss = any(owner == OF_LOSS for owner, _ in states)
        self.memory_limit = MEMORY_LIMIT if memory_limit is None else memory_limit
        self.epochs: list[float] = []
        self.complete = True
        self._file = None
        self._rows, self._in_users_file = np.empty((0, self.row_size), np.uint8), False
        self._allocate(capacity)

    @property
    def nbytes(self) -> int:
        """Bytes held, in memory or in the file."""
        return len(self.epochs) * self.row_size

    @property
    def state_size(self) -> int:
        """Bytes of the state of a network, with what is kept once."""
        return self.row_size + sum(value.nbytes for value in self._fixed.values())

    @property
    def spilled(self) -> bool:
        """Whether the rows lie in a file."""
        return self._file is not None

    def store(self, module: torch.nn.Module, epoch: float, loss: ClassificationLoss | None = None) -> None:
        """Store the state of a network.

        Parameters
        ----------
        module : torch.nn.Module
            A network with the same state layout as the first one.
        epoch : int or float
            The epoch of this snapshot.
        loss : ClassificationLoss, default=None
            The trained loss, where one was given to the constructor.
        """
        if self._fixed and self.complete:
            self._check_frozen(module)
        row = self._new_row()
        if not self.complete:
            return
        states = _states(module, loss if self._keeps_loss else None, self._fixed)
        with reraise_as("the network has no longer the layout of the first of its snapshots"):
            for (_, _, _, start, stop), value in zip(
                self.layout, to_host(list(states.values())), strict=True
            ):
                row[start:stop] = value.detach().reshape(-1).view(torch.uint8).numpy()
        self._keep(row, epoch)

    def _check_frozen(self, module):
        frozen = {name: p for name, p in module.named_parameters() if name in self._fixed}
        happened = [(name, "unfrozen") for name, p in frozen.items() if p.requires_grad]
        for name, what in happened or [
            (name, "changed") for name, p in frozen.items() if self._changed(name, p)
        ]:
            self._give_up(
                f'are not kept: snapshots="trainable" keeps frozen parameters once, but {name} was {what} in training '
                "(snapshots=True keeps all)"
            )

    def _changed(self, name, parameter):
        """Whether a frozen parameter has other values; compared where it was written to since the last time."""
        mark = parameter.data_ptr(), parameter._version
        if self._marks.get(name) == mark:
            return False
        self._marks[name] = mark
        return not torch.equal(parameter.detach().cpu(), self._fixed[name])

    def _new_row(self):
        """Memory for the next row, where further rows are kept."""
        kept = len(self.epochs)
        if not self.spilled and (self._in_users_file or kept == len(self._rows)):
            self._allocate(max(kept + 1, min(2 * kept, self.memory_limit // self.row_size)))
        return np.zeros(self.row_size, np.uint8) if self.spilled or not self.complete else self._rows[kept]

    def _keep(self, row, epoch):
        if self.spilled:
            try:
                write_at(self._file, row, self.nbytes)
            except OSError as error:
                self._give_up(f"could not be written to a temporary file: {error}")
                return
        self.epochs.append(epoch)

    def row(self, position: int) -> np.ndarray:
        """The bytes of a snapshot.

        Parameters
        ----------
        position : int
            Its position in ``epochs``.

        Returns
        -------
        row : ndarray of shape (row_size,)
            A view of the storage.
        """
        return self._read()[position]

    def add_row(self, row: np.ndarray, epoch: float) -> None:
        """Store the bytes that `row` of snapshots of the same layout gave.

        Parameters
        ----------
        row : ndarray of shape (row_size,)
            The bytes.
        epoch : int or float
            The epoch of this snapshot.
        """
        place = self._new_row()
        if self.complete:
            place[:] = row
            self._keep(place, epoch)

    def _allocate(self, capacity):
        if capacity * self.row_size > self.memory_limit:
            self._spill()
            return
        rows = np.empty((capacity, self.row_size), np.uint8)
        rows[: len(self.epochs)] = self._rows[: len(self.epochs)]
        self._rows, self._in_users_file = rows, False

    def _spill(self):
        try:
            # Unbuffered: what a full disk does not take is not kept for later either.
            file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (it lives as long as the snapshots)
            weakref.finalize(self, file.close)
            write_at(file, self._rows[: len(self.epochs)].reshape(-1), 0)
        except OSError as error:
            self._give_up(f"could not be written to a temporary file: {error}")
        else:
            self._file, self._rows = file, self._rows[:0]

    def _give_up(self, reason):
        if not self.complete:
            return
        self.complete = False
        ends = f"replay ends at epoch {self.epochs[-1]}" if self.epochs else "there will be no replay"
        warnings.warn(
            f"The weights of further epochs {reason}. Training goes on and the record is complete, but {ends}.",
            RuntimeWarning,
            stacklevel=3,
        )

    def state_dict(self, epoch: float) -> dict[str, torch.Tensor]:
        """The state at an epoch.

        Parameters
        ----------
        epoch : int or float
            One of ``epochs``.

        Returns
        -------
        state : dict of tensors
            The state, as ``load_state_dict`` takes it.
        """
        return {name: values[0] for name, values in self.stacked([epoch]).items()}

    def load_loss(self, loss: ClassificationLoss, epoch: float) -> None:
        """Restore the state of a loss at an epoch.

        Parameters
        ----------
        loss : ClassificationLoss
            Changed in place, where its state was stored.
        epoch : int or float
            One of ``epochs``.
        """
        load_changing_state(loss, {name: values[0] for name, values in self._views([epoch], OF_LOSS).items()})

    def stacked(self, epochs: Sequence[float]) -> dict[str, torch.Tensor]:
        """The states at several epochs.

        Parameters
        ----------
        epochs : sequence of numbers
            Some of ``epochs``.

        Returns
        -------
        states : dict of tensors of shape (n_epochs, ...)
            The tensors by their names in the state. Where the epochs are consecutive, these are views of the storage;
            do not write to them.
        """
        found = self._views(epochs, OF_MODULE)
        fixed = {name: v.expand(len(epochs), *v.shape) for name, v in self._fixed.items()}
        return {name: found[name] if name in found else fixed[name] for name in self._names}

    def _views(self, epochs, whose):
        positions = [self.epochs.index(epoch) for epoch in epochs]
        first, last = positions[0], positions[-1] + 1
        together = positions == list(range(first, last))
        rows = torch.from_numpy(self._read()[first:last] if together else self._read()[positions])
        return {
            name: rows[:, start:stop].view(dtype).view(len(epochs), *shape)
            for (owner, name), dtype, shape, start, stop in self.layout
            if owner == whose
        }

    def _read(self):
        if not self.spilled or not self.epochs:
            return self._rows
        return np.memmap(self._file, np.uint8, mode="c", shape=(len(self.epochs), self.row_size))

    def until(self, epoch: float) -> Snapshots:
        """The earlier part of the history.

        Parameters
        ----------
        epoch : int or float
            The last epoch to keep.

        Returns
        -------
        snapshots : Snapshots
            A copy that ends there.
        """
        kept = sum(e <= epoch for e in self.epochs)
        shorter = object.__new__(type(self))
        shorter.__setstate__(
            {**self.__dict__, "epochs": self.epochs[:kept], "_rows": self._read()[:kept].copy(), "_marks": {}}
        )
        return shorter

    def __getstate__(self):
        return {
            **self.__dict__,
            "_rows": np.array(self._read()[: len(self.epochs)]),
            "_file": None,
            "_marks": {},
        }

    def __setstate__(self, state):
        self.__dict__.update(state)
        self._file, self._in_users_file = None, memory_map_of(self._rows) is not None  # as joblib reads it


def _frozen(module):
    """Copies of the parameters that do not learn, by name."""
    parameters = module.named_parameters(remove_duplicate=False)
    return {name: p.detach().cpu().clone() for name, p in parameters if not p.requires_grad}


def _states(module, loss, without=()):
    """{(owner, name): tensor} of a module, and of the changing state of a loss."""
    states = {(OF_MODULE, name): v for name, v in module.state_dict().items() if name not in without}
    changing = {} if loss is None else changing_state(loss)
    return states | {(OF_LOSS, name): value for name, value in changing.items()}


def _layout(states):
    layout, start = [], 0
    for key, value in states.items():
        stop = start + value.numel() * value.element_size()
        layout.append((key, value.dtype, tuple(value.shape), start, stop))
        start = -(-stop // ALIGNMENT) * ALIGNMENT
    return layout, max(start, ALIGNMENT)


def make_snapshots(kind, module, n_snapshots, loss):
    """The `Snapshots`, or `FolderSnapshots`, that the parameter of the classifier asks for."""
    if is_folder(kind):
        return FolderSnapshots(kind, module, loss)
    only_trainable = isinstance(kind, str)  # that is no folder
    return Snapshots(module, n_snapshots, loss=loss, only_trainable=only_trainable)


def step_of(kind):
    """How many recorded epochs lie between two snapshots, the later one included."""
    return int(kind) if is_count(kind) else 1


def is_folder(kind):
    """Whether a kind of snapshots is the name of a folder."""
    return isinstance(kind, os.PathLike) or (isinstance(kind, str) and kind != "trainable")


def check_snapshots(kind):
    """Refuse what is no kind of snapshots.

    Raises
    ------
    ValueError
        For another word or number, or a folder that can neither be found nor made.
    """
    if is_flag(kind) or is_count(kind, 1) or is_one_of(kind, ("trainable",)):
        return
    if not is_folder(kind):
        raise ValueError(
            f'snapshots must be True, False, "trainable", an integer, 1 or greater, or a folder, got {kind!r}.'
        )
    path = user_path(kind)
    as_path = isinstance(kind, os.PathLike) or len(path.parts) > 1
    if not (path.is_dir() or (as_path and path.parent.is_dir() and not path.exists())):
        raise ValueError(
            f'snapshots must be True, False, "trainable", an integer, or a folder, got {kind!r}: there is no such '
            "folder, and none is made but by a whole path in a folder that exists."
        )


def check_same_kind(kind, snapshots):
    """Refuse another kind of snapshots than that with which a training began.

    Raises
    ------
    ValueError
    """
    began = "trainable" if getattr(snapshots, "only_trainable", False) else getattr(snapshots, "root", True)
    now = user_path(kind).absolute() if is_folder(kind) else True
    now = kind if is_one_of(kind, ("trainable",)) else now
    if now != began:
        raise ValueError(
            f"snapshots={kind!r} was set since the last fit, but training that goes on (warm_start=True, partial_fit) "
            f"keeps its weights where it began to, snapshots={began!r}: fit anew with warm_start=False, or set it back."
        )
