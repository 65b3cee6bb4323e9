"""The forward pass of several convolution nets as one chain of grouped convolutions."""

import torch
from torch.nn import functional as F

from sklearn_nndyn.training._mlp_step import flat_parts
from sklearn_nndyn.utils.networks.evaluation import has_hooks

ELEMENTWISE = (
    *(torch.nn.ReLU, torch.nn.LeakyReLU, torch.nn.ELU, torch.nn.GELU, torch.nn.SiLU),
    *(torch.nn.Tanh, torch.nn.Sigmoid, torch.nn.Softplus, torch.nn.Identity),
)
POOLING = (torch.nn.MaxPool2d, torch.nn.AvgPool2d, torch.nn.AdaptiveAvgPool2d, torch.nn.AdaptiveMaxPool2d)


class GroupedConvolutions:
    """Scores of M convolution nets of one layout: their channels lie side by side, (n, M channels, height, width).

    A convolution is then one grouped convolution, a linear layer one batched product. With channels last this takes
    two thirds of the time that ``vmap`` takes for whole fits (`benchmarks/bench_together.py`).

    Parameters
    ----------
    module : torch.nn.Sequential
        One of them, see :meth:`supports`.
    """

    @staticmethod
    def supports(module):
        """Whether it is a chain of plain convolutions and poolings, a flattening, and linear layers."""
        parts = flat_parts(module)
        kinds = [type(part) for part in parts]
        # Every parameter has one name, as in `state`.
        is_tied = sum(len(list(part.parameters())) for part in parts) > len(list(module.parameters()))
        if torch.nn.Flatten not in kinds or is_tied or has_hooks(module):
            return False
        cut = kinds.index(torch.nn.Flatten)
        return (
            kinds[0] is torch.nn.Conv2d
            and all(_is_plain(part) for part in parts[:cut])
            and (parts[cut].start_dim, parts[cut].end_dim) == (1, -1)
            and all(kind is torch.nn.Linear or kind in ELEMENTWISE for kind in kinds[cut + 1 :])
            and kinds[-1] is torch.nn.Linear
        )

    def __init__(self, module):
        names = {part: name for name, part in module.named_modules()}
        self.parts = [(names[part], part) for part in flat_parts(module)]

    def __call__(self, state, x, shared):
        """Scores (m, n, n_classes) of the rows of m networks, (m, n, channels, height, width), or of rows they share.

        ``state`` are their parameters, (m, ...), by name.
        """
        m = len(next(iter(state.values())))
        n = x.shape[0 if shared else 1]
        x = x if shared else x.transpose(0, 1).flatten(1, 2)
        x = x.contiguous(memory_format=torch.channels_last)
        groups = 1 if shared else m
        for name, part in self.parts:
            weight, bias = state.get(f"{name}.weight"), state.get(f"{name}.bias")
            match part:
                case torch.nn.Conv2d():
                    bias = None if bias is None else bias.flatten()
                    weight = weight.flatten(0, 1)
                    x = F.conv2d(x, weight, bias, part.stride, part.padding, part.dilation, groups)
                    groups = m
                case torch.nn.Flatten():
                    x = x.reshape(n, m, -1).transpose(0, 1)
                case torch.nn.Linear():
                    x = x @ weight.mT if bias is None else torch.baddbmm(bias[:, None], x, weight.mT)
                case _:
                    x = part(x)
        return x


def _is_plain(part):
    if type(part) is torch.nn.Conv2d:
        return part.groups == 1 and part.padding_mode == "zeros"
    return type(part) in ELEMENTWISE + POOLING and not getattr(part, "return_indices", False)
