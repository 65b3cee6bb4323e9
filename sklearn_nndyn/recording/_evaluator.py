"""Evaluations of a network and its loss that leave no trace."""

from contextlib import contextmanager, nullcontext

import torch

from sklearn_nndyn.losses import is_known
from sklearn_nndyn.utils.networks.evaluation import cuts_norms, evaluation_mode, is_plain
from sklearn_nndyn.utils.networks.memory import ModuleMemory
from sklearn_nndyn.utils.random import fixed_generators, untouched_generators


class Evaluator:
    """Evaluates networks so that they, their losses and the global random generators are afterwards as before.

    Random numbers are the same in every evaluation. This costs something only where a network changes or draws: of
    one made of torch's own parts it is known that it does neither, of others it shows in the first evaluation.

    Parameters
    ----------
    device : torch.device
        The device of the networks.
    """

    def __init__(self, device):
        self.device, self.draws, self.changes = device, True, True

    @contextmanager
    def __call__(self, module, loss, runs_alone=True):
        """For the time of one evaluation; ``runs_alone`` says that nothing else is run in it."""
        leaves_no_trace = runs_alone and _is_known_to_leave_no_trace(module, loss)
        with (
            torch.no_grad(),
            evaluation_mode(module, loss),
            nullcontext() if leaves_no_trace else self._restored(module, loss),
        ):
            yield

    def leaves_no_trace(self, module, loss):
        """Whether nothing changes or is drawn, as is known of the parts or was seen in the evaluations so far."""
        return _is_known_to_leave_no_trace(module, loss) or not (self.draws or self.changes)

    @contextmanager
    def _restored(self, module, loss):
        generators = (fixed_generators if self.draws else untouched_generators)(self.device)
        memory = ModuleMemory(module, loss) if self.changes else None
        with generators:
            try:
                yield
            finally:
                if memory is not None:  # tables that cut nothing now may do so later
                    self.changes = memory.restore() or cuts_norms(module)
        self.draws = self.draws and generators.drew


def _is_known_to_leave_no_trace(module, loss):
    return is_known(loss) and is_plain(module)
