"""What the recorders of all frameworks have in common, tried without any framework."""

import pickle
import sys

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

from sklearn_nndyn.recording import Reconstruction, Recorder
from sklearn_nndyn.recording.integrations import (
    AccelerateRecorder,
    KerasRecorder,
    LightningRecorder,
    TransformersRecorder,
)
from sklearn_nndyn.recording.integrations._framework import FrameworkCallback


class OneProcess:
    """As much of an accelerator as a recorder asks for."""

    is_main_process = True

    def unwrap_model(self, model, keep_fp32_wrapper):
        return model.module if isinstance(model, torch.nn.DataParallel) else model


@pytest.fixture
def module():
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(8, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))


def record_of(module, X, y=None, epochs=(0, 1), **parameters):
    recorder = AccelerateRecorder(OneProcess(), X, y, **parameters)
    for epoch in epochs:
        recorder.evaluate(module, epoch)
    return recorder.dynamics()


def same_loss(module, data, record):
    recorder = Recorder(*data)
    recorder.record(module, 0)
    np.testing.assert_allclose(record.loss[:, 0], recorder.dynamics().loss[:, 0], rtol=1e-6)


class Rows(torch.utils.data.Dataset):
    """Rows as transformers has them."""

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.y)

    def __getitem__(self, i):
        return {"input": self.X[i], "labels": int(self.y[i])}


class Named(torch.nn.Sequential):
    """A network whose input has a name."""

    def forward(self, input):
        return super().forward(input)


SOURCES = {
    "arrays": lambda X, y: (X, y),
    "double precision": lambda X, y: (X.astype(float), y),
    "tensors": lambda X, y: (torch.tensor(X), torch.tensor(y)),
    "lists": lambda X, y: (X.tolist(), y.tolist()),
    "by name": lambda X, y: ({"input": X}, y),
    "dataset": lambda X, y: (TensorDataset(torch.tensor(X), torch.tensor(y)),),
    "shuffling loader": lambda X, y: (
        DataLoader(TensorDataset(torch.tensor(X), torch.tensor(y)), 7, shuffle=True, drop_last=True),
    ),
    "dicts": lambda X, y: (Rows(X, y),),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_samples_come_in_many_forms(kind, data, module):
    module = Named(*module) if kind in ("by name", "dicts") else module
    record = record_of(module, *SOURCES[kind](*data))
    same_loss(torch.nn.Sequential(*module), data, record)
    np.testing.assert_array_equal(record.y, data[1])
    assert record.header["recorded_by"] == "AccelerateRecorder"
    assert "torch" in record.header["versions"]


def test_a_dataset_is_read_without_a_random_number(data, module):
    before = torch.get_rng_state()
    record_of(module, *SOURCES["shuffling loader"](*data))
    assert torch.equal(torch.get_rng_state(), before)


def test_wrappers_are_taken_off(data, module):
    same_loss(module, data, record_of(torch.nn.DataParallel(module), *data))


def test_scores_may_be_asked_for_in_another_way(data, module):
    record = record_of(module, *data, call=lambda module, x: -module(x), record=("samples", "scores"))
    with torch.no_grad():
        expected = -module(torch.tensor(data[0])).numpy()
    np.testing.assert_allclose(record.scores[:, 0], expected, rtol=1e-5, atol=1e-6)


def test_not_every_epoch_need_be_recorded(data, module):
    assert record_of(module, *data, epochs=range(6), record_epochs=2).epochs.tolist() == [0, 2, 4]


def test_classes_may_have_names(data, module):
    recorder = AccelerateRecorder(OneProcess(), *data)
    recorder.evaluate(module, 0)
    record = recorder.dynamics(classes=["ant", "bee", "cow"])
    np.testing.assert_array_equal(record.y, np.array(["ant", "bee", "cow"])[data[1]])
    np.testing.assert_array_equal(record.loss, recorder.dynamics().loss)


def test_other_processes_record_nothing(data, module):
    recorder = AccelerateRecorder(OneProcess(), *data)
    recorder.accelerator.is_main_process = False
    recorder.evaluate(module, 0)
    with pytest.raises(
        ValueError, match="Nothing has been recorded: give this recorder to a training, and ask the"
    ):
        recorder.dynamics()


class Endless(IterableDataset):
    """No rows that can be asked for again."""

    def __iter__(self):
        return iter(())


class Changing(Rows):
    """Other labels in every pass."""

    passes = 0

    def __getitem__(self, i):
        self.passes += i == 0
        return {"input": self.X[i], "labels": (int(self.y[i]) + self.passes) % 3}


REFUSED = {
    "stream": (lambda X, y: (Endless(),), TypeError, "Endless, a Dataset without a length"),
    "array alone": (lambda X, y: (3,), TypeError, "must be a Dataset with a length and places, .* got int"),
    "three parts": (
        lambda X, y: (TensorDataset(*[torch.tensor(y)] * 3),),
        TypeError,
        r"gives 3 values, where it must give \(x, y\)",
    ),
    "no labels": (lambda X, y: ([{"input": x} for x in X],), ValueError, "gives 'input', and no \"labels\""),
    "other labels": (
        lambda X, y: (Changing(X, y),),
        ValueError,
        "gives other labels, or rows in another order",
    ),
    "lengths": (
        lambda X, y: ({"input": X, "more": X[:3]}, y),
        ValueError,
        r"one number of samples, got {'input': 50, 'more': 3}",
    ),
    "few labels": (lambda X, y: (X, y[:9]), ValueError, "X has 50 samples, but y has 9"),
    "text": (lambda X, y: (X, y.astype(str)), TypeError, "y must hold class positions"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_what_cannot_be_recorded_is_refused(kind, data, module):
    make, error, message = REFUSED[kind]
    with pytest.raises(error, match=message):
        record_of(Named(*module), *make(*data))


def test_decoders_need_arrays(data, module):
    record = ("samples", Reconstruction())
    rows = TensorDataset(*map(torch.tensor, data))
    assert record_of(module, rows, record=record).reconstruction
    with pytest.raises(
        TypeError, match="Reconstruction needs the samples as arrays, X and y, or a dataset that"
    ):
        record_of(Named(*module), Rows(*data), record=record)


@pytest.mark.parametrize("wrong", [{"record": ("colour",)}, {"record_epochs": "some"}])
def test_parameters_are_checked_at_once(data, wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        AccelerateRecorder(OneProcess(), *data, **wrong)


# ------------------------------------------------------------------------ the framework's own class


class Counter(FrameworkCallback):
    """A callback of a framework that is always there."""

    _base, _extra = ("collections", "UserDict"), "collections"

    def __init__(self, start):
        super().__init__(count=start)


def test_a_callback_is_one_of_ours_and_one_of_the_framework():
    from collections import UserDict

    made = Counter(3)
    assert isinstance(made, Counter)
    assert isinstance(made, UserDict)
    assert made["count"] == 3
    assert type(made) is type(Counter(4))
    assert type(made).__name__ == "Counter"


def test_a_callback_survives_a_pickle():
    again = pickle.loads(pickle.dumps(Counter(3)))
    assert again == {"count": 3}
    assert type(again) is type(Counter(0))


@pytest.mark.parametrize(
    ("kind", "module", "extra"),
    [
        (LightningRecorder, "lightning", "lightning"),
        (TransformersRecorder, "transformers", "transformers"),
        (KerasRecorder, "keras", "keras"),
    ],
    ids=["lightning", "transformers", "keras"],
)
def test_a_framework_that_is_not_installed_is_named_with_its_extra(monkeypatch, data, kind, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    for name in [name for name in sys.modules if name.startswith(f"{module}.")]:
        monkeypatch.setitem(sys.modules, name, None)

    class Mine(kind):
        """A kind of which none was made before."""

    message = rf"Mine needs what is not installed: .*{module}.* pip install \"sklearn-nndyn\[{extra}\]\""
    with pytest.raises(ModuleNotFoundError, match=message):
        Mine(*data)
