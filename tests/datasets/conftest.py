"""Places to look in, and what is asked of the network."""

from types import SimpleNamespace

import pytest
from sklearn.utils import Bunch

from sklearn_nndyn.datasets import _image_sets, _openml
from tests.datasets.small_images import FILES, OPENML, slow_digest, small_set


@pytest.fixture
def small(monkeypatch):
    """A small set in the place of MNIST and of Fashion-MNIST, known by its checksum."""
    arrays = small_set()
    monkeypatch.setattr(_openml, "N_TRAIN", 12)
    for name, openml in OPENML.items():
        known = _image_sets.ImageSet(FILES[name], slow_digest(arrays), openml)
        monkeypatch.setitem(_image_sets.IMAGE_SETS, name, known)
    return arrays


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder that is looked in."""
    monkeypatch.setenv("SKLEARN_NNDYN_DATA", str(tmp_path))
    return tmp_path


@pytest.fixture
def openml(monkeypatch):
    """A stand-in for fetch_openml: remembers what it was asked, and gives ``answer`` or raises it."""
    stand_in = SimpleNamespace(asked=[], answer=AssertionError("the network was not to be asked"))

    def fetch_openml(*args, **parameters):
        stand_in.asked.append((args, parameters))
        if isinstance(stand_in.answer, BaseException):
            raise stand_in.answer
        return Bunch(data=stand_in.answer[0], target=stand_in.answer[1])

    monkeypatch.setattr(_openml, "fetch_openml", fetch_openml)
    return stand_in
