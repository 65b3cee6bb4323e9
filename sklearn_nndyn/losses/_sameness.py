"""Whether two losses are the same, so that one call may do for both."""

from functools import partial

import torch

_PLAIN = (bool, int, float, complex, str, bytes, set, type(None), torch.dtype, torch.device)


def same_loss(one, other):
    """Whether two `ClassificationLoss` give every sample the same value: equal class, equal settings.

    The `reduction` of this package's own does not matter, for it has no part in the value of a sample.
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    states = one.__getstate__(), other.__getstate__()
    if is_of_this_package(one):
        states = [{name: value for name, value in state.items() if name != "reduction"} for state in states]
    return same_settings(*states)


def is_of_this_package(loss):
    """Whether the class of a loss is one that comes with the library."""
    return type(loss).__module__.startswith("sklearn_nndyn.losses.")


def same_settings(one, other):
    """Whether two settings are equal for certain: what is not understood must be the same object."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, _PLAIN):
        return one == other
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same_settings(one[key], other[key]) for key in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same_settings, one, other))
    if isinstance(one, torch.Tensor):
        return (one.dtype, one.device) == (other.dtype, other.device) and torch.equal(one, other)
    if isinstance(one, torch.nn.Module):
        return same_settings(one.__getstate__(), other.__getstate__())
    if isinstance(one, partial):
        return same_settings((one.func, one.args, one.keywords), (other.func, other.args, other.keywords))
    return False
