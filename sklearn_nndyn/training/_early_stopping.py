"""When to stop, and which weights to go back to."""

import numpy as np

from sklearn_nndyn.training._hooks import TrainingHook
from sklearn_nndyn.utils.warnings import warn_user


class EarlyStopping(TrainingHook):
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
