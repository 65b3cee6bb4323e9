"""Any module of several networks, run as one by ``torch.func``, chains of convolutions by grouped ones.

And the dry run that tells whether a module may be.
"""

import warnings

import numpy as np
import torch
from torch.func import functional_call, vmap

from sklearn_nndyn.training.stacked._grouped import GroupedConvolutions
from sklearn_nndyn.utils.modules import capture_activations, inputs_of, score, scores_of
from sklearn_nndyn.utils.networks.copying import copy_module
from sklearn_nndyn.utils.networks.evaluation import evaluation_mode
from sklearn_nndyn.utils.random import untouched_generators
from sklearn_nndyn.utils.signals import raised_by_handler

DRY_RUN_ROWS = 3
SLOW = "There is a performance drop because we have not yet implemented the batching rule"
NO_MEMORY = ("_parameters", "_buffers", "_modules", "training")  # not marked by `_memory`


class StackedModuleStep:
    """Gradients of the mean loss of a batch, for M modules of one layout.

    Parameters
    ----------
    stack : StackedParameters
    losses : LossStack

    Attributes
    ----------
    maps : set of str
        Layers that are feature maps, as far as they were seen in evaluations.
    """

    draws = False  # what is random is not stacked
    keeps_gradients = False

    def __init__(self, stack, losses):
        self.losses, self.parameters = losses, stack.parameters
        self.trained = set(stack.trained)
        modules = [net.module_ for net in stack.nets]
        self.template = copy_module(modules[0])
        buffers = [dict(module.named_buffers()) for module in modules]
        self.buffers = {name: torch.stack([b[name] for b in buffers]) for name in buffers[0]}
        self.parts, self.maps = [], set()
        supported = GroupedConvolutions.supports(self.template)
        self.grouped = GroupedConvolutions(self.template) if supported else None

    def __call__(self, members, x, y, weight):
        """Mean loss (m,) of a batch of some networks; see `StackedMLPStep`."""
        self.template.train()
        state = {name: p[members].detach() for name, p in self.parameters.items()}
        leaves = {name: p.requires_grad_() for name, p in state.items() if name in self.trained}
        rows, shared = _rows(x, len(y))
        with torch.enable_grad():
            if self.grouped is None:
                scores = self._forward(state, members, rows, shared)
            else:
                scores = self.grouped(state, rows, shared)
        mean, g = self.losses.of(members).mean_and_gradient(scores.detach(), y, weight)
        # A module need not use all its parameters, and then they have no gradient.
        found = torch.autograd.grad(scores, list(leaves.values()), g, allow_unused=True)
        # Fused kernels take for granted that gradients lie in memory as parameters do.
        self.parts.append(
            {n: None if g is None else g.contiguous() for n, g in zip(leaves, found, strict=True)}
        )
        return mean

    def collect(self):
        """{name: (m, ...)}: the gradients since the last call, of the first m networks."""
        parts, self.parts = self.parts, []
        if len(parts) == 1:
            return parts[0]
        return {
            name: None if g is None else torch.cat([part[name] for part in parts])
            for name, g in parts[0].items()
        }

    def evaluate(self, members, x):
        """Scores (m, n, n_classes) of rows the networks share, in evaluation mode, and their hidden layers."""
        state = {name: p[members] for name, p in self.parameters.items()}
        with evaluation_mode(self.template):
            return self._forward(state, members, x, True, capture=True)

    def _forward(self, state, members, x, shared, capture=False):
        buffers = {name: b[members] for name, b in self.buffers.items()}
        run = vmap(
            _runner(self.template, capture, self.maps),
            in_dims=(0, 0, None if shared else 0),
            randomness="error",
        )
        return run(state, buffers, x)


def _runner(template, capture, maps):
    def run(state, buffers, x):
        def call(x):
            return functional_call(template, (state, buffers), *inputs_of(x))

        if not capture:
            return scores_of(call(x))
        with capture_activations(template, call) as forward:
            found = forward(x)
            maps.update(forward.maps)
            return found

    return run


def _rows(x, m):
    """One tensor of rows of ``m`` networks, and whether all share it."""
    if torch.is_tensor(x):
        return x.repeat_interleave(m // len(x), 0) if len(x) < m else x, False
    if len(x) == 1:
        return x[0][0], True
    return torch.cat([rows.expand(run.stop - run.start, *rows.shape) for rows, run in x]), False


def can_be_stacked(nets, rows, losses):
    """Try the modules together and one by one: whether both give the same scores and gradients.

    Not where something is random in training (each network draws from its own stream), where training changes
    buffers (batch normalisation with running statistics) or anything else that a module remembers, where Python
    decides by values, where modules differ in what is no parameter, or where an operation cannot be batched, or is
    by a loop over the networks alone, of which torch warns.

    Parameters
    ----------
    nets : list of DynamicsNet
    rows : tensor of shape (n, ...)
        Some rows of the data.
    losses : LossStack
    """
    rows = rows[:DRY_RUN_ROWS]
    stack = _StackedParameters(nets)
    target = torch.zeros(len(nets), len(rows), dtype=torch.long, device=rows.device)
    members = slice(0, len(nets))
    with untouched_generators(rows.device), warnings.catch_warnings():
        drawn = _numpy_state()
        try:
            warnings.filterwarnings("error", SLOW)
            together = StackedModuleStep(stack, losses)
            # Rows that all share, and rows of each one's own: what Python may decide by differs.
            for x in ([(rows, members)], rows.expand(len(nets), *rows.shape)):
                together(members, x, target, None)
                gradients = together.collect()
            with torch.no_grad():
                evaluated, _ = together.evaluate(members, rows)
        except Exception as error:
            if raised_by_handler(error):
                raise
            # Whatever vmap cannot batch; a true fault of the module shows itself again in training one by one.
            return False
        return drawn == _numpy_state() and all(
            _agrees(
                net.module_,
                rows,
                loss,
                evaluated[i],
                {n: g[i] for n, g in gradients.items() if g is not None},
            )
            for i, (net, loss) in enumerate(zip(nets, losses.losses, strict=True))
        )


class _StackedParameters:
    """The part of `StackedParameters` that a dry run needs."""

    def __init__(self, nets):
        self.nets = nets
        own = [dict(net.module_.named_parameters()) for net in nets]
        self.parameters = {name: torch.stack([p[name].detach() for p in own]) for name in own[0]}
        names = {parameter: name for name, parameter in own[0].items()}
        self.trained = [names[p] for p in nets[0].optimizer_.param_groups[0]["params"] if p.requires_grad]


def _numpy_state():
    _, keys, *rest = np.random.get_state()  # noqa: NPY002 (what a module may draw from)
    return keys.tobytes(), rest


def _agrees(module, rows, loss, evaluated, gradients):
    alone = copy_module(module).train()
    memory, _held = _memory(alone)
    target = torch.zeros(len(rows), dtype=torch.long, device=rows.device)
    with torch.enable_grad():
        loss.per_sample(score(alone, rows), target).mean().backward()
    expected = {name: p.grad for name, p in alone.named_parameters() if p.grad is not None}
    after = zip(module.named_buffers(), alone.named_buffers(), strict=True)
    with torch.no_grad(), evaluation_mode(alone):
        scores = score(alone, rows)
    return (
        all(torch.equal(a, b) for (_, a), (_, b) in after)
        and _memory(alone)[0] == memory
        and expected.keys() == gradients.keys()
        and all(_close(gradients[name], g) for name, g in expected.items())
        and _close(evaluated, scores)
    )


def _memory(module):
    """What the parts of a module hold beside parameters and buffers: marks that tell a change, and the things."""
    held = []
    own = [
        {name: _mark(value, held) for name, value in part.__dict__.items() if name not in NO_MEMORY}
        for part in module.modules()
    ]
    return own, held


def _mark(value, held):
    if isinstance(value, (int, float, str)):
        return value
    held.append(value)  # alive, so that nothing else comes to lie in its place
    inside = ()
    if torch.is_tensor(value):
        inside = value._version
    elif isinstance(value, np.ndarray):
        inside = value.tobytes()
    elif isinstance(value, (list, tuple, dict)):
        inside = [_mark(one, held) for one in (value.items() if isinstance(value, dict) else value)]
        return type(value), inside
    return id(value), inside


def _close(a, b):
    tolerance = 1e-4 if a.dtype == torch.float32 else 1e-9
    return bool((a - b).abs().max() <= tolerance * (1 + b.abs().max()))
