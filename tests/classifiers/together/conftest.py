"""Watching which estimators share a program."""

import pytest

from sklearn_nndyn.classifiers import _together


@pytest.fixture
def programs(monkeypatch):
    """The numbers of estimators in each program that was trained, in order."""
    sizes, run = [], _together._run

    def watched(program, progress):
        sizes.append(len(program))
        return run(program, progress)

    monkeypatch.setattr(_together, "_run", watched)
    return sizes
