"""The same training in each framework makes the same record, that of a slow twin; and is not changed by it."""

import pickle

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from sklearn_nndyn import Dynamics, DynamicsLog, EntanglementAnalyzer, LossTailAnalyzer
from sklearn_nndyn.recording.integrations import KerasRecorder, LightningRecorder, TransformersRecorder
from tests.recording.integrations import trainings
from tests.recording.integrations.tasks import make_task
from tests.recording.integrations.trainings import FRAMEWORKS, OWN, need, worst
from tests.recording.integrations.twin import twin_record

# The frameworks warn of their own future and of the machine.
THEIR_WARNINGS = [
    pytest.mark.filterwarnings("default"),
    pytest.mark.filterwarnings("ignore:.*:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*does not have many workers"),
]
pytestmark = THEIR_WARNINGS
ROUNDING = 2e-6  # of the largest value, after three epochs in single precision
FIELDS = ("loss", "margin", "prediction", "probability")


@pytest.fixture(scope="module")
def small():
    return make_task("digits", "mlp")


def assert_is_the_record_of(task, found):
    twin = twin_record(task)
    assert found.epochs.tolist() == list(range(task.n_epochs + 1))
    assert max(worst(found, twin).values()) < ROUNDING
    clear = np.abs(twin["margin"]) > 1e-4
    np.testing.assert_array_equal(found.prediction[clear], twin["prediction"][clear])
    for means in found.centroids.values():
        np.testing.assert_allclose(np.moveaxis(means, 0, -1), twin["centroids"], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("network", ["mlp", "conv"])
@pytest.mark.parametrize("name", OWN)
def test_our_own_ways_make_the_record_of_the_twin(name, network):
    task = make_task("digits", network)
    assert_is_the_record_of(task, OWN[name](task))


@pytest.mark.parametrize("network", ["mlp", "conv"])
@pytest.mark.parametrize("data", ["digits", "fashion"])
@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_framework_makes_the_record_of_the_twin(name, data, network, tmp_path, monkeypatch):
    need(name)
    monkeypatch.chdir(tmp_path)
    try:
        task = make_task(data, network)
    except FileNotFoundError:
        pytest.skip("Fashion-MNIST is not on this machine")
    record = FRAMEWORKS[name](task)
    assert_is_the_record_of(task, record)
    assert LossTailAnalyzer().fit(record).summary()
    if name != "keras":
        assert EntanglementAnalyzer().fit(record).summary()


# -------------------------------------------------------------------- recorded = unrecorded, bitwise


class Dropping(torch.nn.Sequential):
    """A task's network with dropout, so that training draws random numbers."""

    def __init__(self, task):
        super().__init__(*task.module(), torch.nn.Dropout(0.1))


class WithDropout:
    """A task whose network drops out."""

    def __init__(self, task):
        self.task = task

    def __getattr__(self, name):
        return getattr(self.task, name)

    def module(self):
        return Dropping(self.task)


def lightning_weights(task, folder, *callbacks):
    module = trainings.lightning_module(task)
    trainings.lightning_trainer(task, *callbacks).fit(module, trainings.loader_of(task))
    return list(module.parameters())


def transformers_weights(task, folder, *callbacks):
    trainer = trainings.transformers_trainer(task, folder, *callbacks, seed=0)
    trainer.train()
    return list(trainer.model.parameters())


def keras_weights(task, folder, *callbacks):
    import keras

    keras.utils.set_random_seed(0)
    model = trainings.keras_model(task)
    model = keras.Sequential([*model.layers[:-1], keras.layers.Dropout(0.2), model.layers[-1]])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(task.X, task.y, epochs=3, verbose=0, callbacks=list(callbacks))
    return [torch.tensor(values) for values in model.get_weights()]


RECORDERS = {
    "lightning": (lightning_weights, LightningRecorder),
    "transformers": (transformers_weights, lambda X, y: TransformersRecorder({"pixels": X}, y)),
    "keras": (keras_weights, KerasRecorder),
}


@pytest.mark.parametrize("name", RECORDERS)
def test_recording_changes_nothing(name, small, tmp_path):
    need(name)
    weights, recorder = RECORDERS[name][0], None
    found = []
    for recorder in (None, RECORDERS[name][1](small.X, small.y)):
        torch.manual_seed(0)
        found.append(weights(WithDropout(small), tmp_path, *([recorder] if recorder else [])))
    assert recorder.dynamics().n_epochs == 4
    for one, other in zip(*found, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("name", RECORDERS)
def test_a_second_training_makes_a_record_of_its_own(name, small, tmp_path):
    need(name)
    weights, make = RECORDERS[name]
    recorder = make(small.X, small.y)
    weights(small, tmp_path, recorder)
    first = recorder.dynamics()
    weights(small, tmp_path, recorder)
    np.testing.assert_allclose(recorder.dynamics().loss, first.loss, atol=1e-6)


@pytest.mark.parametrize("name", RECORDERS)
def test_a_recorder_is_pickled_with_what_it_holds(name, small, tmp_path):
    need(name)
    weights, make = RECORDERS[name]
    recorder = make(small.X, small.y)
    again = pickle.loads(pickle.dumps(recorder))
    weights(small, tmp_path, again)
    assert again.dynamics().n_epochs == 4
    assert type(again) is type(recorder)


# ------------------------------------------------------------- a log, filled in the training step itself


def logged_by_hand(task):
    """What each sample was given on the way through the epochs of a plain loop."""
    module, log = task.module(), DynamicsLog(task.y)
    optimizer, n = trainings.sgd(task, module), 0
    for epoch in range(task.n_epochs):
        for n, (X, y) in enumerate(trainings.loader_of(task)):
            scores = module(X)
            log.add(epoch, np.arange(n * task.batch_size, n * task.batch_size + len(y)), scores)
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(scores, y).backward()
            optimizer.step()
    return log.dynamics()


def log_of_lightning(task, folder):
    kind, log = type(trainings.lightning_module(task)), DynamicsLog(task.y)

    class Logged(kind):
        def training_step(self, batch, batch_idx):
            X, y, ids = batch
            scores = self(X)
            log.add(self.current_epoch, ids, scores)
            return torch.nn.functional.cross_entropy(scores, y)

    loader = DataLoader(TensorDataset(*trainings.tensors(task), torch.arange(len(task.y))), task.batch_size)
    trainings.lightning_trainer(task).fit(Logged(), loader)
    return log.dynamics()


def log_of_transformers(task, folder):
    import transformers

    log = DynamicsLog(task.y)

    class Logged(transformers.Trainer):
        def compute_loss(self, model, inputs, return_outputs=False, **kwargs):
            ids = inputs.pop("ids")
            loss, outputs = super().compute_loss(model, inputs, return_outputs=True, **kwargs)
            log.add(int(self.state.epoch), ids, outputs["logits"])
            return (loss, outputs) if return_outputs else loss

    trainer = trainings.transformers_trainer(task, folder, kind=Logged, remove_unused_columns=False)
    trainer.train_dataset = [{**row, "ids": i} for i, row in enumerate(trainings.named_rows(task))]
    trainer.train()
    return log.dynamics()


def log_of_keras(task, folder):
    import keras

    model, log = trainings.keras_model(task), DynamicsLog(task.y)
    optimizer, n_batches = trainings.sgd(task, model), -(-len(task.y) // task.batch_size)
    for step in range(n_batches * task.n_epochs):
        start = step % n_batches * task.batch_size
        rows = np.arange(start, min(start + task.batch_size, len(task.y)))
        scores = model(task.X[rows], training=True)
        log.add(step // n_batches, rows, scores)
        loss = keras.losses.sparse_categorical_crossentropy(task.y[rows], scores, from_logits=True).mean()
        model.zero_grad()
        loss.backward()
        optimizer.step()
    return log.dynamics()


def log_of_accelerate(task, folder):
    from accelerate import Accelerator

    accelerator, log, module = Accelerator(cpu=True), DynamicsLog(task.y), task.module()
    rows = TensorDataset(*trainings.tensors(task), torch.arange(len(task.y)))
    module, optimizer, loader = accelerator.prepare(
        module, trainings.sgd(task, module), DataLoader(rows, task.batch_size)
    )
    for epoch in range(task.n_epochs):
        for X, y, ids in loader:
            scores = module(X)
            log.add(epoch, *accelerator.gather_for_metrics((ids, scores)))
            optimizer.zero_grad()
            accelerator.backward(torch.nn.functional.cross_entropy(scores, y))
            optimizer.step()
    return log.dynamics()


LOGGED = {
    "lightning": log_of_lightning,
    "transformers": log_of_transformers,
    "keras": log_of_keras,
    "accelerate": log_of_accelerate,
}


@pytest.mark.parametrize("name", LOGGED)
def test_a_log_in_the_training_step_holds_what_the_batches_gave(name, small, tmp_path):
    need(name)
    found, expected = LOGGED[name](small, tmp_path), logged_by_hand(small)
    assert found.seen.all()
    for field in FIELDS:
        np.testing.assert_allclose(getattr(found, field), getattr(expected, field), rtol=1e-4, atol=1e-5)


# ------------------------------------------------------------------------------- what is refused


def test_keras_probabilities_are_told_from_logits(small):
    keras = need("keras")
    model = trainings.keras_model(small)
    softmax = keras.Sequential([*trainings.keras_model(small).layers, keras.layers.Softmax()])
    records = {}
    for kind, made, loss in (
        ("logits", model, model.loss),
        ("probabilities", softmax, "sparse_categorical_crossentropy"),
    ):
        made.compile("sgd", loss)
        recorder = KerasRecorder(small.X, small.y, record_epochs=[0])
        made.fit(small.X, small.y, verbose=0, callbacks=[recorder])
        records[kind] = recorder.dynamics()
    one, other = records.values()
    np.testing.assert_allclose(one.loss, other.loss, rtol=1e-5)
    np.testing.assert_allclose(one.margin, other.margin, rtol=1e-3, atol=1e-5)


def test_one_output_of_keras_stands_for_two_classes(small):
    keras = need("keras")
    y, X = np.array(["even", "odd"])[small.y % 2], small.X
    model = keras.Sequential([keras.Input((64,)), keras.layers.Dense(1, activation="sigmoid")])
    model.compile("sgd", "binary_crossentropy")
    recorder = KerasRecorder(X, y)
    model.fit(X, small.y % 2, verbose=0, callbacks=[recorder])
    record = recorder.dynamics()
    p = model.predict(X, verbose=0)[:, 0]
    np.testing.assert_allclose(record.probability[:, -1], np.where(y == "odd", p, 1 - p), rtol=1e-5)


def test_keras_samples_and_labels_are_as_many(small):
    need("keras")
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        KerasRecorder(small.X, small.y[:-1])


def test_a_loss_of_keras_that_does_not_tell_is_asked_about(small):
    need("keras")
    model = trainings.keras_model(small)
    model.compile("sgd", lambda y, scores: (scores - 0.1).mean())
    with pytest.raises(
        ValueError, match=r"does not tell whether .* give KerasRecorder\(..., from_logits=True\)"
    ):
        model.fit(small.X, small.y, verbose=0, callbacks=[KerasRecorder(small.X, small.y)])
    recorder = KerasRecorder(small.X, small.y, from_logits=True)
    model.fit(small.X, small.y, verbose=0, callbacks=[recorder])
    assert isinstance(recorder.dynamics(), Dynamics)


def test_lightning_takes_up_the_epochs_where_they_were(small, tmp_path):
    need("lightning")
    trainer = trainings.lightning_trainer(small)
    trainer.fit(trainings.lightning_module(small), trainings.loader_of(small))
    trainer.save_checkpoint(tmp_path / "checkpoint")
    recorder = LightningRecorder(small.X, small.y)
    longer = trainings.lightning_trainer(small, recorder)
    longer.fit_loop.max_epochs = 5
    longer.fit(
        trainings.lightning_module(small), trainings.loader_of(small), ckpt_path=tmp_path / "checkpoint"
    )
    assert recorder.dynamics().epochs.tolist() == [3, 4, 5]
