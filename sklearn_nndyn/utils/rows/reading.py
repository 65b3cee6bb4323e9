"""The samples of a map-style torch Dataset, read a few at a time, by this process or by workers."""

import copy
import random
from collections.abc import Mapping
from contextlib import contextmanager
from itertools import islice

import numpy as np
import torch
from skorch.helper import SliceDataset
from torch.utils.data import DataLoader, IterableDataset, default_collate

from sklearn_nndyn.utils.random import RandomState, fixed_generators, untouched_generators
from sklearn_nndyn.utils.rows.arrays import tensor_of
from sklearn_nndyn.utils.rows.workers import Workers
from sklearn_nndyn.utils.validation import is_count, reraise_as

AT_ONCE = 256
BY_A_WORKER = 32
READ_TWICE = 8


class DatasetReader:
    """A Dataset, and how its samples are read.

    Parameters
    ----------
    dataset : torch.utils.data.Dataset or skorch.helper.SliceDataset
    num_workers : int, default=0
        Processes that read; 0 reads in this one.

    Raises
    ------
    TypeError, ValueError
        Where it has no length, or no samples.
    """

    def __init__(self, dataset, num_workers=0):
        if not is_count(num_workers):
            raise ValueError(f"num_workers must be an integer, 0 or greater, got {num_workers!r}.")
        kind = type(dataset).__name__
        if isinstance(dataset, DataLoader):
            raise TypeError(
                f"X is a {kind}: give its dataset, loader.dataset; batches are cut by batch_size and shuffle, and "
                "read by num_workers processes."
            )
        self.dataset, self.kind, self.n_samples = dataset, kind, _length(dataset)
        if self.n_samples is None:
            raise TypeError(
                f"X is a {kind}, a Dataset without a length or without places: a record needs the same samples at "
                "every epoch. Give a map-style Dataset, with __len__ and __getitem__."
            )
        if not self.n_samples:
            raise ValueError(f"X is a {kind} without samples: a minimum of 1 is required.")
        self.last = None, None
        self.workers = Workers(copy.copy(self), num_workers)

    def read_pieces(self, pieces):
        """Yield {name: tensor} of the samples at each of some places, slices or arrays."""
        places = np.arange(self.n_samples)  # of which slices are views
        pieces = [places[piece] for piece in pieces]
        parts = [_cut(piece, BY_A_WORKER) for piece in pieces]
        with self.workers.lent() as call:
            if call is None or sum(map(len, parts)) < 2:
                yield from map(self.read_piece, pieces)
                return
            found = call([("read", part) for piece in parts for part in piece])
            for piece, own in zip(pieces, parts, strict=True):
                yield self._remember(piece, [samples for samples, _ in islice(found, len(own))])

    def read_piece(self, piece):
        """{name: tensor} of the samples at some places, an array; the last ones read are not read again."""
        if self.last[0] is not None and np.array_equal(self.last[0], piece):
            return self.last[1]
        with leaving_generators_alone():  # a Dataset may seed them for each sample
            return self._remember(piece, [self.read(part)[0] for part in _cut(piece, AT_ONCE)])

    def _remember(self, piece, parts):
        """The parts joined; of samples with several names they are kept, for each name is asked for by itself."""
        samples = (
            parts[0] if len(parts) == 1 else {name: torch.cat([p[name] for p in parts]) for name in parts[0]}
        )
        self.last = (piece, samples) if len(samples) > 1 else (None, None)
        return samples

    def read_once(self):
        """Yield samples and labels of the whole Dataset, found not to change with random numbers."""
        self._check_it_repeats()
        pieces = _cut(np.arange(self.n_samples), AT_ONCE)
        with self.workers.lent() as call:
            if call is None or len(pieces) < 2:
                yield from map(self.read_unchanged, pieces)
            else:
                yield from call([("read_unchanged", piece) for piece in pieces])

    def read(self, places):
        """{name: tensor (n, ...)} of the samples at some places, and their labels or None."""
        places = [int(place) for place in places]
        with reraise_as(f"X is a {self.kind} that cannot be read"):
            items = self._items(places)
        if len(items) != len(places):
            raise ValueError(
                f"X is a {self.kind} whose __getitems__ gives {len(items)} samples where {len(places)} are asked for."
            )
        pairs = [self._parts(item) for item in items]
        if len({label is None for _, label in pairs}) > 1:
            raise ValueError(f"X is a {self.kind} that gives some samples with a label and some without.")
        samples = self._join([sample for sample, _ in pairs])
        labels = None if pairs[0][1] is None else [label_of(label) for _, label in pairs]
        return samples, labels

    def _items(self, places):
        if getattr(self.dataset, "__getitems__", None):
            return self.dataset.__getitems__(places)
        return [self.dataset[place] for place in places]

    def _parts(self, item):
        """Sample and label of what the Dataset gives."""
        if isinstance(self.dataset, SliceDataset) or not isinstance(item, (tuple, list)):
            return item, None
        if len(item) not in (1, 2):
            raise TypeError(f"X is a {self.kind} that gives {len(item)} values, where it must give (x, y).")
        return item[0], item[1] if len(item) == 2 else None

    def _join(self, samples):
        kinds = {frozenset(sample) if isinstance(sample, Mapping) else None for sample in samples}
        if len(kinds) > 1:
            raise ValueError(f"X is a {self.kind} whose samples are not all of the same keys.")
        try:
            joined = default_collate([_without_flag(sample) for sample in samples])
        except (RuntimeError, TypeError, ValueError) as error:
            raise ValueError(
                f"X is a {self.kind} whose samples must be numbers of one shape, as tensors or arrays (or dicts of "
                f"such): {error}"
            ) from error
        fields = dict(joined) if isinstance(joined, Mapping) else {None: joined}
        if isinstance(joined, Mapping) and not all(isinstance(name, str) for name in fields):
            raise TypeError(
                f"X is a {self.kind} whose samples have the keys {list(fields)}: they must be strings, the names under "
                "which forward takes the arrays."
            )
        for name, values in fields.items():
            if not torch.is_tensor(values):
                what = "" if name is None else f" under {name!r}"
                kind = _kind_of(samples[0], name)
                hint = ": give its parts names, in a dict" if kind in ("tuple", "list") else ""
                raise TypeError(f"X is a {self.kind} that gives {kind}{what}, not numbers{hint}.")
        return {name: values.detach() for name, values in fields.items()}

    def _check_it_repeats(self):
        """Whether a second reading gives the same."""
        places = range(min(READ_TWICE, self.n_samples))
        self._check_same(self.read(places), self.read(places))

    def read_unchanged(self, places):
        """Read, and where that draws random numbers, see whether it gives the same from others."""
        pythons, swap = random.getstate(), fixed_generators()
        with swap:
            found = self.read(places)
        if swap.drew or random.getstate() != pythons:
            with RandomState(1):
                self._check_same(found, self.read(places))
        return found

    def _check_same(self, once, again):
        (first, labels), (second, labels_again) = once, again
        same = first.keys() == second.keys() and all(_equal(first[name], second[name]) for name in first)
        if not same or repr(labels) != repr(labels_again):
            raise ValueError(
                f"X is a {self.kind} that gives other values when it is read again: what is recorded of a sample would "
                "be of another one. Give it without random changes; DynamicsClassifier makes them by batch_transform, "
                "which is seeded and meets training batches alone."
            )


@contextmanager
def leaving_generators_alone():
    """Leave the generators of torch, NumPy and Python as they were, whatever a Dataset draws."""
    pythons = random.getstate()
    try:
        with untouched_generators():
            yield
    finally:
        random.setstate(pythons)


def _cut(places, size):
    """Places in pieces of at most ``size``."""
    return np.array_split(places, max(1, -(-len(places) // size)))


def _length(dataset):
    """Number of samples, or None where there is none."""
    if isinstance(dataset, IterableDataset):
        return None
    try:
        return len(dataset)
    except (TypeError, NotImplementedError):
        return None


def label_of(label):
    """A number or a string, of a tensor with one number too; a list of several."""
    return label.tolist() if hasattr(label, "tolist") else label


def _equal(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and torch.allclose(a, b, rtol=0, atol=0, equal_nan=True)


def _without_flag(sample):
    """Read-only arrays, as of a mapped file, as tensors: at the flag torch would warn."""
    if isinstance(sample, Mapping):
        return {name: _without_flag(values) for name, values in sample.items()}
    if isinstance(sample, np.ma.MaskedArray) and np.ma.is_masked(sample):
        raise ValueError("got a masked array, whose masked values would be used: fill them, x.filled(...).")
    read_only = isinstance(sample, np.ndarray) and not sample.flags.writeable
    return tensor_of(sample) if read_only and sample.dtype.kind in "biuf" else sample


def _kind_of(sample, name):
    return type(sample if name is None else sample[name]).__name__
