"""Class centroids of each layer, and the size of its weights."""

import torch

from sklearn_nndyn.utils.modules import weight_matrices


class Centroids:
    """Means of the unit-normalised activations of each class, summed up chunk by chunk.

    m_c = mean of h/||h|| over class c (Ciceri et al. 2024): sums add up over chunks, and over machines.

    Parameters
    ----------
    counts : tensor of shape (n_classes,) or (n_networks, n_classes)
        Samples of each class in the whole set.
    """

    def __init__(self, counts):
        self.counts = counts
        self.sums = {}

    def add(self, layers, target):
        """Add a chunk: ``layers`` {name: (n_networks, n_samples, ...)}, ``target`` (n_samples,) or with networks."""
        for name, activation in layers.items():
            sums = unit_sums(activation.flatten(2), target, self.counts.shape[-1]).double()
            self.sums[name] = self.sums[name] + sums if name in self.sums else sums

    def means(self):
        """{name: (n_networks, n_classes, width)}; nan for a class without samples."""
        return {name: (sums / self.counts[..., None]).float() for name, sums in self.sums.items()}


def unit_sums(activation, target, n_classes):
    """Sum over each class of h/||h||; a zero activation adds nothing.

    One pass for the norms and one matrix product: the normalised activations are never written down.

    Parameters
    ----------
    activation : tensor of shape (n_networks, n_samples, width)
    target : tensor of shape (n_samples,) or (n_networks, n_samples)
    n_classes : int

    Returns
    -------
    sums : tensor of shape (n_networks, n_classes, width)
    """
    n_networks, n_samples, _ = activation.shape
    norms = _norms(activation)
    inverse = torch.where(norms > 0, 1 / norms, 0.0)
    membership = activation.new_zeros(n_networks, n_samples, n_classes)
    membership.scatter_(-1, target.expand(n_networks, -1)[..., None], inverse)
    return membership.mT @ activation


def _norms(activation):
    if activation.stride(-1) == 1:
        return torch.linalg.vector_norm(activation, dim=-1, keepdim=True)
    # Laid out feature by feature: the sum runs across rows, many at a time.
    return activation.square().sum(-1, keepdim=True).sqrt_()


def weight_norms(module):
    """Frobenius norm of the weights of every linear or convolution layer, by name."""
    return {name: float(torch.linalg.vector_norm(w.detach())) for name, w in weight_matrices(module)}
