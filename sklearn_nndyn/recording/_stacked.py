"""Several networks recorded in one pass over the rows that they share."""

from itertools import pairwise

import numpy as np
import torch

from sklearn_nndyn.recording._geometry import Centroids
from sklearn_nndyn.recording._samples import measure_samples
from sklearn_nndyn.utils.modules import chunk_sizes, rows_per_chunk
from sklearn_nndyn.utils.networks.devices import few_copies

MOST_ROWS = 2**14


class StackedRecorder:
    """Recorders of the same rows, each of a network of its own, that record together.

    Parameters
    ----------
    recorders : list of Recorder
        The recorders of M networks, with the same entries and rows. Labels and losses may differ.
    losses : LossStack
        The losses of the M networks.
    small_chunks : bool, default=True
        Whether fewer rows may be run at once than one network would be given, which is faster.
    """

    def __init__(self, recorders, losses, small_chunks=True):
        self.recorders, self.losses, self.small_chunks = recorders, losses, small_chunks
        self.entries = recorders[0].entries
        self.target = torch.stack([recorder.y for recorder in recorders])
        n_classes = recorders[0].n_classes
        self.counts = torch.stack([torch.bincount(y, minlength=n_classes) for y in self.target])

    def record(self, forward, epoch, norms):
        """Record all networks.

        ``forward(rows) -> (scores, layers, maps)`` gives of a slice of the rows (M, n, n_classes), {name: (M, n, ...)},
        and the names of those layers that are feature maps; ``norms`` are the weight norms of each network, by layer.
        """
        rows_of = [recorder.buffers.new_rows(1) for recorder in self.recorders]
        geometry = self.recorders[0].geometry
        centroids = None if geometry is None else Centroids(self.counts, geometry)
        with few_copies(self.target.device) as write:
            for rows in self._chunks():
                scores, layers, maps = forward(rows)
                self._keep(write, rows_of, rows, scores)
                if centroids is not None:
                    centroids.add(scores, layers, self.target[:, rows], maps)
            means = centroids.means() if centroids is not None else {}
            for i, (recorder, place) in enumerate(zip(self.recorders, rows_of, strict=True)):
                own = {name: values[i : i + 1] for name, values in means.items()}
                recorder.buffers.store_geometry(write, place, own, norms[i : i + 1])
        for recorder in self.recorders:
            recorder.epochs.append(epoch)

    def _keep(self, write, rows_of, rows, scores):
        measured = {}
        if "samples" in self.entries:
            measures = measure_samples(scores, self.target[:, rows], self.losses)._asdict()
            measured = {name: _sliced_fast(values) for name, values in measures.items() if values is not None}
        for i, (recorder, place) in enumerate(zip(self.recorders, rows_of, strict=True)):
            own = {name: values[i : i + 1] for name, values in measured.items()}
            recorder.buffers.store_samples(write, place, rows, scores[i : i + 1], own)

    def _chunks(self):
        X = self.recorders[0].X
        size = rows_per_chunk(X.shape[1:])
        if self.small_chunks:
            size = min(size, max(64, MOST_ROWS // len(self.recorders)))
        ends = np.cumsum([0, *chunk_sizes(len(X), size)]).tolist()
        return [slice(start, stop) for start, stop in pairwise(ends)]


def _sliced_fast(values):
    """An array, which is sliced in less time than a tensor, where that takes no copy."""
    return values.numpy() if values.device.type == "cpu" else values
