"""Which accelerator there is, and what a device can do."""

import pytest
import torch

from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.utils.networks import devices
from sklearn_nndyn.utils.networks.devices import (
    copies_pinned,
    find_accelerator,
    free_memory,
    has_float64,
    sum_dtype,
)
from tests.problems import PROBLEMS


def make_available(monkeypatch, kinds):
    for kind in ("cuda", "mps", "xpu"):
        monkeypatch.setattr(getattr(torch, kind), "is_available", lambda kind=kind: kind in kinds)


@pytest.mark.parametrize(
    ("kinds", "chosen"),
    [("cuda mps xpu", "cuda"), ("mps xpu", "mps"), ("xpu", "xpu"), ("mps", "mps")],
    ids=["all", "no-cuda", "xpu", "mps"],
)
def test_the_first_accelerator_that_is_there_is_chosen(kinds, chosen, monkeypatch):
    make_available(monkeypatch, kinds.split())
    assert find_accelerator() == torch.device(chosen)


def test_auto_is_the_cpu_where_there_is_no_accelerator(monkeypatch):
    make_available(monkeypatch, ())
    assert find_accelerator() is None
    X, y = PROBLEMS[0].data()
    assert PROBLEMS[0].classifier(device="auto", max_epochs=1).fit(X, y).net_.device == "cpu"


@pytest.mark.parametrize("chosen", ["mps", "xpu"])
def test_auto_trains_on_the_accelerator_that_is_there(chosen, monkeypatch):
    """torch says that it was built without it: the device was asked for."""
    make_available(monkeypatch, [chosen])
    X, y = PROBLEMS[0].data()
    with pytest.raises(
        (RuntimeError, AssertionError, NotImplementedError), match=chosen.upper() + "|" + chosen
    ):
        PROBLEMS[0].classifier(device="auto", max_epochs=1).fit(X, y)


def test_the_cpu_adds_up_in_double_precision():
    assert has_float64(torch.device("cpu"))
    assert sum_dtype(torch.device("cpu")) is torch.float64


def test_a_device_is_asked_whether_it_has_float64(monkeypatch):
    """Apple's GPU says a TypeError, some of Intel's a RuntimeError as they compute."""
    for error in (TypeError, RuntimeError):
        devices._computes_in.cache_clear()
        with monkeypatch.context() as patch:
            patch.setattr(torch, "ones", lambda *args, error=error, **kwargs: (_ for _ in ()).throw(error()))
            assert sum_dtype(torch.device("meta")) is torch.float32
    devices._computes_in.cache_clear()


def test_float64_is_refused_where_the_device_has_none(monkeypatch):
    monkeypatch.setattr("sklearn_nndyn.classifiers._parameters.has_float64", lambda device: False)
    X, y = PROBLEMS[0].data()
    with pytest.raises(
        ValueError, match=r"dtype=\"float64\" .* device='cpu', which has no .*set dtype=\"float32\""
    ):
        DynamicsClassifier(dtype="float64").fit(X, y)
    DynamicsClassifier(dtype="float32", max_epochs=1).fit(X, y)


def test_free_memory_is_what_torch_tells(monkeypatch):
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (7, 10))
    monkeypatch.setattr(torch.mps, "recommended_max_memory", lambda: 10)
    monkeypatch.setattr(torch.mps, "current_allocated_memory", lambda: 4)
    assert free_memory(torch.device("cuda", 1)) == 7
    assert free_memory(torch.device("mps")) == 6


def test_cuda_alone_copies_from_pinned_memory_by_itself():
    assert [kind for kind in ("cpu", "cuda", "mps", "xpu") if copies_pinned(torch.device(kind))] == ["cuda"]
