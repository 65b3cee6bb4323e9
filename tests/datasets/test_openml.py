"""Image sets from OpenML: what is asked, what becomes of the answer, and of no answer."""

import re
import socket
import warnings
from urllib.error import URLError

import numpy as np
import pytest
from sklearn.utils import Bunch

from sklearn_nndyn.datasets import _openml, load_images
from tests.datasets.small_images import (
    DIGEST,
    OPENML,
    assert_same,
    on_disk,
    real,
    rows_of,
    served,
    slow_digest,
)


@on_disk(OPENML)
def test_the_rows_of_openml_become_the_arrays_on_disk(name, openml, monkeypatch, tmp_path):
    expected = real(name)
    monkeypatch.setenv("SKLEARN_NNDYN_DATA", str(tmp_path))
    openml.answer = rows_of(expected, pixels="uint8")
    assert_same(load_images(name, download_if_missing=True), expected)
    (asked,) = openml.asked
    assert asked[0] == (OPENML[name],)
    assert asked[1]["version"] == 1


@pytest.mark.parametrize("reader", ["int64", "float64", "uint8", "object"])
@pytest.mark.parametrize("labels", ["object", "int64", "float64", "U1"])
@pytest.mark.parametrize("name", OPENML)
def test_what_is_not_there_is_fetched_where_asked_for(small, folder, openml, name, reader, labels):
    openml.answer = rows_of(small, reader, labels)
    assert_same(load_images(name, download_if_missing=True), small)
    assert [asked[0] for asked in openml.asked] == [(OPENML[name],)]
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("pandas_is_there", [True, False])
def test_scikit_learn_itself_reads_the_rows(small, folder, monkeypatch, pandas_is_there):
    # With pandas 3.1 scikit-learn 1.9 cannot read numbers as categories, which is what the labels are there.
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(folder / "cache"))
    monkeypatch.setattr("sklearn.datasets._openml.urlopen", served(small))
    if not pandas_is_there:
        monkeypatch.setattr(_openml, "find_spec", lambda name: {"pandas": None}[name])
    assert_same(load_images("mnist", download_if_missing=True), small)
    monkeypatch.setattr("sklearn.datasets._openml.urlopen", None)  # from here on from its cache
    assert_same(load_images("mnist", download_if_missing=True), small)


def test_the_reader_is_one_that_is_there(small, folder, openml, monkeypatch):
    openml.answer = rows_of(small)
    load_images("mnist", download_if_missing=True)
    monkeypatch.setattr(_openml, "find_spec", lambda name: {"pandas": None}[name])
    load_images("mnist", download_if_missing=True)
    assert [asked[1]["parser"] for asked in openml.asked] == ["auto", "liac-arff"]
    assert [asked[1]["as_frame"] for asked in openml.asked] == [False, False]


def test_warnings_on_the_way_are_not_the_users(small, folder, openml, monkeypatch):
    def fetch_openml(*args, **parameters):
        warnings.warn("A network error occurred while downloading. Retrying...", stacklevel=2)
        pixels, labels = rows_of(small)
        return Bunch(data=pixels, target=labels)

    monkeypatch.setattr(_openml, "fetch_openml", fetch_openml)
    assert_same(load_images("mnist", download_if_missing=True), small)  # warnings are errors here


@pytest.mark.parametrize(
    "failure",
    [
        URLError(socket.gaierror(-2, "Name or service not known")),
        TimeoutError("timed out"),
        ValueError("md5 checksum of local file does not match"),
        EOFError("Compressed file ended before the end-of-stream marker was reached"),
        ImportError("pandas is too old"),
        KeyError("data_set_description"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_whatever_keeps_it_from_being_fetched_is_told_in_one_error(folder, openml, failure):
    openml.answer = failure
    message = (
        f"mnist.npz was looked for in {folder}, and OpenML's 'mnist_784', version 1, could not be fetched. Set "
        f"SKLEARN_NNDYN_DATA to the folder that holds it. {type(failure).__name__}: {failure}"
    )
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$") as told:
        load_images("mnist", download_if_missing=True)
    assert told.value.__cause__ is failure


def test_an_interrupt_is_let_through(folder, openml):
    openml.answer = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        load_images("mnist", download_if_missing=True)


def test_scikit_learn_itself_without_a_network_ends_in_the_same_error(folder, monkeypatch):
    def nowhere(*args, **parameters):
        raise URLError("no network")

    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(folder / "cache"))
    monkeypatch.setattr("sklearn.datasets._openml.urlopen", nowhere)
    monkeypatch.setattr("sklearn.datasets._openml.time.sleep", lambda seconds: None)
    with pytest.raises(
        FileNotFoundError, match=r"could not be fetched.*URLError: <urlopen error no network>$"
    ):
        load_images("mnist", download_if_missing=True)


@pytest.mark.parametrize("wrong", ["values", "order", "one less", "nan"])
def test_rows_that_are_others_are_refused_by_the_name_of_the_set(small, folder, openml, wrong):
    pixels, labels = rows_of(small, "float64")
    if wrong == "values":
        pixels[5, 100] = (pixels[5, 100] + 1) % 256
    if wrong == "order":
        pixels, labels = pixels[::-1], labels[::-1]
    if wrong == "one less":
        pixels, labels = pixels[:-1], labels[:-1]
    if wrong == "nan":
        pixels[5, np.flatnonzero(pixels[5])[0]] = np.nan
    openml.answer = pixels, labels
    message = (
        "^OpenML's 'mnist_784', version 1, does not hold the images 'mnist': the sha256 of its arrays is "
        f"{DIGEST}, not {slow_digest(small)}.$"
    )
    with pytest.raises(ValueError, match=message):
        load_images("mnist", download_if_missing=True)


def test_rows_that_are_no_images_are_refused(small, folder, openml):
    pixels, labels = rows_of(small)
    message = "^OpenML's 'mnist_784', version 1, cannot be read as the images 'mnist': .+"
    for answer in ((pixels[:, :700], labels), (pixels, np.array(["shirt"] * 20, object)), (object(), labels)):
        openml.answer = answer
        with pytest.raises(ValueError, match=message):
            load_images("mnist", download_if_missing=True)
