"""The order in memory in which a network takes images: channels last where convolutions and poolings run faster so."""

from collections.abc import Callable
from functools import partial

import torch

from sklearn_nndyn.utils.networks.evaluation import is_plain

MOST_CHANNELS = 128


class ToImages(torch.nn.Unflatten):
    """The first part of a network whose samples are rows, or images without an axis for their one channel.

    Parameters
    ----------
    shape : tuple of int
        Of an image, (channels, height, width). Samples of that shape pass as they are.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__(1, shape)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images (n_samples, channels, height, width)."""
        return x if x.shape[1:] == self.unflattened_size else super().forward(x.flatten(1))


def make_layout(module: torch.nn.Module) -> Callable:
    """What puts a batch into the order in memory in which a network is run.

    It is decided by the parts of the network alone, and never by timing: every pass of the same network then rounds
    alike, in training, in records and in predictions. Parameters stay as they are: what a convolution makes lies in
    memory as what it was given.

    Parameters
    ----------
    module : torch.nn.Module
        Without the hooks of this package: those that look at it are registered afterwards.

    Returns
    -------
    layout : callable
        ``layout(x)`` gives the same numbers, of images in float32 on a CPU possibly with channels last.
    """
    if not pays_with_channels_last(module):
        return _as_it_is
    first = next(module.children(), None)
    return partial(_channels_last, first if isinstance(first, ToImages) else _as_it_is)


def pays_with_channels_last(module: torch.nn.Module) -> bool:
    """Whether a network is faster with channels last, on a CPU (measured in `benchmarks/bench_memory_format.py`).

    Convolutions of more than 128 channels are slower. Modules with a ``forward`` of the user's own, or hooks, may count
    on the usual order, as ``x.view(len(x), -1)`` does.

    Parameters
    ----------
    module : torch.nn.Module

    Returns
    -------
    pays : bool
    """
    widths = [part.out_channels for part in module.modules() if type(part) is torch.nn.Conv2d]
    return bool(widths) and max(widths) <= MOST_CHANNELS and is_plain(module)


def _channels_last(to_images, x):
    x = to_images(x)
    if not torch.is_tensor(x) or x.ndim != 4 or x.dtype != torch.float32 or x.device.type != "cpu":
        return x  # other convolutions have no kernels of their own for it
    return x.to(memory_format=torch.channels_last)


def _as_it_is(x):
    return x
