"""The samples to evaluate, as a recorder reads them: arrays, several of them by name, or a dataset."""

from collections.abc import Mapping

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset

from sklearn_nndyn.utils.random import untouched_generators
from sklearn_nndyn.utils.rows.named import NamedRows

BATCH_SIZE = 256
LABELS = ("labels", "label")


def rows_and_labels(X, y, module, collate_fn=None):
    """What a `Recorder` takes as samples and labels, on the device of ``module``.

    Parameters
    ----------
    X : array of shape (n_samples, ...), dict of such, Dataset or DataLoader
        The samples, as given by the user.
    y : array of shape (n_samples,) or None
        Class positions; None for a dataset, which has them.
    module : torch.nn.Module
        Numbers that are no integers are taken in the dtype of its parameters.
    collate_fn : callable, optional
        Makes a batch of the rows of a dataset; by default that of torch.

    Returns
    -------
    rows : tensor, NamedRows or DatasetBatches
        The samples.
    y : tensor of shape (n_samples,)
        Class positions.
    """
    like = next(module.parameters())
    if y is None:
        rows = DatasetBatches(X, like, collate_fn)
        return rows, rows.y
    y = torch.as_tensor(np.asarray(y)).to(like.device)
    if isinstance(X, Mapping):
        rows = NamedRows({name: as_tensor(values, like) for name, values in X.items()})
        lengths = {len(values) for values in rows.fields.values()} | {len(y)}
        if len(lengths) > 1:
            raise ValueError(f"X and y have other numbers of samples: {sorted(lengths)}.")
        return rows, y
    return as_tensor(X, like), y


def as_tensor(values, like):
    """A tensor on the device of ``like``; floats in its dtype."""
    tensor = torch.as_tensor(values)
    return tensor.to(like.device, like.dtype if tensor.is_floating_point() else None)


class DatasetBatches:
    """The batches of a map-style dataset, in its order, read anew in every pass.

    Parameters
    ----------
    data : Dataset or DataLoader
        Gives (x, y), or a dict with ``"labels"``; of a loader its dataset and ``collate_fn`` are taken.
    like : tensor
        Batches go to its device, floats to its dtype.
    collate_fn : callable, optional
        Makes a batch of rows.
    """

    def __init__(self, data, like, collate_fn=None):
        if isinstance(data, DataLoader):
            data, collate_fn = data.dataset, data.collate_fn
        if isinstance(data, IterableDataset) or not (
            hasattr(data, "__getitem__") and hasattr(data, "__len__")
        ):
            raise TypeError(
                f"Without y the samples must be a Dataset with a length, or its DataLoader; got {type(data).__name__}."
            )
        self.loader = DataLoader(data, batch_size=BATCH_SIZE, collate_fn=collate_fn)
        self.like = like
        with untouched_generators(like.device):
            self.y = torch.cat([labels for _, labels in self._read()])

    def chunks(self):
        """Yield (x, y) of all rows.

        Raises
        ------
        ValueError
            Where the labels are not those of the first pass.
        """
        start = 0
        for x, labels in self._read():
            if not torch.equal(labels, self.y[start : start + len(labels)]):
                raise ValueError(
                    "The dataset gives other labels than in the first pass over it: a record needs the same rows, in "
                    "the same order, at every epoch."
                )
            yield x, labels
            start += len(labels)

    def _read(self):
        for batch in self.loader:
            x, labels = _parts(batch)
            yield _moved(x, self.like), torch.as_tensor(labels).to(self.like.device)


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


def _moved(x, like):
    if isinstance(x, Mapping):
        return {name: as_tensor(values, like) for name, values in x.items()}
    return as_tensor(x, like)
