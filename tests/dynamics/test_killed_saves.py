"""A process that saves is killed at random moments: the file is always whole, and nothing is left that stays."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest

from sklearn_nndyn.dynamics import Dynamics, load_dynamics

SAVING = """
import sys, numpy as np
from sklearn_nndyn.dynamics import Dynamics
records = [Dynamics(y=np.zeros(n, int), classes=[0], epochs=[0], scores=np.full((n, 1, 1), n, np.float64)) for n in %s]
while True:
    for record in records:
        record.save(sys.argv[1])
        print("saved", flush=True)
"""
SIZES = (100_000, 400_000)


def kill_while_it_saves(path, wait):
    with subprocess.Popen(
        [sys.executable, "-c", SAVING % (SIZES,), str(path)], stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)


def check(folder, n_kills):
    path = folder / "record"
    for wait in random.Random(0).choices([t / 1000 for t in range(50)], k=n_kills):
        kill_while_it_saves(path, wait)
        record = load_dynamics(path)
        assert len(record) in SIZES
        assert (record.scores == len(record)).all()
        assert len(list(folder.iterdir())) <= 2, "the file, and what the last one killed has left"
    Dynamics(y=[0], classes=[0], epochs=[0]).save(path)
    assert [one.name for one in folder.iterdir()] == ["record"]


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_killed_save_leaves_a_whole_file(tmp_path):
    check(tmp_path, 2)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_a_hundred_killed_saves_leave_a_whole_file(tmp_path):
    check(tmp_path, 100)
