"""The average of a network's weights over its training."""

from typing import Any

import torch
from torch.func import functional_call
from torch.nn.parameter import is_lazy

from sklearn_nndyn.utils.validation import is_finite


class AveragedWeights(torch.nn.Module):
    """A network that is trained as ever, and predicts with the average of its weights over the training.

    In training mode it is the network itself, and each batch first counts the weights as they are then; in evaluation
    mode it computes with their average. What is recorded, replayed, validated and predicted is therefore the average,
    as of every epoch.

    Parameters
    ----------
    module : torch.nn.Module
        The network. It is trained where it is: give a copy to keep it as it is.
    decay : float or None, default=0.99
        Of the exponential moving average: the share of the old average that remains after an update. None weighs all
        updates from ``begin`` on the same (stochastic weight averaging).
    begin : int, default=0
        Updates before averaging begins; until then it predicts as the network itself does.

    Attributes
    ----------
    n_averaged : tensor of int
        How many times weights were counted, those before ``begin`` included.

    Notes
    -----
    The weights that a batch counts are those before its update, so those after the very last update are left out.
    Buffers, such as the running statistics of batch normalisation, are those of the network.

    Examples
    --------
    >>> import torch
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> from sklearn_nndyn.modules import AveragedWeights
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = DynamicsClassifier(lambda shape, k: AveragedWeights(torch.nn.Linear(shape[0], k)), random_state=0)
    >>> bool(clf.fit(X, y).dynamics_.accuracy[-1] == clf.score(X, y))
    True
    """

    n_averaged: torch.Tensor

    def __init__(self, module: torch.nn.Module, decay: float | None = 0.99, begin: int = 0):
        super().__init__()
        if decay is not None and not (is_finite(decay) and 0 <= decay < 1):
            raise ValueError(f"decay must be None or a number from 0 to 1, 1 excluded, got {decay!r}.")
        if any(map(is_lazy, module.parameters())):
            raise ValueError(
                "AveragedWeights: the module has lazy layers, whose weights have no shape yet: call it with some rows "
                "first."
            )
        self.module, self.decay, self.begin = module, decay, begin
        self.register_buffer("n_averaged", torch.zeros((), dtype=torch.long))
        for name, parameter in self._averaged():
            self.register_buffer(_of(name), parameter.detach().clone())

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Output of the network: as it is in training, with the averaged weights in evaluation.

        Parameters
        ----------
        *args : Any
            The network's own.
        **kwargs : Any
            Likewise.

        Returns
        -------
        output : tensor, or what else the network gives
            Its output.
        """
        if self.training:
            self._count()
        if self.training or self.n_averaged <= self.begin:
            return self.module(*args, **kwargs)
        averages = {name: getattr(self, _of(name)) for name, _ in self._averaged()}
        return functional_call(self.module, averages, args, kwargs)

    def reset_parameters(self) -> None:
        """Forget the average."""
        self.n_averaged.zero_()
        for name, _ in self._averaged():
            getattr(self, _of(name)).zero_()

    def _averaged(self):
        return [(name, p) for name, p in self.module.named_parameters() if p.is_floating_point()]

    @torch.no_grad()
    def _count(self):
        self.n_averaged += 1
        counted = int(self.n_averaged) - self.begin
        if counted < 1:
            return
        share = 1 / counted if self.decay is None or counted == 1 else 1 - self.decay
        for name, parameter in self._averaged():
            getattr(self, _of(name)).lerp_(parameter, share)


def _of(name):
    """Name of the buffer that holds the average of a parameter."""
    return f"average of {name}".replace(".", " ")
