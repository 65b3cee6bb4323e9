"""Which fits may share a program, and how many of them."""

from itertools import pairwise

import torch

from sklearn_nndyn.losses._stacked import LossStack
from sklearn_nndyn.recording import make_schedule
from sklearn_nndyn.recording._record import RECORDINGS, what_to_record
from sklearn_nndyn.training._recording_hook import chosen_iterations
from sklearn_nndyn.training.stacked._epoch_runner import StackedFit
from sklearn_nndyn.training.stacked._mlp_step import StackedMLPStep
from sklearn_nndyn.training.stacked._module_step import can_be_stacked
from sklearn_nndyn.training.stacked._parameters import ELEMENTWISE
from sklearn_nndyn.training.stacked._row_sampler import CHUNK_BYTES, EXPAND_BYTES, RowSampler
from sklearn_nndyn.utils.modules import evaluation_mode, rows_per_chunk
from sklearn_nndyn.utils.random import untouched_generators

MEMORY_LIMIT = 2**30
CACHE_BYTES = 24 * 2**20


def cut_into_programs(fits, memory_limit=None):
    """Sort fits into programs, lists of fits; those that go alone are lists of one."""
    groups = {}
    for fit in fits:
        key = _key(fit) if _may_be_stacked(fit) else id(fit)
        groups.setdefault(key, []).append(fit)
    limit = MEMORY_LIMIT if memory_limit is None else memory_limit
    return [program for group in groups.values() for program in _cut(group, limit)]


def _cut(group, limit):
    group = (
        sorted(group, key=lambda fit: (-len(fit.task.data.X), fit.task.data.X.data_ptr()))
        if len(group) > 1
        else group
    )
    most = most_members(group[0], limit) if len(group) > 1 else 1
    pieces = -(-len(group) // most)
    cuts = [len(group) * i // pieces for i in range(pieces + 1)]
    programs = [group[a:b] for a, b in pairwise(cuts)]
    return [
        part
        for program in programs
        for part in ([program] if _works(program) else [[fit] for fit in program])
    ]


def _works(program):
    first = program[0]
    if len(program) == 1 or _is_chain(first):
        return True
    losses = LossStack([fit.estimator.loss_ for fit in program])
    return can_be_stacked([fit.estimator.net_ for fit in program], first.task.data.X, losses)


def _may_be_stacked(fit):
    if fit.task is None or fit.estimator.callbacks not in (None, "disable", [], ()):
        return False
    if _looks_closely(fit.estimator):
        return False
    net = fit.estimator.net_
    settings = net.optimizer_.param_groups
    return (
        type(net.optimizer_) in ELEMENTWISE
        and len(settings) == 1
        and not any(settings[0].get(name) for name in ("capturable", "differentiable"))
        and isinstance(settings[0]["lr"], (int, float))
        and not _hooked(net.module_)
    )


def _looks_closely(estimator):
    """Whether it records what takes longer than the training, or within an epoch."""
    names = set(what_to_record(estimator.record))
    return chosen_iterations(estimator) is not None or not names.isdisjoint(RECORDINGS)


def _hooked(module):
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return any(getattr(part, name, None) for part in module.modules() for name in names)


def _key(fit):
    """Equal for fits that one program can train."""
    estimator, net = fit.estimator, fit.estimator.net_
    settings = net.optimizer_.param_groups[0]
    own = {name: value for name, value in settings.items() if name not in ("params", "lr", "weight_decay")}
    schedule = make_schedule(estimator.record_epochs)
    data = fit.task.data
    return (
        repr(net.module_),
        tuple(type(part) for part in net.module_.modules()),
        tuple((name, value.shape, value.dtype) for name, value in net.module_.state_dict().items()),
        tuple(parameter.requires_grad for parameter in net.module_.parameters()),
        (type(net.optimizer_), repr(sorted(own.items(), key=lambda item: item[0]))),
        (
            batch_size(fit),
            estimator.max_epochs,
            bool(estimator.shuffle),
            data.X.device,
            tuple(data.X.shape[1:]),
        ),
        _computing(fit),
        (frozenset(estimator.record), tuple(schedule(e) for e in range(estimator.max_epochs + 1))),
        ("validation" in fit.task.watched, bool(estimator.snapshots), len(estimator.classes_)),
    )


def _computing(fit):
    small = batch_size(fit) is None and len(fit.task.data.X) <= 200
    return "float64" if small and _is_chain(fit) else fit.estimator.dtype


def batch_size(fit):
    """Rows of a batch, or None where a batch is all rows."""
    size = fit.estimator.net_.batch_size
    return None if size >= len(fit.task.data.X) else size


def _is_chain(fit):
    return StackedMLPStep.takes(fit.estimator.net_.module_, fit.task.data.X.shape[1:])


def most_members(fit, limit):
    """How many fits like this one share a program at most: as many as the memory holds, and as it pays.

    On a CPU side by side is no faster than one after the other once weights, gradients and moments no longer stay
    in the cache (measured in `benchmarks/bench_together.py`).
    """
    most = (limit - 2 * CHUNK_BYTES - EXPAND_BYTES) // bytes_of_member(fit)
    if fit.task.data.X.device.type == "cpu":
        most = min(most, CACHE_BYTES // (4 * _bytes_of_weights(fit)))
    return max(1, most)


def _bytes_of_weights(fit):
    return sum(p.numel() * p.element_size() for p in fit.estimator.net_.module_.parameters())


def bytes_of_member(fit):
    """Memory that a program takes for one of its members, while it runs: an estimate from above.

    Weights, gradients, two moments, and a copy of weights and moments to go back to; activations and their
    gradients of a batch; activations of a look at a chunk of rows.
    """
    X, module = fit.task.data.X, fit.estimator.net_.module_
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
        with torch.no_grad(), evaluation_mode(module), untouched_generators(rows.device):
            module(rows)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(seen)


def make_members(fits, epochs):
    """The members of a program; fits of the same rows and seed share a feed."""
    samplers, members = {}, []
    for fit in fits:
        estimator, X = fit.estimator, fit.task.data.X
        key = X.data_ptr(), len(X), estimator._seed
        if key not in samplers:
            rows = X.flatten(1) if _is_chain(fit) else X
            samplers[key] = RowSampler(rows, estimator._seed, bool(estimator.shuffle))
        members.append(StackedFit(estimator, fit.task, samplers[key], epochs))
    return members
