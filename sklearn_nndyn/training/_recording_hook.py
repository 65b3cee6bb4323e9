"""The hook that records during training."""

import time

from sklearn_nndyn.recording import (
    chosen_samples,
    count_iterations,
    record_in_fit,
    recorder_of_fit,
    without_choice,
)
from sklearn_nndyn.training._batch_recorder import BatchRecorder
from sklearn_nndyn.training._hooks import TrainingHook


class Recording(TrainingHook):
    """Record the samples and keep the weights, at the scheduled times.

    Parameters
    ----------
    datasets : dict of TrainingData
        ``"train"`` and, where there is one, ``"validation"``.
    loss : ClassificationLoss
    record : tuple
        Entries to record; empty for nothing.
    schedule : RecordSchedule
    snapshots : Snapshots or None
        Storage of the weights; None keeps none.
    iterations : dict
        {recorded epoch: updates before it}; filled in place.
    n_classes, capacity : int
    data : TrainingData
        The rows that are trained on.
    places : ndarray of int, optional
        See `BatchRecorder`.
    step : int
        Weights are kept at every ``step``-th of the recorded epochs.

    Attributes
    ----------
    recorders_run : bool
        Whether this hook runs the recorders; False where several networks are trained together and recorded in one
        forward pass.
    """

    recorders_run = True

    def __init__(
        self,
        datasets,
        loss,
        record,
        schedule,
        snapshots,
        iterations,
        n_classes,
        capacity,
        data,
        places=None,
        step=1,
    ):
        self.schedule, self.snapshots, self.iterations, self.step = schedule, snapshots, iterations, step
        self.watches_steps = schedule.by_iteration
        self.times = {}
        self.recorders, self.batch_recorder = {}, None
        sizes = {"n_classes": n_classes, "capacity": capacity}
        if record and chosen_samples(record).in_training:
            self.batch_recorder = BatchRecorder(datasets["train"], data, places, loss, **sizes)
            self.recorders["train"] = self.batch_recorder
        entries = without_choice(record)
        for name, watched in datasets.items() if record else ():
            if name not in self.recorders:
                reference = self.recorders.get("train") if self.batch_recorder is None else None
                self.recorders[name] = recorder_of_fit(
                    watched.X, watched.y, loss, entries, reference=reference, **sizes
                )

    def recorder_of(self, name, epoch):
        """The recorder of some rows, if it has measured the samples at this epoch; else None."""
        recorder = self.recorders.get(name)
        has = (
            recorder is not None
            and recorder.evaluates
            and "samples" in recorder.entries
            and recorder.epochs[-1:] == [epoch]
        )
        return recorder if has else None

    def watch(self, net, order):
        """What takes scores and losses of the batches of the epoch that begins, or None."""
        if self.batch_recorder is None or not self.schedule.is_due(self._finished[0] + 1, None):
            return None
        is_whole = net.batch_size >= len(
            self.batch_recorder.trained_y
        )  # then the order of the rows is the given one
        self.batch_recorder.begin_epoch(None if is_whole else order)
        return self.batch_recorder.add

    def on_train_begin(self, net):
        """Record once before the first update."""
        self._last = time.perf_counter()
        self._finish(net)
        self._drop_stale_snapshots(*self._finished)
        self._record(net, *self._finished)

    def load_state_dict(self, net, state):
        """Go on after what was recorded."""
        self._last = time.perf_counter()
        self._finish(net)

    def on_step(self, net, step):
        """Record the network after an update within an epoch."""
        if step < self.schedule.steps:
            epoch, iteration = self._finished
            self._record(net, epoch + step / self.schedule.steps, iteration + step)

    def on_epoch_end(self, net):
        """Record the network after an epoch."""
        epoch, iteration = self._finished
        if len(net.history) == epoch + 1:  # to count all anew takes the square of the length of a training
            self._finished = epoch + 1, iteration + count_iterations([next(reversed(net.history))])
        else:
            self._finish(net)
        self._record(net, *self._finished)

    def _finish(self, net):
        """Store the numbers of finished epochs and updates, once an epoch, so that a step need not count them."""
        self._finished = len(net.history), count_iterations(net.history)

    def on_train_end(self, net):
        """Drop what was recorded of an epoch that was rolled back."""
        self.forget_after(len(net.history))

    def forget_after(self, epoch):
        """Drop all records and snapshots after ``epoch``."""
        for kept in (*self.recorders.values(), self.snapshots):
            while kept is not None and kept.epochs and kept.epochs[-1] > epoch:
                kept.epochs.pop()
        for noted in (self.times, self.iterations):
            for late in [own for own in noted if own > epoch]:
                del noted[late]

    def _drop_stale_snapshots(self, epoch, iteration):
        """Drop the snapshots after a restored best epoch: training does not continue from their weights."""
        kept, is_due = self.snapshots, self.schedule.is_due(epoch, iteration)
        while kept is not None and kept.complete and kept.epochs and kept.epochs[-1] >= epoch:
            if kept.epochs[-1] == epoch and not is_due:
                break
            kept.epochs.pop()

    def _record(self, net, epoch, iteration):
        if not self.schedule.is_due(epoch, iteration):
            return
        self.iterations[epoch] = iteration
        for recorder in self.recorders.values() if self.recorders_run else ():
            record_in_fit(recorder, net.module_, epoch)
        is_kept = (len(self.iterations) - 1) % self.step == 0
        if self.snapshots is not None and is_kept and self.snapshots.epochs[-1:] != [epoch]:
            self.snapshots.store(net.module_, epoch, net.criterion_)
        self.times[epoch] = time.perf_counter() - self._last
        self._last = time.perf_counter()
