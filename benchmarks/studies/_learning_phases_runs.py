"""The runs of the study of learning phases: what is trained, and what is asked of each fitted classifier."""

from dataclasses import dataclass

import numpy as np
import torch
from _rules import load_rules
from _tables import flat_images
from _trained_decoder import TrainedReconstruction
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.datasets import load_images
from sklearn_nndyn.modules import MLP, VGG, ResNet
from sklearn_nndyn.recording import Probe, Reconstruction

RULES = load_rules("learning_phases")
BATCH = 128
MEANS, DEVIATIONS = (0.4914, 0.4822, 0.4465), (0.2023, 0.1994, 0.2010)
SWAP = {"mnist": "fashion_mnist", "fashion_mnist": "mnist"}
REMOVED = 0.05


class Scaled(torch.nn.Module):
    """One linear layer without bias, its initial weights scaled."""

    def __init__(self, n_features, n_classes, scale):
        super().__init__()
        self.only = torch.nn.Linear(n_features, n_classes, bias=False)
        with torch.no_grad():
            self.only.weight.mul_(scale)

    def forward(self, x):
        return self.only(x.flatten(1))


@dataclass(frozen=True)
class Setting:
    """What is trained, on what, and how long.

    ``extras`` names what is asked afterwards: transfer, batch_norm, linear, removal; ``seeds`` 0 is as the rules
    say.
    """

    name: str
    data: str
    network: str
    lr: float
    iterations: int
    n_train: int
    n_test: int
    scale: float = 1.0
    layers: object = -1
    extras: tuple = ()
    seeds: int = 0

    @property
    def epochs(self):
        """Enough for the iterations."""
        return -(-self.iterations // -(-self.n_train // BATCH))


SETTINGS = (
    Setting("single layer", "cifar10", "single", 0.002, 8192, 10_000, 2000, layers="scores"),
    Setting("single layer, weights x 0.01", "cifar10", "single", 0.002, 8192, 10_000, 2000, 0.01, "scores"),
    Setting("single layer, slow", "cifar10", "single", 0.0002, 8192, 10_000, 2000, layers="scores"),
    Setting("MLP, MNIST", "mnist", "mlp", 0.002, 4096, 5000, 2000, extras=("transfer", "removal")),
    Setting(
        "MLP, Fashion-MNIST", "fashion_mnist", "mlp", 0.002, 4096, 5000, 2000, extras=("transfer", "removal")
    ),
    Setting(
        "V8, CIFAR-10",
        "cifar10",
        "v8",
        0.002,
        2048,
        10_000,
        2000,
        extras=("transfer", "batch_norm", "linear"),
    ),
    Setting(
        "ResNet-10, CIFAR-10", "cifar10", "resnet", 0.002, 1024, 4000, 1000, extras=("transfer", "batch_norm")
    ),
)


def seeds_of(setting):
    """As many as the rules have for its network."""
    return range(setting.seeds or RULES["seeds"][setting.network])


def images_of(setting, name=None):
    """X_train, y_train, X_test, y_test, normalised; a CIFAR image by channel, others by their mean and deviation."""
    name = name or setting.data
    if name == "cifar10":
        images = load_images(name)
        mean, deviation = (np.array(own, np.float32)[:, None, None] for own in (MEANS, DEVIATIONS))
        rows = [slice(setting.n_train), slice(setting.n_test)]
        X = [
            (own[r] / np.float32(255) - mean) / deviation
            for own, r in zip((images.X_train, images.X_test), rows, strict=True)
        ]
        return X[0], images.y_train[rows[0]].astype(int), X[1], images.y_test[rows[1]].astype(int)
    X, y, X_test, y_test = flat_images(name, setting.n_train)
    mean, deviation = X.mean(), X.std()
    X_test, y_test = X_test[: setting.n_test], y_test[: setting.n_test]
    return (X - mean) / deviation, y, (X_test - mean) / deviation, y_test


def module_of(setting):
    """The network, as the classifier takes it."""
    return {
        "single": lambda shape, n_classes: Scaled(int(np.prod(shape)), n_classes, setting.scale),
        "mlp": MLP(hidden_layer_sizes=(256, 128)),
        "v8": VGG("V8"),
        "resnet": ResNet([(16, 1), (32, 1), (64, 1), (128, 1)]),
    }[setting.network]


def classifier(setting, seed):
    """Not yet fitted; looks at iterations 0, 1, 2, 4, ..."""
    return DynamicsClassifier(
        module_of(setting),
        optimizer="sgd",
        lr=setting.lr,
        optimizer_params={"momentum": 0.9} if setting.network != "single" else None,
        batch_size=BATCH,
        max_epochs=setting.epochs,
        record=(
            "samples",
            "gradients",
            Reconstruction(setting.layers, train=False),
            Probe(setting.layers, train=False),
        ),
        record_iterations="log",
        random_state=seed,
    )


def run(setting, seed):
    """Train once.

    Returns
    -------
    records : dict of Dynamics
        ``"validation"`` and ``"train"``.
    extras : dict of arrays
        A value for each look, unless said otherwise.
    """
    torch.set_num_threads(1)
    X, y, X_test, y_test = images_of(setting)
    clf = classifier(setting, seed).fit(X, y, X_val=X_test, y_val=y_test)
    extras = {}
    for name in setting.extras:
        extras |= EXTRAS[name](setting, clf, (X, y, X_test, y_test), seed)
    return {"validation": clf.validation_dynamics_, "train": clf.dynamics_}, extras


def transfer(setting, clf, images, seed):
    """Accuracy of a linear probe of the frozen layer on another task."""
    if setting.data == "cifar10":
        X, _, X_test, _ = images
        y, y_test = (own.sum(axis=(2, 3)).argmax(axis=1) for own in (X, X_test))  # which colour dominates
    else:
        X, y, X_test, y_test = images_of(setting, SWAP[setting.data])
    accuracies = []
    for epoch in clf.dynamics_.epochs:
        probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=1000))
        probe.fit(clf.activations(X, setting.layers, epoch), y)
        accuracies.append(probe.score(clf.activations(X_test, setting.layers, epoch), y_test))
    return {"transfer": np.array(accuracies), "transfer_majority": np.bincount(y_test).max() / len(y_test)}


def batch_norm(setting, clf, images, seed):
    """Reconstruction with batch norm in training mode."""
    return {"batch_norm": _replayed(clf, images, Reconstruction(batch_norm="training", train=False))}


def linear(setting, clf, images, seed):
    """Reconstruction by the trained linear decoder, at every second look: each mode of batch norm with one seed."""
    mode = {0: "evaluation", 1: "training"}.get(seed)
    if mode is None:
        return {}
    recording = TrainedReconstruction(batch_norm=mode, train=False)
    return {f"linear_{mode}": _replayed(clf, images, recording, clf.dynamics_.epochs[::2])}


def _replayed(clf, images, recording, epochs=None):
    X, y, X_test, y_test = images
    record = clf.replay(X_test, y_test, record=[recording], epochs=epochs, X_train=X, y_train=y)
    (errors,) = record.reconstruction.values()
    return errors.mean(axis=0, dtype=np.float64)


def removal(setting, clf, images, seed):
    """Reconstruction at the end, where training goes on from the turn with all samples or without some.

    Without the worst 5 % (greatest loss at the turn), without as many random ones, with all; each goes on with a new
    optimizer. Three values, and that at the turn.
    """
    X, _, _, _ = images
    (errors,) = clf.validation_dynamics_.reconstruction.values()
    curve = errors.mean(axis=0, dtype=np.float64)
    turn = int(curve.argmin())
    epoch = clf.dynamics_.epochs[turn]
    if epoch >= setting.epochs - 1:
        return {"removal": np.full(4, np.nan)}
    n_removed = int(REMOVED * len(X))
    worst = np.argsort(clf.dynamics_.loss[:, turn])[-n_removed:]
    at_random = np.random.default_rng(seed).choice(len(X), n_removed, replace=False)
    ends = [_end_without(setting, clf, images, epoch, removed) for removed in (worst, at_random, [])]
    return {"removal": np.array([*ends, curve[turn]])}


def _end_without(setting, clf, images, epoch, removed):
    X, y, _, _ = images
    kept = np.setdiff1d(np.arange(len(X)), removed)
    going_on = clf.at_epoch(epoch)
    going_on.set_params(
        warm_start=True,
        max_epochs=setting.epochs - int(epoch),
        record=("samples",),
        record_iterations=None,
        record_epochs=10**6,
    )
    going_on.fit(X[kept], y[kept])
    return _end_of(going_on, images, setting)


def _end_of(clf, images, setting):
    X, _, X_test, _ = images
    given_back = clf.reconstruct(X_test, X_train=X, layer=setting.layers)
    return float(((given_back - X_test) ** 2).mean(dtype=np.float64))


EXTRAS = {"transfer": transfer, "batch_norm": batch_norm, "linear": linear, "removal": removal}
