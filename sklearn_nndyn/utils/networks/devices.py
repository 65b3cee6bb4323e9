"""What a device can do, and which there is; from a device to the host by few copies of much.

Each copy makes Python wait until the device has computed what it copies.
"""

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from functools import cache, partial

import numpy as np
import torch

BF16 = "bf16"  # forward passes of training by autocast, in less than the precision of the weights
ACCELERATORS = ("cuda", "mps", "xpu")
AUTOCAST_KINDS = ("cpu", *ACCELERATORS)
PENDING_BYTES = 64 * 2**20


def find_accelerator() -> torch.device | None:
    """The first accelerator that torch can use, without an index: CUDA (or ROCm), MPS, XPU; None without one."""
    kinds = (kind for kind in ACCELERATORS if getattr(torch, kind).is_available())
    return next(map(torch.device, kinds), None)


def has_float64(device: torch.device) -> bool:
    """Whether a device computes in double precision: MPS does not, nor do some of Intel's; tried once for each."""
    return device.type == "cpu" or _computes_in(torch.float64, device)


@cache
def _computes_in(dtype, device):
    try:
        torch.ones(2, dtype=dtype, device=device).sum().item()
    except (TypeError, RuntimeError):
        return False
    return True


@cache
def has_bf16(device: torch.device) -> bool:
    """Whether a device computes by autocast in bfloat16, which torch says by an error, or by a warning; tried once."""
    if not torch.amp.is_autocast_available(device.type):
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            with torch.autocast(device.type, dtype=torch.bfloat16):
                square = torch.ones(2, 2, dtype=torch.float32, device=device)
                return (square @ square).dtype == torch.bfloat16
        except (RuntimeError, UserWarning):
            return False


def autocast_of(precision: str | None, device: torch.device) -> Callable[[], AbstractContextManager] | None:
    """What makes the context of a forward pass of training; None for the precision of the weights."""
    return None if precision is None else partial(torch.autocast, device.type, dtype=torch.bfloat16)


def refuse_autocast() -> None:
    """ValueError within a block of autocast, where a classifier is to be trained or to be evaluated."""
    if any(map(torch.is_autocast_enabled, AUTOCAST_KINDS)):
        raise ValueError(
            "torch.autocast is on around this call, but networks are trained and evaluated in the precision of the "
            "parameter dtype: call it outside of the autocast block. Forward passes of training are in bfloat16 with "
            'precision="bf16".'
        )


def sum_dtype(device: torch.device) -> torch.dtype:
    """The dtype in which a device adds up many numbers: float64 where there is one, else float32."""
    return torch.float64 if has_float64(device) else torch.float32


def free_memory(device: torch.device) -> float:
    """Bytes that are free on an accelerator; infinite for one that does not tell."""
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
    of_kind = torch.get_device_module(device)
    return of_kind.mem_get_info(device)[0] if hasattr(of_kind, "mem_get_info") else float("inf")


def copies_pinned(device: torch.device) -> bool:
    """Whether a device (CUDA) copies from pinned memory of the host while Python goes on."""
    return device.type == "cuda"


def copy_into(array, values):
    """Write a tensor or an array into an array."""
    if isinstance(values, np.ndarray):
        array[...] = values
    else:
        torch.from_numpy(array).copy_(values)


@contextmanager
def few_copies(device):
    """Write into arrays as `copy_into` does; from another device than the CPU by one copy, or one for each 64 MiB.

    What the yielded ``write(array, values)`` wrote lies in the arrays, of float32 or of whole numbers that it holds
    exactly, once the context is left without an error.
    """
    if device.type == "cpu":
        yield copy_into
        return
    pending = _Pending()
    yield pending.write
    pending.flush()


class _Pending:
    """Tensors on a device, and where they are to be written."""

    def __init__(self):
        self.writes, self.nbytes = [], 0

    def write(self, array, values):
        if isinstance(values, np.ndarray):
            copy_into(array, values)
            return
        values = values.to(torch.float32)
        self.writes.append((array, values))
        self.nbytes += values.nbytes
        if self.nbytes >= PENDING_BYTES:
            self.flush()

    def flush(self):
        writes, self.writes, self.nbytes = self.writes, [], 0
        for (array, _), values in zip(writes, to_host([values for _, values in writes]), strict=True):
            copy_into(array, values)


def to_host(tensors):
    """Tensors of any dtypes on the CPU, by one copy from their device; those that lie there already as they are."""
    away = [tensor.detach() for tensor in tensors if tensor.device.type != "cpu"]
    if not away:
        return list(tensors)
    # The widest numbers first: each then begins where its dtype may begin.
    order = sorted(range(len(away)), key=lambda i: -away[i].element_size())
    flat = torch.cat([away[i].reshape(-1).view(torch.uint8) for i in order]).cpu()
    parts = dict(zip(order, flat.split([away[i].nbytes for i in order]), strict=True))
    here = (parts[i].view(tensor.dtype).view(tensor.shape) for i, tensor in enumerate(away))
    return [tensor if tensor.device.type == "cpu" else next(here) for tensor in tensors]
