"""Mutate files, keep those that reach lines no other did, and mutate these further.

What goes wrong (an error that is not documented, too much memory, a hang, damage that is taken for sound) raises, with
the mutant's number; the same seed makes the same mutants.
"""

import sys
import time
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np

import sklearn_nndyn
from tests.dynamics.test_mutants import FACTOR, FLOOR, MOST_SECONDS

ROOT = str(Path(sklearn_nndyn.__file__).parent)
READERS = tuple(
    f"{ROOT}/{part}"
    for part in ("dynamics/", "utils/files", "training/checkpoint/", "classifiers/checkpoint/")
)
MOST_BYTES = 2**16


class Lines:
    """The steps from line to line of ours that were made while it was on."""

    def __init__(self):
        self.steps = set()

    def __enter__(self):
        sys.settrace(self._enter)
        return self

    def __exit__(self, *error):
        sys.settrace(None)

    def _enter(self, frame, event, argument):
        if not frame.f_code.co_filename.startswith(READERS):
            return None
        steps, code, last = self.steps, frame.f_code, [0]

        def step(frame, event, argument):
            steps.add((code, last[0], frame.f_lineno, event == "exception"))
            last[0] = frame.f_lineno
            return step

        return step


class Fuzzer:
    """A target, and the files that are worth mutating.

    Parameters
    ----------
    target : object
        ``seeds``, a list of bytes; ``mutate(content, rng)``, which gives bytes and whether they were forged, so that
        they may be accepted as something else; and ``try_out(content, forged)``, which gives what became of it in a
        word, and raises where that is wrong.
    seed : int
    """

    def __init__(self, target, seed=0):
        self.target, self.rng = target, np.random.default_rng(seed)
        self.outcomes, self.steps, self.greatest = Counter(), set(), 0.0
        self.corpus = [(content, False) for content in target.seeds]
        for content, _ in self.corpus:
            self._new_steps(content, False)

    def run(self, n_mutants=None, seconds=np.inf):
        """Try so many mutants, or for so long."""
        end, number = time.monotonic() + seconds, 0
        while time.monotonic() < end and (n_mutants is None or number < n_mutants):
            number += 1
            content, forged = self._mutant()
            try:
                if self._new_steps(content, forged):
                    self.corpus.append((content, forged))
            except BaseException as error:
                error.add_note(f"mutant {number} of {type(self.target).__name__}: {content[:4000]!r}")
                raise
        return self

    def _mutant(self):
        content, forged = self.corpus[self.rng.integers(len(self.corpus))]
        for _ in range(self.rng.geometric(0.6)):
            try:
                content, also = self.target.mutate(content, self.rng)
                forged |= also
            except Exception:  # a mutant that lacks such a part
                content, forged = self.target.seeds[0], False
            if len(content) > MOST_BYTES:
                content, forged = self.target.seeds[0], False
        return content, forged

    def _new_steps(self, content, forged):
        lines = Lines()
        tracemalloc.start()
        try:
            with lines:
                outcome = self.target.try_out(content, forged)
            taken = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        size = self.target.size(content)
        assert taken < FACTOR * size + FLOOR, f"{size} bytes took {taken}"
        self._check_time(content, forged)
        self.greatest = max(self.greatest, taken / (size + FLOOR / FACTOR))
        self.outcomes[outcome] += 1
        new = lines.steps - self.steps
        self.steps |= new
        return bool(new)

    def _check_time(self, content, forged):
        """Once more, for watching takes most of the time."""
        begun = time.process_time()
        self.target.try_out(content, forged)
        assert time.process_time() - begun < MOST_SECONDS, "it took too long"

    def __str__(self):
        return (
            f"{type(self.target).__name__}: {self.outcomes.total()} files, {dict(self.outcomes)}; {len(self.corpus)} "
            f"kept, {len(self.steps)} steps of ours; memory at most {self.greatest:.0f} times the file"
        )
