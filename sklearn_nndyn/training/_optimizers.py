"""Optimizers by name, their parameters, and changes of them."""

import difflib
import inspect
from fnmatch import fnmatch
from functools import cache

import torch

from sklearn_nndyn.utils.signals import raised_by_handler

# What can be set in the groups of an optimizer that has begun.
RATES = {"lr", "weight_decay", "momentum", "betas", "eps", "alpha", "dampening", "lr_decay", "rho"}


def find_optimizer(optimizer):
    """The optimizer class of a name such as ``"adam"`` or ``"sgd"``, in any case, or the class itself."""
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
    """Try an optimizer class on a parameter: a ValueError where it does not take its further parameters."""
    params = dict(params)
    groups = params.pop("param_groups", None)
    known = [name for name in _defaults_of(optimizer) if name not in ("params", "lr")]
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
    if weight_decay and "weight_decay" in params:
        raise ValueError(
            f"weight_decay={weight_decay!r} and optimizer_params={params!r} set the same thing: set one of them."
        )
    if weight_decay and "weight_decay" not in known:
        raise ValueError(f"optimizer {optimizer.__name__} has no weight_decay; set weight_decay=0.")
    try:
        optimizer([torch.nn.Parameter(torch.zeros(1, 1))], lr=1e-3, **params)
    except Exception as error:
        if raised_by_handler(error):
            raise
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
    """Raise for a pattern of ``param_groups`` that matches no parameter of the module.

    Raises
    ------
    ValueError
        For a pattern that matches no parameter; the message lists the names of the parameters.
    """
    names = [name for name, _ in module.named_parameters()]
    for pattern, _ in optimizer_params.get("param_groups", ()):
        if not any(fnmatch(name, pattern) for name in names):
            raise ValueError(
                f"optimizer_params: param_groups names {pattern!r}, but no parameter of the module is called so; they "
                f"are {', '.join(names)}."
            )


def optimizer_settings(optimizer, lr, weight_decay, params, device):
    """All that an optimizer class is made with, beside the parameters: of torch's kernels the fused one is taken."""
    settings, known = {"lr": lr, **(params or {})}, _defaults_of(optimizer)
    if "weight_decay" in known:
        settings.setdefault("weight_decay", weight_decay)
    others = settings.get("foreach")
    if "fused" in known and device.type in ("cpu", "cuda") and not others:
        settings.setdefault("fused", True)
    return settings


def change_optimizer(net, optimizer, lr, weight_decay, params):
    """Give a net's optimizer other settings: in its groups where that is enough, else a new optimizer is made."""
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
    defaults = _defaults_of(kind)
    own = [settings for _, settings in new.get("param_groups", ())]
    for i, group in enumerate(net.optimizer_.param_groups):
        fixed = own[i] if i < len(own) else {}
        group.update({name: new.get(name, defaults[name]) for name in changed if name not in fixed})


@cache
def optimizer_names():
    """{lower-case name: class} of torch's optimizers that need nothing but parameters and a rate."""
    classes = [
        c
        for c in torch.optim.__dict__.values()
        if isinstance(c, type) and issubclass(c, torch.optim.Optimizer)
    ]
    left_out = {torch.optim.Optimizer, torch.optim.SparseAdam, getattr(torch.optim, "Muon", None)}
    return {c.__name__.lower(): c for c in classes if c not in left_out}


@cache
def _defaults_of(optimizer):
    """{name: default} of the parameters of an optimizer class."""
    return {name: parameter.default for name, parameter in inspect.signature(optimizer).parameters.items()}
