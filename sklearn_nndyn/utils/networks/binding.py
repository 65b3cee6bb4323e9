"""A function of tensors that stay where they are, kept as the operations it makes."""

from functools import partial

import torch

from sklearn_nndyn.utils.private_names import (
    TorchDispatchMode,
    dispatch_depth,
    push_dispatch,
    set_dispatch_depth,
)

aten = torch.ops.aten


def bind(function, *tensors):
    """Run a function once, and keep its operations, so that they can be made again on new values of its arguments.

    Views are made once, and results are written where the first ones lie. On small tensors that takes two thirds of
    the time.

    Parameters
    ----------
    function : callable
        Straight-line code without gradients: what it does must not depend on values.
    *tensors : tensors
        Its arguments; later values are written into them.

    Returns
    -------
    bound : Bound or None
        None where an operation cannot be made again by this version of torch.
    """
    recorder, depth = _Recorder(), dispatch_depth()
    try:
        push_dispatch(
            recorder
        )  # its ``with`` is written in Python, and an interrupt within it leaves the mode on
        with torch.no_grad():
            results = function(*tensors)
    except (AttributeError, TypeError, NotImplementedError):
        return None
    finally:
        set_dispatch_depth(depth)
    return Bound(results, recorder.calls)


class Bound:
    """The operations of a function, and what it returned."""

    def __init__(self, results, calls):
        self.results, self.calls = results, calls

    def __call__(self):
        """Bring the results up to date, and return them: the same tensors each time."""
        for call in self.calls:
            call()
        return self.results


class _Recorder(TorchDispatchMode):
    """Keeps the operations that come by."""

    def __init__(self):
        super().__init__()
        self.calls = []

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        result = operation(*args, **kwargs)
        schema = operation._schema
        if _name(operation).endswith("_"):
            self.calls.append(partial(getattr(args[0], _name(operation)), *args[1:], **kwargs))
        elif schema.is_mutable:
            self.calls.append(partial(operation, *args, **kwargs))
        elif not any(returned.alias_info for returned in schema.returns):
            self.calls.append(_into(result, operation, args, kwargs))
        return result


def _into(result, operation, args, kwargs):
    """The call that computes the result again, where it lies."""
    if operation in COPIES:
        return COPIES[operation](result, args)
    if operation in PLAIN:
        return partial(getattr(torch, _name(operation)), *args, **kwargs, out=result)
    results = result if isinstance(result, (list, tuple)) else [result]
    if not all(map(torch.is_tensor, results)):
        raise NotImplementedError(f"{operation} reads a value")
    overload, names = _with_out(operation, len(results))
    return partial(overload, *args, **kwargs, **dict(zip(names, results, strict=True)))


COPIES = {
    aten.zeros_like.default: lambda result, args: result.zero_,
    aten.ones_like.default: lambda result, args: partial(result.fill_, 1),
    aten.clone.default: lambda result, args: partial(result.copy_, args[0]),
    aten._to_copy.default: lambda result, args: partial(result.copy_, args[0]),
}
# Those that torch's own functions of the same name call in less time.
PLAIN = {
    aten.add.Tensor,
    aten.sub.Tensor,
    aten.mul.Tensor,
    aten.div.Tensor,
    aten.addcmul.default,
    aten.exp.default,
    aten.neg.default,
    aten.abs.default,
    aten.sign.default,
    aten.sum.dim_IntList,
    aten.cat.default,
    aten.index_select.default,
    aten.pow.Tensor_Scalar,
    aten.gather.default,
    aten.mean.dim,
}


def _with_out(operation, n):
    """The same operation with ``n`` arguments for its results, and their names."""
    packet, own = operation._overloadpacket, _arguments(operation)
    for overload in (getattr(packet, name) for name in packet.overloads()):
        arguments = _arguments(overload)
        if arguments[:-n] == own and overload._schema.is_mutable:
            return overload, [name for name, _ in arguments[-n:]]
    raise NotImplementedError(f"{operation} has no form that writes its results")


def _arguments(operation):
    return [(argument.name, str(argument.type)) for argument in operation._schema.arguments]


def _name(operation):
    return operation._schema.name.removeprefix("aten::")
