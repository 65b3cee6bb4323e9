"""Keep arrays as they lie in memory, whatever the order of their axes.

A recorder writes epoch by epoch and hands its rows out sample first, as views. Selecting or storing such an
array keeps that layout, so nothing large is copied twice.
"""

import numpy as np


def memory_order(array):
    """Axes of ``array`` from the slowest to the fastest in memory."""
    return tuple(sorted(range(array.ndim), key=lambda axis: -abs(array.strides[axis])))


def inverse_order(order):
    """The order that undoes ``array.transpose(order)``."""
    return tuple(int(axis) for axis in np.argsort(order))


def take(array, key, axis):
    """Select along one axis: a view for a slice; a copy of the same layout for an array of positions."""
    if isinstance(key, slice):
        return array[(slice(None),) * axis + (key,)]
    order = memory_order(array)
    taken = array.transpose(order).take(key, axis=order.index(axis))
    return taken.transpose(inverse_order(order))
