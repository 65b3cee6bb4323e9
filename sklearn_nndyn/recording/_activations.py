"""The activations of chosen layers, chunk by chunk, as often as they are asked for."""

from contextlib import contextmanager, nullcontext
from math import inf

import torch

from sklearn_nndyn.utils.modules import chunk_sizes, rows_per_chunk
from sklearn_nndyn.utils.private_names import BatchNorm
from sklearn_nndyn.utils.validation import find_layer, is_count

CACHE_BYTES = 256 * 2**20
LEAST_ROWS = 1024
SCORES = "scores"
BATCH_SIZE = 128


class Activations:
    """Rows of the data with the activations of each layer.

    What one pass over the data makes is cached while it needs less than ``CACHE_BYTES``; beyond that the network is run
    again for every layer and pass, so that memory does not grow with the samples.

    Parameters
    ----------
    X : tensor of shape (n_samples, ...)
    forward : callable
        ``forward(x) -> (scores, layers)``.
    rows : int
        Rows of a chunk.
    context : callable, optional
        Makes the context manager to run the network in.
    """

    def __init__(self, X, forward, rows, context=None):
        self.X, self.forward, self.context = X, forward, context or nullcontext
        self.sizes = chunk_sizes(len(X), rows)
        self.cache, self.nbytes = [], 0

    def cache_chunk(self, layers, names):
        """Cache what the coming chunk's pass made of the layers, while there is memory."""
        if self.cache is None:
            return
        chosen = {name: layers[name] for name in names}
        self.nbytes += sum(h.numel() * h.element_size() for h in chosen.values())
        if self.nbytes > CACHE_BYTES:
            self.cache = None
        else:
            self.cache.append(chosen)

    def of_layer(self, name):
        """Yield (rows, activations) of a layer: a slice, and a tensor of shape (n_rows, ...).

        Small chunks come together: what follows is a matrix product.
        """
        complete = self.cache is not None and len(self.cache) == len(self.sizes)
        chunks, start = [], 0
        for h in (chunk[name] for chunk in self.cache) if complete else self._run(name):
            chunks.append(h)
            n_rows = sum(map(len, chunks))
            if n_rows >= LEAST_ROWS or start + n_rows == len(self.X):
                yield slice(start, start + n_rows), torch.cat(chunks) if len(chunks) > 1 else h
                chunks, start = [], start + n_rows

    def _run(self, name):
        with self.context():
            for chunk in self.X.split(self.sizes):
                scores, layers = self.forward(chunk)
                yield scores if name == SCORES else layers[name]


def choose_layers(layers, names):
    """Names of the layers that a user means: ``"all"``, a position, a name, ``"scores"``, or a list of these.

    ValueError if there is no such layer among ``names``, the hidden layers in the order of the forward pass.
    """
    if isinstance(layers, str) and layers == "all":
        return list(names) or [SCORES]
    wanted = list(layers) if isinstance(layers, (list, tuple)) else [layers]
    return list(dict.fromkeys(find_layer(layer, names, also=[SCORES]) for layer in wanted))


def check_layers(layers, called):
    """Positions or names; whether they exist shows when there is a network."""
    several = isinstance(layers, (list, tuple)) and len(layers) > 0
    for layer in layers if several else [layers]:
        if not (isinstance(layer, str) or is_count(layer, -inf)):
            raise TypeError(
                f'{called}: layers must be "all", a position, a name, or a list of these, got {layers!r}.'
            )


@contextmanager
def batch_norm_in_training(module):
    """Normalise each batch by its own mean and variance; running statistics stay as they are."""
    parts = [part for part in module.modules() if isinstance(part, BatchNorm)]
    before = [{name: value.clone() for name, value in part.named_buffers(recurse=False)} for part in parts]
    for part in parts:
        part.training = True
    try:
        yield
    finally:
        for part, buffers in zip(parts, before, strict=True):
            part.training = False
            for name, value in buffers.items():
                getattr(part, name).copy_(value)


def activations_of(X, forward):
    """The activations that ``forward`` makes of ``X``, in chunks of the usual size."""
    return Activations(X, forward, rows_per_chunk(X.shape[1:]))
