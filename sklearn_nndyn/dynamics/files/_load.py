"""A record out of a file."""

import os

from sklearn_nndyn.dynamics._dynamics import Dynamics
from sklearn_nndyn.dynamics.files._storage import read_record


def load_dynamics(path: str | os.PathLike) -> Dynamics:
    """The record in a file written by ``Dynamics.save``.

    Parameters
    ----------
    path : str or os.PathLike
        The file; ``~`` is the home folder.

    Returns
    -------
    record : Dynamics
        Equal to the one that was saved: same values, types and memory layout, same header.

    Raises
    ------
    TypeError
        If ``path`` is no path.
    FileNotFoundError
        If there is no such file.
    OSError
        If the file cannot be read, or ``path`` is a folder (IsADirectoryError), a FIFO, a socket or a device.
    ValueError
        If the file is damaged, was changed, is of a newer version, or holds something else than a record.

    See Also
    --------
    Dynamics.save : Write the file.

    Notes
    -----
    Nothing in the file is executed. The digest finds damage and careless changes; it is no signature, so it
    does not say who wrote the file. A file of n bytes takes at most about 100 n bytes of memory, whatever it claims.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_nndyn.dynamics import Dynamics, load_dynamics
    >>> record = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0], loss=[[0.5], [1.5]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     record.save(f"{folder}/record.safetensors")
    ...     load_dynamics(f"{folder}/record.safetensors").loss
    array([[0.5],
           [1.5]])
    """
    return read_record(path, Dynamics)
