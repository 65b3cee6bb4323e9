"""A process that saves is killed at random moments: the file is always whole, and nothing is left that stays."""

import os
import random
import signal
import time

import numpy as np
import pytest

from sklearn_nndyn.dynamics import Dynamics, load_dynamics

SIZES = (100_000, 400_000)


def save_for_ever(path, pipe):
    """Two records in turn; a byte into the pipe after each."""
    records = [
        Dynamics(y=np.zeros(n, int), classes=[0], epochs=[0], scores=np.full((n, 1, 1), n, np.float64))
        for n in SIZES
    ]
    while True:
        for record in records:
            record.save(path)
            os.write(pipe, b".")


def kill_while_it_saves(path, wait):
    """Let a copy of this process save, and kill it in so many seconds after its first."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            save_for_ever(path, writer)
        finally:
            os._exit(1)
    assert os.read(reader, 1)
    time.sleep(wait)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(reader)
    os.close(writer)


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
