"""Samples recorded as their batches pass in training, without a pass of their own."""

from contextlib import ExitStack, nullcontext

import numpy as np
import torch

from sklearn_nndyn.dynamics import IN_TRAINING
from sklearn_nndyn.losses import is_known
from sklearn_nndyn.recording import Recorder, measure_samples
from sklearn_nndyn.utils.networks.devices import to_host
from sklearn_nndyn.utils.networks.evaluation import evaluation_mode
from sklearn_nndyn.utils.random import untouched_generators

BUFFER_BYTES = 2**20


class BatchRecorder(Recorder):
    """Records the scores that training gives, in place of evaluating the network.

    Scores are copied as batches pass, and measured many at once; where the loss is not one of the library's, batch by
    batch, as it may change meanwhile.

    Parameters
    ----------
    data : TrainingData
        The rows to record.
    trained : TrainingData
        The rows that are trained on.
    places : ndarray of int of shape (n_trained,) or None
        The row of the record of each trained row, -1 for none; None where they are the same.
    loss : ClassificationLoss
    n_classes, capacity : int
        As for `Recorder`.
    """

    evaluates, header_entries = False, IN_TRAINING

    def __init__(self, data, trained, places, loss, n_classes, capacity):
        self._begin(data.X, data.y, loss, ("samples",), n_classes, capacity)
        self.trained_y, self.places = trained.y, places
        self._order, self._scores, self._is_known = None, None, is_known(loss)

    def begin_epoch(self, order):
        """Begin an epoch whose batches hold the trained rows in this order, None for the given one."""
        self._order = (
            torch.arange(len(self.trained_y), device=self.trained_y.device) if order is None else order
        )
        self._row, self._measured, self._held = self.buffers.new_rows(1).start, 0, 0
        if self.places is not None:  # else every cell will be written
            for name, field in self.buffers.fields.items():
                field[self._row] = -1 if name == "prediction" else np.nan

    def add(self, scores, values):
        """Take the scores (n, n_classes) and losses (n,) of a batch before its update."""
        if not self._is_known:
            return self._measure(scores, values)
        stop = self._held + scores.shape[0]
        if self._scores is None or stop > self._scores.shape[0] or self._scores.dtype != scores.dtype:
            return self._add_elsewhere(scores)
        self._scores[self._held : stop] = scores
        self._held = stop

    def _add_elsewhere(self, scores):
        """Make room, first or again; a batch that needs all of it is measured at once."""
        self._flush()
        n_rows = BUFFER_BYTES // scores[:1].nbytes
        if scores.shape[0] > n_rows:
            return self._measure(scores)
        if self._scores is None or self._scores.dtype != scores.dtype:
            self._scores = scores.new_empty(n_rows, scores.shape[1])
        self.add(scores, None)

    def _flush(self):
        held, self._held = self._held, 0
        if held:
            self._measure(self._scores[:held])

    def _measure(self, scores, values=None):
        rows = self._order[self._measured : self._measured + len(scores)]
        self._measured += len(scores)
        with torch.no_grad(), nullcontext() if values is None else self._unseen():
            measures = measure_samples(scores.detach()[None], self.trained_y[rows], self.loss)._asdict()
        if values is not None:
            measures["loss"] = values.detach()[None]
        self._write(rows, measures)

    def _unseen(self):
        """The loss in evaluation mode, and the generators as they are afterwards."""
        stack = ExitStack()
        stack.enter_context(evaluation_mode(self.loss))
        stack.enter_context(untouched_generators(self.y.device))
        return stack

    def _write(self, rows, measures):
        fields = self.buffers.fields
        rows, *values = (t.numpy() for t in to_host([rows, *(measures[name][0] for name in fields)]))
        chosen = slice(None) if self.places is None else np.flatnonzero(self.places[rows] >= 0)
        places = rows if self.places is None else self.places[rows][chosen]
        for field, own in zip(fields.values(), values, strict=True):
            field[self._row][places] = own[chosen]

    def _record(self, module, epoch, call=None):
        """Close the epoch that was begun; at other times there is nothing to record."""
        if self._order is not None:
            self._flush()
            self.epochs.append(epoch)
            self._order = None
