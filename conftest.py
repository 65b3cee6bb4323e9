"""One thread for every test: small networks gain nothing from two, and lose much where cores are shared."""

import gc
import os
import re

os.environ["OMP_NUM_THREADS"] = "1"  # also for the processes that tests start

import pytest
import torch

# Run by itself, far from the source (make package).
collect_ignore = ["tests/packaging/installed.py"]

torch.set_num_threads(1)


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Ten thousand tests are not looked through for garbage again and again, neither meanwhile nor afterwards."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()


def pytest_make_parametrize_id(val):
    """Name a parameter without its address in memory, so that every process collects the same tests."""
    text = repr(val)
    return re.sub(r" at 0x[0-9a-f]+", "", text) if " at 0x" in text else None
