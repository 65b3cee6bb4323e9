"""Image sets small enough for a test, what stands in for OpenML, and the real ones where they are."""

import hashlib
import io
import json
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from sklearn_nndyn.datasets import load_images

ARRAYS = ("X_train", "y_train", "X_test", "y_test")
FILES = {"mnist": "mnist.npz", "fashion_mnist": "fashion_mnist.npz", "cifar10": "cifar10_subset.npz"}
OPENML = {"mnist": "mnist_784", "fashion_mnist": "Fashion-MNIST"}
DIGEST = "[0-9a-f]{64}"
FOLDER = Path(os.environ.get("SKLEARN_NNDYN_DATA") or Path(__file__).parents[3] / "shared" / "data")


def on_disk(names):
    """Tests of the real sets, left out where they are not there; in the default run of MNIST alone."""
    return pytest.mark.parametrize(
        "name",
        [
            pytest.param(
                name,
                marks=[
                    pytest.mark.skipif(not (FOLDER / FILES[name]).is_file(), reason=f"no {FILES[name]} here"),
                    *(() if name == "mnist" else [pytest.mark.slow]),
                ],
            )
            for name in names
        ],
    )


@cache
def real(name):
    """A set as it lies on disk, read once."""
    return load_images(name)


def slow_digest(arrays):
    """The checksum once more: all bytes in a row, then hashed."""
    told = b""
    for name in ARRAYS:
        values = arrays[name]
        told += f"{name} {values.dtype.str} {values.shape}\n".encode() + values.tobytes(order="C")
    return hashlib.sha256(told).hexdigest()


def small_set(seed=0):
    """Twelve images for training and eight for testing."""
    rng = np.random.default_rng(seed)
    X = rng.integers(0, 256, (20, 28, 28), dtype=np.uint8)
    y = rng.permutation(np.arange(20, dtype=np.uint8) % 10)
    return {"X_train": X[:12], "y_train": y[:12], "X_test": X[12:], "y_test": y[12:]}


def rows_of(arrays, pixels="int64", labels="object"):
    """The same as a reader of OpenML's format gives it."""
    X = np.concatenate([arrays["X_train"], arrays["X_test"]])
    y = np.concatenate([arrays["y_train"], arrays["y_test"]])
    y = y.astype(str).astype(object) if labels == "object" else y.astype(labels)
    return X.reshape(len(X), -1).astype(pixels), y


class Response(io.BytesIO):
    """What urlopen gives; it has no headers."""

    info = dict


def served(arrays):
    """A stand-in for urlopen: OpenML's answers for a set, as far as scikit-learn asks."""
    pixels, labels = rows_of(arrays)
    names = [f"pixel{i}" for i in range(pixels.shape[1])]
    lines = ["@RELATION images", *(f"@ATTRIBUTE {name} REAL" for name in names)]
    lines += ["@ATTRIBUTE class {0,1,2,3,4,5,6,7,8,9}", "@DATA"]
    lines += [",".join([*map(str, row), label]) for row, label in zip(pixels.tolist(), labels, strict=True)]
    table = "\n".join(lines).encode()
    columns = [(name, "numeric", "false") for name in names] + [("class", "nominal", "true")]
    features = [
        {
            "index": f"{i}",
            "name": name,
            "data_type": kind,
            "is_target": target,
            "is_ignore": "false",
            "is_row_identifier": "false",
            "number_of_missing_values": "0",
        }
        for i, (name, kind, target) in enumerate(columns)
    ]
    description = {"id": "1", "name": "mnist_784", "version": "1", "status": "active", "format": "ARFF"}
    description |= {"description": "", "url": "https://openml.org/download/1/table.arff"}
    description |= {"md5_checksum": hashlib.md5(table).hexdigest()}
    answers = {
        "/data_name/mnist_784/": {"data": {"dataset": [{"did": 1, "version": 1}]}},
        "/features/": {"data_features": {"feature": features}},
        "/qualities/": {
            "data_qualities": {"quality": [{"name": "NumberOfInstances", "value": f"{len(labels)}"}]}
        },
        "/download/": table,
        "/data/1": {"data_set_description": description},
    }

    def urlopen(request, *args, **parameters):
        answer = next(answer for part, answer in answers.items() if part in request.full_url)
        return Response(answer if isinstance(answer, bytes) else json.dumps(answer).encode())

    return urlopen


def assert_same(found, expected):
    assert set(found) == set(ARRAYS)
    for name in ARRAYS:
        assert found[name].dtype == np.uint8
        np.testing.assert_array_equal(found[name], expected[name], err_msg=name)
