"""Every parameter a user can get wrong, found before training starts."""

from collections.abc import Mapping

import torch
from sklearn.utils import check_random_state

from sklearn_nndyn.classifiers._monitor import check_monitor
from sklearn_nndyn.classifiers.checkpoint import as_checkpoint, check_checkpoint
from sklearn_nndyn.losses import get_loss
from sklearn_nndyn.modules import check_kind, check_reinitialize
from sklearn_nndyn.recording import check_record, make_schedule
from sklearn_nndyn.training import (
    check_callbacks,
    check_optimizer_params,
    find_optimizer,
    is_auto,
    is_default,
)
from sklearn_nndyn.utils.networks.modes import refuse_modes
from sklearn_nndyn.utils.validation import is_count, is_finite, is_flag, is_one_of, reraise_as


def check_parameters(estimator):
    """Check every parameter of the classifier.

    Raises
    ------
    ValueError, TypeError
        Names every mistake at once. A TypeError where there is just one, and it is one of type.
    """
    mistakes = [mistake for check in CHECKS for mistake in _run(check, estimator)]
    if len(mistakes) == 1:
        raise mistakes[0]
    if mistakes:
        listed = "\n".join(f"- {mistake}" for mistake in mistakes)
        raise ValueError(f"{len(mistakes)} parameters cannot be used:\n{listed}")


def check_partial(estimator):
    """Refuse what has no meaning where one epoch is trained on all that is given.

    Raises
    ------
    ValueError
    """
    if estimator.checkpoint is not None:
        raise ValueError(
            "checkpoint is of a whole fit, and partial_fit trains one epoch: set checkpoint=None, or call fit."
        )
    wanted = {"early_stopping": False, "validation_fraction": None}
    of_a_fit = [name for name, off in wanted.items() if getattr(estimator, name) != off]
    if of_a_fit:
        listed = " and ".join(f"{name}={getattr(estimator, name)!r}" for name in of_a_fit)
        instead = ", ".join(f"{name}={wanted[name]}" for name in of_a_fit)
        raise ValueError(
            f"partial_fit trains one epoch on all samples that it is given, so {listed} cannot be heeded: set "
            f"{instead}, or go on by fit with warm_start=True."
        )


def _run(check, estimator):
    try:
        check(estimator)
    except (ValueError, TypeError) as error:
        return [error]
    return []


def _require(name, text, accept):
    """A check of one parameter: ``accept(value)`` or a ValueError that says what it ``must be``."""

    def check(estimator):
        value = getattr(estimator, name)
        if not accept(value):
            raise ValueError(f"{name} must be {text}, got {value!r}.")

    return check


def _is_class_weight(value):
    if isinstance(value, str):
        return value == "balanced"
    return value is None or (
        isinstance(value, Mapping) and all(is_finite(w) and w >= 0 for w in value.values())
    )


def _check_random_state(estimator):
    try:
        check_random_state(estimator.random_state)
    except ValueError as error:
        raise ValueError(
            "random_state must be None, an integer from 0 to 2**32 - 1 or a numpy.random.RandomState, got "
            f"{estimator.random_state!r}."
        ) from error


def _check_optimizer(estimator):
    optimizer, params = find_optimizer(estimator.optimizer), estimator.optimizer_params
    if params is None or isinstance(params, Mapping):
        check_optimizer_params(optimizer, params or {}, estimator.weight_decay)


def _check_record_epochs(estimator):
    schedule = make_schedule(estimator.record_epochs)
    with reraise_as("record_epochs cannot be called with an epoch"):
        schedule(0)


def _check_record_iterations(estimator):
    iterations = estimator.record_iterations
    if iterations is None or is_auto(iterations):
        return
    schedule = make_schedule(iterations, "iteration")
    if not is_default(estimator.record_epochs):
        raise ValueError(
            "Give record_epochs or record_iterations, not both: when to record is said by epochs or by updates."
        )
    with reraise_as("record_iterations cannot be called with an iteration"):
        schedule(0)


CHECKS = [
    lambda estimator: refuse_modes(),
    lambda estimator: check_kind(estimator.module),
    _require("reinitialize", "True or False", is_flag),
    lambda estimator: check_reinitialize(estimator.module, estimator.reinitialize is True),
    lambda estimator: get_loss(estimator.loss),
    _check_optimizer,
    _require("optimizer_params", "None or a dict", lambda v: v is None or isinstance(v, Mapping)),
    _require("lr", "a finite number greater than 0", lambda v: is_finite(v) and v > 0),
    _require("weight_decay", "a finite number, 0 or greater", lambda v: is_finite(v) and v >= 0),
    _require(
        "batch_size",
        '"auto", "full" or an integer, 1 or greater',
        lambda v: is_one_of(v, ("auto", "full")) or is_count(v, 1),
    ),
    _require("max_epochs", "an integer, 1 or greater", lambda v: is_count(v, 1)),
    _require("shuffle", "True or False", is_flag),
    lambda estimator: check_record(estimator.record),
    _check_record_epochs,
    _check_record_iterations,
    _require("snapshots", "True or False", is_flag),
    _require(
        "validation_fraction",
        "None or a number between 0 and 1, both excluded",
        lambda v: v is None or (is_finite(v) and 0 < v < 1),
    ),
    _require("early_stopping", "True or False", is_flag),
    check_monitor,
    _require("n_iter_no_change", "an integer, 1 or greater", lambda v: is_count(v, 1)),
    _require("tol", "a finite number, 0 or greater", lambda v: is_finite(v) and v >= 0),
    _require("class_weight", 'None, "balanced" or a dict {class: weight >= 0}', _is_class_weight),
    lambda estimator: check_callbacks(estimator.callbacks),
    lambda estimator: as_checkpoint(estimator.checkpoint),
    check_checkpoint,
    lambda estimator: find_device(estimator.device),
    _require("dtype", '"float32" or "float64"', lambda v: v in ("float32", "float64")),
    _require("warm_start", "True or False", is_flag),
    _check_random_state,
    _require("verbose", "an integer, 0 or greater", lambda v: is_flag(v) or is_count(v, 0)),
]


def find_device(device):
    """The torch device of this name; ``"auto"`` is an accelerator where there is one."""
    if isinstance(device, str) and device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if not isinstance(device, (str, torch.device)):
        raise ValueError(
            f'device must be "auto", a name such as "cpu" or "cuda", or a torch.device, got {device!r}.'
        )
    try:
        found = torch.device(device)
        torch.zeros(1, device=found).item()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].split(". ")[0].rstrip(".")
        raise ValueError(f'device {device!r} cannot be used: {reason}. Use "cpu", or "auto".') from error
    return found
