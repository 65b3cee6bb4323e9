"""What a fit keeps and does not show."""

import copy
from dataclasses import dataclass, field, replace

from sklearn_nndyn.recording import Snapshots
from sklearn_nndyn.utils.random import RandomState


@dataclass
class FitState:
    """All that lasts from one call of ``fit`` to the next beside the network; born in ``fit``, replaced as a whole.

    Parameters
    ----------
    seed : int
        Drawn from ``random_state`` once, for a fit and all that go on from it.
    dtype : str
        That ``X`` is converted to.
    shuffling, randomness : RandomState
        The generators: for the order of the rows, and for all else that is random (dropout).
    snapshots : Snapshots, optional
        The weights of the recorded epochs.
    iterations : dict
        {recorded epoch: updates before it}.
    fingerprints : dict
        {"train" or "validation": a number that tells the recorded rows from others}.
    stopper : EarlyStopping, optional
        What it has seen so far.
    parameters : dict
        The estimator's, as of the last fit; see `remember_parameters`.
    """

    seed: int
    dtype: str
    shuffling: RandomState
    randomness: RandomState
    snapshots: Snapshots | None = None
    iterations: dict = field(default_factory=dict)
    fingerprints: dict = field(default_factory=dict)
    stopper: object = None
    parameters: dict = field(default_factory=dict)

    @classmethod
    def begin(cls, seed, dtype, device):
        """The state before the first update."""
        return cls(seed, dtype, shuffling=RandomState(seed), randomness=RandomState(seed, device))

    def until(self, epoch):
        """A copy as of a recorded epoch; the generators go on from where they are."""
        return replace(
            self,
            shuffling=copy.deepcopy(self.shuffling),
            randomness=copy.deepcopy(self.randomness),
            snapshots=self.snapshots.until(epoch),
            iterations={own: i for own, i in self.iterations.items() if own <= epoch},
            stopper=None,
        )
