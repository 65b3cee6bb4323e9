"""Positions of samples by their ids."""

import numpy as np

from sklearn_nndyn.dynamics.arrays._checks import as_numpy
from sklearn_nndyn.utils.text import counted, shown


class SampleIndex:
    """Positions of samples by their ids.

    Parameters
    ----------
    sample_ids : array of shape (n_samples,) or None
        Integers or strings, each once; None where samples are called by their positions.
    n_samples : int
        How many there are.
    """

    def __init__(self, sample_ids, n_samples):
        self.n_samples = n_samples
        self.is_text = sample_ids is not None and sample_ids.dtype.kind in "UO"
        self.order = None
        if sample_ids is not None:
            ids = sample_ids.astype(str) if self.is_text else sample_ids
            self.order = np.argsort(ids, kind="stable")
            self.sorted = ids[self.order]
        self.last_row = np.empty(n_samples, dtype=np.intp)

    def places(self, ids):
        """Positions, from 0, of the samples of a batch, whose ids come once each."""
        ids = as_numpy("ids", ids)
        if ids.ndim != 1:
            raise ValueError(f"ids must have one axis, an id for each row of scores; got shape {ids.shape}.")
        if not len(ids):
            return np.empty(0, dtype=np.intp)
        if ids.dtype.kind not in ("UO" if self.is_text else "iu"):
            wanted = "strings" if self.is_text else "integers"
            raise TypeError(
                f"ids must be {wanted}, as the samples are called; got {ids.dtype}: {shown(ids)}."
            )
        places, known = self._find(ids)
        if not known.all():
            raise ValueError(
                f"ids has {counted(int((~known).sum()), 'id')} of no sample: {shown(np.unique(ids[~known]))}. "
                f"{self._which()}"
            )
        self._check_once(ids, places)
        return places

    def _find(self, ids):
        if self.order is None:
            known = (ids >= 0) & (ids < self.n_samples)
            return np.where(known, ids, 0).astype(np.intp), known
        ids = ids.astype(str) if self.is_text else ids
        found = np.searchsorted(self.sorted, ids).clip(max=self.n_samples - 1)
        return self.order[found], self.sorted[found] == ids

    def _check_once(self, ids, places):
        rows = np.arange(len(places))
        self.last_row[places] = rows
        again = self.last_row[places] != rows
        if again.any():
            raise ValueError(
                f"ids has {shown(np.unique(ids[again]))} more than once. Of several views of a sample in one batch log "
                "one, or the mean of their scores; one that is logged again later takes the place of the earlier one."
            )

    def _which(self):
        if self.order is None:
            return f"Samples are called by their positions, 0 to {self.n_samples - 1}; give sample_ids for other names."
        return f"The sample_ids are {shown(self.sorted)}."
