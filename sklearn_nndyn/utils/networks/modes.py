"""torch's settings around a fit: what would change it without a word is set aside, or refused."""

from contextlib import contextmanager

import torch


@contextmanager
def float32_by_default():
    """New tensors are of float32, whatever the user's default: the same seed gives the same weights."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def refuse_modes():
    """Raise ValueError inside autocast or inference mode: a fit computes in the precision of its ``dtype``."""
    if any(map(torch.is_autocast_enabled, ("cpu", "cuda"))):
        raise ValueError(
            "torch.autocast is on around this call, but networks are trained in the precision of the parameter dtype: "
            "call it outside of the autocast block."
        )
    if torch.is_inference_mode_enabled():
        raise ValueError(
            "torch.inference_mode is on around this call, and nothing can be trained in it: call it outside of that "
            "block."
        )
