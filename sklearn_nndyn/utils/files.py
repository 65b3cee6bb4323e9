"""Replace a file whole or not at all; what a killed process left behind is swept.

The new content is written in a hidden folder beside the file, on which the writer holds a lock until it is done. The
system gives the lock up when the writer is killed, so a folder without a lock is a leftover.
"""

import errno
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has no such locks; leftovers stay there
    fcntl = None  # type: ignore[assignment]

PREFIX, SUFFIX = ".nndyn-", ".saving"
SEPARATORS = tuple(filter(None, (os.sep, os.altsep)))
KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def user_path(path) -> Path:
    """The path a user means: ``~`` is the home folder. TypeError for what is no path, FileNotFoundError for none."""
    if not isinstance(path, str | os.PathLike) or not isinstance(os.fspath(path), str):
        raise TypeError(f"A path is a str or an os.PathLike object, got {type(path).__name__}.")
    if not os.fspath(path):
        raise FileNotFoundError("The path is empty: give the name of a file or folder.")
    return Path(os.path.expanduser(path))


def check_regular(path):
    """The status of a file; refuse what is no regular file, without opening it: a FIFO would wait for its other end."""
    found = os.stat(path)
    if stat.S_ISREG(found.st_mode):
        return found
    error = IsADirectoryError if stat.S_ISDIR(found.st_mode) else OSError
    kind = KINDS.get(stat.S_IFMT(found.st_mode), "something else")
    raise error(f"{path} is {kind}, not a regular file.")


@contextmanager
def replaced_file(path) -> Iterator[Path]:
    """A place to write to, whose content becomes that of ``path`` when the block ends without an error.

    At every moment ``path`` holds the old content or the new, also if the process is killed or the machine stops. A
    link is followed; a file that exists keeps its mode, a new one has what the umask says.

    Parameters
    ----------
    path : str or os.PathLike
        The file, in a folder that exists.

    Yields
    ------
    place : pathlib.Path
        A file of that name to be made, in a hidden folder that only the user may read.

    Raises
    ------
    OSError
        If ``path`` cannot be replaced, before anything is written; the class says why: FileNotFoundError (no such
        folder), IsADirectoryError, PermissionError.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn_nndyn.utils.files import replaced_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replaced_file(Path(folder) / "note") as place:
    ...         _ = place.write_text("whole")
    ...     print((Path(folder) / "note").read_text())
    whole
    """
    target = Path(os.path.realpath(user_path(path)))
    if os.fspath(path).endswith(SEPARATORS):
        raise IsADirectoryError(f"{path} names a folder: add the name of a file.")
    mode = _mode_of(target)
    sweep(target.parent)
    with _locked_folder(target.parent) as folder:
        place = folder / target.name
        new_mode = _new_mode(place) if mode is None else mode
        yield place
        _finish(place, new_mode)
        os.replace(place, target)
    _sync_folder(target.parent)


@contextmanager
def replaced_file_of_one_writer(path) -> Iterator[Path]:
    """`replaced_file` for a file that no other process writes meanwhile: no folder has to be made and locked.

    The caller holds a lock on ``path``, a regular file or none yet. Yields `draft_of` it; what a killed writer left
    there is gone.
    """
    place = draft_of(path)
    try:
        place.unlink(missing_ok=True)
        mode = _new_mode(place)
        yield place
        _finish(place, mode)
        os.replace(place, path)
    finally:
        place.unlink(missing_ok=True)
    _sync_folder(path.parent)


def write_at(file, data, place):
    """Write all bytes of an array to an unbuffered file, from a place on."""
    file.seek(place)
    rest = memoryview(data)
    while len(rest):
        rest = rest[file.write(rest) :]


def draft_of(path):
    """The path at which the only writer of a file prepares its new content."""
    return path.with_name(f"{path.name}.draft")


def sweep(folder):
    """Remove what killed writers left in a folder; those at work keep theirs.

    Parameters
    ----------
    folder : pathlib.Path
        The folder with the files to replace.
    """
    if fcntl is None:
        return
    for left in folder.glob(f"{PREFIX}*{SUFFIX}"):
        with suppress(OSError), _opened(left) as fd:  # at work, gone meanwhile, or another user's
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)


def _mode_of(target):
    """The mode of a file that may be replaced, None if there is none; an OSError if it must not be."""
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"{target.parent} is not a folder: make it before saving {target.name} there."
        )
    try:
        found = check_regular(target)
    except FileNotFoundError:
        return None
    if not os.access(target, os.W_OK):
        raise PermissionError(f"{target} is write-protected: allow writing, or save under another name.")
    return stat.S_IMODE(found.st_mode)


def _new_mode(place):
    """What the umask makes of a new file; asking for the umask itself would change it for other threads."""
    with open(place, "xb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    place.unlink()
    return mode


@contextmanager
def _locked_folder(parent):
    folder, fd = _make_locked(parent)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if fd is not None:
            os.close(fd)


def _make_locked(parent):
    """A new folder and the descriptor that locks it; made again if it is swept before it is locked."""
    while True:
        folder = _make_folder(parent)
        if fcntl is None:
            return folder, None
        with suppress(FileNotFoundError):
            fd = os.open(folder, os.O_RDONLY)
            with suppress(OSError):  # a file system without locks
                fcntl.flock(fd, fcntl.LOCK_SH)
            if folder.exists():
                return folder, fd
            os.close(fd)


def _make_folder(parent):
    try:
        return Path(tempfile.mkdtemp(prefix=PREFIX, suffix=SUFFIX, dir=parent))
    except OSError as error:
        words = f"no file can be made in this folder ({error.strerror})"
        raise type(error)(error.errno, words, str(parent)) from error


@contextmanager
def _opened(folder):
    fd = os.open(folder, os.O_RDONLY)
    try:
        yield fd
    finally:
        os.close(fd)


def _finish(place, mode):
    """Set the mode and bring the file to the disk; safetensors gives its files to their owner alone."""
    with open(place, "r+b") as file:
        os.chmod(place, mode)
        os.fsync(file.fileno())


def _sync_folder(folder):
    """Make the new name last; some file systems cannot, and say so with EINVAL."""
    if fcntl is None:
        return
    with _opened(folder) as fd:
        try:
            os.fsync(fd)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP):
                raise
