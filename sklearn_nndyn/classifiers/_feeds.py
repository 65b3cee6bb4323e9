"""The batches of several fits, cut in step: rows that networks share are gathered once."""

from itertools import groupby

import torch

from sklearn_nndyn.recording._random import RandomState

CHUNK_BYTES = 8 * 2**20
EXPAND_BYTES = 4 * 2**20


class Feed:
    """One stream of rows: a data set, and the order in which each epoch takes it.

    Parameters
    ----------
    X : tensor of shape (n_samples, ...)
    seed : int
        Of the orders, drawn as a fit by itself draws them.
    shuffle : bool
        Whether there is an order to draw; otherwise rows are taken as they lie.
    """

    def __init__(self, X, seed, shuffle):
        self.X, self.shuffle, self.order = X, shuffle, None
        self.random_state, self.generator = RandomState(seed), torch.Generator()
        self.before = None
        with self.random_state:
            pass

    def draw(self):
        """The order of the next epoch."""
        if self.shuffle:
            with self.random_state.as_generator(self.generator):
                self.order = torch.randperm(len(self.X), generator=self.generator).to(self.X.device)


class StackedBatches:
    """Cut an epoch of M fits into steps.

    Parameters
    ----------
    data : list of TrainingData
        Of each fit; the numbers of rows fall.
    feeds : list of Feed
    feed_of : list of int
        The feed of each fit; equal ones side by side as far as may be.
    size : int or None
        Rows of a batch; None takes all of them.
    """

    def __init__(self, data, feeds, feed_of, size):
        self.data, self.size = data, size
        self.feeds, self.feed_of = self._of_different_rows(feeds, feed_of)
        self.n_rows = [len(own.X) for own in data]
        self.weighted = any(own.weight is not None for own in data)
        self.dtype = data[0].X.dtype
        self._whole = None
        self._ways, self._plan = {}, {}

    def _of_different_rows(self, feeds, feed_of):
        """Feeds and numbers of feeds; where the order does not matter, feeds of the same rows are one."""
        keys = [feed.X.data_ptr() if self.size is None or not feed.shuffle else id(feed) for feed in feeds]
        kept = dict(zip(reversed(keys), reversed(feeds), strict=True))
        place = {key: i for i, key in enumerate(kept)}
        return list(kept.values()), [place[keys[feed]] for feed in feed_of]

    @property
    def steps(self):
        """Updates of an epoch of each fit."""
        return [1 if self.size is None else -(-n // self.size) for n in self.n_rows]

    def convert(self, dtype):
        """Hand out rows and weights in this dtype."""
        self.dtype = dtype

    def __call__(self):
        """Yield, for each step, a list of (members, x, y, weight) in which all rows count the same.

        ``x`` is (m, n, ...) or a list of (rows (n, ...), slice of the m that see them); the rest is (m, n).
        """
        if self.size is None:
            if self._whole is None:
                self._whole = [self._whole_set(members) for members in runs_of(self.n_rows)]
            yield self._whole
            return
        steps, per_chunk = self.steps[0], self._steps_of_chunk()
        for first in range(0, steps, per_chunk):
            chunk = self._gather(first * self.size, min(first + per_chunk, steps) * self.size)
            for step in range(first, min(first + per_chunk, steps)):
                yield [self._cut(chunk, members, step, first, n) for members, n in self._sizes(step)]

    def _sizes(self, step):
        """(members, rows) of the batches of a step; fits that have no rows left have none."""
        if step not in self._plan:
            rows = [min(self.size, n - step * self.size) for n in self.n_rows]
            self._plan[step] = [(run, rows[run.start]) for run in runs_of(rows) if rows[run.start] > 0]
        return self._plan[step]

    def _whole_set(self, members):
        runs = [(self.feeds[feed].X.to(self.dtype), run) for feed, run in self._feed_runs(members)]
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
        """Whether a copy of the rows for each network costs less than a product for each feed."""
        m = members.stop - members.start
        return m * n * self.feeds[0].X[0].numel() * self.feeds[0].X.element_size() <= EXPAND_BYTES

    def _feed_runs(self, members):
        """(feed, slice relative to ``members``) of neighbours with the same feed."""
        return [(self.feed_of[members.start + run.start], run) for run in runs_of(self.feed_of[members])]

    def _steps_of_chunk(self):
        row = self.feeds[0].X[:1].numel() * self.feeds[0].X.element_size() * len(self.feeds)
        return max(1, CHUNK_BYTES // max(1, row * self.size))

    def _gather(self, start, stop):
        """Rows, targets and weights from ``start`` to ``stop`` in the order of each feed."""
        length = min(stop, self.n_rows[0]) - start
        x = self.feeds[0].X.new_empty(len(self.feeds), length, *self.feeds[0].X.shape[1:])
        y = torch.zeros(len(self.data), length, dtype=torch.long, device=x.device)
        weight = x.new_zeros(len(self.data), length) if self.weighted else None
        chosen = [feed.order[start:stop] if feed.order is not None else None for feed in self.feeds]
        for feed, rows, room in zip(self.feeds, chosen, x, strict=True):
            _take(feed.X, rows, start, stop, room)
        for i, own in enumerate(self.data):
            _take(own.y, chosen[self.feed_of[i]], start, stop, y[i])
            if weight is not None:
                _take(self._weight(own).to(x.dtype), chosen[self.feed_of[i]], start, stop, weight[i])
        return x, y, weight

    def _cut(self, chunk, members, step, first, n):
        x, y, weight = chunk
        rows = slice((step - first) * self.size, (step - first) * self.size + n)
        x = self._way(members, n)(x[:, rows])
        return members, x, y[members, rows], None if weight is None else weight[members, rows]

    def _way(self, members, n):
        """How ``members`` get their rows from those of all feeds, (n_feeds, n, ...)."""
        key = members.start, members.stop, n
        if key not in self._ways:
            self._ways[key] = self._find_way(members, n)
        return self._ways[key]

    def _find_way(self, members, n):
        runs = self._feed_runs(members)
        feeds = [feed for feed, _ in runs]
        if len(runs) == members.stop - members.start and feeds == list(range(feeds[0], feeds[-1] + 1)):
            return lambda x: x[feeds[0] : feeds[-1] + 1]
        if len(runs) > 1 and self._is_small(members, n):
            of_each = torch.tensor(self.feed_of[members], device=self.data[0].X.device)
            return lambda x: x.index_select(0, of_each)
        return lambda x: [(x[feed], run) for feed, run in runs]


def _take(values, rows, start, stop, room):
    found = values[start:stop] if rows is None else values.index_select(0, rows)
    room[: len(found)] = found


def runs_of(keys):
    """Slices of equal neighbours."""
    runs, start = [], 0
    for _, group in groupby(keys):
        runs.append(slice(start, start + len(list(group))))
        start = runs[-1].stop
    return runs
