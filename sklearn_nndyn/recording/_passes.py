"""Forward passes in evaluation mode, a chunk of rows at a time."""

from contextlib import nullcontext
from math import prod

import torch

from sklearn_nndyn.recording._activations import Activations
from sklearn_nndyn.recording._layers import evaluation_mode, first_output, tapped

ROWS_OF_IMAGES = 256


def rows_per_chunk(input_shape):
    """Rows of a forward pass in evaluation: enough for a fast product, few enough to stay in the cache.

    Convolutions make of an image many times its size: for them few rows are three to four times as fast as many.
    """
    if len(input_shape) > 1:
        return ROWS_OF_IMAGES
    return min(4096, max(256, 2**22 // max(1, prod(input_shape))))


def score_in_chunks(module, X, layer=None):
    """Scores (n_samples, n_classes) of ``X``, in evaluation mode; or the activation of one hidden layer."""
    rows = rows_per_chunk(X.shape[1:])
    with torch.no_grad(), evaluation_mode(module) if module.training else nullcontext():
        if layer is None and len(X) <= rows:
            return first_output(module(X))
        chunks = X.split(rows)
        if layer is None:
            return torch.cat([first_output(module(chunk)) for chunk in chunks])
        with tapped(module) as forward:
            return torch.cat([forward(chunk)[1][layer] for chunk in chunks])


def activations_of(X, forward):
    """The activations that ``forward`` makes of ``X``, in chunks of the usual size."""
    return Activations(X, forward, rows_per_chunk(X.shape[1:]))
