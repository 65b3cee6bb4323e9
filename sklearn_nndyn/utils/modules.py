"""The hidden layers of any network, without a change to it.

A hidden layer is what a linear or convolution layer makes, after its nonlinearity and whatever else
follows, as the next linear or convolution layer receives it. It carries the name of the layer that made it.
"""

from collections.abc import Mapping
from contextlib import contextmanager
from math import prod
from operator import attrgetter
from threading import get_ident
from weakref import ref

import torch
from torch.nn.utils.parametrize import ParametrizationList

from sklearn_nndyn.utils.networks.evaluation import evaluation_mode, unchanged, unfused_attention
from sklearn_nndyn.utils.networks.memory_format import make_layout
from sklearn_nndyn.utils.private_names import BatchNorm
from sklearn_nndyn.utils.rows.arrays import joined, whole

ROWS_OF_IMAGES = 128
# Whatever the shape of their parameters.
NOT_LAYERS = (torch.nn.LayerNorm, torch.nn.RMSNorm, ParametrizationList)


@contextmanager
def capture_activations(module, call=None, hidden=True, pool=None):
    """Run a network so that it also hands out its hidden layers.

    Parameters
    ----------
    module : torch.nn.Module
        The network.
    call : callable, optional
        ``call(x)`` runs the module; None is ``module(x)``.
    hidden : bool, default=True
        Whether the hidden layers are asked for; without them ``layers`` is empty.
    pool : callable, optional
        Takes the place of a feature map (n_samples, n_features, ...) as soon as a convolution receives it, so that the
        memory of the whole map is used again within the pass.

    Yields
    ------
    forward : callable
        ``forward(x) -> (scores, layers)``; ``layers`` maps the name of each hidden layer, in the order of the
        forward pass, to its activation (n_samples, ...). ``forward.maps`` is the set of those layers that a
        convolution received: of their axes the second is that of the features, of others it is the last.
        ``forward.layout`` puts a batch into the order in memory in which the network is run. ``forward.weights`` are
        the `weight_matrices`, where hidden layers are asked for.
    """
    seen, thread, layout = [], get_ident(), make_layout(module)
    parts = _weighted_parts(module) if hidden else []
    convolutions = {name for name, _, weight in parts if weight.ndim >= 3}
    pooled = _Pooled(pool, convolutions)

    def keep(name):
        def hook(_, args):
            if get_ident() == thread:  # another thread may be predicting with the same network
                received = args[0] if args else None
                seen.append((name, pooled(name, received) if seen and pool is not None else received))

        return hook

    def forward(x):
        seen.clear()
        pooled.of.clear()
        scores = scores_of(call(x) if call is not None else run(module, layout(x)))
        layers, received_by = _hidden_layers(seen, len(scores))
        forward.maps = {name for name, part in received_by.items() if part in convolutions}
        seen.clear()
        return scores, layers

    forward.layout, forward.weights = layout, {name: weight for name, _, weight in parts}
    with _hooked([(part, keep(name)) for name, part, _ in parts]):
        yield forward


def as_stack_of_one(forward, captured):
    """The pass ``forward`` with a first axis for the networks, and the names of the layers that are feature maps."""

    def stacked(x):
        scores, layers = forward(x)
        stacked_layers = {name: activation.unsqueeze(0) for name, activation in layers.items()}
        return scores.unsqueeze(0), stacked_layers, captured.maps

    return stacked


class _Pooled:
    """Feature maps pooled as convolutions receive them; what several parts receive is pooled once, or not at all."""

    def __init__(self, pool, convolutions):
        self.pool, self.convolutions, self.of = pool, convolutions, {}

    def __call__(self, name, received):
        if not isinstance(received, torch.Tensor) or received.ndim < 3 or not received.is_floating_point():
            return received
        same, found = self.of.get(id(received), (lambda: None, None))
        if same() is not received:
            found = self.pool(received) if name in self.convolutions else received
            self.of[id(received)] = ref(received), found
        return found


def last_linear(module, x):
    """The scores of a batch, what the last layer with weights received, and that layer if it is linear, or None."""
    seen = []

    def keep(part, args):
        seen.append((part, args[0] if args else None))

    with _hooked([(part, keep) for _, part, _ in _weighted_parts(module)]):
        scores = score(module, x)
    part, received = seen[-1]
    return scores, received, part if isinstance(part, torch.nn.Linear) else None


def hidden_layers(module, x):
    """Names of the hidden layers, and the set of those that are feature maps."""
    with torch.no_grad(), evaluation_mode(module), unchanged(module), capture_activations(module) as forward:
        return list(forward(x)[1]), forward.maps


def weight_matrices(module):
    """{name: weight} of every layer with a weight of two axes or more."""
    return {name: weight for name, _, weight in _weighted_parts(module)}


def weight_norms(weights):
    """Frobenius norm of each of the `weight_matrices` of some networks; by one transfer from their device."""
    norms = iter(
        read_together([torch.linalg.vector_norm(w.detach()) for own in weights for w in own.values()])
    )
    return [dict(zip(own, norms, strict=False)) for own in weights]


def read_together(scalars):
    """The numbers in some tensors without axes, by one transfer from their device."""
    return torch.stack([one.to(scalars[0].device) for one in scalars]).tolist() if scalars else []


def inputs_of(x):
    """Positional and named arguments of a module's ``forward``: a dict of tensors is given by name."""
    return ((), dict(x)) if isinstance(x, dict) else ((x,), {})


def run(module, x):
    """Output of a module for a batch, a tensor or a dict of them."""
    return module(**x) if isinstance(x, dict) else module(x)


def first_output(output):
    """The scores, where a module also returns other things: ``logits``, or the first one (skorch's rule)."""
    if isinstance(output, torch.Tensor):
        return output
    if isinstance(output, (Mapping, tuple, list)) and not output:
        raise ValueError(f"module gives an empty {type(output).__name__} in place of scores.")
    if isinstance(output, Mapping):
        if "logits" not in output:
            raise ValueError(
                f'module gives a dict of {", ".join(map(repr, output))}: its scores are read from "logits".'
            )
        return output["logits"]
    if hasattr(output, "logits"):
        return output.logits
    return output[0] if isinstance(output, (tuple, list)) else output


def is_one_column(scores):
    """Whether a module gives one number for each sample, (n_samples, 1) or (n_samples,), and no decided labels."""
    if not isinstance(scores, torch.Tensor) or not scores.is_floating_point():
        return False
    return scores.ndim < 2 or (scores.ndim == 2 and scores.shape[1] == 1)


def scores_of(output):
    """The scores (n_samples, n_classes) of what a module returns.

    One output z for each sample stands for two classes, with the scores 0 and z: by softmax the probability of the
    second is sigmoid(z).
    """
    scores = first_output(output)
    if not is_one_column(scores):
        return scores
    z = scores.reshape(-1, 1)
    return torch.cat([torch.zeros_like(z), z], 1)


def score(module, x):
    """`scores_of` a batch, run through a module."""
    return scores_of(run(module, x))


def _weighted_parts(module):
    """(name, part, weight) of every layer with a weight of two axes or more, of several that of most axes."""
    weights = [
        (name or type(part).__name__, part, max(_own_weights(part), key=attrgetter("ndim"), default=None))
        for name, part in module.named_modules()
        if not isinstance(part, NOT_LAYERS)
    ]
    return [found for found in weights if found[-1] is not None and found[-1].ndim >= 2]


def _own_weights(part):
    """Its parameters, and those that are computed from others (``torch.nn.utils.parametrizations``)."""
    is_parametrized = "parametrizations" in part._modules  # torch's own function takes ten times as long
    computed = [getattr(part, name) for name in part.parametrizations] if is_parametrized else []
    # Not `parameters`, which looks for what is shared, and takes most of the time of a look at a small network.
    return [p for p in (*part._parameters.values(), *computed) if p is not None]


@contextmanager
def _hooked(hooks):
    """Call hooks before their parts, pairs (part, hook)."""
    if any(isinstance(part, torch.jit.ScriptModule) for part, _ in hooks):
        raise TypeError(
            "The layers of a ScriptModule (torch.jit) cannot be seen: record what needs none of them, "
            'record=("samples",), or give the module that it was made of.'
        )
    handles = []
    try:
        for part, hook in hooks:
            handles.append(part.register_forward_pre_hook(hook))
        yield
    finally:
        for handle in handles:
            handle.remove()


def _hidden_layers(seen, n_samples):
    """The activations, and the names of the parts that received them, by layer."""
    layers, received_by, made_by = {}, {}, None
    for name, received in seen:
        if made_by is not None and _is_activation(received, n_samples) and not _known(received, layers):
            layer = _free_name(made_by, layers)
            layers[layer], received_by[layer] = received, name
        made_by = name
    return layers, received_by


def _is_activation(value, n_samples):
    return isinstance(value, torch.Tensor) and value.is_floating_point() and value.shape[:1] == (n_samples,)


def _known(received, layers):
    return any(received is activation for activation in layers.values())


def _free_name(name, layers):
    if name not in layers:
        return name
    again = 2
    while f"{name}:{again}" in layers:
        again += 1
    return f"{name}:{again}"


def rows_per_chunk(input_shape):
    """Rows of a forward pass in evaluation: enough for a fast product, few enough to stay in the cache.

    Convolutions make of an image many times its size: for them few rows are three to four times as fast as many.
    Of several inputs by name, which have no shape in common, few rows are taken too.
    """
    if len(input_shape) != 1:
        return ROWS_OF_IMAGES
    return min(4096, max(64, 2**22 // max(1, prod(input_shape))))


def chunk_sizes(n, rows):
    """Sizes of the chunks in which n rows are run; a last chunk of one row joins the one before it.

    For normalisation by the batch, which has no variance of one row.
    """
    sizes = [rows] * (n // rows) + ([n % rows] if n % rows else [])
    if len(sizes) > 1 and sizes[-1] == 1:
        sizes[-2:] = [rows + 1]
    return sizes


def depends_on_the_batch(module):
    """Whether the scores of a row depend on the rows beside it, in evaluation too: batch norm without statistics."""
    return any(isinstance(part, BatchNorm) and part.running_mean is None for part in module.modules())


def score_in_chunks(module, X, layer=None):
    """Scores (n_samples, n_classes) of ``X``, in evaluation mode; or the activation of one hidden layer."""
    rows, layout = rows_per_chunk(X.shape[1:]), make_layout(module)
    with torch.no_grad(), evaluation_mode(module) if module.training else unfused_attention():
        if layer is None and len(X) <= rows:
            return score(module, layout(whole(X)))
        chunks = X.split(chunk_sizes(len(X), rows))
        if layer is None:
            return joined((score(module, layout(chunk)) for chunk in chunks), len(X))
        with capture_activations(module) as forward:
            return joined((forward(chunk)[1][layer].contiguous() for chunk in chunks), len(X))
