"""A module that writes into itself in evaluation is as before once it was recorded."""

import pytest
import torch
from torch import nn

from sklearn_nndyn.recording import Recorder
from sklearn_nndyn.utils.networks.copying import ModuleMemory


class Writes(nn.Module):
    """Changes a parameter, a buffer or an attribute when it is called."""

    def __init__(self, what):
        super().__init__()
        self.linear, self.what, self.calls = nn.Linear(4, 3), what, 0
        self.register_buffer("mean", torch.zeros(4))

    def forward(self, x):
        if self.what == "parameter":
            with torch.no_grad():
                self.linear.weight.mul_(0.9)
        if self.what == "buffer":
            self.mean.add_(1)
        if self.what == "new buffer":
            self.mean = self.mean + 1
        if self.what == "attribute":
            self.calls += 1
        return self.linear(x) + self.mean.sum() + self.calls


@pytest.mark.parametrize("what", ["parameter", "buffer", "new buffer", "attribute", "nothing"])
def test_what_a_module_writes_is_undone(what):
    module, X = Writes(what), torch.randn(5, 4)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    tensors = dict(module.named_parameters())
    recorder = Recorder(X, torch.arange(5) % 3, record=("samples", "scores"))
    for epoch in range(3):
        recorder.record(module, epoch)
        assert module.calls == 0
        for name, value in module.state_dict().items():
            assert torch.equal(value, before[name])
    assert all(tensors[name] is value for name, value in module.named_parameters())
    scores = recorder.dynamics().scores
    assert (scores == scores[:, :1]).all()


def test_rows_of_a_table_that_are_cut_late():
    """The first run finds nothing to cut, the second does."""
    module = nn.Sequential(nn.Embedding(5, 4, max_norm=1.0), nn.Linear(4, 3))
    nn.init.constant_(module[0].weight, 0.1)
    recorder = Recorder(torch.arange(5), torch.arange(5) % 3, record=("samples",))
    recorder.record(module, 0)
    nn.init.constant_(module[0].weight, 3.0)
    recorder.record(module, 1)
    assert (module[0].weight == 3.0).all()


def test_it_says_whether_anything_changed():
    module = Writes("buffer")
    memory = ModuleMemory(module)
    assert memory.restore() is False
    module(torch.zeros(1, 4))
    assert memory.restore() is True
    assert (module.mean == 0).all()
