"""The way of one fit through its epochs: who is told what, and what is undone when an epoch ends badly."""

import copy

import torch

from sklearn_nndyn.utils.random import settled_generators
from sklearn_nndyn.utils.warnings import warn_user


class EpochLoop:
    """A fit, epoch by epoch, with skorch's notifications and the watchers' around each.

    A fit by itself goes through `run`. Where several are trained together, the one who drives them calls `begin`,
    `begin_epoch`, `end_epoch` and `end` of each.

    Parameters
    ----------
    net : DynamicsNet
    data, validation : TrainingData
        ``validation`` may be None.
    watchers : sequence of TrainingHook
        They see every epoch before the user's callbacks do.
    """

    def __init__(self, net, data, validation, hooks=()):
        self.net, self.data, self.hooks = net, data, hooks
        self.datasets = {"dataset_train": data, "dataset_valid": validation}
        self.interrupted = False

    def run(self, epochs, shuffler, random_state, begun=False):
        """Train by itself.

        Parameters
        ----------
        epochs : int
        shuffler : torch.Generator or None
            Draws the order of the rows; None leaves them as they lie.
        random_state : RandomState
            For everything else that is random (dropout).
        begun : bool, default=False
            Whether `begin` was called, and these epochs go on from others.
        """
        try:
            if not begun:
                self.begin()
            for _ in range(epochs):
                self._run_epoch(shuffler, random_state)
                if self.wants_to_stop:
                    break
        except StopTraining:
            pass
        finally:
            self.end()
        self.net.notify("on_train_end", X=self.data.X, y=self.data.y)

    def _run_epoch(self, shuffler, random_state):
        before = TrainingCheckpoint(self.net, shuffler, random_state)
        try:
            with settled_generators():
                self.begin_epoch()
                self.net.run_epoch(
                    draw_order(self.data, shuffler), self.datasets, random_state, self._on_step
                )
                self.end_epoch()
        except KeyboardInterrupt as interrupt:
            # The epoch was not finished: as if it had never begun.
            before.restore()
            self.interrupted = True
            warn_user(
                f"Training was interrupted in epoch {before.epoch + 1}; the model is as it was after epoch "
                f"{before.epoch}.",
                UserWarning,
            )
            raise StopTraining from interrupt
        except BaseException:
            before.restore()
            raise
        self.tell_callbacks()

    @property
    def _on_step(self):
        """Who looks on after every update, or None."""
        watching = [hook for hook in self.hooks if hook.watches_steps]
        if not watching:
            return None

        def on_step(step):
            for hook in watching:
                hook.on_step(self.net, step)

        return on_step

    @property
    def wants_to_stop(self):
        """Whether a watcher asks for the end of training."""
        return any(hook.wants_to_stop for hook in self.hooks)

    def begin(self):
        """Before the first epoch."""
        self.net.notify("on_train_begin", X=self.data.X, y=self.data.y)
        for hook in self.hooks:
            hook.on_train_begin(self.net)

    def begin_epoch(self):
        """Before an epoch is trained."""
        for hook in self.hooks:
            hook.on_epoch_begin(self.net)
        self.net.notify("on_epoch_begin", **self.datasets)

    def end_epoch(self):
        """After an epoch was trained: the watchers complete its line of the history."""
        for hook in self.hooks:
            hook.on_epoch_end(self.net)
        _mark_best(self.net.history)

    def tell_callbacks(self):
        """The user's callbacks see a finished epoch."""
        try:
            self.net.notify("on_epoch_end", **self.datasets)
        except KeyboardInterrupt as request:
            # skorch's callbacks (EarlyStopping, ...) ask so for the end of training.
            raise StopTraining from request

    def end(self):
        """After the last epoch, whatever ended the training."""
        vars(self.net).pop("runner_", None)
        for hook in reversed(self.hooks):
            hook.on_train_end(self.net)
        for parameter in self.net.module_.parameters():
            parameter.grad = None


class TrainingCheckpoint:
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


class Rollback(StopTraining):
    """The epoch just run is to be undone, and training to end."""


def draw_order(data, shuffler):
    """A new order of the rows, or None for the one they lie in."""
    if shuffler is None:
        return None
    return torch.randperm(len(data.X), generator=shuffler).to(data.X.device)


def _mark_best(history):
    """Say in the last line whether its values are the best so far, as skorch does, for Checkpoint and others."""
    last, *earlier = reversed(history)
    for column, sign in (("train_loss", -1), ("valid_loss", -1), ("valid_acc", 1)):
        if column in last:
            best = next((line[column] for line in earlier if line.get(f"{column}_best")), None)
            history.record(f"{column}_best", best is None or sign * last[column] > sign * best)
