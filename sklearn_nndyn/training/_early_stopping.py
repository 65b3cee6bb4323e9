"""When to stop, and which weights to go back to."""

import numpy as np

from sklearn_nndyn.training._hooks import TrainingHook
from sklearn_nndyn.utils.warnings import warn_user


class EarlyStopping(TrainingHook):
    """Stop when the monitored value no longer improves, and go back to the best epoch.

    Parameters
    ----------
    monitor : str
        A column of the history; of one whose name ends in "loss" less is better.
    patience : int
        Epochs without improvement.
    tol : float
        What counts as an improvement.
    watched : object, optional
        What tells the value that is watched from others.
    earlier : EarlyStopping, optional
        That of an earlier fit, which this one goes on from.
    """

    def __init__(self, monitor, patience, tol, watched=None, earlier=None):
        self.monitor, self.patience, self.tol, self.watched = monitor, patience, tol, watched
        self.sign = -1 if monitor.endswith("loss") else 1
        self.best, self.best_epoch, self.bad, self.state = -np.inf, None, 0, None
        if earlier is not None:
            self.best, self.best_epoch, self.bad = earlier.best, earlier.best_epoch, earlier.bad
        self.before = None
        self.wants_to_stop = self.bad >= patience

    def on_train_begin(self, net):
        """The network is that of the best epoch, where there is one."""
        if self.best_epoch is not None:
            self.state = _copy_state(net)
        if self.wants_to_stop:
            warn_user(
                f"No epoch was trained: {self.monitor} had not improved for {self.bad} epochs when the last fit ended. "
                "To train on, raise n_iter_no_change or set early_stopping=False.",
                UserWarning,
            )

    def on_epoch_begin(self, net):
        """In case the epoch will be undone."""
        self.before = len(net.history), self.best, self.best_epoch, self.bad, self.state

    def on_epoch_end(self, net):
        """Remember the best weights."""
        value = self.sign * net.history[-1, self.monitor]
        self.bad = 0 if value > self.best + self.tol else self.bad + 1
        if value > self.best:
            self.best, self.best_epoch, self.state = value, len(net.history), _copy_state(net)
        self.wants_to_stop = self.bad >= self.patience

    def on_train_end(self, net):
        """Restore them; the network holds them from now on."""
        if self.before is not None and self.before[0] == len(net.history):
            _, self.best, self.best_epoch, self.bad, self.state = self.before
        if self.state is not None:
            net.module_.load_state_dict(self.state)
        self.state = self.before = None


def _copy_state(net):
    return {name: value.clone() for name, value in net.module_.state_dict().items()}


class ReconstructionStopping(TrainingHook):
    """Stop when a layer no longer gives its input back better, and go back to the recorded epoch at which it did best.

    Parameters
    ----------
    recording : Recording
        With the reconstruction and snapshots.
    patience : int
        From the best recorded epoch to the last one, in epochs.
    """

    def __init__(self, recording, patience):
        self.recording, self.patience = recording, patience
        self.best_epoch = None

    def on_epoch_end(self, net):
        """Find the best recorded epoch so far."""
        curve = self._curve(len(net.history))
        first, last = next(iter(curve), None), next(reversed(curve), None)
        best = min(curve, key=curve.get, default=None)
        self.best_epoch = None if best == first else best
        # Epochs after the last record say nothing: records may lie far apart.
        self.wants_to_stop = best != first and last - best >= self.patience

    def _curve(self, until):
        """{epoch: mean error} of the records whose weights are kept, up to an epoch."""
        recorders, kept = self.recording.recorders, self.recording.snapshots.epochs
        recorder = recorders.get("validation", recorders["train"])
        (reader,) = [own for own in recorder.readers if own.field == "reconstruction"]
        errors = next(iter(reader.values.values()), [])
        recorded = zip(recorder.epochs, errors, strict=False)  # what was undone is still among the errors
        return {epoch: float(np.mean(error)) for epoch, error in recorded if epoch <= until and epoch in kept}

    def on_train_end(self, net):
        """Restore its weights."""
        self.on_epoch_end(net)  # the last epoch may have been undone
        if self.best_epoch is not None:
            net.module_.load_state_dict(self.recording.snapshots.state_dict(self.best_epoch))
        elif net.history:
            warn_user(
                "The layer never gave its input back better than before training, so there is no epoch to go back to; "
                "the model is that of the last epoch. Record more often (record_iterations), train with a smaller lr, "
                "or choose another layer.",
                UserWarning,
            )
