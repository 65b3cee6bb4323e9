"""The recorder sees what the network does in evaluation mode, in little memory, and changes nothing."""

import numpy as np
import pytest
import torch

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
    recorder.look(module, epoch=7)
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
    recorder_of(X, y).look(module, 0)
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
    whole.look(module, 0)
    monkeypatch.setattr(_recorder, "rows_per_chunk", lambda shape: 8)
    parts.look(module, 0)
    for name, values in seen(whole).items():
        np.testing.assert_allclose(seen(parts)[name], values, rtol=1e-4, atol=1e-5, err_msg=name)
    np.testing.assert_allclose(score_in_chunks(module, X), whole.rows["scores"][0], rtol=1e-4, atol=1e-5)


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
        recorder.look(module, epoch)
    assert sum(array.nbytes for array in recorder.rows.values()) <= most * 50 * 20
    assert (seen(recorder)["prediction"] == n_classes - 1).all()
    record = recorder.dynamics(y.numpy(), np.arange(n_classes), {})
    for name, array in recorder.rows.items():  # the record is a view of it, not a copy
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
        recorder.look(module, 0)
        assert {name for name, values in seen(recorder).items() if values is not None} == names


@pytest.mark.parametrize("capacity", [0, 1, 3])
def test_more_looks_than_there_was_room_for(capacity):
    module, X, y = problem_data(PROBLEMS[0])
    enough, grown = recorder_of(X, y, capacity=7), recorder_of(X, y, capacity=capacity)
    for epoch in range(7):
        with torch.no_grad():
            next(module.parameters()).mul_(0.8)
        enough.look(module, epoch)
        grown.look(module, epoch)
    for name, values in seen(enough).items():
        np.testing.assert_array_equal(seen(grown)[name], values, err_msg=name)


def test_a_record_made_in_between_stays_as_it_was():
    module, X, y = problem_data(PROBLEMS[0])
    recorder = recorder_of(X, y, capacity=3)
    recorder.look(module, 0)
    early = recorder.dynamics(y.numpy(), np.arange(3), {})
    before = early.loss.copy()
    with torch.no_grad():
        next(module.parameters()).zero_()
    recorder.look(module, 1)
    recorder.look(module, 2)
    np.testing.assert_array_equal(early.loss, before)
    assert early.n_epochs == 1


@pytest.mark.parametrize("shape", [(1,), (64,), (784,), (3, 32, 32), (3, 224, 224)], ids=str)
def test_chunks_are_neither_tiny_nor_large(shape):
    rows = rows_per_chunk(shape)
    assert 256 <= rows <= 4096
    assert rows == 256 or rows * np.prod(shape) * 4 <= 16 * 2**20
