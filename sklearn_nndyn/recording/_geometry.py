"""Class centroids of each layer."""

from typing import Any

import torch
from sklearn.base import BaseEstimator

from sklearn_nndyn.recording._activations import SCORES, check_layers, choose_layers
from sklearn_nndyn.utils.networks.devices import sum_dtype
from sklearn_nndyn.utils.validation import check_choice

POOLS = (None, "mean", "flat")


class Geometry(BaseEstimator):
    """Record the class centroids of hidden layers, and the norms of all weights: an entry of ``record``.

    Are the classes apart, and in which layers? The string ``"geometry"`` stands for the default.

    Parameters
    ----------
    layers : int, str, or sequence of them, default=None
        Hidden layers by position or name, or ``"scores"`` for the raw outputs; None is every hidden layer.
    pool : {None, "mean", "flat"}, default=None
        What becomes of a layer with positions: a feature map (n_samples, channels, height, width), a sequence
        (n_samples, length, features). ``"mean"``, which None stands for: the mean over its positions, one number for
        each feature. ``"flat"``: all of it, as many numbers as it has, which for large images are many: 64 maps of 56 x
        56 in 10 classes take 8 MB an epoch. Layers without positions, such as one that was flattened within the
        network, are taken as they are.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_nndyn import DynamicsClassifier
    >>> from sklearn_nndyn.recording import Geometry
    >>> X, y = load_digits(return_X_y=True)
    >>> clf = DynamicsClassifier(max_epochs=2, record=("samples", Geometry(layers=["scores"])), random_state=0)
    >>> clf.fit(X / 16, y).dynamics_.centroids["scores"].shape
    (3, 10, 10)
    """

    def __init__(self, layers: Any = None, pool: str | None = None) -> None:
        self.layers = layers
        self.pool = pool

    def check(self) -> None:
        """Raise ValueError or TypeError for parameters that cannot be used."""
        check_choice("Geometry: pool", self.pool, POOLS)
        if self.layers is not None:
            check_layers(self.layers, "Geometry")

    def choose(self, names: list[str]) -> list[str]:
        """Names of the layers to record, in the order of the forward pass.

        Parameters
        ----------
        names : list of str
            The hidden layers.

        Returns
        -------
        chosen : list of str
            Some of them, and possibly ``"scores"``.

        Raises
        ------
        ValueError
            If there is no such layer; the names are offered.
        """
        if self.layers is None:
            return list(names)
        chosen = choose_layers(self.layers, names)
        return sorted(chosen, key=[*names, *chosen].index)

    def flatten(self, activation: torch.Tensor, is_map: bool) -> torch.Tensor:
        """Activations with one axis for the features.

        Parameters
        ----------
        activation : tensor of shape (n_networks, n_samples, ...)
            Activations of a layer.
        is_map : bool
            Whether the axis after the samples is that of the features, as in a feature map; else it is the last.

        Returns
        -------
        activation : tensor of shape (n_networks, n_samples, width)
            Pooled, or flat.
        """
        if self.pool == "flat" or activation.ndim <= 3:
            return activation.flatten(2)
        positions = range(3, activation.ndim) if is_map else range(2, activation.ndim - 1)
        return activation.mean(tuple(positions))


def pooling_of_maps(geometry):
    """What `Geometry.flatten` does to the feature map of one network, where every layer is asked for; else None."""
    if geometry is None or geometry.pool == "flat" or geometry.layers is not None:
        return None
    return lambda activation: geometry.flatten(activation[None], True)[0]


class Centroids:
    """Means of the unit-normalised activations of each class, summed up chunk by chunk.

    m_c = mean of h/||h|| over class c (Ciceri et al. 2024): sums add up over chunks, and over machines.

    Parameters
    ----------
    counts : tensor of shape (n_classes,) or (n_networks, n_classes)
        Samples of each class in the whole set.
    geometry : Geometry
        Says which layers, and what becomes of their positions.
    """

    def __init__(self, counts, geometry):
        self.counts, self.geometry = counts, geometry
        self.sums, self.dtype = {}, sum_dtype(counts.device)

    def add(self, scores, layers, target, maps=()):
        """Add a chunk: scores (n_networks, n_samples, n_classes), and layers {name: (n_networks, n_samples, ...)}.

        ``target`` are class positions, (n_samples,) or (n_networks, n_samples); of the layers in ``maps`` the axis
        after the samples is that of the features.
        """
        named = {**layers, SCORES: scores}
        for name in self.geometry.choose(list(layers)):
            flat = self.geometry.flatten(named[name], name in maps)
            sums = unit_sums(flat, target, self.counts.shape[-1]).to(self.dtype)
            self.sums[name] = self.sums[name] + sums if name in self.sums else sums

    def means(self):
        """{name: (n_networks, n_classes, width)}; nan for a class without samples."""
        return {name: (sums / self.counts.unsqueeze(-1)).float() for name, sums in self.sums.items()}


def unit_sums(activation, target, n_classes):
    """Sum over each class of h/||h||, (n_networks, n_classes, width); a zero activation adds nothing.

    One pass for the norms and one matrix product: the normalised activations are never written down. ``activation`` has
    the shape (n_networks, n_samples, width), ``target`` (n_samples,) or (n_networks, n_samples).
    """
    n_networks, n_samples, _ = activation.shape
    inverse = _norms(activation).reciprocal_().nan_to_num_(nan=0.0, posinf=0.0)
    membership = activation.new_zeros(n_networks, n_samples, n_classes)
    membership.scatter_(-1, target.expand(n_networks, -1).unsqueeze(-1), inverse)
    return torch.bmm(membership.mT, activation)


def _norms(activation):
    if activation.stride(-1) == 1:
        return torch.linalg.vector_norm(activation, dim=-1, keepdim=True)
    # Laid out feature by feature: the sum runs across rows, many at a time.
    return activation.square().sum(-1, keepdim=True).sqrt_()
