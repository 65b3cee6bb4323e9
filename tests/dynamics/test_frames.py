"""Tables say what the arrays say."""

import json
import sys

import numpy as np
import pytest

from sklearn_nndyn.dynamics import Dynamics


@pytest.mark.parametrize("shape", [(7, 4), (1, 4), (7, 1)])
def test_every_row_of_the_frame_is_a_sample_at_an_epoch(make_record, shape):
    record = make_record(*shape, epochs=2 * np.arange(shape[1]))
    frame = record.to_frame()
    assert frame.columns.tolist() == [
        "sample",
        "epoch",
        "y",
        "loss",
        "margin",
        "probability",
        "prediction",
        "correct",
    ]
    assert len(frame) == shape[0] * shape[1]
    rows = frame.itertuples(index=False)
    for i in range(shape[0]):
        for t in range(shape[1]):
            row = next(rows)
            assert (row.sample, row.epoch, row.y) == (i, 2 * t, record.y[i])
            assert (row.loss, row.margin) == (record.loss[i, t], record.margin[i, t])
            assert row.probability == record.probability[i, t]
            assert row.prediction == record.classes[record.prediction[i, t]]
            assert row.correct == (row.prediction == row.y)


def test_the_frame_has_the_columns_that_were_recorded(make_record):
    bare = make_record(margin=None, prediction=None, probability=None)
    assert bare.to_frame().columns.tolist() == ["sample", "epoch", "y", "loss"]
    assert Dynamics(y=[0], classes=[0], epochs=[0]).to_frame().to_dict("list") == {
        "sample": [0],
        "epoch": [0],
        "y": [0],
    }


def test_the_frame_keeps_the_types(make_record):
    types = make_record(classes=np.array([-1, 1], np.int8)).to_frame().dtypes
    assert types[["y", "prediction"]].tolist() == [np.int8] * 2
    assert types[["loss", "margin"]].tolist() == [np.float32] * 2
    assert types["correct"] == np.bool_


def test_the_dataset_names_every_axis(record):
    data = record.to_xarray()
    for name in ("loss", "margin", "prediction", "probability", "correct"):
        assert data[name].dims == ("sample", "epoch")
        np.testing.assert_array_equal(data[name], getattr(record, name), err_msg=name)
    assert data["scores"].dims == ("sample", "epoch", "class")
    np.testing.assert_array_equal(data["scores"], record.scores)
    assert data["centroids_a.0"].dims == ("epoch", "class", "width_a.0")
    assert data["reconstruction_z"].dims == ("sample", "epoch")
    for name in ("centroids", "reconstruction", "probe_accuracy", "weight_norms"):
        for layer, array in getattr(record, name).items():
            stored = data[f"{name}_{layer}".replace("/", ":")]
            np.testing.assert_array_equal(stored, array, err_msg=name)
    np.testing.assert_array_equal(data["y"], record.y)
    assert len(data) == 14


def test_the_dataset_is_asked_by_epoch_and_class(make_record):
    record = make_record(epochs=[0, 1, 2, 8])
    data = record.to_xarray()
    np.testing.assert_array_equal(data["loss"].sel(epoch=8), record.loss[:, 3])
    assert data.coords["sample"].to_numpy().tolist() == list(range(7))
    np.testing.assert_array_equal(data["scores"].sel({"class": "bee"}), record.scores[:, :, 1])
    assert data.attrs == {
        "loss": "log",
        "loss_facts": '{"link": "softmax"}',
        "parameters": '{"lr": 0.1, "hidden": [20, 20]}',
        "seed": "null",
    }


def test_the_dataset_cannot_write_into_the_record(record):
    data = record.to_xarray()
    before = record.loss.copy()
    with pytest.raises(ValueError, match=r"read-only|destination is a view"):
        data["loss"][0, 0] = 1.0
    np.testing.assert_array_equal(record.loss, before)
    data.attrs["loss"] = "l1"
    assert record.header["loss"] == "log"


HEADERS = {
    "of a fit": {"loss": "log", "seed": 2**32 - 1, "parameters": {"lr": 0.1, "hidden": [20]}, "on": True},
    "none": {"seed": None, "empty": "", "nothing": [], "nan": float("nan")},
    "names that netCDF lacks": {1: "a", "a/b": 2, "": 3, " ": 4, "header": {"a": 1}, "_NCProperties": 5},
    "unusual text": {"é": "é", "name": "a\x00b", "猫": "🐈", "lone": "\ud800", "lines": "a\nb"},
    "large": {"seed": 2**200, "negative": -(2**31), "tiny": 5e-324},
}
LABELS = {
    "str": ["ant", "bee", "cow"],
    "object": np.array(["ant", "é", "猫"], dtype=object),
    "int": [3, 5, 9],
    "bool": [False, True],
    "float": [0.5, 1.5],
    "one": ["only"],
}


def written_and_read(record, path):
    xarray = pytest.importorskip("xarray")
    record.to_xarray().to_netcdf(path, engine="scipy")
    with xarray.open_dataset(path, engine="scipy") as data:
        return data.load()


@pytest.mark.parametrize("header", HEADERS)
def test_every_header_goes_to_netcdf(make_record, tmp_path, header):
    given = make_record(header=HEADERS[header]).to_xarray()
    back = written_and_read(make_record(header=HEADERS[header]), tmp_path / "run.nc")
    for name, value in given.attrs.items():
        np.testing.assert_equal(back.attrs[name], value)
    assert set(back.attrs) == set(given.attrs)


@pytest.mark.parametrize("labels", LABELS)
def test_every_field_goes_to_netcdf_and_back(make_record, tmp_path, labels):
    record = make_record(classes=np.sort(LABELS[labels]), epochs=[0, 0.5, 1, 2], iterations=[0, 3, 6, 12])
    given, back = record.to_xarray(), written_and_read(record, tmp_path / "run.nc")
    assert {"weight_norms_out:put", "scores", "centroids_a.0"} <= set(back)
    assert set(back.variables) == set(given.variables)
    for name, values in given.variables.items():
        np.testing.assert_array_equal(back[name], values, err_msg=name)


def test_attributes_that_are_no_text_can_be_read_as_json(make_record):
    header = {"parameters": {"lr": 0.5, "sizes": [1, 2]}, "a/b": 3, "seed": 7, "rate": 0.5, "name": "[1]"}
    attrs = make_record(header=header).to_xarray().attrs
    assert json.loads(attrs["parameters"]) == header["parameters"]
    assert json.loads(attrs["header"]) == {"a/b": 3}
    assert (attrs["seed"], attrs["rate"], attrs["name"]) == (7, 0.5, "[1]")


def test_the_dataset_of_labels_alone():
    data = Dynamics(y=[0], classes=[0], epochs=[0]).to_xarray()
    assert list(data.data_vars) == ["y"]


@pytest.mark.parametrize(("method", "package"), [("to_frame", "pandas"), ("to_xarray", "xarray")])
def test_a_missing_package_is_named_with_its_extra(record, monkeypatch, method, package):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        ImportError, match=rf'{method} needs {package}: pip install "sklearn-nndyn\[frames\]"'
    ):
        getattr(record, method)()
