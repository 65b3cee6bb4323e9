"""The same training, written in each framework: a function of a task that gives the record."""

import os
from contextlib import contextmanager

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from sklearn_nndyn import DynamicsClassifier, DynamicsLog
from sklearn_nndyn.recording import Recorder
from sklearn_nndyn.recording.integrations import (
    AccelerateRecorder,
    KerasRecorder,
    LightningRecorder,
    TransformersRecorder,
)

os.environ.setdefault("KERAS_BACKEND", "torch")


def need(name):
    """Skip the test where a framework is not installed."""
    return pytest.importorskip(name)


def loader_of(task):
    """Batches in the order of the samples."""
    return DataLoader(TensorDataset(*tensors(task)), batch_size=task.batch_size)


def tensors(task):
    return torch.from_numpy(task.X), torch.from_numpy(task.y)


def sgd(task, module):
    return torch.optim.SGD(module.parameters(), lr=task.lr)


def classifier(task):
    """Our own."""
    clf = DynamicsClassifier(
        task.module(),
        optimizer="sgd",
        lr=task.lr,
        optimizer_params={"momentum": 0.0},
        batch_size=task.batch_size,
        max_epochs=task.n_epochs,
        shuffle=False,
        dtype=str(task.X.dtype),
    )
    return clf.fit(task.X, task.y).dynamics_


def torch_loop(task):
    """A loop of one's own, with a `Recorder`."""
    module = task.module()
    optimizer, recorder = sgd(task, module), Recorder(task.X, task.y)
    recorder.record(module, 0)
    for epoch in range(task.n_epochs):
        for X, y in loader_of(task):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(module(X), y).backward()
            optimizer.step()
        recorder.record(module, epoch + 1)
    return recorder.dynamics()


def torch_log(task):
    """A loop of one's own, with a `DynamicsLog`."""
    module, (X, y) = task.module(), tensors(task)
    optimizer, log = sgd(task, module), DynamicsLog(y)
    for epoch in range(task.n_epochs + 1):
        for rows in torch.randperm(len(y), generator=torch.Generator().manual_seed(epoch)).split(100):
            log.add(epoch, rows, module(X[rows]))
        for X_batch, y_batch in loader_of(task) if epoch < task.n_epochs else ():
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(module(X_batch), y_batch).backward()
            optimizer.step()
    return log.dynamics()


def lightning_module(task):
    from lightning.pytorch import LightningModule

    class Module(LightningModule):
        def __init__(self):
            super().__init__()
            self.network = task.module()

        def forward(self, x):
            return self.network(x)

        def training_step(self, batch, batch_idx):
            return torch.nn.functional.cross_entropy(self(batch[0]), batch[1])

        def configure_optimizers(self):
            return sgd(task, self)

    return Module()


def lightning_trainer(task, *callbacks, **settings):
    from lightning.pytorch import Trainer

    return Trainer(
        max_epochs=task.n_epochs,
        accelerator="cpu",
        callbacks=list(callbacks),
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )


def lightning(task):
    recorder = LightningRecorder(task.X, task.y)
    lightning_trainer(task, recorder).fit(lightning_module(task), loader_of(task))
    return recorder.dynamics()


class WithLoss(torch.nn.Module):
    """A network as transformers' Trainer wants it."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, pixels, labels=None):
        logits = self.network(pixels)
        loss = None if labels is None else torch.nn.functional.cross_entropy(logits, labels)
        return {"loss": loss, "logits": logits} if loss is not None else {"logits": logits}


def named_rows(task):
    """A dataset of dicts."""
    X, y = tensors(task)
    return [{"pixels": x, "labels": label} for x, label in zip(X, y, strict=True)]


def transformers_trainer(task, folder, *callbacks, kind=None, **settings):
    import transformers

    class Trainer(kind or transformers.Trainer):
        def _get_train_sampler(self, *args, **kwargs):
            return torch.utils.data.SequentialSampler(self.train_dataset)

    arguments = transformers.TrainingArguments(
        output_dir=str(folder),
        optim="sgd",
        learning_rate=task.lr,
        lr_scheduler_type="constant",
        max_grad_norm=0,
        per_device_train_batch_size=task.batch_size,
        num_train_epochs=task.n_epochs,
        save_strategy="no",
        logging_strategy="no",
        report_to=[],
        disable_tqdm=True,
        use_cpu=True,
        **settings,
    )
    model = WithLoss(task.module())
    return Trainer(model, arguments, train_dataset=named_rows(task), callbacks=list(callbacks))


def transformers(task, folder="output"):
    recorder = TransformersRecorder(named_rows(task))
    transformers_trainer(task, folder, recorder).train()
    return recorder.dynamics()


def keras_model(task):
    import keras

    (first, first_bias), (last, last_bias) = task.state
    kind = {"activation": task.activation}
    if first.ndim == 2:
        layer, weight = keras.layers.Dense(len(first), **kind), first.T
    else:
        layer = keras.layers.Conv2D(len(first), 3, strides=2, data_format="channels_first", **kind)
        weight = first.transpose(2, 3, 1, 0)
    parts = [layer, keras.layers.Reshape((-1,)), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input(task.X.shape[1:]), *parts])
    model.set_weights([weight, first_bias, last.T, last_bias])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(task.lr), loss)
    return model


@contextmanager
def keras_precision(name):
    """What Keras computes in meanwhile."""
    import keras

    before = keras.config.floatx()
    keras.config.set_floatx(name)
    try:
        yield
    finally:
        keras.config.set_floatx(before)


def keras(task):
    recorder = KerasRecorder(task.X, task.y)
    with keras_precision(str(task.X.dtype)):
        keras_model(task).fit(
            task.X,
            task.y,
            batch_size=task.batch_size,
            epochs=task.n_epochs,
            shuffle=False,
            verbose=0,
            callbacks=[recorder],
        )
    return recorder.dynamics()


def accelerate(task):
    from accelerate import Accelerator

    accelerator = Accelerator(cpu=True)
    module = task.module()
    module, optimizer, loader = accelerator.prepare(module, sgd(task, module), loader_of(task))
    recorder = AccelerateRecorder(accelerator, task.X, task.y)
    recorder.evaluate(module, 0)
    for epoch in range(task.n_epochs):
        for X, y in loader:
            optimizer.zero_grad()
            accelerator.backward(torch.nn.functional.cross_entropy(module(X), y))
            optimizer.step()
        recorder.evaluate(module, epoch + 1)
    return recorder.dynamics()


OWN = {"classifier": classifier, "torch, Recorder": torch_loop, "torch, DynamicsLog": torch_log}
FRAMEWORKS = {
    "lightning": lightning,
    "transformers": transformers,
    "keras": keras,
    "accelerate": accelerate,
}


def worst(found, expected):
    """{field: the largest difference from the twin}, relative to the largest value of the field."""
    differences = {}
    for name in ("loss", "margin", "probability"):
        values = found[name] if isinstance(found, dict) else getattr(found, name)
        difference = np.abs(values - expected[name]).max()
        differences[name] = float(difference / np.abs(expected[name]).max())
    return differences
