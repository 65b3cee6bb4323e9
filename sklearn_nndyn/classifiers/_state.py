"""What a fit keeps and does not show; parameters that were set since, where training goes on, are used or refused."""

import copy
from dataclasses import dataclass, field, replace

from sklearn.base import BaseEstimator
from torch import device as torch_device
from torch.nn import Module

from sklearn_nndyn.recording import Snapshots
from sklearn_nndyn.training import as_list, change_optimizer, complete_optimizer
from sklearn_nndyn.utils.random import RandomState

FIXED = ("module", "reinitialize", "loss", "dtype", "device", "random_state")
OTHER_SEEDS = 2**31  # seeds of fits are smaller
OF_THE_OPTIMIZER = ("optimizer", "lr", "weight_decay", "optimizer_params")


@dataclass
class FitState:
    """All that lasts from one call of ``fit`` to the next beside the network; born in ``fit``, replaced as a whole.

    Parameters
    ----------
    random_state : int
        The number that repeats the fit: that of the estimator, or one drawn from it.
    seed : int
        That of torch's generators, drawn from it once, for a fit and all that go on from it.
    dtype : str, or tuple of pairs
        The dtype to which ``X`` is converted; (name, dtype) of each array of a dict.
    shuffling, randomness : RandomState
        The generators: for the order of the rows, and for all else that is random (dropout).
    snapshots : Snapshots, optional
        The weights of the recorded epochs.
    iterations : dict
        {recorded epoch: updates before it}.
    fingerprints : dict
        {"train" or "validation": a number that tells the recorded rows from others}.
    stopper : EarlyStopping, optional
        The stopper of the last fit, with its best value and counts.
    parameters : dict
        The estimator's, as of the last fit; see `remember_parameters`.
    is_whole : bool
        Whether the ``state_dict`` of the module is all that training changes in its scores.
    changes : bool
        Whether the module is another one after an evaluation, and has to be put back.
    augmentation : RandomState, optional
        The generator that ``batch_transform`` is given, where it was needed.
    """

    random_state: int
    seed: int
    dtype: str
    shuffling: RandomState
    randomness: RandomState
    snapshots: Snapshots | None = None
    iterations: dict = field(default_factory=dict)
    fingerprints: dict = field(default_factory=dict)
    stopper: object = None
    parameters: dict = field(default_factory=dict)
    is_whole: bool = True
    changes: bool = False
    augmentation: RandomState | None = None

    @classmethod
    def begin(cls, random_state, seed, dtype, device):
        """The state before the first update."""
        generators = {"shuffling": RandomState(seed), "randomness": RandomState(seed, device)}
        return cls(random_state, seed, dtype, **generators)

    def begin_augmentation(self):
        """The generator of augmentation, begun when it is first asked for; its seed is that of no fit's own."""
        if self.augmentation is None:
            self.augmentation = RandomState(self.seed + OTHER_SEEDS, self.randomness.device)
        return self.augmentation

    def until(self, epoch):
        """A copy as of a recorded epoch; the generators go on from where they are."""
        return replace(
            self,
            shuffling=copy.deepcopy(self.shuffling),
            randomness=copy.deepcopy(self.randomness),
            augmentation=copy.deepcopy(self.augmentation),
            snapshots=self.snapshots.until(epoch),
            iterations={own: i for own, i in self.iterations.items() if own <= epoch},
            stopper=None,
        )


def check_state_is_whole(state, what):
    """Refuse to go back to an epoch whose weights are not all that its network was.

    Parameters
    ----------
    state : FitState
    what : str
        What would go back.

    Raises
    ------
    ValueError
    """
    if not state.is_whole:
        raise ValueError(
            f"{what} would go back to the network of an epoch, but the module keeps something from one batch of "
            "training to the next that is no parameter or buffer of its state_dict, and its scores depend on it. Keep "
            "that in a tensor, self.register_buffer(name, tensor), and change it in place."
        )


def remember_parameters(estimator):
    """What a later fit compares with: {name: (the value itself, what tells that it was changed in place)}."""
    return {name: (value, _mark(value)) for name, value in estimator.get_params(deep=False).items()}


def changed_parameters(estimator, remembered):
    """Names of the parameters that were set to something else since."""
    params = estimator.get_params(deep=False)
    return [name for name, value in params.items() if not _is_same(name, value, *remembered[name])]


def refuse_fixed(estimator, remembered):
    """Refuse a change of what training that goes on cannot change.

    Raises
    ------
    ValueError
        Names every such parameter.
    """
    changed = [name for name in changed_parameters(estimator, remembered) if name in FIXED]
    if changed:
        listed = ", ".join(f"{name}={getattr(estimator, name)!r}" for name in changed)
        raise ValueError(
            f"{listed} was set since the last fit, but training that goes on (warm_start=True, partial_fit) cannot "
            f"change {' and '.join(changed)}: fit anew with warm_start=False, or set it back."
        )


def use_changes(estimator, net, remembered):
    """Bring what was set since the last fit into the net: rates, the optimizer, callbacks.

    What is not of the net (batch_size, record, class_weight, ...) is read anew by each fit.
    """
    changed = changed_parameters(estimator, remembered)
    complete_optimizer(net)
    if any(name in OF_THE_OPTIMIZER for name in changed):
        change_optimizer(
            net, estimator.optimizer, estimator.lr, estimator.weight_decay, estimator.optimizer_params
        )
    if "callbacks" in changed:
        net.callbacks = as_list(estimator.callbacks)
        net.initialize_callbacks()


def _is_same(name, value, earlier, mark):
    if name == "device":
        return _device(value) == _device(earlier)
    if value is earlier:
        return _mark(value) == mark
    if isinstance(value, (list, tuple)) and isinstance(earlier, (list, tuple)):
        return _mark(value) == mark
    kinds = (bool, int, float, str, dict, type(None))
    return isinstance(value, kinds) and isinstance(earlier, kinds) and value == earlier


def _mark(value):
    """What changes where a value is changed in place; it outlives a pickle."""
    if isinstance(value, BaseEstimator):
        return repr(value.get_params())  # its own repr leaves out what is long
    if isinstance(value, Module):
        return repr(value)
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, (list, tuple)):
        return [repr(one) for one in value]
    return None


def _device(value):
    return value if value == "auto" else torch_device(value)
