"""A map-style torch Dataset as arrays, or as rows that are read anew where they are large."""

import random
from collections.abc import Mapping
from contextlib import contextmanager

import numpy as np
import torch
from skorch.helper import SliceDataset, SliceDict
from torch.utils.data import DataLoader, Dataset, IterableDataset, default_collate

from sklearn_nndyn.utils.random import RandomState, fixed_generators, untouched_generators
from sklearn_nndyn.utils.rows.arrays import Rows
from sklearn_nndyn.utils.validation import reraise_as

AT_ONCE = 256
READ_TWICE = 8
LARGE_BYTES = 32 * 2**20  # in float32


def open_dataset(X, y=None, *, keep=True):
    """The samples and labels of a Dataset; anything else as it is.

    Parameters
    ----------
    X : object
        A Dataset that gives ``(x, y)``, or ``x`` alone; x is a tensor, an array, or a dict of such.
    y : array-like of shape (n_samples,), optional
        Taken in place of the labels of the Dataset.
    keep : bool, default=True
        Whether large floats and bytes stay in the Dataset, and are read when they are needed.

    Returns
    -------
    X : ndarray, Rows or SliceDict
        In the dtype of the Dataset. Whole numbers other than bytes are read into memory.
    y : array-like or None
        None where there are no labels.

    Raises
    ------
    TypeError, ValueError
        For a Dataset without a length, one that gives other values when it is read again, samples of different shapes,
        what is no number, and a Dataset that fails.
    """
    if not isinstance(X, (Dataset, DataLoader, SliceDataset)):
        return X, y
    source = _Source(X)
    with leaving_generators_alone():
        source.check_it_repeats()
        fields, labels = source.read_all(keep)
    samples = fields[None] if None in fields else SliceDict(**fields)
    return samples, labels if y is None else y


@contextmanager
def leaving_generators_alone():
    """Leave the generators of torch, NumPy and Python as they were, whatever a Dataset draws."""
    pythons = random.getstate()
    try:
        with untouched_generators():
            yield
    finally:
        random.setstate(pythons)


def open_labelled(X, y, name="X", *, keep=True):
    """The samples and labels of a Dataset, which must have some where ``y`` is None; anything else as it is.

    Parameters
    ----------
    X, y : object
    name : str, default="X"
        The argument, for messages.
    keep : bool, default=True
        As in `open_dataset`.

    Raises
    ------
    TypeError, ValueError
        As in `open_dataset`, and where labels are missing.
    """
    if isinstance(y, SliceDataset):
        y = _labels([_label(label) for label in y])
    samples, labels = open_dataset(X, y, keep=keep)
    if labels is None and samples is not X:
        raise ValueError(
            f"{name} is a {type(X).__name__} that gives samples without labels{_held(samples)}: it must give (x, y), "
            "or the labels are given beside it."
        )
    return samples, labels


class DatasetRows(Rows):
    """Rows of one part of what a Dataset gives, read when they are taken.

    Parameters
    ----------
    source : _Source
    name : str or None
        Key of the part, where samples are dicts.
    shape : tuple of int
    dtype : torch.dtype
        That of the Dataset.
    """

    def __init__(self, source, name, shape, dtype):
        super().__init__(shape, dtype)
        self.source, self.name = source, name

    def _read(self, places):
        places = np.arange(self.source.n_samples)[places]
        with leaving_generators_alone():  # a Dataset may seed them for each sample
            batches = [
                self.source.read(places[start : start + AT_ONCE])[0][self.name]
                for start in range(0, len(places), AT_ONCE)
            ]
        if not batches:
            return torch.empty(0, *self.sample_shape, dtype=self.dtype)
        return batches[0] if len(batches) == 1 else torch.cat(batches)


class _Source:
    """A Dataset, and how its rows are read."""

    def __init__(self, dataset):
        kind = type(dataset).__name__
        if isinstance(dataset, DataLoader):
            raise TypeError(
                f"X is a {kind}: give its dataset, loader.dataset; batches are cut by batch_size and shuffle."
            )
        self.dataset, self.kind, self.n_samples = dataset, kind, _length(dataset)
        if self.n_samples is None:
            raise TypeError(
                f"X is a {kind}, a Dataset without a length or without places: a record needs the same samples at "
                "every epoch. Give a map-style Dataset, with __len__ and __getitem__."
            )
        if not self.n_samples:
            raise ValueError(f"X is a {kind} without samples: a minimum of 1 is required.")

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
        labels = None if pairs[0][1] is None else [_label(label) for _, label in pairs]
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
            joined = default_collate(samples)
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

    def check_it_repeats(self):
        """Whether a second reading gives the same."""
        places = range(min(READ_TWICE, self.n_samples))
        self._check_same(self.read(places), self.read(places))

    def _read_once(self, places):
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

    def read_all(self, keep):
        """{name: ndarray, or DatasetRows where it is large}, and all labels as an array or None."""
        kept, gathered, labels = {}, {}, []
        for start in range(0, self.n_samples, AT_ONCE):
            samples, some = self._read_once(range(start, min(start + AT_ONCE, self.n_samples)))
            if not start:
                kept = {name: values for name, values in samples.items() if keep and self._is_large(values)}
                gathered = {name: [] for name in samples if name not in kept}
                shapes = {name: values.shape[1:] for name, values in samples.items()}
            self._check_shapes(samples, shapes)
            for name, chunks in gathered.items():
                chunks.append(samples[name])
            labels.append(some)
        if len({some is None for some in labels}) > 1:
            raise ValueError(f"X is a {self.kind} that gives some samples with a label and some without.")
        fields = {
            name: self._rows(name, kept[name]) if name in kept else _array(gathered[name]) for name in shapes
        }
        return fields, None if labels[0] is None else _labels([label for some in labels for label in some])

    def _check_shapes(self, samples, shapes):
        found = {name: values.shape[1:] for name, values in samples.items()}
        if found != shapes:
            raise ValueError(
                f"X is a {self.kind} whose samples must be of one shape: {_shown(shapes)} at first, "
                f"{_shown(found)} later."
            )

    def _is_large(self, values):
        of_kind = values.dtype.is_floating_point or values.dtype in (torch.uint8, torch.bool)
        return of_kind and 4 * self.n_samples * values[0].numel() >= LARGE_BYTES

    def _rows(self, name, values):
        return DatasetRows(self, name, (self.n_samples, *values.shape[1:]), values.dtype)


def _array(chunks):
    values = torch.cat(chunks)
    return (values.float() if values.dtype == torch.bfloat16 else values).numpy()


def _length(dataset):
    """Number of samples, or None where there is none."""
    if isinstance(dataset, IterableDataset):
        return None
    try:
        return len(dataset)
    except (TypeError, NotImplementedError):
        return None


def _held(samples):
    """Which labels are among the parts of the samples, in words."""
    names = [name for name in ("labels", "label") if isinstance(samples, Mapping) and name in samples]
    return f" beside them, but {names[0]!r} among them" if names else ""


def _label(label):
    """A number or a string, of a tensor with one number too; a list of several."""
    return label.tolist() if hasattr(label, "tolist") else label


def _labels(labels):
    """All labels as an array, those of several kinds as they are."""
    texts = {isinstance(label, str) for label in labels}
    return np.array(labels, dtype=object if len(texts) > 1 else None)


def _equal(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and torch.allclose(a, b, rtol=0, atol=0, equal_nan=True)


def _kind_of(sample, name):
    return type(sample if name is None else sample[name]).__name__


def _shown(shapes):
    shown = {name: tuple(shape) for name, shape in shapes.items()}
    return shown.get(None, shown)
