"""One thread for every test: small networks gain nothing from two, and lose much where cores are shared."""

import gc
import os
import re

# Heard when torch is imported: here it is not, for the process that only hands out the tests never needs it.
os.environ["OMP_NUM_THREADS"] = os.environ["MKL_NUM_THREADS"] = "1"

import pytest

# Run by itself, far from the source (make package).
collect_ignore = ["tests/packaging/installed.py"]


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Thousands of tests are not looked through for garbage again and again, nor what they make after a few objects."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()
        gc.freeze()
        gc.set_threshold(10_000)


def pytest_make_parametrize_id(val):
    """Name a parameter without its address in memory, so that every process collects the same tests."""
    text = repr(val)
    return re.sub(r" at 0x[0-9a-f]+", "", text) if " at 0x" in text else None
