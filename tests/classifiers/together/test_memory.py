"""A program takes no more memory than it may, measured from outside."""

import gc
import json
import subprocess
import sys
import weakref

import pytest

from sklearn_nndyn import fit_together
from sklearn_nndyn.training.stacked import _epoch_loop
from tests.classifiers.together.comparing import small
from tests.problems import Problem

MB = 2**20
LIMIT, SLACK = 64 * MB, 16 * MB  # the slack: what the allocator keeps, and torch's own work space

# Trains 60 networks 784-100-10, and prints by how many bytes the memory of the process rose meanwhile, beyond what
# the fitted estimators keep (the two moments of Adam; their weights were there before).
SCRIPT = """
import json, os, resource, sys
import numpy as np
from sklearn_nndyn import DynamicsClassifier
from sklearn_nndyn.classifiers.together import _programs
from sklearn_nndyn.training.stacked import _grouping
from sklearn_nndyn.modules import MLP

limit = int(sys.argv[1]) or None
_grouping.CACHE_BYTES = 2**40  # all that the limit allows side by side, though it may not pay

def now():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

def prepared(n, rows):
    rng = np.random.default_rng(0)
    X, y = rng.random((rows, 784), dtype=np.float32), rng.integers(0, 10, rows)
    settings = {"batch_size": 200, "max_epochs": 1, "record": (), "snapshots": False}
    shared, fits = {}, []
    for seed in range(n):
        clf = DynamicsClassifier(MLP((100,)), random_state=seed, **settings)
        fits.append(_programs.prepare(clf, X, y, shared=shared))
    return fits

_programs.train(prepared(2, 400))  # what is imported or made at first use
fits = prepared(60, 600)
programs = len(_programs.make_programs(fits, limit))
room = bytearray(max(0, peak() - now()))  # so that each byte more lifts the peak
room[::4096] = bytes([1]) * len(room[::4096])
before = peak()
assert _programs.train(fits, memory_limit=limit) == [None] * 60
moments = 2 * sum(p.numel() * 4 for fit in fits for p in fit.fit.net.module_.parameters())
print(json.dumps({"rose": peak() - before - moments, "programs": programs}))
"""


def measure(limit):
    environment = {
        "OMP_NUM_THREADS": "1",
        "MALLOC_MMAP_THRESHOLD_": "262144",  # what is freed goes back at once
        "MALLOC_TRIM_THRESHOLD_": "262144",
    }
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(limit)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(run.stdout)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_sixty_networks_stay_within_the_limit_and_would_not_without_it():
    bounded, unbounded = measure(LIMIT), measure(0)
    assert unbounded["programs"] == 1
    assert bounded["programs"] > 1
    assert bounded["rose"] <= LIMIT + SLACK
    assert unbounded["rose"] > LIMIT + SLACK


def test_a_program_that_is_over_leaves_no_memory_behind(monkeypatch):
    """Nor does one that a network has left: not even until the next collection of garbage."""
    left, stacked, original = [], [], _epoch_loop.StackedEpochRunner.__init__

    def watched(self, members, *options):
        left.append(sum(ref() is not None for ref in stacked))
        original(self, members, *options)
        stacked.extend(map(weakref.ref, self.stack.parameters.values()))

    monkeypatch.setattr(_epoch_loop.StackedEpochRunner, "__init__", watched)
    X, y = Problem("vectors").data()
    made = [small(early_stopping=True, n_iter_no_change=n, tol=1e3, random_state=n) for n in (1, 2, 3)]
    gc.disable()
    try:
        fit_together(made, X, y)
        left.append(sum(ref() is not None for ref in stacked))
    finally:
        gc.enable()
    assert len(stacked) == 3 * 4
    assert left == [0, 0, 0, 0]
