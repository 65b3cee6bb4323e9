"""What a device can do, and which there is."""

from functools import cache

import torch

ACCELERATORS = ("cuda", "mps", "xpu")


def find_accelerator() -> torch.device | None:
    """The first accelerator of this machine that torch can use: CUDA (or ROCm), MPS, XPU; None where there is none.

    Returns
    -------
    device : torch.device or None
        Without an index: torch's current one of its kind.
    """
    kinds = (kind for kind in ACCELERATORS if getattr(torch, kind).is_available())
    return next(map(torch.device, kinds), None)


def has_float64(device: torch.device) -> bool:
    """Whether a device computes in double precision: MPS does not, nor do some of Intel's.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    has : bool
        Found by a trial, once for each device.
    """
    return device.type == "cpu" or _computes_in(torch.float64, device)


@cache
def _computes_in(dtype, device):
    try:
        torch.ones(2, dtype=dtype, device=device).sum().item()
    except (TypeError, RuntimeError):
        return False
    return True


def sum_dtype(device: torch.device) -> torch.dtype:
    """The dtype in which a device adds up many numbers.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    dtype : torch.dtype
        float64 where there is one, else float32.
    """
    return torch.float64 if has_float64(device) else torch.float32


def free_memory(device: torch.device) -> float:
    """Bytes that are free on an accelerator.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    n_bytes : float
        Infinite for a device that does not tell.
    """
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.current_allocated_memory()
    of_kind = torch.get_device_module(device)
    return of_kind.mem_get_info(device)[0] if hasattr(of_kind, "mem_get_info") else float("inf")


def copies_pinned(device: torch.device) -> bool:
    """Whether a device copies from pinned memory of the host while Python goes on.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    copies : bool
        True for CUDA.
    """
    return device.type == "cuda"
