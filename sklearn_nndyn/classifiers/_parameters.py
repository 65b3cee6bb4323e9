"""Every parameter a user can get wrong, found before training starts."""

from collections.abc import Mapping

import torch
from sklearn.utils import check_random_state

from sklearn_nndyn.classifiers._monitor import check_monitor
from sklearn_nndyn.classifiers.checkpoint import as_checkpoint, check_checkpoint
from sklearn_nndyn.losses import check_loss
from sklearn_nndyn.modules import check_kind
from sklearn_nndyn.recording import (
    check_record,
    check_snapshots,
    chosen_samples,
    is_auto,
    is_default,
    make_schedule,
)
from sklearn_nndyn.training import (
    check_batch_transform,
    check_callbacks,
    check_optimizer_params,
    find_optimizer,
)
from sklearn_nndyn.utils.networks.devices import (
    BF16,
    find_accelerator,
    has_bf16,
    has_float64,
    refuse_autocast,
)
from sklearn_nndyn.utils.validation import (
    COUNT,
    FLAG,
    NOT_NEGATIVE,
    POSITIVE,
    broken_rules,
    is_count,
    is_finite,
    is_flag,
    is_one_of,
    is_positive_count,
    reraise_as,
)


def check_parameters(estimator):
    """Check every parameter of the classifier.

    Raises
    ------
    ValueError, TypeError
        Names every mistake at once. A TypeError where there is just one, and it is one of type.
    """
    mistakes = [ValueError(f"{broken}.") for broken in broken_rules(estimator, RULES)]
    mistakes += [mistake for check in CHECKS for mistake in _run(check, estimator)]
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


def _if_given(name, check):
    """A check that is made only where the parameter is not None."""

    def checked(estimator):
        if getattr(estimator, name) is not None:
            check(estimator)

    return checked


def _is_part(value):
    return is_finite(value) and 0 < value < 1


def _are_weights(value):
    return isinstance(value, Mapping) and all(is_finite(w) and w >= 0 for w in value.values())


def _refuse_modes(estimator):
    """A fit computes in the precision of its ``dtype``, and with gradients."""
    refuse_autocast()
    if torch.is_inference_mode_enabled():
        raise ValueError(
            "torch.inference_mode is on around this call, and nothing can be trained in it: call it outside of that "
            "block."
        )


def _check_device(estimator):
    device = find_device(estimator.device)
    if estimator.dtype == "float64" and not has_float64(device):
        raise ValueError(
            f'dtype="float64" cannot be had on device={str(device)!r}, which has no double precision: set '
            'dtype="float32", or device="cpu".'
        )
    if estimator.precision == BF16:
        _check_bf16(estimator, device)


def _check_bf16(estimator, device):
    if estimator.dtype == "float64":
        raise ValueError(
            'precision="bf16" is for float32 networks, but dtype="float64": set precision=None or dtype="float32".'
        )
    if not has_bf16(device):
        raise ValueError(
            f'precision="bf16" cannot be had on device={str(device)!r}, where torch\'s autocast has no bfloat16: set '
            "precision=None."
        )


def _check_random_state(estimator):
    try:
        check_random_state(estimator.random_state)
    except (ValueError, TypeError) as error:  # of an empty tuple, before scikit-learn 1.9
        raise ValueError(
            "random_state must be None, an integer from 0 to 2**32 - 1 or a numpy.random.RandomState, got "
            f"{estimator.random_state!r}."
        ) from error


def _check_optimizer(estimator):
    decay, params = estimator.weight_decay, estimator.optimizer_params
    decay, optimizer = decay if is_finite(decay) else 0, find_optimizer(estimator.optimizer)
    if params is None or isinstance(params, Mapping):
        check_optimizer_params(optimizer, params or {}, decay)


def _check_monitor(estimator):
    if not is_one_of(estimator.monitor, ("auto",)):
        check_monitor(estimator)


def _check_record_epochs(estimator):
    schedule = make_schedule(estimator.record_epochs)
    if callable(estimator.record_epochs):
        with reraise_as("record_epochs cannot be called with an epoch"):
            schedule(0)


def _check_record_iterations(estimator):
    iterations = estimator.record_iterations
    if iterations is None or is_auto(iterations):
        return
    if chosen_samples(estimator.record).in_training:
        raise ValueError(
            f'record: Samples(when="training") records whole epochs, so record_iterations={iterations!r} cannot be '
            "heeded: choose epochs by record_epochs."
        )
    schedule = make_schedule(iterations, "iteration")
    if not is_default(estimator.record_epochs):
        raise ValueError(
            "Give record_epochs or record_iterations, not both: when to record is said by epochs or by updates."
        )
    with reraise_as("record_iterations cannot be called with an iteration"):
        schedule(0)


RULES = {
    **dict.fromkeys(("reinitialize", "shuffle", "early_stopping", "warm_start"), FLAG),
    **dict.fromkeys(("max_epochs", "n_iter_no_change"), COUNT),
    "lr": POSITIVE,
    **dict.fromkeys(("weight_decay", "tol"), NOT_NEGATIVE),
    "batch_size": ('"auto", "full" or an integer, 1 or greater', "auto", "full", is_positive_count),
    "num_workers": ("an integer, 0 or greater", is_count),
    "verbose": ("an integer, 0 or greater", is_flag, is_count),
    "optimizer_params": ("None or a dict", None, Mapping),
    "validation_fraction": ("None or a number between 0 and 1, both excluded", None, _is_part),
    "class_weight": ('None, "balanced" or a dict {class: weight >= 0}', None, "balanced", _are_weights),
    "precision": ('None or "bf16"', None, BF16),
    "dtype": ('"float32" or "float64"', "float32", "float64"),
}
CHECKS = [
    _refuse_modes,
    lambda estimator: check_kind(estimator.module, estimator.reinitialize is True),
    lambda estimator: check_loss(estimator.loss),
    _check_optimizer,
    lambda estimator: check_record(estimator.record),
    lambda estimator: check_snapshots(estimator.snapshots),
    _check_record_epochs,
    _check_record_iterations,
    _check_monitor,
    _if_given("batch_transform", lambda estimator: check_batch_transform(estimator.batch_transform)),
    _if_given("callbacks", lambda estimator: check_callbacks(estimator.callbacks)),
    _if_given("checkpoint", lambda estimator: as_checkpoint(estimator.checkpoint)),
    _if_given("checkpoint", check_checkpoint),
    _check_device,
    _check_random_state,
]


def find_device(device):
    """The torch device of this name; ``"auto"`` is an accelerator where there is one."""
    if isinstance(device, str) and device == "auto":
        return find_accelerator() or torch.device("cpu")
    if not isinstance(device, (str, torch.device)):
        raise ValueError(
            f'device must be "auto", a name such as "cpu" or "cuda", or a torch.device, got {device!r}.'
        )
    try:
        found = torch.device(device)
        torch.zeros(1, dtype=torch.float32, device=found).item()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].split(". ")[0].rstrip(".")
        raise ValueError(f'device {device!r} cannot be used: {reason}. Use "cpu", or "auto".') from error
    return found
