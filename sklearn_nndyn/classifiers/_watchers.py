"""What goes on beside the training of an epoch: each watcher minds one thing."""

import time

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from tqdm import tqdm

from sklearn_nndyn.classifiers._training import Undo
from sklearn_nndyn.classifiers._warning import warn_user
from sklearn_nndyn.recording._random import untouched_generators
from sklearn_nndyn.recording._recorder import Recorder, score_in_chunks

EXPLODED = 1e6
ROWS_OF_REFERENCE = 256


class Watcher:
    """Called around every epoch, before the user's callbacks."""

    wants_to_stop = False

    def on_train_begin(self, net):
        """Before the first epoch of a fit."""

    def on_epoch_begin(self, net):
        """Before an epoch is trained."""

    def on_epoch_end(self, net):
        """After an epoch was trained; ``net.history[-1]`` holds its line."""

    def on_train_end(self, net):
        """After the last epoch, whatever ended the training."""


class DivergenceGuard(Watcher):
    """End training where the loss is no longer finite, or a million times what it was before."""

    def on_train_begin(self, net):
        """Measure the loss before the first update, on the first rows."""
        data = net.program_.data
        rows = slice(0, ROWS_OF_REFERENCE)
        with torch.no_grad(), untouched_generators(data.X.device):
            scores = score_in_chunks(net.module_, data.X[rows])
            before = float(net.criterion_.per_sample(scores, data.y[rows]).abs().mean())
        self.limit = EXPLODED * max(1.0, before if np.isfinite(before) else 1.0)

    def on_epoch_end(self, net):
        """Undo the epoch that diverged."""
        loss = net.history[-1, "train_loss"]
        if np.isfinite(loss) and loss < self.limit and net.program_.all_finite():
            return
        epoch = len(net.history)
        warn_user(
            f"Training diverged in epoch {epoch} (mean loss {loss:.3g}) with learning rate lr="
            f"{net.program_.lr:g}; the model and its record end at epoch {epoch - 1}. Try a smaller lr, or "
            "scale the input.",
            ConvergenceWarning,
        )
        raise Undo


class Validation(Watcher):
    """Mean loss and accuracy of the validation samples, every epoch, in the history.

    ``scores`` of the coming epoch's end may be given, by whoever has them.
    """

    def __init__(self, data, recording):
        self.data, self.recording, self.scores = data, recording, None

    def on_epoch_end(self, net):
        """Take them from the record of this epoch where there is one."""
        loss, accuracy = self._recorded(net) or self._measured(net)
        net.history.record("valid_loss", loss)
        net.history.record("valid_acc", accuracy)

    def _recorded(self, net):
        recorder = self.recording.recorders.get("validation")
        if recorder is None or "samples" not in recorder.record or recorder.epochs[-1:] != [len(net.history)]:
            return None
        return recorder.mean_loss(), recorder.accuracy()

    def _measured(self, net):
        with torch.no_grad(), untouched_generators(self.data.X.device):
            scores = score_in_chunks(net.module_, self.data.X) if self.scores is None else self.scores
            values = net.criterion_.per_sample(scores, self.data.y)
            correct = net.criterion_.decide(scores) == self.data.y
        return float(values.double().mean()), float(correct.double().mean())


class Recording(Watcher):
    """Record the samples and keep the weights, at the scheduled epochs.

    Parameters
    ----------
    datasets : dict of TrainingData
        ``"train"`` and, where there is one, ``"validation"``.
    loss : ClassificationLoss
    record : tuple of str
        What to look at; empty for nothing.
    schedule : callable
        ``schedule(epoch) -> bool``.
    snapshots : Snapshots or None
        Where to keep the weights.
    n_classes, epochs : int

    Attributes
    ----------
    looks : bool
        Whether the recorders look by themselves; where several fits are trained together, one pass serves all.
    """

    looks = True

    def __init__(self, datasets, loss, record, schedule, snapshots, n_classes, epochs):
        self.schedule, self.snapshots, self.epochs = schedule, snapshots, epochs
        self.seconds = []
        self.recorders = {
            name: Recorder(
                data.X, data.y, loss, n_classes=n_classes, record=record, capacity=sum(map(schedule, epochs))
            )
            for name, data in datasets.items()
            if record
        }

    def on_train_begin(self, net):
        """Look once before the first update."""
        self._last = time.perf_counter()
        self._forget_weights_not_gone_on_from(len(net.history))
        self._look(net)

    def on_epoch_end(self, net):
        """Look as if fit had stopped here."""
        self._look(net)

    def on_train_end(self, net):
        """Forget what was seen of an epoch that was undone."""
        self.forget_after(len(net.history))

    def forget_after(self, epoch):
        """As if nothing had been seen after ``epoch``."""
        for seen in (*self.recorders.values(), self.snapshots):
            while seen is not None and seen.epochs and seen.epochs[-1] > epoch:
                seen.epochs.pop()
        del self.seconds[sum(self.schedule(own) for own in self.epochs if own <= epoch) :]

    def _forget_weights_not_gone_on_from(self, epoch):
        """After the best epoch was restored, training goes on from other weights than were kept last."""
        kept = self.snapshots
        stale = epoch if self.schedule(epoch) else epoch + 1
        while kept is not None and kept.complete and kept.epochs and kept.epochs[-1] >= stale:
            kept.epochs.pop()

    def _look(self, net):
        epoch = len(net.history)
        if not self.schedule(epoch):
            return
        for recorder in self.recorders.values() if self.looks else ():
            recorder.look(net.module_, epoch)
        if self.snapshots is not None and self.snapshots.epochs[-1:] != [epoch]:
            self.snapshots.keep(net.module_, epoch)
        self.seconds.append(time.perf_counter() - self._last)
        self._last = time.perf_counter()


class EarlyStopping(Watcher):
    """Stop when the monitored value no longer improves, and go back to the best epoch.

    Parameters
    ----------
    monitor : str
        A column of the history: ``"valid_acc"``, or ``"train_loss"`` where there is no validation set.
    patience : int
        Epochs without improvement.
    tol : float
        What counts as an improvement.
    """

    def __init__(self, monitor, patience, tol):
        self.monitor, self.patience, self.tol = monitor, patience, tol
        self.sign = -1 if monitor.endswith("loss") else 1
        self.best, self.best_epoch, self.state, self.bad = -np.inf, None, None, 0

    def on_epoch_begin(self, net):
        """In case the epoch will be undone."""
        self.before = self.best_epoch, self.state

    def on_epoch_end(self, net):
        """Remember the best weights."""
        value = self.sign * net.history[-1, self.monitor]
        self.bad = 0 if value > self.best + self.tol else self.bad + 1
        if value > self.best:
            self.best, self.best_epoch = value, len(net.history)
            self.state = {name: v.clone() for name, v in net.module_.state_dict().items()}
        self.wants_to_stop = self.bad >= self.patience

    def on_train_end(self, net):
        """Restore them."""
        if self.best_epoch is not None and self.best_epoch > len(net.history):
            self.best_epoch, self.state = self.before
        if self.state is not None:
            net.module_.load_state_dict(self.state)


class ProgressBar(Watcher):
    """A bar over epochs with loss and accuracy."""

    def __init__(self, epochs, recording):
        self.epochs, self.recording = epochs, recording

    def on_train_begin(self, net):
        """Show an empty bar."""
        self.bar = tqdm(total=self.epochs, desc="Training", unit="epoch", dynamic_ncols=True)

    def on_epoch_end(self, net):
        """One epoch further."""
        line = net.history[-1]
        shown = {"loss": f"{line['train_loss']:.4g}"}
        recorder = self.recording.recorders.get("train")
        if recorder is not None and "samples" in recorder.record and recorder.epochs:
            shown["accuracy"] = f"{recorder.accuracy():.3f}"
        if "valid_acc" in line:
            shown["validation accuracy"] = f"{line['valid_acc']:.3f}"
        self.bar.set_postfix(shown, refresh=False)
        self.bar.update()

    def on_train_end(self, net):
        """Leave the finished bar."""
        if hasattr(self, "bar"):
            self.bar.close()
