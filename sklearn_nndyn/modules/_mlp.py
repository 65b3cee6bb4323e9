"""The multilayer perceptron."""

from collections import OrderedDict
from collections.abc import Sequence
from math import prod

import torch
from sklearn.base import BaseEstimator

from sklearn_nndyn.utils.validation import FLAG, are_counts, broken_rules, is_below_one

ACTIVATIONS = {
    "relu": torch.nn.ReLU,
    "tanh": torch.nn.Tanh,
    "logistic": torch.nn.Sigmoid,
    "identity": torch.nn.Identity,
    "leaky_relu": torch.nn.LeakyReLU,
    "elu": torch.nn.ELU,
    "gelu": torch.nn.GELU,
    "silu": torch.nn.SiLU,
}


class MLP(BaseEstimator):
    """Multilayer perceptron: linear layers with a nonlinearity between them.

    An architecture, not yet a network: it holds parameters, can be cloned and searched over
    (``module__hidden_layer_sizes``), and :meth:`build` makes the torch module.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int, default=(100,)
        Width of each hidden layer, first to last. Empty: a linear classifier.
    activation : str, default="relu"
        One of ``"relu"``, ``"tanh"``, ``"logistic"``, ``"identity"``, ``"leaky_relu"``, ``"elu"``,
        ``"gelu"``, ``"silu"``.
    dropout : float, default=0.0
        Probability in [0, 1) with which a hidden activation is set to zero in training.
    batch_norm : bool, default=False
        Normalise each hidden layer over the batch, between the linear layer and the nonlinearity.

    Examples
    --------
    >>> from sklearn_nndyn.modules import MLP
    >>> MLP(hidden_layer_sizes=(32,), activation="tanh").build((64,), 10)
    Sequential(
      (linear1): Linear(in_features=64, out_features=32, bias=True)
      (activation1): Tanh()
      (output): Linear(in_features=32, out_features=10, bias=True)
    )
    """

    def __init__(self, hidden_layer_sizes=(100,), activation="relu", dropout=0.0, batch_norm=False):
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.batch_norm = batch_norm

    def build(self, input_shape: Sequence[int], n_classes: int) -> torch.nn.Sequential:
        """Make the torch module, its weights drawn from torch's global generator.

        Parameters
        ----------
        input_shape : tuple of int
            Shape of one sample; more than one axis is flattened.
        n_classes : int
            Number of outputs.

        Returns
        -------
        module : torch.nn.Sequential
            Maps (n_samples, *input_shape) to raw scores (n_samples, n_classes). Hidden layers are named
            ``linear1``, ``linear2``, ..., the last one ``output``.

        Raises
        ------
        ValueError
            If a parameter is out of its range.
        """
        self.check_parameters()
        layers: OrderedDict[str, torch.nn.Module] = OrderedDict()
        if len(input_shape) > 1:
            layers["flatten"] = torch.nn.Flatten()
        width = prod(input_shape)
        for i, size in enumerate(self.hidden_layer_sizes, start=1):
            layers[f"linear{i}"] = torch.nn.Linear(width, size)
            if self.batch_norm:
                layers[f"batch_norm{i}"] = torch.nn.BatchNorm1d(size)
            layers[f"activation{i}"] = ACTIVATIONS[self.activation]()
            if self.dropout:
                layers[f"dropout{i}"] = torch.nn.Dropout(self.dropout)
            width = size
        layers["output"] = torch.nn.Linear(width, n_classes)
        return torch.nn.Sequential(layers)

    def check_parameters(self) -> None:
        """Check every parameter; :meth:`build` does it too.

        Raises
        ------
        ValueError
            Names every parameter that is out of its range.
        """
        wanted = {
            "hidden_layer_sizes": ("a sequence of positive integers such as (100,)", are_counts),
            "activation": (f"one of {', '.join(ACTIVATIONS)}", *ACTIVATIONS),
            "dropout": ("a number in [0, 1)", is_below_one),
            "batch_norm": FLAG,
        }
        mistakes = broken_rules(self, wanted)
        if mistakes:
            raise ValueError(f"MLP: {'; '.join(mistakes)}.")
