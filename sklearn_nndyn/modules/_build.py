"""Build a torch module from the ``module`` parameter."""

import inspect
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import contextmanager
from math import prod
from typing import Any

import torch
from torch.nn.parameter import is_lazy

from sklearn_nndyn.modules._mlp import MLP
from sklearn_nndyn.modules._reinitialize import reinitialize as draw_anew
from sklearn_nndyn.utils.modules import run
from sklearn_nndyn.utils.networks.copying import copy_module
from sklearn_nndyn.utils.networks.evaluation import evaluation_mode
from sklearn_nndyn.utils.networks.memory_format import ToImages
from sklearn_nndyn.utils.signals import raised_by_handler
from sklearn_nndyn.utils.validation import reraise_as


def build_module(
    module: Any, input_shape: tuple | Mapping, n_classes: int, *, reinitialize: bool = False
) -> torch.nn.Module:
    """Make a torch module from what the user gave, which shares no tensor with it.

    Parameters
    ----------
    module : None, architecture, torch.nn.Module class or instance, or callable
        ``None`` is :class:`MLP` as it comes. An architecture is an object with
        ``build(input_shape, n_classes)``; if it also has an ``input_shape``, flat rows are reshaped to it
        first, and so are samples that differ from it in axes of length 1 only. A class is called with
        ``input_shape`` and ``n_classes`` where its constructor names them, any other callable as
        ``module(input_shape, n_classes)``. An instance keeps its weights, and is copied; so is whatever a function
        or a class gives, which may be the same network each time.
    input_shape : tuple of int, or dict of them
        Shape of one sample; where X is a dict of arrays, that of each.
    n_classes : int
        Number of classes.
    reinitialize : bool, default=False
        Whether the weights of an instance are drawn anew, by the ``reset_parameters`` of its layers.

    Returns
    -------
    module : torch.nn.Module
        Its random numbers are those of torch's global generator.

    Raises
    ------
    TypeError
        If ``module`` is none of these, or makes something else than a torch module, or one of ``torch.jit``.
    ValueError
        If it fails to make one, if the network cannot be copied, or has parameters that no layer draws anew.

    Examples
    --------
    >>> import torch
    >>> from sklearn_nndyn.modules import build_module
    >>> build_module(lambda shape, k: torch.nn.Linear(shape[0], k), (4,), 3)
    Linear(in_features=4, out_features=3, bias=True)
    """
    check_kind(module, reinitialize)
    built = _make(module, input_shape, n_classes)
    if not isinstance(built, torch.nn.Module):
        raise TypeError(
            f"module must make a torch.nn.Module, but {_name(module)} made a {type(built).__name__}."
        )
    if module is None or type(module) is MLP:
        return built  # made afresh
    _refuse_scripted(built)
    own = copy_module(built)
    if reinitialize:
        draw_anew(own)
    return own


def _refuse_scripted(module):
    if any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
        raise TypeError(
            "module is, or holds, a ScriptModule (torch.jit.script, torch.jit.trace), of which torch makes no copy "
            "that learns, and no pickle: give the module that it was made of, and script clf.module_ once it is fitted."
        )


def build_network(module, input_shape, n_classes, dtype, *, reinitialize=False, rows=None):
    """`build_module` for a fit: in a precision of its own, whatever torch's default, and with no lazy layer left.

    Parameters
    ----------
    module, input_shape, n_classes, reinitialize
        As in `build_module`.
    dtype : torch.dtype
    rows : tensor of shape (n, ...), optional
        Samples from which lazy layers learn their shape.
    """
    with _float32_by_default():
        built = build_module(module, input_shape, n_classes, reinitialize=reinitialize)
        _check_tensors(built)
        built = built.to(dtype)
        if rows is not None and any(map(is_lazy, (*built.parameters(), *built.buffers()))):
            _materialize(built, rows)
    return built


def _check_tensors(module):
    """Refuse parameters without values, and those that lose their imaginary part."""
    for name, tensor in (*module.named_parameters(), *module.named_buffers()):
        if tensor.is_meta:
            raise ValueError(
                f"module: {name!r} is on the meta device, which holds no values: give it some with "
                'module.to_empty(device="cpu") and load_state_dict.'
            )
        if tensor.is_complex():
            raise ValueError(
                f"module: {name!r} is complex ({tensor.dtype}), but networks are trained in float32 or float64: hold "
                "real and imaginary part as parameters of their own."
            )


@contextmanager
def _float32_by_default():
    """New tensors are of float32, whatever the user's default: the same seed gives the same weights."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def _materialize(module, rows):
    """Let lazy layers draw their weights, by a pass over some rows."""
    what = f"module has lazy layers, and cannot process a batch of shape {tuple(rows.shape)}"
    with torch.no_grad(), evaluation_mode(module), reraise_as(what):
        run(module, rows)


def check_kind(module, reinitialize=False):
    """Whether something can be built of ``module``, as far as can be told without data.

    Raises
    ------
    TypeError, ValueError
        If it is nothing that :func:`build_module` takes, an architecture with parameters out of range, or nothing whose
        weights can be drawn anew where ``reinitialize`` asks for that.
    """
    if reinitialize and not isinstance(module, torch.nn.Module):
        raise ValueError(
            f"reinitialize=True draws the weights of an instance anew, but module is {_name(module)}, "
            "which makes a network for each fit: set reinitialize=False, and draw the weights where it is made."
        )
    if _is_architecture(module) and hasattr(module, "check_parameters"):
        module.check_parameters()
    kind = getattr(module, "func", module)  # of a partial, what it calls
    if isinstance(kind, type) and issubclass(kind, torch.nn.Module):
        _check_class(kind, module)
        return
    if isinstance(module, type) or not (module is None or hasattr(module, "build") or callable(module)):
        raise TypeError(
            "module must be None, an architecture such as MLP(), a torch.nn.Module class or instance, or a callable "
            f"(input_shape, n_classes) -> torch.nn.Module, got {_name(module)}."
        )


def _make(module, input_shape, n_classes):
    if isinstance(input_shape, Mapping) and (module is None or hasattr(module, "check_parameters")):
        names = ", ".join(map(repr, input_shape))
        raise ValueError(
            f"X is a dict of {names}, and {'MLP()' if module is None else module!r} takes one array: give a module of "
            "your own, whose forward takes them by name."
        )
    if module is None:
        return MLP().build(input_shape, n_classes)
    if isinstance(module, torch.nn.Module):
        return module
    if isinstance(getattr(module, "func", module), type):  # a class, or a partial of one
        shape = input_shape if isinstance(input_shape, Mapping) else tuple(input_shape)
        known = {"input_shape": shape, "n_classes": n_classes}
        parameters = inspect.signature(module).parameters
        return _call(module, **{name: value for name, value in known.items() if name in parameters})
    if _is_architecture(module):
        return _from_architecture(module, input_shape, n_classes)
    return _call(module, input_shape, n_classes)


def _call(make, *args, **kwargs):
    try:
        return make(*args, **kwargs)
    except Exception as error:
        if raised_by_handler(error):
            raise
        given = ", ".join([*map(repr, args), *(f"{name}={value!r}" for name, value in kwargs.items())])
        name = getattr(make, "__name__", repr(make))
        raise ValueError(f"module: {name}({given}) failed: {type(error).__name__}: {error}") from error


def _check_class(kind, module):
    missing = [
        name
        for name, p in inspect.signature(module).parameters.items()
        if p.default is p.empty
        and p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)
        and name not in ("input_shape", "n_classes")
    ]
    if missing:
        raise TypeError(
            f"module: the class {_name(kind)} needs {', '.join(missing)}; only input_shape and n_classes are "
            "filled in. Give an instance, or a callable (input_shape, n_classes) -> torch.nn.Module."
        )


def _is_architecture(module):
    return hasattr(module, "build") and not isinstance(module, (type, torch.nn.Module))


def _from_architecture(module, input_shape, n_classes):
    own_shape = getattr(module, "input_shape", None)
    if own_shape is None or tuple(own_shape) == tuple(input_shape):
        return module.build(input_shape, n_classes)
    return reshaped(module, input_shape, n_classes)


def reshaped(architecture, input_shape, n_classes):
    """Build an architecture that has an ``input_shape`` of its own, for samples that come in another one.

    Its parts keep their names.

    Raises
    ------
    ValueError
        If samples are neither rows of as many values, nor equal in shape but for axes of length 1.
    """
    own_shape, shape = tuple(map(int, architecture.input_shape)), tuple(input_shape)
    rows = (prod(own_shape),)
    if shape != rows and _without_ones(shape) != _without_ones(own_shape):
        raise ValueError(
            f"{type(architecture).__name__}: input_shape={own_shape} takes samples of that shape or rows of {rows[0]} "
            f"values, but samples have shape {shape}."
        )
    built = architecture.build(own_shape, n_classes)
    # Not named_children, which leaves out a part that comes a second time.
    sequence = type(built) is torch.nn.Sequential and "reshape" not in built._modules
    return torch.nn.Sequential(
        OrderedDict(reshape=ToImages(own_shape), **(built._modules if sequence else {"network": built}))
    )


def _without_ones(shape):
    return [size for size in shape if size != 1]


def _name(module):
    return module.__name__ if isinstance(module, type) else repr(module)
