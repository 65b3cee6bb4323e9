"""The networks of several fits side by side: parameters, and the optimizer that moves them, as one."""

import copy

import torch

from sklearn_nndyn.training._fused_step import FusedOptimizerStep
from sklearn_nndyn.training._rollback import StatesCopy
from sklearn_nndyn.training.stacked._row_sampler import equal_slices

# One number of a parameter moves by its own gradient alone, so that parameters can lie side by side.
ELEMENTWISE = (
    torch.optim.Adam,
    torch.optim.AdamW,
    torch.optim.SGD,
    torch.optim.RMSprop,
    torch.optim.Adagrad,
    torch.optim.Adadelta,
    torch.optim.Adamax,
    torch.optim.NAdam,
    torch.optim.RAdam,
)
# What their states hold of a parameter as a whole.
COUNTS = ("step", "mu_product")


class StackedParameters:
    """Parameters of M networks of one layout, each of shape (M, ...).

    The networks' own parameters become views of them, so that one of the networks read by itself (snapshots,
    validation) is as it is. `release` gives a network its own memory again.

    Parameters
    ----------
    nets : list of DynamicsNet
    steps : list of int
        Updates of an epoch of each, sorted by decreasing number. Networks of equal steps, learning rate and weight
        decay should lie side by side: each such slice is updated by one call.
    """

    def __init__(self, nets, steps):
        self.nets, self.steps = nets, steps
        self.own = [dict(net.module_.named_parameters()) for net in nets]
        self.parameters = {name: _stacked([p[name].detach() for p in self.own]) for name in self.own[0]}
        for i, parameters in enumerate(self.own):
            for name, parameter in parameters.items():
                parameter.data = self.parameters[name][i]
        names = {parameter: name for name, parameter in self.own[0].items()}
        self.trained = [names[p] for p in nets[0].optimizer_.param_groups[0]["params"] if p.requires_grad]
        self.slices = equal_slices([(n, *rate_and_decay(net)) for n, net in zip(steps, nets, strict=True)])
        self.optimizer = self._join_optimizers()
        self.update = FusedOptimizerStep(self.optimizer)
        self._lasting = {}

    def _join_optimizers(self):
        groups = []
        for own in self.slices:
            settings = {
                k: v for k, v in self.nets[own.start].optimizer_.param_groups[0].items() if k != "params"
            }
            views = [torch.nn.Parameter(self.parameters[name][own]) for name in self.trained]
            groups.append({**settings, "params": views})
        kind = type(self.nets[0].optimizer_)
        optimizer = kind(groups, lr=groups[0]["lr"])
        for own, group in zip(self.slices, optimizer.param_groups, strict=True):
            for name, view in zip(self.trained, group["params"], strict=True):
                states = [net.optimizer_.state.get(self.own[i][name], {}) for i, net in self._nets_of(own)]
                if states[0]:
                    optimizer.state[view] = _joined(states, view.shape)
        return optimizer

    def _nets_of(self, own):
        return [(i, self.nets[i]) for i in range(own.start, own.stop)]

    def apply(self, gradients, step, lasting=False):
        """Move the parameters of the networks that have a batch at this step, from 0, of the epoch.

        ``gradients`` are {name: (M or fewer, ...)}, of the first networks; ``lasting`` says that the same tensors are
        given at every step.
        """
        n_slices = sum(step < self.steps[own.start] for own in self.slices)
        if not lasting:
            self.update(self._parts(gradients, n_slices))
            return
        if n_slices not in self._lasting:
            self._lasting[n_slices] = tuple(self._parts(gradients, n_slices))
        self.update(self._lasting[n_slices])

    def _parts(self, gradients, n_slices):
        """The gradients of every slice, those of the first ones alone; None for the others."""
        pairs = [(own, i < n_slices) for i, own in enumerate(self.slices)]
        return [
            self._part(gradients[name], own) if has_batch else None
            for own, has_batch in pairs
            for name in self.trained
        ]

    def _part(self, gradient, own):
        return gradient if gradient is None or len(self.slices) == 1 else gradient[own]

    def finite(self):
        """Whether all parameters of a network are finite numbers, a list of M."""
        # The greatest of each network, which is nan where one is: testing every number takes six times as long.
        greatest = [
            values.detach().abs().reshape(len(values), -1).amax(1) for values in self.parameters.values()
        ]
        return torch.stack(greatest).isfinite().all(0).tolist()

    def checkpoint(self):
        """A copy of all that an update changes."""
        return list(self.optimizer.state), StatesCopy([self.parameters, *self.optimizer.state.values()])

    def release(self, i, checkpoint=None):
        """Give network ``i`` memory of its own, and its optimizer its own state, as of now or as of a checkpoint."""
        weights, states = self.parameters, self.optimizer.state
        if checkpoint is not None:
            views, copied = checkpoint
            weights, *states = copied.read()
            states = dict(zip(views, states, strict=True))
        for name, parameter in self.own[i].items():
            parameter.data = weights[name][i].clone()
        self.share_state(i, states)

    def share_state(self, i, states=None):
        """Give the optimizer of network ``i`` a copy of its own state."""
        states = self.optimizer.state if states is None else states
        optimizer = self.nets[i].optimizer_
        optimizer.state.clear()
        for own, group in zip(self.slices, self.optimizer.param_groups, strict=True):
            if not own.start <= i < own.stop:
                continue
            for name, view in zip(self.trained, group["params"], strict=True):
                if states.get(view):
                    optimizer.state[self.own[i][name]] = _share(states[view], view.shape, i - own.start)


def rate_and_decay(net):
    """Learning rate and weight decay of a net's optimizer."""
    settings = net.optimizer_.param_groups[0]
    return float(settings["lr"]), float(settings.get("weight_decay", 0))


def _stacked(tensors):
    """Tensors side by side; in the usual order in memory, as gradients come, also where each has its channels last."""
    return torch.stack(tensors).contiguous()


def _joined(states, shape):
    """The optimizer's states of one parameter of several networks as one; numbers they share are taken once."""
    return {
        name: _stacked([state[name] for state in states])
        if torch.is_tensor(value) and value.shape == shape[1:] and name not in COUNTS
        else copy.deepcopy(value)
        for name, value in states[0].items()
    }


def _share(state, shape, i):
    return {name: _share_of(value, shape, i) for name, value in state.items()}


def _share_of(value, shape, i):
    if not torch.is_tensor(value):
        return copy.deepcopy(value)
    return value[i].clone() if value.shape == shape else value.clone()
