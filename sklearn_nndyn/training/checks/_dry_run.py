"""A module and a loss tried on two samples, and the optimizer on their gradients, before training starts."""

from contextlib import nullcontext
from functools import partial
from typing import NamedTuple

import torch

from sklearn_nndyn.losses import check_outputs, check_scores
from sklearn_nndyn.training._optimizers import check_update
from sklearn_nndyn.training.checks._ids import TABLES
from sklearn_nndyn.utils.modules import first_output, is_one_column, run, score, scores_of
from sklearn_nndyn.utils.networks.copying import ModuleMemory, copy_module
from sklearn_nndyn.utils.networks.evaluation import evaluation_mode, hooks_gradients, is_plain, unchanged
from sklearn_nndyn.utils.private_names import BatchNorm
from sklearn_nndyn.utils.random import refuse_python_random, untouched_generators
from sklearn_nndyn.utils.validation import reraise_as
from sklearn_nndyn.utils.warnings import warn_user

# Operations of autograd that leave numbers as they are; one column of scores is joined to zeros by the first of them.
WITHOUT_ARITHMETIC = ("Cat", "View", "Reshape", "Squeeze", "Unsqueeze", "Select", "Slice", "ToCopy")


class Tried(NamedTuple):
    """What is known of a module once it was tried.

    Parameters
    ----------
    scores : tensor of shape (2, n_classes)
        In evaluation mode.
    trained : torch.nn.Module
        The copy that was tried in training mode.
    gradients : dict of str
        {name of a parameter: its gradient, "dense", "sparse" or "nan"}.
    is_whole : bool
        Whether its ``state_dict`` is all that training changes in its scores.
    changes : bool
        Whether it is another one after an evaluation, and has to be put back.
    """

    scores: torch.Tensor
    trained: torch.nn.Module
    gradients: dict
    is_whole: bool
    changes: bool


def check_once(tried, net, data, n_classes, autocast=None):
    """`check_module` and `check_update`, where many estimators have the same.

    ``tried`` is None, or a dict of what went well, for a module, for a module with a loss, and with an optimizer.

    Returns
    -------
    found : Tried
    """
    module, loss = net.module_, net.criterion_
    if tried is None:
        found = check_module(module, loss, data, n_classes, autocast)
        check_update(net, found.gradients)
        return found
    frozen = tuple(not parameter.requires_grad for parameter in module.parameters())
    types = tuple(type(part) for part in module.modules())
    alone = repr(module), types, frozen, tuple(data.X.shape[1:]), n_classes, autocast is None
    with_loss = alone, repr(loss), type(loss)
    if with_loss not in tried:
        earlier = tried.get(alone)
        tried[alone] = tried[with_loss] = check_module(module, loss, data, n_classes, autocast, earlier)
    found = tried[with_loss]
    settings = net.get_params_for("optimizer")
    decays = bool(settings.pop("weight_decay", 0))
    with_optimizer = with_loss, net.optimizer, repr(settings), decays
    if with_optimizer not in tried:
        tried[with_optimizer] = check_update(net, found.gradients)
    return found


def check_module(module, loss, data, n_classes, autocast=None, earlier=None):
    """Try the module on two rows: it must give a score for each class, from which the loss can be learned.

    ``earlier`` is what was returned for a module like this with another loss; then it is run in training mode alone.

    Returns
    -------
    found : Tried
    """
    rows, target = data.X[:2].clone(), data.y[:2]
    with untouched_generators(rows.device), refuse_python_random("module or loss"):
        if earlier is None:
            scores, changes = _evaluate(module, data.X[:3].clone(), loss, n_classes)
            trained = copy_module(module)
        else:
            scores, trained, _, is_whole, changes = earlier
        with torch.no_grad():
            check_outputs(loss, scores)
        copies = trained.train(), copy_module(loss, "loss").train()
        gradients = _try_to_learn(*copies, rows, target.clone(), n_classes, autocast)
        if earlier is None:
            is_whole = _state_is_whole(module, trained, rows, scores)
    return Tried(scores, trained, gradients, is_whole, changes)


def _evaluate(module, rows, loss, n_classes):
    """The scores of the first two rows, and whether the module has changed, which is undone."""
    memory = None if is_plain(module) else ModuleMemory(module)
    try:
        with torch.no_grad(), evaluation_mode(module):
            scores = _try(module, rows[:2].clone(), loss, n_classes)
            _check_rows_apart(module, rows, scores)
    finally:
        changes = memory is not None and memory.restore()
    return scores, changes


def _state_is_whole(module, trained, rows, scores):
    """Whether a copy that saw a batch of training is the module again once it has the module's state."""
    with reraise_as("module: what its state_dict gives cannot be loaded again"):
        trained.load_state_dict(module.state_dict())

    def differ(a, b):
        return not torch.allclose(a, b, rtol=0.01, atol=0.01 * float(scores.std().nan_to_num(0)))

    def evaluated(one):
        with torch.no_grad(), evaluation_mode(one), unchanged(one):
            return scores_of(run(one, rows.clone()))

    after = evaluated(trained)
    # A module that is random in evaluation differs from itself.
    return not differ(scores, after) or differ(scores, evaluated(module)) or differ(after, evaluated(trained))


def _warn_of_probabilities(loss, scores):
    """Warn of scores that are probabilities already: they learn slowly and never come near 0 and 1."""
    link, squashed_by = getattr(loss, "link", None), _squashed_by(scores)
    if link not in ("softmax", "sigmoid") or (link, squashed_by) == ("sigmoid", "softmax") or not squashed_by:
        return
    warn_user(
        f"module gives probabilities, of which the loss {loss.name!r} takes the {link} again: it learns slowly, and "
        f"no probability comes near 0 or 1. Let module end without a {squashed_by}.",
        UserWarning,
    )


def _squashed_by(scores):
    """What made probabilities of the scores of a module, or None."""
    sums = scores.detach().sum(1)
    if torch.allclose(sums, torch.ones_like(sums)) and bool((scores >= 0).all()):
        return "softmax"
    made_by = scores.grad_fn
    while made_by is not None and made_by.name().startswith(WITHOUT_ARITHMETIC) and made_by.next_functions:
        made_by = made_by.next_functions[-1][0]
    return "sigmoid" if made_by is not None and made_by.name().startswith("Sigmoid") else None


def _try_to_learn(module, loss, rows, target, n_classes, autocast):
    with torch.enable_grad():
        scores = _try(module, rows, loss, n_classes, autocast)
        _warn_of_probabilities(loss, scores)
        if len(target) == n_classes:  # a value for each class would look like one for each sample
            again = [*range(n_classes), 0]
            scores, target = scores[again], target[again]
        with reraise_as(
            f"loss cannot be computed from scores of shape {tuple(scores.shape)} and their class positions"
        ):
            check_scores(loss, scores)
            before = scores._version, target._version
            values = loss.per_sample(scores, target)
        _check_unwritten(loss, {"scores": scores, "target": target}, before)
        if values.shape != target.shape:
            raise ValueError(
                f"loss must give one value for each of {len(target)} samples, gives {tuple(values.shape)}."
            )
        if values.isnan().any():
            raise ValueError(f"loss gives nan for the first {len(rows)} samples, before any training.")
        if not values.requires_grad:
            raise ValueError(
                "The loss does not depend on the parameters of module in a way that torch can differentiate: look for "
                "detach, no_grad or argmax in the module and in the loss."
            )
        with reraise_as("the gradient of the loss cannot be computed"):
            values.mean().backward()
        _check_reached(module, loss)
    return _kinds_of_gradients(module)


def _check_reached(module, loss):
    """Refuse a module through whose copy nothing is learned, where no hook may have taken the gradients away."""
    parameters = [*module.parameters(), *loss.parameters()]
    if all(p.grad is None for p in parameters) and not hooks_gradients(module):
        raise ValueError(
            "The loss does not reach the parameters of module: each fit trains a copy, and a forward that was put into "
            "the module calls the one that it was made for. Bind it, module.forward = types.MethodType(function, "
            "module), or write it into a class of its own."
        )


def _kinds_of_gradients(module):
    """{name of a parameter: "dense", "sparse" or "nan"}; the gradients themselves are let go."""
    kinds = {}
    for name, parameter in module.named_parameters():
        if parameter.grad is not None:
            kinds[name] = "sparse" if parameter.grad.is_sparse else "dense"
            if kinds[name] == "dense" and parameter.grad.isnan().any():
                kinds[name] = "nan"
            parameter.grad = None
    return kinds


def _check_unwritten(loss, given, before):
    for (name, tensor), version in zip(given.items(), before, strict=True):
        if tensor._version != version:
            raise ValueError(
                f"loss {type(loss).__name__} writes into the {name} it is given: let it work on a copy, {name}.clone()."
            )


def _hint(module, rows):
    """What to write where an embedding would look up floats; a dict is told by its parts."""
    if not getattr(rows, "is_floating_point", bool)() or not any(
        isinstance(p, TABLES) for p in module.modules()
    ):
        return ""
    return ' (X arrives as floats; an embedding looks up whole numbers: give X.astype("int64"), no sparse matrix)'


def _try(module, rows, loss, n_classes, autocast=None):
    by, context = ("", nullcontext) if autocast is None else (' by autocast (precision="bf16")', autocast)
    with (
        reraise_as(f"module cannot process a batch of {described(rows)}{by}{_hint(module, rows)}"),
        context(),
    ):
        output = run(module, rows)
    if is_one_column(first_output(output)):
        _check_one_column(loss, n_classes)
    scores = scores_of(output)
    shape = tuple(scores.shape) if isinstance(scores, torch.Tensor) else type(scores).__name__
    if shape != (len(rows), n_classes):
        raise ValueError(
            f"module must give a score for each of the {n_classes} classes, shape ({len(rows)}, {n_classes}) for "
            f"{len(rows)} samples, but gives {shape}."
        )
    if not scores.is_floating_point() or scores.layout is not torch.strided:
        kind = scores.dtype if scores.layout is torch.strided else scores.layout
        raise ValueError(
            f"module must give scores as a dense tensor of floating-point numbers, but gives {kind}."
        )
    if scores.isnan().any():
        raise ValueError(
            f"module gives nan for the first {len(rows)} samples, before any training: look for 0 / 0, log or sqrt of "
            "numbers below 0, and weights that are not finite."
        )
    scores = scores if autocast is None else scores.float()
    if rows._version:
        raise ValueError("module writes into its input: begin it with an operation that is not in place.")
    return scores


def _check_rows_apart(module, rows, scores):
    """Refuse a module whose scores of a sample change with the samples beside it, or whose axes are exchanged.

    Batch normalisation without running statistics is made to mix samples, and is left to the user.
    """
    mixes = any(isinstance(part, BatchNorm) and not part.track_running_stats for part in module.modules())
    if len(rows) < 3 or mixes:
        return
    with reraise_as(f"module cannot process a batch of {described(rows)}"):
        three, again, last = map(partial(score, module), (rows.clone(), rows.clone(), rows[1:].clone()))
    if three.shape != (3, scores.shape[1]):
        raise ValueError(
            f"module must give a score for each of the {scores.shape[1]} classes, shape (3, {scores.shape[1]}) for 3 "
            f"samples, but gives {tuple(three.shape)}."
        )
    if torch.equal(three, again) and not torch.allclose(
        three[1:], last, rtol=0.01, atol=0.01 * float(three.std().nan_to_num(0))
    ):
        raise ValueError(
            "module mixes samples: in evaluation mode the scores of a sample change with the samples beside it. The "
            "first axis of its input counts samples (batch_first=True for recurrent layers and attention)."
        )


def described(rows):
    if not isinstance(rows, dict):
        return f"shape {tuple(rows.shape)}"
    return ", ".join(f"{name} {tuple(values.shape)}" for name, values in rows.items())


def _check_one_column(loss, n_classes):
    if n_classes != 2:
        raise ValueError(
            f"module gives one column of scores, which is for two classes, but there are {n_classes}: end it with "
            f"{n_classes} outputs."
        )
    if getattr(loss, "link", None) == "sigmoid":
        raise ValueError(
            'module gives one column of scores z, and link="sigmoid" needs one for each class: use link="softmax", by '
            "which the probability of the second class is sigmoid(z)."
        )
