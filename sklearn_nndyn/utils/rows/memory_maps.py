"""Arrays that lie in a file: found, read in parts, and their pages let go; NumPy only."""

import mmap

import numpy as np

BLOCK_BYTES = 32 * 2**20


def memory_map_of(array):
    """The ``numpy.memmap`` that an array is a view of, or None."""
    while isinstance(array, np.ndarray):
        if isinstance(array, np.memmap):
            return array
        array = array.base
    return None


def can_forget(mapped):
    """Whether pages can be let go that a map, or None, has read."""
    return mapped is not None and mapped.mode in ("r", "r+") and hasattr(mmap, "MADV_DONTNEED")


def forget_pages(mapped):
    """Let go of the pages of a map; the system keeps them as long as it has memory, uncharged to the process."""
    if can_forget(mapped):
        mapped._mmap.madvise(mmap.MADV_DONTNEED)


def blocks_of(array):
    """A large array in parts along the axis that is slowest in memory, which comes first in them; a small one whole.

    What is done with one part is done before the next is read: of a file, few pages are in memory at a time.
    """
    return [array] if array.nbytes <= BLOCK_BYTES else _read_in_parts(array)


def has_nan(array):
    """Whether an array holds a nan; its least value is one then, which is quickly found."""
    return any(np.isnan(block.min(initial=0)) for block in blocks_of(array))


def span_of(array):
    """The least and the greatest value, without nan; of a file few pages are in memory at a time."""
    spans = [
        (np.fmin.reduce(block, axis=None), np.fmax.reduce(block, axis=None)) for block in blocks_of(array)
    ]
    return np.fmin.reduce([least for least, _ in spans]), np.fmax.reduce([most for _, most in spans])


def _read_in_parts(array):
    slowest = int(np.argmax(np.abs(array.strides)))
    ordered, mapped = np.moveaxis(array, slowest, 0), memory_map_of(array)
    step = max(1, BLOCK_BYTES // ordered[:1].nbytes)
    for start in range(0, len(ordered), step):
        yield ordered[start : start + step]
        forget_pages(mapped)
