"""Parameters within parameters: ``module__x``, ``optimizer__x``, ``callbacks__name__x``, ``loss__x``.

And skorch's names of what has one of its own here: ``iterator_train__num_workers``."""

import inspect
from collections import defaultdict
from functools import partial

import torch

from sklearn_nndyn.losses import ClassificationLoss, get_loss
from sklearn_nndyn.modules import MLP

# What skorch and MLPClassifier have, and what it is here.
ELSEWHERE = {
    "criterion": "loss",
    "train_split": "validation_fraction, with early_stopping=True, or X_val and y_val of fit",
    "hidden_layer_sizes": "module__hidden_layer_sizes",
    "activation": "module__activation",
    "solver": "optimizer",
    "alpha": "weight_decay",
    "learning_rate_init": "lr",
    "momentum": "optimizer__momentum",
    "max_iter": "max_epochs",
}


def split_nested(estimator, params):
    """Sort parameters into those that scikit-learn sets, and {name: {name within: value}} that are set here.

    Raises
    ------
    ValueError
        If one has another name here.
    """
    plain, nested = {}, defaultdict(dict)
    names = {*SETTERS, *estimator.get_params(deep=False)}
    for key, value in params.items():
        name, _, inner = key.partition("__")
        if name in ELSEWHERE and name not in names:
            raise ValueError(f"{key} cannot be set: {name} of other classifiers is {ELSEWHERE[name]} here.")
        if (
            inner
            and name in names
            and not hasattr(params.get(name, getattr(estimator, name, None)), "set_params")
        ):
            nested[name][inner] = value
        else:
            plain[key] = value
    return plain, nested


def set_nested(estimator, name, inner):
    """Set parameters within one parameter of the classifier.

    Raises
    ------
    ValueError
        If it has none; what to write is said.
    """
    value = getattr(estimator, name, None)
    if name not in SETTERS:
        raise ValueError(_refused(name, inner, value, f"set {name} itself"))
    SETTERS[name](estimator, value, inner)


def _set_in_module(estimator, module, inner):
    if module is None:
        estimator.module = MLP(**inner)
    elif isinstance(module, torch.nn.Module):
        hint = f"give the class, module={type(module).__name__}, or an instance made with them"
        raise ValueError(_refused("module", inner, type(module).__name__, hint, "an instance"))
    else:
        _check_arguments(module, inner)
        estimator.module = partial(module, **inner)


def _check_arguments(module, inner):
    parameters = inspect.signature(module).parameters
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = [] if takes_any else [name for name in inner if name not in parameters]
    if unknown:
        name = getattr(getattr(module, "func", module), "__name__", repr(module))
        raise ValueError(f"module__{unknown[0]} cannot be set: {name} takes {', '.join(parameters)}.")


def _set_in_optimizer(estimator, _, inner):
    own = {name: inner.pop(name) for name in ("lr", "weight_decay") if name in inner}
    estimator.set_params(**own)
    estimator.optimizer_params = {**(estimator.optimizer_params or {}), **inner}


def _set_in_iterator(known, estimator, _, inner):
    others = [name for name in inner if name not in known]
    if others:
        raise ValueError(
            f"{others[0]} of an iterator cannot be set: there is none. Batches are cut by batch_size and shuffle, and "
            "the samples of a Dataset are read by num_workers processes."
        )
    estimator.set_params(**inner)


def _set_in_loss(estimator, loss, inner):
    made = loss if isinstance(loss, type) else type(get_loss(loss) if isinstance(loss, str) else loss)
    hint = "give a loss that was made with them"
    if not issubclass(made, ClassificationLoss):
        raise ValueError(_refused("loss", inner, loss, hint))
    names = [name for name in inspect.signature(made).parameters if name != "self"]
    unknown = [name for name in inner if name not in names]
    if unknown:
        raise ValueError(f"loss__{unknown[0]} cannot be set: {made.__name__} has {', '.join(names)}.")
    held = get_loss(loss)
    if not all(hasattr(held, name) for name in names):
        raise ValueError(_refused("loss", inner, loss, hint))
    estimator.loss = made(**{**{name: getattr(held, name) for name in names}, **inner})


def _set_in_callbacks(estimator, callbacks, inner):
    callbacks = list(callbacks or [])
    names = [_name_of(one) for one in callbacks]
    for key, value in inner.items():
        name, _, parameter = key.partition("__")
        if names.count(name) != 1:
            raise ValueError(
                f"callbacks__{key} cannot be set: there is no single callback {name!r}; there are "
                f"{', '.join(map(repr, names)) or 'none'}. Give names: callbacks=[({name!r}, ...)]."
            )
        i = names.index(name)
        callbacks[i] = (name, _with_parameter(_callback_of(callbacks[i]), parameter, value))
    estimator.callbacks = callbacks


def _with_parameter(callback, parameter, value):
    """The callback with a parameter set, or in its place another where none is named."""
    if not parameter:
        return value
    if isinstance(callback, type):
        return callback(**{parameter: value})
    callback.set_params(**{parameter: value})
    return callback


def _callback_of(item):
    return item[1] if isinstance(item, tuple) else item


def _name_of(item):
    """The name that skorch gives the item."""
    callback = _callback_of(item)
    kind = callback if isinstance(callback, type) else type(callback)
    return item[0] if isinstance(item, tuple) else kind.__name__


def _refused(name, inner, value, hint, what="an object without parameters of its own"):
    keys = ", ".join(f"{name}__{own}" for own in inner)
    shown = value if isinstance(value, str) else repr(value)
    return f"{keys} cannot be set: {name} is {what}, {shown}; {hint}."


SETTERS = {
    "module": _set_in_module,
    "optimizer": _set_in_optimizer,
    "optimizer_params": _set_in_optimizer,
    "iterator_train": partial(_set_in_iterator, ("num_workers", "batch_size", "shuffle")),
    "iterator_valid": partial(_set_in_iterator, ("num_workers",)),
    "loss": _set_in_loss,
    "callbacks": _set_in_callbacks,
}
