"""Decoders trained by gradient steps, as Schneider's released code trains them."""

import torch
from torch import nn

LR, WEIGHT_DECAY, EPOCHS, BATCH_SIZE = 3e-4, 1e-5, 20, 128


def fit_trained(chunks, X, folds, make, *, shape, cross_fit=True, whole=False):
    """Trained decoders, of all samples and without each fold; the activations are held in memory.

    Parameters
    ----------
    chunks : iterable of (slice, tensor of shape (n_rows, ...))
        Rows, and a layer's activations of them.
    X : tensor of shape (n_samples, n_features)
        The inputs.
    folds : tensor of shape (n_samples,)
        The fold of each sample.
    make : callable
        ``make(activation_shape, input_shape) -> torch.nn.Module``, from activations to flat inputs.
    shape : tuple
        Of one input.
    cross_fit, whole : bool
        Which decoders are wanted.

    Returns
    -------
    of_fold : list of torch.nn.Module
        Learned without this fold; empty unless ``cross_fit``.
    of_all : torch.nn.Module or None
        Learned from all samples, where ``whole``.
    """
    H = torch.cat([h for _, h in chunks])

    def fit(rows):
        torch.manual_seed(0)  # the caller has forked the generators
        decoder = make(tuple(H.shape[1:]), shape).to(X)
        _train(decoder, H[rows], X[rows])
        return decoder.eval()

    of_fold = [fit(folds != fold) for fold in range(int(folds.max()) + 1)] if cross_fit else []
    return of_fold, fit(slice(None)) if whole else None


def _train(decoder, H, X):
    optimizer = torch.optim.Adam(decoder.parameters(), lr=LR, weight_decay=WEIGHT_DECAY, fused=True)
    with torch.enable_grad():
        for _ in range(EPOCHS):
            order = torch.randperm(len(H)).to(H.device)
            for rows in order.split(BATCH_SIZE):
                optimizer.zero_grad()
                nn.functional.mse_loss(decoder(H[rows]), X[rows]).backward()
                optimizer.step()


def linear(activation_shape, input_shape):
    """One linear map with bias from the flattened activations."""
    return nn.Sequential(nn.Flatten(), nn.Linear(_size(activation_shape), _size(input_shape)))


def deconv(activation_shape, input_shape):
    """Transposed convolutions 4x4 of stride 2, as many as it takes to reach the size of the image.

    The first map leads to max(channels, 64) maps with ReLU; each transposed convolution but the last is followed by
    ReLU. What is larger than the image is cut off around it.
    """
    channels, height, width = (
        activation_shape if len(activation_shape) == 3 else (_size(activation_shape), 1, 1)
    )
    between = max(channels, 64)
    doublings = max(1, *(_doublings(a, b) for a, b in zip(input_shape[1:], (height, width), strict=True)))
    parts = [nn.Unflatten(1, (channels, height, width)), nn.Conv2d(channels, between, 1), nn.ReLU()]
    for _ in range(doublings - 1):
        parts += [nn.ConvTranspose2d(between, between, 4, stride=2, padding=1), nn.ReLU()]
    last = nn.ConvTranspose2d(between, input_shape[0], 4, stride=2, padding=1)
    return nn.Sequential(nn.Flatten(), *parts, last, _CutOut(input_shape[1:]), nn.Flatten())


class _CutOut(nn.Module):
    """The middle of an image."""

    def __init__(self, shape):
        super().__init__()
        self.shape = shape

    def forward(self, x):
        for axis, size in enumerate(self.shape, start=2):
            x = x.narrow(axis, (x.shape[axis] - size) // 2, size)
        return x


def _doublings(size, start):
    """How often ``start`` must be doubled to reach ``size``."""
    return max(0, (-(-size // start) - 1).bit_length())


def _size(shape):
    return int(torch.Size(shape).numel())


DECODERS = {"linear": linear, "deconv": deconv}
