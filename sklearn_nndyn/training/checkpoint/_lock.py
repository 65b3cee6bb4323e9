"""One writer a place: the second is refused; what a dead process held is free."""

import os
from contextlib import contextmanager, suppress

try:
    import fcntl
except ImportError:  # Windows: the number of the process has to do
    fcntl = None  # type: ignore[assignment]


@contextmanager
def locked(path, what):
    """Hold the lock of a place.

    Parameters
    ----------
    path : pathlib.Path
        The lock file.
    what : str
        What is locked, for the message.

    Raises
    ------
    RuntimeError
        Where another process, or another thread of this one, holds it.
    """
    file = _try_lock(path)
    if file is None:
        raise RuntimeError(
            f"{what} is in use by process {holder(path) or 'unknown'}: the same fit is running there. Wait for it, or "
            "give this one a folder of its own."
        )
    try:
        yield
    finally:
        file.truncate(0)
        file.close()


def holder(path):
    """Number of the process that holds a lock, None where nobody does."""
    try:
        number = int(path.read_text() or 0)
    except (OSError, ValueError):
        return None
    if not number or not _is_alive(number):
        return None
    if fcntl is not None:
        with suppress(OSError), open(path, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return None  # it was left behind
    return number


def _try_lock(path):
    """The open lock file, or None where it is held."""
    if fcntl is None and holder(path) is not None:
        return None
    file = open(path, "a+b", buffering=0)  # noqa: SIM115 (it is open as long as the lock is held)
    if fcntl is not None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            return None
        except OSError:  # a file system without locks
            if holder(path) is not None:
                file.close()
                return None
    file.truncate(0)
    file.write(str(os.getpid()).encode())
    return file


def _is_alive(number):
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
