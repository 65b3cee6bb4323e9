"""Which networks the study of loss tails trains on which data."""

from dataclasses import dataclass

import numpy as np
from _made_table import made_table
from _rules import load_rules
from _tables import NAMES, flat_images

RULES = load_rules("loss_tails")
NAMES_HERE = {"table": "made table", **NAMES}


@dataclass(frozen=True)
class Setting:
    """One cell of the study."""

    data: str
    loss: str = "log"
    hidden: tuple = (100,)
    noise: float = 0.0

    @property
    def name(self):
        """In a table."""
        return f"{len(self.hidden)} x {self.hidden[0]}, {self.loss}" + (
            f", {self.noise:.0%} noise" if self.noise else ""
        )


def settings(data):
    """The capacity sweep, and the losses with and without label noise."""
    sweep = [Setting(data, hidden=(width,)) for width in RULES["widths"]]
    depth = [Setting(data, hidden=(100,) * layers) for layers in RULES["depths"]]
    rest = [Setting(data, loss, noise=noise) for loss in RULES["losses"] for noise in (0.0, RULES["noise"])]
    return list(dict.fromkeys(sweep + depth + rest))


def noisy(y, rate, seed):
    """A share of the labels drawn anew, uniformly over the classes."""
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(y)) < rate, rng.integers(0, y.max() + 1, len(y)), y)


def samples(data, n):
    """X_train, y_train, X_test, y_test, the first n of each."""
    return made_table(n) if data == "table" else flat_images(data, n)
