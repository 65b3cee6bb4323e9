"""All that a module holds and may change in a forward pass: tensors, attributes, containers, generators."""

from itertools import chain
from operator import is_
from types import FunctionType, MethodType, ModuleType

import numpy as np
import torch
from torch.nn.parameter import is_lazy

GENERATORS = (torch.Generator, np.random.Generator, np.random.RandomState)
NO_OBJECTS = (type, FunctionType, MethodType, ModuleType, torch.nn.Module, torch.Tensor, np.ndarray)


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
