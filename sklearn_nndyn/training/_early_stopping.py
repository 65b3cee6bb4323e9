"""Early stopping: when training ends, and which weights are restored."""

import numpy as np

from sklearn_nndyn.losses import changing_state, load_changing_state
from sklearn_nndyn.training._hooks import TrainingHook
from sklearn_nndyn.utils.warnings import warn_user


class EarlyStopping(TrainingHook):
    """Stop when the monitored value no longer improves, and go back to the best epoch.

    Parameters
    ----------
    monitor : str
        A column of the history; if its name ends in "loss", lower is better.
    patience : int
        Number of epochs without improvement after which training stops.
    tol : float
        A change must exceed this to count as an improvement.
    watched : object, optional
        Identifies the samples and the score behind the monitored value, to tell whether an earlier fit used the same.
    earlier : EarlyStopping, optional
        The stopper of an earlier fit, whose count of epochs without improvement is continued.
    """

    def __init__(self, monitor, patience, tol, watched=None, earlier=None):
        self.monitor, self.patience, self.tol, self.watched = monitor, patience, tol, watched
        self.sign = -1 if monitor.endswith("loss") else 1
        self.best, self.best_epoch, self.epochs_without_improvement, self.state = -np.inf, None, 0, None
        if earlier is not None:
            self.best, self.best_epoch = earlier.best, earlier.best_epoch
            self.epochs_without_improvement = earlier.epochs_without_improvement
        self.before = None
        self.wants_to_stop = self.epochs_without_improvement >= patience

    def on_train_begin(self, net):
        """Keep the weights: where an earlier fit was continued, they are those of its best epoch."""
        if self.best_epoch is not None:
            self.state = _copy_state(net)
        if self.wants_to_stop:
            warn_user(
                f"No epoch was trained: {self.monitor} had not improved for {self.epochs_without_improvement} epochs "
                "when the last fit ended. To train on, raise n_iter_no_change or set early_stopping=False.",
                UserWarning,
            )

    def state_dict(self):
        """The best value and weights, and the epochs since."""
        counts = ("best", "best_epoch", "epochs_without_improvement", "wants_to_stop", "state")
        return {name: getattr(self, name) for name in counts}

    def load_state_dict(self, net, state):
        """Go on with the same patience."""
        for name, value in state.items():
            setattr(self, name, value)

    def on_epoch_begin(self, net):
        """Save the state of this hook, in case the epoch is rolled back."""
        count = self.epochs_without_improvement
        self.before = len(net.history), self.best, self.best_epoch, count, self.state

    def on_epoch_end(self, net):
        """Count epochs without improvement, and keep the best weights."""
        value = self.sign * net.history[-1, self.monitor]
        improved = value > self.best + self.tol
        self.epochs_without_improvement = 0 if improved else self.epochs_without_improvement + 1
        if value > self.best:
            self.best, self.best_epoch, self.state = value, len(net.history), _copy_state(net)
        self.wants_to_stop = self.epochs_without_improvement >= self.patience

    def on_train_end(self, net):
        """Restore the best weights."""
        if self.before is not None and self.before[0] == len(net.history):
            _, self.best, self.best_epoch, self.epochs_without_improvement, self.state = self.before
        if self.state is not None:
            weights, loss = self.state
            net.module_.load_state_dict(weights)
            load_changing_state(net.criterion_, loss)
        elif net.history:
            warn_user(
                f"{self.monitor} was nan after each of {len(net.history)} epochs, so there is no best one to go back "
                "to; the model is that of the last epoch. Watch something that is a number for these samples.",
                UserWarning,
            )
        self.state = self.before = None


def _copy_state(net):
    """Copies of the weights, and of what the loss has learned."""
    states = net.module_.state_dict(), changing_state(net.criterion_)
    return [{name: value.clone() for name, value in state.items()} for state in states]


class ReconstructionStopping(TrainingHook):
    """Stop when the reconstruction of the input no longer improves, and restore the best recorded epoch.

    Parameters
    ----------
    recording : Recording
        The recording hook; it records reconstructions and keeps snapshots.
    patience : int
        Number of epochs between the best recorded epoch and the last recorded one at which training stops.
    """

    def __init__(self, recording, patience):
        self.recording, self.patience = recording, patience
        self.best_epoch = None

    def load_state_dict(self, net, state):
        """Find the best epoch among those recorded before."""
        self.on_epoch_end(net)

    def on_epoch_end(self, net):
        """Find the best recorded epoch so far."""
        curve = self._curve(len(net.history))
        first, last = next(iter(curve), None), next(reversed(curve), None)
        best = min(curve, key=curve.get, default=None)
        self.best_epoch = None if best == first else best
        # Epochs after the last record say nothing: records may lie far apart.
        self.wants_to_stop = best != first and last - best >= self.patience

    def _curve(self, until):
        """{epoch: mean error} of the recorded epochs that have a snapshot, up to the epoch ``until``."""
        recorders, kept = self.recording.recorders, self.recording.snapshots.epochs
        recorder = recorders.get("validation", recorders["train"])
        (reader,) = [own for own in recorder.readers if own.field == "reconstruction"]
        errors = next(iter(reader.values.values()), [])
        recorded = zip(recorder.epochs, errors, strict=False)  # a rolled-back epoch still has its errors
        return {epoch: float(np.mean(error)) for epoch, error in recorded if epoch <= until and epoch in kept}

    def on_train_end(self, net):
        """Restore the weights of the best recorded epoch."""
        self.on_epoch_end(net)  # the last epoch may have been undone
        if self.best_epoch is not None:
            net.module_.load_state_dict(self.recording.snapshots.state_dict(self.best_epoch))
            self.recording.snapshots.load_loss(net.criterion_, self.best_epoch)
        elif net.history:
            warn_user(
                "The layer never gave its input back better than before training, so there is no epoch to go back to; "
                "the model is that of the last epoch. Record more often (record_iterations), train with a smaller lr, "
                "or choose another layer.",
                UserWarning,
            )
