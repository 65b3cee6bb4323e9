"""The skorch net inside the classifier: true skorch from outside, whole epochs at a time inside."""

import copy
import warnings

import torch
from skorch import NeuralNetClassifier
from skorch.callbacks import Callback, EpochScoring, EpochTimer, LRScheduler

from sklearn_nndyn.classifiers._data import TrainingData
from sklearn_nndyn.classifiers._program import Batches, Program, needs_two_rows
from sklearn_nndyn.recording._layers import first_output
from sklearn_nndyn.recording._recorder import rows_per_chunk

BATCH_HOOKS = ("on_batch_begin", "on_batch_end", "on_grad_computed")


class DynamicsNet(NeuralNetClassifier):
    """A ``skorch.NeuralNetClassifier`` whose epochs run as one program.

    ``history``, ``callbacks``, ``optimizer_``, ``save_params`` and the rest are skorch's. Where a callback needs
    to see every batch, or the optimizer needs a closure, skorch's own loop over batches runs instead. Targets
    are class positions.
    """

    @property
    def _default_callbacks(self):
        return [("epoch_timer", EpochTimer())]

    def train(self, data, validation, epochs, *, shuffler, random_state, watchers=()):
        """Train for some epochs, with skorch's notifications and the watchers' around each.

        Parameters
        ----------
        data, validation : TrainingData
            ``validation`` may be None.
        epochs : int
        shuffler : torch.Generator or None
            Draws the order of the rows; None leaves them as they lie.
        random_state : RandomState
            For everything else that is random (dropout).
        watchers : sequence of Watcher
            They see every epoch before the user's callbacks do.
        """
        datasets = {"dataset_train": data, "dataset_valid": validation}
        self.program_ = Program(
            self.module_, self.criterion_, self.optimizer_, data, self.batch_size, random_state
        )
        self.notify("on_train_begin", X=data.X, y=data.y)
        try:
            for watcher in watchers:
                watcher.on_train_begin(self)
            for _ in range(epochs):
                self._train_epoch(datasets, shuffler, random_state, watchers)
                if any(watcher.wants_to_stop for watcher in watchers):
                    break
        except StopTraining:
            pass
        finally:
            del self.program_
            for watcher in reversed(watchers):
                watcher.on_train_end(self)
            self._release_gradients()
        self.notify("on_train_end", X=data.X, y=data.y)

    def _train_epoch(self, datasets, shuffler, random_state, watchers):
        before = Moment(self, shuffler, random_state)
        try:
            for watcher in watchers:
                watcher.on_epoch_begin(self)
            self.notify("on_epoch_begin", **datasets)
            order = _draw_order(datasets["dataset_train"], shuffler)
            if self._needs_batches():
                self._run_batches(order, datasets, random_state)
            else:
                self._run_program(order)
            for watcher in watchers:
                watcher.on_epoch_end(self)
            _mark_best(self.history)
        except KeyboardInterrupt as interrupt:
            # The epoch was not finished: as if it had never begun.
            before.restore()
            warnings.warn(
                f"Training was interrupted in epoch {before.epoch + 1}; the model is as it was after epoch "
                f"{before.epoch}.",
                UserWarning,
                stacklevel=5,
            )
            raise StopTraining from interrupt
        except BaseException:
            before.restore()
            raise
        try:
            self.notify("on_epoch_end", **datasets)
        except KeyboardInterrupt as request:
            # skorch's callbacks (EarlyStopping, ...) ask so for the end of training.
            raise StopTraining from request

    def _run_program(self, order):
        loss = self.program_.run_epoch(order)
        self.history.record("train_loss", loss)
        # For callbacks that look up the last batch (the file names of Checkpoint): the epoch is one.
        self.history.new_batch()
        self.history.record_batch("train_loss", loss)
        self.history.record_batch("train_batch_size", len(self.program_.data.X))

    def _run_batches(self, order, datasets, random_state):
        data = datasets["dataset_train"]
        batches = Batches(data, self.batch_size, merge_last=needs_two_rows(self.module_))
        with random_state:
            self.run_single_epoch(self._weighted(batches(order)), True, "train", self.train_step)
            if datasets["dataset_valid"] is not None:
                iterator = self.get_iterator(datasets["dataset_valid"])
                self.run_single_epoch(iterator, False, "valid", self.validation_step)
        rows = self.history[-1, "batches", :, ("train_loss", "train_batch_size")]
        self.history.record("train_loss", sum(loss * n for loss, n in rows) / len(data.X))

    def _weighted(self, batches):
        for X, y, weight in batches:
            self.batch_weight_ = weight
            # The room of a chunk is used again: what a callback keeps must be its own.
            yield X.clone(), y.clone()
        del self.batch_weight_

    def get_loss(self, y_pred, y_true, X=None, training=False):
        """Mean loss of a batch, weighted in training."""
        values = self.criterion_.per_sample(first_output(y_pred), y_true)
        weight = getattr(self, "batch_weight_", None) if training else None
        return values.mean() if weight is None else (values * weight).mean()

    def get_iterator(self, dataset, training=False):
        """Slices of the tensors in place of a ``DataLoader``, where the data are tensors."""
        if training or not isinstance(getattr(dataset, "X", None), torch.Tensor):
            return super().get_iterator(dataset, training)
        rows = rows_per_chunk(dataset.X.shape[1:])
        y = (
            dataset.y
            if isinstance(dataset.y, torch.Tensor)
            else torch.zeros(len(dataset.X), dtype=torch.long)
        )
        return zip(dataset.X.split(rows), y.split(rows), strict=True)

    def get_dataset(self, X, y=None):
        """Data sets pass, arrays become one of skorch's."""
        return X if isinstance(X, TrainingData) else super().get_dataset(X, y)

    def _needs_batches(self):
        closure = isinstance(self.optimizer_, torch.optim.LBFGS)
        return closure or any(_watches_batches(callback) for _, callback in self.callbacks_)

    def _release_gradients(self):
        for parameter in self.module_.parameters():
            parameter.grad = None

    def __getstate__(self):
        state = super().__getstate__()
        state.pop("program_", None)
        return state


class Moment:
    """All that training changes, as of now: to go back to it is as if nothing had happened since.

    Parameters
    ----------
    net : DynamicsNet
    shuffler : torch.Generator or None
    random_state : RandomState
    """

    def __init__(self, net, shuffler, random_state):
        self.net, self.shuffler, self.random_state = net, shuffler, random_state
        self.epoch = len(net.history)
        self.weights = {name: value.clone() for name, value in net.module_.state_dict().items()}
        self.optimizer = {p: _copied(state) for p, state in net.optimizer_.state.items()}
        self.random = random_state.states, None if shuffler is None else shuffler.get_state()

    def restore(self):
        """Go back to it."""
        del self.net.history_[self.epoch :]
        self.net.module_.load_state_dict(self.weights)
        self.net.optimizer_.state.clear()
        self.net.optimizer_.state.update(self.optimizer)
        self.random_state.states, shuffling = self.random
        if self.shuffler is not None:
            self.shuffler.set_state(shuffling)


def _copied(state):
    return {name: v.clone() if torch.is_tensor(v) else copy.deepcopy(v) for name, v in state.items()}


class StopTraining(Exception):
    """The end of training was asked for."""


class Undo(StopTraining):
    """The epoch just run is to be undone, and training to end."""


def _watches_batches(callback):
    if isinstance(callback, LRScheduler):
        return callback.step_every == "batch"
    if isinstance(callback, EpochScoring):
        return callback.use_caching
    return any(getattr(type(callback), hook) is not getattr(Callback, hook) for hook in BATCH_HOOKS)


def _mark_best(history):
    """Say in the last line whether its values are the best so far, as skorch does, for Checkpoint and others."""
    last, *earlier = reversed(history)
    for column, sign in (("train_loss", -1), ("valid_loss", -1), ("valid_acc", 1)):
        if column in last:
            best = next((line[column] for line in earlier if line.get(f"{column}_best")), None)
            history.record(f"{column}_best", best is None or sign * last[column] > sign * best)


def _draw_order(data, shuffler):
    if shuffler is None:
        return None
    return torch.randperm(len(data.X), generator=shuffler).to(data.X.device)
