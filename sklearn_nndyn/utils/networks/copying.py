"""Copies of torch modules that share nothing with the original."""

import copy

import torch

from sklearn_nndyn.utils.signals import raised_by_handler


def copy_module(module, what="module"):
    """A copy with the module's weights, buffers, ties and hooks, that shares no tensor with it.

    Tensors that a module keeps of its last forward pass (old style weight norm, attention weights for inspection)
    come along without their graph, which ``copy.deepcopy`` alone refuses to copy.

    Parameters
    ----------
    module : torch.nn.Module
    what : str, default="module"
        The parameter that it was given as, for the message.

    Returns
    -------
    copy : torch.nn.Module

    Raises
    ------
    ValueError
        If something in it cannot be copied.
    """
    try:
        return copy.deepcopy(module, copies_without_graph(module))
    except Exception as error:
        if raised_by_handler(error):
            raise
        raise ValueError(
            f"{what}: each fit trains a copy, and {type(module).__name__} cannot be copied "
            f"({type(error).__name__}: {error}). Keep what copy.deepcopy refuses (locks, open files, generators) out "
            f"of the {what}, or give it a __deepcopy__."
        ) from error


def copies_without_graph(module):
    """Copies of the tensors that a module keeps of its last forward pass, {id: copy} as ``copy.deepcopy`` has them."""
    return {id(result): result.detach().clone() for result in _results(module)}


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
