"""What a callback, a module or an optimizer keeps in its attributes, as plain data, and back."""

from contextlib import nullcontext, suppress
from functools import partial
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import numpy as np
import torch
from skorch import NeuralNet

from sklearn_nndyn.training.checkpoint._encoding import CannotSave, encode

OWN = "$own"  # the key of a value that says its own state
MOST_DEPTH = 6
CODE = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType, partial)
# What a fit is made of, and makes again.
PARTS = (NeuralNet, torch.nn.Parameter, torch.dtype, torch.device)


def attributes_of(owner, where, skip=(), given=(), depth=0):
    """{name: plain data} of the attributes of an object, without what cannot change: classes and functions.

    Those in ``skip`` are left out; those in ``given``, which the user gives again, are saved where they can be. For
    others that are neither plain data nor have a ``state_dict``, CannotSave says ``where``.
    """
    saved, own, lasting = {}, vars(owner), owner.__getstate__()  # what the object itself keeps in a pickle
    lasting = lasting if isinstance(lasting, dict) else own
    for name, value in own.items():
        if name in skip or name not in lasting or _is_constant(value):
            continue
        with suppress(CannotSave) if name in given else nullcontext():
            saved[name] = _saved(value, f"{where}.{name}", depth)
    return saved


def _is_constant(value):
    """Whether it holds nothing that training changes."""
    return isinstance(value, (*CODE, *PARTS)) or (callable(value) and not hasattr(value, "__dict__"))


def _saved(value, where, depth):
    if isinstance(value, torch.Generator):
        return {OWN: value.get_state()}
    if isinstance(value, np.random.RandomState):
        return {OWN: list(value.get_state())}
    if hasattr(value, "state_dict") and hasattr(value, "load_state_dict"):
        encode(value.state_dict(), where)
        return {OWN: value.state_dict()}
    try:
        encode(value, where)
    except CannotSave:
        if not hasattr(value, "__dict__") or isinstance(value, (dict, list)) or depth > MOST_DEPTH:
            raise
        return {OWN: attributes_of(value, where, depth=depth + 1)}
    return value


def load_attributes(owner, saved):
    """Give an object the attributes that `attributes_of` found."""
    for name, value in saved.items():
        if not (isinstance(value, dict) and value.keys() == {OWN}):
            _set(owner, name, value)
            continue
        if not hasattr(owner, name):
            raise ValueError(
                f"checkpoint: {type(owner).__name__}.{name} was made in an epoch, and another process cannot make it "
                f"again: let {type(owner).__name__} make it when training begins (initialize, on_train_begin)."
            )
        own, state = getattr(owner, name), value[OWN]
        if isinstance(own, (torch.Generator, np.random.RandomState)):
            own.set_state(tuple(state) if isinstance(state, list) else state)
        elif hasattr(own, "load_state_dict"):
            own.load_state_dict(state)
        else:
            load_attributes(own, state)


def _set(owner, name, value):
    own = vars(owner)
    before = own.get(name)
    if torch.is_tensor(before) and torch.is_tensor(value) and before.shape == value.shape:
        with torch.no_grad():
            before.copy_(value)
    else:
        own[name] = value
