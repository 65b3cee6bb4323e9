"""The weights at each recorded epoch, as files that others can read."""

import copy
import json
import os
import warnings
from itertools import count
from pathlib import Path

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from sklearn_nndyn.losses import changing_state, load_changing_state
from sklearn_nndyn.utils.files import replaced_file, user_path
from sklearn_nndyn.utils.networks.devices import to_host

OF_LOSS = "loss/"  # before the names of a loss's tensors


class FolderSnapshots:
    """As `Snapshots`, in a safetensors file for each epoch: the module's ``state_dict`` under its own names.

    Each history of weights makes a folder of its own in the given one: fit-1, fit-2, ... A copy, such as one that was
    pickled, refers to the files; it holds none, and what it stores further goes to a new folder.

    Parameters
    ----------
    folder : str or os.PathLike
        Where the folder is to be made; itself made where its parent exists.
    module : torch.nn.Module
    loss : ClassificationLoss, optional
        The trained loss, whose learned parameters and buffers are kept too.

    Attributes
    ----------
    place : pathlib.Path or None
        The folder of this history; None for a copy, until it stores something.
    """

    def __init__(self, folder, module, loss=None):
        self.root, self.epochs, self.complete, self.place = user_path(folder).absolute(), [], True, None
        self.row_size = sum(value.nbytes for value in module.state_dict().values())
        self._paths, self._keeps_loss = {}, loss is not None
        self._open()

    @property
    def state_size(self):
        """Bytes of the state of a network."""
        return self.row_size

    @property
    def nbytes(self):
        """Bytes in the files."""
        return len(self.epochs) * self.row_size

    def _open(self):
        self.root.mkdir(exist_ok=True)
        for number in count(1):
            self.place = self.root / f"fit-{number}"
            try:
                return self.place.mkdir()
            except FileExistsError:  # of another fit, perhaps of one that runs now
                continue

    def store(self, module, epoch, loss=None):
        """Store the state of a network; where the disk is full, a warning says where the weights end."""
        if not self.complete:
            return
        states = dict(module.state_dict())
        if self._keeps_loss and loss is not None:
            states |= {OF_LOSS + name: value for name, value in changing_state(loss).items()}
        # Tensors that share memory are not taken by the library: each is a copy of its own.
        tensors = {
            name: value.detach().clone(memory_format=torch.contiguous_format)
            for name, value in zip(states, to_host(list(states.values())), strict=True)
        }
        try:
            path = self._new_path(epoch)
            with replaced_file(path) as file:
                save_file(tensors, file, metadata={"epoch": json.dumps(epoch)})
        except (OSError, SafetensorError) as error:
            self._give_up(error)
            return
        self._paths[epoch] = path
        self.epochs.append(epoch)

    def _new_path(self, epoch):
        """A file that is not there yet: others may refer to one of that name."""
        if self.place is None or (self.place / _name(epoch)).exists():
            self._open()
        return self.place / _name(epoch)

    def _give_up(self, error):
        self.complete = False
        ends = f"replay ends at epoch {self.epochs[-1]}" if self.epochs else "there will be no replay"
        warnings.warn(
            f"The weights of further epochs could not be written to {self.place}: {error}. Training goes on and the "
            f"record is complete, but {ends}.",
            RuntimeWarning,
            stacklevel=3,
        )

    def row(self, position):
        """The path of a snapshot, as bytes."""
        return np.frombuffer(os.fsencode(self._paths[self.epochs[position]]), np.uint8)

    def add_row(self, row, epoch):
        """Go on after a snapshot whose path `row` gave."""
        self._paths[epoch] = Path(os.fsdecode(row.tobytes()))
        self.epochs.append(epoch)

    def _read(self, epoch):
        path = self._paths[epoch]
        try:
            return load_file(path)
        except (OSError, SafetensorError) as error:
            raise ValueError(
                f"The weights of epoch {epoch} cannot be read from {path}: {error}. Snapshots in a folder do not "
                "travel with the estimator: copy the folder to where it was."
            ) from error

    def state_dict(self, epoch):
        """The state at an epoch, as ``load_state_dict`` takes it."""
        return {name: v for name, v in self._read(epoch).items() if not name.startswith(OF_LOSS)}

    def load_loss(self, loss, epoch):
        """Restore the state of a loss at an epoch."""
        if self._keeps_loss:
            found = {name: v for name, v in self._read(epoch).items() if name.startswith(OF_LOSS)}
            load_changing_state(loss, {name.removeprefix(OF_LOSS): v for name, v in found.items()})

    def stacked(self, epochs):
        """The states at several epochs, {name: (n_epochs, ...)}."""
        states = [self.state_dict(epoch) for epoch in epochs]
        return {name: torch.stack([state[name] for state in states]) for name in states[0]}

    def until(self, epoch):
        """The earlier part of the history, as a copy."""
        shorter = copy.copy(self)
        shorter.epochs = [own for own in self.epochs if own <= epoch]
        return shorter

    def __getstate__(self):
        return {**self.__dict__, "place": None, "epochs": list(self.epochs), "_paths": dict(self._paths)}


def _name(epoch):
    return f"epoch-{epoch}.safetensors"
