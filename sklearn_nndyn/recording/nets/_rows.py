"""The rows of a dataset as a skorch net is given them, in the order of the dataset."""

import hashlib
from collections.abc import Mapping

import numpy as np
import torch
from skorch import NeuralNet
from skorch.dataset import Dataset, unpack_data
from skorch.utils import data_from_dataset, to_tensor
from torch.utils.data import BatchSampler, DataLoader, IterableDataset, SequentialSampler, Subset

from sklearn_nndyn.recording._given import with_same_labels
from sklearn_nndyn.utils.modules import chunk_sizes, rows_per_chunk

PLAIN_SETTINGS = {"batch_size", "shuffle", "num_workers", "pin_memory"}


class NetRows:
    """The batches that a net's own iterator makes of a dataset in evaluation, read anew in every pass.

    Parameters
    ----------
    net : skorch.NeuralNet
    dataset : torch.utils.data.Dataset
        Gives (x, y).

    Attributes
    ----------
    y : tensor of shape (n_samples,)
        The labels, on the device of the net.
    digest : str
        Tells datasets, and orders of their rows, apart.

    Raises
    ------
    ValueError
        Where the labels are no class positions, or the iterator leaves out rows or repeats some.
    """

    def __init__(self, net, dataset):
        self.net, self.dataset = net, dataset
        arrays = _plain_arrays(net, dataset)
        self.arrays = None if arrays is None else [to_tensor(values, net.device) for values in arrays]
        digest, labels = hashlib.blake2b(digest_size=16), []
        for x, y in self._read():
            _add(digest, (x, y))
            labels.append(y)
        self.y, self.digest = check_labels(torch.cat(labels)), digest.hexdigest()
        if _is_sized(dataset) and len(self.y) != len(dataset) and not _makes_batches(dataset, net):
            raise ValueError(
                f"RecordDynamics reads a dataset through the net's own iterator, which gave {len(self.y)} rows of a "
                f"dataset of {len(dataset)}: each row must come once."
            )

    def chunks(self):
        """Yield (x, y) of all rows, y as class positions; ValueError where they are not those of the first pass."""
        return with_same_labels(self._read(), self.y)

    def as_array(self, what):
        """All rows as one float tensor, (n_samples, ...), for ``what`` needs them so.

        Raises
        ------
        TypeError
            Where they are not.
        """
        if self.arrays is not None:
            return self.arrays[0]
        batches = [to_tensor(x, self.net.device) for x, _ in self._read()]
        odd = next((x for x in batches if not _is_array(x) or x.shape[1:] != batches[0].shape[1:]), None)
        if odd is not None:
            kind = "tensor of another shape for each row" if _is_array(odd) else type(odd).__name__
            raise TypeError(f"{what} needs the input as one array of numbers, the net was given a {kind}.")
        return torch.cat(batches)

    def _read(self):
        if self.arrays is not None:
            X, y = self.arrays
            sizes = chunk_sizes(len(X), rows_per_chunk(X.shape[1:]))
            yield from zip(X.split(sizes), y.split(sizes), strict=True)
            return
        for batch in in_order(self.net.get_iterator(self.dataset, training=False), self.net):
            x, y = unpack_data(batch)
            yield x, to_tensor(y, self.net.device)


def in_order(iterator, net):
    """The same iterator, or one like it that takes every row once, in the order of the dataset."""
    if not isinstance(iterator, DataLoader) or isinstance(iterator.dataset, IterableDataset):
        return iterator
    sampler, batches = iterator.sampler, iterator.batch_sampler
    plain = batches is None or (type(batches) is BatchSampler and batches.sampler is sampler)
    if type(sampler) is SequentialSampler and plain and not iterator.drop_last:
        return iterator
    size = iterator.batch_size or net.batch_size
    return DataLoader(
        iterator.dataset,
        batch_size=len(iterator.dataset) if size == -1 else size,
        collate_fn=iterator.collate_fn,
        num_workers=iterator.num_workers,
    )


def check_labels(y):
    """Labels as class positions (n_samples,), or a ValueError."""
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1 or y.is_complex() or not torch.equal(y, y.long().to(y.dtype)) or (y < 0).any():
        given = f"shape {tuple(y.shape)}" if y.ndim != 1 else f"values such as {_not_a_position(y):g}"
        raise ValueError(
            f"RecordDynamics records classifiers: y must hold class positions, 0 or greater, but has {given}."
        )
    return y.long()


def _not_a_position(y):
    return float(y[(y != y.long()) | (y < 0)][0])


def _plain_arrays(net, dataset):
    """X and y where they are arrays that the net is given row by row as they are, else None."""
    settings = net.get_params_for("iterator_valid")
    plain_iterator = (
        type(net).get_iterator is NeuralNet.get_iterator
        and net.iterator_valid is DataLoader
        and PLAIN_SETTINGS.issuperset(settings)
    )
    if not plain_iterator or not _is_plain(dataset):
        return None
    X, y = data_from_dataset(dataset)
    return (X, y) if all(isinstance(values, (np.ndarray, torch.Tensor)) for values in (X, y)) else None


def _is_plain(dataset):
    while type(dataset) is Subset:
        if not isinstance(dataset.indices, (list, np.ndarray)):  # data_from_dataset takes no others
            return False
        dataset = dataset.dataset
    return type(dataset) is Dataset


def _is_sized(dataset):
    return hasattr(dataset, "__len__") and not isinstance(dataset, IterableDataset)


def _makes_batches(dataset, net):
    """Whether the dataset's own items are batches."""
    iterator = net.get_iterator(dataset, training=False)
    return isinstance(iterator, DataLoader) and iterator.batch_sampler is None


def _is_array(x):
    return isinstance(x, torch.Tensor) and x.layout is torch.strided


def _add(digest, value):
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu()
        value = (value.to_dense() if value.layout is not torch.strided else value).numpy()
    if isinstance(value, np.ndarray):
        digest.update(repr((value.shape, value.dtype)).encode())
        digest.update(np.ascontiguousarray(value).tobytes())
    elif isinstance(value, Mapping):
        _add(digest, [list(value.items())])
    elif isinstance(value, (list, tuple)):
        for inner in value:
            _add(digest, inner)
    else:
        digest.update(repr(value).encode())
