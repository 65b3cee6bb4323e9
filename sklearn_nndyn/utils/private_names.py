"""Every private name of scikit-learn and torch that is used here, and what holds where a later version lacks it.

Of scikit-learn's there is no other way to the same behaviour: without one the import says which is missing, and what to
install. torch's kernels have a slower way to the same numbers beside them.
"""

from importlib import import_module
from typing import Any

import sklearn
import torch

OF_SCIKIT_LEARN = {
    "_BaseScorer": "sklearn.metrics._scorer",
    "_MultimetricScorer": "sklearn.metrics._scorer",
    "_PassthroughScorer": "sklearn.metrics._scorer",
    "_check_method_params": "sklearn.utils.validation",
    "_check_sample_weight": "sklearn.utils.validation",
    "_fit_context": "sklearn.base",
    "_insert_error_scores": "sklearn.model_selection._validation",
    "_num_samples": "sklearn.utils.validation",
    "_safe_indexing": "sklearn.utils",
    "_safe_split": "sklearn.utils.metaestimators",
    "_score": "sklearn.model_selection._validation",
    "_warn_or_raise_about_fit_failures": "sklearn.model_selection._validation",
    "BaseSearchCV": "sklearn.model_selection._search",
    "Interval": "sklearn.utils._param_validation",
}
# What BatchedGridSearchCV inherits and calls.
OF_BASE_SEARCH = (
    "_check_refit_for_multimetric",
    "_format_results",
    "_get_routed_params_for_fit",
    "_get_scorers",
    "_select_best_index",
)
OF_TORCH = ("_foreach_copy_", "_fused_adam_", "_fused_adamw_", "_fused_sgd_")
# Modes of torch, read and written in C: what stands for them is written in Python, or leaves them alone.
OF_TORCH_MODES = {
    "TorchDispatchMode": "utils._python_dispatch",
    "_InferenceMode": "_C",
    "_len_torch_dispatch_stack": "_C",
    "_pop_torch_dispatch_stack": "_C",
    "_push_on_torch_dispatch_stack": "_C",
    "_set_default_dtype": "_C",
    "_set_grad_enabled": "_C",
    "get_dynamic_layer_stack_depth": "_C._functorch",
    "pop_dynamic_layer_stack_and_undo_to_depth": "_C._functorch",
}
NEWEST = "1.9"  # the version of scikit-learn whose private names these are


def of_scikit_learn(name: str) -> Any:
    """A private name of scikit-learn, one of ``OF_SCIKIT_LEARN``; an ImportError where this version lacks it."""
    module = OF_SCIKIT_LEARN[name]
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise ImportError(
            f"scikit-learn {sklearn.__version__} has no {module}.{name}, which sklearn_nndyn builds on. Install "
            f"scikit-learn {NEWEST}, or a newer sklearn_nndyn."
        ) from error


_BaseScorer = of_scikit_learn("_BaseScorer")
_MultimetricScorer = of_scikit_learn("_MultimetricScorer")
_PassthroughScorer = of_scikit_learn("_PassthroughScorer")
_check_method_params = of_scikit_learn("_check_method_params")
_check_sample_weight = of_scikit_learn("_check_sample_weight")
_fit_context = of_scikit_learn("_fit_context")
_insert_error_scores = of_scikit_learn("_insert_error_scores")
_num_samples = of_scikit_learn("_num_samples")
_safe_indexing = of_scikit_learn("_safe_indexing")
_safe_split = of_scikit_learn("_safe_split")
_score = of_scikit_learn("_score")
_warn_or_raise_about_fit_failures = of_scikit_learn("_warn_or_raise_about_fit_failures")
BaseSearchCV = of_scikit_learn("BaseSearchCV")
Interval = of_scikit_learn("Interval")

# The base of all batch normalisations, torch's own and what users derive from it.
BatchNorm: Any = getattr(torch.nn.modules.batchnorm, "_BatchNorm", torch.nn.BatchNorm2d)


def kernel(name: str) -> Any:
    """A kernel of torch, one of ``OF_TORCH``; None where this version lacks it."""
    return getattr(torch, name, None)


def mps_generator() -> Any:
    """torch's global generator on Apple's GPU, whose states alone are public; None where this version lacks it."""
    return getattr(torch.mps, "_get_default_mps_generator", lambda: None)()


def mode(name: str, other: Any) -> Any:
    """A function or class of torch, one of ``OF_TORCH_MODES``; ``other`` where this version lacks it."""
    place: Any = torch
    for part in OF_TORCH_MODES[name].split("."):
        place = getattr(place, part, None)
    return getattr(place, name, other)


TorchDispatchMode = mode("TorchDispatchMode", object)
inference_mode = mode("_InferenceMode", torch.inference_mode)
set_default_dtype = mode("_set_default_dtype", torch.set_default_dtype)
set_grad_enabled = mode("_set_grad_enabled", torch.set_grad_enabled)
vmap_depth = mode("get_dynamic_layer_stack_depth", int)
set_vmap_depth = mode("pop_dynamic_layer_stack_and_undo_to_depth", int)
dispatch_depth = mode("_len_torch_dispatch_stack", int)
push_dispatch = mode("_push_on_torch_dispatch_stack", None)
_pop_dispatch = mode("_pop_torch_dispatch_stack", None)


def set_dispatch_depth(depth: int) -> None:
    """Take off the dispatch modes that lie above this depth."""
    while dispatch_depth() > depth:
        _pop_dispatch(None)


def gradient_hooks(parameter: torch.Tensor) -> tuple[list, list]:
    """The functions that ``register_hook`` and ``register_post_accumulate_grad_hook`` gave a parameter.

    Parameters
    ----------
    parameter : tensor

    Returns
    -------
    of_gradient, after : list of callable
        None are found where torch keeps them under another name.
    """
    names = ("_backward_hooks", "_post_accumulate_grad_hooks")
    of_gradient, after = (list((getattr(parameter, name, None) or {}).values()) for name in names)
    return of_gradient, after


def has_global_hooks() -> bool:
    """Whether hooks for all modules are registered (``torch.nn.modules.module.register_module_forward_hook``, ...)."""
    return getattr(torch.nn.modules.module, "_has_any_global_hook", bool)()


def step_is_watched(optimizer: torch.optim.Optimizer) -> bool:
    """Whether something beside the update happens in an optimizer's ``step``, or another was put in its place.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer

    Returns
    -------
    watched : bool
        A scheduler's wrapper, which counts steps, is let be.
    """
    own, every = vars(optimizer), vars(import_module("torch.optim.optimizer"))
    hooks = (
        *(own.get(f"_optimizer_step_{when}_hooks") for when in ("pre", "post")),
        *(every.get(f"_global_optimizer_{when}_hooks") for when in ("pre", "post")),
    )
    step = own.get("step")
    return any(hooks) or (step is not None and getattr(step, "__wrapped__", None) is not type(optimizer).step)


def copy_all(targets: list, sources: list) -> None:
    """Copy tensors into others, in one call where torch has one.

    Parameters
    ----------
    targets, sources : list of tensors
        As many of each, of equal shapes.
    """
    together = kernel("_foreach_copy_")
    if together is not None:
        together(targets, sources)
        return
    for target, source in zip(targets, sources, strict=True):
        target.copy_(source)
