"""Copies of modules: whole ones that share nothing, and of the state that a forward pass may change, to restore it."""

import copy
from itertools import chain
from operator import is_
from types import FunctionType, MethodType, ModuleType

import numpy as np
import torch
from torch.nn.parameter import UninitializedBuffer, is_lazy

from sklearn_nndyn.utils.private_names import gradient_hooks
from sklearn_nndyn.utils.signals import raised_by_handler

GENERATORS = (torch.Generator, np.random.Generator, np.random.RandomState)
NO_OBJECTS = (type, FunctionType, MethodType, ModuleType, torch.nn.Module, torch.Tensor, np.ndarray)


def copy_module(module, what="module"):
    """A copy with the module's weights, buffers, ties and hooks, that shares no tensor with it.

    So it has the hooks of its parameters, which ``copy.deepcopy`` alone leaves behind. Tensors that a module keeps of
    its last forward pass (old style weight norm, attention weights for inspection) come along without their graph,
    which it refuses to copy. ValueError, which says that it was given as ``what``, if something in it cannot be copied.
    """
    try:
        memo = copies_without_graph(module)
        own = copy.deepcopy(module, memo)
        copy_gradient_hooks(module, own, memo)
        return own
    except Exception as error:
        if raised_by_handler(error):
            raise
        raise ValueError(
            f"{what}: each fit trains a copy, and {type(module).__name__} cannot be copied "
            f"({type(error).__name__}: {error}). Keep what copy.deepcopy refuses (locks, open files, generators) out "
            f"of the {what}, or give it a __deepcopy__."
        ) from error


def copy_gradient_hooks(module, own, memo):
    """Give the parameters of a copy the hooks that those of the module have, unless the copy came with some.

    ``memo`` is what ``copy.deepcopy`` has copied.
    """
    copies = dict(own.named_parameters())
    for name, parameter in module.named_parameters():
        hooks, twin = gradient_hooks(parameter), copies.get(name)
        if not any(hooks) or twin is None or any(gradient_hooks(twin)):
            continue
        twin.requires_grad_()  # of a frozen one torch takes no hooks
        for register, of_kind in zip(
            (twin.register_hook, twin.register_post_accumulate_grad_hook), hooks, strict=True
        ):
            for hook in of_kind:
                register(copy.deepcopy(hook, memo))
        twin.requires_grad_(parameter.requires_grad)


def copies_without_graph(module):
    """Copies of the tensors that a module keeps of its last forward pass, {id: copy} as ``copy.deepcopy`` has them.

    And of the buffers of lazy layers, which it refuses too.
    """
    results = {id(result): result.detach().clone() for result in _results(module)}
    lazy = [buffer for buffer in module.buffers() if isinstance(buffer, UninitializedBuffer)]
    return results | {id(one): UninitializedBuffer(device=one.device, dtype=one.dtype) for one in lazy}


def _results(module):
    """Tensors that some computation made and the module's parts hold."""
    seen = set()
    for part in module.modules():
        yield from _tensors_with_graph(vars(part), seen)


def _tensors_with_graph(value, seen):
    if torch.is_tensor(value):
        if value.grad_fn is not None:
            yield value
    elif isinstance(value, (dict, list, tuple)) and id(value) not in seen:
        seen.add(id(value))
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _tensors_with_graph(inner, seen)


class ModuleMemory:
    """A copy of the state of modules: some write into what they hold in evaluation too.

    Parameters
    ----------
    *modules : torch.nn.Module
        Networks, and losses; objects that they hold and call belong to them.
    """

    def __init__(self, *modules):
        parts = [part for module in modules for part in module.modules()]
        # The attributes of a ScriptModule are no Python objects.
        parts = [part for part in parts if not isinstance(part, torch.jit.ScriptModule)]
        spaces = [vars(part) for part in parts]
        spaces += [vars(called) for space in list(spaces) for called in filter(_is_called, space.values())]
        own = [value for space in spaces for value in space.values()]
        tensors = chain(*((*module.parameters(), *module.buffers()) for module in modules), own)
        self.tensors = [
            (t, t._version, t.detach().clone())
            for t in tensors
            if isinstance(t, torch.Tensor) and not is_lazy(t)
        ]
        held = [*spaces, *(own for part in parts for own in (part._parameters, part._buffers))]
        self.attributes = [(space, dict(space)) for space in held]
        self.attributes += [(value, dict(value)) for value in own if type(value) is dict]
        self.lists = [(value, list(value)) for value in own if type(value) is list]
        self.generators = [(value, _state_of(value)) for value in own if isinstance(value, GENERATORS)]

    def restore(self):
        """Restore what has changed since the copy; returns whether anything has, or may have.

        Changes deeper inside a list or dictionary that the module holds are not detected.
        """
        changed = [(t, value) for t, version, value in self.tensors if t._version != version]
        replaced = [(held, before) for held, before in self.attributes if not _same_objects(held, before)]
        grown = [(held, before) for held, before in self.lists if not _same_objects(held, before)]
        with torch.no_grad():
            for tensor, value in changed:
                tensor.copy_(value)
        for held, before in replaced:
            held.clear()
            held.update(before)
        for held, before in grown:
            held[:] = before
        for generator, state in self.generators:
            _set_state(generator, state)
        return bool(changed or replaced or grown or self.generators)


def _is_called(value):
    """Whether this is an object with attributes of its own, such as a callable that a loss is made of."""
    return hasattr(value, "__dict__") and not isinstance(value, NO_OBJECTS)


def _same_objects(held, before):
    if len(held) != len(before):
        return False
    if isinstance(held, list):
        return all(map(is_, held, before))
    return all(name in held and held[name] is value for name, value in before.items())


def _state_of(generator):
    if isinstance(generator, np.random.Generator):
        return generator.bit_generator.state
    return generator.get_state()


def _set_state(generator, state):
    if isinstance(generator, np.random.Generator):
        generator.bit_generator.state = state
    else:
        generator.set_state(state)
