"""Killed at every step of writing, and at random moments by a signal that nothing can catch."""

import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
import time

import pytest

from sklearn_nndyn import Checkpoint
from sklearn_nndyn.training.checkpoint import _files, _place
from sklearn_nndyn.utils import files
from tests.classifiers.checkpoint.comparing import assert_same_fit, in_a_child
from tests.classifiers.checkpoint.setups import SETUPS, checkpoint, data_of
from tests.problems import PROBLEMS

pytestmark = pytest.mark.skipif(os.name != "posix", reason="forks, and signals of POSIX")
DEAD = 9


class Steps:
    """Counts the calls by which something reaches the disk, and ends the process at one of them."""

    def __init__(self, last, how):
        self.left, self.how = last, how

    def watch(self, owner, name):
        original = getattr(owner, name)

        def step(*args, **kwargs):
            self.left -= 1
            if self.left == 0:
                if self.how == "torn" and name == "fsync":
                    tear(args[0])
                try:
                    if self.how == "after":
                        original(*args, **kwargs)
                finally:
                    os._exit(DEAD)
            return original(*args, **kwargs)

        setattr(owner, name, step)


def tear(descriptor):
    """As where the end of what was written had not reached the disk."""
    found = os.fstat(descriptor)
    if stat.S_ISREG(found.st_mode):
        os.truncate(descriptor, max(0, found.st_size - 10))


def die_at(step, how, work):
    """Whether the process died at this step; it did not if there were fewer."""

    def child():
        steps = Steps(step, how)
        for owner, name in (
            (os, "fsync"),
            (os, "replace"),
            (os, "mkdir"),
            (tempfile, "mkdtemp"),
            (files.shutil, "rmtree"),
            (_files, "save_file"),
            (_place, "write_state"),
        ):
            steps.watch(owner, name)
        work()

    status = in_a_child(child)
    assert status in (0, DEAD)
    return status == DEAD


SLOW = [pytest.param(how, marks=pytest.mark.slow) for how in ("before", "after")]


@pytest.mark.parametrize("how", ["torn", *SLOW])
def test_killed_at_every_step_of_writing(how, tmp_path):
    """Each time a fit of its own, from the first step of its place to the last of its end."""
    X, y = PROBLEMS[0].data()
    settings = {"max_epochs": 2, "record": ("samples",), "snapshots": False}
    whole = PROBLEMS[0].classifier(**settings).fit(X, y)
    step, died = 0, True
    while died:
        step += 1
        folder = tmp_path / str(step)
        clf = PROBLEMS[0].classifier(**settings, checkpoint=checkpoint(folder))
        died = die_at(step, how, lambda clf=clf: clf.fit(X, y))
        assert_same_fit(clf.fit(X, y), whole, X)
        (place,) = Checkpoint(folder).places()
        assert place.finished
        assert {file.name for file in (folder / place.name).iterdir()} == {
            "description.json",
            "journal",
            "lock",
            "state-0.safetensors",
            "state-1.safetensors",
        }
    assert step > 20


def kill_while_it_fits(name, folder, wait):
    """Whether it was still at work."""
    command = [sys.executable, "-m", "tests.classifiers.checkpoint.setups", name, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "begins\n"
        time.sleep(wait)
        process.send_signal(signal.SIGKILL)
        return process.stdout.readline() != "ends\n"


def kill_a_child(name, folder, wait):
    """The same for a copy of this process, which need not import anything first."""
    number = os.fork()
    if number == 0:
        SETUPS[name](folder)
        os._exit(0)
    time.sleep(wait)
    os.kill(number, signal.SIGKILL)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]) != 0


def check(name, folder, n_kills, kill):
    """Kill it so often, each time in a place of its own, and go on in this process; how many were at work."""
    whole, begun = SETUPS[name](None), time.perf_counter()
    SETUPS[name](folder / "whole")
    took, at_work, moments = time.perf_counter() - begun, 0, random.Random(name)
    for i in range(n_kills):
        at_work += kill(name, folder / str(i), moments.uniform(0, 1.2 * took))
        for clf, expected in zip(SETUPS[name](folder / str(i)), whole, strict=True):
            assert_same_fit(clf, expected, data_of(name))
    return at_work


@pytest.mark.slow
@pytest.mark.parametrize("name", ["convolution", "ten"])
def test_kill_9(name, tmp_path):
    check(name, tmp_path, 1, kill_while_it_fits)


def test_kill_9_of_a_copy_of_this_process(tmp_path):
    check("ten", tmp_path, 1, kill_a_child)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETUPS)
def test_kill_9_two_hundred_times(name, tmp_path):
    """25 times for each of eight set-ups; many of them before the end."""
    at_work = check(name, tmp_path, 25, kill_a_child)
    print(f"{name}: 25 of 25 equal, {at_work} were at work")
    assert at_work > 8
