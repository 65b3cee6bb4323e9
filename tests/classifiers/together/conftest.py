"""Watching which estimators share a program."""

import pytest

from sklearn_nndyn.classifiers.together import _programs


@pytest.fixture
def programs(monkeypatch):
    """The numbers of estimators in each program that was trained, in order."""
    sizes, run = [], _programs._run

    def watched(program, progress):
        sizes.append(len(program))
        return run(program, progress)

    monkeypatch.setattr(_programs, "_run", watched)
    return sizes
