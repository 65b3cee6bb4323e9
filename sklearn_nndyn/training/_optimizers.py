"""Optimizers by name, their parameters, and changes of them."""

import difflib
import inspect
from fnmatch import fnmatch
from functools import cache

import torch

from sklearn_nndyn.utils.signals import raised_by_handler
from sklearn_nndyn.utils.validation import reraise_as

# What can be set in the groups of an optimizer that has begun.
RATES = {"lr", "weight_decay", "momentum", "betas", "eps", "alpha", "dampening", "lr_decay", "rho"}
# Those that take sparse gradients alone, or matrices alone.
OF_SOME_PARAMETERS = {"sparseadam": "SparseAdam", "muon": "Muon"}


def find_optimizer(optimizer):
    """The optimizer class of a name such as ``"adam"`` or ``"sgd"``, in any case, or the class itself."""
    if isinstance(optimizer, type) and issubclass(optimizer, torch.optim.Optimizer):
        return optimizer
    if not isinstance(optimizer, str):
        raise TypeError(
            f'optimizer must be a name such as "adam" or a torch optimizer class, got {_shown(optimizer)}. Its further '
            'parameters go into optimizer_params, such as {"momentum": 0.9}.'
        )
    known = optimizer_names()
    if optimizer.lower() not in known:
        raise ValueError(
            f"optimizer {optimizer!r} is unknown.{_suggestion(optimizer, known)} Known are {', '.join(sorted(known))}."
        )
    return known[optimizer.lower()]


def _suggestion(name, known):
    bare = name.lower().rpartition(".")[2]
    if bare in OF_SOME_PARAMETERS:
        return f" It is for parameters of one kind alone: give the class, torch.optim.{OF_SOME_PARAMETERS[bare]}."
    near = difflib.get_close_matches(bare, known, n=1)
    return f' Did you mean "{near[0]}"?' if near else ""


def _shown(optimizer):
    """A value, or of an optimizer that was made, whose text has many lines, its kind."""
    return f"a made {type(optimizer).__name__}" if "\n" in repr(optimizer) else repr(optimizer)


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
    _try_to_make(optimizer, params, f"optimizer_params={params!r}")
    for pattern, settings in groups or ():
        _try_to_make(
            optimizer, {**params, **settings}, f"the settings of param_groups for {pattern!r}, {settings!r}"
        )


def _try_to_make(optimizer, params, what):
    """Make one of a parameter: a group's own settings torch does not check."""
    try:
        optimizer([torch.nn.Parameter(torch.zeros(1, 1))], **{"lr": 1e-3, **params})
    except Exception as error:
        if raised_by_handler(error):
            raise
        raise ValueError(f"optimizer {optimizer.__name__} cannot be made with {what}: {error}") from error


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


def optimizer_settings(optimizer, lr, weight_decay, params):
    """All that an optimizer class is made with, beside the parameters and the kernel."""
    settings = {"lr": lr, **(params or {})}
    if "weight_decay" in _defaults_of(optimizer):
        settings.setdefault("weight_decay", weight_decay)
    return settings


def with_fused_kernel(optimizer, settings, module):
    """The settings, with torch's fused kernel where there is one for the device and for all gradients of the module."""
    device = next(module.parameters()).device
    takes_it = "fused" in _defaults_of(optimizer) and device.type in ("cpu", "cuda")
    if not takes_it or settings.get("foreach") or gives_sparse_gradients(module):
        return settings
    return {"fused": True, **settings}


def gives_sparse_gradients(module):
    """Whether a part of the module is an embedding whose gradients are sparse."""
    return any(getattr(part, "sparse", False) is True for part in module.modules())


def change_optimizer(net, optimizer, lr, weight_decay, params):
    """Give a net's optimizer other settings: in its groups where that is enough, else a new optimizer is made."""
    kind = find_optimizer(optimizer)
    new = optimizer_settings(kind, lr, weight_decay, params)
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


def check_update(net, gradients):
    """Try the net's optimizer: on parameters of one number each, in groups and with gradients as they will be.

    Parameters
    ----------
    net : DynamicsNet
    gradients : dict of str
        {name of a parameter: "dense", "sparse" or "nan"}; parameters without are left alone.

    Raises
    ------
    ValueError
        If a gradient is nan, or the optimizer cannot make a step.
    """
    nan = [name for name, kind in gradients.items() if kind == "nan"]
    if nan and not net.needs_batches:  # a callback may mend gradients
        raise ValueError(
            f"the gradient of {nan[0]} is nan for the first samples, before any training: look in module and loss for "
            "sqrt, norm, log and divisions at 0, also where torch.where takes their other side."
        )
    own = dict(net.module_.named_parameters())
    small = {name: _one_number(p, gradients.get(name)) for name, p in own.items() if p.requires_grad}
    groups, settings = net.get_params_for_optimizer("optimizer", small.items())
    hint = _hint_of_sparse(name for name, kind in gradients.items() if kind == "sparse")
    with reraise_as(f"optimizer {net.optimizer.__name__} cannot update the parameters of module{hint}"):
        _make_step(net.optimizer(*groups, **settings))


def _make_step(optimizer):
    loss = torch.zeros(())
    optimizer.step(lambda: loss) if needs_closure(optimizer) else optimizer.step()


def _one_number(parameter, kind):
    """A parameter of one number, of as many axes as this one, with a gradient of 0 where this one has one."""
    shape = [1] * parameter.ndim
    small = torch.nn.Parameter(torch.zeros(shape, dtype=parameter.dtype, device=parameter.device))
    if kind is not None:
        gradient = torch.zeros_like(small)
        small.grad = gradient.to_sparse(1) if kind == "sparse" else gradient
    return small


def _hint_of_sparse(names):
    first = next(names, None)
    if first is None:
        return ""
    return (
        f" (the gradient of {first} is sparse: set sparse=False in the embedding, or take "
        'optimizer="sgd" or "adagrad" with weight_decay=0)'
    )


def needs_closure(optimizer):
    """Whether a step of the optimizer computes the loss itself, by a function that it must be given."""
    return _step_needs_closure(type(optimizer))


def zeroes_by_itself(optimizer):
    """Whether an optimizer has a ``zero_grad`` of its own, such as one that adds up gradients of several batches."""
    return "zero_grad" in vars(optimizer) or type(optimizer).zero_grad is not torch.optim.Optimizer.zero_grad


def complete_optimizer(net):
    """Give a net's optimizer, where it is LBFGS, what a pickle and a copy of it leave behind, from one made anew."""
    if not isinstance(net.optimizer_, torch.optim.LBFGS) or type(net.optimizer_) is not net.optimizer:
        return
    groups, settings = net.get_params_for_optimizer("optimizer", net.get_all_learnable_params())
    for name, value in vars(net.optimizer(*groups, **settings)).items():
        vars(net.optimizer_).setdefault(name, value)


@cache
def _step_needs_closure(kind):
    parameters = list(inspect.signature(kind.step).parameters.values())[1:]
    return any(parameter.default is parameter.empty for parameter in parameters)


@cache
def optimizer_names():
    """{lower-case name: class} of torch's optimizers that need nothing but parameters and a rate."""
    classes = [
        c
        for c in torch.optim.__dict__.values()
        if isinstance(c, type) and issubclass(c, torch.optim.Optimizer)
    ]
    left_out = {
        torch.optim.Optimizer,
        *(getattr(torch.optim, name, None) for name in OF_SOME_PARAMETERS.values()),
    }
    return {c.__name__.lower(): c for c in classes if c not in left_out}


@cache
def _defaults_of(optimizer):
    """{name: default} of the parameters of an optimizer class."""
    return {name: parameter.default for name, parameter in inspect.signature(optimizer).parameters.items()}
