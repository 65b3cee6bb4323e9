"""The suite of ``on_device`` is run in a process of its own: torch takes a device from outside once, and for good."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch.utils.backend_registration

SUITE = Path(__file__).with_name("on_device.py")


@pytest.mark.skipif(
    not hasattr(torch.utils.backend_registration, "_setup_privateuseone_for_python_backend"),
    reason="this torch takes no device that is written in Python",
)
@pytest.mark.parametrize("which", ["not slow", pytest.param("slow", marks=pytest.mark.slow)])
def test_on_a_device_without_float64(which):
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-m", which, str(SUITE)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=SUITE.parents[3], check=False)
    assert done.returncode == 0, done.stdout + done.stderr
