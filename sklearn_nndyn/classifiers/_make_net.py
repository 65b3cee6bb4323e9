"""How the classifier's parameters become a net."""

import numpy as np
import torch
from sklearn.base import clone

from sklearn_nndyn.modules import build_module
from sklearn_nndyn.training._net import DynamicsNet
from sklearn_nndyn.training._optimizers import accepts, find_optimizer
from sklearn_nndyn.utils.copying import copy_module
from sklearn_nndyn.utils.modes import float32_by_default
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
    net = DynamicsNet(
        ModuleFactory(estimator),
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
    """A net like the estimator's, of a copy of its module with other weights, and an optimizer that begins anew."""
    module = copy_module(estimator.module_)
    module.load_state_dict(state)
    net = clone(estimator.net_)
    net.module, factory = module.eval, net.module
    with untouched_generators(estimator._device):
        net.initialize()
    net.module = factory
    return net


def count_batch(estimator, n_samples):
    """Samples of a step."""
    if estimator.batch_size == "full":
        return n_samples
    if estimator.batch_size == "auto":
        return min(AUTO_BATCH_SIZE, n_samples)
    return min(estimator.batch_size, n_samples)


class ModuleFactory:
    """Makes the module of a net; what the user gave is held, and never copied or changed.

    Parameters
    ----------
    estimator : DynamicsClassifier
        Its data have been seen.
    """

    def __init__(self, estimator):
        self.module, self.reinitialize = estimator.module, estimator.reinitialize
        self.input_shape, self.n_classes = estimator.input_shape_, len(estimator.classes_)
        self.dtype = getattr(torch, estimator.dtype)

    def __call__(self):
        with float32_by_default():
            built = build_module(
                self.module, self.input_shape, self.n_classes, reinitialize=self.reinitialize
            )
        built = built.to(self.dtype)
        if not any(p.requires_grad for p in built.parameters()):
            raise ValueError(_nothing_to_train(built))
        return built

    def __sklearn_clone__(self):
        return self


def _nothing_to_train(module):
    name = type(module).__name__
    if any(True for _ in module.parameters()):
        return (
            f"module {name}: every parameter is frozen (requires_grad=False); there is nothing to train. Leave the "
            "last layer at least to be trained."
        )
    return f"module {name} has no parameters: there is nothing to train."
