"""Random numbers of one's own: a private state in place of the global generators, for a while."""

import threading
from contextlib import contextmanager

import numpy as np
import torch

# torch's and NumPy's global generators belong to the whole process: two threads must not swap them at once.
_GLOBAL_GENERATORS = threading.RLock()


class RandomState:
    """The states of torch's and NumPy's global generators, as one value that can be kept and pickled.

    Parameters
    ----------
    seed : int
        Seeds both.
    device : torch.device or str, default="cpu"
        The generator of this device is covered too.
    """

    def __init__(self, seed, device="cpu"):
        self.seed = seed
        self.device = torch.device(device)
        self.states = None

    def __enter__(self):
        _GLOBAL_GENERATORS.acquire()
        self._outer = _read(self.device)
        if self.states is None:
            _seed(self.device, self.seed)
        else:
            _write(self.device, self.states)
        return self

    def __exit__(self, *_):
        self.states = _read(self.device)
        _write(self.device, self.__dict__.pop("_outer"))
        _GLOBAL_GENERATORS.release()

    @contextmanager
    def as_generator(self, generator):
        """Lend the state to ``generator``, which draws the same numbers without touching the global ones."""
        place = 0 if generator.device.type == "cpu" else 1
        if self.states is None:
            with self:
                pass
        generator.set_state(self.states[place])
        try:
            yield generator
        finally:
            states = list(self.states)
            states[place] = generator.get_state()
            self.states = tuple(states)


@contextmanager
def untouched_generators(device="cpu"):
    """Leave the global generators as they were found, whatever is drawn inside."""
    device = torch.device(device)
    with _GLOBAL_GENERATORS:
        states = _read(device)
        try:
            yield
        finally:
            _write(device, states)


def _read(device):
    on_device = torch.cuda.get_rng_state(device) if device.type == "cuda" else None
    return torch.get_rng_state(), on_device, np.random.get_state()


def _seed(device, seed):
    # torch.manual_seed seeds the same generators and others beside them, at thirty times the cost.
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.manual_seed(seed)
    np.random.seed(seed % 2**32)


def _write(device, states):
    on_host, on_device, numpy_state = states
    torch.set_rng_state(on_host)
    if on_device is not None:
        torch.cuda.set_rng_state(on_device, device)
    np.random.set_state(numpy_state)
