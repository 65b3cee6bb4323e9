"""Notices of a search for scikit-learn's callbacks (from 1.9): its begin and end, and its refit."""

from contextlib import contextmanager, nullcontext


class CallbackTasks:
    """The tasks of one search; nothing happens where scikit-learn has no callbacks.

    Parameters
    ----------
    search : estimator
        The search with the callbacks.
    data : dict
        ``X``, ``y`` and ``metadata``, as the callbacks get them.
    """

    def __init__(self, search, data):
        self.description = {"estimator": search, **data}
        begin = getattr(search, "_init_callback_context", None)
        self.root = None if begin is None else begin(max_subtasks=1 + (search.refit is not False))

    @contextmanager
    def task(self, name=None, estimator=None):
        """The search as a whole, or a named part of it; ``estimator`` is what is fitted in it."""
        if self.root is None:
            yield
            return
        context = self.root if name is None else self.root.subcontext(task_name=name)
        inner = nullcontext() if estimator is None else context.propagate_callback_context(estimator)
        with inner:
            context.call_on_fit_task_begin(**self.description)
            yield
        context.call_on_fit_task_end(**self.description)
