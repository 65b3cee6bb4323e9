"""Worker processes that read the samples of a Dataset: torch's ``DataLoader``, kept from one pass to the next."""

from contextlib import contextmanager
from multiprocessing import current_process, get_start_method

import torch
from torch.utils.data import DataLoader


class Workers:
    """Processes that call methods of a reader, and hand back what these return in the order asked for.

    They begin with the first call, and end with the last reference to this object.

    Parameters
    ----------
    reader : object
        What is called; each process has a copy of it. It must not refer to this object, which could not end then.
    count : int
        Number of processes; with 0 there are none.
    """

    def __init__(self, reader, count):
        self.reader, self.count = reader, count
        self._requests, self._lent, self._loader = [], False, None

    @contextmanager
    def lent(self):
        """Yield ``call(requests)``, or None where there are no processes, or another pass has them.

        Workers of a ``multiprocessing.Pool`` or of joblib have none of their own, and read by themselves.

        ``call`` yields the results of requests (name of the method, its argument).
        """
        if not self.count or self._lent or _is_a_worker():
            yield None
            return
        self._lent = True
        try:
            yield self._call
        finally:
            self._lent = False

    def _call(self, requests):
        self._requests[:] = requests
        if self._loader is None:
            self._loader = DataLoader(
                _Called(self.reader),
                batch_sampler=self._requests,
                collate_fn=_as_it_is,
                num_workers=self.count,
                persistent_workers=True,
                generator=torch.Generator(),  # torch draws a seed for the processes
            )
        for result in self._loader:
            if isinstance(result, _Refusal):
                raise result.kind(result.text)
            yield result

    def __getstate__(self):
        return {"reader": self.reader, "count": self.count, "_requests": [], "_lent": False, "_loader": None}


def _is_a_worker():
    """Whether this process may have no others: Python forbids it to daemons, and torch cannot begin those of loky."""
    return current_process().daemon or get_start_method(allow_none=True) == "loky"


class _Called:
    """The reader as a Dataset whose batches are results."""

    def __init__(self, reader):
        self.reader = reader

    def __getitems__(self, request):
        name, argument = request
        try:
            return getattr(self.reader, name)(argument)
        except (ValueError, TypeError) as error:
            return _Refusal(error)


class _Refusal:
    """An error of ours in a worker: torch would wrap its words in a traceback."""

    def __init__(self, error):
        self.kind, self.text = (ValueError if isinstance(error, ValueError) else TypeError), str(error)


def _as_it_is(result):
    return result
