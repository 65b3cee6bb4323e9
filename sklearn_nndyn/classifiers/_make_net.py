"""How the classifier's parameters become a net."""

from functools import partial

import numpy as np
import torch
from sklearn.base import clone

from sklearn_nndyn.modules import build_module
from sklearn_nndyn.training._net import DynamicsNet
from sklearn_nndyn.training._optimizers import accepts, find_optimizer
from sklearn_nndyn.utils.random import untouched_generators

AUTO_BATCH_SIZE = 200


def make_net(estimator, random_state, callbacks, device):
    """A net with fresh weights, drawn from ``random_state``."""
    optimizer = find_optimizer(estimator.optimizer)
    settings = dict(estimator.optimizer_params or {})
    if accepts(optimizer, "weight_decay"):
        settings.setdefault("weight_decay", estimator.weight_decay)
    if accepts(optimizer, "fused") and device.type in ("cpu", "cuda"):
        settings.setdefault("fused", True)
    build = partial(
        _build,
        estimator.module,
        estimator.input_shape_,
        len(estimator.classes_),
        getattr(torch, estimator.dtype),
    )
    net = DynamicsNet(
        build,
        criterion=estimator.loss_,
        optimizer=optimizer,
        lr=estimator.lr,
        max_epochs=estimator.max_epochs,
        train_split=None,
        callbacks=callbacks,
        device=device,
        verbose=0,
        classes=np.arange(len(estimator.classes_)),
        predict_nonlinearity=getattr(estimator.loss_, "predict_proba", None),
        **{f"optimizer__{name}": value for name, value in settings.items()},
    )
    with random_state:
        return net.initialize()


def net_with(estimator, state):
    """A net like the estimator's with other weights, and an optimizer that begins anew."""
    with untouched_generators(estimator._device):
        net = clone(estimator.net_).initialize()
    net.module_.load_state_dict(state)
    net.module_.eval()
    return net


def count_batch(estimator, n_samples):
    """Samples of a step."""
    if estimator.batch_size == "full":
        return n_samples
    if estimator.batch_size == "auto":
        return min(AUTO_BATCH_SIZE, n_samples)
    return min(estimator.batch_size, n_samples)


def _build(module, input_shape, n_classes, dtype):
    built = build_module(module, input_shape, n_classes).to(dtype)
    if not any(p.requires_grad for p in built.parameters()):
        raise ValueError(f"module {type(built).__name__} has no parameters: there is nothing to train.")
    return built
