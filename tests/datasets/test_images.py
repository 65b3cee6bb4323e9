"""Image sets on disk: where they are looked for, and that they are what they are called."""

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from sklearn_nndyn.datasets import _image_sets, _images, load_images
from tests.datasets.small_images import (
    ARRAYS,
    DIGEST,
    FILES,
    OPENML,
    assert_same,
    on_disk,
    real,
    slow_digest,
    small_set,
)

SHAPES = {
    "mnist": ((60000, 28, 28), (10000, 28, 28)),
    "fashion_mnist": ((60000, 28, 28), (10000, 28, 28)),
    "cifar10": ((10000, 3, 32, 32), (2000, 3, 32, 32)),
}


@on_disk(SHAPES)
def test_the_sets_on_disk_are_those_that_are_known(name, openml):
    images = real(name)
    for part, shape in zip(("train", "test"), SHAPES[name], strict=True):
        X, y = images[f"X_{part}"], images[f"y_{part}"]
        assert X.shape == shape
        assert X.dtype == y.dtype == np.uint8
        assert (X.min(), X.max()) == (0, 255)
        counts = np.bincount(y)
        assert len(counts) == 10
        assert name == "mnist" or (counts == len(y) / 10).all()
    assert slow_digest(images) == _image_sets.IMAGE_SETS[name].sha256
    assert not openml.asked


def test_the_checksum_covers_names_dtypes_shapes_and_every_value():
    arrays = small_set()
    digest = _image_sets.digest(arrays)
    assert digest == slow_digest(arrays)
    assert re.fullmatch(DIGEST, digest)
    assert _image_sets.digest({name: np.asfortranarray(values) for name, values in arrays.items()}) == digest
    assert _image_sets.digest({**arrays, "class_names": np.arange(3)}) == digest
    others = [
        {**arrays, "X_test": arrays["X_test"].reshape(8, 784)},
        {**arrays, "y_test": arrays["y_test"].view("i1")},
    ]
    others += [{**arrays, "X_test": arrays["X_train"], "X_train": arrays["X_test"]}]
    for name in ARRAYS:
        changed = arrays[name].copy()
        changed.flat[-1] ^= 1
        others.append({**arrays, name: changed})
    digests = {_image_sets.digest(other) for other in others}
    assert len(digests | {digest}) == len(others) + 1


def test_a_file_in_the_folder_is_read_and_the_network_left_alone(small, folder, openml):
    np.savez(folder / "mnist.npz", **small, notes=np.arange(3))
    for download in (False, True):
        assert_same(load_images("mnist", download_if_missing=download), small)
    assert not openml.asked


def test_without_the_variable_the_folder_beside_the_project_is_looked_in(monkeypatch):
    beside = Path(_images.__file__).parents[3] / "shared" / "data"
    for named in ("", None):
        if named is None:
            monkeypatch.delenv("SKLEARN_NNDYN_DATA", raising=False)
        else:
            monkeypatch.setenv("SKLEARN_NNDYN_DATA", named)
        assert _images._folders() == [beside]


def test_unknown_names_are_refused_with_those_that_are_known():
    message = "Unknown images 'emnist'; known are mnist, fashion_mnist, cifar10."
    with pytest.raises(ValueError, match=f"^{message}$"):
        load_images("emnist", download_if_missing=True)


@pytest.mark.parametrize("name", OPENML)
def test_nothing_is_fetched_unasked(folder, openml, name):
    message = (
        f"{FILES[name]} was looked for in {folder}. Set SKLEARN_NNDYN_DATA to the folder that holds it, or fetch it "
        f"from OpenML: load_images('{name}', download_if_missing=True)."
    )
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        load_images(name)
    assert not openml.asked


@pytest.mark.parametrize("download", [False, True])
def test_the_subset_of_cifar_is_not_to_be_fetched_and_the_message_says_why(folder, openml, download):
    message = (
        f"cifar10_subset.npz was looked for in {folder}. It cannot be rebuilt from OpenML: it is a random subset, and "
        "which images were drawn for it was not kept. Set SKLEARN_NNDYN_DATA to the folder that holds it."
    )
    with pytest.raises(FileNotFoundError, match=f"^{re.escape(message)}$"):
        load_images("cifar10", download_if_missing=download)
    assert not openml.asked


def test_a_file_with_other_values_is_refused_by_its_name(small, folder):
    changed = small["X_train"].copy()
    changed[3, 14, 14] ^= 1
    np.savez(folder / "mnist.npz", **{**small, "X_train": changed})
    expected = slow_digest(small)
    message = (
        f"{re.escape(str(folder / 'mnist.npz'))} does not hold the images 'mnist': the sha256 of its arrays is "
        f"{DIGEST}, not {expected}."
    )
    with pytest.raises(ValueError, match=f"^{message}$"):
        load_images("mnist")


def damaged(small):
    """{what is wrong: the bytes of the file}."""
    whole, bare, incomplete = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.savez_compressed(whole, **small)
    np.save(bare, small["X_train"])
    np.savez(incomplete, **{name: small[name] for name in ARRAYS[:3]})
    inside = bytearray(whole.getvalue())
    with zipfile.ZipFile(whole) as archive:
        start = archive.getinfo("X_train.npy").header_offset + 200
    inside[start : start + 50] = bytes(50)
    return {
        "empty": b"",
        "text": b"<html>not found</html>",
        "cut": whole.getvalue()[:2000],
        "damaged inside": bytes(inside),
        "one array": bare.getvalue(),
        "an array is missing": incomplete.getvalue(),
    }


@pytest.mark.parametrize("kind", damaged(small_set()))
def test_a_file_that_is_no_archive_of_the_arrays_is_refused_by_its_name(small, folder, kind):
    path = folder / "mnist.npz"
    path.write_bytes(damaged(small)[kind])
    message = rf"^{re.escape(str(path))} cannot be read as the images 'mnist': \w+: .+"
    with pytest.raises(ValueError, match=message):
        load_images("mnist")


def test_a_file_that_may_not_be_read_says_so(folder, monkeypatch):
    (folder / "mnist.npz").write_bytes(b"")

    def no(*args, **parameters):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", no)
    with pytest.raises(PermissionError, match="Permission denied"):
        load_images("mnist", download_if_missing=True)
