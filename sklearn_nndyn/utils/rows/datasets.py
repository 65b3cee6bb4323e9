"""A map-style torch Dataset as arrays, or as rows that are read anew where they are large."""

from collections.abc import Mapping

import numpy as np
import torch
from skorch.helper import SliceDataset, SliceDict
from torch.utils.data import DataLoader, Dataset

from sklearn_nndyn.utils.rows.arrays import Rows
from sklearn_nndyn.utils.rows.reading import DatasetReader, label_of, leaving_generators_alone

LARGE_BYTES = 32 * 2**20  # in float32


def open_dataset(X, y=None, *, keep=True, num_workers=0):
    """The samples and labels of a Dataset that gives ``(x, y)`` or ``x`` alone; anything else as it is.

    Samples come as ndarray, `Rows` or SliceDict in the dtype of the Dataset; with ``keep`` large floats and bytes are
    read when they are needed, by ``num_workers`` processes. ``y`` takes the place of the labels of the Dataset.
    """
    if not isinstance(X, (Dataset, DataLoader, SliceDataset)):
        return X, y
    reader = DatasetReader(X, num_workers)
    with leaving_generators_alone():
        fields, labels = _read_all(reader, keep)
    samples = fields[None] if None in fields else SliceDict(**fields)
    return samples, labels if y is None else y


def open_labelled(X, y, name="X", **options):
    """`open_dataset`, where labels are needed: a ValueError that names the argument where there are none."""
    if isinstance(y, SliceDataset):
        y = _labels([label_of(one) for one in y])
    samples, labels = open_dataset(X, y, **options)
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
    reader : DatasetReader
    name : str or None
        Key of the part, where samples are dicts.
    shape : tuple of int
    dtype : torch.dtype
        That of the Dataset.
    """

    def __init__(self, reader, name, shape, dtype):
        super().__init__(shape, dtype)
        self.reader, self.name = reader, name

    def read(self, pieces):
        """Yield the tensor of each of some pieces."""
        for samples in self.reader.read_pieces(map(self._places, pieces)):
            yield self._finished(samples[self.name])

    def _read(self, places):
        return self.reader.read_piece(np.arange(self.reader.n_samples)[places])[self.name]


def _read_all(reader, keep):
    """{name: ndarray, or DatasetRows where it is large}, and all labels as an array or None."""
    kept, gathered, labels, shapes = {}, {}, [], None
    for samples, some in reader.read_once():
        if shapes is None:
            shapes = {name: values.shape[1:] for name, values in samples.items()}
            kept = {name: values for name, values in samples.items() if keep and _is_large(reader, values)}
            gathered = {name: [] for name in samples if name not in kept}
        _check_shapes(reader, samples, shapes)
        for name, chunks in gathered.items():
            chunks.append(samples[name])
        labels.append(some)
    if len({some is None for some in labels}) > 1:
        raise ValueError(f"X is a {reader.kind} that gives some samples with a label and some without.")
    fields = {
        name: _rows(reader, name, kept[name]) if name in kept else _array(gathered[name]) for name in shapes
    }
    return fields, None if labels[0] is None else _labels([label for some in labels for label in some])


def _check_shapes(reader, samples, shapes):
    found = {name: values.shape[1:] for name, values in samples.items()}
    if found != shapes:
        raise ValueError(
            f"X is a {reader.kind} whose samples must be of one shape: {_shown(shapes)} at first, "
            f"{_shown(found)} later."
        )


def _is_large(reader, values):
    of_kind = values.dtype.is_floating_point or values.dtype in (torch.uint8, torch.bool)
    return of_kind and 4 * reader.n_samples * values[0].numel() >= LARGE_BYTES


def _rows(reader, name, values):
    return DatasetRows(reader, name, (reader.n_samples, *values.shape[1:]), values.dtype)


def _array(chunks):
    values = torch.cat(chunks)
    return (values.float() if values.dtype == torch.bfloat16 else values).numpy()


def _held(samples):
    """Which labels are among the parts of the samples, in words."""
    names = [name for name in ("labels", "label") if isinstance(samples, Mapping) and name in samples]
    return f" beside them, but {names[0]!r} among them" if names else ""


def _labels(labels):
    """All labels as an array, those of several kinds as they are."""
    texts = {isinstance(label, str) for label in labels}
    return np.array(labels, dtype=object if len(texts) > 1 else None)


def _shown(shapes):
    shown = {name: tuple(shape) for name, shape in shapes.items()}
    return shown.get(None, shown)
