"""The recorder sees what the network does in evaluation mode, in little memory, and changes nothing."""

import numpy as np
import pytest
import torch

import sklearn_nndyn
from sklearn_nndyn.losses import get_loss
from sklearn_nndyn.recording import Recorder, _recorder
from sklearn_nndyn.utils.modules import rows_per_chunk, score_in_chunks
from tests import reference
from tests.problems import IDS, PROBLEMS

EVERYTHING = ("samples", "geometry", "scores")


def problem_data(problem):
    """(module, X, y) as tensors, before any training."""
    X, y = problem.data()
    clf = problem.classifier(max_epochs=1).fit(X, y)
    return clf.at_epoch(0).module_, torch.as_tensor(X), torch.as_tensor(np.searchsorted(clf.classes_, y))


def recorder_of(X, y, record=EVERYTHING, loss="log", capacity=1, n_classes=3):
    return Recorder(X, y, get_loss(loss), n_classes=n_classes, record=record, capacity=capacity)


def seen(recorder):
    record = recorder.dynamics(recorder.y.numpy(), np.arange(recorder.n_classes), {})
    layers = {f"centroids {name}": values for name, values in record.centroids.items()}
    norms = {f"norm {name}": values for name, values in record.weight_norms.items()}
    return (
        {name: getattr(record, name) for name in ("loss", "margin", "prediction", "scores")} | layers | norms
    )


@pytest.mark.parametrize("loss", ["log", "l2", "hinge", "tanimoto"])
@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_it_sees_what_the_network_does(problem, loss):
    module, X, y = problem_data(problem)
    recorder = recorder_of(X, y, loss=loss)
    recorder.record(module, epoch=7)
    with torch.no_grad():
        scores = module.eval()(X).numpy()
    found = seen(recorder)
    np.testing.assert_array_equal(found["scores"][:, 0], scores.astype(np.float32))
    np.testing.assert_allclose(found["loss"][:, 0], reference.losses(loss, scores, y), rtol=1e-4, atol=1e-5)
    margins = [reference.margin(o, c) for o, c in zip(scores, y, strict=True)]
    np.testing.assert_allclose(found["margin"][:, 0], margins, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(found["prediction"][:, 0], [reference.prediction(o) for o in scores])
    assert recorder.epochs == [7]
    assert recorder.mean_loss() == pytest.approx(reference.losses(loss, scores, y).mean(), rel=1e-4)
    assert recorder.accuracy() == (found["prediction"][:, 0] == y.numpy()).mean()


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_a_look_changes_nothing(problem):
    module, X, y = problem_data(problem)
    module.train()
    next(module.children()).eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    modes = [part.training for part in module.modules()]
    torch.manual_seed(5)
    np.random.seed(5)
    expected = torch.rand(4), np.random.rand(4)
    torch.manual_seed(5)
    np.random.seed(5)
    recorder_of(X, y).record(module, 0)
    assert torch.equal(torch.rand(4), expected[0])
    np.testing.assert_array_equal(np.random.rand(4), expected[1])
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert [part.training for part in module.modules()] == modes
    assert not any(part._forward_pre_hooks or part._forward_hooks for part in module.modules())
    assert all(p.grad is None and p.requires_grad for p in module.parameters())


@pytest.mark.parametrize("problem", PROBLEMS, ids=IDS)
def test_chunks_add_up(problem, monkeypatch):
    module, X, y = problem_data(problem)
    whole, parts = recorder_of(X, y), recorder_of(X, y)
    whole.record(module, 0)
    monkeypatch.setattr(_recorder, "rows_per_chunk", lambda shape: 8)
    parts.record(module, 0)
    for name, values in seen(whole).items():
        np.testing.assert_allclose(seen(parts)[name], values, rtol=1e-4, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(
        score_in_chunks(module, X), whole.buffers.fields["scores"][0], rtol=1e-4, atol=1e-5
    )


@pytest.mark.parametrize(
    ("n_classes", "most"), [(2, 9), (10, 9), (127, 9), (128, 9), (1000, 10)], ids=lambda value: str(value)
)
@pytest.mark.parametrize(("loss", "of_probability"), [("log", 4), ("hinge", 0)])
def test_a_sample_costs_at_most_fourteen_bytes_an_epoch(n_classes, most, loss, of_probability):
    X, y = torch.zeros(50, 1), torch.arange(50) % n_classes
    most += of_probability
    recorder = recorder_of(X, y, record=("samples",), capacity=20, n_classes=n_classes, loss=loss)
    module = torch.nn.Linear(1, n_classes)
    with torch.no_grad():
        module.bias.zero_()[-1] = 1  # the last class is decided for: its number must fit
    for epoch in range(20):
        recorder.record(module, epoch)
    assert sum(array.nbytes for array in recorder.buffers.fields.values()) <= most * 50 * 20
    assert (seen(recorder)["prediction"] == n_classes - 1).all()
    record = recorder.dynamics(y.numpy(), np.arange(n_classes), {})
    for name, array in recorder.buffers.fields.items():  # the record is a view of it, not a copy
        assert np.shares_memory(getattr(record, name), array)


def test_only_what_is_asked_for_is_kept():
    module, X, y = problem_data(PROBLEMS[0])
    for record, names in {
        ("samples",): {"loss", "margin", "prediction"},
        ("scores",): {"scores"},
        ("geometry",): {"centroids linear1", "norm linear1", "norm output"},
        EVERYTHING: {
            "loss",
            "margin",
            "prediction",
            "scores",
            "centroids linear1",
            "norm linear1",
            "norm output",
        },
    }.items():
        recorder = recorder_of(X, y, record=record)
        recorder.record(module, 0)
        assert {name for name, values in seen(recorder).items() if values is not None} == names


@pytest.mark.parametrize("capacity", [0, 1, 3])
def test_more_looks_than_there_was_room_for(capacity):
    module, X, y = problem_data(PROBLEMS[0])
    enough, grown = recorder_of(X, y, capacity=7), recorder_of(X, y, capacity=capacity)
    for epoch in range(7):
        with torch.no_grad():
            next(module.parameters()).mul_(0.8)
        enough.record(module, epoch)
        grown.record(module, epoch)
    for name, values in seen(enough).items():
        np.testing.assert_array_equal(seen(grown)[name], values, err_msg=name)


def test_a_record_tells_the_versions_that_made_it():
    recorder = Recorder(torch.zeros(2, 4), torch.tensor([0, 1]))
    recorder.record(torch.nn.Linear(4, 2), 0)
    made_by = recorder.dynamics().header["versions"]
    assert made_by["sklearn_nndyn"] == sklearn_nndyn.__version__
    assert made_by["torch"] == torch.__version__
    assert recorder.dynamics(header={"versions": {"own": "1"}}).header["versions"] == {"own": "1"}


def test_a_record_made_in_between_stays_as_it_was():
    module, X, y = problem_data(PROBLEMS[0])
    recorder = recorder_of(X, y, capacity=3)
    recorder.record(module, 0)
    early = recorder.dynamics(y.numpy(), np.arange(3), {})
    before = early.loss.copy()
    with torch.no_grad():
        next(module.parameters()).zero_()
    recorder.record(module, 1)
    recorder.record(module, 2)
    np.testing.assert_array_equal(early.loss, before)
    assert early.n_epochs == 1


@pytest.mark.parametrize("shape", [(1,), (64,), (784,), (3, 32, 32), (3, 224, 224)], ids=str)
def test_chunks_are_neither_tiny_nor_large(shape):
    rows = rows_per_chunk(shape)
    assert 128 <= rows <= 4096
    assert rows == 128 or rows * np.prod(shape) * 4 <= 16 * 2**20


class TestALoopOfOnesOwn:
    """A recorder that is given samples and positions alone."""

    def make(self, n=20, **settings):
        X = torch.randn(n, 4, generator=torch.Generator().manual_seed(0))
        return Recorder(X, torch.arange(n) % 3, **settings), torch.nn.Linear(4, 3)

    def test_needs_nothing_but_samples_networks_and_epochs(self):
        recorder, module = self.make()
        for epoch in range(40):  # more than there is room for at first
            recorder.record(module, epoch)
        record = recorder.dynamics()
        expected = torch.nn.functional.cross_entropy(module(recorder.X), recorder.y, reduction="none")
        np.testing.assert_allclose(record.loss[:, -1], expected.detach(), rtol=1e-5)
        np.testing.assert_array_equal(record.y, recorder.y)
        np.testing.assert_array_equal(record.classes, [0, 1, 2])
        np.testing.assert_array_equal(record.epochs, np.arange(40))
        assert record.header["loss"] == "log"

    def test_takes_arrays(self):
        X, y = np.random.default_rng(0).normal(size=(9, 4)), np.arange(9) % 3
        recorder = Recorder(X, y, "l2", record=("samples", "scores"))
        module = torch.nn.Linear(4, 3, dtype=torch.float64)
        recorder.record(module, 0)
        expected = module(torch.from_numpy(X)).detach()
        np.testing.assert_allclose(recorder.dynamics().scores[:, 0], expected, rtol=1e-6)

    def test_more_outputs_than_labels(self):
        recorder, _ = self.make(record=("samples", "scores"))
        recorder.record(torch.nn.Linear(4, 7), 0)
        assert recorder.dynamics().scores.shape == (20, 1, 7)

    def test_fewer_outputs_than_labels(self):
        recorder, _ = self.make()
        with pytest.raises(ValueError, match=r"a score for each class, .* y up to 2; it gives \(20, 2\)"):
            recorder.record(torch.nn.Linear(4, 2), 0)

    def test_an_epoch_that_does_not_follow(self):
        recorder, module = self.make()
        recorder.record(module, 3)
        with pytest.raises(ValueError, match="epoch must come after 3, the last recorded one, got 3"):
            recorder.record(module, 3)
        assert recorder.dynamics().shape == (20, 1)

    def test_nothing_recorded(self):
        with pytest.raises(ValueError, match=r"Nothing has been recorded yet: call record\(module, epoch\)"):
            self.make()[0].dynamics()

    def test_labels_that_are_no_positions(self):
        X = torch.randn(4, 2)
        for y in (list("abab"), torch.ones(4), torch.ones(4, 1, dtype=torch.long)):
            with pytest.raises(TypeError, match="y must hold class positions"):
                Recorder(X, y)
        with pytest.raises(ValueError, match="X has 4 samples, but y has 3"):
            Recorder(X, torch.arange(3))


@pytest.mark.filterwarnings("ignore:.*torch.jit.*:DeprecationWarning")
class TestAScriptedNetwork:
    """torch runs it without Python: its layers take no hooks."""

    @pytest.fixture(params=["script", "trace"])
    def networks(self, request):
        torch.manual_seed(0)
        plain = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.ReLU(), torch.nn.Linear(5, 3))
        made = (
            torch.jit.script(plain) if request.param == "script" else torch.jit.trace(plain, torch.ones(2, 4))
        )
        return plain, made

    def test_its_samples_are_those_of_the_module_it_was_made_of(self, networks):
        X, y, found = torch.randn(20, 4), torch.arange(20) % 3, []
        for network in networks:
            recorder = Recorder(X, y, record=("samples", "scores"))
            recorder.record(network, 0)
            found.append(recorder.dynamics())
            assert network.training
        np.testing.assert_array_equal(found[0].loss, found[1].loss)
        np.testing.assert_array_equal(found[0].scores, found[1].scores)

    @pytest.mark.parametrize("record", ["geometry", "gradients", "reconstruction"])
    def test_what_needs_layers_is_refused(self, networks, record):
        recorder = Recorder(torch.randn(20, 4), torch.arange(20) % 3, record=("samples", record))
        with pytest.raises(TypeError, match=r"layers of a ScriptModule .* record=\(\"samples\",\)"):
            recorder.record(networks[1], 0)
