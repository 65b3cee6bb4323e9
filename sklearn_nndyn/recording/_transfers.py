"""From a device to the host: few copies of much, for each makes Python wait until the device has computed it."""

from contextlib import contextmanager

import numpy as np
import torch

PENDING_BYTES = 64 * 2**20


def copy_into(array, values):
    """Write a tensor or an array into an array."""
    if isinstance(values, np.ndarray):
        array[...] = values
    else:
        torch.from_numpy(array).copy_(values)


@contextmanager
def few_copies(device):
    """Write into arrays as `copy_into` does; from another device than the CPU by one copy, or one for each 64 MiB.

    Parameters
    ----------
    device : torch.device

    Yields
    ------
    write : callable
        ``write(array, values)``; what it wrote lies in the arrays once the context is left without an error. Arrays are
        of float32, or of whole numbers that it holds exactly.
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
    """Tensors of any dtypes on the CPU, by one copy from their device; those that lie there already as they are.

    Parameters
    ----------
    tensors : list of tensors
        On the CPU and at most one other device.

    Returns
    -------
    tensors : list of tensors
        Of the same dtypes and shapes.
    """
    away = [tensor.detach() for tensor in tensors if tensor.device.type != "cpu"]
    if not away:
        return list(tensors)
    # The widest numbers first: each then begins where its dtype may begin.
    order = sorted(range(len(away)), key=lambda i: -away[i].element_size())
    flat = torch.cat([away[i].reshape(-1).view(torch.uint8) for i in order]).cpu()
    parts = dict(zip(order, flat.split([away[i].nbytes for i in order]), strict=True))
    here = (parts[i].view(tensor.dtype).view(tensor.shape) for i, tensor in enumerate(away))
    return [tensor if tensor.device.type == "cpu" else next(here) for tensor in tensors]
