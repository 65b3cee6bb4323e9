"""A network evaluated so that nothing shows it: its modes and state, torch's modes, and the generators as before.

torch's ``with torch.no_grad():`` is written in Python. A signal's handler that raises as its ``__enter__`` ends, or as
its ``__exit__`` begins, leaves gradients off in the user's thread; autocast, the default dtype and the levels of vmap
are left in the same way. `keeps_modes` writes them by one call in C within a ``finally``, where no handler is called.
"""

import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager, nullcontext
from functools import partial, wraps
from operator import call
from threading import get_ident
from typing import ClassVar, TypeVar, cast

import torch
from torch.backends import mha

from sklearn_nndyn.utils.networks.copying import ModuleMemory
from sklearn_nndyn.utils.networks.devices import ACCELERATORS
from sklearn_nndyn.utils.private_names import (
    dispatch_depth,
    gradient_hooks,
    has_global_hooks,
    set_default_dtype,
    set_dispatch_depth,
    set_grad_enabled,
    set_vmap_depth,
    vmap_depth,
)
from sklearn_nndyn.utils.random import (
    count_swaps,
    fixed_generators,
    stop_watching,
    undo_swaps,
    untouched_generators,
)

# Where the parts live whose forward passes are known.
OWN = ("torch.nn.modules.", "sklearn_nndyn.modules._resnet", "sklearn_nndyn.utils.networks.memory_format")
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
LOADING_HOOKS = ("_load_state_dict_pre_hooks", "_load_state_dict_post_hooks")
TABLES = (torch.nn.Embedding, torch.nn.EmbeddingBag)
# They draw random numbers in evaluation too.
DRAWING = (torch.nn.FractionalMaxPool2d, torch.nn.FractionalMaxPool3d)
# They write the statistics that they read in evaluation, and round them: in older versions of torch.
AVERAGING = (torch.nn.InstanceNorm1d, torch.nn.InstanceNorm2d, torch.nn.InstanceNorm3d)


class Evaluator:
    """Evaluates networks so that they, their losses and the global random generators are afterwards as before.

    Random numbers are the same in every evaluation. This costs something only where a network changes or draws: of
    one made of torch's own parts it is known that it does neither, of others it shows in the first evaluation.

    Parameters
    ----------
    device : torch.device
        The device of the networks.
    loss_is_known : bool
        Whether all that their loss does is known, and leaves no trace.
    """

    def __init__(self, device, loss_is_known):
        self.device, self.loss_is_known = device, loss_is_known
        self.draws, self.changes = True, True

    @contextmanager
    def __call__(self, module, loss, runs_alone=True):
        """For the time of one evaluation; ``runs_alone`` says that nothing else is run in it."""
        parts = list(module.modules())
        leaves_no_trace = runs_alone and self.loss_is_known and all(map(_is_plain_part, parts))
        with (
            torch.no_grad(),
            _parts_in_evaluation([*parts, *loss.modules()]),
            nullcontext() if leaves_no_trace else self._restored(module, loss),
        ):
            yield

    def leaves_no_trace(self, module):
        """Whether nothing changes or is drawn, as is known of the parts or was seen in the evaluations so far."""
        return (self.loss_is_known and is_plain(module)) or not (self.draws or self.changes)

    @contextmanager
    def _restored(self, module, loss):
        generators = (fixed_generators if self.draws else untouched_generators)(self.device)
        memory = ModuleMemory(module, loss) if self.changes else None
        with generators:
            try:
                yield
            finally:
                if memory is not None:  # tables that cut nothing now may do so later
                    self.changes = memory.restore() or cuts_norms(module)
        self.draws = self.draws and generators.drew


def evaluation_mode(*modules):
    """Set every part of some modules to evaluation, and afterwards back to what each one was."""
    return _parts_in_evaluation([part for module in modules for part in module.modules()])


@contextmanager
def _parts_in_evaluation(parts):
    training = [part for part in parts if part.training]
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

    It is if it is made of torch's own parts and this package's alone, without hooks, but for those known to do either.
    """
    return not has_global_hooks() and all(map(_is_plain_part, module.modules()))


def _is_plain_part(part):
    own = type(part).__module__.startswith(OWN)
    return own and not isinstance(part, DRAWING) and not _writes(part) and not _is_hooked(part)


def _writes(part):
    return _cuts_norms(part) or (isinstance(part, AVERAGING) and part.track_running_stats)


def _cuts_norms(part):
    return isinstance(part, TABLES) and part.max_norm is not None


def has_loading_hooks(module):
    """Whether a part has hooks that run as its state is loaded."""
    return any(getattr(part, name, None) for part in module.modules() for name in LOADING_HOOKS)


def has_hooks(module):
    """Whether a part has hooks, or as an object a ``forward`` of its own, which only a call of the part sees to.

    Also hooks of its parameters, which only autograd sees to, and those of all modules.
    """
    return has_global_hooks() or any(map(_is_hooked, module.modules())) or hooks_gradients(module)


def hooks_gradients(module):
    """Whether a parameter has hooks, which see or change its gradient."""
    own = (p for part in module.modules() for p in part._parameters.values() if p is not None)
    return any(any(gradient_hooks(p)) for p in own)


def _is_hooked(part):
    own = vars(part)
    return "forward" in own or any(map(own.get, HOOKS))


def _put_back_dtype(dtype):
    if torch.get_default_dtype() is not dtype:  # setting it takes longer than all the others
        set_default_dtype(dtype)


# (reads a mode, writes it); what is written in Python comes last.
MODES = (
    (torch.is_grad_enabled, set_grad_enabled),
    *(
        (partial(torch.is_autocast_enabled, kind), partial(torch.set_autocast_enabled, kind))
        for kind in ("cpu", *ACCELERATORS)
    ),
    (vmap_depth, set_vmap_depth),
    (dispatch_depth, set_dispatch_depth),
    (sys.getprofile, stop_watching),
    (torch.get_default_dtype, _put_back_dtype),
    (count_unfused, end_unfused),
    (count_swaps, undo_swaps),
)
_READERS, _WRITERS = zip(*MODES, strict=True)


Door = TypeVar("Door", bound=Callable)


def keeps_modes(door: Door) -> Door:
    """Let a function leave torch's modes and the generators as it found them.

    Parameters
    ----------
    door : callable
        A function or method that users call, and that runs networks.

    Returns
    -------
    door : callable
    """

    @wraps(door)
    def inside(*args, **kwargs):
        before = tuple(map(call, _READERS))
        try:
            return door(*args, **kwargs)
        finally:
            tuple(map(call, _WRITERS, before))

    return cast(Door, inside)
