"""The cases: each with a module, a loss or callbacks that are not ours."""

import torch
from torch import nn

from tests.classifiers.battery.callbacks import CALLBACKS
from tests.classifiers.battery.laws import Case
from tests.classifiers.battery.losses import LOSSES
from tests.classifiers.battery.modules import MODULES, chain

NAMES = [*MODULES, *(f"loss: {name}" for name in LOSSES), *(f"callback: {name}" for name in CALLBACKS)]


def make_case(name, folder):
    """The case of this name; callbacks that write do so into ``folder``."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        what, _, of = name.rpartition(": ")
        if what == "loss":
            return Case(name, "rows", {"module": chain(nn.ReLU()), "loss": LOSSES[of]()})
        if what == "callback":
            return Case(name, "rows", {"module": chain(nn.ReLU()), "callbacks": CALLBACKS[of](str(folder))})
        kind, make = MODULES[name]
        return Case(name, kind, {"module": make()})
