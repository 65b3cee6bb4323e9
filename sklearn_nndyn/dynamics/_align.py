"""Records of the same, or of other, samples put together by the names of the samples."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from sklearn_nndyn.dynamics._dynamics import Dynamics
from sklearn_nndyn.dynamics._fields import AXES, PER_LAYER, map_axis
from sklearn_nndyn.utils.text import counted, shown


def align(records: Sequence[Dynamics]) -> list[Dynamics]:
    """Restrict records to the samples that all of them hold, in one order.

    Parameters
    ----------
    records : sequence of Dynamics
        Records with ``sample_ids``, such as several runs, each of which left out other samples.

    Returns
    -------
    aligned : list of Dynamics
        Row i of each is the same sample, in the order of the first record.

    Raises
    ------
    TypeError
        If one of them is no record.
    ValueError
        If there is none, one has no ids, no sample is in all, or a sample has another label in another record.

    Examples
    --------
    >>> from sklearn_nndyn.dynamics import Dynamics, align
    >>> one = Dynamics(y=[0, 1, 1], classes=[0, 1], epochs=[0], sample_ids=["a", "b", "c"])
    >>> other = Dynamics(y=[1, 0], classes=[0, 1], epochs=[0, 1], sample_ids=["c", "a"])
    >>> [record.sample_ids.tolist() for record in align([one, other])]
    [['a', 'c'], ['a', 'c']]
    """
    records = _checked("align", records)
    ids = [record.sample_ids for record in records if record.sample_ids is not None]
    if len(ids) < len(records):
        without = [i for i, record in enumerate(records) if record.sample_ids is None]
        raise ValueError(
            f"align goes by sample_ids, but records {without} have none: give them when they are made."
        )
    _check_kinds(ids)
    common = ids[0]
    for others in ids[1:]:
        common = common[np.isin(common, others)]
    if not len(common):
        raise ValueError("No sample is in all of these records: they have no id in common.")
    aligned = [record[_places(own, common)] for record, own in zip(records, ids, strict=True)]
    for i, record in enumerate(aligned):
        differ = record.y != aligned[0].y
        if differ.any():
            raise ValueError(
                f"{counted(int(differ.sum()), 'sample')} of record {i} have other labels than in the first record, "
                f"though the ids are the same: {shown(common[differ])}."
            )
    return aligned


def _check_kinds(ids):
    for i, others in enumerate(ids):
        if _kind(others) != _kind(ids[0]):
            raise ValueError(
                f"The sample_ids of record {i} are {_kind(others)}, those of the first {_kind(ids[0])}: 1 and '1' "
                "are two names."
            )


def _kind(ids):
    return "integers" if ids.dtype.kind in "iu" else "strings"


def _places(ids, wanted):
    order = np.argsort(ids, kind="stable")
    return order[np.searchsorted(ids, wanted, sorter=order)]


def concatenate_samples(records: Sequence[Dynamics]) -> Dynamics:
    """Join records of different samples at the same epochs, such as of the parts of a data set.

    Parameters
    ----------
    records : sequence of Dynamics
        Records with the same classes, epochs and fields of samples. Ids, where they have them, differ.

    Returns
    -------
    record : Dynamics
        All samples, in the order of the records. What belongs to the network or to whole classes (``centroids``,
        ``probe_accuracy``, ``weight_norms``) and the entries of the header are kept where they are equal in all
        records, and left out where they are not.

    Raises
    ------
    TypeError
        If one of them is no record.
    ValueError
        If there is none, or they do not belong together; the message lists everything that differs.

    Examples
    --------
    >>> from sklearn_nndyn.dynamics import Dynamics, concatenate_samples
    >>> one = Dynamics(y=[0, 1], classes=[0, 1], epochs=[0], loss=[[0.5], [1.5]])
    >>> other = Dynamics(y=[1], classes=[0, 1], epochs=[0], loss=[[2.5]])
    >>> concatenate_samples([one, other]).loss
    array([[0.5],
           [1.5],
           [2.5]])
    """
    records = _checked("concatenate_samples", records)
    first = records[0]
    problems = [f"record {i}: {p}" for i, other in enumerate(records) for p in _differences(first, other)]
    if problems:
        raise ValueError(
            "These records cannot be joined:" + "".join(f"\n- {problem}" for problem in problems)
        )
    joined = map_axis("sample", lambda axis, *arrays: np.concatenate(arrays, axis=axis), *records)
    shared = {name: _where_equal([getattr(record, name) for record in records]) for name in _of_networks()}
    header = _where_equal([record.header for record in records])
    return replace(first, **{**shared, **joined}, header=header)


def _checked(function, records):
    if isinstance(records, Dynamics):  # which is a sequence of its samples
        raise TypeError(f"{function} takes a list of records, got one Dynamics.")
    records = list(records)
    for record in records:
        if not isinstance(record, Dynamics):
            raise TypeError(
                f"{function} takes a sequence of Dynamics, one of which is a {type(record).__name__}."
            )
    if not records:
        raise ValueError(f"{function} takes at least one record.")
    return records


def _differences(first, other):
    if not np.array_equal(first.classes, other.classes):
        yield f"its classes are {shown(other.classes)}, those of the first {shown(first.classes)}"
    if not np.array_equal(first.epochs, other.epochs):
        yield f"its epochs are {shown(other.epochs)}, those of the first {shown(first.epochs)}"
    for name in _of_samples():
        one, two = getattr(first, name), getattr(other, name)
        has, had = (list(value) if name in PER_LAYER else value is not None for value in (two, one))
        if has != had:
            yield f"it has {_had(name, has)}, the first {_had(name, had)}"
    kinds = [_kind(one.sample_ids) for one in (other, first) if one.sample_ids is not None]
    if len(set(kinds)) > 1:
        yield f"its sample_ids are {kinds[0]}, those of the first {kinds[1]}"


def _had(name, found):
    if isinstance(found, bool):
        return name if found else f"no {name}"
    return f"{name} of the layers {', '.join(found)}" if found else f"no {name}"


def _of_samples():
    return [name for name, axes in AXES.items() if "sample" in axes]


def _of_networks():
    return [name for name in PER_LAYER if "sample" not in AXES[name]]


def _where_equal(mappings):
    """The entries that are the same in all."""
    first, *others = mappings
    return {
        key: value
        for key, value in first.items()
        if all(key in other and _equal(other[key], value) for other in others)
    }


def _equal(one, other):
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other, equal_nan=True)
    return one == other
