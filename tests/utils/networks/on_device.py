"""Fits on a device that has no float64 and counts its copies; ``test_counted`` runs this in a process of its own."""

import numpy as np
import pytest
import torch

from sklearn_nndyn import DynamicsClassifier, fit_together
from sklearn_nndyn.modules import MLP
from sklearn_nndyn.recording import Reconstruction, Samples
from sklearn_nndyn.utils.networks.devices import has_float64
from tests.pairwise import some_of
from tests.utils.networks import counted
from tests.utils.networks.counted import NAME, Counted, DeviceModule, OnDevice, copies_of_an_epoch, install

RNG = np.random.default_rng(0)
Y = np.arange(60) % 3
ROWS = RNG.normal(size=(60, 5)).astype("float32") + 0.3 * Y[:, None]
IMAGES = RNG.normal(size=(60, 1, 6, 6)).astype("float32")
WEIGHT = np.linspace(0, 2, 60)


@pytest.fixture(scope="module", autouse=True)
def device():
    install()


def convolution(input_shape, n_classes, dropout=0.0):
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 4, 3, bias=False),  # of a bias before a normalisation the slope is rounding alone
        torch.nn.BatchNorm2d(4),
        torch.nn.ReLU(),
        torch.nn.Dropout(dropout),
        torch.nn.Flatten(),
        torch.nn.Linear(64, n_classes),
    )


def dropping(input_shape, n_classes):
    return convolution(input_shape, n_classes, 0.3)


def add_noise(batch, generator):
    return batch + torch.rand(batch.shape, generator=generator).to(batch.device)


CASES = {
    "default": {},
    "full": {"batch_size": "full"},
    "dropout": {"module": MLP((8, 8), dropout=0.3)},
    "convolution": {"module": convolution, "record": ("samples", "geometry", "gradients", "scores")},
    "ridge": {"record": ("samples", Reconstruction("all"))},
    "stopping": {"early_stopping": True, "validation_fraction": 0.3, "class_weight": "balanced"},
    "refined": {"early_stopping": True, "validation_fraction": 0.3, "monitor": "refined_loss"},
    "sgd": {"optimizer": "sgd", "optimizer_params": {"momentum": 0.9}},
    "loss": {"loss": torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64))},
    "some": {"record": (Samples(indices=range(0, 60, 7)), "geometry"), "snapshots": "trainable"},
    "training": {"record": (Samples(when="training"),), "batch_transform": add_noise},
    "iterations": {"record_iterations": "log"},
}


def fitted(device, n_networks=1, weight=None, **settings):
    X = IMAGES if settings.get("module") in (convolution, dropping) else ROWS
    settings = {"max_epochs": 3, "batch_size": 20, "lr": 0.01, **settings}
    classifiers = [DynamicsClassifier(random_state=i, device=device, **settings) for i in range(n_networks)]
    if n_networks == 1:
        classifiers[0].fit(X, Y, sample_weight=weight)
    else:
        fit_together(classifiers, X, Y, sample_weight=weight)
    return classifiers, X


def arrays_of(record):
    """Everything numeric in a record, by name."""
    found = {}
    for name in record.fields:
        value = getattr(record, name)
        found |= (
            {f"{name} {layer}": v for layer, v in value.items()} if hasattr(value, "items") else {name: value}
        )
    return found


def assert_close(record, expected, tolerance):
    ours, theirs = arrays_of(record), arrays_of(expected)
    assert ours.keys() == theirs.keys()
    for name, values in ours.items():
        np.testing.assert_allclose(values, theirs[name], rtol=tolerance, atol=tolerance, err_msg=name)


def test_the_device_refuses_float64_and_mixtures():
    with Counted():
        assert not has_float64(torch.device(NAME))
        with pytest.raises(TypeError, match="float64"):
            torch.zeros(2, device=NAME).double()
        with pytest.raises(RuntimeError, match="same device"):
            torch.zeros(2, device=NAME) + torch.zeros(2)


@pytest.mark.parametrize(
    ("case", "n_networks"),
    some_of(
        [*((case, 1) for case in CASES), ("default", 3), ("full", 3), ("convolution", 3)],
        [("default", 3), *((case, 1) for case in ("full", "convolution", "ridge", "stopping", "training"))],
    ),
)
def test_results_are_those_of_a_device_with_float64(case, n_networks):
    """On the CPU sums, a small full batch and ridge decoders are computed in double precision."""
    weight = WEIGHT if case == "stopping" else None
    with Counted():
        ours, X = fitted(NAME, n_networks, weight, **CASES[case])
        assert all(isinstance(p, OnDevice) for clf in ours for p in clf.module_.parameters())
        predicted = [clf.predict_proba(X) for clf in ours]
    theirs, _ = fitted("cpu", n_networks, weight, **CASES[case])
    for clf, expected, proba in zip(ours, theirs, predicted, strict=True):
        assert clf.n_iter_ == expected.n_iter_
        assert_close(clf.dynamics_, expected.dynamics_, 1e-5 if case == "ridge" else 1e-6)
        np.testing.assert_allclose(clf.loss_curve_, expected.loss_curve_, rtol=1e-6)
        np.testing.assert_allclose(proba, expected.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize(
    ("module", "n_networks"), some_of([(None, 1), (convolution, 1), (None, 3)], [(convolution, 1)])
)
def test_replay_is_memory(module, n_networks):
    with Counted():
        classifiers, X = fitted(NAME, n_networks, module=module)
        for clf in classifiers:
            assert_close(clf.replay(X, Y), clf.dynamics_, 1e-6)
            assert len(list(clf.staged_predict(X))) == 4


def test_random_numbers_of_the_device_are_the_fits_own():
    """Recorded or not, whatever was drawn before, dropout draws the same; the device's generator is left as it was."""
    with Counted():
        (clf,), _ = fitted(NAME, module=dropping)
        generator = DeviceModule.default_generators[0]
        generator.manual_seed(7)
        before = generator.get_state()
        (again,), _ = fitted(NAME, module=dropping, record=())
        assert torch.equal(generator.get_state(), before)
        pairs = zip(clf.module_.parameters(), again.module_.parameters(), strict=True)
        assert all(torch.equal(one.cpu(), other.cpu()) for one, other in pairs)


@pytest.mark.parametrize(
    ("settings", "n_networks", "copies"),
    [
        ({"record": ("samples",), "snapshots": False}, 1, 2),
        ({"record": ("samples", "geometry", "scores"), "module": MLP((8, 8, 8))}, 1, 4),
        ({"record": ("samples", "geometry"), "snapshots": False}, 3, 4),
        ({"record": (Samples(when="training"),), "snapshots": False}, 1, 2),
    ],
    ids=["samples", "all", "three", "training"],
)
def test_an_epoch_is_copied_at_once_however_many_chunks_and_layers(settings, n_networks, copies, monkeypatch):
    """One copy tells what was recorded, one the weights, one the norms, one the losses and whether all is finite."""

    def fit(max_epochs):
        fitted(NAME, n_networks, max_epochs=max_epochs, **settings)

    for module in ("_recorder", "_stacked"):  # three chunks
        monkeypatch.setattr(f"sklearn_nndyn.recording.{module}.rows_per_chunk", lambda shape: 20)
    assert copies_of_an_epoch(fit)["to host"] == copies


def test_what_is_copied_in_parts_is_the_same(monkeypatch):
    settings = {"record": ("samples", "geometry", "scores", "gradients"), "module": convolution}
    with Counted() as whole:
        (clf,), _ = fitted(NAME, **settings)
    monkeypatch.setattr("sklearn_nndyn.utils.networks.devices.PENDING_BYTES", 400)
    with Counted() as parts:
        (again,), _ = fitted(NAME, **settings)
    assert_close(again.dynamics_, clf.dynamics_, 0)
    assert parts.counts["to host"] > whole.counts["to host"]


def test_weights_in_a_folder_are_copied_at_once(tmp_path):
    def fit(max_epochs):
        fitted(NAME, module=MLP((8, 8, 8)), max_epochs=max_epochs, record=("samples",), snapshots=tmp_path)

    assert copies_of_an_epoch(fit)["to host"] == 3
    with Counted():
        (clf,), X = fitted(NAME, max_epochs=1, snapshots=tmp_path)
        assert_close(clf.replay(X, Y), clf.dynamics_, 1e-6)


@pytest.mark.parametrize("n_networks", [1, 3], ids=["one", "three"])
def test_data_that_are_too_large_stay_on_the_host(n_networks, monkeypatch):
    """The record is the same; rows cross as they are needed."""
    with Counted() as on_device:
        theirs, X = fitted(NAME, n_networks)
        replayed = theirs[0].replay(X, Y)
    monkeypatch.setattr("sklearn_nndyn.utils.rows.arrays.free_memory", lambda device: 2 * X.nbytes - 1)
    with Counted() as on_host:
        ours, _ = fitted(NAME, n_networks)
        assert_close(ours[0].replay(X, Y), replayed, 0)
        assert np.array_equal(ours[0].predict_proba(X), theirs[0].predict_proba(X))
    for clf, expected in zip(ours, theirs, strict=True):
        assert_close(clf.dynamics_, expected.dynamics_, 0)
    assert on_host.counts["to device"] > on_device.counts["to device"]


class TwoInputs(torch.nn.Module):
    """Looks one input up, and takes the other as it is."""

    def __init__(self, n_classes=3):
        super().__init__()
        self.embed, self.last = torch.nn.Embedding(4, 2), torch.nn.Linear(7, n_classes)

    def forward(self, kinds, numbers):
        return self.last(torch.cat([numbers, self.embed(kinds[:, 0])], 1))


def shapes_that_cross(monkeypatch):
    """A list that grows by the shape of each array that is copied to the device."""
    shapes, count = [], counted._count

    def note(func, args, goes, *rest):
        source = args[-1 if func is torch.ops.aten.copy_.default else 0] if func in counted.COPIES else None
        if goes and torch.is_tensor(source) and not isinstance(source, OnDevice):
            shapes.append(tuple(source.shape))
        count(func, args, goes, *rest)

    monkeypatch.setattr(counted, "_count", note)
    return shapes


@pytest.mark.parametrize("n_networks", [1, 3], ids=["one", "three"])
def test_of_a_dict_that_is_too_large_no_array_crosses_whole(n_networks, monkeypatch):
    """Though each of its arrays by itself would have room."""
    X = {"kinds": np.arange(60)[:, None] % 4, "numbers": ROWS.astype("float32")}

    def fitted_and_predicted(device):
        settings = {"module": TwoInputs, "max_epochs": 2, "batch_size": 20, "lr": 0.01, "device": device}
        classifiers = [DynamicsClassifier(random_state=i, **settings) for i in range(n_networks)]
        return [(clf.dynamics_, clf.predict_proba(X)) for clf in fit_together(classifiers, X, Y)]

    expected, crossed = fitted_and_predicted("cpu"), shapes_that_cross(monkeypatch)
    n_bytes = sum(values.nbytes for values in X.values())
    monkeypatch.setattr("sklearn_nndyn.utils.rows.arrays.free_memory", lambda device: 2 * n_bytes - 1)
    for place in (
        "utils.modules.ROWS_OF_IMAGES",
        "utils.rows.arrays.CHUNK_BYTES",
        "training.batches._cutting.CHUNK_BYTES",
    ):
        monkeypatch.setattr(f"sklearn_nndyn.{place}", 20)
    with Counted():
        ours = fitted_and_predicted(NAME)
    assert (20, 5) in crossed
    assert not {(60, 1), (60, 5)} & set(crossed)
    for (record, proba), (expected_record, expected_proba) in zip(ours, expected, strict=True):
        assert_close(record, expected_record, 1e-6)
        np.testing.assert_allclose(proba, expected_proba, atol=1e-6)


def test_rows_of_the_host_are_pinned_where_the_device_copies_them_by_itself(monkeypatch):
    pinned = []
    monkeypatch.setattr("sklearn_nndyn.utils.rows.arrays.free_memory", lambda device: 0)
    monkeypatch.setattr("sklearn_nndyn.utils.rows.arrays.copies_pinned", lambda device: device.type == NAME)
    monkeypatch.setattr(torch.Tensor, "pin_memory", lambda tensor: pinned.append(tensor.shape) or tensor)
    with Counted():
        (clf,), _ = fitted(NAME)
    assert len(pinned) > 3
    assert_close(clf.dynamics_, fitted("cpu")[0][0].dynamics_, 1e-6)


def test_float64_is_refused_in_words():
    with Counted(), pytest.raises(ValueError, match=r"dtype=\"float64\" cannot be had on device='counted'"):
        fitted(NAME, dtype="float64")
