"""One record of two whose epochs follow one another."""

from dataclasses import replace

import numpy as np

from sklearn_nndyn.dynamics._dynamics import Dynamics
from sklearn_nndyn.dynamics._fields import PER_LAYER, map_axis


def concatenate_epochs(first: Dynamics, second: Dynamics) -> Dynamics:
    """Join two records of the same samples, the second of which continues the first.

    Parameters
    ----------
    first, second : Dynamics
        Records of the same samples, classes, fields and layers; the epochs of ``second`` come after those of
        ``first``.

    Returns
    -------
    record : Dynamics
        At the epochs of both. Of the headers the second wins, name by name; ``"seconds_per_epoch"``, where
        both have a sequence of it, is that of the first followed by that of the second.

    Raises
    ------
    TypeError
        If one of them is no record.
    ValueError
        If they do not belong together; the message lists everything that differs.

    Examples
    --------
    >>> from sklearn_nndyn.dynamics import Dynamics, concatenate_epochs
    >>> first = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0, 1], loss=[[2.0, 1.0], [2.0, 1.5]])
    >>> second = Dynamics(y=[0, 1], classes=[0, 1], epochs=[2], loss=[[0.5], [1.0]])
    >>> concatenate_epochs(first, second).loss
    array([[2. , 1. , 0.5],
           [2. , 1.5, 1. ]])
    """
    for record in (first, second):
        if not isinstance(record, Dynamics):
            raise TypeError(f"concatenate_epochs joins two Dynamics, got {type(record).__name__}.")
    problems = list(_differences(first, second))
    if problems:
        raise ValueError(
            "The second record does not continue the first:" + "".join(f"\n- {p}" for p in problems)
        )
    joined = map_axis("epoch", lambda axis, *arrays: np.concatenate(arrays, axis=axis), first, second)
    return replace(first, **joined, header=_joined_header(first.header, second.header))


def _differences(first, second):
    if not np.array_equal(first.classes, second.classes):
        yield "their classes differ"
    if len(first) != len(second):
        yield f"the first has {len(first)} samples, the second {len(second)}"
    elif not np.array_equal(first.y, second.y):
        yield "their labels y differ, so their samples do"
    elif not _same_ids(first, second):
        yield "their sample_ids differ, or one of them has none"
    if second.epochs[0] <= first.epochs[-1]:
        yield f"the first ends at epoch {first.epochs[-1]}, but the second starts at epoch {second.epochs[0]}"
    if (first.iterations is None) != (second.iterations is None):
        yield "one of them counts iterations, the other does not"
    elif first.iterations is not None and second.iterations[0] <= first.iterations[-1]:
        yield (
            f"the first ends at iteration {first.iterations[-1]}, but the second starts at iteration "
            f"{second.iterations[0]}"
        )
    if first.fields != second.fields:
        yield f"the first has the fields {', '.join(first.fields)}, the second {', '.join(second.fields)}"
    else:
        yield from _layer_differences(first, second)


def _same_ids(first, second):
    one, other = first.sample_ids, second.sample_ids
    return one is other is None or (one is not None and other is not None and np.array_equal(one, other))


def _layer_differences(first, second):
    for name in PER_LAYER:
        one, other = getattr(first, name), getattr(second, name)
        if list(one) != list(other):
            yield f"the layers of {name} are {', '.join(one)} in the first, {', '.join(other)} in the second"
        elif any(one[layer].shape[2:] != other[layer].shape[2:] for layer in one):
            yield f"the layers of {name} differ in width"


def _joined_header(first, second):
    header = {**first, **second}
    seconds = [one.get("seconds_per_epoch") for one in (first, second)]
    if all(isinstance(value, tuple) for value in seconds):
        header["seconds_per_epoch"] = seconds[0] + seconds[1]
    return header
