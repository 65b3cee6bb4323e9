"""torch's fused attention put aside, for as long as a network is looked at."""

import threading
from contextlib import contextmanager

from torch.backends import mha


class _Uses:
    """How many passes have put it aside, in all threads, and what it is to be afterwards."""

    lock, count, before = threading.Lock(), 0, True


@contextmanager
def unfused_attention():
    """Run attention as in training.

    In evaluation torch has a fused path that packs padded rows into nested tensors and calls no inner layer, so that
    hidden layers cannot be seen, and whose scores differ from the usual path's in the last bits.
    """
    with _Uses.lock:
        if _Uses.count == 0:
            _Uses.before = mha.get_fastpath_enabled()
            mha.set_fastpath_enabled(False)
        _Uses.count += 1
    try:
        yield
    finally:
        with _Uses.lock:
            _Uses.count -= 1
            if _Uses.count == 0:
                mha.set_fastpath_enabled(_Uses.before)
