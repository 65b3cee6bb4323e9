"""Watching which estimators share a program."""

import pytest

from sklearn_nndyn.classifiers import _prepared


@pytest.fixture
def programs(monkeypatch):
    """The numbers of estimators in each program that was trained, in order."""
    sizes, run = [], _prepared._run

    def watched(program, progress):
        sizes.append(len(program))
        return run(program, progress)

    monkeypatch.setattr(_prepared, "_run", watched)
    return sizes
