"""What a failed epoch is undone from: a copy of all that training changes; of a large network it lies on the disk."""

import copy
import tempfile
import weakref
from itertools import accumulate

import numpy as np
import torch

from sklearn_nndyn.losses import changing_state, load_changing_state
from sklearn_nndyn.utils.files import write_at

LARGE = 64 * 2**20  # bytes of weights and moments from which a copy lies on the disk
ALIGNMENT = 64
TENSOR = object()  # in place of the next tensor


class TrainingCheckpoint:
    """A copy of everything that training changes; `restore` rolls training back to the time of the copy.

    Parameters
    ----------
    net : DynamicsNet
    shuffler : torch.Generator or None
    generators : list of RandomState
    """

    def __init__(self, net, shuffler, generators):
        self.net, self.shuffler, self.generators = net, shuffler, generators
        self.epoch = len(net.history)
        optimized = net.optimizer_.state
        self.parameters = list(optimized)
        self.copy = StatesCopy(
            [net.module_.state_dict(), changing_state(net.criterion_), *optimized.values()]
        )
        self.states = [generator.states for generator in generators]
        self.shuffling = None if shuffler is None else shuffler.get_state()

    def restore(self):
        """Roll back to this checkpoint."""
        del self.net.history_[self.epoch :]
        weights, loss, *optimized = self.copy.read()
        self.net.module_.load_state_dict(weights)
        load_changing_state(self.net.criterion_, loss)
        state = self.net.optimizer_.state
        state.clear()
        for parameter, own in zip(self.parameters, optimized, strict=True):
            state[parameter] = {
                name: value.clone() if torch.is_tensor(value) else value for name, value in own.items()
            }
        for generator, states in zip(self.generators, self.states, strict=True):
            generator.states = states
        if self.shuffler is not None:
            self.shuffler.set_state(self.shuffling)


class StatesCopy:
    """A copy of states, each {name: tensor or plain value}.

    It costs no memory where the tensors are large: then they are written to a temporary file. Where that cannot be
    made, or is full, they are copied in memory all the same.

    Parameters
    ----------
    states : list of dict
    """

    @torch.no_grad()
    def __init__(self, states):
        self._states = [{name: _plain(value) for name, value in state.items()} for state in states]
        self._tensors = _copied([value for state in states for value in state.values() if _is_tensor(value)])

    def read(self):
        """The states; their tensors are this copy's own, or mapped from its file, and only to be read."""
        tensors = iter(self._tensors)
        return [
            {name: next(tensors) if value is TENSOR else value for name, value in state.items()}
            for state in self._states
        ]


def _is_tensor(value):
    return isinstance(value, torch.Tensor)


def _plain(value):
    """A copy of a plain value; what stands for a tensor, in place of one."""
    return TENSOR if _is_tensor(value) else copy.deepcopy(value)


def _copied(tensors):
    if _are_large(tensors):
        try:
            return _OnDisk(tensors)
        except OSError:  # no room, or no folder for temporary files
            pass
    return [tensor.clone() for tensor in tensors]


def _are_large(tensors):
    n_bytes = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    return n_bytes >= LARGE and all(map(_is_dense, tensors))


def _is_dense(tensor):
    """Whether a tensor fills its memory, in some order of its axes, so that its bytes can be written as they lie."""
    strided = tensor.layout is torch.strided
    return strided and torch.empty_like(tensor, device="meta").stride() == tensor.stride()


class _OnDisk:
    """Tensors in a temporary file, which goes when this does, also where the process is killed."""

    def __init__(self, tensors):
        self._kinds = [(one.device, one.dtype, tuple(one.shape), one.stride()) for one in tensors]
        sizes = [tensor.nbytes for tensor in tensors]
        self._starts = [0, *accumulate(-(-size // ALIGNMENT) * ALIGNMENT for size in sizes)]
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (it lives as long as this)
        weakref.finalize(self, self._file.close)
        for tensor, start in zip(tensors, self._starts, strict=False):
            if tensor.nbytes:
                write_at(self._file, _flat(tensor).cpu().view(torch.uint8).numpy(), start)
        self._file.truncate(self._starts[-1] or ALIGNMENT)  # nothing cannot be mapped

    def __iter__(self):
        data = torch.from_numpy(np.memmap(self._file, np.uint8, "c"))
        for (device, dtype, shape, stride), start in zip(self._kinds, self._starts, strict=False):
            size = int(np.prod(shape)) * dtype.itemsize
            yield data[start : start + size].view(dtype).as_strided(shape, stride).to(device)


def _flat(tensor):
    """The numbers of a dense tensor in the order of its memory."""
    return tensor.as_strided((tensor.numel(),), (1,))
