"""The samples to evaluate, as a recorder reads them: arrays, several of them by name, a dataset, or a loader."""

from collections.abc import Mapping

import numpy as np
import torch
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, default_collate

from sklearn_nndyn.utils.rows.arrays import Rows, tensor_of
from sklearn_nndyn.utils.rows.datasets import open_labelled
from sklearn_nndyn.utils.rows.given import as_labels, as_numbers
from sklearn_nndyn.utils.rows.named import NamedRows
from sklearn_nndyn.utils.rows.reading import leaving_generators_alone
from sklearn_nndyn.utils.validation import reraise_as

BATCH_SIZE = 256
LABELS = ("labels", "label")


def samples_and_labels(X, y=None, collate_fn=None):
    """Samples and class positions as a `Recorder` reads them, where they lie now.

    Parameters
    ----------
    X : array of shape (n_samples, ...), dict of such, Dataset or DataLoader
        Of a loader its dataset and ``collate_fn`` are taken. What has a method ``chunks`` is taken as it is.
    y : array of shape (n_samples,), default=None
        Class positions; None for a dataset that gives them.
    collate_fn : callable, default=None
        Makes a batch of the rows of a dataset; None is that of torch.

    Returns
    -------
    X : tensor, Rows or DatasetBatches
    y : tensor of shape (n_samples,)

    Raises
    ------
    TypeError, ValueError
    """
    if isinstance(X, torch.nn.Module):
        raise TypeError(
            f"The samples come first, got a network, {type(X).__name__}: give Recorder(X, y) or Recorder(loader), and "
            "the network at each epoch, record(module, epoch)."
        )
    if _reads_itself(X):
        return X, y
    if y is None and isinstance(X, (np.ndarray, torch.Tensor, Mapping)):
        raise TypeError(f"X is a {type(X).__name__}: give y beside it, the class positions.")
    if isinstance(X, (Dataset, DataLoader)) or y is None:
        X, y = _of_dataset(X, y, collate_fn)
    if not _reads_itself(X):
        X = NamedRows(_fields(X)) if isinstance(X, Mapping) else _as_rows(X, "X")
    y = _as_positions(y)
    if hasattr(X, "shape") and len(X) != len(y):
        raise ValueError(f"X has {len(X)} samples, but y has {len(y)}.")
    return X, y.to(X.device)


def placed(X, y, module):
    """The samples on the device of a network, floats in the dtype of its parameters."""
    like = next((p for p in module.parameters() if p.is_floating_point()), None)
    if like is None:
        return X, y
    return _like(X, like), y.to(like.device)


def check_decoded(recordings, X):
    """Refuse batches where layers are to be decoded."""
    if recordings and isinstance(X, DatasetBatches):
        raise TypeError(
            f"{type(recordings[0]).__name__} needs the samples as arrays, X and y, or a dataset that gives (x, y) "
            "without a collate_fn of its own."
        )


def _like(X, like):
    if isinstance(X, NamedRows):
        return NamedRows({name: _like(values, like) for name, values in X.fields.items()})
    X = X.to(like.device)
    return X.to(like.dtype) if X.is_floating_point() else X


def _reads_itself(X):
    return isinstance(X, Rows) or callable(getattr(X, "chunks", None))


def _as_rows(values, name):
    if isinstance(values, (torch.Tensor, Rows)):
        return values
    array = np.asarray(as_numbers(values, name))
    if array.dtype.kind not in "biuf" or not array.ndim:
        raise TypeError(
            f"{name} must be an array of numbers, got {array.dtype} in a {type(values).__name__}."
        )
    return tensor_of(np.ascontiguousarray(array))


def _fields(X):
    """Arrays by name, of one length."""
    fields = {name: _as_rows(values, f"X[{name!r}]") for name, values in X.items()}
    lengths = {name: len(values) for name, values in fields.items()}
    if len(set(lengths.values())) != 1:
        raise ValueError(f"The arrays of X must have one number of samples, got {lengths}.")
    return fields


def _as_positions(y):
    """Class positions, whole numbers from 0, as a tensor of int64."""
    given = y if isinstance(y, torch.Tensor) else np.asarray(as_labels(y))
    if given.ndim != 1 or not _is_whole(given.dtype):
        raise TypeError(
            "y must hold class positions, a tensor or array of integers of shape (n_samples,), got "
            f"{given.dtype} of shape {tuple(given.shape)}."
        )
    positions = torch.as_tensor(given).long()
    if len(positions) and positions.min() < 0:
        raise ValueError(f"y must hold class positions, 0 or greater, got {int(positions.min())}.")
    return positions


def _is_whole(dtype):
    if isinstance(dtype, torch.dtype):
        return not (dtype.is_floating_point or dtype.is_complex)
    return dtype.kind in "biu"


def _of_dataset(data, y, collate_fn):
    """Arrays where the samples can be put together as they are; else the batches that ``collate_fn`` makes."""
    if isinstance(data, DataLoader):
        _check_loader(data)
        data, collate_fn = data.dataset, data.collate_fn
    if y is None and (collate_fn not in (None, default_collate) or _needs_batches(data)):
        batches = DatasetBatches(data, collate_fn)
        return batches, batches.y
    return open_labelled(data, y)


def _check_loader(loader):
    """Refuse loaders whose dataset is not what they give."""
    if isinstance(loader.dataset, IterableDataset):
        return  # refused as a dataset
    if loader.batch_sampler is None:
        raise ValueError(
            "The loader has batch_size=None, so that what its dataset gives is no single sample: give one that makes "
            "batches, or the samples as arrays."
        )
    batches = loader.batch_sampler
    sampler = batches.sampler if type(batches) is BatchSampler else loader.sampler
    n_given, n_samples = getattr(sampler, "__len__", lambda: None)(), len(loader.dataset)
    if n_given is not None and n_given < n_samples:
        raise ValueError(
            f"The loader's {type(sampler).__name__} gives {n_given} of the {n_samples} samples of its dataset: give "
            "those that are to be recorded, Subset(dataset, indices), or a loader of them."
        )


def _check_has_places(data):
    if isinstance(data, IterableDataset) or not (hasattr(data, "__getitem__") and hasattr(data, "__len__")):
        raise TypeError(
            "Without y the samples must be a Dataset with a length and places, or its DataLoader, for a record needs "
            f"the same samples at every epoch; got {type(data).__name__}."
        )
    if not len(data):
        raise ValueError(f"The samples, a {type(data).__name__}, are none: a minimum of 1 is required.")


def _needs_batches(data):
    """Whether it is one of another library, or gives dicts that hold the labels too."""
    if not isinstance(data, Dataset):
        return True
    if isinstance(data, IterableDataset) or not hasattr(data, "__len__") or not len(data):
        return False  # refused when it is opened
    with leaving_generators_alone(), reraise_as(f"X is a {type(data).__name__} that cannot be read"):
        return isinstance(data[0], Mapping)


class DatasetBatches:
    """The batches that ``collate_fn`` makes of a map-style dataset, in its order, read anew in every pass.

    Parameters
    ----------
    data : Dataset
        Gives rows of which ``collate_fn`` makes (x, y), or a dict with ``"labels"``.
    collate_fn : callable, optional
        Makes a batch of rows.
    """

    def __init__(self, data, collate_fn=None):
        _check_has_places(data)
        self.loader = DataLoader(data, batch_size=BATCH_SIZE, collate_fn=collate_fn)
        self.device, self.dtype = torch.device("cpu"), None
        self._check_it_repeats()
        self.y = torch.cat([labels for _, labels in self._read()])

    def to(self, target):
        """The same batches on another device, or floats in another dtype; this one changes."""
        if isinstance(target, torch.dtype):
            self.dtype = target
        else:
            self.device, self.y = target, self.y.to(target)
        return self

    def is_floating_point(self):
        """Whether ``to`` takes a dtype: each part knows whether it is of floats."""
        return True

    def chunks(self):
        """Yield (x, y) of all rows; ValueError where the labels are not those of the first pass."""
        return with_same_labels(self._read(), self.y)

    def _read(self):
        with leaving_generators_alone():
            batches = iter(self.loader)
        for _ in range(len(self.loader)):
            with leaving_generators_alone():
                x, labels = _parts(next(batches))
            yield self._moved(x), _as_positions(labels).to(self.device)

    def _moved(self, x):
        if isinstance(x, Mapping):
            return {name: self._moved(values) for name, values in x.items()}
        x = torch.as_tensor(x)
        return x.to(self.device, self.dtype if x.is_floating_point() else None)

    def _check_it_repeats(self):
        """Whether the first batch is the same when it is read again."""
        with leaving_generators_alone():
            (once, _), (again, _) = (_parts(next(iter(self.loader))) for _ in range(2))
        parts = [x if isinstance(x, Mapping) else {"x": x} for x in (once, again)]
        if not all(_equal(values, parts[1][name]) for name, values in parts[0].items()):
            raise ValueError(
                "The samples are other ones when they are read again: what is recorded of a sample would be of another "
                "one. Give the dataset without its random changes."
            )


def with_same_labels(batches, y):
    """Yield (x, y) of all batches, whose labels must be those of the first pass."""
    start = 0
    for x, labels in batches:
        expected = y[start : start + len(labels)]
        if not torch.equal(labels.reshape(-1).to(expected), expected):
            raise ValueError(
                "The dataset gives other labels, or rows in another order, than in the first pass over it: a record "
                "needs the same rows, in the same order, at every epoch."
            )
        yield x, expected
        start += len(labels)


def _equal(a, b):
    a, b = torch.as_tensor(a), torch.as_tensor(b)
    return a.shape == b.shape and torch.allclose(a, b, rtol=0, atol=0, equal_nan=True)


def _parts(batch):
    """Samples and labels of a batch."""
    if isinstance(batch, Mapping):
        name = next((name for name in LABELS if name in batch), None)
        if name is None:
            raise ValueError(f'The dataset gives {", ".join(map(repr, batch))}, and no "labels".')
        return {key: values for key, values in batch.items() if key != name}, batch[name]
    if not isinstance(batch, (tuple, list)) or len(batch) != 2:
        raise TypeError('The dataset must give (x, y), or a dict with "labels".')
    return batch
