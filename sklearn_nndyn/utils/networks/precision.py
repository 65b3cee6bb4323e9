"""Forward passes in less than the precision of the weights: torch's autocast, for batches of training alone."""

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import cache, partial

import torch

from sklearn_nndyn.utils.modules import run, scores_of

BF16 = "bf16"


def autocast_of(precision: str | None, device: torch.device) -> Callable[[], AbstractContextManager] | None:
    """What makes the context of a forward pass of training.

    Parameters
    ----------
    precision : {None, "bf16"}
    device : torch.device

    Returns
    -------
    autocast : callable or None
        ``with autocast(): ...``; None for the precision of the weights.
    """
    return None if precision is None else partial(torch.autocast, device.type, dtype=torch.bfloat16)


@cache
def has_bf16(device: torch.device) -> bool:
    """Whether a device computes by autocast in bfloat16, which torch says by an error, or by a warning.

    Parameters
    ----------
    device : torch.device

    Returns
    -------
    has : bool
        Found by a trial, once for each device.
    """
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


def scores_in(autocast, module, x):
    """Scores of a batch: of a forward pass by autocast where there is one, and then in float32.

    Parameters
    ----------
    autocast : callable or None
        As `autocast_of` gives it.
    module : torch.nn.Module
    x : tensor or dict of tensors

    Returns
    -------
    scores : tensor of shape (n_samples, n_classes)
    """
    if autocast is None:
        return scores_of(run(module, x))
    with autocast():
        output = run(module, x)
    return scores_of(output).float()
