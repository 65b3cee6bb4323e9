"""Augmentation: what a user's ``batch_transform`` makes of a batch, checked."""

import copy
import inspect
from collections.abc import Mapping
from contextlib import nullcontext

import torch

from sklearn_nndyn.training.checks._dry_run import described
from sklearn_nndyn.utils.modules import run
from sklearn_nndyn.utils.networks.copying import copy_module
from sklearn_nndyn.utils.random import refuse_python_random, untouched_generators
from sklearn_nndyn.utils.rows.named import NamedBatch
from sklearn_nndyn.utils.signals import raised_by_handler
from sklearn_nndyn.utils.validation import reraise_as

ALONE = "for a transform of the batch alone write lambda batch, generator: transform(batch)"


def check_batch_transform(transform):
    """Whether it can be called with a batch and a generator.

    Raises
    ------
    TypeError
    """
    if not callable(transform) or isinstance(transform, type):
        raise TypeError(
            f"batch_transform must be None or a callable of a batch and a torch.Generator, got {transform!r}."
        )
    call = transform.forward if isinstance(transform, torch.nn.Module) else transform
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):  # some builtins have none
        return
    try:
        signature.bind("batch", "generator")
    except TypeError as error:
        raise TypeError(
            "batch_transform must take two arguments, the batch and the torch.Generator from which to draw, "
            f"batch_transform(batch, generator); it takes {signature}: {ALONE}."
        ) from error


def lent_to(transform):
    """The random numbers of a transform, or None, are drawn inside."""
    return nullcontext() if transform is None else transform.numbers.as_generator(transform.generator)


class BatchTransform:
    """A copy of the user's function, and the random numbers that it draws.

    Parameters
    ----------
    function : callable
        ``function(batch, generator)``.
    numbers : RandomState
        The state of its generator, from one epoch to the next; see `lent_to`.
    dtype : torch.dtype
        The dtype of the floats that it is given, also where a step is computed in another.
    """

    def __init__(self, function, numbers, dtype):
        self.function, self.numbers, self.dtype = _copied(function), numbers, dtype
        self.generator = torch.Generator(numbers.device)

    def __call__(self, batch):
        """What is to be trained on in place of a batch, which may lie in the user's memory and is not changed."""
        with torch.no_grad():
            return _as_given(self.function(self._fresh(batch), self.generator), batch)

    def _fresh(self, batch):
        floats = torch.is_tensor(batch) and batch.is_floating_point()
        return batch.to(self.dtype, copy=True) if floats else batch.clone()

    def check(self, module, batch):
        """Try it on some rows, and a copy of the module on what it makes of them; no generator is moved.

        Raises
        ------
        ValueError, TypeError
        """
        function, self.function = self.function, _copied(self.function)
        self.generator.set_state(self.numbers.states[0 if self.numbers.device.type == "cpu" else 1])
        try:
            with untouched_generators(batch.device), refuse_python_random("batch_transform"), torch.no_grad():
                made = self._try(batch)
                _check_finite(made, batch)
                with reraise_as(
                    f"module cannot process what batch_transform makes of a batch, {described(made)}"
                ):
                    run(copy_module(module).train(), made)
        finally:
            self.function = function

    def _try(self, batch):
        with reraise_as(f"batch_transform cannot process a batch of {described(batch)}"):
            made = self.function(self._fresh(batch), self.generator)
        return _as_given(made, batch)


def _copied(function):
    try:
        return copy.deepcopy(function)
    except Exception as error:
        if raised_by_handler(error):
            raise
        raise ValueError(
            f"batch_transform: each fit uses a copy, and {type(function).__name__} cannot be copied "
            f"({type(error).__name__}: {error})."
        ) from error


def _as_given(made, batch):
    """What was made, refused where it cannot stand in the place of the batch."""
    if not isinstance(batch, dict):
        return _checked(made, batch, "batch_transform")
    if not isinstance(made, Mapping) or set(made) != set(batch):
        given = ", ".join(map(repr, made)) if isinstance(made, Mapping) else type(made).__name__
        raise TypeError(
            f"batch_transform must give a dict of {', '.join(map(repr, batch))}, as it was given; got {given}."
        )
    return NamedBatch(
        {name: _checked(made[name], values, f"batch_transform, {name!r},") for name, values in batch.items()}
    )


def _checked(made, values, what):
    if not isinstance(made, torch.Tensor):
        hint = f"; {ALONE}" if isinstance(made, tuple) else ""
        raise TypeError(f"{what} must give a tensor, as it was given; got {type(made).__name__}{hint}.")
    if made.shape[:1] != values.shape[:1]:
        raise ValueError(
            f"{what} must give one row for each of the {len(values)} it is given, whose labels stay; got shape "
            f"{tuple(made.shape)}."
        )
    if made.is_floating_point() != values.is_floating_point() or made.is_complex():
        raise TypeError(f"{what} was given {values.dtype} and must not give {made.dtype}.")
    if made.device != values.device:
        raise ValueError(
            f"{what} was given a batch on {values.device} and must not give one on {made.device}."
        )
    return made.detach().to(values.dtype)


def _check_finite(made, batch):
    pairs = [(made, batch)] if torch.is_tensor(made) else [(made[name], batch[name]) for name in made]
    for values, given in pairs:
        if given.isfinite().all() and not values.isfinite().all():
            raise ValueError(
                "batch_transform gives numbers that are not finite: look for 0 / 0, log or sqrt of numbers below 0."
            )
