"""The cases: each with a module, a loss or callbacks that are not ours."""

import torch
from torch import nn

from tests.classifiers.battery.callbacks import CALLBACKS
from tests.classifiers.battery.laws import Case
from tests.classifiers.battery.losses import LOSSES
from tests.classifiers.battery.modules import MODULES, chain

NAMES = [*MODULES, *(f"loss: {name}" for name in LOSSES), *(f"callback: {name}" for name in CALLBACKS)]

# Those for which another of their kind stands in the default run.
LIKE_ANOTHER = {
    "linear without bias",
    "gelu",
    "prelu",
    "rrelu",
    "glu",
    "batch norm, cumulative",
    "rms norm",
    "group norm",
    "instance norm",
    "local response norm",
    "weight norm",
    "orthogonal",
    "residual",
    "bilinear",
    "frequencies",
    "noise from torch",
    "noise from numpy, always",
    "depthwise convolution",
    "adaptive pooling",
    "pixel shuffle",
    "convolution of sequences",
    "rnn",
    "lstm with projections",
    "lstm cells",
    "causal transformer layer",
    "transformer decoder layer",
    "attention by hand",
    "transformer with padding, norm first",
    "embedding",
    "embedding bag",
    "loss: with smoothing",
    "loss: MultiMarginLoss",
    "loss: a function",
    "loss: focal",
    "loss: cost matrix",
    "loss: learned temperature",
    "loss: random from torch",
    "loss: random from numpy, always",
    "callback: BatchScoring",
    "callback: PassthroughScoring",
    "callback: EarlyStopping",
    "callback: LRScheduler",
    "callback: Freezer",
    "callback: EpochTimer",
    "callback: TrainEndCheckpoint",
}


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
