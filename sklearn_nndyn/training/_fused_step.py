"""One update of an optimizer, without the ceremony around it."""

from itertools import islice, zip_longest

import torch

from sklearn_nndyn.utils.modules import read_together
from sklearn_nndyn.utils.private_names import kernel, step_is_watched

UPDATES_TO_TRACES = 32
TRACE = 2.0**24  # of the least normal number
LEAST_EPS = 1e-16


class FusedOptimizerStep:
    """One update of the parameters from their gradients, by the net's own optimizer.

    ``optimizer.step()`` costs more than the arithmetic of a small network. For Adam, AdamW and SGD torch's
    fused kernel is called directly, on the very tensors that the optimizer keeps as its state; every other
    optimizer, one with hooks or another ``step``, and the first update of a fit (which makes the state, and tells
    schedulers that training has begun), goes through ``step``. The results are the same to the last bit.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    began : bool, default=False
        Whether its first update was made in another process.
    """

    def __init__(self, optimizer, began=False):
        self.optimizer = optimizer
        self.parameters = parameters_of(optimizer)
        self._fused = None
        self._lasting, self._parts = None, None
        self.began = began

    def refresh(self):
        """Read the optimizer's settings anew: schedulers change them between epochs."""
        self._fused = _fused_calls(self.optimizer, self._fused or ()) if self.began else None
        self._lasting = None

    def finish(self):
        """Leave the optimizer's state as its own ``step`` would have left it."""
        for call in self._fused or ():
            call.finish()

    def __call__(self, gradients):
        """Update the parameters by ``gradients``, in the order of ``parameters``; a group may have none.

        A tuple holds the same tensors whenever it is given.
        """
        if self._fused is not None and self._call_fused(gradients):
            return
        self.finish()
        self._fused = None
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimizer.step()
        if not self.began:
            self.began = True
            self.refresh()

    def _call_fused(self, gradients):
        """Whether all groups could be updated by their kernels; else none was."""
        parts = self._parts if gradients is self._lasting else self._of_groups(gradients)
        if type(gradients) is tuple:
            self._lasting, self._parts = gradients, parts
        for call, part in parts or ():
            call(part)
        return parts is not None

    def _of_groups(self, gradients):
        """[(kernel, its gradients)] of the groups that have some; None where one has only some of them."""
        rest = iter(gradients)
        parts = [(call, list(islice(rest, len(call.parameters)))) for call in self._fused]
        present = [(call, part) for call, part in parts if part[0] is not None]
        known = sum(g is not None for g in gradients)
        return present if known == sum(len(part) for _, part in present) else None


def parameters_of(optimizer):
    """All parameters that an optimizer updates, group by group."""
    return [p for group in optimizer.param_groups for p in group["params"]]


def _fused_calls(optimizer, before):
    """The fused kernels bound to the optimizer's state, one a group, or None where there are none for it.

    ``before`` are those of the last epoch, if any.
    """
    make = {torch.optim.Adam: FusedAdam, torch.optim.AdamW: FusedAdamW, torch.optim.SGD: FusedSGD}.get(
        type(optimizer)
    )
    if make is None or step_is_watched(optimizer):
        return None
    pairs = zip_longest(optimizer.param_groups, before[: len(optimizer.param_groups)])
    calls = [_fused_call(make, group, optimizer.state, last) for group, last in pairs]
    return None if None in calls else calls


def _fused_call(make, group, state, last):
    if not group.get("fused") or not all(p.requires_grad for p in group["params"]):
        return None
    states = [state.get(p, {}) for p in group["params"]]
    goes_on = (last is not None and last.left(states)) or make.can_go_on_from(group, states)
    call = make(group, states) if goes_on else None
    return None if call is None or call.kernel is None else call


class FusedAdam:
    """Adam. The parameters share one count of steps, which ``finish`` hands to all."""

    decoupled = False

    @staticmethod
    def can_go_on_from(group, states):
        """Not where the loss did not depend on a parameter, which then was updated less often."""
        return all(states) and len(set(read_together([state["step"] for state in states]))) == 1

    def __init__(self, group, states):
        self.kernel = kernel(
            "_fused_adamw_" if group.get("decoupled_weight_decay", self.decoupled) else "_fused_adam_"
        )
        self.steps, self.versions = [state["step"] for state in states], None
        self.one = torch.ones_like(self.steps[0])  # to add a plain number takes twice the time
        first, second = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq"))
        most = [state["max_exp_avg_sq"] for state in states] if group["amsgrad"] else []
        self.parameters = [p.detach() for p in group["params"]]
        self.calls = 0
        self.trace = TRACE if group["eps"] >= LEAST_EPS else 1.0
        self.state = (first, second, most, [self.steps[0]] * len(states))
        self.settings = {
            "lr": group["lr"],
            "beta1": group["betas"][0],
            "beta2": group["betas"][1],
            "weight_decay": group["weight_decay"],
            "eps": group["eps"],
            "amsgrad": group["amsgrad"],
            "maximize": group["maximize"],
        }

    def __call__(self, gradients):
        if self.calls % UPDATES_TO_TRACES == 0:
            self._clear_traces()
        self.calls += 1
        self.steps[0].add_(self.one)
        self.kernel(self.parameters, gradients, *self.state, **self.settings)

    def _clear_traces(self):
        """Zero the averages that are too small to move a weight: by 1e-15 of the learning rate at most.

        The average of a dead unit's gradients shrinks to a denormal number and stays there, and arithmetic on those,
        or with a result among those, is tenfold slower.
        """
        for average in self.state[0]:
            torch.hardshrink(average, torch.finfo(average.dtype).tiny * self.trace, out=average)

    def finish(self):
        for step in self.steps[1:]:
            step.copy_(self.steps[0])
        self.versions = [step._version for step in self.steps]

    def left(self, states):
        """Whether the counts in these states are those that ``finish`` left, so that they need not be read."""
        counts = [state.get("step") for state in states]
        return (
            self.versions is not None
            and len(counts) == len(self.steps)
            and all(a is b for a, b in zip(counts, self.steps, strict=True))
            and [step._version for step in counts] == self.versions
        )


class FusedAdamW(FusedAdam):
    """AdamW, whose groups do not say that their decay is decoupled before torch 2.7."""

    decoupled = True


class FusedSGD:
    """SGD, with or without momentum."""

    @staticmethod
    def can_go_on_from(group, states):
        """Momentum needs its buffers."""
        return not group["momentum"] or all(state.get("momentum_buffer") is not None for state in states)

    def __init__(self, group, states):
        self.kernel = kernel("_fused_sgd_")
        self.parameters = [p.detach() for p in group["params"]]
        self.buffers = [state["momentum_buffer"] for state in states] if group["momentum"] else []
        names = ("weight_decay", "momentum", "lr", "dampening", "nesterov", "maximize")
        self.settings = {name: group[name] for name in names} | {"is_first_step": False}

    def __call__(self, gradients):
        self.kernel(self.parameters, gradients, self.buffers, **self.settings)

    def finish(self):
        pass

    def left(self, states):
        return False  # nothing has to be read
