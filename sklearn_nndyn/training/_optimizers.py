"""Optimizers by name, and their update without the ceremony around it."""

import difflib
import inspect
from fnmatch import fnmatch
from itertools import islice

import torch

# What can be set in the groups of an optimizer that has begun.
RATES = {"lr", "weight_decay", "momentum", "betas", "eps", "alpha", "dampening", "lr_decay", "rho"}


def find_optimizer(optimizer):
    """Find an optimizer class.

    Parameters
    ----------
    optimizer : str or torch.optim.Optimizer class
        A name such as ``"adam"`` or ``"sgd"``, in any case, or the class itself.

    Returns
    -------
    optimizer : type

    Raises
    ------
    ValueError, TypeError
        If there is none of this name, or it is no optimizer class.
    """
    if isinstance(optimizer, type) and issubclass(optimizer, torch.optim.Optimizer):
        return optimizer
    if not isinstance(optimizer, str):
        raise TypeError(
            f'optimizer must be a name such as "adam" or a torch optimizer class, got {optimizer!r}.'
        )
    known = optimizer_names()
    if optimizer.lower() not in known:
        near = difflib.get_close_matches(optimizer.lower(), known, n=1)
        hint = f' Did you mean "{near[0]}"?' if near else ""
        raise ValueError(f"optimizer {optimizer!r} is unknown.{hint} Known are {', '.join(sorted(known))}.")
    return known[optimizer.lower()]


def check_optimizer_params(optimizer, params, weight_decay):
    """Try the optimizer on a parameter.

    Parameters
    ----------
    optimizer : type
    params : dict
        Its further parameters.
    weight_decay : float

    Raises
    ------
    ValueError
        If it does not take them.
    """
    params = dict(params)
    groups = params.pop("param_groups", None)
    known = [name for name in inspect.signature(optimizer).parameters if name not in ("params", "lr")]
    if groups is not None:
        _check_param_groups(optimizer, groups, ["lr", *known])
    if params.get("differentiable"):
        raise ValueError(
            "optimizer_params: differentiable=True cannot be used: the parameters of a network are leaves, which torch "
            "does not update so. Leave it out."
        )
    for name in params:
        if name == "lr":
            raise ValueError(
                "optimizer_params holds lr, which is a parameter of the classifier: set lr itself."
            )
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1)
            hint = f' Did you mean "{near[0]}"?' if near else ""
            raise ValueError(
                f"optimizer_params: {optimizer.__name__} has no {name!r}.{hint} It has {', '.join(known)}."
            )
    if weight_decay and "weight_decay" not in known:
        raise ValueError(f"optimizer {optimizer.__name__} has no weight_decay; set weight_decay=0.")
    try:
        optimizer([torch.nn.Parameter(torch.zeros(1, 1))], lr=1e-3, **params)
    except Exception as error:
        raise ValueError(
            f"optimizer {optimizer.__name__} cannot be made with optimizer_params={params!r}: {error}"
        ) from error


def _check_param_groups(optimizer, groups, known):
    """skorch's form: [("body.*", {"lr": 1e-5})]."""
    pairs = isinstance(groups, (list, tuple)) and all(
        isinstance(one, (list, tuple))
        and len(one) == 2
        and isinstance(one[0], str)
        and isinstance(one[1], dict)
        for one in groups
    )
    if not pairs:
        raise ValueError(
            'optimizer_params: param_groups must be a list of (pattern, settings) such as [("body.*", {"lr": 1e-5})], '
            f"got {groups!r}."
        )
    for pattern, settings in groups:
        unknown = [name for name in settings if name not in known]
        if unknown:
            raise ValueError(
                f"optimizer_params: param_groups sets {unknown[0]!r} for {pattern!r}, but {optimizer.__name__} has "
                f"{', '.join(known)}."
            )


def check_patterns(optimizer_params, module):
    """Whether each pattern of ``param_groups`` names a parameter of the module.

    Raises
    ------
    ValueError
        With the names that there are.
    """
    names = [name for name, _ in module.named_parameters()]
    for pattern, _ in (optimizer_params or {}).get("param_groups", ()):
        if not any(fnmatch(name, pattern) for name in names):
            raise ValueError(
                f"optimizer_params: param_groups names {pattern!r}, but no parameter of the module is called so; they "
                f"are {', '.join(names)}."
            )


def optimizer_settings(optimizer, lr, weight_decay, params, device):
    """All that an optimizer class is made with, beside the parameters: of torch's kernels the fused one is taken."""
    settings = {"lr": lr, **(params or {})}
    if accepts(optimizer, "weight_decay"):
        settings.setdefault("weight_decay", weight_decay)
    others = settings.get("foreach")
    if accepts(optimizer, "fused") and device.type in ("cpu", "cuda") and not others:
        settings.setdefault("fused", True)
    return settings


def change_optimizer(net, optimizer, lr, weight_decay, params):
    """Give a net's optimizer other settings: in its groups where that is enough, else a new optimizer is made.

    Parameters
    ----------
    net : DynamicsNet
    optimizer : str or type
    lr, weight_decay : float
    params : dict or None
        Its further parameters.
    """
    kind = find_optimizer(optimizer)
    new = optimizer_settings(kind, lr, weight_decay, params, next(net.module_.parameters()).device)
    old = {"lr": net.lr, **net.get_params_for("optimizer")}
    changed = {name for name in {*new, *old} if new.get(name) != old.get(name)}
    net.optimizer, net.lr = kind, lr
    for name in old:
        if name != "lr":
            delattr(net, f"optimizer__{name}")
    for name, value in new.items():
        if name != "lr":
            setattr(net, f"optimizer__{name}", value)
    if kind is not type(net.optimizer_) or not changed <= RATES:
        net.initialize_optimizer()
        return
    defaults = {name: p.default for name, p in inspect.signature(kind).parameters.items()}
    own = [settings for _, settings in new.get("param_groups", ())]
    for i, group in enumerate(net.optimizer_.param_groups):
        fixed = own[i] if i < len(own) else {}
        group.update({name: new.get(name, defaults[name]) for name in changed if name not in fixed})


def optimizer_names():
    """{lower-case name: class} of torch's optimizers that need nothing but parameters and a rate."""
    classes = [
        c
        for c in torch.optim.__dict__.values()
        if isinstance(c, type) and issubclass(c, torch.optim.Optimizer)
    ]
    left_out = {torch.optim.Optimizer, torch.optim.SparseAdam, getattr(torch.optim, "Muon", None)}
    return {c.__name__.lower(): c for c in classes if c not in left_out}


def accepts(optimizer, name):
    """Whether the optimizer class has a parameter of this name."""
    return name in inspect.signature(optimizer).parameters


class FusedOptimizerStep:
    """One update of the parameters from their gradients, by the net's own optimizer.

    ``optimizer.step()`` costs more than the arithmetic of a small network. For Adam, AdamW and SGD torch's
    fused kernel is called directly, on the very tensors that the optimizer keeps as its state; every other
    optimizer, and the first update of a fit (which makes the state, and tells schedulers that training has
    begun), goes through ``step``. The results are the same to the last bit.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    """

    def __init__(self, optimizer):
        self.optimizer = optimizer
        self.parameters = [p for group in optimizer.param_groups for p in group["params"]]
        self._fused = None
        self._began = False

    def refresh(self):
        """Read the optimizer's settings anew: schedulers change them between epochs."""
        self._fused = _fused_calls(self.optimizer) if self._began else None

    def finish(self):
        """Leave the optimizer's state as its own ``step`` would have left it."""
        for call in self._fused or ():
            call.finish()

    def __call__(self, gradients):
        """Update the parameters by ``gradients``, in the order of ``parameters``; a group may have none."""
        if self._fused is not None and self._call_fused(gradients):
            return
        self.finish()
        self._fused = None
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = gradient
        self.optimizer.step()
        if not self._began:
            self._began = True
            self.refresh()

    def _call_fused(self, gradients):
        """Whether all groups could be updated by their kernels; else none was."""
        if len(self._fused) == 1 and gradients[0] is not None:
            parts = [gradients]
        else:
            rest = iter(gradients)
            parts = [list(islice(rest, len(call.parameters))) for call in self._fused]
            if any(part[0] is None for part in parts):
                parts = [[] if all(g is None for g in part) else part for part in parts]
        if any(g is None for part in parts for g in part):
            return False
        for call, part in zip(self._fused, parts, strict=True):
            if part:
                call(part)
        return True


def _fused_calls(optimizer):
    """The fused kernels bound to the optimizer's state, one a group, or None where there are none for it."""
    make = {torch.optim.Adam: FusedAdam, torch.optim.AdamW: FusedAdam, torch.optim.SGD: FusedSGD}.get(
        type(optimizer)
    )
    if make is None:
        return None
    calls = [_fused_call(make, group, optimizer.state) for group in optimizer.param_groups]
    return None if None in calls else calls


def _fused_call(make, group, state):
    if not group.get("fused") or not all(p.requires_grad for p in group["params"]):
        return None
    states = [state.get(p, {}) for p in group["params"]]
    return make(group, states) if make.can_go_on_from(group, states) else None


class FusedAdam:
    """Adam and AdamW. The parameters share one count of steps, which ``finish`` hands to all."""

    @staticmethod
    def can_go_on_from(group, states):
        """Not where the loss did not depend on a parameter, which then was updated less often."""
        return all(states) and len({float(state["step"]) for state in states}) == 1

    def __init__(self, group, states):
        self.kernel = torch._fused_adamw_ if group.get("decoupled_weight_decay") else torch._fused_adam_
        self.steps = [state["step"] for state in states]
        first, second = ([state[name] for state in states] for name in ("exp_avg", "exp_avg_sq"))
        most = [state["max_exp_avg_sq"] for state in states] if group["amsgrad"] else []
        self.parameters = [p.detach() for p in group["params"]]
        for average in first:
            # The average of a dead unit's gradients shrinks to a denormal number and stays there, and arithmetic on
            # those is tenfold slower. Zero is the same to every weight.
            average.mul_(average.abs() >= torch.finfo(average.dtype).tiny)
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
        self.steps[0].add_(1)
        self.kernel(self.parameters, gradients, *self.state, **self.settings)

    def finish(self):
        for step in self.steps[1:]:
            step.copy_(self.steps[0])


class FusedSGD:
    """SGD, with or without momentum."""

    @staticmethod
    def can_go_on_from(group, states):
        """Momentum needs its buffers."""
        return not group["momentum"] or all(state.get("momentum_buffer") is not None for state in states)

    def __init__(self, group, states):
        self.parameters = [p.detach() for p in group["params"]]
        self.buffers = [state["momentum_buffer"] for state in states] if group["momentum"] else []
        names = ("weight_decay", "momentum", "lr", "dampening", "nesterov", "maximize")
        self.settings = {name: group[name] for name in names} | {"is_first_step": False}

    def __call__(self, gradients):
        torch._fused_sgd_(self.parameters, gradients, self.buffers, **self.settings)

    def finish(self):
        pass
