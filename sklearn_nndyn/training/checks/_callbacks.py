"""The user's skorch callbacks, as far as they have to be known before training."""

import inspect

from skorch.callbacks import Callback, Checkpoint, EarlyStopping, PrintLog

from sklearn_nndyn.utils.validation import is_one_of

VALIDATED = ("valid_loss", "valid_acc")
WRITTEN = ("train_loss", *VALIDATED, "valid_score", "epoch", "dur", "train_batch_count")  # by the net itself


def check_callbacks(callbacks):
    """Whether these are skorch callbacks.

    Raises
    ------
    TypeError
    """
    if is_one_of(callbacks, (None, "disable")):
        return
    if not isinstance(callbacks, (list, tuple)):
        raise TypeError(f"callbacks must be a list of skorch callbacks, got {type(callbacks).__name__}.")
    for name in (item[0] for item in callbacks if isinstance(item, tuple) and item):
        if not isinstance(name, str):
            raise TypeError(f"callbacks: the name of a callback is a string, got {name!r}.")
    for callback in _callbacks(callbacks):
        kind = _kind(callback)
        if callback is not None and not issubclass(kind, Callback):
            raise TypeError(
                f"callbacks takes skorch callbacks, got {kind.__name__}. scikit-learn's own go through "
                "set_callbacks(...)."
            )


def check_monitors(callbacks, has_validation):
    """Whether there is what callbacks watch (EarlyStopping, Checkpoint, ...).

    Raises
    ------
    ValueError
        For a column of validation samples, where there are none; or for one that nobody writes.
    """
    callbacks = list(_callbacks(callbacks))
    scored = [name for one in callbacks for name in _columns(one)]
    all_known = all(_kind(one).__module__.startswith("skorch.callbacks") for one in callbacks)
    for callback in callbacks:
        monitor = _monitor(callback)
        column = monitor.removesuffix("_best") if isinstance(monitor, str) else None
        if all_known and column is not None and column not in (*WRITTEN, *scored):
            columns = ", ".join([*(WRITTEN if has_validation else WRITTEN[:1])[:3], *scored])
            raise ValueError(
                f"callbacks: {_kind(callback).__name__} watches {monitor!r}, but no column of the history is "
                f"called so; what can be watched is {columns}."
            )
        if not has_validation and column in VALIDATED and column not in scored:
            instead = monitor.replace(column, "train_loss")
            raise ValueError(
                f"callbacks: {_kind(callback).__name__} watches {monitor!r}, but there are no validation samples: give "
                f'X_val and y_val to fit, set validation_fraction, or let it watch the training: monitor="{instead}".'
            )


def as_list(callbacks):
    """Callbacks as skorch takes them: of several a list."""
    return list(callbacks) if isinstance(callbacks, tuple) else callbacks


def verbosity(callbacks, verbose):
    """skorch's verbose: whether its callbacks print; one that is there for nothing else does."""
    prints = any(issubclass(_kind(one), PrintLog) for one in _callbacks(callbacks))
    return max(int(verbose), int(prints))


def restored_epoch(net):
    """The epoch whose weights a callback of skorch restored at the end of training (``load_best``), or None."""
    found = [_restored_by(callback, net.history) for _, callback in net.callbacks_]
    return next((epoch for epoch in reversed(found) if epoch is not None), None)


def _restored_by(callback, history):
    if not getattr(callback, "load_best", False):
        return None
    if isinstance(callback, EarlyStopping):
        return callback.best_epoch_ or None
    if isinstance(callback, Checkpoint) and callback.monitor is not None:
        saved = [line["epoch"] for line in history if line.get(callback.event_name)]
        return saved[-1] if saved else None
    return None


def _callbacks(callbacks):
    """Instances and classes, without their names."""
    for item in () if is_one_of(callbacks, (None, "disable")) else callbacks:
        yield item[1] if isinstance(item, tuple) and len(item) == 2 else item


def _kind(callback):
    return callback if isinstance(callback, type) else type(callback)


def _columns(callback):
    """Names of the columns that a callback writes to the history."""
    for name in ("name", "scoring", "event_name"):
        value = getattr(callback, name, None)
        value = getattr(value, "__name__", value)
        if isinstance(value, str):
            yield value


def _monitor(callback):
    if not isinstance(callback, type):
        return getattr(callback, "monitor", None)
    parameter = inspect.signature(callback).parameters.get("monitor")
    return None if parameter is None else parameter.default
