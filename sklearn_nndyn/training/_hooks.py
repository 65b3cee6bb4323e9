"""Hooks around an epoch: divergence, validation, the progress bar."""

from math import isfinite

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from tqdm import tqdm

from sklearn_nndyn.training._epoch_loop import Rollback
from sklearn_nndyn.utils.modules import read_together, score_in_chunks
from sklearn_nndyn.utils.warnings import warn_user

EXPLODED = 1e6
ROWS_OF_REFERENCE = 256


class TrainingHook:
    """Called around every epoch, before the user's callbacks, at the events for which it has a method.

    ``on_train_begin(net)`` and ``on_epoch_begin(net)``; ``on_step(net, step)`` after the ``step``-th update of an
    epoch, where ``watches_steps``; ``on_epoch_end(net)``, where ``net.history[-1]`` is the line of the epoch; and
    ``on_train_end(net)``, whatever ended the training.
    """

    wants_to_stop = False
    watches_steps = False

    def state_dict(self):
        """What the hook has to know where training goes on in another process; plain data and tensors."""
        return {}

    def load_state_dict(self, net, state):
        """Go on where a hook with this state was, in place of ``on_train_begin``."""


class DivergenceGuard(TrainingHook):
    """End training where the loss is no longer finite, or a million times the loss before training.

    Parameters
    ----------
    data : TrainingData
    recording : Recording
    evaluator : Evaluator
    last_epoch : int
        The last epoch of the training; a divergence in its last update is found by an extra evaluation.

    Attributes
    ----------
    finite : bool or None
        Whether every parameter is finite, where the caller has computed it for several networks at once; None to
        compute it here.
    losses : tensor or None
        Losses of the first rows, likewise.
    """

    finite = losses = None

    def __init__(self, data, recording, evaluator, last_epoch):
        self.data, self.recording, self.evaluator, self.last_epoch = data, recording, evaluator, last_epoch
        self.first = first_rows(data.X)
        self.message = None

    def state_dict(self):
        """The limit, and what was said of a divergence."""
        return {"limit": self.limit, "message": self.message}

    def load_state_dict(self, net, state):
        """Say again what was said."""
        self.limit, self.message = state["limit"], state["message"]
        if self.message is not None:
            warn_user(self.message, ConvergenceWarning)

    def on_train_begin(self, net):
        """Find the loss before the first update."""
        recorder = self.recording.recorder_of("train", len(net.history))
        recorded = recorder is not None and recorder.X is self.data.X
        before = _mean_size(recorder.losses[self.first]) if recorded else self._measure(net)
        self.limit = EXPLODED * max(1.0, before if np.isfinite(before) else 1.0)

    def _measure(self, net):
        """Mean absolute loss of the first rows."""
        if self.losses is not None:
            return _mean_size(self.losses)
        X, y = self.data.X[self.first], self.data.y[self.first]
        with self.evaluator(net.module_, net.criterion_):
            return _mean_size(net.criterion_.per_sample(score_in_chunks(net.module_, X), y))

    def on_epoch_end(self, net):
        """Undo the epoch that diverged."""
        loss = next(reversed(net.history))["train_loss"]
        if np.isfinite(loss) and loss < self.limit and self._parameters_are_finite(net):
            loss = self._loss_now(net)
            if np.isfinite(loss) and loss < self.limit:
                return
        epoch, lr = len(net.history), net.optimizer_.param_groups[0]["lr"]
        self.message = (
            f"Training diverged in epoch {epoch} (mean loss {loss:.3g}) with learning rate lr="
            f"{float(lr):g}; the model and its record end at epoch {epoch - 1}. Try a smaller lr, or "
            "scale the input."
        )
        warn_user(self.message, ConvergenceWarning)
        raise Rollback

    def _loss_now(self, net):
        """The loss after the last update: as recorded, or measured if this is the last epoch; else 0."""
        epoch = len(net.history)
        recorder = self.recording.recorder_of("train", epoch)
        if recorder is not None:
            loss = recorder.mean_loss()
            if recorder.X is self.data.X or not np.isfinite(loss):  # rows of weight zero may have any loss
                return loss
        return self._measure(net) if epoch == self.last_epoch else 0.0

    def _parameters_are_finite(self, net):
        if self.finite is not None:
            return self.finite
        groups = net.optimizer_.param_groups
        parameters = [p.detach() for group in groups for p in group["params"]]
        if all(map(isfinite, read_together([p.sum() for p in parameters]))):
            return True
        return all(read_together([torch.isfinite(p).all() for p in parameters]))  # sums may overflow


def first_rows(X):
    """The rows by whose loss a divergence is known: fewer of images, of which each costs as much as many flat rows."""
    return slice(ROWS_OF_REFERENCE if len(X.shape) == 2 else ROWS_OF_REFERENCE // 4)


def _mean_size(losses):
    return float(abs(losses).mean())


class Validation(TrainingHook):
    """Mean loss and accuracy of the validation samples, weighted where they have weights, in the history.

    Parameters
    ----------
    data : TrainingData
    recording : Recording
    evaluator : Evaluator
    score : callable, optional
        ``score()`` evaluates the current network; written to the history as ``valid_score``.

    Attributes
    ----------
    scores : tensor of shape (n_samples, n_classes) or None
        Scores of the validation samples after the coming epoch, where the caller has computed them for several
        networks at once; None to compute them here.
    """

    def __init__(self, data, recording, evaluator, score=None):
        self.data, self.recording, self.evaluator, self.score = data, recording, evaluator, score
        self.scores = None
        self.weight = None if data.weight is None else data.weight.cpu().numpy()

    def on_epoch_end(self, net):
        """Write loss and accuracy to the history, from the record of this epoch where there is one."""
        loss, accuracy = self._recorded(net) or self._measured(net)
        net.history.record("valid_loss", loss)
        net.history.record("valid_acc", accuracy)
        if self.score is not None:
            net.history.record("valid_score", self.score())

    def _recorded(self, net):
        recorder = self.recording.recorder_of("validation", len(net.history))
        if recorder is None:
            return None
        return recorder.mean_loss(self.weight), recorder.accuracy(self.weight)

    def _measured(self, net):
        with self.evaluator(net.module_, net.criterion_):
            scores = score_in_chunks(net.module_, self.data.X) if self.scores is None else self.scores
            values = net.criterion_.per_sample(scores, self.data.y)
            correct = net.criterion_.decide(scores) == self.data.y
        return self._mean(values), self._mean(correct)

    def _mean(self, values):
        return float(np.average(values.cpu().double().numpy(), weights=self.weight))


class ProgressBar(TrainingHook):
    """A bar over epochs with loss and accuracy."""

    def __init__(self, epochs, recording):
        self.epochs, self.recording = epochs, recording

    def on_train_begin(self, net):
        """Show an empty bar."""
        self.bar = tqdm(total=self.epochs, desc="Training", unit="epoch", dynamic_ncols=True)

    def load_state_dict(self, net, state):
        """Show a bar of the epochs that were trained before."""
        self.on_train_begin(net)
        self.bar.update(len(net.history))

    def on_epoch_end(self, net):
        """Advance the bar by one epoch."""
        line = net.history[-1]
        shown = {"loss": f"{line['train_loss']:.4g}"}
        recorder = self.recording.recorders.get("train")
        if recorder is not None and recorder.evaluates and "samples" in recorder.entries and recorder.epochs:
            shown["accuracy"] = f"{recorder.accuracy():.3f}"
        if "valid_acc" in line:
            shown["validation accuracy"] = f"{line['valid_acc']:.3f}"
        self.bar.set_postfix(shown, refresh=False)
        self.bar.update()

    def on_train_end(self, net):
        """Leave the finished bar."""
        if hasattr(self, "bar"):
            self.bar.close()
