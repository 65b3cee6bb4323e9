"""Which samples, which epochs: from what the user writes to slices and positions."""

from numbers import Real

import numpy as np

from sklearn_nndyn.utils.text import shown


def sample_key(key, n_samples):
    """A slice, or the positions, of the samples that ``record[key]`` means."""
    if isinstance(key, tuple) and len(key) == 2 and key[1] is Ellipsis:
        key = key[0]  # scikit-learn selects rows by X[rows, ...]
    if isinstance(key, slice):
        return key
    if isinstance(key, tuple):
        raise TypeError("A record is indexed by samples only, record[samples]; for epochs use select_epochs.")
    index = _sample_positions(key, n_samples)
    return index if index.ndim else slice(int(index), int(index) + 1)


def _sample_positions(key, n_samples):
    index = np.asarray(key, dtype=np.intp if isinstance(key, list) and not key else None)
    if index.ndim > 1 or index.dtype.kind not in ("iu" if index.ndim == 0 else "iub"):
        by_id = (
            " For names use a mask: np.isin(record.sample_ids, names)." if index.dtype.kind in "UO" else ""
        )
        raise TypeError(
            "Samples are chosen by a slice, an int, or a one-dimensional array of int or bool, "
            f"got {index.dtype} of shape {index.shape}.{by_id}"
        )
    if index.dtype.kind == "b":
        return _masked(index, n_samples)
    index = index.astype(np.intp)
    outside = (index < -n_samples) | (index >= n_samples)
    if outside.any():
        raise IndexError(f"There is no sample {index[outside][0]}: there are {n_samples}, numbered from 0.")
    return index % n_samples


def _masked(mask, n_samples):
    if len(mask) != n_samples:
        raise IndexError(f"The mask has {len(mask)} entries for {n_samples} samples.")
    return np.flatnonzero(mask)


def one_epoch(epoch):
    """One epoch by its number; a TypeError for anything else."""
    if not isinstance(epoch, Real) or isinstance(epoch, bool):
        raise TypeError(f"An epoch is a number, got {epoch!r}.")
    return epoch


def epochs_key(epochs, recorded):
    """A slice, or the positions, of the chosen among the recorded epochs."""
    wanted = np.unique(np.asarray(epochs))
    if wanted.dtype.kind == "b":
        raise TypeError("Epochs are chosen by their numbers, not by a mask: use record.epochs[mask].")
    unknown = wanted[~np.isin(wanted, recorded)]
    if len(unknown) or not len(wanted):
        asked = shown(unknown) or "none was given"
        raise ValueError(f"Not among the recorded epochs: {asked}. Recorded are {shown(recorded, 20)}.")
    return _as_slice(np.searchsorted(recorded, wanted))


def _as_slice(positions):
    """The same positions as a slice where they are evenly spaced, so that a selection is a view."""
    step = int(positions[1] - positions[0]) if len(positions) > 1 else 1
    if (np.diff(positions) == step).all():
        return slice(int(positions[0]), int(positions[-1]) + 1, step)
    return positions
