"""Layers of convolution networks once more, slowly, in float64 NumPy."""

import numpy as np
import torch

EPSILON = 1e-5  # of batch normalisation


def convolution(x, weight, stride=1, bias=None):
    """Convolution of x (n, channels, height, width) with weight (width, channels, k, k), k odd, zeros around."""
    k = weight.shape[-1]
    edge = (k - 1) // 2
    padded = np.pad(x, [(0, 0), (0, 0), (edge, edge), (edge, edge)])
    rows, columns = range(0, x.shape[2], stride), range(0, x.shape[3], stride)
    made = np.empty((len(x), len(weight), len(rows), len(columns)))
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            window = padded[:, :, row : row + k, column : column + k]
            for unit, kernel in enumerate(weight):
                made[:, unit, i, j] = (window * kernel).sum((1, 2, 3))
    return made if bias is None else made + bias[:, None, None]


class Network:
    """The values of a module's parameters and buffers, with which to compute what it should make.

    Parameters
    ----------
    module : torch.nn.Module
    training : bool
        Batch normalisation by the batch, or by the running statistics.
    """

    def __init__(self, module, training=False):
        self.state = {name: value.numpy().copy() for name, value in module.state_dict().items()}
        self.training = training
        self.statistics = {}

    def convolution(self, x, name, stride=1):
        return convolution(x, self.state[f"{name}.weight"], stride, self.state.get(f"{name}.bias"))

    def batch_norm(self, x, name):
        mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3))
        n = x.size / x.shape[1]
        # What the running statistics are after this batch.
        self.statistics[f"{name}.running_mean"] = 0.9 * self.state[f"{name}.running_mean"] + 0.1 * mean
        self.statistics[f"{name}.running_var"] = 0.9 * self.state[
            f"{name}.running_var"
        ] + 0.1 * variance * n / (n - 1)
        if not self.training:
            mean, variance = self.state[f"{name}.running_mean"], self.state[f"{name}.running_var"]
        z = (x - mean[:, None, None]) / np.sqrt(variance + EPSILON)[:, None, None]
        return z * self.state[f"{name}.weight"][:, None, None] + self.state[f"{name}.bias"][:, None, None]

    def output(self, x):
        """Global average pooling, and the linear layer."""
        return x.mean((2, 3)) @ self.state["output.weight"].T + self.state["output.bias"]


def with_any_values(module, seed=0):
    """The module in float64 with all of its parameters and running statistics drawn at random."""
    generator = torch.Generator().manual_seed(seed)
    module.double()
    with torch.no_grad():
        for name, value in module.state_dict().items():
            if value.is_floating_point():
                drawn = torch.randn(value.shape, generator=generator, dtype=value.dtype)
                value.copy_(drawn.abs() + 0.5 if name.endswith("running_var") else drawn)
    return module


def images(*shape, seed=0):
    """Normal pixels in float64."""
    return np.random.default_rng(seed).normal(size=shape)


def layer_shapes(module, shape):
    """{name: shape of one sample} of the hidden layers, as the library records them."""
    from sklearn_nndyn.utils.modules import capture_activations
    from sklearn_nndyn.utils.networks.evaluation import evaluation_mode

    with torch.no_grad(), evaluation_mode(module), capture_activations(module) as forward:
        _, layers = forward(torch.zeros(2, *shape))
    return {name: tuple(values.shape[1:]) for name, values in layers.items()}


def n_parameters(module):
    return sum(p.numel() for p in module.parameters())
