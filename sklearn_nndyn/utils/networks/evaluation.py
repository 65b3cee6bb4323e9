"""A network in evaluation: its modes, torch's fused attention, and its state, all put back afterwards."""

import threading
from contextlib import contextmanager
from threading import get_ident
from typing import ClassVar

import torch
from torch.backends import mha

from sklearn_nndyn.utils.networks.memory import ModuleMemory

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
LOADING_HOOKS = ("_load_state_dict_pre_hooks", "_load_state_dict_post_hooks")
TABLES = (torch.nn.Embedding, torch.nn.EmbeddingBag)
# They draw random numbers in evaluation too.
DRAWING = (torch.nn.FractionalMaxPool2d, torch.nn.FractionalMaxPool3d)
# They write the statistics that they read in evaluation, and round them: in older versions of torch.
AVERAGING = (torch.nn.InstanceNorm1d, torch.nn.InstanceNorm2d, torch.nn.InstanceNorm3d)


@contextmanager
def evaluation_mode(*modules):
    """Set every part of some modules to evaluation, and afterwards back to what each one was."""
    training = [part for module in modules for part in module.modules() if part.training]
    for part in training:
        part.training = False
    try:
        with unfused_attention():
            yield
    finally:
        for part in training:
            part.training = True


class _Uses:
    """The passes that have put fused attention aside, by their threads, and what it is to be afterwards."""

    lock, before = threading.Lock(), True
    threads: ClassVar[list[int]] = []


@contextmanager
def unfused_attention():
    """Run attention as in training.

    In evaluation torch has a fused path that packs padded rows into nested tensors and calls no inner layer, so that
    hidden layers cannot be seen, and whose scores differ from the usual path's in the last bits.
    """
    n_open = count_unfused()
    with _Uses.lock:
        if not _Uses.threads:
            _Uses.before = mha.get_fastpath_enabled()
        _Uses.threads.append(get_ident())
        mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        end_unfused(n_open)


def count_unfused():
    """Passes of this thread that have put fused attention aside."""
    return _Uses.threads.count(get_ident()) if _Uses.threads else 0


def end_unfused(n_open):
    """End the innermost passes of this thread, down to so many; fused attention comes back with the last of all."""
    while count_unfused() > n_open:
        with _Uses.lock:
            if len(_Uses.threads) == 1:
                mha.set_fastpath_enabled(_Uses.before)
            _Uses.threads.remove(get_ident())


def cuts_norms(module):
    """Whether a module cuts rows of a table to a largest norm, as they are looked up."""
    return any(map(_cuts_norms, module.modules()))


@contextmanager
def unchanged(module):
    """Run a module so that it is afterwards as before."""
    if is_plain(module):
        yield
        return
    memory = ModuleMemory(module)
    try:
        yield
    finally:
        memory.restore()


def is_plain(module):
    """Whether a module is known to change nothing and to draw no random numbers in evaluation.

    It is if it is made of torch's own parts alone, without hooks, but for those known to do either.
    """
    return all(map(_is_plain_part, module.modules()))


def _is_plain_part(part):
    own = type(part).__module__.startswith("torch.nn.modules.")
    return own and not isinstance(part, DRAWING) and not _writes(part) and not _is_hooked(part)


def _writes(part):
    return _cuts_norms(part) or (isinstance(part, AVERAGING) and part.track_running_stats)


def _cuts_norms(part):
    return isinstance(part, TABLES) and part.max_norm is not None


def has_loading_hooks(module):
    """Whether a part has hooks that run as its state is loaded."""
    return any(getattr(part, name, None) for part in module.modules() for name in LOADING_HOOKS)


def has_hooks(module):
    """Whether a part has hooks, or as an object a ``forward`` of its own, which only a call of the part sees to."""
    return any(map(_is_hooked, module.modules()))


def _is_hooked(part):
    return "forward" in vars(part) or any(getattr(part, name, None) for name in HOOKS)
