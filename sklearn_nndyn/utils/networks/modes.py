"""torch's modes and the global generators: at the end of a public call as at its beginning, however it ends.

torch's ``with torch.no_grad():`` is written in Python. A signal's handler that raises as its ``__enter__`` ends, or as
its ``__exit__`` begins, leaves gradients off in the user's thread; autocast, the default dtype and the levels of vmap
are left in the same way. Here they are written by one call in C within a ``finally``, where no handler is called.
"""

from collections.abc import Callable
from functools import partial, wraps
from operator import call
from typing import TypeVar, cast

import torch

from sklearn_nndyn.utils.networks.devices import ACCELERATORS
from sklearn_nndyn.utils.networks.evaluation import count_unfused, end_unfused
from sklearn_nndyn.utils.private_names import set_default_dtype, set_grad_enabled, set_vmap_depth, vmap_depth
from sklearn_nndyn.utils.random import count_swaps, undo_swaps


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
