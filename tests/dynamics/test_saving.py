"""A file is replaced whole or not at all, by whatever name, and nothing else is touched."""

import os
import signal
import socket
import stat
import threading
from pathlib import Path

import pytest
from safetensors import SafetensorError
from safetensors.numpy import save_file

from sklearn_nndyn.dynamics import Dynamics, load_dynamics
from sklearn_nndyn.dynamics.files import _safetensors
from tests.classifiers.checkpoint.comparing import in_a_child

posix = pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "record.safetensors"


def half_written(tensors, path, metadata):
    Path(path).write_bytes(b"half")
    raise SafetensorError("no space left on device")


def interrupted(*args, **kwargs):
    raise KeyboardInterrupt


def refused(*args, **kwargs):
    raise PermissionError("not allowed")


FAILURES = {
    "disk full": (
        _safetensors,
        "save_file",
        half_written,
        OSError,
        r"record\.safetensors could not be written: no space",
    ),
    "interrupt": (_safetensors, "save_file", interrupted, KeyboardInterrupt, "^$"),
    "fsync": (os, "fsync", refused, PermissionError, "not allowed"),
    "replace": (os, "replace", refused, PermissionError, "not allowed"),
}


@pytest.mark.parametrize("old", [True, False], ids=["over an old file", "anew"])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failed_save_leaves_everything_as_it_was(record, make_record, path, monkeypatch, failure, old):
    module, name, broken, error, message = FAILURES[failure]
    if old:
        record.save(path)
    before = {one.name: one.read_bytes() for one in path.parent.iterdir()}
    monkeypatch.setattr(module, name, broken)
    with pytest.raises(error, match=message):
        make_record(3).save(path)
    assert {one.name: one.read_bytes() for one in path.parent.iterdir()} == before


def test_the_old_file_is_there_until_the_new_one_is_whole(
    record, make_record, path, monkeypatch, assert_same
):
    new, replace, seen = make_record(3), os.replace, []

    def looking(source, target):
        seen.append((load_dynamics(source), load_dynamics(target)))
        replace(source, target)

    record.save(path)
    monkeypatch.setattr(os, "replace", looking)
    new.save(path)
    assert_same(seen[0][0], new)
    assert_same(seen[0][1], record)
    assert_same(load_dynamics(path), new)
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_loaded_record_outlives_its_file(path, record, make_record, assert_same):
    record.save(path)
    loaded = load_dynamics(path)
    make_record(3).save(path)
    assert_same(loaded, record)
    path.unlink()
    assert_same(loaded, record)


def test_a_folder_cannot_be_saved_over(record, tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder, not a regular file"):
        record.save(tmp_path)


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ("runs/", IsADirectoryError, "runs/ names a folder: add the name of a file"),
        ("", FileNotFoundError, "The path is empty"),
    ],
)
def test_a_place_without_a_name_is_refused(record, tmp_path, monkeypatch, given, error, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=words):
        record.save(given)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_has_to_exist(record, tmp_path):
    with pytest.raises(
        FileNotFoundError, match="missing is not a folder: make it before saving record there"
    ):
        record.save(tmp_path / "missing" / "record")
    assert list(tmp_path.iterdir()) == []


@posix
@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_the_umask_decides_who_may_read(record, path, umask):
    before = os.umask(umask)
    try:
        record.save(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


@posix
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o666, 0o755])
def test_a_file_keeps_its_mode(record, path, mode):
    record.save(path)
    path.chmod(mode)
    record.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == mode


@posix
def test_a_record_is_private_while_it_is_written(record, path, monkeypatch):
    modes, replace = [], os.replace

    def looking(source, target):
        modes.append(stat.S_IMODE(Path(source).parent.stat().st_mode))
        replace(source, target)

    monkeypatch.setattr(os, "replace", looking)
    record.save(path)
    assert modes == [0o700]


@posix
def test_a_link_stays_a_link(record, tmp_path, path, assert_same):
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "link to the link").symlink_to("link")
    record.save(tmp_path / "link to the link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "link to the link").is_symlink()
    assert not path.is_symlink()
    assert_same(load_dynamics(path), record)


@posix
def test_links_in_a_circle_are_refused(record, tmp_path):
    (tmp_path / "one").symlink_to("other")
    (tmp_path / "other").symlink_to("one")
    before = sorted(tmp_path.iterdir())
    with pytest.raises(OSError, match="symbolic links"):
        record.save(tmp_path / "one")
    with pytest.raises(OSError, match="symbolic links"):
        load_dynamics(tmp_path / "one")
    assert sorted(tmp_path.iterdir()) == before


def a_socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(path))  # the names of sockets are short


NO_FILES = {
    "FIFO": (os.mkfifo if os.name == "posix" else None, "a FIFO"),
    "socket": (a_socket, "a socket"),
    "link to a FIFO": (lambda path: (os.mkfifo(f"{path}.fifo"), path.symlink_to(f"{path}.fifo")), "a FIFO"),
    "device": (lambda path: path.symlink_to(os.devnull), "a device"),
    "folder": (Path.mkdir, "a folder"),
    "link to a folder": (lambda path: path.symlink_to(path.parent), "a folder"),
}


@posix
@pytest.mark.parametrize("kind", NO_FILES)
def test_what_is_no_file_is_refused_and_left(record, tmp_path, monkeypatch, kind):
    """A FIFO without a writer would let a loader wait for ever."""
    monkeypatch.chdir(tmp_path)
    make, words = NO_FILES[kind]
    path = tmp_path / "it"
    make(path)
    before = path.lstat(), sorted(tmp_path.rglob("*"))
    error = IsADirectoryError if "folder" in words else OSError
    with pytest.raises(error, match=f"is {words}, not a regular file"):
        record.save(path)
    with pytest.raises(error, match=f"is {words}, not a regular file"):
        load_dynamics(path)
    after = path.lstat(), sorted(tmp_path.rglob("*"))
    assert (after[0].st_mode, after[0].st_ino, after[1]) == (before[0].st_mode, before[0].st_ino, before[1])


@pytest.mark.parametrize(
    "given", ["record", "./record", "../here/record", "~/record", Path("~/record"), Path("record")]
)
def test_names_are_those_of_the_user(record, tmp_path, monkeypatch, assert_same, given):
    """Relative to where one is, or to the home folder."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "here"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "here"))
    record.save(given)
    assert [str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*")] == [
        "here",
        os.path.join("here", "record"),
    ]
    assert_same(load_dynamics(given), record)


@pytest.mark.parametrize("name", ["x" * 255, "ä ö\n", "-", ".hidden", ".nndyn-mine.saving"])
def test_names_of_every_kind(record, tmp_path, assert_same, name):
    record.save(tmp_path / name)
    assert_same(load_dynamics(tmp_path / name), record)
    record.save(tmp_path / "another")
    assert_same(load_dynamics(tmp_path / name), record)


def test_a_folder_that_takes_no_files_is_named(record, tmp_path, monkeypatch):
    """Made up, as to the superuser every folder is open."""

    def closed(*args, **kwargs):
        raise PermissionError(13, "Permission denied", "hidden")

    monkeypatch.setattr(os, "mkdir", closed)
    with pytest.raises(
        PermissionError, match=r"no file can be made in this folder \(Permission denied\)"
    ) as caught:
        record.save(tmp_path / "record")
    assert caught.value.filename == str(tmp_path)


def test_a_protected_file_is_not_replaced(record, path, monkeypatch):
    path.write_text("mine")
    monkeypatch.setattr(os, "access", lambda target, mode: False)
    with pytest.raises(
        PermissionError, match="is write-protected: allow writing, or save under another name"
    ):
        record.save(path)
    assert path.read_text() == "mine"


@posix
def test_file_and_folder_are_brought_to_the_disk(record, path, monkeypatch):
    synced, fsync = [], os.fsync

    def noting(fd):
        synced.append(stat.S_IFMT(os.fstat(fd).st_mode))
        fsync(fd)

    monkeypatch.setattr(os, "fsync", noting)
    record.save(path)
    assert synced == [stat.S_IFREG, stat.S_IFDIR]


def save_and_be_killed(path):
    """Exit status of a copy of this process that is killed while it writes."""

    def killed(tensors, path, metadata):
        Path(path).write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)

    def child():
        _safetensors.save_file = killed
        Dynamics(y=[0], classes=[0], epochs=[0]).save(path)

    return in_a_child(child)


@posix
def test_what_a_killed_save_left_is_swept_by_the_next(record, path, make_record, assert_same):
    record.save(path)
    ended = [save_and_be_killed(path) for _ in range(2)]
    assert ended == [-signal.SIGKILL] * 2
    assert len(list(path.parent.iterdir())) == 2, "the second swept what the first had left, and left its own"
    assert_same(load_dynamics(path), record)
    make_record(3).save(path.with_name("another"))
    assert sorted(one.name for one in path.parent.iterdir()) == ["another", path.name]


@posix
def test_a_save_at_work_is_not_swept(record, make_record, path, monkeypatch, assert_same):
    """Another save into the same folder while this one writes."""
    seen = []

    def slowly(tensors, place, metadata):
        monkeypatch.setattr(_safetensors, "save_file", save_file)
        make_record(3).save(path.with_name("another"))
        save_file(tensors, place, metadata)
        seen.append(place)

    monkeypatch.setattr(_safetensors, "save_file", slowly)
    record.save(path)
    assert_same(load_dynamics(path), record)
    assert len(seen) == 1


def test_a_reader_beside_a_writer_finds_one_or_the_other(record, make_record, path):
    """A file is opened once: its header and its arrays are of the same record."""
    records = [make_record(5), make_record(200)]
    records[0].save(path)
    stop = threading.Event()

    def write():
        for turn in range(10**6):
            records[turn % 2].save(path)
            if stop.is_set():
                break

    writer = threading.Thread(target=write)
    writer.start()
    try:
        sizes = set()
        for turn in range(10**5):  # the writer may come late
            sizes.add(len(load_dynamics(path)))
            if turn >= 200 and len(sizes) > 1:
                break
    finally:
        stop.set()
        writer.join()
    assert sizes == {5, 200}


def test_labels_that_would_fill_the_memory_are_refused_before_anything_is_written(path):
    """Stored as positions, they would come out of a short file thousands of times as long."""
    record = Dynamics(y=["a" * 10_000] * 10_000, classes=["a" * 10_000], epochs=[0])
    with pytest.raises(ValueError, match=r"the labels take \d+ bytes .* give shorter labels, or integers"):
        record.save(path)
    assert list(path.parent.iterdir()) == []
