"""One training, written in each framework: functions of a problem that give ``train(shuffle)``, which gives scores.

Every ``train`` begins from the same weights (a peer that draws its own says so), goes over the same rows in batches of
the same size, in an order of its own, with Adam at 1e-3 (fused where the framework can), and returns the scores of the
first rows: without shuffling those are equal everywhere, which `bench_peers.py` checks before it measures.
"""

import copy
import logging
import os
import shutil
import warnings
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.neural_network import MLPClassifier
from skorch import NeuralNetClassifier
from torch.utils.data import DataLoader, TensorDataset

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.recording import Samples

LR, FEW = 1e-3, 50
os.environ.setdefault("KERAS_BACKEND", "torch")


@dataclass
class Problem:
    """Data, the untrained network, and how long to train; ``hidden`` is the width of an MLP, None for images."""

    X: np.ndarray
    y: np.ndarray
    module: torch.nn.Module
    batch: int
    epochs: int
    hidden: int | None = None

    def first(self, n, epochs):
        """The same with the first ``n`` rows."""
        return Problem(self.X[:n], self.y[:n], self.module, self.batch, epochs, self.hidden)


def scores(module, X):
    """Scores of the first rows by a torch module."""
    with torch.no_grad():
        return module.eval()(torch.from_numpy(X[:FEW])).numpy()


def loop(problem, module, shuffle):
    """What one writes by hand: index a batch, forward, loss, backward, update."""
    optimizer = torch.optim.Adam(module.parameters(), lr=LR, fused=True)
    criterion = torch.nn.CrossEntropyLoss()
    X, y = torch.from_numpy(problem.X), torch.from_numpy(problem.y)
    module.train()
    for _ in range(problem.epochs):
        order = torch.randperm(len(X)) if shuffle else torch.arange(len(X))
        for rows in order.split(problem.batch):
            optimizer.zero_grad()
            criterion(module(X[rows]), y[rows]).backward()
            optimizer.step()


def bare(problem):
    """The loop by hand."""

    def train(shuffle=True):
        module = copy.deepcopy(problem.module)
        loop(problem, module, shuffle)
        return scores(module, problem.X)

    return train


def compiled(problem):
    """The same loop over one compiled module: the first call compiles, later ones put the first weights back."""
    if not any(map(shutil.which, ("c++", "g++", "clang++"))):
        raise ImportError("it needs a C++ compiler")
    torch.compiler.reset()  # programs of other problems count towards the limit of recompiling
    module = copy.deepcopy(problem.module)
    compiled_module = torch.compile(module, dynamic=False)

    def train(shuffle=True):
        module.load_state_dict(problem.module.state_dict())
        loop(problem, compiled_module, shuffle)
        return scores(module, problem.X)

    return train


def ours(problem, record=(), snapshots=False):
    """DynamicsClassifier."""

    def train(shuffle=True):
        clf = DynamicsClassifier(
            problem.module,
            lr=LR,
            batch_size=problem.batch,
            max_epochs=problem.epochs,
            shuffle=shuffle,
            record=record,
            snapshots=snapshots,
            random_state=0,
        )
        return clf.fit(problem.X, problem.y).decision_function(problem.X[:FEW])

    return train


def recorded(problem):
    """With the record as it comes, and the weights of every epoch."""
    return ours(problem, ("samples", "geometry"), snapshots=True)


def recorded_in_training(problem):
    """With what each batch gave on the way, no pass of its own."""
    return ours(problem, (Samples(when="training"),))


def skorch(problem):
    """Plain skorch."""

    def train(shuffle=True):
        net = NeuralNetClassifier(
            copy.deepcopy(problem.module),
            criterion=torch.nn.CrossEntropyLoss,
            optimizer=torch.optim.Adam,
            optimizer__fused=True,
            lr=LR,
            batch_size=problem.batch,
            max_epochs=problem.epochs,
            train_split=None,
            iterator_train__shuffle=shuffle,
            verbose=0,
        )
        return scores(net.fit(problem.X, problem.y).module_, problem.X)

    return train


def lightning(problem):
    """Lightning, without logger, checkpoints and bars."""
    import lightning

    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)

    class Training(lightning.LightningModule):
        def __init__(self):
            super().__init__()
            self.module = copy.deepcopy(problem.module)

        def training_step(self, batch, _):
            X, y = batch
            return torch.nn.functional.cross_entropy(self.module(X), y)

        def configure_optimizers(self):
            return torch.optim.Adam(self.module.parameters(), lr=LR, fused=True)

    def train(shuffle=True):
        data = TensorDataset(torch.from_numpy(problem.X), torch.from_numpy(problem.y))
        training = Training()
        off = ("logger", "enable_checkpointing", "enable_progress_bar", "enable_model_summary")
        trainer = lightning.Trainer(max_epochs=problem.epochs, accelerator="cpu", **dict.fromkeys(off, False))
        trainer.fit(training, DataLoader(data, batch_size=problem.batch, shuffle=shuffle))
        return scores(training.module, problem.X)

    return train


def keras(problem):
    """Keras on torch: the same layers, channels first, with the same weights."""
    import keras

    if keras.backend.backend() != "torch":
        raise ImportError("its backend is not torch: set KERAS_BACKEND=torch")
    keras.config.set_image_data_format("channels_first")

    def train(shuffle=True):
        layers = [layer for part in problem.module for layer in _as_keras(part, keras.layers)]
        model = keras.Sequential([keras.Input(problem.X.shape[1:]), *layers])
        _copy_weights(problem.module, model)
        model.compile(
            keras.optimizers.Adam(LR, epsilon=1e-8), keras.losses.SparseCategoricalCrossentropy(True)
        )
        model.fit(
            problem.X,
            problem.y,
            batch_size=problem.batch,
            epochs=problem.epochs,
            shuffle=shuffle,
            verbose=0,
        )
        return model.predict(problem.X[:FEW], verbose=0)

    return train


def _as_keras(part, layers):
    """The Keras layers that do what a torch layer does."""
    match part:
        case torch.nn.Linear():
            return [layers.Dense(part.out_features)]
        case torch.nn.Conv2d():
            bias = part.bias is not None
            conv = layers.Conv2D(part.out_channels, part.kernel_size, part.stride, use_bias=bias)
            return [layers.ZeroPadding2D(part.padding), conv]
        case torch.nn.BatchNorm2d():
            return [layers.BatchNormalization(axis=1, momentum=1 - part.momentum, epsilon=part.eps)]
        case torch.nn.ReLU():
            return [layers.ReLU()]
        case torch.nn.MaxPool2d():
            return [layers.MaxPooling2D(part.kernel_size)]
        case torch.nn.AdaptiveAvgPool2d(output_size=1):
            return [layers.GlobalAveragePooling2D()]
        case torch.nn.Flatten():
            return [layers.Flatten("channels_last")]  # as they lie: "channels_first" would move an axis
    raise NotImplementedError(f"no Keras layer for {part}")


def _copy_weights(module, model):
    """Put the weights of a chain of torch layers into a Keras model."""
    own = [part for part in module if list(part.parameters())]
    theirs = [layer for layer in model.layers if layer.weights]
    for part, layer in zip(own, theirs, strict=True):
        kernel = part.weight.detach().numpy()
        weights = [
            kernel.T if kernel.ndim == 2 else kernel.transpose(2, 3, 1, 0) if kernel.ndim == 4 else kernel
        ]
        weights += [part.bias.detach().numpy()] if part.bias is not None else []
        weights += [part.running_mean.numpy(), part.running_var.numpy()] if kernel.ndim == 1 else []
        layer.set_weights(weights)


def mlp_classifier(problem):
    """scikit-learn's network, from weights of its own."""

    def train(shuffle=True):
        mlp = MLPClassifier(
            (problem.hidden,),
            learning_rate_init=LR,
            batch_size=problem.batch,
            max_iter=problem.epochs,
            alpha=0.0,
            tol=0.0,
            n_iter_no_change=problem.epochs,
            shuffle=shuffle,
            random_state=0,
        )
        mlp.fit(problem.X, problem.y)

    return train


def pytabkit(problem):
    """pytabkit's RealMLP, its extras off, from weights of its own."""
    from pytabkit import RealMLP_TD_S_Classifier

    def train(shuffle=True):
        mlp = RealMLP_TD_S_Classifier(
            device="cpu",
            n_threads=torch.get_num_threads(),
            hidden_sizes=[problem.hidden],
            act="relu",
            add_front_scale=False,
            use_ls=False,
            tfms=[],
            lr=LR,
            lr_sched="constant",
            sq_mom=0.999,
            batch_size=problem.batch,
            n_epochs=problem.epochs,
            val_fraction=0.0,
            random_state=0,
        )
        with warnings.catch_warnings(action="ignore"):
            mlp.fit(problem.X, problem.y)

    return train


OURS = {"ours": ours, "recorded": recorded, "recorded in training": recorded_in_training}
PEERS = {
    "torch.compile": compiled,
    "skorch": skorch,
    "MLPClassifier": mlp_classifier,
    "Lightning": lightning,
    "Keras": keras,
    "pytabkit": pytabkit,
}
NEED_MLP = ("MLPClassifier", "pytabkit")
