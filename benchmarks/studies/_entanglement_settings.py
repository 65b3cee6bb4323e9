"""Settings in which the study of entanglement searches eps*: networks, data and training."""

from dataclasses import dataclass

import torch
from _rules import load_rules
from _tables import NAMES

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.modules import MLP

RULES = load_rules("entanglement")
N_SAMPLES = RULES["n_samples"]
SEEDS = tuple(RULES["seeds"])


def convolution(input_shape, n_classes):
    """Two convolutions of stride two and a hidden layer of 20."""
    return torch.nn.Sequential(
        torch.nn.Conv2d(input_shape[0], 6, 5, stride=2),
        torch.nn.Tanh(),
        torch.nn.Conv2d(6, 12, 5, stride=2),
        torch.nn.Tanh(),
        torch.nn.Flatten(),
        torch.nn.Linear(12 * 16, 20),
        torch.nn.Tanh(),
        torch.nn.Linear(20, n_classes),
    )


GRADIENT_DESCENT = {"optimizer": "sgd", "lr": 0.1, "batch_size": "full", "max_epochs": 500}
MOMENTUM = {**GRADIENT_DESCENT, "lr": 0.01, "optimizer_params": {"momentum": 0.9}}
ADAM = {**GRADIENT_DESCENT, "optimizer": "adam", "lr": 1e-3}
SMALL_BATCHES = {**GRADIENT_DESCENT, "lr": 0.01, "batch_size": 100, "max_epochs": 60}


@dataclass(frozen=True, eq=False)
class Setting:
    """One setting: network, data and training."""

    name: str
    kind: str
    training: dict
    data: str = "mnist"
    n: int = N_SAMPLES
    classes: int = 2
    module: object = (20,)
    seeds: tuple = SEEDS
    layers: tuple = (-1,)

    def classifier(self, **changes):
        """Untrained."""
        module = MLP(self.module, activation="tanh") if isinstance(self.module, tuple) else self.module
        shuffled = self.training["batch_size"] != "full"
        return DynamicsClassifier(module, shuffle=shuffled, snapshots=False, **{**self.training, **changes})


REFERENCE = Setting("8,192 images, 20 tanh units, rate 0.1", "reference", GRADIENT_DESCENT)


def settings():
    """Each differs from the reference in one thing."""
    parity = [
        REFERENCE,
        Setting("rate 0.2", "rate", {**GRADIENT_DESCENT, "lr": 0.2, "max_epochs": 300}),
        Setting("momentum 0.9, rate 0.01", "optimiser", MOMENTUM),
        Setting("Adam, rate 0.001", "optimiser", ADAM),
        Setting("batches of 100, rate 0.01", "batches", SMALL_BATCHES),
        Setting("width 5", "network", GRADIENT_DESCENT, module=(5,)),
        Setting("width 100", "network", GRADIENT_DESCENT, module=(100,)),
        Setting("two layers of 20", "network", GRADIENT_DESCENT, module=(20, 20), layers=(0, 1)),
        Setting(
            "convolution net, 250 epochs",
            "network",
            {**GRADIENT_DESCENT, "max_epochs": 250},
            module=convolution,
            seeds=tuple(RULES["seeds_of"]["convolution net, 250 epochs"]),
            layers=(0, -1),
        ),
    ]
    samples = [Setting(f"{n:,} images", "samples", GRADIENT_DESCENT, n=n) for n in (512, 1024, 2048, 4096)]
    fashion = [Setting("Fashion-MNIST parity", "data", GRADIENT_DESCENT, data="fashion_mnist")]
    ten = [
        Setting(f"{NAMES[data]}, ten classes, {how}", "data", training, data=data, classes=10)
        for data in ("mnist", "fashion_mnist")
        for how, training in (
            ("full batch", {**GRADIENT_DESCENT, "lr": 0.5, "max_epochs": 800}),
            ("batches of 100", {**ADAM, "batch_size": 100, "max_epochs": 60}),
        )
    ]
    return parity + samples + fashion + ten
