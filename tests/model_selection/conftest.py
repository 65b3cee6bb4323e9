"""Watching what a search trains together."""

from dataclasses import dataclass, field

import pytest

from sklearn_nndyn.model_selection.search import _evaluation
from tests.model_selection.searches import CountingScaler


@dataclass
class Programs:
    """Every call of ``prepare`` (its X, and the settings of the classifier) and of ``train`` (how many fits)."""

    X: list = field(default_factory=list)
    settings: list = field(default_factory=list)
    sizes: list = field(default_factory=list)


@pytest.fixture
def programs(monkeypatch):
    seen, prepare, train = Programs(), _evaluation.prepare, _evaluation.train

    def watched_prepare(estimator, X, *args, **kwargs):
        seen.X.append(X)
        seen.settings.append(estimator.get_params(deep=False))
        return prepare(estimator, X, *args, **kwargs)

    def watched_train(fits, **kwargs):
        seen.sizes.append(len(fits))
        return train(fits, **kwargs)

    monkeypatch.setattr(_evaluation, "prepare", watched_prepare)
    monkeypatch.setattr(_evaluation, "train", watched_train)
    return seen


@pytest.fixture
def counted():
    """The fits of CountingScaler."""
    CountingScaler.fits.clear()
    CountingScaler.transforms.clear()
    return CountingScaler.fits
