"""Which fits may share a stack, and how many of them."""

from itertools import pairwise

import torch

from sklearn_nndyn.losses import LossStack, changes_in_training
from sklearn_nndyn.recording import RECORDINGS, chosen_samples, what_to_record
from sklearn_nndyn.training._epoch_runner import computing_dtype
from sklearn_nndyn.training.stacked._epoch_runner import StackedFit
from sklearn_nndyn.training.stacked._mlp_step import StackedMLPStep
from sklearn_nndyn.training.stacked._module_step import can_be_stacked
from sklearn_nndyn.training.stacked._parameters import ELEMENTWISE
from sklearn_nndyn.training.stacked._row_sampler import CHUNK_BYTES, EXPAND_BYTES, RowSampler
from sklearn_nndyn.utils.modules import rows_per_chunk, run
from sklearn_nndyn.utils.networks.evaluation import evaluation_mode, has_hooks, unchanged
from sklearn_nndyn.utils.random import untouched_generators

MEMORY_LIMIT = 2**30
CACHE_BYTES = 24 * 2**20


def make_stacks(fits, memory_limit=None):
    """Sort fits into stacks, lists of fits that are trained as one; those that go alone are lists of one.

    A stack takes ``memory_limit`` bytes at most while it runs.
    """
    groups = {}
    for fit in fits:
        key = _key(fit) if _may_be_stacked(fit) else id(fit)
        groups.setdefault(key, []).append(fit)
    limit = MEMORY_LIMIT if memory_limit is None else memory_limit
    return [stack for group in groups.values() for stack in _cut(group, limit)]


def _cut(group, limit):
    group = _in_order(group) if len(group) > 1 else group
    most = most_members(group[0], limit) if len(group) > 1 else 1
    pieces = -(-len(group) // most)
    cuts = [len(group) * i // pieces for i in range(pieces + 1)]
    stacks = [group[a:b] for a, b in pairwise(cuts)]
    return [part for stack in stacks for part in ([stack] if _works(stack) else [[fit] for fit in stack])]


def _in_order(group):
    """Long ones first, those of the same rows side by side; the same order in every process."""
    seen = {}
    place = {fit: seen.setdefault(fit.data.X.data_ptr(), len(seen)) for fit in group}
    return sorted(group, key=lambda fit: (-len(fit.data.X), place[fit]))


def _works(stack):
    first = stack[0]
    if len(stack) == 1 or _is_mlp(first):
        return True
    losses = LossStack([fit.net.criterion_ for fit in stack])
    return can_be_stacked([fit.net for fit in stack], first.data.X, losses)


def _may_be_stacked(fit):
    changes_batches = fit.transform is not None or fit.autocast is not None
    if fit.has_callbacks or fit.hooks or changes_batches or _records_closely(fit):
        return False
    net = fit.net
    settings = net.optimizer_.param_groups
    return (
        type(net.optimizer_) in ELEMENTWISE
        and len(settings) == 1
        and not any(settings[0].get(name) for name in ("capturable", "differentiable"))
        and isinstance(settings[0]["lr"], (int, float))
        and not has_hooks(net.module_)
        and all(parameter.numel() for parameter in net.module_.parameters())
        and not changes_in_training(net.criterion_, fit.n_classes, _dtype(net), fit.data.X.device)
    )


def _dtype(net):
    return next(net.module_.parameters()).dtype


def _records_closely(fit):
    """Whether it records what takes longer than the training, within an epoch, or of samples of its own."""
    return (
        fit.schedule.by_iteration
        or not set(what_to_record(fit.record)).isdisjoint(RECORDINGS)
        or not chosen_samples(fit.record).is_default
    )


def _key(fit):
    """Equal for fits that one stack can hold."""
    net, data = fit.net, fit.data
    settings = net.optimizer_.param_groups[0]
    own = {name: value for name, value in settings.items() if name not in ("params", "lr", "weight_decay")}
    return (
        repr(net.module_),
        tuple(type(part) for part in net.module_.modules()),
        tuple((name, value.shape, value.dtype) for name, value in net.module_.state_dict().items()),
        tuple(parameter.requires_grad for parameter in net.module_.parameters()),
        (type(net.optimizer_), repr(sorted(own.items(), key=lambda item: item[0]))),
        (batch_size(fit), fit.epochs, fit.shuffle, data.X.device, tuple(data.X.shape[1:])),
        _computing(fit),
        (
            repr(sorted(what_to_record(fit.record).items(), key=lambda item: item[0])),
            tuple(fit.schedule.is_due(epoch, None) for epoch in range(fit.epochs + 1)),
        ),
        (fit.validation is not None, bool(fit.keep_weights), fit.n_classes),
    )


def _computing(fit):
    dtype = _dtype(fit.net)
    return (
        computing_dtype(dtype, len(fit.data.X), fit.net.batch_size, fit.net.criterion_, fit.data.X.device)
        if _is_mlp(fit)
        else dtype
    )


def batch_size(fit):
    """Rows of a batch, or None where a batch is all rows."""
    size = fit.net.batch_size
    return None if size >= len(fit.data.X) else size


def _is_mlp(fit):
    return StackedMLPStep.supports(fit.net.module_, fit.data.X.shape[1:])


def most_members(fit, limit):
    """How many fits like this one share a stack at most: as many as the memory holds, and as it pays.

    On a CPU side by side is no faster than one after the other once weights, gradients and moments no longer stay
    in the cache (measured in `benchmarks/bench_together.py`).
    """
    most = (limit - 2 * CHUNK_BYTES - EXPAND_BYTES) // bytes_of_member(fit)
    if fit.data.X.device.type == "cpu":
        most = min(most, CACHE_BYTES // (4 * _bytes_of_weights(fit)))
    return max(1, most)


def _bytes_of_weights(fit):
    return sum(p.numel() * p.element_size() for p in fit.net.module_.parameters())


def bytes_of_member(fit):
    """Memory that a stack takes for one of its members, while it runs: an estimate from above.

    Weights, gradients, two moments, and a copy of weights and moments to go back to; activations and their
    gradients of a batch; activations of an evaluation of a chunk of rows.
    """
    X, module = fit.data.X, fit.net.module_
    rows = batch_size(fit) or len(X)
    widths = _activation_bytes(module, X[:2]) / len(X[:2])
    return int(7 * _bytes_of_weights(fit) + 3 * max(rows, rows_per_chunk(X.shape[1:])) * widths)


def _activation_bytes(module, rows):
    """Bytes of all activations of some rows; of one alone, batch norm without statistics would have no variance."""
    seen = []

    def note(_, args, output):
        seen.append(output.numel() * output.element_size() if torch.is_tensor(output) else 0)

    hooks = [part.register_forward_hook(note) for part in module.modules() if not list(part.children())]
    try:
        generators = untouched_generators(rows.device)
        with torch.no_grad(), evaluation_mode(module), unchanged(module), generators:
            run(module, rows)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(seen)


def make_members(fits, epochs):
    """The members of a stack; fits of the same rows and seed share a sampler."""
    samplers, members = {}, []
    for fit in fits:
        X, seed = fit.data.X, fit.state.seed
        key = X.data_ptr(), len(X), seed
        if key not in samplers:
            samplers[key] = RowSampler(X.flatten(1) if _is_mlp(fit) else X, seed, fit.shuffle)
        members.append(StackedFit(fit, samplers[key], epochs))
    return members
