"""The watcher that records: when to look, and what to keep."""

import time

from sklearn_nndyn.recording import make_schedule
from sklearn_nndyn.recording._record import layer_recordings
from sklearn_nndyn.recording._recorder import Recorder
from sklearn_nndyn.training._epoch_runner import count_steps
from sklearn_nndyn.training._hooks import TrainingHook


class RecordSchedule:
    """When to look: by epochs, or by updates of the weights.

    A look within an epoch stands at a fraction of it: at iteration i of the s updates of an epoch, i / s.

    Parameters
    ----------
    schedule : callable
        ``schedule(time) -> bool``.
    steps : int
        Updates of an epoch.
    by_iteration : bool
        Whether the schedule is one of iterations.
    """

    def __init__(self, schedule, steps, by_iteration):
        self.schedule, self.steps, self.by_iteration = schedule, steps, by_iteration

    def is_due(self, epoch, iteration):
        """Whether to look now."""
        return self.schedule(iteration if self.by_iteration else epoch)

    def count(self, begin, iteration, epochs):
        """How many looks there will be in so many epochs from epoch ``begin``, this moment included."""
        first, length = (iteration, epochs * self.steps) if self.by_iteration else (begin, epochs)
        return sum(map(self.schedule, range(first, first + length + 1)))


class Recording(TrainingHook):
    """Record the samples and keep the weights, at the scheduled times.

    Parameters
    ----------
    datasets : dict of TrainingData
        ``"train"`` and, where there is one, ``"validation"``.
    loss : ClassificationLoss
    record : tuple
        What to look at; empty for nothing.
    clock : RecordSchedule
    snapshots : Snapshots or None
        Where to keep the weights.
    iterations : dict
        Of each look, by epoch, the updates before it: is written to.
    n_classes, capacity : int

    Attributes
    ----------
    looks : bool
        Whether the recorders look by themselves; where several fits are trained together, one pass serves all.
    """

    looks = True

    def __init__(self, datasets, loss, record, record_schedule, snapshots, iterations, n_classes, capacity):
        self.record_schedule, self.snapshots, self.iterations = record_schedule, snapshots, iterations
        self.watches_steps = record_schedule.by_iteration
        self.times = {}
        self.recorders = {}
        for name, data in datasets.items() if record else ():
            self.recorders[name] = Recorder(
                data.X,
                data.y,
                loss,
                n_classes=n_classes,
                record=record,
                capacity=capacity,
                reference=self.recorders.get("train"),
            )

    @property
    def seconds(self):
        """Seconds from look to look."""
        return list(self.times.values())

    def on_train_begin(self, net):
        """Look once before the first update."""
        self._last = time.perf_counter()
        self._finish(net)
        self._forget_weights_not_gone_on_from(*self._finished)
        self._look(net, *self._finished)

    def on_step(self, net, step):
        """Look as if fit had stopped within an epoch."""
        if step < self.record_schedule.steps:
            epoch, iteration = self._finished
            self._look(net, epoch + step / self.record_schedule.steps, iteration + step)

    def on_epoch_end(self, net):
        """Look as if fit had stopped here."""
        self._finish(net)
        self._look(net, *self._finished)

    def _finish(self, net):
        """Note the finished epochs and their updates, once an epoch, so that a step need not count them."""
        self._finished = len(net.history), count_iterations(net)

    def on_train_end(self, net):
        """Forget what was seen of an epoch that was undone."""
        self.forget_after(len(net.history))

    def forget_after(self, epoch):
        """As if nothing had been seen after ``epoch``."""
        for seen in (*self.recorders.values(), self.snapshots):
            while seen is not None and seen.epochs and seen.epochs[-1] > epoch:
                seen.epochs.pop()
        for looked in (self.times, self.iterations):
            for late in [own for own in looked if own > epoch]:
                del looked[late]

    def _forget_weights_not_gone_on_from(self, epoch, iteration):
        """After the best epoch was restored, training goes on from other weights than were kept last."""
        kept, looks = self.snapshots, self.record_schedule.is_due(epoch, iteration)
        while kept is not None and kept.complete and kept.epochs and kept.epochs[-1] >= epoch:
            if kept.epochs[-1] == epoch and not looks:
                break
            kept.epochs.pop()

    def _look(self, net, epoch, iteration):
        if not self.record_schedule.is_due(epoch, iteration):
            return
        self.iterations[epoch] = iteration
        for recorder in self.recorders.values() if self.looks else ():
            recorder.look(net.module_, epoch)
        if self.snapshots is not None and self.snapshots.epochs[-1:] != [epoch]:
            self.snapshots.keep(net.module_, epoch)
        self.times[epoch] = time.perf_counter() - self._last
        self._last = time.perf_counter()


def count_iterations(net):
    """Updates of the weights in the finished epochs of a net."""
    return sum(line.get("train_batch_count", 0) for line in net.history)


def make_record_schedule(estimator, n_samples):
    """The clock of a fit to so many samples."""
    steps = count_steps(estimator.module_, n_samples, estimator.net_.batch_size)
    iterations = chosen_iterations(estimator)
    if iterations is None:
        return RecordSchedule(make_schedule(estimator.record_epochs), steps, by_iteration=False)
    return RecordSchedule(make_schedule(iterations, "iteration"), steps, by_iteration=True)


def chosen_iterations(estimator):
    """``record_iterations``, or what "auto" means: powers of two where layers are decoded, else None."""
    if not is_auto(estimator.record_iterations):
        return estimator.record_iterations
    decodes = layer_recordings(estimator.record) and is_default(estimator.record_epochs)
    return "log" if decodes else None


def is_auto(record_iterations):
    """Whether the choice is left to us."""
    return isinstance(record_iterations, str) and record_iterations == "auto"


def is_default(record_epochs):
    """Whether no epochs were asked for."""
    return isinstance(record_epochs, str) and record_epochs == "all"
