"""A module as it was before it was run: some write into their parameters, buffers or attributes in evaluation too."""

from contextlib import contextmanager
from itertools import chain

import torch
from torch.nn.parameter import is_lazy

from sklearn_nndyn.utils.modules import has_hooks

TABLES = (torch.nn.Embedding, torch.nn.EmbeddingBag)
# They draw random numbers in evaluation too.
DRAWING = (torch.nn.FractionalMaxPool2d, torch.nn.FractionalMaxPool3d)


class ModuleMemory:
    """A copy of the state of a module.

    Parameters
    ----------
    module : torch.nn.Module
    """

    def __init__(self, module):
        tensors = (t for t in chain(module.parameters(), module.buffers()) if not is_lazy(t))
        self.tensors = [(t, t._version, t.detach().clone()) for t in tensors]
        self.attributes = [
            (held, dict(held))
            for part in module.modules()
            for held in (vars(part), part._parameters, part._buffers)
        ]

    def restore(self):
        """Restore what has changed since the copy; returns whether anything has.

        Changes inside a list or dictionary that the module holds are not detected.
        """
        changed = [(t, value) for t, version, value in self.tensors if t._version != version]
        replaced = [(held, before) for held, before in self.attributes if not _same_objects(held, before)]
        with torch.no_grad():
            for tensor, value in changed:
                tensor.copy_(value)
        for held, before in replaced:
            held.clear()
            held.update(before)
        return bool(changed or replaced)


def _same_objects(held, before):
    return held.keys() == before.keys() and all(held[name] is before[name] for name in before)


class Restorer:
    """Runs modules so that they are afterwards as before, at a cost only for those that change.

    Whether a module changes shows in its first run, or is known beforehand (`is_plain`). Tables of embeddings that cut
    their rows to a largest norm, which they do as rows are looked up, always count as changing.
    """

    def __init__(self):
        self.changes = True

    @contextmanager
    def unchanged(self, module):
        """For the time of one or several passes."""
        self.changes = self.changes and not is_plain(module)
        if not self.changes and not _cuts_norms(module):
            yield
            return
        memory = ModuleMemory(module)
        try:
            yield
        finally:
            self.changes = memory.restore()


def unchanged(module):
    """`Restorer.unchanged`, once."""
    return Restorer().unchanged(module)


def is_plain(module):
    """Whether a module is known to change nothing and to draw no random numbers in evaluation.

    It is if it is made of torch's own parts alone, without hooks, but for those known to do either.
    """
    return not _cuts_norms(module) and not has_hooks(module) and all(map(_is_torchs, module.modules()))


def _is_torchs(part):
    own = type(part).__module__.startswith("torch.nn.modules.") and "forward" not in part.__dict__
    return own and not isinstance(part, DRAWING)


def _cuts_norms(module):
    return any(isinstance(part, TABLES) and part.max_norm is not None for part in module.modules())
