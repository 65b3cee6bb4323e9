"""A loss for one fit: a copy of what was given, in the precision and on the device of the network."""

from functools import partial
from types import FunctionType, MethodType

import numpy as np
import torch
from torch.nn.parameter import is_lazy

from sklearn_nndyn.losses._registry import get_loss
from sklearn_nndyn.losses._sameness import same_settings
from sklearn_nndyn.losses.custom._custom import CustomLoss
from sklearn_nndyn.utils.losses.names import refuse_other_losses
from sklearn_nndyn.utils.networks.copying import copy_module
from sklearn_nndyn.utils.random import RandomState, refuse_python_random, untouched_generators
from sklearn_nndyn.utils.signals import raised_by_handler

OWN_PLACES = ("_parameters", "_buffers", "_modules")  # of a torch module, which `Module.to` moves
KNOWN = ("sklearn_nndyn.losses.", "torch.nn.modules.")


def loss_for_fit(loss, n_classes, dtype, device):
    """The `get_loss` that a fit trains with, in evaluation mode, which shares nothing with what was given.

    Its floating-point tensors have the ``dtype`` of the network, and lie on its device.
    """
    found = get_loss(loss)
    if not isinstance(loss, str):
        found = copy_module(found, "loss")
    if not is_known(found) or has_tensors(found):
        _move(found, dtype, device)
        if type(found) is CustomLoss and not is_known(found):
            with refuse_python_random("loss"):
                found.scores_dtype = _scores_dtype(found, n_classes, dtype, device)
    return found.eval()


def check_loss(loss):
    """Whether a fit can train with this loss, as far as can be told without data.

    Raises
    ------
    ValueError, TypeError
        For what `get_loss` does not take, torch's losses of something else than scores and labels, and losses with
        parameters that have no shape yet.
    """
    found = get_loss(loss)
    own = getattr(found, "loss", None)
    if type(own).__module__.startswith("torch.nn.modules"):
        refuse_other_losses(type(own).__name__)
    elif getattr(own, "__module__", None) == "torch.nn.functional":
        refuse_other_losses(own.__name__)
    lazy = [name for name, tensor in (*found.named_parameters(), *found.named_buffers()) if is_lazy(tensor)]
    if lazy:
        raise ValueError(
            f"loss: {lazy[0]!r} has no shape yet (a lazy layer): give it one, or let it see scores (n, n_classes) once."
        )


def is_known(loss):
    """Whether all that a loss does is known: it comes with the library or with torch."""
    own = loss.loss if type(loss) is CustomLoss else loss
    return type(own).__module__.startswith(KNOWN)


def has_tensors(loss):
    """Whether a loss has parameters or buffers."""
    return any(True for _ in (*loss.parameters(), *loss.buffers()))


def is_learned(loss):
    """Whether a loss has parameters that are trained with the network's."""
    return any(parameter.requires_grad for parameter in loss.parameters())


def computes_in_any_dtype(loss):
    """Whether a loss takes scores of any precision: it is known, and has no tensors of its own."""
    return is_known(loss) and not has_tensors(loss)


def changes_in_training(loss, n_classes, dtype, device):
    """Whether a loss is random, learned, or keeps something from one batch to the next.

    Found by a trial on a copy, with ``n_classes`` scores of a ``dtype``; the loss is left as it is.
    """
    if is_known(loss):
        return False
    if is_learned(loss):
        return True
    trial = copy_module(loss, "loss").train()
    before, randomness = _frozen(trial), RandomState(0, device)
    numbers = _frozen(randomness.states)
    with randomness:
        trial.per_sample(*_example(n_classes, dtype, device))
    return not (same_settings(before, _frozen(trial)) and same_settings(numbers, _frozen(randomness.states)))


def changing_state(loss):
    """{name: tensor} of what training may change of a loss; empty for known losses.

    Learned parameters, buffers, and numbers in plain attributes, as one float64 each.
    """
    if is_known(loss):
        return {}
    frozen = {name for name, parameter in loss.named_parameters() if not parameter.requires_grad}
    tensors = {name: value for name, value in loss.state_dict().items() if name not in frozen}
    return tensors | {
        f"{i}/{name}": torch.tensor(value, dtype=torch.float64, device="cpu")
        for i, part in enumerate(_parts(loss))
        for name, value in _attributes(part)
        if type(value) in (int, float)
    }


def load_changing_state(loss, state):
    """Bring a loss back to a `changing_state`."""
    loss.load_state_dict({name: value for name, value in state.items() if "/" not in name}, strict=False)
    parts = _parts(loss)
    for place, value in state.items():
        i, is_number, name = place.partition("/")
        if is_number:
            number = getattr(parts[int(i)], name)
            setattr(parts[int(i)], name, type(number)(value.item()))


def _parts(loss):
    """The modules of a loss, and the user's object that it calls."""
    called = getattr(loss, "loss", None)
    called = called.__self__ if isinstance(called, MethodType) else called
    is_more = hasattr(called, "__dict__") and not isinstance(called, (type, FunctionType, torch.nn.Module))
    return [*loss.modules(), called] if is_more else list(loss.modules())


def _attributes(part):
    """Name and value of each plain attribute of a part."""
    return list(vars(part).items())


def _move(loss, dtype, device):
    """Give the floating-point tensors of a loss, wherever it keeps them, a precision and a place."""
    loss.to(device=device, dtype=dtype)
    for part in _parts(loss):
        for name, value in _attributes(part):
            if name not in OWN_PLACES:
                setattr(part, name, _moved(value, dtype, device))


def _moved(value, dtype, device):
    """A value with its tensors moved; the value itself where it holds none."""
    if torch.is_tensor(value):
        return value.to(device, dtype) if value.is_floating_point() else value.to(device)
    move = partial(_moved, dtype=dtype, device=device)
    if type(value) in (list, tuple):
        return type(value)(map(move, value))
    if type(value) is dict:
        return {key: move(item) for key, item in value.items()}
    if isinstance(value, partial):
        arguments = {name: move(item) for name, item in value.keywords.items()}
        return partial(move(value.func), *map(move, value.args), **arguments)
    return value


def _scores_dtype(loss, n_classes, dtype, device):
    """The dtype of scores that a loss with inaccessible tensors (in a closure) takes; None: the network's own."""
    for tried in (dtype, *{torch.float32, torch.float64} - {dtype}):
        try:
            with untouched_generators(device):
                copy_module(loss, "loss").per_sample(*_example(n_classes, tried, device))
        except Exception as error:
            if raised_by_handler(error):
                raise
            # What is wrong with it, if it is not the precision, the dry run of the fit says.
            continue
        return None if tried == dtype else tried
    return None


def _example(n_classes, dtype, device):
    """Scores (n_classes, n_classes) and target (n_classes,) to try a loss on."""
    scores = torch.eye(n_classes, dtype=dtype, device=device)
    return scores, torch.arange(n_classes, device=device)


def _frozen(value, seen=()):
    """A value whose tensors and containers are copies, so that changes in place show."""
    if torch.is_tensor(value):
        return value.detach().clone()
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value.astype(np.float64)) if value.dtype.kind in "biuf" else value
    if id(value) in seen or isinstance(value, (type, FunctionType)):
        return value
    freeze = partial(_frozen, seen=(*seen, id(value)))
    if isinstance(value, dict):
        return {key: freeze(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [freeze(item) for item in value]
    return freeze(vars(value)) if hasattr(value, "__dict__") else value
