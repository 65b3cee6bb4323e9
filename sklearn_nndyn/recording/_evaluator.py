"""Evaluations of a network and its loss that leave no trace."""

from contextlib import contextmanager

import torch

from sklearn_nndyn.losses import is_known
from sklearn_nndyn.utils.networks.evaluation import Restorer, evaluation_mode, is_plain
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
        self.device, self.draws, self._restorer = device, True, Restorer()

    @contextmanager
    def __call__(self, module, loss, runs_alone=True):
        """For the time of one evaluation; ``runs_alone`` says that nothing else is run in it."""
        with torch.no_grad(), evaluation_mode(module, loss):
            if runs_alone and is_known(loss) and is_plain(module):
                yield
                return
            generators = (fixed_generators if self.draws else untouched_generators)(self.device)
            with generators, self._restorer.unchanged(module):
                yield
            self.draws = self.draws and generators.drew
