"""One writer a place: the second is refused; what a dead process held is free."""

import os
import time
from contextlib import contextmanager, suppress

try:
    import fcntl
except ImportError:  # Windows has another way
    fcntl = None  # type: ignore[assignment]
    import msvcrt

TRIES, SECONDS = 5, 0.02
BEYOND = 2**20  # the byte that Windows locks, so that the number of the process can be read


@contextmanager
def locked(path, what):
    """Hold the lock file of a place; a RuntimeError where another process, or another thread of this one, holds it."""
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
        with open(path, "r+b", buffering=0) as file:
            taken = _take(file)
    except (OSError, ValueError):
        return None
    held = _is_alive(number) if taken is None else not taken
    return number if number and held else None


def _try_lock(path):
    """The open lock file, or None where it is held."""
    file = open(path, "a+b", buffering=0)  # noqa: SIM115 (it is open as long as the lock is held)
    taken = _take(file)
    for _ in range(TRIES):
        if taken is not False:
            break
        time.sleep(SECONDS)  # somebody may just be looking whether it is held
        taken = _take(file)
    if taken is False or (taken is None and holder(path) is not None):
        file.close()
        return None
    file.truncate(0)
    file.write(str(os.getpid()).encode())
    return file


def _take(file):
    """Whether an open file could be locked for this process; None where the file system has no locks."""
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            file.seek(BEYOND)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # type: ignore[attr-defined]
            file.seek(0)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return None
    return True


def _is_alive(number):
    """Whether the process that left its number is there, as far as POSIX can say; asked where there are no locks."""
    if os.name != "posix":
        return False
    with suppress(PermissionError):
        try:
            os.kill(number, 0)
        except ProcessLookupError:
            return False
    return True
