"""The norm of each sample's gradient."""

import torch
from sklearn.base import BaseEstimator
from torch.func import functional_call, grad, vmap

from sklearn_nndyn.losses import ClassificationLoss
from sklearn_nndyn.utils.modules import inputs_of, last_linear, scores_of

PARAMETERS = ("last", "all")
CHUNK_BYTES = 256 * 2**20


class Gradients(BaseEstimator):
    """Record the norm of the gradient of each sample's loss: an entry of ``record``.

    Which samples pull at the weights? The string ``"gradients"`` stands for the default.

    Parameters
    ----------
    parameters : {"last", "all"}, default="last"
        ``"last"``: weight and bias of the last linear layer, in closed form: with g the gradient in the scores and h
        the input of that layer, the norm is ||g|| sqrt(||h||^2 + 1), without a bias ||g|| ||h||. It is for networks
        whose raw scores that layer makes. ``"all"``: all parameters of any network, exactly, by ``torch.func``; as
        costly as a backward pass for each sample.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> X, y = load_iris(return_X_y=True)
    >>> clf = DynamicsClassifier(max_epochs=3, record=("samples", "gradients"), random_state=0).fit(X, y)
    >>> clf.dynamics_.gradient_norm.shape
    (150, 4)
    """

    def __init__(self, parameters: str = "last") -> None:
        self.parameters = parameters

    def check(self) -> None:
        """Raise ValueError for parameters that cannot be used."""
        if self.parameters not in PARAMETERS:
            raise ValueError(f'Gradients: parameters must be "last" or "all", got {self.parameters!r}.')

    def check_network(self, module: torch.nn.Module, x: torch.Tensor) -> None:
        """Raise ValueError where the last linear layer does not make the scores.

        Parameters
        ----------
        module : torch.nn.Module
            The network.
        x : tensor of shape (n_rows, ...)
            Some rows to try it on.
        """
        if self.parameters == "all":
            return
        scores, h, linear = last_linear(module, x)
        if (
            linear is None
            or h.ndim != 2
            or not torch.allclose(scores_of(linear(h)), scores, rtol=1e-4, atol=1e-5)
        ):
            raise ValueError(
                "Gradients: the scores of this network are not made by its last linear layer, so their gradient has "
                'no closed form; use Gradients(parameters="all").'
            )

    def norms(
        self, module: torch.nn.Module, loss: ClassificationLoss, x: torch.Tensor, y: torch.Tensor
    ) -> torch.Tensor:
        """Norm of the gradient of each row's loss.

        Parameters
        ----------
        module : torch.nn.Module
            The network.
        loss : ClassificationLoss
            The loss to differentiate.
        x : tensor of shape (n_rows, ...)
            Some rows.
        y : tensor of shape (n_rows,)
            Their class positions.

        Returns
        -------
        norms : tensor of shape (n_rows,)
            Euclidean, in units of the loss per unit of the weights.
        """
        return _of_all(module, loss, x, y) if self.parameters == "all" else _of_last(module, loss, x, y)


def _of_last(module, loss, x, y):
    scores, h, linear = last_linear(module, x)
    _, g = loss.value_and_gradient(scores, y)
    g = g[:, -linear.out_features :]  # of one output, the score of the first class is always 0
    squared = torch.linalg.vector_norm(h, dim=1).square_() + (linear.bias is not None)
    return torch.linalg.vector_norm(g, dim=1) * squared.sqrt_()


def _of_all(module, loss, x, y):
    trained = {name: p.detach() for name, p in module.named_parameters() if p.requires_grad}
    buffers = dict(module.named_buffers())

    def value(parameters, row, label):
        scores = scores_of(functional_call(module, {**parameters, **buffers}, *inputs_of(_batch_of_one(row))))
        return loss.per_sample(scores, label[None])[0]

    def norm(row, label):
        gradients = grad(value)(trained, row, label)
        return sum(gradient.square().sum() for gradient in gradients.values()).sqrt()

    size = sum(p.numel() * p.element_size() for p in trained.values())
    rows = dict(x) if isinstance(x, dict) else x  # of vmap's kinds
    return vmap(norm, chunk_size=max(1, CHUNK_BYTES // max(1, size)))(rows, y)


def _batch_of_one(row):
    return {name: own[None] for name, own in row.items()} if isinstance(row, dict) else row[None]
