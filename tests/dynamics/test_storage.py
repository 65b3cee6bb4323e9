"""A record and its file are the same thing; a file that is anything else is refused in words."""

import json
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from sklearn_nndyn.dynamics import Dynamics, load_dynamics
from sklearn_nndyn.dynamics.files import _safetensors
from sklearn_nndyn.dynamics.files._described import digest
from sklearn_nndyn.dynamics.files._storage import RECORD

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "record.safetensors"


@pytest.fixture
def saved(record, path):
    record.save(path)
    return path


# --------------------------------------------------------------------------------- there and back

LABELS = {
    "int64": np.array([0, 1, 2]),
    "int8, negative, with gaps": np.array([-100, -1, 7], np.int8),
    "uint64, large": np.array([0, 1, 2**64 - 1], np.uint64),
    "big-endian": np.array([1, 2, 300], ">i4"),
    "bool": np.array([False, True]),
    "whole floats": np.array([-1.0, 2.0, 3.0]),
    "float16": np.array([0.0, 1.0, 2.0], np.float16),
    "float32, a third": np.array([1 / 3, 2 / 3], np.float32),
    "str": np.array(["a", "bb", "ccc"]),
    "str beyond ASCII, empty, quoted": np.array(["", '"\\', "é", "猫", "🐈"]),
    "object": np.array(["a", "a longer name", "bb"], dtype=object),
    "one class": np.array(["only"]),
    "many classes": np.arange(128),
}


@pytest.mark.parametrize("kind", LABELS)
@pytest.mark.parametrize("epoch_major", [True, False])
def test_load_gives_what_was_saved(make_record, assert_same, path, kind, epoch_major):
    record = make_record(5, classes=LABELS[kind], epoch_major=epoch_major)
    record.save(path)
    loaded = load_dynamics(path)
    assert_same(loaded, record)
    assert [type(label) for label in loaded.y.tolist()] == [type(label) for label in record.y.tolist()]


def test_labels_may_be_of_another_type_than_the_classes(path, assert_same):
    record = Dynamics(y=np.array(["a"], dtype=object), classes=np.array(["a", "long"]), epochs=[0])
    record.save(path)
    assert_same(load_dynamics(path), record)
    assert load_dynamics(path).y.dtype == object


@pytest.mark.parametrize("shape", [(1, 1), (1, 4), (5, 1), (0, 4)])
def test_small_records_keep_their_axes(make_record, assert_same, path, shape):
    record = make_record(*shape)
    record.save(path)
    assert_same(load_dynamics(path), record)


SELECTIONS = {
    "sample by sample": lambda record: record[[0, 1, 2]],
    "steps": lambda record: record[::2],
    "backwards": lambda record: record[::-1],
    "some epochs": lambda record: record.select_epochs([0, 1, 3]),
    "every other epoch": lambda record: record.select_epochs([1, 3]),
}


@pytest.mark.parametrize("selection", SELECTIONS)
def test_views_are_saved_as_what_they_show(record, assert_same, path, selection):
    selected = SELECTIONS[selection](record)
    selected.save(path)
    assert_same(load_dynamics(path), selected)


@pytest.mark.parametrize("epoch_major", [True, False])
def test_memory_layout_is_kept(make_record, path, epoch_major):
    record = make_record(epoch_major=epoch_major)
    record.save(path)
    loaded = load_dynamics(path)
    assert loaded.loss.strides == record.loss.strides
    assert loaded.scores.strides == record.scores.strides


@pytest.mark.parametrize("epoch_major", [True, False])
def test_saving_copies_no_array(make_record, arrays_of, path, monkeypatch, epoch_major):
    record, handed = make_record(epoch_major=epoch_major), {}
    monkeypatch.setattr(
        _safetensors,
        "save_file",
        lambda tensors, path, metadata: handed.update(tensors) or save_file(tensors, path),
    )
    record.save(path)
    assert len(handed) == len(arrays_of(record)) - 1  # the classes are text
    for name, array in arrays_of(record).items():
        if name not in ("y", "classes"):
            assert np.shares_memory(handed[name.replace("[", "/").rstrip("]")], array), name


def test_big_endian_arrays_come_back_in_the_order_of_the_machine(make_record, path):
    loss = np.arange(28.0).reshape(7, 4).astype(">f4")
    make_record(loss=loss).save(path)
    np.testing.assert_array_equal(load_dynamics(path).loss, loss)


HEADERS = {
    "empty": {},
    "none and booleans": {"a": None, "b": True, "c": [False, None]},
    "nested": {"a": {"b": {"c": (1, (2.5, "x"))}}},
    "not finite": {"a": [float("inf"), -float("inf")], "b": {"c": float("inf")}},
    "keys that are no text": {"class_weight": {0: 1.0, 1: 2.0, None: 3, (1, 2): 5, 2.5: 6}},
    "keys with a dollar": {"$float": "nan", "$items": {"$": 1}},
    "unusual text": {"ключ": "\ud800 \x00 ☃", "": ""},
    "large integers": {"seed": 2**200},
    "exact floats": {"lr": [0.1, 1e-300, 5e-324, -0.0]},
    "NumPy": {"a": np.float32(0.1), "b": np.arange(3)},
    "anything else": {"f": print, "t": np.float32, "s": {1}, "b": b"bytes"},
}


@pytest.mark.parametrize("name", HEADERS)
def test_headers_come_back(make_record, path, name):
    record = make_record(header=HEADERS[name])
    record.save(path)
    loaded = load_dynamics(path).header
    assert loaded == record.header
    assert repr(loaded) == repr(record.header), "types, order and signs too"


def test_nan_in_a_header_comes_back(make_record, path):
    make_record(header={"it": [float("nan"), np.float32("nan")]}).save(path)
    assert all(isinstance(value, float) and value != value for value in load_dynamics(path).header["it"])


def test_the_file_is_strict_json_that_any_program_can_read(make_record, path):
    make_record(header={"it": float("nan")}).save(path)

    def refuse(constant):
        raise AssertionError(constant)

    text = json.loads(header_of(path.read_bytes()), parse_constant=refuse)["__metadata__"]["record"]
    assert json.loads(text, parse_constant=refuse)["header"] == {"it": {"$float": "nan"}}


def test_a_file_of_version_1_can_always_be_read(assert_same):
    """Written once and kept beside this test: files that people have stay readable."""
    expected = Dynamics(
        y=["b", "a", "b"],
        classes=["a", "b"],
        epochs=[0, 2],
        loss=np.array([[0.5, 2], [0.25, 4], [1, 8]], np.float32),
        prediction=np.array([[0, 1], [0, 0], [1, 1]], np.int8),
        centroids={"hidden.0": np.arange(8, dtype=np.float32).reshape(2, 2, 2)},
        header={"loss": "log", "lr": float("inf"), "weights": {0: 1.5}},
    )
    assert_same(load_dynamics(Path(__file__).with_name("version_1.safetensors")), expected)


def test_a_file_of_version_2_can_always_be_read(assert_same):
    """The first with probabilities, and with the facts of the loss."""
    expected = Dynamics(
        y=["b", "a", "b"],
        classes=["a", "b"],
        epochs=[0, 2],
        loss=np.array([[0.5, 2], [0.25, 4], [1, 8]], np.float32),
        probability=np.array([[0.5, 0.125], [0.75, 0], [0.25, 1]], np.float32),
        header={
            "loss": "log",
            "loss_facts": {"lower_bound": 0.0, "unit": "nats", "proper": True, "link": "softmax"},
        },
    )
    loaded = load_dynamics(Path(__file__).with_name("version_2.safetensors"))
    assert_same(loaded, expected)
    assert loaded.loss_facts == ("log", 0.0, "nats", True, "softmax")


@pytest.mark.parametrize("as_path", [str, Path], ids=["str", "Path"])
def test_paths_of_both_kinds(record, assert_same, path, as_path):
    record.save(as_path(path))
    assert_same(load_dynamics(as_path(path)), record)


@pytest.mark.parametrize("nonsense", [3, b"record", None], ids=repr)
def test_other_paths_are_refused(record, nonsense):
    with pytest.raises(
        TypeError, match=rf"A path is a str or an os\.PathLike object, got {type(nonsense).__name__}\."
    ):
        record.save(nonsense)
    with pytest.raises(TypeError, match=r"os\.PathLike"):
        load_dynamics(nonsense)


# -------------------------------------------------------------------------------- damaged files


def header_of(content):
    return content[8 : 8 + struct.unpack("<Q", content[:8])[0]]


def with_header(content, header):
    """The same data behind another header (bytes, or something for JSON)."""
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header)) + header + content[8 + len(header_of(content)) :]


def with_metadata(content, **changes):
    header = json.loads(header_of(content))
    header["__metadata__"] |= changes
    return with_header(content, header)


def without_metadata(content, name):
    header = json.loads(header_of(content))
    del header["__metadata__"][name]
    return with_header(content, header)


def with_entry(content, name, **changes):
    header = json.loads(header_of(content))
    header[name] |= changes
    return with_header(content, header)


def flipped(content, at):
    return content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]


UNREADABLE = r"record\.safetensors cannot be read as safetensors: .*"
AGAIN = r"\. Save the record again, or fetch the whole file\."
OTHER_KIND = r"\. It is a file of another kind, or a pointer to one: give what Dynamics\.save"
DAMAGED = {
    "empty": (lambda c: b"", UNREADABLE + "header too small" + AGAIN),
    "seven bytes": (lambda c: c[:7], UNREADABLE + "header too small"),
    "eight zeros": (lambda c: bytes(8), UNREADABLE + "invalid JSON"),
    "text": (lambda c: b"sample,epoch,loss\n0,0,0.5\n", UNREADABLE + "header too large" + OTHER_KIND),
    "cut header": (lambda c: c[:100], UNREADABLE + "header" + ".*" + AGAIN),
    "header longer than the file": (lambda c: struct.pack("<Q", len(c)) + c[8:], UNREADABLE + "header"),
    "cut data": (lambda c: c[:-5], UNREADABLE + "file not fully covered" + AGAIN),
    "only the header": (lambda c: c[: 8 + len(header_of(c))], UNREADABLE + "not fully covered"),
    "more bytes": (lambda c: c + b"abc", UNREADABLE + "file not fully covered"),
    "not UTF-8": (lambda c: with_header(c, b'{"\xff": 1}'), UNREADABLE + "invalid UTF-8"),
    "not JSON": (lambda c: with_header(c, b"{loss: 1}"), UNREADABLE + "invalid JSON"),
    "very deep": (lambda c: with_header(c, b"[" * 200_000), UNREADABLE + "invalid JSON"),
    "a list": (lambda c: with_header(c, []), UNREADABLE + "invalid JSON"),
    "metadata is a list": (lambda c: with_header(c, {"__metadata__": []}), UNREADABLE + "invalid JSON"),
    "no place": (lambda c: with_header(c, {"loss": {}}), UNREADABLE + "missing field"),
    "no whole place": (lambda c: with_header(c, {"loss": {"data_offsets": ["0", "1"]}}), UNREADABLE),
    "a type that NumPy lacks": (lambda c: with_entry(c, "loss", dtype="F8_E4M3", shape=[112]), UNREADABLE),
    "another type that NumPy lacks": (lambda c: with_entry(c, "loss", dtype="BF16", shape=[56]), UNREADABLE),
    "too many axes": (lambda c: with_entry(c, "loss", shape=[28, *[1] * 80]), UNREADABLE),
    "strange type": (lambda c: with_entry(c, "loss", dtype="F31"), "cannot be read as safetensors"),
    "strange shape": (lambda c: with_entry(c, "loss", shape=[4, 8]), "cannot be read as safetensors"),
    "foreign": (
        lambda c: without_metadata(c, "format"),
        "not of a record: those are written by Dynamics.save",
    ),
    "another format": (
        lambda c: with_metadata(c, format="pt"),
        "not of a record: those are written by Dynamics.save",
    ),
    "no digest": (lambda c: without_metadata(c, "digest"), "not of a record"),
    "newer": (
        lambda c: with_metadata(c, version="3"),
        "format version 3, newer than 2, .* with a newer sklearn_nndyn",
    ),
    "no version": (lambda c: with_metadata(c, version="one"), "the format version 'one', which is no number"),
    "changed data": (lambda c: flipped(c, len(c) - 1), "its digest differs, so it was changed or damaged"),
    "changed first data": (lambda c: flipped(c, 8 + len(header_of(c))), "its digest differs"),
    "changed header": (
        lambda c: with_metadata(
            c, record=json.loads(header_of(c))["__metadata__"]["record"].replace("log", "l1")
        ),
        "its digest differs",
    ),
    "other shape": (lambda c: with_entry(c, "loss", shape=[7, 4]), "its digest differs"),
    "other type": (lambda c: with_entry(c, "loss", dtype="I32"), "its digest differs"),
    "a pickle": (lambda c: pickle.dumps({"loss": 1}), UNREADABLE),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_file_is_refused_in_words(saved, name):
    damage, message = DAMAGED[name]
    content = saved.read_bytes()
    assert damage(content) != content
    saved.write_bytes(damage(content))
    with pytest.raises(ValueError, match=message) as caught:
        load_dynamics(saved)
    assert str(caught.value).startswith(str(saved))


def stored(path):
    """Arrays and metadata of a file of ours."""
    return load_file(path), json.loads(header_of(path.read_bytes()))["__metadata__"]


def test_a_missing_array_is_named(saved):
    tensors, metadata = stored(saved)
    left = {k: v for k, v in tensors.items() if k not in ("margin", "centroids/z")}
    save_file(left, saved, metadata=metadata | {"digest": digest(metadata["record"], left)})
    with pytest.raises(ValueError, match=r"these arrays are missing: margin, centroids/z\."):
        load_dynamics(saved)


def test_an_additional_array_is_noticed(saved):
    tensors, metadata = stored(saved)
    save_file({**tensors, "more": np.zeros(1)}, saved, metadata=metadata)
    with pytest.raises(ValueError, match="its digest differs"):
        load_dynamics(saved)


def test_a_safetensors_file_of_something_else(path):
    save_file({"weight": np.zeros(3)}, path)
    with pytest.raises(ValueError, match="is a safetensors file, but not of a record: those are written by"):
        load_dynamics(path)


FORGED = {
    "no axes": (lambda content: content.pop("axes"), "'axes'"),
    "axes": (
        lambda content: content["axes"].update(loss=[0, 0]),
        r"\[0, 0\] is no order of the 2 axes of loss",
    ),
    "other axes": (
        lambda content: content["axes"].update(loss=[0, 1]),
        r"loss has shape \(4, 7\), expected \(7 samples",
    ),
    "number of axes": (lambda content: content["axes"].update(loss=[0]), "no order of the 2 axes"),
    "field": (lambda content: content["axes"].update({"other": [0]}), "unexpected keyword argument 'other'"),
    "no text": (lambda content: content["axes"].update({"loss": "ab"}), r"\['a', 'b'\] is no order"),
    "label type": (lambda content: content["label_types"].update(y="V8"), r"'V8' is no type of labels"),
    "no type": (lambda content: content["label_types"].update(y="os.system"), "os.system"),
    "too few classes": (lambda content: content.update(classes=["ant"]), "out of bounds"),
    "classes": (lambda content: content.update(classes=["bee", "ant", "cow"]), "classes must be sorted"),
    "header": (lambda content: content.update(header=[1]), "header must be a dictionary"),
    "long label type": (
        lambda content: content["label_types"].update(classes="<U99999999"),
        r"the labels take \d+ bytes of memory, over 64 times the \d+ bytes that are stored",
    ),
    "endless label type": (
        lambda content: content["label_types"].update(y="<U9999999999"),
        "no type of labels",
    ),
    "structure": (lambda content: content["label_types"].update(y="(9999,9999)i8"), "no type of labels"),
    "huge axis": (lambda content: content["axes"].update(loss=[10**30, 0]), "no order of the 2 axes"),
    "items": (lambda content: content.update(header={"$items": 3}), "not iterable"),
    "short labels": (
        lambda content: content["label_types"].update(y="<U2"),
        "its labels are not among its classes, as <U2 does not hold them all",
    ),
}


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("name", FORGED)
def test_a_forged_file_with_a_right_digest_is_still_checked(saved, name, lazy):
    forge, message = FORGED[name]
    tensors, metadata = stored(saved)
    content = json.loads(metadata["record"])
    forge(content)
    text = json.dumps(content)
    tensors |= {"other": np.zeros(1)} if "other" in text else {}
    save_file(tensors, saved, metadata=metadata | {"record": text, "digest": digest(text, tensors)})
    with pytest.raises(
        ValueError, match=f"(?s)does not hold the record that was saved: .*{message}"
    ) as caught:
        load_dynamics(saved, lazy=lazy)
    assert str(caught.value).startswith(str(saved))


@pytest.mark.parametrize("y", [np.full(7, -1, np.int8), np.zeros(7, np.float32), np.full(7, 3, np.int8)])
def test_forged_labels_are_refused(saved, y):
    """Positions that count from the end would be labels all the same."""
    tensors, metadata = stored(saved)
    tensors["y"] = y
    save_file(tensors, saved, metadata=metadata | {"digest": digest(metadata["record"], tensors)})
    with pytest.raises(
        ValueError, match=r"does not hold the record that was saved: .*(positions in the|bounds)"
    ):
        load_dynamics(saved)


@pytest.mark.parametrize("text", ["", "[]", "3", "[" * 200_000], ids=lambda text: text[:2] or "nothing")
def test_a_record_that_is_no_object(path, text):
    metadata = {"format": RECORD.format, "version": "1", "record": text, "digest": digest(text, {})}
    save_file({}, path, metadata=metadata)
    with pytest.raises(ValueError, match="does not hold the record that was saved"):
        load_dynamics(path)


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_nothing_in_a_file_is_run(tmp_path, path):
    """A pickle in place of a record would run what it names when loaded."""
    bomb = pickle.dumps(Bomb(tmp_path / "ran"))
    pickle.loads(bomb)
    assert (tmp_path / "ran").exists(), "the bomb works"
    (tmp_path / "ran").unlink()
    path.write_bytes(bomb)
    with pytest.raises(ValueError, match="cannot be read as safetensors"):
        load_dynamics(path)
    assert not (tmp_path / "ran").exists()


def test_a_missing_file_stays_a_missing_file(path):
    with pytest.raises(FileNotFoundError) as caught:
        load_dynamics(path)
    assert Path(caught.value.filename) == path


@posix
def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError):
        load_dynamics(tmp_path)
