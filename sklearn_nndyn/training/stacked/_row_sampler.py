"""The batches of several fits, step by step: rows that networks share are gathered once."""

from itertools import groupby

import torch

from sklearn_nndyn.training._epoch_loop import draw_order
from sklearn_nndyn.training.batches._cutting import cut, in_floats
from sklearn_nndyn.utils.random import RandomState
from sklearn_nndyn.utils.rows.arrays import whole

CHUNK_BYTES = 8 * 2**20
EXPAND_BYTES = 4 * 2**20


class RowSampler:
    """A data set, and the order of its rows in each epoch.

    Parameters
    ----------
    X : tensor of shape (n_samples, ...)
    seed : int
        Seed of the shuffling; the orders are those of a fit trained alone with it.
    shuffle : bool
        Whether to draw an order; otherwise rows are taken in their given order.
    """

    def __init__(self, X, seed, shuffle):
        self.X, self.shuffle, self.order = X, shuffle, None
        self.random_state, self.generator = RandomState(seed), torch.Generator()
        self.before = None

    def draw(self):
        """Draw the order of the next epoch."""
        if self.shuffle:
            with self.random_state.as_generator(self.generator):
                self.order = draw_order(self.X, self.generator)


class StackedLoader:
    """Cut an epoch of M fits into steps.

    Parameters
    ----------
    data : list of TrainingData
        One per network, sorted by decreasing n_samples.
    samplers : list of RowSampler
    sampler_of : list of int
        The position of each fit's sampler in ``samplers``; equal positions adjacent where possible.
    size : int or None
        Rows of a batch; None takes all of them.
    dtype : torch.dtype
        The dtype of the sample weights and of the rows, unless the rows are integer ids.
    merge_last : bool, default=False
        Give a last batch of one row to the batch before it.
    """

    def __init__(self, data, samplers, sampler_of, size, dtype, merge_last=False):
        self.data, self.size, self.merge_last = data, size, merge_last
        self.samplers, self.sampler_of = self._of_different_rows(samplers, sampler_of)
        self.n_rows = [len(own.X) for own in data]
        self.cuts = [[n] if size is None else cut(n, size, merge_last) for n in self.n_rows]
        self.targets, self.target_of = self._different_targets()
        self.weighted = any(own.weight is not None for own in data)
        self.dtype = dtype
        self._whole = None
        self._selections, self._batch_sizes = {}, {}

    def _of_different_rows(self, samplers, sampler_of):
        """Samplers and positions of samplers; where the order does not matter, samplers of the same rows are one."""
        keys = [
            sampler.X.data_ptr() if self.size is None or not sampler.shuffle else id(sampler)
            for sampler in samplers
        ]
        kept = {}
        for key, sampler in zip(keys, samplers, strict=True):
            kept.setdefault(key, sampler)
        position = {key: i for i, key in enumerate(kept)}
        return list(kept.values()), [position[keys[sampler]] for sampler in sampler_of]

    def _different_targets(self):
        """[(sampler, its labels)] that differ, and the position of each fit's among them."""
        pairs = zip(self.sampler_of, self.data, strict=True)
        keys = [(sampler, own.y.data_ptr(), len(own.y)) for sampler, own in pairs]
        kept = {key: (key[0], own.y) for key, own in zip(keys, self.data, strict=True)}
        position = {key: i for i, key in enumerate(kept)}
        return list(kept.values()), torch.tensor([position[key] for key in keys])

    @property
    def steps(self):
        """Updates of an epoch of each fit."""
        return [len(sizes) for sizes in self.cuts]

    def convert(self, dtype):
        """Hand out rows and weights in this dtype."""
        self.dtype = dtype

    def __call__(self):
        """Yield, for each step, a list of (members, x, y, weight) in which all rows count the same.

        ``x`` is (m, n, ...), or (m / k, n, ...) where k neighbours each see the same rows, or a list of
        (rows (n, ...), slice of the m that see them); the rest is (m, n).
        """
        if self.size is None:
            if self._whole is None:
                self._whole = [self._whole_set(members) for members in equal_slices(self.n_rows)]
            yield self._whole
            return
        steps, per_chunk = self.steps[0], self._steps_of_chunk()
        for first in range(0, steps, per_chunk):
            stop = min(first + per_chunk, steps) * self.size + self.merge_last
            chunk = self._gather(first * self.size, stop)
            for step in range(first, min(first + per_chunk, steps)):
                yield [self._cut(chunk, members, step, first, n) for members, n in self._sizes(step)]

    def _sizes(self, step):
        """(members, number of rows) of the batches of a step; fits that have no rows left are omitted."""
        if step not in self._batch_sizes:
            rows = [sizes[step] if step < len(sizes) else 0 for sizes in self.cuts]
            self._batch_sizes[step] = [
                (run, rows[run.start]) for run in equal_slices(rows) if rows[run.start] > 0
            ]
        return self._batch_sizes[step]

    def _whole_set(self, members):
        runs = [
            (in_floats(whole(self.samplers[sampler].X), self.dtype), run)
            for sampler, run in self._sampler_slices(members)
        ]
        if len(runs) > 1 and self._is_small(members, len(runs[0][0])):
            runs = torch.cat([rows.expand(run.stop - run.start, *rows.shape) for rows, run in runs])
        y = torch.stack([own.y for own in self.data[members]])
        return members, runs, y, self._weights(members)

    def _weights(self, members):
        if not self.weighted:
            return None
        return torch.stack([self._weight(own) for own in self.data[members]]).to(self.dtype)

    def _weight(self, own):
        return (
            torch.ones(len(own.X), dtype=self.dtype, device=own.X.device)
            if own.weight is None
            else own.weight
        )

    def _is_small(self, members, n):
        """Whether a copy of the rows for each network costs less than a product for each sampler."""
        m = members.stop - members.start
        return m * n * self.samplers[0].X[:1].nbytes <= EXPAND_BYTES

    def _sampler_slices(self, members):
        """(sampler, slice relative to ``members``) of neighbours with the same sampler."""
        return [
            (self.sampler_of[members.start + run.start], run)
            for run in equal_slices(self.sampler_of[members])
        ]

    def _steps_of_chunk(self):
        row = self.samplers[0].X[:1].nbytes * len(self.samplers)
        return max(1, CHUNK_BYTES // max(1, row * self.size))

    def _gather(self, start, stop):
        """Rows, targets and weights from ``start`` to ``stop`` in the order of each sampler."""
        length = min(stop, self.n_rows[0]) - start
        x = self.samplers[0].X.new_empty(len(self.samplers), length, *self.samplers[0].X.shape[1:])
        y = torch.zeros(len(self.targets), length, dtype=torch.long, device=x.device)
        weight = x.new_zeros(len(self.data), length, dtype=self.dtype) if self.weighted else None
        chosen = [
            sampler.order[start:stop] if sampler.order is not None else None for sampler in self.samplers
        ]
        for sampler, rows, out in zip(self.samplers, chosen, x, strict=True):
            _take(sampler.X, rows, start, stop, out)
        for (sampler, target), out in zip(self.targets, y, strict=True):
            _take(target, chosen[sampler], start, stop, out)
        for sampler, own, out in (
            () if weight is None else zip(self.sampler_of, self.data, weight, strict=True)
        ):
            _take(self._weight(own).to(self.dtype), chosen[sampler], start, stop, out)
        return x, y.index_select(0, self.target_of.to(x.device)), weight

    def _cut(self, chunk, members, step, first, n):
        x, y, weight = chunk
        rows = slice((step - first) * self.size, (step - first) * self.size + n)
        x = self._selection(members, n)(x[:, rows])
        return members, x, y[members, rows], None if weight is None else weight[members, rows]

    def _selection(self, members, n):
        """The function that gives ``members`` their rows from those of all samplers, (n_samplers, n, ...)."""
        key = members.start, members.stop, n
        if key not in self._selections:
            self._selections[key] = self._make_selection(members, n)
        return self._selections[key]

    def _make_selection(self, members, n):
        runs = self._sampler_slices(members)
        samplers = [sampler for sampler, _ in runs]
        in_order = samplers == list(range(samplers[0], samplers[-1] + 1))
        lengths = {run.stop - run.start for _, run in runs}
        is_small = len(runs) > 1 and self._is_small(members, n)
        if in_order and (lengths == {1} or (is_small and len(lengths) == 1)):
            return lambda x: x[samplers[0] : samplers[-1] + 1]
        if is_small:
            own = torch.tensor(self.sampler_of[members], device=self.data[0].X.device)
            return lambda x: x.index_select(0, own)
        return lambda x: [(x[sampler], run) for sampler, run in runs]


def _take(values, rows, start, stop, out):
    found = values[start:stop] if rows is None else values.index_select(0, rows)
    out[: len(found)] = found


def equal_slices(keys):
    """Slices of equal neighbours."""
    runs, start = [], 0
    for _, group in groupby(keys):
        runs.append(slice(start, start + len(list(group))))
        start = runs[-1].stop
    return runs
