"""A record out of a file."""

import os

from sklearn_nndyn.dynamics._dynamics import Dynamics
from sklearn_nndyn.dynamics.files._storage import read_record
from sklearn_nndyn.utils.validation import is_flag


def load_dynamics(path: str | os.PathLike, lazy: bool = False) -> Dynamics:
    """The record in a file written by ``Dynamics.save``.

    Parameters
    ----------
    path : str or os.PathLike
        The file; ``~`` is the home folder.
    lazy : bool, default=False
        Whether the arrays stay in the file, which is mapped into memory: it opens at once, whatever its size, and only
        what is asked for is read. Labels and header are read at once.

    Returns
    -------
    record : Dynamics
        Equal to the one that was saved: same values, types and memory layout, same header.

    Raises
    ------
    TypeError
        If ``path`` is no path, or ``lazy`` neither True nor False.
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

    With ``lazy`` nobody compares the digest, or checks whether predictions are classes and probabilities between 0
    and 1, as all of the file would be read for that. The file may be replaced meanwhile, also by ``save``, but not
    changed in place or cut.

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
    if not is_flag(lazy):
        raise TypeError(f"lazy must be True or False, got {lazy!r}.")
    return read_record(path, Dynamics._trusted if lazy else Dynamics, lazy)
