"""A handler that raises anywhere in torch's own ``with`` blocks leaves no mode of torch changed for the user."""

import random
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.backends import mha

from sklearn_nndyn import BatchedGridSearchCV, DynamicsClassifier, compare_losses, fit_together
from sklearn_nndyn.recording import Recorder
from sklearn_nndyn.utils.private_names import dispatch_depth, vmap_depth
from tests.utils.test_interrupted_random import another_thread_can_draw, users_generators

WRITTEN_IN_PYTHON = (
    *(str(Path(torch.__file__).parent / name) for name in ("autograd", "amp", "_functorch", "utils")),
    str(Path(sys.modules["contextlib"].__file__)),
)
RNG = np.random.default_rng(0)
X, y = RNG.normal(size=(12, 4)).astype("float32"), np.arange(12) % 3


class Alarm(BaseException):
    """What the handler raises."""


class Cast(nn.Sequential):
    """A network that computes by autocast, as those of others may."""

    def __init__(self, input_shape, n_classes):
        super().__init__(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, n_classes))

    def forward(self, x):
        with torch.autocast("cpu", torch.bfloat16):
            return super().forward(x).float()


def modes():
    return (
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
        torch.is_autocast_enabled("cpu"),
        torch.get_default_dtype(),
        mha.get_fastpath_enabled(),
        vmap_depth(),
        dispatch_depth(),
        sys.getprofile(),
        users_generators(),
    )


class Moments:
    """Notes the moments at which a handler may be called, within the files of torch; raises at the chosen one."""

    def __init__(self, chosen=None):
        self.chosen, self.seen = chosen, {}

    def __call__(self, frame, event, _):
        if not frame.f_code.co_filename.startswith(WRITTEN_IN_PYTHON):
            return None
        moment = frame.f_code, frame.f_lineno, event, frame.f_back.f_code, frame.f_back.f_lineno
        if moment == self.chosen and moment not in self.seen:
            self.seen[moment] = True
            raise Alarm
        self.seen[moment] = True
        return self

    def watch(self, door):
        """What the door raised, kept as an interactive Python keeps it."""
        try:
            sys.settrace(self)
            door()
        except BaseException as error:
            return error
        finally:
            sys.settrace(None)


def classifier(**parameters):
    return DynamicsClassifier(**{"max_epochs": 1, "random_state": 0, **parameters})


MODULE = nn.Sequential(nn.Linear(4, 4), nn.LayerNorm(4), nn.Linear(4, 3))
FITTED = classifier(module=MODULE).fit(X, y)


def together():
    return fit_together([classifier(module=MODULE, random_state=s) for s in (0, 1)], X, y)


def search():
    return BatchedGridSearchCV(classifier(), {"lr": [0.1]}, cv=2).fit(X, y)


def compared():
    return compare_losses(
        classifier(),
        X,
        y,
        losses=["log", "l2"],
        X_test=X,
        y_test=y,
        seeds=2,
        learning_rates={"log": 0.1, "l2": 0.1},
    )


DOORS = {
    "fit": lambda: classifier(module=Cast).fit(X, y),
    "partial_fit": lambda: classifier(module=MODULE).partial_fit(X, y),
    "fit_together": together,
    "search": search,
    "compare_losses": compared,
    "predict": lambda: FITTED.predict(X),
    "predict_proba": lambda: FITTED.predict_proba(X),
    "decision_function": lambda: FITTED.decision_function(X),
    "staged": lambda: list(FITTED.staged_predict_proba(X)),
    "replay": lambda: FITTED.replay(X, y),
    "activations": lambda: FITTED.activations(X),
    "reconstruct": lambda: FITTED.reconstruct(X, X_train=X),
    "Recorder": lambda: Recorder(torch.as_tensor(X), torch.as_tensor(y), "log").record(FITTED.module_, 0),
}


@pytest.mark.parametrize("n_moments", [10, pytest.param(None, marks=pytest.mark.slow)], ids=["some", "all"])
# A level of vmap that was closed for it is closed again by torch, as the exception that was kept goes.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", DOORS)
def test_modes_are_as_before(name, n_moments):
    before, whole = modes(), Moments()
    assert whole.watch(DOORS[name]) is None
    moments = random.Random(0).sample(list(whole.seen), n_moments or len(whole.seen))
    raised = 0
    for moment in moments:
        kept = Moments(moment).watch(DOORS[name])
        assert modes() == before
        raised += kept is not None
    assert raised > len(moments) / 2
    assert another_thread_can_draw()
